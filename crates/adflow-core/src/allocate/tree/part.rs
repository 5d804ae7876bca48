//! A node small enough for one thread, with all that lies in it, solved at the price outside.

use std::ops::Range;

use super::arms::{Arms, Columns, sum};
use super::nest::{Nest, Node, Segment};
use super::search::{Search, State, average_return, clear_jumps, clear_nodes, extrapolated};
use crate::allocate::price::{LEAST, Market, clear};

/// Stands for the node outside the part whose price its arms have.
pub(super) const OUTSIDE: usize = usize::MAX;
/// Share of a limit by which a total may miss it: the rounding of its sum.
pub(super) const ROUNDING: f64 = 1e-12;
/// Share of a limit below which nothing more is placed.
const TINY: f64 = 1e-15;
/// Shifts of the spends of a node towards its target; where the first half has not been enough the rest go by room.
const ROUNDS: usize = 8;
/// Up to this step of ln λ what a shift of the spends is worth follows from the price to every digit.
pub(super) const SMOOTH: f64 = 1e-4;

pub(super) struct Part<'s, 'c, 'a> {
    pub(super) arms: &'s Arms<'a>,
    pub(super) nest: &'s Nest,
    pub(super) top: usize,
    pub(super) columns: Columns<'c>,
    /// Of the nodes from the top on.
    pub(super) states: &'s mut [State],
}

/// What a part comes to.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Outcome {
    /// Σ max [v f(x) − p x] + Σ y b over its arms and limits.
    pub(super) bound: f64,
    /// Σ v f(x).
    pub(super) value: f64,
    pub(super) passes: usize,
}

impl<'s, 'c, 'a> Part<'s, 'c, 'a> {
    pub(super) fn node(&self, k: usize) -> &'s Node {
        &self.nest.nodes[k]
    }

    fn state(&mut self, k: usize) -> &mut State {
        &mut self.states[k - self.top]
    }

    fn search(&mut self, k: usize, cold: bool) -> Search<'_, 'c, 'a> {
        let end = self.node(k).end;
        Search {
            arms: self.arms,
            nest: self.nest,
            top: k,
            columns: &mut self.columns,
            states: &mut self.states[k - self.top..end - self.top],
            cold,
            keep: true,
            sample: false,
            threads: 1,
        }
    }

    /// Prices, then spends. `slack` is the share of a limit that searches leave to the shift that follows.
    pub(super) fn solve(&mut self, outside: f64, mut cold: bool, slack: f64) -> Outcome {
        let (top, end) = (self.top, self.node(self.top).end);
        let mut outcome = Outcome::default();
        // At no price at all everything is wanted.
        let all = outside <= 0.0 && self.node(top).most > self.node(top).upper;
        if !all {
            self.search(top, cold).totals(outside.max(LEAST));
            cold = false;
            outcome.passes += 1;
        }
        for k in top..end {
            let node = self.node(k);
            let (before, payer) = if k == top {
                (outside, OUTSIDE)
            } else {
                let parent = self.state(node.parent);
                (parent.price, parent.payer)
            };
            let state = self.state(k);
            (state.price, state.payer, state.target) = (before, payer, None);
            let wants = state.wants;
            let upper = all && k == top || wants.spend > node.upper;
            if !upper && !(wants.spend < node.lower) {
                continue;
            }
            let target = if upper { node.upper } else { node.lower };
            state.target = Some(target);
            state.must = !upper || node.lower >= node.upper;
            if !upper && before <= 0.0 {
                // No price makes the arms want more.
                continue;
            }
            let start = if before > 0.0 { extrapolated(before, wants, target) } else { None };
            let start = start.unwrap_or_else(|| average_return(self.arms, node, target));
            let arms = self.arms;
            let mut search = self.search(k, cold);
            let clear = if node.end > k + 1 {
                clear_nodes
            } else if arms.threshold.is_empty() {
                |search: &mut Search<'_, '_, '_>, target, start, slack| clear(search, target, start, slack)
            } else {
                clear_jumps
            };
            let clearing = clear(&mut search, target, start, slack * target);
            outcome.passes += clearing.passes;
            let mut price = if clearing.lambda <= LEAST { 0.0 } else { clearing.lambda };
            if upper && price < before || !upper && price > before {
                price = before;
                search.totals(price);
            }
            cold = false;
            let state = self.state(k);
            state.price = price;
            outcome.bound += (price - before) * target;
            if price < before || price > before {
                state.payer = k;
            }
        }

        let mut value = 0.0;
        let segments = &self.nest.segments[self.node(top).segments.clone()];
        let mut rest = segments;
        while let Some(first) = rest.first() {
            let price = self.state(first.node).price;
            let same =
                |segment: &&Segment| self.states[segment.node - top].price.to_bits() == price.to_bits();
            let count = rest.iter().take_while(same).count();
            let (run, others) = rest.split_at(count);
            let range = first.arms.start..run[count - 1].arms.end;
            let (worth, spend) = self.arms.worth(&self.columns, range.clone());
            value += worth;
            outcome.bound += if price > 0.0 { worth - price * spend } else { self.arms.worth_of_all(range) };
            rest = others;
        }

        let mut smooth = true;
        for k in (top..end).rev() {
            if self.state(k).target.is_some() {
                match self.settle(k) {
                    Some(gain) => value += gain,
                    None => smooth = false,
                }
            }
        }
        self.refresh(top);
        outcome.value =
            if smooth { value } else { self.arms.worth(&self.columns, self.node(top).arms.clone()).0 };
        outcome
    }

    /// Whether every total keeps its limits.
    pub(super) fn keeps_limits(&self) -> bool {
        self.states.iter().enumerate().all(|(at, state)| {
            let node = self.node(self.top + at);
            state.total <= node.upper * (1.0 + ROUNDING) && state.total >= node.lower * (1.0 - ROUNDING)
        })
    }

    /// Adds up the spends of a node and all inside it.
    pub(super) fn refresh(&mut self, k: usize) {
        let node = self.node(k);
        for state in &mut self.states[k - self.top..node.end - self.top] {
            state.total = 0.0;
        }
        for segment in &self.nest.segments[node.segments.clone()] {
            self.states[segment.node - self.top].total += sum(self.columns.spends(&segment.arms));
        }
        for j in (k + 1..node.end).rev() {
            let total = self.state(j).total;
            self.state(self.node(j).parent).total += total;
        }
    }

    /// The arms of a node that have its price, but for those held by a limit inside it.
    fn open(&self, k: usize) -> Vec<Range<usize>> {
        let payer = self.states[k - self.top].payer;
        let segments = self.nest.segments[self.node(k).segments.clone()].iter();
        let open = |segment: &&Segment| self.states[segment.node - self.top].payer == payer;
        segments.filter(open).map(|segment| segment.arms.clone()).collect()
    }

    /// Brings the total of a node to its target: what the shift is worth, where it is so small that the price says it.
    fn settle(&mut self, k: usize) -> Option<f64> {
        let State { price, target, must, .. } = *self.state(k);
        let target = target?;
        let tiny = TINY * target;
        self.refresh(k);
        let mut rest = target - self.state(k).total;
        let mut jumped = false;
        if self.arms.may_jump() && price > 0.0 && rest.abs() > tiny {
            jumped = self.fill(k, price, rest) | self.flip(k, price, target, must);
            if jumped {
                self.refresh(k);
                rest = target - self.state(k).total;
            }
        }
        let mut gain = 0.0;
        let mut smooth = !jumped && price > 0.0;
        for round in 0..ROUNDS {
            if rest.abs() > tiny {
                // Where the last rounds come to nothing, what must go goes where there is room.
                let by_room = round >= ROUNDS / 2 && rest.abs() > 1e-3 * ROUNDING * target;
                let (placed, share) = self.place(k, rest, must, by_room);
                smooth &= round == 0 || placed.abs() <= 1e-3 * ROUNDING * target;
                smooth &= share.abs() <= SMOOTH && (rest - placed).abs() <= ROUNDING * target;
                gain += price * placed * (1.0 + 0.5 * share);
                self.refresh(k);
            }
            if self.pin(k) {
                smooth = false;
                self.refresh(k);
            }
            rest = target - self.state(k).total;
            if rest.abs() <= tiny || rest > 0.0 && !must && round >= ROUNDS / 2 {
                break;
            }
        }
        smooth.then_some(gain)
    }

    /// Spreads a rest over the open arms of a node in proportion to how they move with the price, and what finds no room
    /// there, if it must be placed or taken away, in proportion to their room. Returns what was placed and the step of ln λ.
    fn place(&mut self, k: usize, rest: f64, must: bool, by_room: bool) -> (f64, f64) {
        let open = self.open(k);
        let mut placed = 0.0;
        let rate: f64 = open.iter().map(|range| sum(self.columns.rates(range))).sum();
        let share = rest / rate;
        if rate < 0.0 && share.abs() < 1e6 && !by_room {
            for range in &open {
                placed += self.arms.shift(&mut self.columns, range.clone(), share);
            }
        }
        let left = rest - placed;
        // Half of it came to its place: another round will do better than the room would.
        if left.abs() <= 0.5 * rest.abs() || left > 0.0 && !must {
            return (placed, if rate < 0.0 { share } else { 0.0 });
        }
        let problem = self.arms.problem;
        let room = |i: usize, x: f64| {
            let active = problem.active(i);
            if left > 0.0 {
                let kept_out = active > 0.0 && x < active;
                if kept_out { 0.0 } else { (problem.cap(i) - x).max(0.0) }
            } else {
                let floor = if active > 0.0 && x >= active { active } else { problem.lower(i) };
                (x - floor).max(0.0)
            }
        };
        let arms = || open.iter().cloned().flatten();
        let at = self.columns.start;
        // An arm without a bound takes what there is.
        let most = left.abs();
        let total: f64 = arms().map(|i| room(i, self.columns.spend[i - at]).min(most)).sum();
        let part = (most / total).clamp(0.0, 1.0) * left.signum();
        for i in arms() {
            let x = self.columns.spend[i - at];
            let step = part * room(i, x).min(most);
            self.columns.spend[i - at] += step;
            placed += step;
        }
        (placed, f64::INFINITY)
    }

    /// Holds the nodes inside a node that its shift has carried across a limit to that limit. Returns whether there were any.
    fn pin(&mut self, k: usize) -> bool {
        let (payer, end) = (self.state(k).payer, self.node(k).end);
        let mut any = false;
        for j in (k + 1..end).rev() {
            let node = self.node(j);
            for _ in 0..4 {
                let State { total, payer: own, .. } = *self.state(j);
                let over = total - total.clamp(node.lower, node.upper);
                if own != payer && own != j || over.abs() <= 2.0 * TINY * total {
                    break;
                }
                any = true;
                self.place(j, -over, true, false);
                self.refresh(j);
                for inner in j..node.end {
                    let state = self.state(inner);
                    if state.payer == payer {
                        state.payer = j;
                    }
                }
            }
        }
        any
    }

    /// How far the totals of the nodes from j up to k (but not k) may still move.
    fn headroom(&self, mut j: usize, k: usize, up: bool) -> f64 {
        let mut room = f64::INFINITY;
        while j > k {
            let (node, total) = (self.node(j), self.states[j - self.top].total);
            room = room.min(if up { node.upper - total } else { total - node.lower });
            j = node.parent;
        }
        room
    }

    fn move_arm(&mut self, arm: usize, mut j: usize, k: usize, step: f64) {
        self.columns.spend[arm - self.columns.start] += step;
        loop {
            self.state(j).total += step;
            if j <= k {
                break;
            }
            j = self.node(j).parent;
        }
    }

    /// Moves arms that are indifferent at the price up, in order: those on straight lines as far as needed, the others where
    /// they fit whole. Returns whether any moved.
    pub(super) fn fill(&mut self, k: usize, price: f64, mut rest: f64) -> bool {
        let payer = self.state(k).payer;
        let mut moved = false;
        for segment in &self.nest.segments[self.node(k).segments.clone()] {
            if self.state(segment.node).payer != payer || rest <= 0.0 {
                continue;
            }
            for jump in self.arms.indifferent(&segment.arms, price) {
                let size = jump.high - self.columns.spend[jump.arm - self.columns.start];
                let most = rest.min(self.headroom(segment.node, k, true));
                if size > 0.0 && most > 0.0 && (jump.filled || size <= most) {
                    let step = size.min(most);
                    self.move_arm(jump.arm, segment.node, k, step);
                    rest -= step;
                    moved = true;
                }
            }
        }
        moved
    }

    /// Lets single arms jump up or down where that loses less than to spread the rest does. Returns whether any jumped.
    fn flip(&mut self, k: usize, price: f64, target: f64, must: bool) -> bool {
        /// Each brings the rest nearer to nothing; more than a few say that the price is not right.
        const MOST: usize = 4;
        /// A share of the arms' motion that they surely can take.
        const FAR: f64 = 0.3;
        if self.arms.threshold.is_empty() {
            return false;
        }
        let problem = self.arms.problem;
        let (payer, at) = (self.state(k).payer, self.columns.start);
        let mut any = false;
        for _ in 0..MOST {
            let rest = target - self.state(k).total;
            if rest.abs() <= TINY * target {
                break;
            }
            let rate: f64 = self.open(k).iter().map(|range| sum(self.columns.rates(range))).sum();
            let loss = |rest: f64| {
                let unspent = if rest > 0.0 && !must { price * rest } else { f64::INFINITY };
                let spread =
                    if rest.abs() <= -FAR * rate { -0.5 * price * rest * rest / rate } else { f64::INFINITY };
                spread.min(unspent)
            };
            if rest.abs() <= -SMOOTH * rate {
                break;
            }
            let mut best = (loss(rest) * (1.0 - 1e-6), None);
            for segment in &self.nest.segments[self.node(k).segments.clone()] {
                if self.states[segment.node - self.top].payer != payer {
                    continue;
                }
                let (up, down) =
                    (self.headroom(segment.node, k, true), self.headroom(segment.node, k, false));
                for arm in segment.arms.clone() {
                    let (threshold, tangent) = (self.arms.threshold[arm], self.arms.tangent[arm]);
                    let (x, lower) = (self.columns.spend[arm - at], problem.lower(arm));
                    if !(tangent > lower) {
                        continue;
                    }
                    let rises = x <= lower;
                    let step = if rises { tangent - x } else { lower - x };
                    let own = (if rises { price - threshold } else { threshold - price }) * (tangent - lower);
                    let lost = own + loss(rest - step);
                    if lost < best.0 && step <= up && -step <= down {
                        best = (lost, Some((arm, segment.node, step)));
                    }
                }
            }
            let Some((arm, node, step)) = best.1 else { break };
            self.move_arm(arm, node, k, step);
            self.columns.rate[arm - at] = 0.0;
            any = true;
        }
        any
    }

    /// The large node that the part lies in.
    pub(super) fn parent(&self) -> usize {
        self.node(self.top).parent
    }

    /// Σ dx/d ln λ of the arms that have the price outside.
    pub(super) fn outside_rate(&self) -> f64 {
        if self.states[0].payer == OUTSIDE { self.states[0].wants.rate } else { 0.0 }
    }

    /// Takes back what the arms have moved.
    pub(super) fn restore(&mut self, spend: &[f64]) {
        self.columns.spend.copy_from_slice(spend);
        self.refresh(self.top);
    }

    /// Shifts the arms that have the price outside by `share` of their rates; not at all where a limit inside is in the way.
    /// Returns what was placed and what it is worth.
    pub(super) fn absorb(&mut self, price: f64, share: f64) -> (f64, f64) {
        let smooth = share.abs() <= SMOOTH;
        let (placed, gain) = self.attempt(!smooth, |part| {
            for range in part.open(part.top) {
                part.arms.shift(&mut part.columns, range, share);
            }
        });
        (placed, if smooth { price * placed * (1.0 + 0.5 * share) } else { gain })
    }

    /// [`fill`](Self::fill) for the node outside.
    pub(super) fn fill_outside(&mut self, price: f64, rest: f64) -> (f64, f64) {
        if self.arms.indifferent(&self.node(self.top).arms, price).is_empty() {
            return (0.0, 0.0);
        }
        self.attempt(true, |part| {
            part.fill(part.top, price, rest);
        })
    }

    /// Moves the arms that have the price outside by a rest in all, as far as there is room.
    pub(super) fn force(&mut self, rest: f64) -> (f64, f64) {
        self.attempt(true, |part| {
            part.place(part.top, rest, true, true);
        })
    }

    /// Moves arms, if all limits inside are kept after it. Returns what was placed, and what it is worth if that is asked.
    fn attempt(&mut self, appraise: bool, act: impl FnOnce(&mut Self)) -> (f64, f64) {
        if self.states[0].payer != OUTSIDE {
            return (0.0, 0.0);
        }
        let range = self.node(self.top).arms.clone();
        let worth =
            |part: &Self| if appraise { part.arms.worth(&part.columns, range.clone()).0 } else { 0.0 };
        let (spend, total, value) = (self.columns.spend.to_vec(), self.states[0].total, worth(self));
        act(self);
        self.refresh(self.top);
        if !self.keeps_limits() {
            self.restore(&spend);
            return (0.0, 0.0);
        }
        (self.states[0].total - total, worth(self) - value)
    }
}
