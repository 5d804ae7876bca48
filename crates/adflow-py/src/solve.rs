//! `allocate`, `allocate_batch` and `frontier`.

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arguments::{Given, column, counts, number};
use crate::batch::Batch;
use crate::curves::ResponseCurves;
use crate::error::Result;
use crate::frontier::Frontier;
use crate::interrupt;
use crate::plan::Plan;
use crate::settings::Settings;

/// Splits a budget over arms so that the objective is as large as it can be.
///
/// ```text
/// maximise   Σ value · response(spend) − costs              objective "response"
///            Σ value · response(spend) − Σ spend − costs    objective "profit"
///            − Σ spend − costs                              objective "spend"
/// subject to Σ spend ≤ budget        (= budget with spend_all)
///            lower ≤ spend ≤ upper, or spend = 0 or ≥ active_lower
///            and the limits of groups, coupling, target and moves
/// costs    = Σ activation_cost · [spend > 0] + Σ move_cost · |spend − current|
///            + Σ extrapolation · max(0, spend − largest observed spend)
/// ```
///
/// Parameters
/// ----------
/// curves : ResponseCurves
///     What a spend on each of the n arms brings.
/// budget : float, optional
///     The total that may be spent. None: no limit on the total.
/// lower : float or (n,) array-like
///     Smallest spend of each arm.
/// upper : float or (n,) array-like, optional
///     Largest spend of each arm; None, also in a list, for no bound.
/// active_lower : float or (n,) array-like, optional
///     Smallest spend of an arm that spends at all: the arm spends 0, or at least this. Needs `lower` 0.
/// activation_cost : float or (n,) array-like, optional
///     What an arm that spends more than 0 costs, in units of the objective.
/// max_active : int, optional
///     Most arms that spend more than 0.
/// groups : iterable of Group
///     Limits on what several arms spend together.
/// coupling : Coupling, optional
///     Rows `matrix @ spend ≤ upper`.
/// target : Target, optional
///     What must be reached: a response, ROAS, CPA or marginal ROAS. The budget is then a cap.
/// objective : {"response", "profit", "spend"}
///     What is maximised. "spend" is the least spend, with a target to reach: `objective_value` is then negative, and
///     the spend is `total_spend`.
/// value : float or (n,) array-like
///     What one unit of each arm's response is worth.
/// risk : Risk, optional
///     A measure of the outcomes over the curves' draws, in place of their mean.
/// extrapolation : "cap" or float, optional
///     Beyond the largest spend that a curve was fitted on (`ResponseCurves.with_observed_spend`): "cap" for no spend
///     there, a number for what each unit of money there costs, in units of the objective. Arms whose range is not
///     known are free.
/// current : (n,) array-like, optional
///     The spends of today, for the before and after of the plan, and for the limits on moves.
/// max_change : float or (n,) array-like, optional
///     Most that each spend may move from `current`, as a share of it: 0.2 is ±20 %.
/// max_change_amount : float or (n,) array-like, optional
///     Most that each spend may move from `current`, in money; None in a list for no bound.
/// max_moves : int, optional
///     Most arms whose spend differs from `current`.
/// move_cost : float or (n,) array-like, optional
///     What moving one unit of money away from `current`, up or down, costs, in units of the objective.
/// step : float or (n,) array-like, optional
///     Every spend is a whole multiple of this (money); 0 or None, also in a list, for any spend.
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
/// progress : callable or bool, optional
///     Called some 20 times a second, on the thread of the call, with the seconds since it began; what it raises ends the
///     call. True: a bar that counts them (needs tqdm). How much of a search is left nobody knows, so only with a
///     time limit does the bar have an end, and the call may be done long before it.
///
/// Returns
/// -------
/// Plan
///     The plan and its proof.
///
/// Raises
/// ------
/// InfeasibleError
///     No plan satisfies the limits; `conflict`, `feasible_budget`, `nearest` and `feasible_target` say why and what
///     could be.
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
///
/// Of the 20, at most half on the first two arms together:
///
/// >>> plan = adflow.allocate(curves, budget=20.0, groups=[adflow.Group("video", [0, 1], share_upper=0.5)])
/// >>> bool(plan.spend[:2].sum() <= 10.0 + 1e-9)
/// True
#[pyfunction]
#[pyo3(
    signature = (curves, budget=None, **settings),
    text_signature = "(curves, budget=None, *, lower=0.0, upper=None, active_lower=None, activation_cost=None, max_active=None, groups=(), coupling=None, target=None, objective='response', value=1.0, risk=None, extrapolation=None, current=None, max_change=None, max_change_amount=None, max_moves=None, move_cost=None, step=None, names=None, spend_all=False, tolerance=1e-06, time_limit=None, threads=None, progress=None)"
)]
pub(crate) fn allocate(
    py: Python<'_>,
    curves: &Bound<'_, ResponseCurves>,
    budget: Given<'_>,
    settings: Option<&Bound<'_, PyDict>>,
) -> Result<Plan> {
    let settings = Settings::read("allocate", curves, settings)?;
    let mut problem = settings.problem;
    if let Some(budget) = budget {
        problem = problem.budget(number("budget", &budget)?);
    }
    let plan = interrupt::here(py, &settings.progress, |watch| problem.solve_with(watch))??;
    Ok(Plan::new(plan, settings.current))
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
/// lower, upper, active_lower, activation_cost, value, current, names
///     As for `allocate`, over all arms.
/// max_change, max_change_amount, move_cost, step
///     As for `allocate`, over all arms.
/// objective, target, risk, max_active, max_moves, extrapolation, spend_all, tolerance, threads, progress
///     As for `allocate`, the same for each problem by itself: `max_active=2` is two arms of every problem. Groups and
///     coupling rows, whose arms would belong to several problems, are refused.
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
    signature = (curves, offsets, budgets, **settings),
    text_signature = "(curves, offsets, budgets, *, lower=0.0, upper=None, active_lower=None, activation_cost=None, max_active=None, target=None, objective='response', value=1.0, risk=None, extrapolation=None, current=None, max_change=None, max_change_amount=None, max_moves=None, move_cost=None, step=None, names=None, spend_all=False, tolerance=1e-06, time_limit=None, threads=None, progress=None)"
)]
pub(crate) fn allocate_batch(
    py: Python<'_>,
    curves: &Bound<'_, ResponseCurves>,
    offsets: &Bound<'_, PyAny>,
    budgets: &Bound<'_, PyAny>,
    settings: Option<&Bound<'_, PyDict>>,
) -> Result<Batch> {
    let Settings { problem, threads, progress, .. } = Settings::read("allocate_batch", curves, settings)?;
    let offsets = counts("offsets", offsets)?;
    let budgets = column("budgets", budgets)?;
    let solve = |watch: &interrupt::Watch<'_>| problem.solve_batch_with(&offsets, &budgets, watch);
    let batch = if threads > 1 {
        interrupt::beside(py, &progress, solve)??
    } else {
        interrupt::here(py, &progress, solve)??
    };
    Ok(Batch::new(batch))
}

/// The best plans for many budgets, in one call.
///
/// What one budget finds out serves the next. Every row is a plan as `allocate` gives it, with an upper bound of its own.
///
/// Parameters
/// ----------
/// curves : ResponseCurves
///     What a spend on each of the n arms brings.
/// budgets : (k,) array-like
///     The budgets, in any order.
/// lower, upper, active_lower, activation_cost, max_active, groups, coupling, target, objective, value, risk
///     As for `allocate`, the same under every budget.
/// extrapolation, current, max_change, max_change_amount, max_moves, move_cost, step, names, spend_all
///     As for `allocate`, the same under every budget.
/// tolerance, threads, progress
///     As for `allocate`.
/// time_limit : float, optional
///     Seconds for all budgets together.
///
/// Returns
/// -------
/// Frontier
///     Columns over budgets, rows of spends and responses, and where arms start and stop to spend.
///
/// Raises
/// ------
/// AdflowError
///     As for `allocate`; the message names the budget (`budgets[7]`).
///
/// Examples
/// --------
/// >>> import adflow
/// >>> curves = adflow.ResponseCurves.michaelis_menten([120.0, 80.0], [5.0, 9.0])
/// >>> frontier = adflow.frontier(curves, [1.0, 5.0, 20.0])
/// >>> frontier.spend.shape
/// (3, 2)
/// >>> bool(frontier.shadow_price[0] > frontier.shadow_price[2])
/// True
/// >>> [(change["arm"], change["change"]) for change in frontier.changes]
/// [(1, 'enters')]
#[pyfunction]
#[pyo3(
    signature = (curves, budgets, **settings),
    text_signature = "(curves, budgets, *, lower=0.0, upper=None, active_lower=None, activation_cost=None, max_active=None, groups=(), coupling=None, target=None, objective='response', value=1.0, risk=None, extrapolation=None, current=None, max_change=None, max_change_amount=None, max_moves=None, move_cost=None, step=None, names=None, spend_all=False, tolerance=1e-06, time_limit=None, threads=None, progress=None)"
)]
pub(crate) fn frontier(
    py: Python<'_>,
    curves: &Bound<'_, ResponseCurves>,
    budgets: &Bound<'_, PyAny>,
    settings: Option<&Bound<'_, PyDict>>,
) -> Result<Frontier> {
    let Settings { problem, progress, .. } = Settings::read("frontier", curves, settings)?;
    let budgets = column("budgets", budgets)?;
    let curves = problem.curves().clone();
    let frontier = interrupt::here(py, &progress, |watch| problem.frontier_with(&budgets, watch))??;
    Ok(Frontier::new(frontier, curves))
}
