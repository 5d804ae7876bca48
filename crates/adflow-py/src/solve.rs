//! `allocate` and `allocate_batch`.

use std::thread;

use adflow_core::Problem;
use pyo3::prelude::*;

use crate::arguments::{Given, at_least_one, column, counts, names, number, per_arm};
use crate::batch::Batch;
use crate::curves::ResponseCurves;
use crate::error::Result;
use crate::interrupt;
use crate::plan::Plan;

/// Arms from which threads pay; asking how many there are takes longer than a small solve.
const MANY_ARMS: usize = 4096;

/// Splits a budget over arms so that the total response is as large as it can be.
///
/// ```text
/// maximise   Σ value · response(spend)
/// subject to Σ spend ≤ budget        (= budget with spend_all)
///            lower ≤ spend ≤ upper, or spend = 0 or ≥ active_lower
/// ```
///
/// Parameters
/// ----------
/// curves : ResponseCurves
///     What a spend on each of the n arms brings.
/// budget : float, optional
///     The total that may be spent. None: no limit on the total; then every arm needs an upper bound.
/// lower : float or (n,) array-like
///     Smallest spend of each arm.
/// upper : float or (n,) array-like, optional
///     Largest spend of each arm; None, also in a list, for no bound.
/// active_lower : float or (n,) array-like, optional
///     Smallest spend of an arm that spends at all: the arm spends 0, or at least this. Needs `lower` 0.
/// value : float or (n,) array-like
///     What one unit of each arm's response is worth.
/// current : (n,) array-like, optional
///     The spends of today, for the before and after of the plan.
/// names : list of str, optional
///     Names of the arms, in place of the curves' own.
/// spend_all : bool
///     Whether the whole budget must be spent.
/// tolerance : float
///     Largest relative gap that is called optimal.
/// time_limit : float, optional
///     Seconds after which the best plan so far is returned, with status "feasible" and its true gap.
/// threads : int, optional
///     Most threads to use; all by default. The result is the same for any number.
///
/// Returns
/// -------
/// Plan
///     The plan and its proof.
///
/// Raises
/// ------
/// InfeasibleError
///     No plan satisfies the limits; `conflict` and `feasible_budget` say why and what could be.
/// InvalidInputError
///     An argument outside its domain; the message names it.
///
/// Notes
/// -----
/// Other Python threads run during the solve, and Ctrl-C ends it.
///
/// Examples
/// --------
/// >>> import adflow
/// >>> curves = adflow.ResponseCurves.hill([120.0, 80.0, 60.0], [5.0, 9.0, 4.0], [2.0, 1.5, 0.8])
/// >>> plan = adflow.allocate(curves, budget=20.0, upper=[8.0, None, None])
/// >>> plan.status, plan.verify().ok
/// ('optimal', True)
#[pyfunction]
#[pyo3(
    signature = (curves, budget=None, *, lower=None, upper=None, active_lower=None, value=None, current=None, names=None, spend_all=false, tolerance=None, time_limit=None, threads=None),
    text_signature = "(curves, budget=None, *, lower=0.0, upper=None, active_lower=None, value=1.0, current=None, names=None, spend_all=False, tolerance=1e-06, time_limit=None, threads=None)"
)]
#[allow(clippy::too_many_arguments, reason = "keyword arguments")]
pub(crate) fn allocate(
    py: Python<'_>,
    curves: &Bound<'_, ResponseCurves>,
    budget: Given<'_>,
    lower: Given<'_>,
    upper: Given<'_>,
    active_lower: Given<'_>,
    value: Given<'_>,
    current: Given<'_>,
    names: Given<'_>,
    spend_all: bool,
    tolerance: Given<'_>,
    time_limit: Given<'_>,
    threads: Option<i64>,
) -> Result<Plan> {
    let settings =
        Settings { lower, upper, active_lower, value, current, names, spend_all, tolerance, time_limit };
    let (mut problem, current) = settings.problem(curves)?;
    if let Some(budget) = budget {
        problem = problem.budget(number("budget", &budget)?);
    }
    let threads = threads_for(problem.curves().len(), threads)?;
    let problem = problem.threads(threads);
    let plan = interrupt::here(py, |watch| problem.solve_with(watch))??;
    Ok(Plan::new(plan, current))
}

/// Solves many independent problems in one call: problem j owns the arms `offsets[j]:offsets[j + 1]`.
///
/// Each plan is the same, to the last bit, as that of `allocate` for its problem alone.
///
/// Parameters
/// ----------
/// curves : ResponseCurves
///     The arms of all problems, one problem after the other.
/// offsets : (k + 1,) array-like of int
///     Where each problem's arms begin; the last is the number of arms.
/// budgets : (k,) array-like
///     Budget of each problem.
/// lower, upper, active_lower, value, current, names, spend_all, tolerance, threads
///     As for `allocate`, over all arms.
/// time_limit : float, optional
///     Seconds for all problems together.
///
/// Returns
/// -------
/// Batch
///     Columns over arms and over problems.
///
/// Raises
/// ------
/// AdflowError
///     As for `allocate`; the message names the problem (`budgets[7]`).
#[pyfunction]
#[pyo3(
    signature = (curves, offsets, budgets, *, lower=None, upper=None, active_lower=None, value=None, current=None, names=None, spend_all=false, tolerance=None, time_limit=None, threads=None),
    text_signature = "(curves, offsets, budgets, *, lower=0.0, upper=None, active_lower=None, value=1.0, current=None, names=None, spend_all=False, tolerance=1e-06, time_limit=None, threads=None)"
)]
#[allow(clippy::too_many_arguments, reason = "keyword arguments")]
pub(crate) fn allocate_batch(
    py: Python<'_>,
    curves: &Bound<'_, ResponseCurves>,
    offsets: &Bound<'_, PyAny>,
    budgets: &Bound<'_, PyAny>,
    lower: Given<'_>,
    upper: Given<'_>,
    active_lower: Given<'_>,
    value: Given<'_>,
    current: Given<'_>,
    names: Given<'_>,
    spend_all: bool,
    tolerance: Given<'_>,
    time_limit: Given<'_>,
    threads: Option<i64>,
) -> Result<Batch> {
    let settings =
        Settings { lower, upper, active_lower, value, current, names, spend_all, tolerance, time_limit };
    let (problem, _) = settings.problem(curves)?;
    let offsets = counts("offsets", offsets)?;
    let budgets = column("budgets", budgets)?;
    let threads = threads_for(problem.curves().len(), threads)?;
    let problem = problem.threads(threads);
    let solve = |watch: &interrupt::Watch| problem.solve_batch_with(&offsets, &budgets, watch);
    let batch = if threads > 1 { interrupt::beside(py, solve)?? } else { interrupt::here(py, solve)?? };
    Ok(Batch::new(batch))
}

/// What `allocate` and `allocate_batch` share.
struct Settings<'py> {
    lower: Given<'py>,
    upper: Given<'py>,
    active_lower: Given<'py>,
    value: Given<'py>,
    current: Given<'py>,
    names: Given<'py>,
    spend_all: bool,
    tolerance: Given<'py>,
    time_limit: Given<'py>,
}

impl Settings<'_> {
    /// The problem, still without its budget, and the current spends.
    fn problem(self, curves: &Bound<'_, ResponseCurves>) -> Result<(Problem, Option<Vec<f64>>)> {
        let mut problem = Problem::new(curves.get().0.clone()).spend_all(self.spend_all);
        if let Some(lower) = self.lower {
            problem = problem.lower(per_arm("lower", &lower, None)?);
        }
        if let Some(upper) = self.upper {
            problem = problem.upper(per_arm("upper", &upper, Some(f64::INFINITY))?);
        }
        if let Some(active_lower) = self.active_lower {
            problem = problem.active_lower(per_arm("active_lower", &active_lower, Some(0.0))?);
        }
        if let Some(value) = self.value {
            problem = problem.value(per_arm("value", &value, None)?);
        }
        let current = self.current.map(|current| column("current", &current)).transpose()?;
        if let Some(current) = &current {
            problem = problem.current(current.as_slice());
        }
        if let Some(given) = self.names {
            problem = problem.names(names("names", &given)?)?;
        }
        if let Some(tolerance) = self.tolerance {
            problem = problem.tolerance(number("tolerance", &tolerance)?);
        }
        if let Some(time_limit) = self.time_limit {
            problem = problem.time_limit(number("time_limit", &time_limit)?);
        }
        Ok((problem, current))
    }
}

fn threads_for(arms: usize, asked: Option<i64>) -> Result<usize> {
    match asked {
        Some(threads) => at_least_one("threads", threads),
        None if arms < MANY_ARMS => Ok(1),
        None => Ok(thread::available_parallelism().map_or(1, usize::from)),
    }
}
