//! Arms × periods with carry-over: what is spent when.

mod barrier;
mod between;
mod cell;
mod conflict;
mod dense;
mod grid;
mod json;
mod layout;
mod linear;
mod plan;
mod proof;
mod relax;
mod search;
mod verify;

use std::sync::Arc;
use std::time::Duration;

pub use grid::{PerCell, PerPeriod};
pub use plan::SchedulePlan;
pub use proof::{ScheduleNode, ScheduleProof};

use super::problem::PerArm;
use crate::clock::{Clock, NoClock};
use crate::curve::ResponseCurves;
use crate::curve::carry_over::Adstock;
use crate::curve::column::Column;
use crate::error::{Error, Result};
use grid::Grid;

/// Spends of n arms in T periods, of which a part still works in later periods:
///
/// ```text
/// maximise   Σ_i Σ_t v_i f_i(a_it),   a_it = Σ_l w_i[l] x_{i,t−l}      t < T, and with `tail` until nothing is left
/// subject to Σ_it x_it ≤ B                                             (= B with spend_all)
///            period_lower_t ≤ Σ_i x_it ≤ period_upper_t,   arm_lower_i ≤ Σ_t x_it ≤ arm_upper_i
///            x_it ∈ [l_it, u_it]  or  {0} ∪ [active_lower_it, u_it]
/// ```
///
/// x before the window is `carry_in`, after it 0. The curves' spends are adstocked spends (money).
///
/// | setting | default | meaning | domain |
/// | --- | --- | --- | --- |
/// | [`budget`](Self::budget) | none | B: the total of all arms and periods (money) | 0 to 1e60 |
/// | [`spend_all`](Self::spend_all) | false | the whole budget must be spent | |
/// | [`carry_in`](Self::carry_in) | none | spends before the window, one row of arms per period, oldest first (money) | 0 to 1e60 |
/// | [`tail`](Self::tail) | false | whether the response after the window counts: `max_lag − 1` periods, or T − 1 where the kernel is endless | |
/// | [`period_lower`](Self::period_lower), [`period_upper`](Self::period_upper) | none | what all arms spend in a period (money) | 0 to 1e60, +∞ for none |
/// | [`arm_lower`](Self::arm_lower), [`arm_upper`](Self::arm_upper) | none | what an arm spends in all periods (money) | 0 to 1e60, +∞ for none |
/// | [`lower`](Self::lower), [`upper`](Self::upper) | 0, none | l, u: equal for a week that is booked, u = 0 for one that is blacked out (money) | 0 to 1e60, +∞ for none |
/// | [`active_lower`](Self::active_lower) | none | the arm spends nothing in a period, or at least this (money) | 0 (none) to 1e60 |
/// | [`constant`](Self::constant) | false | every arm spends the same in all periods | |
/// | [`value`](Self::value) | 1 | v: what a unit of response is worth | 0 to 1e60 |
/// | [`tolerance`](Self::tolerance) | 1e-6 | largest relative gap called optimal | 1e-15 to 1 |
/// | [`time_limit`](Self::time_limit) | none | seconds after which the best plan so far is returned with its true gap | ≥ 0 |
///
/// A schedule of concave curves is solved to its tolerance. S-shaped curves and minimum spends are searched within a
/// fixed amount of work; the gap says what may be left.
///
/// # Examples
/// ```
/// use adflow_core::{Adstock, ResponseCurves, Schedule};
///
/// let curves = ResponseCurves::michaelis_menten([120.0, 80.0], [5.0, 9.0])?;
/// let plan = Schedule::new(curves, Adstock::geometric([0.5, 0.8], None, false), 4).budget(40.0).solve()?;
/// assert!(plan.gap <= 1e-6 && plan.verify().ok);
/// // The last spends have the least time to work.
/// assert!(plan.spend[0] > plan.spend[6]);
/// # Ok::<(), adflow_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    pub(crate) curves: ResponseCurves,
    pub(crate) adstock: Adstock,
    pub(crate) periods: usize,
    pub(crate) budget: Option<f64>,
    pub(crate) spend_all: bool,
    pub(crate) carry_in: Vec<Vec<f64>>,
    pub(crate) tail: bool,
    pub(crate) period_lower: Column,
    pub(crate) period_upper: Column,
    pub(crate) arm_lower: Column,
    pub(crate) arm_upper: Column,
    pub(crate) lower: Grid,
    pub(crate) upper: Grid,
    pub(crate) active_lower: Grid,
    pub(crate) value: Column,
    pub(crate) constant: bool,
    pub(crate) tolerance: f64,
    pub(crate) time_limit: Option<f64>,
}

impl Schedule {
    /// A schedule of these arms over `periods` periods, without a budget or limits yet.
    #[must_use]
    pub fn new(curves: ResponseCurves, adstock: Adstock, periods: usize) -> Self {
        let same = |value: f64| Grid::Arms(Column::Same(value));
        Self {
            curves,
            adstock,
            periods,
            budget: None,
            spend_all: false,
            carry_in: Vec::new(),
            tail: false,
            period_lower: Column::Same(0.0),
            period_upper: Column::Same(f64::INFINITY),
            arm_lower: Column::Same(0.0),
            arm_upper: Column::Same(f64::INFINITY),
            lower: same(0.0),
            upper: same(f64::INFINITY),
            active_lower: same(0.0),
            value: Column::Same(1.0),
            constant: false,
            tolerance: 1e-6,
            time_limit: None,
        }
    }

    /// The total that all arms may spend in all periods (money).
    #[must_use]
    pub fn budget(mut self, budget: f64) -> Self {
        self.budget = Some(budget);
        self
    }

    /// Whether the whole budget must be spent.
    #[must_use]
    pub fn spend_all(mut self, spend_all: bool) -> Self {
        self.spend_all = spend_all;
        self
    }

    /// Spends before the window, one row of arms per period, oldest first (money).
    #[must_use]
    pub fn carry_in(mut self, rows: impl IntoIterator<Item = impl Into<Vec<f64>>>) -> Self {
        self.carry_in = rows.into_iter().map(Into::into).collect();
        self
    }

    /// Whether the response after the window counts.
    #[must_use]
    pub fn tail(mut self, tail: bool) -> Self {
        self.tail = tail;
        self
    }

    /// Least that all arms together spend in a period (money).
    #[must_use]
    pub fn period_lower(mut self, lower: impl Into<PerPeriod>) -> Self {
        self.period_lower = lower.into().0;
        self
    }

    /// Most that all arms together spend in a period (money); +∞ for no limit.
    #[must_use]
    pub fn period_upper(mut self, upper: impl Into<PerPeriod>) -> Self {
        self.period_upper = upper.into().0;
        self
    }

    /// Least that an arm spends in all periods together (money).
    #[must_use]
    pub fn arm_lower(mut self, lower: impl Into<PerArm>) -> Self {
        self.arm_lower = lower.into().0;
        self
    }

    /// Most that an arm spends in all periods together (money); +∞ for no limit.
    #[must_use]
    pub fn arm_upper(mut self, upper: impl Into<PerArm>) -> Self {
        self.arm_upper = upper.into().0;
        self
    }

    /// Smallest spend per arm, or per period and arm (money).
    #[must_use]
    pub fn lower(mut self, lower: impl Into<PerCell>) -> Self {
        self.lower = lower.into().0;
        self
    }

    /// Largest spend per arm, or per period and arm (money); +∞ for none, 0 for a period without this arm.
    #[must_use]
    pub fn upper(mut self, upper: impl Into<PerCell>) -> Self {
        self.upper = upper.into().0;
        self
    }

    /// Smallest spend of an arm in a period in which it spends at all (money); 0 for none.
    #[must_use]
    pub fn active_lower(mut self, active_lower: impl Into<PerCell>) -> Self {
        self.active_lower = active_lower.into().0;
        self
    }

    /// Whether every arm spends the same in all periods.
    #[must_use]
    pub fn constant(mut self, constant: bool) -> Self {
        self.constant = constant;
        self
    }

    /// What a unit of each arm's response is worth.
    #[must_use]
    pub fn value(mut self, value: impl Into<PerArm>) -> Self {
        self.value = value.into().0;
        self
    }

    /// Names the arms, in place of the names that the curves carry.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] and [`Error::DuplicateName`].
    pub fn names(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Result<Self> {
        self.curves = self.curves.with_names(names)?;
        Ok(self)
    }

    /// Largest relative gap that is called optimal.
    #[must_use]
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Seconds after which the best plan so far is returned, with its true gap.
    #[must_use]
    pub fn time_limit(mut self, seconds: f64) -> Self {
        self.time_limit = Some(seconds);
        self
    }

    /// The curves of the schedule.
    #[must_use]
    pub fn curves(&self) -> &ResponseCurves {
        &self.curves
    }

    /// Number of periods in the window.
    #[must_use]
    pub fn periods(&self) -> usize {
        self.periods
    }

    /// The best plan, with its proof.
    ///
    /// # Errors
    /// [`Error::Infeasible`] where no plan satisfies the limits; the other variants for input outside its domain;
    /// [`Error::OutOfDomain`] for a time limit, which only [`solve_with`](Self::solve_with) can keep.
    pub fn solve(self) -> Result<SchedulePlan> {
        if let Some(limit) = self.time_limit {
            let expected = "unset, or the schedule solved with a clock (`solve_with`)";
            return Err(Error::out_of_domain("time_limit", expected, limit));
        }
        self.solve_with(&NoClock)
    }

    /// The best plan that can be found before the time limit, or before `clock` interrupts.
    ///
    /// # Errors
    /// As [`solve`](Self::solve). Running out of time is not an error: the plan says
    /// [`Feasible`](crate::Status::Feasible) and carries its true gap; [`Error::OutOfDomain`] where not even a plan that keeps
    /// all limits was found by then.
    pub fn solve_with(self, clock: &dyn Clock) -> Result<SchedulePlan> {
        self.check()?;
        let schedule = Arc::new(self);
        if let Some(conflict) = conflict::explain(&schedule) {
            return Err(conflict);
        }
        let limit = schedule.time_limit.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let stop = || clock.interrupted() || limit.is_some_and(|limit| clock.elapsed() >= limit);
        let layout = layout::Layout::new(&schedule)?;
        let found = search::run(&layout, schedule.tolerance, &stop);
        let Some(plan) = plan::assemble(&schedule, &layout, found, clock) else {
            return Err(conflict::undecided(&schedule));
        };
        Ok(plan)
    }
}
