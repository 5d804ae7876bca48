//! The price at which the arms of a node want what its limit says, its inner nodes held to theirs.

use super::arms::{Arms, BLOCK, Columns, cut, in_parallel};
use super::nest::{Nest, Node, Segment};
use crate::allocate::price::{Clearing, LEAST, Market, SMALL_STEP, Totals, clear};
use crate::elementary::exp;

/// Share of a target that is left to the shift of the spends, however little is asked to be left.
const CLOSE: f64 = 1e-9;

/// What is known of a node while its problem is solved.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    /// What the node wants at the price that its parent has, or at its own once that is known.
    pub(super) wants: Totals,
    /// What those of its arms want that lie in no node inside it.
    own: Totals,
    pub(super) price: f64,
    /// The node whose price its own arms have: itself, or one that it lies in.
    pub(super) payer: usize,
    /// What its arms must spend in the end: its lower or its upper bound, where one of them binds.
    pub(super) target: Option<f64>,
    /// Whether nothing less than the target will do.
    pub(super) must: bool,
    /// Σ x.
    pub(super) total: f64,
}

/// The arms of one node, with the nodes inside it, as the search for a price sees them.
pub(super) struct Search<'s, 'c, 'a> {
    pub(super) arms: &'s Arms<'a>,
    pub(super) nest: &'s Nest,
    pub(super) top: usize,
    pub(super) columns: &'s mut Columns<'c>,
    /// Of the nodes from the top on.
    pub(super) states: &'s mut [State],
    /// Whether no pass has been made yet.
    pub(super) cold: bool,
    /// Whether passes write the spends.
    pub(super) keep: bool,
    /// Whether the nest is a sample, whose jumps say nothing.
    pub(super) sample: bool,
    pub(super) threads: usize,
}

impl Search<'_, '_, '_> {
    fn segments(&self) -> &[Segment] {
        &self.nest.segments[self.nest.nodes[self.top].segments.clone()]
    }

    /// Adds up what the segments want by node.
    fn gather(&mut self, lambda: f64) {
        let (nest, top, arms) = (self.nest, self.top, self.arms);
        let setting = (lambda, self.cold, self.keep);
        let segments = &nest.segments[nest.nodes[top].segments.clone()];
        if self.sample || nest.nodes[top].arms.len() <= BLOCK {
            let mut rest = segments;
            while let Some(first) = rest.first() {
                // Neighbours in one go.
                let apart = |pair: &[Segment]| pair[0].arms.end != pair[1].arms.start;
                let count = rest.windows(2).position(apart).map_or(rest.len(), |at| at + 1);
                let (run, others) = rest.split_at(count);
                let range = first.arms.start..run[count - 1].arms.end;
                let states = &mut *self.states;
                arms.want(self.columns, range, run, setting, |segment, totals| {
                    add(&mut states[segment.node - top].wants, totals, 1.0);
                });
                rest = others;
            }
            return;
        }
        let range = nest.nodes[top].arms.clone();
        let mut columns = self.columns.part(&range);
        let blocks = cut(range, BLOCK).map(|block| (columns.take(block.len()), block)).collect();
        let partial = in_parallel(blocks, self.threads, |(mut columns, block)| {
            let first = segments.partition_point(|segment| segment.arms.end <= block.start);
            let mut partial: Vec<(usize, Totals)> = Vec::new();
            arms.want(&mut columns, block, &segments[first..], setting, |segment, totals| {
                match partial.last_mut() {
                    Some(last) if last.0 == segment.node => last.1 = last.1.plus(totals),
                    _ => partial.push((segment.node, totals)),
                }
            });
            partial
        });
        for (node, totals) in partial.into_iter().flatten() {
            add(&mut self.states[node - top].wants, totals, 1.0);
        }
    }
}

fn add(sum: &mut Totals, totals: Totals, scale: f64) {
    sum.spend += scale * totals.spend;
    sum.rate += scale * totals.rate;
}

/// What a node lets its parent see of what its arms want.
pub(super) fn clamped(node: &Node, wants: Totals) -> Totals {
    if wants.spend > node.upper {
        Totals { spend: node.upper, ..Totals::default() }
    } else if wants.spend < node.lower {
        Totals { spend: node.lower, ..Totals::default() }
    } else {
        wants
    }
}

impl Market for Search<'_, '_, '_> {
    fn totals(&mut self, lambda: f64) -> Totals {
        for state in self.states.iter_mut() {
            state.wants = Totals::default();
        }
        self.gather(lambda);
        self.cold = false;
        let top = self.top;
        for state in self.states.iter_mut() {
            state.own = state.wants;
        }
        for k in (top + 1..self.nest.nodes[top].end).rev() {
            let node = &self.nest.nodes[k];
            let totals = clamped(node, self.states[k - top].wants);
            add(&mut self.states[node.parent - top].wants, totals, node.scale);
        }
        self.states[0].wants
    }

    fn jump_between(&self, low: f64, high: f64) -> Option<f64> {
        if self.sample || !self.arms.may_jump() {
            return None;
        }
        let range = &self.nest.nodes[self.top].arms;
        let inside = |price: &f64| low < *price && *price < high;
        let own = self.arms.threshold.get(range.clone()).unwrap_or(&[]).iter().copied().filter(inside);
        let special = self.arms.special(range).iter();
        let chords = special.flat_map(|(_, envelope)| envelope.chords().map(|(.., slope)| slope));
        let mut prices: Vec<f64> = own.chain(chords.filter(inside)).collect();
        if prices.is_empty() {
            return None;
        }
        let middle = prices.len() / 2;
        Some(*prices.select_nth_unstable_by(middle, f64::total_cmp).1)
    }

    fn jump_at(&self, lambda: f64) -> f64 {
        if self.sample || !self.arms.may_jump() {
            return 0.0;
        }
        let top = self.top;
        let jumps = self.arms.indifferent(&self.nest.nodes[top].arms, lambda);
        if jumps.is_empty() {
            return 0.0;
        }
        let mut more = vec![0.0; self.states.len()];
        let mut segments = self.segments().iter();
        let mut segment = segments.next();
        for jump in jumps {
            while segment.is_some_and(|segment| segment.arms.end <= jump.arm) {
                segment = segments.next();
            }
            if let Some(segment) = segment {
                more[segment.node - top] += jump.high - jump.low;
            }
        }
        for k in (top + 1..self.nest.nodes[top].end).rev() {
            let node = &self.nest.nodes[k];
            let wants = self.states[k - top].wants;
            let all = Totals { spend: wants.spend + more[k - top], ..wants };
            more[node.parent - top] += clamped(node, all).spend - clamped(node, wants).spend;
        }
        more[0]
    }
}

/// A guess of what the nodes want near a price: the arms of each move as they do there, and as many more jump as did on the last
/// step; its limits hold as they are.
struct Model<'s> {
    nest: &'s Nest,
    top: usize,
    states: &'s [State],
    wants: Vec<Totals>,
    lambda: f64,
    /// How much more arms move than they would without jumps.
    factor: f64,
}

impl Market for Model<'_> {
    fn totals(&mut self, lambda: f64) -> Totals {
        // Michaelis-Menten curves are straight in λ^(−1/2).
        let root = (self.lambda / lambda).sqrt();
        for (wants, state) in self.wants.iter_mut().zip(self.states) {
            let rate = self.factor * state.own.rate;
            let spend = state.own.spend + 2.0 * rate * (1.0 - root);
            *wants = if spend > 0.0 {
                Totals { spend, rate: rate * root, response: 0.0 }
            } else {
                Totals::default()
            };
        }
        for k in (self.top + 1..self.nest.nodes[self.top].end).rev() {
            let node = &self.nest.nodes[k];
            let totals = clamped(node, self.wants[k - self.top]);
            add(&mut self.wants[node.parent - self.top], totals, node.scale);
        }
        self.wants[0]
    }

    fn jump_between(&self, _: f64, _: f64) -> Option<f64> {
        None
    }

    fn jump_at(&self, _: f64) -> f64 {
        0.0
    }
}

/// [`clear`] for many nodes, whose limits come and go with the price: between two passes over the arms the search runs on what is
/// known of the nodes.
pub(super) fn clear_nodes(search: &mut Search<'_, '_, '_>, target: f64, start: f64, slack: f64) -> Clearing {
    /// After so many passes the limits are not what makes it difficult.
    const MOST: usize = 20;
    /// No guess is trusted further away than this.
    const FAR: f64 = 1e3;
    // A step of ln λ below which the rest is a first-order correction.
    let small_step = if search.arms.may_jump() { 1e-2 } else { SMALL_STEP };
    let slack = slack.max(CLOSE * target);
    let (mut low, mut high) = (0.0, f64::INFINITY);
    let mut lambda = start;
    let mut passes = 0;
    let mut factor = 1.0_f64;
    // The residual that the last step was to close.
    let mut before: Option<f64> = None;
    while passes < MOST {
        let totals = search.totals(lambda);
        passes += 1;
        let residual = target - totals.spend;
        if residual.abs() <= slack && residual.abs() <= small_step * -totals.rate {
            return Clearing { lambda, totals, passes };
        }
        if residual > 0.0 {
            high = lambda;
        } else {
            low = lambda;
        }
        // It was meant to close this much, and left this much.
        if let Some(meant) = before.filter(|_| search.arms.may_jump()) {
            factor = (factor * (1.0 - residual / meant)).clamp(1.0, 10.0);
        }
        let (nest, top, states) = (search.nest, search.top, &*search.states);
        let wants = vec![Totals::default(); states.len()];
        let mut model = Model { nest, top, states, wants, lambda, factor };
        let next = clear(&mut model, target, lambda, 1e-3 * slack).lambda;
        let inside = next > low && next < high;
        lambda = match (low > 0.0, high.is_finite()) {
            _ if inside && next > LEAST && (next / lambda).max(lambda / next) < FAR => next,
            (true, true) => low.sqrt() * high.sqrt(),
            (true, false) => lambda * FAR,
            _ => lambda / FAR,
        };
        before = Some(residual).filter(|_| inside);
    }
    let mut clearing = clear(search, target, lambda, slack);
    clearing.passes += passes;
    clearing
}

/// [`clear`] for a node of few arms that jump: inside a bracket it halves the jumps first, as every residual that is left is
/// either one of them or closed by Newton's method between two.
pub(super) fn clear_jumps(search: &mut Search<'_, '_, '_>, target: f64, start: f64, slack: f64) -> Clearing {
    /// Halving leaves no more than a few of any number of jumps.
    const MOST: usize = 40;
    let slack = slack.max(CLOSE * target);
    let (mut low, mut high) = (0.0, f64::INFINITY);
    let mut lambda = start;
    let mut at_jump = false;
    for passes in 1..=MOST {
        let totals = search.totals(lambda);
        let residual = target - totals.spend;
        let close = residual.abs() <= slack && residual.abs() <= 10.0 * SMALL_STEP * -totals.rate;
        if close || at_jump && residual >= 0.0 && residual <= search.jump_at(lambda) {
            return Clearing { lambda, totals, passes };
        }
        if residual > 0.0 {
            high = lambda;
        } else {
            low = lambda;
        }
        let jump = if low > 0.0 && high.is_finite() { search.jump_between(low, high) } else { None };
        at_jump = jump.is_some();
        let guess = jump.or_else(|| extrapolated(lambda, totals, target));
        lambda = match guess {
            Some(guess) if guess > low && guess < high => guess,
            _ => break,
        };
    }
    let mut clearing = clear(search, target, lambda, slack);
    clearing.passes += 1;
    clearing
}

/// The price at which what is wanted at another price, moving as it does, would come to `target`; nothing where it hardly
/// moves.
pub(super) fn extrapolated(lambda: f64, wants: Totals, target: f64) -> Option<f64> {
    let residual = target - wants.spend;
    let root = 1.0 - residual / (2.0 * wants.rate);
    let price = if root > 0.0 { lambda / (root * root) } else { lambda * exp(residual / wants.rate) };
    (price > 1e-200 && price < 1e200).then_some(price)
}

/// Half the average return of up to some hundred arms of a node on an equal spend.
pub(super) fn average_return(arms: &Arms<'_>, node: &Node, target: f64) -> f64 {
    const ENOUGH: usize = 256;
    let problem = arms.problem;
    #[allow(clippy::cast_precision_loss, reason = "a count")]
    let equal = ((target - node.least) / node.arms.len() as f64).max(0.0);
    let (mut value, mut total) = (0.0, 0.0);
    for i in node.arms.clone().step_by(node.arms.len().div_ceil(ENOUGH)) {
        let x = (problem.lower(i) + equal).min(problem.upper(i));
        total += x;
        value += problem.weight(i) * problem.arm(i).response(x);
    }
    let price = 0.5 * value / total;
    if price > 0.0 && price.is_finite() { price.clamp(1e-200, 1e200) } else { 1.0 }
}
