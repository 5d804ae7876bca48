//! All arms of a problem at a price, side by side: the passes that take the time when there are many.
//!
//! Every arm with a closed form (or, for Hill, a Newton iteration without branches) is reduced to at most
//! one jump: it spends its lower bound while λ is above its `threshold`, and from `tangent` on the spend at
//! which its slope is λ. Means of draws and tables may jump more than once and carry an [`Envelope`].

use std::ops::Range;

use super::checked::Checked;
use super::price::{Market, Totals};
use crate::curve::column::LANES;
use crate::curve::envelope::Envelope;
use crate::curve::hill::Hill;
use crate::curve::kind::{Kind, with_shape};
use crate::curve::shape::Shape;
use crate::curve::Family;

/// Arms that one thread takes at a time; partial sums are added in the order of the blocks, so the
/// result does not depend on the number of threads.
const BLOCK: usize = 8192;
/// Below this many arms a second thread costs more than it brings.
const WORTH_THREADS: usize = 4 * BLOCK;

/// Space that a solve needs; reused from problem to problem in a batch.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    pub(crate) spend: Vec<f64>,
    /// During the search: dx/d ln λ of every arm.
    pub(crate) response: Vec<f64>,
    pub(crate) marginal: Vec<f64>,
    threshold: Vec<f64>,
    tangent: Vec<f64>,
    warm: Vec<f64>,
}

/// The arms of one problem at any price.
pub(crate) struct Demand<'a, 'w> {
    problem: &'a Checked<'a>,
    work: &'w mut Workspace,
    /// Arms with an envelope of their own, in order.
    special: Vec<(usize, Envelope<'a>)>,
    threads: usize,
}

/// An arm that is indifferent between two spends at the clearing price.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Jump {
    pub(crate) arm: usize,
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// Whether the spends between are as good.
    pub(crate) filled: bool,
}

impl<'a, 'w> Demand<'a, 'w> {
    pub(crate) fn new(problem: &'a Checked<'a>, work: &'w mut Workspace, threads: usize) -> Self {
        let n = problem.len();
        let Workspace { spend, response, marginal, threshold, tangent, warm } = &mut *work;
        for column in [&mut *spend, response, marginal, threshold, tangent, warm] {
            column.clear();
        }
        spend.resize(n, 0.0);
        response.resize(n, 0.0);
        let mut demand = Self { problem, work, special: Vec::new(), threads };
        demand.survey();
        demand
    }

    /// Finds which arms jump, and where.
    fn survey(&mut self) {
        let problem = self.problem;
        let n = problem.len();
        let (mut hill, mut jumps) = (false, false);
        problem.runs(0..n, |family, run| match family {
            Family::Shape(kind) => {
                hill |= kind == Kind::Hill;
                jumps |= problem.may_jump(kind, run);
            }
            Family::Mixture(_) | Family::Table(_) => {
                self.special.push((run.start, problem.envelope(run.start)));
            }
        });
        if hill {
            self.work.warm.resize(n, f64::NAN);
        }
        if jumps {
            let Workspace { threshold, tangent, .. } = &mut *self.work;
            threshold.resize(n, f64::INFINITY);
            tangent.resize(n, 0.0);
            blocks(n, self.threads, [threshold, tangent, &mut []], |range, [threshold, tangent, _]| {
                let start = range.start;
                problem.runs(range, |family, run| {
                    let Family::Shape(kind) = family else { return };
                    for chunk in chunks(run) {
                        let local = chunk.start - start..chunk.end - start;
                        touch(problem, kind, chunk, &mut threshold[local.clone()], &mut tangent[local]);
                    }
                });
                Totals::default()
            });
        }
    }

    /// The arms that are indifferent at exactly this price.
    pub(crate) fn jumps(&self, lambda: f64) -> Vec<Jump> {
        let problem = self.problem;
        let mut jumps: Vec<Jump> = Vec::new();
        for (arm, threshold) in self.work.threshold.iter().enumerate() {
            if threshold.to_bits() != lambda.to_bits() {
                continue;
            }
            let (low, cap, tangent) = (problem.lower(arm), problem.cap(arm), self.work.tangent[arm]);
            let filled = problem.is_straight(arm) && problem.active(arm) <= low;
            let high = problem.arm(arm).demand(lambda / problem.weight(arm), tangent, cap).max(tangent);
            jumps.push(Jump { arm, low, high, filled });
        }
        for (arm, envelope) in &self.special {
            let demand = envelope.demand(lambda);
            if demand.high > demand.low {
                jumps.push(Jump { arm: *arm, low: demand.low, high: demand.high, filled: demand.filled });
            }
        }
        jumps.sort_by_key(|jump| jump.arm);
        jumps
    }

    pub(crate) fn spend(&mut self) -> &mut Vec<f64> {
        &mut self.work.spend
    }

    /// A price to start from: the average return on the budget, spent equally, which no clearing price of concave
    /// curves exceeds by much.
    pub(crate) fn first_price(&mut self) -> f64 {
        let problem = self.problem;
        #[allow(clippy::cast_precision_loss, reason = "a count")]
        let equal = problem.room / problem.len() as f64;
        let Workspace { spend, response, marginal, .. } = &mut *self.work;
        let lowest = |i: usize| problem.lower(i).max(0.0);
        for (i, x) in spend.iter_mut().enumerate() {
            *x = (lowest(i) + equal).min(problem.upper(i));
        }
        marginal.resize(spend.len(), 0.0);
        let (value, total) = evaluate(problem, self.threads, spend, response, marginal);
        let price = 0.5 * value / total;
        if price > 0.0 && price.is_finite() { price.clamp(1e-200, 1e200) } else { 1.0 }
    }

    /// Moves arms that are indifferent at this price up: those on straight lines share, the others take what
    /// fits whole, in order. Returns the rest.
    pub(crate) fn jump_up(&mut self, lambda: f64, mut rest: f64) -> f64 {
        let jumps = self.jumps(lambda);
        let room: f64 = jumps.iter().filter(|jump| jump.filled).map(|jump| jump.high - jump.low).sum();
        let share = (rest / room).clamp(0.0, 1.0);
        for jump in &jumps {
            let size = jump.high - jump.low;
            let step = if jump.filled {
                share * size
            } else if size <= rest {
                size
            } else {
                continue;
            };
            self.work.spend[jump.arm] = jump.low + step;
            rest -= step;
        }
        rest
    }

    /// Puts a rest that must be spent where there is room, in proportion to the room.
    pub(crate) fn spread(&mut self, rest: f64) {
        let problem = self.problem;
        let spend = &mut self.work.spend;
        let room = |i: usize, x: f64| {
            let kept_out = problem.active(i) > 0.0 && x < problem.active(i);
            if kept_out { 0.0 } else { (problem.cap(i) - x).max(0.0) }
        };
        let total: f64 = spend.iter().enumerate().map(|(i, &x)| room(i, x)).sum();
        let share = (rest / total).clamp(0.0, 1.0);
        for (i, x) in spend.iter_mut().enumerate() {
            *x += share * room(i, *x);
        }
    }

    /// Spreads a small residual over the arms in proportion to how they move with the price, which keeps
    /// their marginal values equal to first order. Returns what finds no room.
    pub(crate) fn settle(&mut self, residual: f64) -> f64 {
        let problem = self.problem;
        let Workspace { spend, response: rate, .. } = &mut *self.work;
        let mut left = residual;
        for _ in 0..4 {
            if left.abs() <= 0.0 {
                break;
            }
            let movable = |arm: usize, spend: f64| {
                let room = if left > 0.0 { spend < problem.cap(arm) } else { spend > problem.floor(arm, spend) };
                if room { rate[arm] } else { 0.0 }
            };
            let total: f64 = spend.iter().enumerate().map(|(arm, &x)| movable(arm, x)).sum();
            if !(total < 0.0) {
                break;
            }
            let share = left / total;
            let mut placed = 0.0;
            for arm in 0..spend.len() {
                let x = spend[arm];
                let rate = movable(arm, x);
                if rate < 0.0 {
                    let next = (x + share * rate).clamp(problem.floor(arm, x).min(x), problem.cap(arm).max(x));
                    placed += next - x;
                    spend[arm] = next;
                }
            }
            left -= placed;
            if left.abs() <= f64::EPSILON * residual.abs() {
                left = 0.0;
            }
        }
        left
    }

    /// From the spends: response and marginal response of every arm; returns Σ v f(x) and Σ x.
    pub(crate) fn evaluate(&mut self) -> (f64, f64) {
        let n = self.problem.len();
        let Workspace { spend, response, marginal, .. } = &mut *self.work;
        marginal.resize(n, 0.0);
        evaluate(self.problem, self.threads, spend, response, marginal)
    }
}

/// Response and marginal response of every arm at its spend; returns Σ v f(x) and Σ x.
pub(crate) fn evaluate(
    problem: &Checked<'_>,
    threads: usize,
    spend: &[f64],
    response: &mut [f64],
    marginal: &mut [f64],
) -> (f64, f64) {
    let totals = blocks(spend.len(), threads, [response, marginal, &mut []], |range, [response, marginal, _]| {
        let start = range.start;
        let mut totals = Totals::default();
        problem.runs(range, |family, run| match family {
            Family::Shape(kind) => {
                for chunk in chunks(run) {
                    let local = chunk.start - start..chunk.end - start;
                    let x = &spend[chunk.clone()];
                    let (response, marginal) = (&mut response[local.clone()], &mut marginal[local]);
                    totals = totals.plus(respond(problem, kind, chunk, x, response, marginal));
                }
            }
            Family::Mixture(_) | Family::Table(_) => {
                let (arm, x, at) = (problem.arm(run.start), spend[run.start], run.start - start);
                response[at] = arm.response(x);
                marginal[at] = arm.slope(x);
                totals = totals.plus(Totals { spend: x, rate: problem.weight(run.start) * response[at] });
            }
        });
        totals
    });
    (totals.rate, totals.spend)
}

impl Market for Demand<'_, '_> {
    fn totals(&mut self, lambda: f64) -> Totals {
        let problem = self.problem;
        let Workspace { spend, response: rate, warm, threshold, tangent, .. } = &mut *self.work;
        let (threshold, tangent) = (&*threshold, &*tangent);
        let mut totals = blocks(problem.len(), self.threads, [spend, rate, warm], |range, [spend, rate, warm]| {
            let start = range.start;
            let mut totals = Totals::default();
            problem.runs(range, |family, run| {
                let Family::Shape(kind) = family else { return };
                for chunk in chunks(run) {
                    let local = chunk.start - start..chunk.end - start;
                    let at = |column| part(column, &chunk);
                    let jump = (at(threshold), at(tangent));
                    let warm = if warm.is_empty() { &mut [] } else { &mut warm[local.clone()] };
                    let (spend, rate) = (&mut spend[local.clone()], &mut rate[local]);
                    totals = totals.plus(want(problem, kind, chunk, lambda, jump, warm, spend, rate));
                }
            });
            totals
        });
        for (arm, envelope) in &self.special {
            let demand = envelope.demand(lambda);
            let rate = demand.rate;
            self.work.spend[*arm] = demand.low;
            self.work.response[*arm] = rate;
            totals = totals.plus(Totals { spend: demand.low, rate });
        }
        totals
    }

    fn jump_between(&self, low: f64, high: f64) -> Option<f64> {
        let inside = |price: &f64| low < *price && *price < high;
        let own = self.work.threshold.iter().copied().filter(inside);
        let chords = self.special.iter().flat_map(|(_, envelope)| envelope.chords().map(|(.., slope)| slope));
        let mut prices: Vec<f64> = own.chain(chords.filter(inside)).collect();
        if prices.is_empty() {
            return None;
        }
        let middle = prices.len() / 2;
        Some(*prices.select_nth_unstable_by(middle, f64::total_cmp).1)
    }

    fn jump_at(&self, lambda: f64) -> f64 {
        if self.work.threshold.is_empty() && self.special.is_empty() {
            return 0.0;
        }
        self.jumps(lambda).iter().map(|jump| jump.high - jump.low).sum()
    }
}

fn part<'a>(column: &'a [f64], chunk: &Range<usize>) -> Option<&'a [f64]> {
    if column.is_empty() { None } else { Some(&column[chunk.clone()]) }
}

fn chunks(range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    range.clone().step_by(LANES).map(move |start| start..range.end.min(start + LANES))
}

/// Runs `work` on blocks of arms, with the same blocks of three columns (each may be empty), on scoped
/// threads where it pays; adds the results in the order of the blocks.
fn blocks(
    n: usize,
    threads: usize,
    columns: [&mut [f64]; 3],
    work: impl Fn(Range<usize>, [&mut [f64]; 3]) -> Totals + Sync,
) -> Totals {
    fn cut<'c>(column: &mut &'c mut [f64], length: usize) -> &'c mut [f64] {
        let length = length.min(column.len());
        let (head, tail) = std::mem::take(column).split_at_mut(length);
        *column = tail;
        head
    }
    if n <= BLOCK {
        return work(0..n, columns);
    }
    let threads = if n < WORTH_THREADS { 1 } else { threads.clamp(1, n.div_ceil(BLOCK)) };
    let share = n.div_ceil(BLOCK).div_ceil(threads) * BLOCK;
    let run = |range: Range<usize>, [mut a, mut b, mut c]: [&mut [f64]; 3]| {
        let starts = range.clone().step_by(BLOCK);
        starts
            .map(|start| {
                let block = start..range.end.min(start + BLOCK);
                let length = block.len();
                work(block, [cut(&mut a, length), cut(&mut b, length), cut(&mut c, length)])
            })
            .collect::<Vec<_>>()
    };
    let [mut a, mut b, mut c] = columns;
    let results = if threads == 1 {
        run(0..n, [a, b, c])
    } else {
        std::thread::scope(|scope| {
            let run = &run;
            let handles: Vec<_> = (0..n)
                .step_by(share)
                .map(|start| {
                    let range = start..n.min(start + share);
                    let length = range.len();
                    let columns = [cut(&mut a, length), cut(&mut b, length), cut(&mut c, length)];
                    scope.spawn(move || run(range, columns))
                })
                .collect();
            handles
                .into_iter()
                .flat_map(|handle| handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        })
    };
    results.into_iter().fold(Totals::default(), Totals::plus)
}

type Buffer = [f64; LANES];

/// The parameters of up to [`LANES`] arms of one family.
struct Lanes<'b> {
    parameters: [&'b [f64]; 3],
    cost: &'b [f64],
    offset: &'b [f64],
    baseline: &'b [f64],
    /// Value per response of the curve.
    value: &'b [f64],
    /// Value of the problem.
    worth: &'b [f64],
    lower: &'b [f64],
    upper: &'b [f64],
    room: f64,
}

/// Runs `body` with the lanes of a chunk.
#[inline(always)]
fn with_lanes<T>(problem: &Checked<'_>, chunk: Range<usize>, body: impl FnOnce(&Lanes<'_>) -> T) -> T {
    let set = problem.set;
    let own = problem.range.start + chunk.start..problem.range.start + chunk.end;
    let mut buffers: [Buffer; 10] = [[0.0; LANES]; 10];
    let [b0, b1, b2, b3, b4, b5, b6, b7, b8, b9] = &mut buffers;
    let [p0, p1, p2] = &set.parameters;
    body(&Lanes {
        parameters: [p0.lanes(own.clone(), b0), p1.lanes(own.clone(), b1), p2.lanes(own.clone(), b2)],
        cost: set.cost.lanes(own.clone(), b3),
        offset: set.offset.lanes(own.clone(), b4),
        baseline: set.baseline.lanes(own.clone(), b5),
        value: set.value.lanes(own.clone(), b6),
        worth: problem.value.lanes(own.clone(), b7),
        lower: problem.lower.lanes(own.clone(), b8),
        upper: problem.upper.lanes(own, b9),
        room: problem.room,
    })
}

impl Lanes<'_> {
    #[inline(always)]
    fn shape<S: Shape>(&self, i: usize) -> S {
        let [a, b, c] = self.parameters;
        S::new([a[i], b[i], c[i]])
    }

    #[inline(always)]
    fn cap(&self, i: usize) -> f64 {
        let (upper, rest) = (self.upper[i], self.lower[i] + self.room);
        if upper < rest { upper } else { rest }
    }

    /// Σ over lanes in eight running sums: a fixed order that vectorises.
    #[inline(always)]
    fn sum(values: &[f64]) -> f64 {
        let mut sums = [0.0; 8];
        let whole = values.chunks_exact(8);
        let tail: f64 = whole.remainder().iter().sum();
        for eight in whole {
            for (sum, value) in sums.iter_mut().zip(eight) {
                *sum += value;
            }
        }
        sums.iter().sum::<f64>() + tail
    }
}

/// Spends of a chunk at a price, and how they move with it.
#[allow(clippy::too_many_arguments, reason = "the columns of one kernel")]
fn want(
    problem: &Checked<'_>,
    kind: Kind,
    chunk: Range<usize>,
    lambda: f64,
    (threshold, tangent): (Option<&[f64]>, Option<&[f64]>),
    warm: &mut [f64],
    spend: &mut [f64],
    rate: &mut [f64],
) -> Totals {
    with_lanes(problem, chunk, |lanes| {
        let open = [f64::INFINITY; LANES];
        let n = spend.len();
        let threshold = threshold.unwrap_or(&open[..n]);
        let tangent = tangent.unwrap_or(&lanes.lower[..n]);
        let arch = pulp::Arch::new();
        match kind {
            Kind::Hill => arch.dispatch(
                #[inline(always)]
                || want_hill(lanes, lambda, threshold, tangent, warm, spend, rate),
            ),
            _ => with_shape!(kind, S => arch.dispatch(
                #[inline(always)]
                || want_shape::<S>(lanes, lambda, threshold, tangent, spend, rate),
            )),
        }
        Totals { spend: Lanes::sum(spend), rate: Lanes::sum(rate) }
    })
}

#[inline(always)]
fn want_shape<S: Shape>(
    lanes: &Lanes<'_>,
    lambda: f64,
    threshold: &[f64],
    tangent: &[f64],
    spend: &mut [f64],
    rate: &mut [f64],
) {
    for i in 0..spend.len() {
        let shape = lanes.shape::<S>(i);
        let cost = lanes.cost[i];
        let u = shape.inverse_slope(lambda * cost / (lanes.worth[i] * lanes.value[i]));
        place(lanes, i, lambda, threshold[i], tangent[i], u, shape.slope_rate(u) * cost, spend, rate);
    }
}

/// Puts the interior solution u of arm i where its bounds and its jump allow.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "the columns of one kernel")]
fn place(
    lanes: &Lanes<'_>,
    i: usize,
    lambda: f64,
    threshold: f64,
    tangent: f64,
    u: f64,
    moves: f64,
    spend: &mut [f64],
    rate: &mut [f64],
) {
    let x = (u - lanes.offset[i]) * lanes.cost[i];
    let cap = lanes.cap(i);
    // Comparisons with NaN are false: a worthless arm stays at its tangent.
    let floored = if x > tangent { x } else { tangent };
    let capped = if floored < cap { floored } else { cap };
    let active = lambda < threshold;
    let interior = active & (x > tangent) & (x < cap);
    spend[i] = if active { capped } else { lanes.lower[i] };
    rate[i] = if interior { moves } else { 0.0 };
}

/// Hill has no closed form: Newton steps on all lanes until the slowest has converged.
#[inline(always)]
fn want_hill(
    lanes: &Lanes<'_>,
    lambda: f64,
    threshold: &[f64],
    tangent: &[f64],
    warm: &mut [f64],
    spend: &mut [f64],
    rate: &mut [f64],
) {
    /// Newton's error is squared by every step, so the step after one of this size is the last.
    const LAST_STEP: f64 = 1e-9;
    let n = spend.len();
    let mut target: Buffer = [0.0; LANES];
    for i in 0..n {
        let hill = lanes.shape::<Hill>(i);
        let c = hill.log_slope_target(lambda * lanes.cost[i] / (lanes.worth[i] * lanes.value[i]));
        target[i] = c;
        // A start to the right of the root is always safe; the last solution is a better one.
        let start = hill.start(c);
        warm[i] = if warm[i] < start { warm[i] } else { start };
    }
    for _ in 0..60 {
        let mut slowest: f64 = 0.0;
        for i in 0..n {
            let hill = lanes.shape::<Hill>(i);
            let (next, step) = hill.step(warm[i], target[i]);
            let start = hill.start(target[i]);
            // From the left a step may overshoot, but never needs to go past the safe start.
            let next = if next < start { next } else { start };
            let size = if step < 0.0 { -step } else { step };
            let size = if lambda < threshold[i] { size } else { 0.0 };
            warm[i] = next;
            slowest = if size > slowest { size } else { slowest };
        }
        if slowest <= LAST_STEP {
            break;
        }
    }
    for i in 0..n {
        let hill = lanes.shape::<Hill>(i);
        let u = hill.units(warm[i]);
        place(lanes, i, lambda, threshold[i], tangent[i], u, hill.slope_rate(u) * lanes.cost[i], spend, rate);
    }
}

/// Threshold and tangent of the arms of a chunk.
fn touch(
    problem: &Checked<'_>,
    kind: Kind,
    chunk: Range<usize>,
    threshold: &mut [f64],
    tangent: &mut [f64],
) {
    let by_formula = kind == Kind::Hill && problem.starts_at_zero(chunk.clone());
    if by_formula {
        with_lanes(problem, chunk.clone(), |lanes| {
            pulp::Arch::new().dispatch(
                #[inline(always)]
                || touch_hill(lanes, threshold, tangent),
            );
        });
        return;
    }
    for (i, arm) in chunk.enumerate() {
        (threshold[i], tangent[i]) = match problem.jump(arm) {
            Some((slope, tangent)) => (slope, tangent),
            None => (f64::INFINITY, problem.lower(arm)),
        };
    }
}

/// The line from the origin touches a Hill curve at k (s − 1)^{1/s}, or meets it at its cap.
#[inline(always)]
fn touch_hill(lanes: &Lanes<'_>, threshold: &mut [f64], tangent: &mut [f64]) {
    for i in 0..threshold.len() {
        let hill = lanes.shape::<Hill>(i);
        let (cap, weight) = (lanes.cap(i), lanes.worth[i] * lanes.value[i]);
        let touching = hill.tangent_from_origin() * lanes.cost[i];
        let concave = !(touching > 0.0);
        let end = if touching < cap { touching } else { cap };
        let chord = weight * hill.value(end / lanes.cost[i]) / end;
        let chord = if end > 0.0 { chord } else { 0.0 };
        threshold[i] = if concave { f64::INFINITY } else { chord };
        tangent[i] = if concave { 0.0 } else { end };
    }
}

/// Response and marginal response of a chunk: (Σ x, Σ v f).
fn respond(
    problem: &Checked<'_>,
    kind: Kind,
    chunk: Range<usize>,
    spend: &[f64],
    response: &mut [f64],
    marginal: &mut [f64],
) -> Totals {
    with_lanes(problem, chunk, |lanes| {
        let mut worth: Buffer = [0.0; LANES];
        let n = spend.len();
        with_shape!(kind, S => pulp::Arch::new().dispatch(
            #[inline(always)]
            || {
                for i in 0..n {
                    let shape = lanes.shape::<S>(i);
                    let (cost, value) = (lanes.cost[i], lanes.value[i]);
                    let u = spend[i] / cost + lanes.offset[i];
                    let slope = value * (shape.slope(u) / cost);
                    response[i] = value * (shape.value(u) - lanes.baseline[i]);
                    marginal[i] = if value > 0.0 { slope } else { 0.0 };
                    worth[i] = lanes.worth[i] * response[i];
                }
            },
        ));
        Totals { spend: Lanes::sum(spend), rate: Lanes::sum(&worth[..n]) }
    })
}
