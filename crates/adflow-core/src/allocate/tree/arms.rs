//! The arms of a tree at a price: passes over parts of them that add up by the innermost node.

use std::ops::Range;

use super::nest::Segment;
use crate::allocate::checked::Checked;
use crate::allocate::demand::Jump;
use crate::allocate::kernel::{self, Broadcast, Wants};
use crate::allocate::price::Totals;
use crate::curve::Family;
use crate::curve::column::LANES;
use crate::curve::envelope::Envelope;
use crate::curve::kind::Kind;

/// Arms that one thread takes at a time; what they sum to is added in their order, so that no result depends on the
/// number of threads.
pub(super) const BLOCK: usize = 8192;

/// What is known of the arms before any price.
pub(super) struct Arms<'a> {
    pub(super) problem: &'a Checked<'a>,
    same: Broadcast,
    /// As in `demand`: the price above which an arm stays at its lower bound, and the spend that it jumps to; empty where
    /// no arm jumps.
    pub(super) threshold: Vec<f64>,
    pub(super) tangent: Vec<f64>,
    /// Arms with an envelope of their own, in order.
    pub(super) special: Vec<(usize, Envelope<'a>)>,
    /// Whether some arms are Hill curves, which remember where the last pass ended.
    pub(super) remembers: bool,
}

/// What passes write, over a range of arms.
pub(super) struct Columns<'c> {
    pub(super) start: usize,
    pub(super) spend: &'c mut [f64],
    /// dx/d ln λ.
    pub(super) rate: &'c mut [f64],
    /// Empty where no arm remembers.
    pub(super) warm: &'c mut [f64],
}

impl<'c> Columns<'c> {
    fn local(&self, range: &Range<usize>) -> Range<usize> {
        range.start - self.start..range.end - self.start
    }

    /// The columns of a part of the arms.
    pub(super) fn part(&mut self, range: &Range<usize>) -> Columns<'_> {
        let local = self.local(range);
        let warm = if self.warm.is_empty() { &mut [] } else { &mut self.warm[local.clone()] };
        Columns {
            start: range.start,
            spend: &mut self.spend[local.clone()],
            rate: &mut self.rate[local],
            warm,
        }
    }

    /// Takes the first arms away.
    pub(super) fn take(&mut self, length: usize) -> Columns<'c> {
        fn cut<'c>(column: &mut &'c mut [f64], length: usize) -> &'c mut [f64] {
            let length = length.min(column.len());
            let (head, tail) = std::mem::take(column).split_at_mut(length);
            *column = tail;
            head
        }
        let start = self.start;
        self.start += length;
        Columns {
            start,
            spend: cut(&mut self.spend, length),
            rate: cut(&mut self.rate, length),
            warm: cut(&mut self.warm, length),
        }
    }

    pub(super) fn spends(&self, range: &Range<usize>) -> &[f64] {
        &self.spend[self.local(range)]
    }

    pub(super) fn rates(&self, range: &Range<usize>) -> &[f64] {
        &self.rate[self.local(range)]
    }
}

/// Σ in eight running sums, which is fast.
pub(super) fn sum(values: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let whole = values.chunks_exact(8);
    let tail: f64 = whole.remainder().iter().sum();
    for eight in whole {
        for (sum, value) in sums.iter_mut().zip(eight) {
            *sum += value;
        }
    }
    ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7])) + tail
}

fn part<'a>(column: &'a [f64], chunk: &Range<usize>) -> &'a [f64] {
    if column.is_empty() { &[] } else { &column[chunk.clone()] }
}

pub(super) fn cut(range: Range<usize>, length: usize) -> impl Iterator<Item = Range<usize>> {
    range.clone().step_by(length).map(move |start| start..range.end.min(start + length))
}

/// Does tasks on scoped threads; results in the order of the tasks.
pub(super) fn in_parallel<T: Send, R: Send>(
    mut tasks: Vec<T>,
    threads: usize,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let threads = threads.clamp(1, tasks.len().max(1));
    if threads == 1 {
        return tasks.into_iter().map(work).collect();
    }
    let share = tasks.len().div_ceil(threads);
    let mut shares = Vec::with_capacity(threads);
    while tasks.len() > share {
        shares.push(tasks.split_off(tasks.len() - share));
    }
    std::thread::scope(|scope| {
        let work = &work;
        let run = move |tasks: Vec<T>| tasks.into_iter().map(work).collect::<Vec<R>>();
        let others: Vec<_> = shares.into_iter().map(|tasks| scope.spawn(move || run(tasks))).collect();
        let mut results = run(tasks);
        for handle in others.into_iter().rev() {
            results.extend(handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        results
    })
}

impl<'a> Arms<'a> {
    pub(super) fn new(problem: &'a Checked<'a>, threads: usize) -> Self {
        let n = problem.len();
        let mut same = Broadcast::default();
        same.fill(problem);
        let (mut remembers, mut jumps, mut special) = (false, false, Vec::new());
        problem.runs(0..n, |family, run| match family {
            Family::Shape(kind) => {
                remembers |= kind == Kind::Hill;
                jumps |= problem.may_jump(kind, run);
            }
            Family::Mixture(_) | Family::Table(_) => special.push((run.start, problem.envelope(run.start))),
        });
        let mut arms = Self { problem, same, threshold: Vec::new(), tangent: Vec::new(), special, remembers };
        if jumps {
            let (mut threshold, mut tangent) = (vec![0.0; n], vec![0.0; n]);
            let columns = threshold.chunks_mut(BLOCK).zip(tangent.chunks_mut(BLOCK));
            let tasks = columns.enumerate().collect();
            in_parallel(
                tasks,
                threads,
                |(block, (threshold, tangent)): (usize, (&mut [f64], &mut [f64]))| {
                    let start = block * BLOCK;
                    problem.runs(start..start + threshold.len(), |family, run| {
                        let Family::Shape(kind) = family else { return };
                        for chunk in cut(run, LANES) {
                            let local = chunk.start - start..chunk.end - start;
                            let (threshold, tangent) = (&mut threshold[local.clone()], &mut tangent[local]);
                            kernel::touch(problem, &arms.same, kind, chunk, threshold, tangent);
                        }
                    });
                },
            );
            (arms.threshold, arms.tangent) = (threshold, tangent);
        }
        arms
    }

    /// Whether any arm may jump.
    pub(super) fn may_jump(&self) -> bool {
        !self.threshold.is_empty() || !self.special.is_empty()
    }

    pub(super) fn special(&self, range: &Range<usize>) -> &[(usize, Envelope<'a>)] {
        let from = self.special.partition_point(|(arm, _)| *arm < range.start);
        let to = self.special.partition_point(|(arm, _)| *arm < range.end);
        &self.special[from..to]
    }

    /// What a range of arms wants at a price, by the segments that it reaches into (the first holds its start). With
    /// `keep` the spends are written.
    pub(super) fn want(
        &self,
        columns: &mut Columns<'_>,
        range: Range<usize>,
        segments: &[Segment],
        (lambda, cold, keep): (f64, bool, bool),
        mut add: impl FnMut(&Segment, Totals),
    ) {
        let mut special = self.special(&range).iter();
        let mut rest = segments;
        let [some_spend, some_rate] = &mut [[0.0; LANES]; 2];
        self.problem.runs(range, |family, run| {
            let Family::Shape(kind) = family else {
                let Some((arm, envelope)) = special.next() else { return };
                let demand = envelope.demand(lambda);
                if keep {
                    columns.spend[arm - columns.start] = demand.low;
                    columns.rate[arm - columns.start] = demand.rate;
                }
                while rest[0].arms.end <= *arm {
                    rest = &rest[1..];
                }
                add(&rest[0], Totals { spend: demand.low, rate: demand.rate, response: 0.0 });
                return;
            };
            for chunk in cut(run, LANES) {
                let local = columns.local(&chunk);
                let warm = if columns.warm.is_empty() { &mut [] } else { &mut columns.warm[local.clone()] };
                let (spend, rate) = if keep {
                    (&mut columns.spend[local.clone()], &mut columns.rate[local])
                } else {
                    (&mut some_spend[..local.len()], &mut some_rate[..local.len()])
                };
                let (threshold, tangent) = (part(&self.threshold, &chunk), part(&self.tangent, &chunk));
                let wants = Wants { threshold, tangent, warm, cold, spend: &mut *spend, rate: &mut *rate };
                let totals = kernel::want(self.problem, &self.same, kind, chunk.clone(), lambda, wants);
                while rest[0].arms.end <= chunk.start {
                    rest = &rest[1..];
                }
                if rest[0].arms.end >= chunk.end {
                    add(&rest[0], totals);
                    continue;
                }
                let mut from = chunk.start;
                for segment in rest {
                    let to = segment.arms.end.min(chunk.end);
                    let own = from - chunk.start..to - chunk.start;
                    let (spend, rate) = (sum(&spend[own.clone()]), sum(&rate[own]));
                    add(segment, Totals { spend, rate, response: 0.0 });
                    from = to;
                    if to == chunk.end {
                        break;
                    }
                }
            }
        });
    }

    /// Σ v f(x) and Σ x of a range of arms.
    pub(super) fn worth(&self, columns: &Columns<'_>, range: Range<usize>) -> (f64, f64) {
        let [response, marginal] = &mut [[0.0; LANES]; 2];
        let (mut value, mut spend) = (0.0, 0.0);
        self.problem.runs(range, |family, run| match family {
            Family::Shape(kind) => {
                for chunk in cut(run, LANES) {
                    let x = columns.spends(&chunk);
                    let (response, marginal) = (&mut response[..x.len()], &mut marginal[..x.len()]);
                    let totals =
                        kernel::respond(self.problem, &self.same, kind, chunk, x, response, marginal);
                    value += totals.rate;
                    spend += totals.spend;
                }
            }
            Family::Mixture(_) | Family::Table(_) => {
                let x = columns.spends(&run)[0];
                value += self.problem.weight(run.start) * self.problem.arm(run.start).response(x);
                spend += x;
            }
        });
        (value, spend)
    }

    /// Σ v f of a range of arms at the most that each can spend.
    pub(super) fn worth_of_all(&self, range: Range<usize>) -> f64 {
        let problem = self.problem;
        range.map(|i| problem.weight(i) * problem.arm(i).response(problem.cap(i))).sum()
    }

    /// Moves every arm of a range by `share` of its rate, within its cap and its floor.
    pub(super) fn shift(&self, columns: &mut Columns<'_>, range: Range<usize>, share: f64) -> f64 {
        let mut placed = 0.0;
        for chunk in cut(range, LANES) {
            let local = columns.local(&chunk);
            let tangent = part(&self.tangent, &chunk);
            let (spend, rate) = (&mut columns.spend[local.clone()], &columns.rate[local]);
            placed += kernel::shift(self.problem, &self.same, chunk, share, tangent, spend, rate).spend;
        }
        placed
    }

    /// The arms of a range that are indifferent at exactly this price, in order.
    pub(super) fn indifferent(&self, range: &Range<usize>, lambda: f64) -> Vec<Jump> {
        let problem = self.problem;
        let mut jumps = Vec::new();
        for (arm, threshold) in range.clone().zip(part(&self.threshold, range)) {
            if threshold.to_bits() == lambda.to_bits() {
                let (low, cap, tangent) = (problem.lower(arm), problem.cap(arm), self.tangent[arm]);
                let filled = problem.is_straight(arm) && problem.active(arm) <= low;
                let high = problem.arm(arm).demand(lambda / problem.weight(arm), tangent, cap).max(tangent);
                jumps.push(Jump { arm, low, high, filled });
            }
        }
        for (arm, envelope) in self.special(range) {
            let demand = envelope.demand(lambda);
            if demand.high > demand.low {
                jumps.push(Jump { arm: *arm, low: demand.low, high: demand.high, filled: demand.filled });
            }
        }
        jumps.sort_by_key(|jump| jump.arm);
        jumps
    }
}
