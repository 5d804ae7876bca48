//! `schedule`: what is spent when.

use adflow_core as core;
use pyo3::prelude::*;

use crate::adstock::Adstock;
use crate::arguments::{
    Given, at_least_one, names as read_names, number, per_arm, per_cell, per_period, rows_of_arms,
};
use crate::curves::ResponseCurves;
use crate::error::Result;
use crate::interrupt::{self, Progress};
use plan::SchedulePlan;

pub(crate) mod plan;

/// Splits a budget over arms and periods, where a part of each spend still works in later periods.
///
/// ```text
/// maximise   Σ_i Σ_t value_i · response_i(a_it),   a_it = Σ_l w_i[l] · spend[t − l, i]
/// subject to Σ spend ≤ budget                      (= budget with spend_all)
///            period_lower ≤ Σ_i spend[t, i] ≤ period_upper     of every period t
///            arm_lower ≤ Σ_t spend[t, i] ≤ arm_upper           of every arm i
///            lower ≤ spend ≤ upper, or spend = 0 or ≥ active_lower
/// ```
///
/// The curves' spends are adstocked spends: spend before the window is `carry_in`, after it 0.
///
/// Parameters
/// ----------
/// curves : ResponseCurves
///     What an adstocked spend on each of the n arms brings in a period.
/// adstock : Adstock
///     How much of a period's spend still works later.
/// periods : int
///     Number of periods T.
/// budget : float, optional
///     The total of all arms and periods. None: no limit on the total.
/// carry_in : (s, n) array-like, optional
///     Spends of the s periods before the window, oldest first.
/// tail : bool
///     Whether the response after the window counts: until nothing is left of a kernel that ends, T − 1 periods of one
///     that does not.
/// period_lower, period_upper : float or (T,) array-like, optional
///     Least and most that all arms together spend in a period; None, also in a list, for no limit.
/// lower : float, (n,) or (T, n) array-like
///     Smallest spend of each arm in a period.
/// upper : float, (n,) or (T, n) array-like, optional
///     Largest spend of each arm in a period; None, also in a list, for no bound; 0 for a period without the arm. Equal
///     to `lower` for what is booked.
/// active_lower : float, (n,) or (T, n) array-like, optional
///     Smallest spend of an arm in a period in which it spends at all.
/// arm_lower, arm_upper : float or (n,) array-like, optional
///     Least and most that each arm spends in all periods together.
/// constant : bool
///     Whether every arm spends the same in all periods.
/// value : float or (n,) array-like
///     What one unit of each arm's response is worth.
/// names : list of str, optional
///     Names of the arms, in place of the curves' own.
/// spend_all : bool
///     Whether the whole budget must be spent.
/// tolerance : float
///     Largest relative gap that is called optimal.
/// time_limit : float, optional
///     Seconds after which the best plan so far is returned, with status "feasible" and its true gap.
/// progress : callable or bool, optional
///     As for `allocate`.
///
/// Returns
/// -------
/// SchedulePlan
///     The plan and its proof.
///
/// Raises
/// ------
/// InfeasibleError
///     No plan satisfies the limits; `conflict`, `feasible_budget` and `nearest` say why and what could be.
/// InvalidInputError
///     An argument outside its domain; the message names it.
///
/// Notes
/// -----
/// A schedule of concave curves is solved to its tolerance. S-shaped curves and minimum spends are searched within a
/// fixed amount of work: the gap says what may be left. Other Python threads run during the solve, and Ctrl-C ends it.
///
/// Examples
/// --------
/// >>> import adflow
/// >>> curves = adflow.ResponseCurves.michaelis_menten([120.0, 80.0], [5.0, 9.0])
/// >>> plan = adflow.schedule(curves, adflow.Adstock.geometric([0.5, 0.8], max_lag=6), periods=4, budget=40.0)
/// >>> plan.spend.shape, plan.status, plan.verify().ok
/// ((4, 2), 'optimal', True)
#[pyfunction]
#[pyo3(
    signature = (curves, adstock, periods, budget=None, *, carry_in=None, tail=true, period_lower=None, period_upper=None, lower=None, upper=None, active_lower=None, arm_lower=None, arm_upper=None, constant=false, value=None, names=None, spend_all=false, tolerance=None, time_limit=None, progress=None),
    text_signature = "(curves, adstock, periods, budget=None, *, carry_in=None, tail=True, period_lower=None, period_upper=None, lower=0.0, upper=None, active_lower=None, arm_lower=None, arm_upper=None, constant=False, value=1.0, names=None, spend_all=False, tolerance=1e-06, time_limit=None, progress=None)"
)]
#[allow(clippy::too_many_arguments, reason = "keyword arguments")]
pub(crate) fn schedule(
    py: Python<'_>,
    curves: &Bound<'_, ResponseCurves>,
    adstock: &Bound<'_, Adstock>,
    periods: i64,
    budget: Given<'_>,
    carry_in: Given<'_>,
    tail: bool,
    period_lower: Given<'_>,
    period_upper: Given<'_>,
    lower: Given<'_>,
    upper: Given<'_>,
    active_lower: Given<'_>,
    arm_lower: Given<'_>,
    arm_upper: Given<'_>,
    constant: bool,
    value: Given<'_>,
    names: Given<'_>,
    spend_all: bool,
    tolerance: Given<'_>,
    time_limit: Given<'_>,
    progress: Given<'_>,
) -> Result<SchedulePlan> {
    const NO_LIMIT: f64 = f64::INFINITY;
    let periods = at_least_one("periods", periods)?;
    let mut schedule = core::Schedule::new(curves.get().0.clone(), adstock.get().core.clone(), periods)
        .tail(tail)
        .constant(constant)
        .spend_all(spend_all);
    if let Some(budget) = budget {
        schedule = schedule.budget(number("budget", &budget)?);
    }
    if let Some(rows) = carry_in {
        schedule = schedule.carry_in(rows_of_arms("carry_in", &rows)?);
    }
    if let Some(limit) = period_lower {
        schedule = schedule.period_lower(per_period("period_lower", &limit, 0.0)?);
    }
    if let Some(limit) = period_upper {
        schedule = schedule.period_upper(per_period("period_upper", &limit, NO_LIMIT)?);
    }
    if let Some(limit) = lower {
        schedule = schedule.lower(per_cell("lower", &limit, 0.0)?);
    }
    if let Some(limit) = upper {
        schedule = schedule.upper(per_cell("upper", &limit, NO_LIMIT)?);
    }
    if let Some(limit) = active_lower {
        schedule = schedule.active_lower(per_cell("active_lower", &limit, 0.0)?);
    }
    if let Some(limit) = arm_lower {
        schedule = schedule.arm_lower(per_arm("arm_lower", &limit, Some(0.0))?);
    }
    if let Some(limit) = arm_upper {
        schedule = schedule.arm_upper(per_arm("arm_upper", &limit, Some(NO_LIMIT))?);
    }
    if let Some(value) = value {
        schedule = schedule.value(per_arm("value", &value, None)?);
    }
    if let Some(names) = names {
        schedule = schedule.names(read_names("names", &names)?)?;
    }
    if let Some(tolerance) = tolerance {
        schedule = schedule.tolerance(number("tolerance", &tolerance)?);
    }
    let seconds = time_limit.map(|seconds| number("time_limit", &seconds)).transpose()?;
    if let Some(seconds) = seconds {
        schedule = schedule.time_limit(seconds);
    }
    let progress = Progress::read(progress.as_ref(), seconds)?;
    let plan = interrupt::here(py, &progress, |watch| schedule.solve_with(watch))??;
    Ok(SchedulePlan::new(plan))
}
