//! The best plan as a function of the budget.

use std::time::Duration;

use serde::Serialize;

use super::checked::Checked;
use super::plan::{Status, gap};
use super::problem::Problem;
use super::sweep::{self, Row, Sweep};
use crate::clock::{Clock, NoClock};
use crate::error::{Error, Result};

/// The best plans of one problem under many budgets, as columns.
///
/// `spend` and `response` are row-major, one row of n arms per budget; the other columns have one entry per budget. All
/// are in the order in which the budgets were given. Every row is a plan as [`Problem::solve`] gives it, with an upper
/// bound of its own:
///
/// ```text
/// gap_j = (upper_bound_j − objective_value_j) / |upper_bound_j|
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Frontier {
    /// The budgets (money), as given.
    pub budgets: Vec<f64>,
    /// Spend per budget and arm (money), k × n.
    pub spend: Vec<f64>,
    /// Response per budget and arm, k × n.
    pub response: Vec<f64>,
    /// Σ spend per budget (money).
    pub total_spend: Vec<f64>,
    /// Σ response per budget.
    pub total_response: Vec<f64>,
    /// What was maximised, per budget.
    pub objective_value: Vec<f64>,
    /// No plan within the limits has a larger objective value; per budget.
    pub upper_bound: Vec<f64>,
    /// (upper_bound − objective_value)/|upper_bound|, per budget.
    pub gap: Vec<f64>,
    /// What one more unit of budget is worth, per budget.
    pub shadow_price: Vec<f64>,
    /// Whether the gap is within the tolerance, per budget.
    pub status: Vec<Status>,
    /// Where arms start and stop to spend and to be held back, by rising budget.
    pub changes: Vec<FrontierChange>,
    /// Passes over the arms and nodes of searches together.
    pub iterations: usize,
    /// Time that all budgets together took, by the caller's clock.
    pub elapsed: Duration,
}

/// An arm that starts or stops to spend, or to stand at its upper bound, as the budget rises.
///
/// Concave arms do either once, at the budget at which the price of budget equals the slope of the arm's value at its
/// bound. Arms that jump, and arms in problems with more than one limit on totals, are only seen at the budgets given.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FrontierChange {
    /// The arm.
    pub arm: usize,
    /// The arm's name, where it has one.
    pub name: Option<String>,
    /// `"enters"`: it rises from its lower bound (from 0 where there is none); `"leaves"`: it falls back to it;
    /// `"saturates"`: it reaches its upper bound; `"frees"`: it falls below it again.
    pub change: &'static str,
    /// The budget at which it happens (money), as closely as it is known.
    pub budget: f64,
    /// The neighbours among the budgets given that it happens between (money).
    pub between: (f64, f64),
    /// Whether `budget` is right to the rounding; otherwise it is interpolated inside `between`.
    pub exact: bool,
}

impl Problem {
    /// The best plans for many budgets, in one sweep; the problem's own budget is not used.
    ///
    /// What one budget finds out serves the next: concave arms take between one and two passes per budget. Every plan is
    /// proven to the problem's tolerance, like one of [`solve`](Self::solve). The budgets may be in any order, and
    /// may repeat; the result does not depend on the number of threads.
    ///
    /// # Examples
    /// ```
    /// use adflow_core::{Problem, ResponseCurves};
    ///
    /// let curves = ResponseCurves::michaelis_menten([120.0, 80.0], [5.0, 9.0])?;
    /// let frontier = Problem::new(curves).frontier(&[1.0, 5.0, 20.0])?;
    /// assert!(frontier.shadow_price[0] > frontier.shadow_price[2]);
    /// // The second arm is worth 80/9 at first, and spends as soon as the first returns less than that.
    /// assert_eq!((frontier.changes[0].arm, frontier.changes[0].change), (1, "enters"));
    /// # Ok::<(), adflow_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Empty`] without budgets; for each budget those of [`solve`](Self::solve), with its position in the field
    /// (`budgets[7]`).
    pub fn frontier(self, budgets: &[f64]) -> Result<Frontier> {
        if let Some(limit) = self.time_limit {
            let expected = "unset, or the frontier asked for with a clock (`frontier_with`)";
            return Err(Error::out_of_domain("time_limit", expected, limit));
        }
        self.frontier_with(budgets, &NoClock)
    }

    /// [`frontier`](Self::frontier) within the time limit, which holds for all budgets together, or until `clock`
    /// interrupts.
    ///
    /// # Errors
    /// As [`frontier`](Self::frontier). Running out of time is not an error: plans whose gap is left open say so.
    pub fn frontier_with(self, budgets: &[f64], clock: &dyn Clock) -> Result<Frontier> {
        if budgets.is_empty() {
            return Err(Error::Empty { field: "budgets".into() });
        }
        if !self.is_one_budget() {
            return self.one_by_one(budgets, clock);
        }
        self.check_arms()?;
        let limit = self.time_limit.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let stop = || clock.interrupted() || limit.is_some_and(|limit| clock.elapsed() >= limit);
        let rising = rising(budgets);
        let problems = self.check_budgets(budgets, &rising)?;
        let mut sweep = sweep::sweep(&problems, self.tolerance, self.threads, &stop)?;
        let mut changes = Changes { problem: &self, checked: &problems, sweep: &sweep }.all();
        by_budget(&mut changes);
        let n = self.curves.len();
        let position = positions(budgets, &problems);
        let column = |of: &dyn Fn(&Row) -> f64| position.iter().map(|&at| of(&sweep.rows[at])).collect();
        let gaps: Vec<f64> = column(&|row| gap(row.value, row.bound));
        let mut frontier = Frontier {
            budgets: budgets.to_vec(),
            spend: Vec::new(),
            response: Vec::new(),
            total_spend: column(&|row| row.total_spend),
            total_response: column(&|row| row.total_response),
            objective_value: column(&|row| row.value),
            upper_bound: column(&|row| row.bound),
            status: gaps.iter().map(|&gap| Status::of(gap, self.tolerance)).collect(),
            gap: gaps,
            shadow_price: column(&|row| row.price),
            changes,
            iterations: sweep.rows.iter().map(|row| row.passes).sum(),
            elapsed: Duration::ZERO,
        };
        if position.iter().copied().eq(0..problems.len()) {
            frontier.spend = std::mem::take(&mut sweep.spend);
            frontier.response = std::mem::take(&mut sweep.response);
        } else {
            for (of, to) in [(&sweep.spend, &mut frontier.spend), (&sweep.response, &mut frontier.response)] {
                to.reserve(n * position.len());
                position.iter().for_each(|&at| to.extend_from_slice(&of[at * n..(at + 1) * n]));
            }
        }
        frontier.elapsed = clock.elapsed();
        Ok(frontier)
    }

    /// Solves each budget by itself: what more limits than the budget need.
    fn one_by_one(self, budgets: &[f64], clock: &dyn Clock) -> Result<Frontier> {
        let (n, k) = (self.curves.len(), budgets.len());
        let column = || Vec::with_capacity(k);
        let mut frontier = Frontier {
            budgets: budgets.to_vec(),
            spend: Vec::with_capacity(n * k),
            response: Vec::with_capacity(n * k),
            total_spend: column(),
            total_response: column(),
            objective_value: column(),
            upper_bound: column(),
            gap: column(),
            shadow_price: column(),
            status: Vec::with_capacity(k),
            changes: Vec::new(),
            iterations: 0,
            elapsed: Duration::ZERO,
        };
        for (j, &budget) in budgets.iter().enumerate() {
            let plan = self.clone().budget(budget).solve_with(clock).map_err(|error| at(error, j))?;
            frontier.spend.extend_from_slice(&plan.spend);
            frontier.response.extend_from_slice(&plan.response);
            frontier.total_spend.push(plan.total_spend);
            frontier.total_response.push(plan.total_response);
            frontier.objective_value.push(plan.objective_value);
            frontier.upper_bound.push(plan.upper_bound);
            frontier.gap.push(plan.gap);
            frontier.shadow_price.push(plan.shadow_price);
            frontier.status.push(plan.status);
            frontier.iterations += plan.iterations;
        }
        let order = rising(budgets);
        for pair in order.windows(2) {
            let between = (budgets[pair[0]], budgets[pair[1]]);
            for arm in 0..n {
                let (before, after) = (frontier.spend[pair[0] * n + arm], frontier.spend[pair[1] * n + arm]);
                for change in self.moves(arm, between, before, after) {
                    let budget = 0.5 * (between.0 + between.1);
                    frontier.changes.push(self.change(arm, change, budget, between, false));
                }
            }
        }
        by_budget(&mut frontier.changes);
        frontier.elapsed = clock.elapsed();
        Ok(frontier)
    }

    /// The different budgets in rising order, each checked.
    fn check_budgets(&self, budgets: &[f64], rising: &[usize]) -> Result<Vec<Checked<'_>>> {
        let check =
            |j: usize| self.check_budget(Some(budgets[j]), 0..self.curves.len(), || format!("budgets[{j}]"));
        let top = check(0)?;
        let most = if self.spend_all { top.total_upper() } else { f64::INFINITY };
        for (j, &budget) in budgets.iter().enumerate() {
            if !((0.0..=1e60).contains(&budget) && top.total_lower <= budget && budget <= most) {
                check(j)?;
            }
        }
        let mut problems: Vec<Checked<'_>> = Vec::with_capacity(budgets.len());
        for &j in rising {
            if problems.last().is_none_or(|last| last.budget < budgets[j]) {
                problems.push(top.on_budget(budgets[j]));
            }
        }
        Ok(problems)
    }

    fn change(
        &self,
        arm: usize,
        change: &'static str,
        budget: f64,
        between: (f64, f64),
        exact: bool,
    ) -> FrontierChange {
        let name = self.curves.names().map(|names| names[arm].clone());
        FrontierChange { arm, name, change, budget: budget.clamp(between.0, between.1), between, exact }
    }

    /// What an arm does whose spend moves from one number to another, between two budgets.
    fn moves(
        &self,
        arm: usize,
        (below, above): (f64, f64),
        before: f64,
        after: f64,
    ) -> impl Iterator<Item = &'static str> {
        /// Share of the budget that is as good as none.
        const NOTHING: f64 = 1e-9;
        let (lower, upper) = (self.lower.at(arm), self.upper.at(arm));
        let upper = upper.min(self.curves.set.arm(arm).domain().1);
        let stands = |x: f64, budget: f64| (x - lower <= NOTHING * budget, upper - x <= NOTHING * budget);
        let ((low, high), (later_low, later_high)) = (stands(before, below), stands(after, above));
        let fixed = lower >= upper;
        [
            ("frees", high && !later_high),
            ("leaves", !low && later_low),
            ("enters", low && !later_low),
            ("saturates", !high && later_high),
        ]
        .into_iter()
        .filter_map(move |(change, happens)| (happens && !fixed).then_some(change))
    }
}

/// An error about the budget, as one about budget j.
fn at(error: Error, j: usize) -> Error {
    let named = |field: String| if field == "budget" { format!("budgets[{j}]") } else { field };
    match error {
        Error::NotFinite { field, value } => Error::NotFinite { field: named(field), value },
        Error::OutOfDomain { field, expected, value } => {
            Error::OutOfDomain { field: named(field), expected, value }
        }
        other => other,
    }
}

/// The positions of the budgets, the smallest first.
fn rising(budgets: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..budgets.len()).collect();
    order.sort_by(|&a, &b| budgets[a].total_cmp(&budgets[b]));
    order
}

/// Where each budget stands among the different ones.
fn positions(budgets: &[f64], problems: &[Checked<'_>]) -> Vec<usize> {
    budgets.iter().map(|&budget| problems.partition_point(|problem| problem.budget < budget)).collect()
}

fn by_budget(changes: &mut [FrontierChange]) {
    changes.sort_by(|a, b| a.budget.total_cmp(&b.budget).then(a.arm.cmp(&b.arm)));
}

/// The changes along a sweep.
struct Changes<'s> {
    problem: &'s Problem,
    checked: &'s [Checked<'s>],
    sweep: &'s Sweep,
}

impl Changes<'_> {
    fn all(&self) -> Vec<FrontierChange> {
        match &self.sweep.sheet {
            Some(sheet) => self.by_price(sheet),
            None => self.by_rows(),
        }
    }

    fn between(&self, j: usize) -> (f64, f64) {
        (self.checked[j].budget, self.checked[j + 1].budget)
    }

    /// Concave arms: each bound has its price, and the price of budget falls past it once.
    fn by_price(&self, sheet: &sweep::Sheet) -> Vec<FrontierChange> {
        let (rows, Some(top)) = (&self.sweep.rows, self.checked.last()) else { return Vec::new() };
        let (first, last) = (rows[0].price, rows[rows.len() - 1].price);
        let mut found: Vec<(usize, &'static str, f64)> = Vec::new();
        let mut passed = |arm: usize, change: &'static str, price: f64| {
            if last < price && price < first {
                found.push((arm, change, price));
            }
        };
        for arm in 0..top.len() {
            let (lower, upper) = (top.lower(arm), top.upper(arm));
            if lower < upper {
                let price = |x: f64| top.weight(arm) * top.arm(arm).slope(x);
                passed(arm, "enters", price(lower));
                if upper.is_finite() {
                    passed(arm, "saturates", price(upper));
                }
            }
        }
        // A pass for each change, as long as they do not cost more than the sweep.
        let exact = found.len() <= rows.len() / 4 + 8;
        let change = |(arm, change, price): (usize, &'static str, f64)| {
            let j = rows.partition_point(|row| row.price > price).clamp(1, rows.len() - 1) - 1;
            let between = self.between(j);
            let budget =
                if exact { sheet.total_at(top, price) } else { interpolate(between, &rows[j..], price) };
            self.problem.change(arm, change, budget, between, exact)
        };
        found.into_iter().map(change).collect()
    }

    /// Any arms: what differs from row to row.
    fn by_rows(&self) -> Vec<FrontierChange> {
        let n = self.problem.curves.len();
        let (rows, mut changes) = (&self.sweep.rows, Vec::new());
        for j in 0..rows.len().saturating_sub(1) {
            let between = self.between(j);
            let (before, after) = self.sweep.spend[j * n..(j + 2) * n].split_at(n);
            for arm in 0..n {
                for change in self.problem.moves(arm, between, before[arm], after[arm]) {
                    // An arm enters near the budget at which the price is that of its jump.
                    let price = self.checked[j + 1].jump(arm).0;
                    let inside = rows[j + 1].price < price && price < rows[j].price && change == "enters";
                    let budget = if inside {
                        interpolate(between, &rows[j..], price)
                    } else {
                        0.5 * (between.0 + between.1)
                    };
                    changes.push(self.problem.change(arm, change, budget, between, false));
                }
            }
        }
        changes
    }
}

/// The budget at a price between the first two rows: the cubic through them in λ^{−1/2}, or the line where a slope is unknown.
fn interpolate((below, above): (f64, f64), rows: &[Row], price: f64) -> f64 {
    let t = |price: f64| 1.0 / price.sqrt();
    let (t0, t1, at) = (t(rows[0].price), t(rows[1].price), t(price));
    let share = (at - t0) / (t1 - t0);
    let share = if share.is_finite() { share } else { 0.5 };
    let rest = 1.0 - share;
    // dB/dt = −2/t · dB/d ln λ.
    let (d0, d1) = (-2.0 * rows[0].rate / t0 * (t1 - t0), -2.0 * rows[1].rate / t1 * (t1 - t0));
    let line = rest * below + share * above;
    let cubic = rest * rest * ((1.0 + 2.0 * share) * below + share * d0)
        + share * share * ((1.0 + 2.0 * rest) * above - rest * d1);
    let known = rows[0].rate < 0.0 && rows[1].rate < 0.0;
    if known && below <= cubic && cubic <= above { cubic } else { line }
}
