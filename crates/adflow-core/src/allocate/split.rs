//! One budget over arms that jump, on the columns of a [`Demand`].
//!
//! The relaxed problem of a node differs from the root's in a few arms, which stand on narrower bounds; all others
//! keep their thresholds and tangents, and a price near theirs. So a node takes two or three passes over columns. What needs
//! more than a few nodes is left to the search of [`branch`](super::branch).

use super::branch::Found;
use super::checked::Checked;
use super::demand::{Demand, Jump, Workspace, chunks};
use super::kernel::{self, Wants};
use super::plan::gap;
use super::price::{LEAST, Market, SMALL_STEP, Totals, clear};
use super::proof::Proof;
use crate::curve::Family;
use crate::curve::envelope::Envelope;
use crate::elementary::exp;

/// Nodes after which the search with orders and a proof takes over.
const MOST_NODES: usize = 128;
/// Share of the budget below which a rest is rounding.
const ROUNDING: f64 = 1e-12;
/// Passes after which the bracketed search takes over.
const MOST_PASSES: usize = 10;

/// The arms of a concave part each: where it starts, and whether the plan in hand stands on it.
pub(crate) struct Arcs {
    /// Where every arm's last concave part starts, within its bounds (money).
    from: Vec<f64>,
    /// v f′ there, the steepest of the part.
    steepest: Vec<f64>,
    /// For a plan in hand: `steepest` where the arm stands on its part, 0 where it stays.
    threshold: Vec<f64>,
    warm: Vec<f64>,
}

impl Arcs {
    pub(crate) fn new(problem: &Checked<'_>) -> Self {
        let from = |i: usize| {
            let floor = problem.lower(i).max(problem.active(i));
            problem.arm(i).inflection().max(floor)
        };
        let n = problem.len();
        let from: Vec<f64> = (0..n).map(from).collect();
        let steepest = (0..n).map(|i| problem.weight(i) * problem.arm(i).slope(from[i])).collect();
        Self { from, steepest, threshold: vec![0.0; n], warm: Vec::new() }
    }
}

/// A case: the bounds that lead to it, and what its price says.
struct Node {
    bounds: Vec<(usize, f64, f64)>,
    bound: f64,
    price: f64,
    cut: Option<(Jump, f64)>,
}

/// The best plan so far.
struct Best {
    spend: Vec<f64>,
    value: f64,
    price: f64,
}

/// The relaxed problem of a node: its price, its bound and, in the workspace, its spends.
struct Relaxed {
    price: f64,
    bound: f64,
    rest: f64,
    rate: f64,
    cut: Option<(Jump, f64)>,
}

pub(crate) struct Split<'d, 'a, 'w> {
    pub(crate) demand: &'d mut Demand<'a, 'w>,
    pub(crate) arcs: &'d mut Arcs,
    pub(crate) tolerance: f64,
    pub(crate) passes: usize,
}

impl Split<'_, '_, '_> {
    /// Solves the budget from a price near its own. Spends and responses are left in the workspace; `None` where it takes
    /// another way.
    pub(crate) fn solve(&mut self, start: f64, stop: &dyn Fn() -> bool) -> Option<(Found, f64)> {
        let problem = self.demand.problem;
        if problem.total_upper() <= problem.budget || problem.room <= 1e-14 * problem.budget {
            return None;
        }
        self.demand.narrow([]);
        let root = self.relax(start)?;
        let rate = root.rate;
        let relaxed = self.demand.spend().clone();
        let rest = self.demand.jump_up(root.price, root.rest);
        self.demand.settle(rest, rate);
        let mut worth = self.demand.evaluate();
        let mut best = Best { spend: Vec::new(), value: worth.value, price: root.price };
        let mut bound = root.bound.max(worth.value);
        if gap(worth.value, bound) > self.tolerance {
            best.spend.clone_from(self.demand.spend());
            bound = self.search(&root, relaxed, &mut best, stop)?.min(bound);
            self.demand.narrow([]);
            self.demand.spend().copy_from_slice(&best.spend);
            worth = self.demand.evaluate();
            bound = bound.max(worth.value);
            if gap(worth.value, bound) > self.tolerance && !stop() {
                // The best plan is none that these nodes lead to.
                return None;
            }
        }
        let found = Found {
            shadow_price: best.price,
            worth,
            upper_bound: bound,
            proof: Proof::at_price(best.price),
            iterations: self.passes,
        };
        Some((found, rate))
    }

    /// Branches from the root until the gap is closed; returns the bound that is left.
    fn search(
        &mut self,
        root: &Relaxed,
        spend: Vec<f64>,
        best: &mut Best,
        stop: &dyn Fn() -> bool,
    ) -> Option<f64> {
        let mut open = vec![Node { bounds: Vec::new(), bound: root.bound, price: root.price, cut: root.cut }];
        let mut closed = f64::NEG_INFINITY;
        self.polish(&spend, root, best)?;
        let mut nodes = 1;
        while !open.is_empty() {
            let largest = (0..open.len()).max_by(|&a, &b| open[a].bound.total_cmp(&open[b].bound))?;
            let node = open.swap_remove(largest);
            if gap(best.value, node.bound) <= self.tolerance || stop() {
                return Some(closed.max(node.bound));
            }
            let Some((jump, x)) = node.cut else {
                closed = closed.max(node.bound);
                continue;
            };
            if nodes >= MOST_NODES {
                return None;
            }
            let problem = self.demand.problem;
            let active = problem.active(jump.arm);
            let (at_most, at_least) = if x < active { (problem.lower(jump.arm), active) } else { (x, x) };
            for (least, most) in [(0.0, at_most), (at_least, f64::INFINITY)] {
                nodes += 1;
                let mut bounds = node.bounds.clone();
                bounds.push((jump.arm, least, most));
                if !self.bind(&bounds)? {
                    continue;
                }
                let relaxed = self.relax(node.price)?;
                let bound = relaxed.bound.min(node.bound);
                if gap(best.value, bound) > self.tolerance {
                    let spend = self.demand.spend().clone();
                    self.polish(&spend, &relaxed, best)?;
                }
                open.push(Node { bounds, bound, price: relaxed.price, cut: relaxed.cut });
            }
        }
        Some(closed)
    }

    /// Puts arms on the bounds of a node; `Some(false)` where they allow no plan.
    fn bind(&mut self, bounds: &[(usize, f64, f64)]) -> Option<bool> {
        let problem = self.demand.problem;
        let mut arms: Vec<(usize, f64, f64)> = Vec::with_capacity(bounds.len());
        for &(arm, least, most) in bounds {
            match arms.iter_mut().find(|(other, ..)| *other == arm) {
                Some((_, low, high)) => (*low, *high) = (low.max(least), high.min(most)),
                None => arms.push((arm, problem.lower(arm).max(least), problem.cap(arm).min(most))),
            }
        }
        if arms.iter().any(|(_, low, high)| low > high) {
            return Some(false);
        }
        let more: f64 = arms.iter().map(|&(arm, low, _)| low - problem.lower(arm)).sum();
        if more > problem.room + ROUNDING * problem.budget {
            return Some(false);
        }
        let less: f64 = arms.iter().map(|&(arm, _, high)| problem.upper(arm) - high).sum();
        if more >= problem.room - ROUNDING * problem.budget || problem.total_upper() - less <= problem.budget
        {
            return None;
        }
        let on = |&(arm, low, high): &(usize, f64, f64)| (arm, problem.envelope(arm).restricted(low, high));
        let narrowed: Vec<(usize, Envelope<'_>)> = arms.iter().map(on).collect();
        self.demand.narrow(narrowed);
        Some(true)
    }

    /// Solves the relaxed problem on the bounds in place.
    fn relax(&mut self, start: f64) -> Option<Relaxed> {
        let budget = self.demand.problem.budget;
        // What this leaves to the first-order correction costs its square.
        let close = self.demand.slack(self.tolerance).max(1e-3 * self.tolerance.sqrt() * budget);
        let (mut low, mut high) = (0.0_f64, f64::INFINITY);
        let mut price = start;
        let mut cleared = None;
        for _ in 0..MOST_PASSES {
            self.passes += 1;
            let totals = self.demand.totals(price);
            let rest = budget - totals.spend;
            let small = rest.abs() <= SMALL_STEP * -totals.rate && rest.abs() <= close;
            if small || rest >= 0.0 && rest <= self.demand.jump_size(price) {
                cleared = Some(totals);
                break;
            }
            if rest > 0.0 {
                high = high.min(price)
            } else {
                low = low.max(price)
            }
            let next = self.demand.next_price(price, rest, totals.rate, (low, high));
            price = if next > low && next < high {
                next
            } else if low > 0.0 && high.is_finite() {
                low.sqrt() * high.sqrt()
            } else {
                break;
            };
        }
        let totals = cleared.unwrap_or_else(|| {
            let clearing = clear(self.demand, budget, price, self.demand_slack());
            self.passes += clearing.passes;
            price = clearing.lambda;
            clearing.totals
        });
        if price <= 1e10 * LEAST || !price.is_finite() {
            return None;
        }
        let worth = self.demand.appraise();
        let rest = budget - worth.total_spend;
        let bound = worth.value + price * rest;
        let (mut left, mut divided) = (rest, None);
        for jump in self.demand.jumps(price) {
            let size = jump.high - jump.low;
            if jump.filled {
                return None;
            }
            if size <= left {
                left -= size;
            } else if divided.is_none() && left > ROUNDING * budget {
                divided = Some(jump);
            }
        }
        let cut = divided.map(|jump| (jump, jump.low + left));
        Some(Relaxed { price, bound, rest, rate: totals.rate, cut })
    }

    fn demand_slack(&self) -> f64 {
        self.demand.slack(self.tolerance)
    }

    /// Offers the plans near a relaxed one: the divided arm at either end of its chord, or on it; every arm on a concave part
    /// moves on it, every other stays.
    fn polish(&mut self, spend: &[f64], relaxed: &Relaxed, best: &mut Best) -> Option<()> {
        let budget = self.demand.problem.budget;
        let mut base = spend.to_vec();
        let mut left = budget - base.iter().sum::<f64>();
        let mut arm = None;
        let mut picks = vec![None];
        for jump in self.demand.jumps(relaxed.price) {
            if jump.high - jump.low <= left {
                base[jump.arm] = jump.high;
                left -= jump.high - jump.low;
            }
        }
        if let Some((divided, x)) = relaxed.cut {
            arm = Some(divided.arm);
            picks = vec![Some(divided.low), Some(divided.high), Some(x)];
        }
        for pick in picks {
            let mut plan = base.clone();
            if let (Some(arm), Some(x)) = (arm, pick) {
                if x > self.demand.problem.lower(arm) && x < self.demand.problem.active(arm) {
                    continue;
                }
                plan[arm] = x;
            }
            self.passes += self.arrange(&mut plan, relaxed.price, best);
            if gap(best.value, relaxed.bound) <= self.tolerance {
                break;
            }
        }
        Some(())
    }

    /// Moves the arms of a plan along their concave parts to the budget, and offers it. Returns the passes it took.
    fn arrange(&mut self, plan: &mut [f64], start: f64, best: &mut Best) -> usize {
        let problem = self.demand.problem;
        let n = problem.len();
        let mut fixed = Vec::new();
        for (i, &x) in plan.iter().enumerate() {
            let from = self.arcs.from[i];
            let moves = x >= from && from <= problem.cap(i);
            self.arcs.threshold[i] = if moves { self.arcs.steepest[i] } else { 0.0 };
            // The column says the lower bound for every arm that stays.
            if !moves && x > problem.lower(i) {
                fixed.push((i, x));
            }
        }
        let Workspace { spend, response: rate, warm, same, .. } = &mut *self.demand.work;
        // The searches of nodes go on from where they were.
        self.arcs.warm.clone_from(warm);
        let warm = &mut self.arcs.warm;
        let mut pass = |price: f64, spend: &mut [f64], rate: &mut [f64]| {
            let mut totals = Totals::default();
            problem.runs(0..n, |family, run| {
                let Family::Shape(kind) = family else { return };
                for chunk in chunks(run) {
                    let wants = Wants {
                        threshold: &self.arcs.threshold[chunk.clone()],
                        tangent: &self.arcs.from[chunk.clone()],
                        warm: if warm.is_empty() { &mut [] } else { &mut warm[chunk.clone()] },
                        cold: false,
                        spend: &mut spend[chunk.clone()],
                        rate: &mut rate[chunk.clone()],
                    };
                    totals = totals.plus(kernel::want(problem, same, kind, chunk, price, wants));
                }
            });
            let mut hold = |i: usize, x: f64| {
                totals.spend += x - spend[i];
                (spend[i], rate[i]) = (x, 0.0);
            };
            fixed.iter().for_each(|&(i, x)| hold(i, x));
            for (i, &steepest) in self.arcs.threshold.iter().enumerate() {
                if steepest > 0.0 && price >= steepest {
                    hold(i, self.arcs.from[i]);
                }
            }
            totals
        };
        let budget = problem.budget;
        let (mut low, mut high) = (0.0_f64, f64::INFINITY);
        let mut price = start;
        for passes in 1..=MOST_PASSES {
            let totals = pass(price, spend, rate);
            let rest = budget - totals.spend;
            let step = rest / totals.rate;
            if step.abs() <= SMALL_STEP && rest.abs() <= 1e-5 * budget {
                for (i, x) in spend.iter_mut().enumerate() {
                    if rate[i] < 0.0 {
                        *x = (*x + step * rate[i]).clamp(self.arcs.from[i], problem.cap(i));
                    }
                }
                // Rounding goes to the arm that moves most.
                let left = budget - spend.iter().sum::<f64>();
                if left < 0.0 {
                    let most = (0..n).min_by(|&a, &b| rate[a].total_cmp(&rate[b]));
                    if let Some(i) = most {
                        spend[i] = (spend[i] + left).max(self.arcs.from[i]);
                    }
                }
                if spend.iter().sum::<f64>() <= budget * (1.0 + 1e-13) {
                    let worth = self.demand.appraise();
                    if worth.value > best.value {
                        best.value = worth.value;
                        best.spend.clone_from(&self.demand.work.spend);
                        best.price = price * exp(step);
                    }
                }
                return passes;
            }
            if rest > 0.0 {
                high = high.min(price)
            } else {
                low = low.max(price)
            }
            let root = 1.0 - 0.5 * step;
            let next = if root > 0.0 { price / (root * root) } else { price * exp(step) };
            price = if next > low && next < high { next } else { low.sqrt() * high.sqrt() };
            if !(price > LEAST && price < 1.0 / LEAST) {
                return passes;
            }
        }
        MOST_PASSES
    }
}
