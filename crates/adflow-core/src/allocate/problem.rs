//! The question: curves, a budget, limits.

use std::sync::Arc;
use std::time::Duration;

use super::branch::{self, Found};
use super::coupling::Coupling;
use super::demand::Workspace;
use super::goal::{Extrapolation, Objective, Risk, Target};
use super::group::Group;
use super::plan::Plan;
use crate::clock::{Clock, NoClock};
use crate::curve::ResponseCurves;
use crate::curve::column::Column;
use crate::error::{Error, Result};

/// A budget allocation problem:
///
/// ```text
/// maximise   Σ v_i f_i(x_i)
/// subject to Σ x_i ≤ B        (= B with spend_all)
///            x_i ∈ [l_i, u_i]  or  {0} ∪ [a_i, u_i]
/// ```
///
/// | setting | default | meaning | domain |
/// | --- | --- | --- | --- |
/// | [`budget`](Self::budget) | none | B (money) | 0 to 1e60 |
/// | [`spend_all`](Self::spend_all) | false | the whole budget must be spent | |
/// | [`lower`](Self::lower) | 0 | l (money) | 0 to 1e60 |
/// | [`upper`](Self::upper) | none | u (money) | 0 to 1e60, +∞ for none |
/// | [`active_lower`](Self::active_lower) | none | a: the arm spends nothing, or at least this (money) | 0 (none) to 1e60 |
/// | [`value`](Self::value) | 1 | v: what a unit of response is worth | 0 to 1e60 |
/// | [`current`](Self::current) | none | the spends of today, for [`Plan::explain`](crate::Plan::explain) (money) | the curve's |
/// | [`objective`](Self::objective) | response | what is maximised: response, profit, or the least spend | |
/// | [`target`](Self::target) | none | a response, ROAS, CPA or marginal ROAS to reach | see [`Target`] |
/// | [`groups`](Self::groups) | none | limits on what several arms spend together | see [`Group`] |
/// | [`coupling`](Self::coupling) | none | rows A x ≤ b | see [`Coupling`] |
/// | [`activation_cost`](Self::activation_cost) | 0 | what an arm that spends at all costs (objective) | 0 to 1e60 |
/// | [`max_active`](Self::max_active) | none | most arms that spend at all | |
/// | [`max_change`](Self::max_change) | none | most that a spend may move from `current`, as a share of it | ≥ 0 |
/// | [`max_change_amount`](Self::max_change_amount) | none | most that a spend may move from `current` (money) | ≥ 0, +∞ for none |
/// | [`max_moves`](Self::max_moves) | none | most arms whose spend differs from `current` | |
/// | [`move_cost`](Self::move_cost) | 0 | what moving a unit of money costs (objective per money) | 0 to 1e60 |
/// | [`step`](Self::step) | 0 | every spend is a whole multiple of this (money); 0 for any spend | 0 to 1e60 |
/// | [`risk`](Self::risk) | none | a measure of the outcomes over draws in place of their mean | see [`Risk`] |
/// | [`extrapolation`](Self::extrapolation) | none | a cap or a price beyond the observed spends | see [`Extrapolation`] |
/// | [`tolerance`](Self::tolerance) | 1e-6 | largest relative gap called optimal; concave problems reach 1e-12 anyway | 1e-15 to 1 |
/// | [`time_limit`](Self::time_limit) | none | seconds after which the best plan so far is returned with its true gap | ≥ 0 |
///
/// The same input gives the same bits, on any machine and any number of threads.
///
/// # Examples
/// ```
/// use adflow_core::{Problem, ResponseCurves, Status};
///
/// let curves = ResponseCurves::hill([120.0, 80.0, 60.0], [5.0, 9.0, 4.0], [2.0, 1.5, 0.8])?;
/// let plan = Problem::new(curves).budget(20.0).solve()?;
/// assert_eq!(plan.status, Status::Optimal);
/// assert!(plan.gap <= 1e-6 && plan.verify().ok);
/// # Ok::<(), adflow_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    pub(crate) curves: ResponseCurves,
    pub(crate) budget: Option<f64>,
    pub(crate) spend_all: bool,
    pub(crate) lower: Column,
    pub(crate) upper: Column,
    pub(crate) active_lower: Column,
    pub(crate) value: Column,
    pub(crate) current: Option<Vec<f64>>,
    pub(crate) objective: Objective,
    pub(crate) target: Option<Target>,
    pub(crate) groups: Vec<Group>,
    pub(crate) coupling: Coupling,
    /// 0 where there is none.
    pub(crate) activation_cost: Column,
    pub(crate) max_active: Option<usize>,
    /// +∞ where there is none.
    pub(crate) max_change: Column,
    /// +∞ where there is none.
    pub(crate) max_change_amount: Column,
    pub(crate) max_moves: Option<usize>,
    /// 0 where there is none.
    pub(crate) move_cost: Column,
    /// 0 where any spend is allowed.
    pub(crate) step: Column,
    pub(crate) risk: Option<Risk>,
    pub(crate) extrapolation: Option<Extrapolation>,
    pub(crate) tolerance: f64,
    pub(crate) time_limit: Option<f64>,
    pub(crate) threads: usize,
}

/// A limit as given: one number for all arms, or one per arm.
#[derive(Debug, Clone, PartialEq)]
pub struct PerArm(pub(crate) Column);

impl From<f64> for PerArm {
    fn from(value: f64) -> Self {
        Self(Column::Same(value))
    }
}

impl From<Vec<f64>> for PerArm {
    fn from(values: Vec<f64>) -> Self {
        Self(Column::Each(values))
    }
}

impl From<&[f64]> for PerArm {
    fn from(values: &[f64]) -> Self {
        values.to_vec().into()
    }
}

impl From<&Vec<f64>> for PerArm {
    fn from(values: &Vec<f64>) -> Self {
        values.clone().into()
    }
}

impl<const N: usize> From<[f64; N]> for PerArm {
    fn from(values: [f64; N]) -> Self {
        values.to_vec().into()
    }
}

impl Problem {
    /// A problem over these curves, without a budget or limits yet.
    #[must_use]
    pub fn new(curves: ResponseCurves) -> Self {
        Self {
            curves,
            budget: None,
            spend_all: false,
            lower: Column::Same(0.0),
            upper: Column::Same(f64::INFINITY),
            active_lower: Column::Same(0.0),
            value: Column::Same(1.0),
            current: None,
            objective: Objective::Response,
            target: None,
            groups: Vec::new(),
            coupling: Coupling::new(),
            activation_cost: Column::Same(0.0),
            max_active: None,
            max_change: Column::Same(f64::INFINITY),
            max_change_amount: Column::Same(f64::INFINITY),
            max_moves: None,
            move_cost: Column::Same(0.0),
            step: Column::Same(0.0),
            risk: None,
            extrapolation: None,
            tolerance: 1e-6,
            time_limit: None,
            threads: 1,
        }
    }

    /// The total that may be spent (money).
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

    /// Smallest spend per arm (money).
    #[must_use]
    pub fn lower(mut self, lower: impl Into<PerArm>) -> Self {
        self.lower = lower.into().0;
        self
    }

    /// Largest spend per arm (money); +∞ for none.
    #[must_use]
    pub fn upper(mut self, upper: impl Into<PerArm>) -> Self {
        self.upper = upper.into().0;
        self
    }

    /// Smallest spend of an arm that spends at all (money): the arm spends 0, or at least this; 0 for none.
    #[must_use]
    pub fn active_lower(mut self, active_lower: impl Into<PerArm>) -> Self {
        self.active_lower = active_lower.into().0;
        self
    }

    /// What a unit of each arm's response is worth.
    #[must_use]
    pub fn value(mut self, value: impl Into<PerArm>) -> Self {
        self.value = value.into().0;
        self
    }

    /// The spends of today (money), for the before and after of [`Plan::explain`](crate::Plan::explain).
    #[must_use]
    pub fn current(mut self, current: impl Into<Vec<f64>>) -> Self {
        self.current = Some(current.into());
        self
    }

    /// What is maximised.
    #[must_use]
    pub fn objective(mut self, objective: Objective) -> Self {
        self.objective = objective;
        self
    }

    /// What a plan must reach.
    #[must_use]
    pub fn target(mut self, target: Target) -> Self {
        self.target = Some(target);
        self
    }

    /// Limits on what several arms spend together.
    #[must_use]
    pub fn groups(mut self, groups: impl IntoIterator<Item = Group>) -> Self {
        self.groups = groups.into_iter().collect();
        self
    }

    /// Limits A x ≤ b.
    #[must_use]
    pub fn coupling(mut self, coupling: Coupling) -> Self {
        self.coupling = coupling;
        self
    }

    /// What each arm that spends more than 0 costs (objective); 0 for nothing.
    #[must_use]
    pub fn activation_cost(mut self, cost: impl Into<PerArm>) -> Self {
        self.activation_cost = cost.into().0;
        self
    }

    /// Most arms that may spend more than 0.
    #[must_use]
    pub fn max_active(mut self, arms: usize) -> Self {
        self.max_active = Some(arms);
        self
    }

    /// Most that each spend may move from [`current`](Self::current), as a share of it: 0.2 for ±20 %; +∞ for none.
    #[must_use]
    pub fn max_change(mut self, share: impl Into<PerArm>) -> Self {
        self.max_change = share.into().0;
        self
    }

    /// Most that each spend may move from [`current`](Self::current) (money); +∞ for none.
    #[must_use]
    pub fn max_change_amount(mut self, amount: impl Into<PerArm>) -> Self {
        self.max_change_amount = amount.into().0;
        self
    }

    /// Most arms whose spend may differ from [`current`](Self::current).
    #[must_use]
    pub fn max_moves(mut self, arms: usize) -> Self {
        self.max_moves = Some(arms);
        self
    }

    /// What moving one unit of money away from [`current`](Self::current), up or down, costs (objective per money).
    #[must_use]
    pub fn move_cost(mut self, cost: impl Into<PerArm>) -> Self {
        self.move_cost = cost.into().0;
        self
    }

    /// Every spend is a whole multiple of this (money); 0 for any spend.
    #[must_use]
    pub fn step(mut self, step: impl Into<PerArm>) -> Self {
        self.step = step.into().0;
        self
    }

    /// A measure of the outcomes over draws, in place of their mean.
    #[must_use]
    pub fn risk(mut self, risk: Risk) -> Self {
        self.risk = Some(risk);
        self
    }

    /// What happens beyond the largest spend that a curve was fitted on.
    #[must_use]
    pub fn extrapolation(mut self, extrapolation: Extrapolation) -> Self {
        self.extrapolation = Some(extrapolation);
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

    /// Number of threads that passes over many arms may use.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// The curves of the problem.
    #[must_use]
    pub fn curves(&self) -> &ResponseCurves {
        &self.curves
    }

    /// The best plan, with its proof.
    ///
    /// # Errors
    /// [`Error::Infeasible`] where no plan satisfies the limits; the other variants for input outside its domain;
    /// [`Error::OutOfDomain`] for a time limit, which only [`solve_with`](Self::solve_with) can keep.
    pub fn solve(self) -> Result<Plan> {
        if let Some(limit) = self.time_limit {
            let expected = "unset, or the problem solved with a clock (`solve_with`)";
            return Err(Error::out_of_domain("time_limit", expected, limit));
        }
        self.solve_with(&NoClock)
    }

    /// The best plan that can be found before the time limit, or before `clock` interrupts.
    ///
    /// # Errors
    /// As [`solve`](Self::solve). Running out of time is not an error: the plan says
    /// [`Feasible`](crate::Status::Feasible) and carries its true gap.
    pub fn solve_with(self, clock: &dyn Clock) -> Result<Plan> {
        self.check_arms()?;
        let problem = Arc::new(self);
        // A limit too long for a `Duration` is no limit.
        let limit = problem.time_limit.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let stop = || clock.interrupted() || limit.is_some_and(|limit| clock.elapsed() >= limit);
        if !problem.is_one_budget() {
            return super::general::solve(&problem, clock, &stop);
        }
        let mut work = Workspace::default();
        let checked = problem.check_budget(problem.budget, 0..problem.curves.len(), || "budget".into())?;
        let found = branch::best(&checked, &mut work, problem.tolerance, problem.threads, &stop);
        let found = found.map_err(|error| super::conflict::reduced(&problem, error))?;
        let Found { shadow_price, worth, upper_bound, proof, iterations } = found;
        let spend = std::mem::take(&mut work.spend);
        let response = std::mem::take(&mut work.response);
        let marginal_response = std::mem::take(&mut work.marginal);
        let gap = super::plan::gap(worth.value, upper_bound);
        Ok(Plan {
            total_spend: worth.total_spend,
            total_response: worth.total_response,
            spend,
            response,
            marginal_response,
            objective_value: worth.value,
            upper_bound,
            gap,
            shadow_price,
            status: super::plan::Status::of(gap, problem.tolerance),
            limits: Vec::new(),
            rounding_loss: None,
            fingerprint: 0,
            proof,
            iterations,
            elapsed: clock.elapsed(),
            problem,
        })
    }
}
