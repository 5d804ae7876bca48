//! All arms of a problem at a price, side by side: the passes that take the time when there are many.
//!
//! Every smooth arm is reduced to at most one jump: it spends its lower bound while λ is above its `threshold`, and
//! from `tangent` on the spend at which its slope is λ. Means of draws and tables may jump more than once and carry
//! an [`Envelope`].

use std::ops::Range;

use super::checked::Checked;
use super::kernel::{self, Broadcast, Wants};
use super::price::{Market, Totals, clear};
use crate::curve::Family;
use crate::curve::column::LANES;
use crate::curve::envelope::Envelope;
use crate::curve::kind::Kind;
use crate::elementary::{exp, ln};

/// Arms that one thread takes at a time; partial sums are added in the order of the blocks, so the
/// result does not depend on the number of threads.
const BLOCK: usize = 8192;
/// Below this many arms a second thread costs more than it brings.
const WORTH_THREADS: usize = 4 * BLOCK;
/// From this many arms on the search starts from the price that clears a sample of them.
const WORTH_SAMPLE: usize = 16 * BLOCK;
/// From this many arms on no single jump matters enough to be sought out exactly.
const MANY_JUMPS: usize = 4096;
/// One arm in so many is in the sample, in chunks of [`SAMPLE_CHUNK`].
const SAMPLE_SHARE: usize = 64;
const SAMPLE_CHUNK: usize = 64;

/// Space that a solve needs; reused from problem to problem in a batch.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    pub(crate) spend: Vec<f64>,
    /// During the search: dx/d ln λ of every arm.
    pub(crate) response: Vec<f64>,
    pub(crate) marginal: Vec<f64>,
    pub(super) threshold: Vec<f64>,
    pub(super) tangent: Vec<f64>,
    pub(super) warm: Vec<f64>,
    pub(super) same: Broadcast,
}

/// The arms of one problem at any price.
pub(crate) struct Demand<'a, 'w> {
    pub(super) problem: &'a Checked<'a>,
    pub(super) work: &'w mut Workspace,
    /// Arms with an envelope of their own, in order.
    special: Vec<(usize, Envelope<'a>)>,
    threads: usize,
    /// Whether no pass has been made yet.
    cold: bool,
    adds_up: bool,
    /// The room that the jumps were found for.
    surveyed: f64,
    /// Arms on narrower bounds than their own, with the thresholds that they had.
    pub(super) narrowed: Vec<(usize, Envelope<'a>, f64)>,
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

/// What a plan is worth.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Worth {
    /// Σ v f(x).
    pub(crate) value: f64,
    pub(crate) total_response: f64,
    pub(crate) total_spend: f64,
}

/// A column of n zeros; fresh memory is not touched before the threads that use it do.
fn zeros(column: &mut Vec<f64>, n: usize) {
    if column.capacity() < n {
        *column = vec![0.0; n];
    } else {
        column.clear();
        column.resize(n, 0.0);
    }
}

impl<'a, 'w> Demand<'a, 'w> {
    pub(crate) fn new(problem: &'a Checked<'a>, work: &'w mut Workspace, threads: usize) -> Self {
        let n = problem.len();
        zeros(&mut work.spend, n);
        zeros(&mut work.response, n);
        zeros(&mut work.marginal, n);
        for column in [&mut work.threshold, &mut work.tangent, &mut work.warm] {
            column.clear();
        }
        work.same.fill(problem);
        let surveyed = problem.room;
        let (special, narrowed) = (Vec::new(), Vec::new());
        let mut demand =
            Self { problem, work, special, threads, cold: true, adds_up: false, surveyed, narrowed };
        demand.survey();
        demand
    }

    /// The same arms on a budget that is not larger. Where it ends an arm inside a jump the jumps are found anew.
    pub(crate) fn lower_budget(&mut self, problem: &'a Checked<'a>) {
        self.narrow([]);
        self.problem = problem;
        if problem.room >= self.surveyed {
            return;
        }
        let inside = |i: usize, from: f64, to: f64| (from < problem.cap(i)) & (problem.cap(i) < to);
        let mut tangents = self.work.tangent.iter().enumerate();
        let cuts = tangents.any(|(i, &tangent)| inside(i, problem.lower(i), tangent))
            || self.special.iter().any(|(i, envelope)| {
                envelope.chords().any(|(from, to, _)| inside(*i, from, to))
                    || inside(*i, 0.0, problem.active(*i))
            });
        if cuts {
            self.surveyed = problem.room;
            self.cold = true;
            self.special.clear();
            self.survey();
        }
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
        let Workspace { threshold, tangent, warm, same, .. } = &mut *self.work;
        if hill {
            zeros(warm, n);
        }
        if jumps {
            zeros(threshold, n);
            zeros(tangent, n);
            let same = &*same;
            blocks(n, self.threads, [threshold, tangent, &mut []], |range, [threshold, tangent, _]| {
                let start = range.start;
                problem.runs(range, |family, run| {
                    let Family::Shape(kind) = family else { return };
                    for chunk in chunks(run) {
                        let local = chunk.start - start..chunk.end - start;
                        let (threshold, tangent) = (&mut threshold[local.clone()], &mut tangent[local]);
                        kernel::touch(problem, same, kind, chunk, threshold, tangent);
                    }
                });
                Totals::default()
            });
        }
    }

    /// Puts some arms on narrower bounds, and all others back on their own.
    pub(crate) fn narrow(&mut self, arms: impl IntoIterator<Item = (usize, Envelope<'a>)>) {
        for (arm, _, threshold) in self.narrowed.drain(..) {
            self.work.threshold[arm] = threshold;
        }
        for (arm, envelope) in arms {
            // At no price does the column speak for the arm.
            let threshold = std::mem::replace(&mut self.work.threshold[arm], 0.0);
            self.narrowed.push((arm, envelope, threshold));
        }
    }

    /// Whether every arm that may jump does so once, by its columns.
    pub(crate) fn is_columns(&self) -> bool {
        self.special.is_empty() && !self.work.threshold.is_empty()
    }

    /// The price at which the totals meet the budget, if the arms go on as they do at λ: they move smoothly, and jump where
    /// they jump. `rest` and `rate` are those at λ, and the price lies strictly between `low` and `high`.
    pub(crate) fn next_price(&self, lambda: f64, mut rest: f64, rate: f64, (low, high): (f64, f64)) -> f64 {
        let newton = |from: f64, rest: f64| {
            let root = 1.0 - 0.5 * rest / rate;
            if root > 0.0 { from / (root * root) } else { from * exp(rest / rate) }
        };
        let plain = newton(lambda, rest);
        // The jumps that lie on the way there.
        let (from, to) = if rest > 0.0 { (plain.max(low), lambda) } else { (lambda, plain.min(high)) };
        let mut jumps: Vec<(f64, f64)> = Vec::new();
        for (i, &price) in self.work.threshold.iter().enumerate() {
            if from <= price && price <= to && low < price && price < high {
                jumps.push((price, self.work.tangent[i] - self.problem.lower(i)));
            }
        }
        for (_, envelope, _) in &self.narrowed {
            let inside = |price: f64| from <= price && price <= to && low < price && price < high;
            let chords = envelope.chords().filter(|&(.., price)| inside(price));
            jumps.extend(chords.map(|(from, to, price)| (price, to - from)));
        }
        let mut at = lambda;
        if rest > 0.0 {
            jumps.sort_by(|a, b| b.0.total_cmp(&a.0));
            for (price, size) in jumps {
                let next = newton(at, rest);
                if next >= price && price < lambda {
                    return next;
                }
                rest += rate * ln(price / at);
                at = price;
                if price < lambda && rest <= size {
                    return price;
                }
                // At λ itself the arm is still at its smaller spend.
                rest -= size;
                if rest <= 0.0 {
                    return price;
                }
            }
        } else {
            jumps.sort_by(|a, b| a.0.total_cmp(&b.0));
            for (price, size) in jumps {
                if price <= lambda {
                    continue;
                }
                let next = newton(at, rest);
                if next <= price {
                    return next;
                }
                rest += rate * ln(price / at);
                at = price;
                rest += size;
                if rest >= 0.0 {
                    return price;
                }
            }
        }
        newton(at, rest)
    }

    /// By how much the totals jump at exactly this price.
    pub(crate) fn jump_size(&self, lambda: f64) -> f64 {
        self.jumps(lambda).iter().map(|jump| jump.high - jump.low).sum()
    }

    /// Whether any arm may jump.
    pub(crate) fn may_jump(&self) -> bool {
        !self.work.threshold.is_empty() || !self.special.is_empty()
    }

    /// The rest of the budget (money) that a search among many arms may leave to the first-order correction that follows:
    /// what it costs is its square.
    pub(crate) fn slack(&self, tolerance: f64) -> f64 {
        let n = self.problem.len();
        let share = match self.may_jump() {
            true if n >= MANY_JUMPS => 0.01 * tolerance.sqrt(),
            false if n >= WORTH_SAMPLE => 1e-6,
            _ => 0.0,
        };
        share * self.problem.budget
    }

    /// Whether passes only add up, without writing every arm's spend: memory is what many arms wait for.
    pub(crate) fn only_add_up(&mut self, only: bool) {
        self.adds_up = only && self.problem.len() >= WORTH_SAMPLE && !self.may_jump();
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
        for (arm, envelope, _) in &self.narrowed {
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

    /// Spends and, after an evaluation, responses.
    pub(crate) fn plan(&self) -> (&[f64], &[f64]) {
        (&self.work.spend, &self.work.response)
    }

    /// A price to start from: that which clears a sample of the arms, or the average return on the budget spent
    /// equally.
    pub(crate) fn first_price(&mut self) -> f64 {
        let problem = self.problem;
        let n = problem.len();
        if n >= WORTH_SAMPLE {
            let runs: Vec<Range<usize>> = (0..n)
                .step_by(SAMPLE_SHARE * SAMPLE_CHUNK)
                .map(|start| start..n.min(start + SAMPLE_CHUNK))
                .collect();
            let lower: f64 = runs.iter().cloned().flatten().map(|i| problem.lower(i)).sum();
            let count: usize = runs.iter().map(Range::len).sum();
            #[allow(clippy::cast_precision_loss, reason = "counts")]
            let target = lower + problem.room * (count as f64 / n as f64);
            let start = self.average_return(&runs);
            let mut sample = Sample { demand: self, runs };
            let lambda = clear(&mut sample, target, start, 1e-3 * target).lambda;
            self.cold = true;
            lambda
        } else {
            self.average_return(std::slice::from_ref(&(0..n)))
        }
    }

    /// Half the average return on an equal spend over some arms.
    fn average_return(&mut self, runs: &[Range<usize>]) -> f64 {
        let problem = self.problem;
        #[allow(clippy::cast_precision_loss, reason = "a count")]
        let equal = problem.room / problem.len() as f64;
        let (mut value, mut total) = (0.0, 0.0);
        for i in runs.iter().cloned().flatten() {
            let x = (problem.lower(i) + equal).min(problem.upper(i));
            total += x;
            value += problem.weight(i) * problem.arm(i).response(x);
        }
        let price = 0.5 * value / total;
        if price > 0.0 && price.is_finite() { price.clamp(1e-200, 1e200) } else { 1.0 }
    }

    /// Where one arm takes all that the budget leaves, which any smaller price makes it do too: the largest price at
    /// which it still does; 0 elsewhere.
    pub(crate) fn price_of_all(&self) -> f64 {
        let problem = self.problem;
        if problem.len() >= WORTH_SAMPLE {
            return 0.0;
        }
        let takes_all = |&i: &usize| self.work.spend[i] >= problem.lower(i) + problem.room * (1.0 - 1e-12);
        let Some(i) = (0..problem.len()).find(takes_all) else { return 0.0 };
        let most = problem.lower(i) + problem.room;
        if problem.upper(i) <= most {
            return 0.0;
        }
        let slope = problem.weight(i) * problem.arm(i).slope(most);
        let chord = match self.special.iter().find(|(arm, _)| *arm == i) {
            Some((_, envelope)) => envelope.chords().last().map_or(f64::INFINITY, |(.., slope)| slope),
            None => self.work.threshold.get(i).copied().unwrap_or(f64::INFINITY),
        };
        let price = slope.min(chord);
        if price.is_finite() { price } else { 0.0 }
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
    pub(crate) fn settle(&mut self, mut rest: f64, rate: f64) -> f64 {
        let (problem, threads) = (self.problem, self.threads);
        // What the sum over many arms itself rounds away.
        let rounding = if problem.len() < WORTH_SAMPLE { 2.0 * f64::EPSILON } else { 1e-14 } * problem.budget;
        for _ in 0..3 {
            if rest.abs() <= rounding || !(rate < 0.0) {
                break;
            }
            let Workspace { spend, response, tangent, same, .. } = &mut *self.work;
            let (rates, tangent, same) = (&*response, &*tangent, &*same);
            let share = rest / rate;
            let placed = blocks(problem.len(), threads, [spend, &mut [], &mut []], |range, [spend, ..]| {
                let start = range.start;
                let mut totals = Totals::default();
                for chunk in chunks(range) {
                    let spend = &mut spend[chunk.start - start..chunk.end - start];
                    let (tangent, rates) = (part(tangent, &chunk), &rates[chunk.clone()]);
                    totals = totals.plus(kernel::shift(problem, same, chunk, share, tangent, spend, rates));
                }
                totals
            });
            rest -= placed.spend;
        }
        rest
    }

    /// What the spends are worth, leaving how they move with the price in place.
    pub(crate) fn appraise(&self) -> Worth {
        let (problem, same, spend) = (self.problem, &self.work.same, &self.work.spend);
        let columns: [&mut [f64]; 3] = [&mut [], &mut [], &mut []];
        let totals = blocks(problem.len(), self.threads, columns, |range, _| {
            let [response, marginal] = &mut [[0.0; LANES]; 2];
            let mut totals = Totals::default();
            problem.runs(range, |family, run| match family {
                Family::Shape(kind) => {
                    for chunk in chunks(run) {
                        let (n, x) = (chunk.len(), &spend[chunk.clone()]);
                        let (response, marginal) = (&mut response[..n], &mut marginal[..n]);
                        totals =
                            totals.plus(kernel::respond(problem, same, kind, chunk, x, response, marginal));
                    }
                }
                Family::Mixture(_) | Family::Table(_) => {
                    let (i, x) = (run.start, spend[run.start]);
                    let response = problem.arm(i).response(x);
                    totals = totals.plus(Totals { spend: x, rate: problem.weight(i) * response, response });
                }
            });
            totals
        });
        Worth { value: totals.rate, total_response: totals.response, total_spend: totals.spend }
    }

    /// From the spends: response and marginal response of every arm, and what the plan is worth.
    pub(crate) fn evaluate(&mut self) -> Worth {
        evaluate(self.problem, self.threads, self.work)
    }
}

/// From the spends of a workspace: response and marginal response of every arm, and what the plan is worth.
pub(crate) fn evaluate(problem: &Checked<'_>, threads: usize, work: &mut Workspace) -> Worth {
    let Workspace { spend, response, marginal, same, .. } = work;
    let (spend, same) = (&*spend, &*same);
    let totals =
        blocks(spend.len(), threads, [response, marginal, &mut []], |range, [response, marginal, _]| {
            let start = range.start;
            let mut totals = Totals::default();
            problem.runs(range, |family, run| match family {
                Family::Shape(kind) => {
                    for chunk in chunks(run) {
                        let local = chunk.start - start..chunk.end - start;
                        let x = &spend[chunk.clone()];
                        let (response, marginal) = (&mut response[local.clone()], &mut marginal[local]);
                        totals =
                            totals.plus(kernel::respond(problem, same, kind, chunk, x, response, marginal));
                    }
                }
                Family::Mixture(_) | Family::Table(_) => {
                    let (arm, x, at) = (problem.arm(run.start), spend[run.start], run.start - start);
                    response[at] = arm.response(x);
                    marginal[at] = arm.slope(x);
                    let rate = problem.weight(run.start) * response[at];
                    totals = totals.plus(Totals { spend: x, rate, response: response[at] });
                }
            });
            totals
        });
    Worth { value: totals.rate, total_response: totals.response, total_spend: totals.spend }
}

impl Market for Demand<'_, '_> {
    fn totals(&mut self, lambda: f64) -> Totals {
        let (problem, cold, adds_up) = (self.problem, self.cold, self.adds_up);
        let Workspace { spend, response: rate, warm, threshold, tangent, same, .. } = &mut *self.work;
        let (threshold, tangent, same) = (&*threshold, &*tangent, &*same);
        let mut totals =
            blocks(problem.len(), self.threads, [spend, rate, warm], |range, [spend, rate, warm]| {
                let start = range.start;
                let mut totals = Totals::default();
                let [some_spend, some_rate] = &mut [[0.0; LANES]; 2];
                problem.runs(range, |family, run| {
                    let Family::Shape(kind) = family else { return };
                    for chunk in chunks(run) {
                        let local = chunk.start - start..chunk.end - start;
                        let warm = if warm.is_empty() { &mut [] } else { &mut warm[local.clone()] };
                        let (spend, rate) = if adds_up {
                            (&mut some_spend[..local.len()], &mut some_rate[..local.len()])
                        } else {
                            (&mut spend[local.clone()], &mut rate[local])
                        };
                        let (threshold, tangent) = (part(threshold, &chunk), part(tangent, &chunk));
                        let wants = Wants { threshold, tangent, warm, cold, spend, rate };
                        totals = totals.plus(kernel::want(problem, same, kind, chunk, lambda, wants));
                    }
                });
                totals
            });
        for (arm, envelope) in &self.special {
            let demand = envelope.demand(lambda);
            self.work.spend[*arm] = demand.low;
            self.work.response[*arm] = demand.rate;
            totals = totals.plus(Totals { spend: demand.low, rate: demand.rate, response: 0.0 });
        }
        for (arm, envelope, _) in &self.narrowed {
            let (demand, spend) = (envelope.demand(lambda), self.work.spend[*arm]);
            self.work.spend[*arm] = demand.low;
            self.work.response[*arm] = demand.rate;
            totals = totals.plus(Totals { spend: demand.low - spend, rate: demand.rate, response: 0.0 });
        }
        self.cold = false;
        totals
    }

    fn jump_between(&self, low: f64, high: f64) -> Option<f64> {
        let inside = |price: &f64| low < *price && *price < high;
        let own = self.work.threshold.iter().copied().filter(inside);
        let chords = self.special.iter().flat_map(|(_, envelope)| envelope.chords().map(|(.., slope)| slope));
        let narrowed =
            self.narrowed.iter().flat_map(|(_, envelope, _)| envelope.chords().map(|(.., slope)| slope));
        let mut prices: Vec<f64> = own.chain(chords.filter(inside)).chain(narrowed.filter(inside)).collect();
        if prices.is_empty() {
            return None;
        }
        let middle = prices.len() / 2;
        Some(*prices.select_nth_unstable_by(middle, f64::total_cmp).1)
    }

    fn jump_at(&self, lambda: f64) -> f64 {
        if self.may_jump() { self.jumps(lambda).iter().map(|jump| jump.high - jump.low).sum() } else { 0.0 }
    }
}

/// Some of the arms, for a first idea of the price.
struct Sample<'d, 'a, 'w> {
    demand: &'d mut Demand<'a, 'w>,
    runs: Vec<Range<usize>>,
}

impl Market for Sample<'_, '_, '_> {
    fn totals(&mut self, lambda: f64) -> Totals {
        let Demand { problem, work, special, cold, .. } = &mut *self.demand;
        let Workspace { spend, response: rate, warm, threshold, tangent, same, .. } = &mut **work;
        let mut totals = Totals::default();
        for range in &self.runs {
            problem.runs(range.clone(), |family, run| {
                let Family::Shape(kind) = family else {
                    let at = special.partition_point(|(arm, _)| *arm < run.start);
                    let demand = special[at].1.demand(lambda);
                    let (spend, rate) = (demand.low, demand.rate);
                    totals = totals.plus(Totals { spend, rate, response: 0.0 });
                    return;
                };
                for chunk in chunks(run) {
                    let wants = Wants {
                        threshold: part(threshold, &chunk),
                        tangent: part(tangent, &chunk),
                        warm: if warm.is_empty() { &mut [] } else { &mut warm[chunk.clone()] },
                        cold: *cold,
                        spend: &mut spend[chunk.clone()],
                        rate: &mut rate[chunk.clone()],
                    };
                    totals = totals.plus(kernel::want(problem, same, kind, chunk, lambda, wants));
                }
            });
        }
        *cold = false;
        totals
    }

    fn jump_between(&self, _: f64, _: f64) -> Option<f64> {
        None
    }

    fn jump_at(&self, _: f64) -> f64 {
        0.0
    }
}

fn part<'a>(column: &'a [f64], chunk: &Range<usize>) -> &'a [f64] {
    if column.is_empty() { &[] } else { &column[chunk.clone()] }
}

pub(super) fn chunks(range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
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
