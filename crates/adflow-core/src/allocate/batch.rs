//! Many independent problems in one call, as columns.

use std::ops::Range;
use std::sync::Arc;

use super::coupling::Coupling;
use super::demand::Workspace;
use super::plan::{Plan, Status, gap};
use super::problem::Problem;
use super::{branch, general};
use crate::clock::{Clock, NoClock};
use crate::curve::column::Column;
use crate::error::{Error, Result};

/// The plans of many problems: columns over all arms, and columns over problems.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Batch {
    /// Spend per arm (money).
    pub spend: Vec<f64>,
    /// Response per arm.
    pub response: Vec<f64>,
    /// Marginal response per arm.
    pub marginal_response: Vec<f64>,
    /// Σ value · response per problem.
    pub objective_value: Vec<f64>,
    /// Upper bound per problem.
    pub upper_bound: Vec<f64>,
    /// Gap per problem.
    pub gap: Vec<f64>,
    /// Value of one more unit of budget, per problem.
    pub shadow_price: Vec<f64>,
    /// Status per problem.
    pub status: Vec<Status>,
}

/// Problems that one thread takes at a time.
const SHARE: usize = 256;

impl Problem {
    /// Solves many problems over the arms of one set: problem j owns the arms `offsets[j]..offsets[j + 1]` and the budget
    /// `budgets[j]`. Limits, values and tolerance are those of `self`, over all arms; its own budget is not used. Each
    /// plan is the same, to the bit, as that of its problem alone.
    ///
    /// # Errors
    /// As [`solve`](Self::solve), with the problem's number in the field (`budgets[7]`); [`Error::LengthMismatch`] and
    /// [`Error::OutOfDomain`] for offsets that do not start at 0, do not rise, or do not end at the number of arms.
    pub fn solve_batch(&self, offsets: &[usize], budgets: &[f64]) -> Result<Batch> {
        if let Some(limit) = self.time_limit {
            let expected = "unset, or the problems solved with a clock (`solve_batch_with`)";
            return Err(Error::out_of_domain("time_limit", expected, limit));
        }
        self.solve_batch_with(offsets, budgets, &NoClock)
    }

    /// [`solve_batch`](Self::solve_batch) within the time limit, which holds for all problems together.
    ///
    /// # Errors
    /// As [`solve_batch`](Self::solve_batch).
    pub fn solve_batch_with(
        &self,
        offsets: &[usize],
        budgets: &[f64],
        clock: &(dyn Clock + Sync),
    ) -> Result<Batch> {
        self.check_arms()?;
        check_offsets(offsets, budgets.len(), self.curves.len())?;
        for (field, given) in [("groups", self.groups.len()), ("coupling", self.coupling.rows.len())] {
            if given > 0 {
                let expected = "empty in a batch: its arms belong to many problems";
                return Err(Error::out_of_domain(field, expected, format!("{given}")));
            }
        }
        let limit = self.time_limit.and_then(|seconds| std::time::Duration::try_from_secs_f64(seconds).ok());
        let stop = || clock.interrupted() || limit.is_some_and(|limit| clock.elapsed() >= limit);

        let (n, problems) = (self.curves.len(), budgets.len());
        let mut batch = Batch {
            spend: vec![0.0; n],
            response: vec![0.0; n],
            marginal_response: vec![0.0; n],
            objective_value: vec![0.0; problems],
            upper_bound: vec![0.0; problems],
            gap: vec![0.0; problems],
            shadow_price: vec![0.0; problems],
            status: vec![Status::Feasible; problems],
        };
        let threads = self.threads.clamp(1, problems.div_ceil(SHARE).max(1));
        let share = problems.div_ceil(threads).max(1);
        let parts = batch.parts(offsets, share);
        let run = |part: Part<'_>| self.solve_part(part, offsets, budgets, &stop);
        if threads == 1 {
            parts.into_iter().try_for_each(run)?;
        } else {
            let results: Vec<Result<()>> = std::thread::scope(|scope| {
                let run = &run;
                let handles: Vec<_> = parts.into_iter().map(|part| scope.spawn(move || run(part))).collect();
                let join = |handle: std::thread::ScopedJoinHandle<'_, Result<()>>| {
                    handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
                };
                handles.into_iter().map(join).collect()
            });
            // The first problem that is wrong, whatever the threads.
            results.into_iter().collect::<Result<()>>()?;
        }
        Ok(batch)
    }

    /// The problem of some consecutive arms, with a budget of its own.
    fn part(&self, range: Range<usize>, budget: f64) -> Result<Self> {
        let column = |column: &Column| match column {
            Column::Same(value) => Column::Same(*value),
            Column::Each(values) => Column::Each(values[range.clone()].to_vec()),
        };
        Ok(Self {
            curves: self.curves.slice(range.clone())?,
            budget: Some(budget),
            lower: column(&self.lower),
            upper: column(&self.upper),
            active_lower: column(&self.active_lower),
            value: column(&self.value),
            current: self.current.as_ref().map(|current| current[range.clone()].to_vec()),
            groups: Vec::new(),
            coupling: Coupling::new(),
            activation_cost: column(&self.activation_cost),
            max_change: column(&self.max_change),
            max_change_amount: column(&self.max_change_amount),
            move_cost: column(&self.move_cost),
            step: column(&self.step),
            threads: 1,
            ..*self
        })
    }

    /// One problem of a batch that is more than a budget over independent arms.
    fn solve_one(&self, range: Range<usize>, budget: f64, j: usize, stop: &dyn Fn() -> bool) -> Result<Plan> {
        if !(0.0..=1e60).contains(&budget) {
            return Err(Error::out_of_domain(format!("budgets[{j}]"), "from 0 to 1e60", budget));
        }
        let start = range.start;
        let plan = general::solve(&Arc::new(self.part(range, budget)?), &NoClock, stop);
        plan.map_err(|error| match error {
            Error::Infeasible(mut details) => {
                details.conflict.iter_mut().for_each(|limit| limit.arm = limit.arm.map(|arm| start + arm));
                Error::Infeasible(details)
            }
            other => other,
        })
    }

    fn solve_part(
        &self,
        part: Part<'_>,
        offsets: &[usize],
        budgets: &[f64],
        stop: &dyn Fn() -> bool,
    ) -> Result<()> {
        let mut work = Workspace::default();
        let first_arm = offsets[part.first];
        for at in 0..part.status.len() {
            let j = part.first + at;
            let range = offsets[j]..offsets[j + 1];
            let local = range.start - first_arm..range.end - first_arm;
            if !self.is_one_budget() {
                let plan = self.solve_one(range, budgets[j], j, stop)?;
                part.spend[local.clone()].copy_from_slice(&plan.spend);
                part.response[local.clone()].copy_from_slice(&plan.response);
                part.marginal_response[local].copy_from_slice(&plan.marginal_response);
                part.objective_value[at] = plan.objective_value;
                part.upper_bound[at] = plan.upper_bound;
                part.gap[at] = plan.gap;
                part.shadow_price[at] = plan.shadow_price;
                part.status[at] = plan.status;
                continue;
            }
            let checked = self.check_budget(Some(budgets[j]), range, || format!("budgets[{j}]"))?;
            let found = branch::best(&checked, &mut work, self.tolerance, 1, stop)?;
            part.spend[local.clone()].copy_from_slice(&work.spend);
            part.response[local.clone()].copy_from_slice(&work.response);
            part.marginal_response[local].copy_from_slice(&work.marginal);
            part.objective_value[at] = found.worth.value;
            part.upper_bound[at] = found.upper_bound;
            part.gap[at] = gap(found.worth.value, found.upper_bound);
            part.shadow_price[at] = found.shadow_price;
            part.status[at] = Status::of(part.gap[at], self.tolerance);
        }
        Ok(())
    }
}

fn check_offsets(offsets: &[usize], problems: usize, arms: usize) -> Result<()> {
    if problems == 0 {
        return Err(Error::Empty { field: "budgets".into() });
    }
    if offsets.len() != problems + 1 {
        let field = "offsets".into();
        return Err(Error::LengthMismatch { field, expected: problems + 1, actual: offsets.len() });
    }
    if offsets[0] != 0 {
        return Err(Error::out_of_domain("offsets[0]", "0", offsets[0]));
    }
    if let Some(j) = (0..problems).find(|&j| offsets[j + 1] <= offsets[j]) {
        return Err(Error::out_of_domain(
            format!("offsets[{}]", j + 1),
            "above the offset before it",
            offsets[j + 1],
        ));
    }
    if offsets[problems] != arms {
        let expected = format!("{arms}, the number of arms");
        return Err(Error::out_of_domain(format!("offsets[{problems}]"), expected, offsets[problems]));
    }
    Ok(())
}

/// The columns of some consecutive problems.
struct Part<'b> {
    first: usize,
    spend: &'b mut [f64],
    response: &'b mut [f64],
    marginal_response: &'b mut [f64],
    objective_value: &'b mut [f64],
    upper_bound: &'b mut [f64],
    gap: &'b mut [f64],
    shadow_price: &'b mut [f64],
    status: &'b mut [Status],
}

impl Batch {
    fn parts(&mut self, offsets: &[usize], share: usize) -> Vec<Part<'_>> {
        let problems = self.status.len();
        let mut arms = [&mut self.spend[..], &mut self.response, &mut self.marginal_response];
        let mut values =
            [&mut self.objective_value[..], &mut self.upper_bound, &mut self.gap, &mut self.shadow_price];
        let mut status = &mut self.status[..];
        (0..problems)
            .step_by(share)
            .map(|first| {
                let count = share.min(problems - first);
                let length = offsets[first + count] - offsets[first];
                let [spend, response, marginal_response] = arms.each_mut().map(|column| cut(column, length));
                let [objective_value, upper_bound, gap, shadow_price] =
                    values.each_mut().map(|column| cut(column, count));
                let status = cut(&mut status, count);
                Part {
                    first,
                    spend,
                    response,
                    marginal_response,
                    objective_value,
                    upper_bound,
                    gap,
                    shadow_price,
                    status,
                }
            })
            .collect()
    }
}

fn cut<'c, T>(column: &mut &'c mut [T], length: usize) -> &'c mut [T] {
    let (head, tail) = std::mem::take(column).split_at_mut(length);
    *column = tail;
    head
}
