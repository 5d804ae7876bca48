//! The relaxed problem: one price for the budget, every arm on its own. Exact for concave arms; with jumps it
//! gives a bound and a plan near it.

use super::checked::Checked;
use super::demand::{Demand, Worth};
use super::price::{LEAST, Market, SMALL_STEP, Totals, clear};
use crate::elementary::exp;

/// Share of the budget below which a rest is rounding.
const ROUNDING: f64 = 1e-14;

/// A plan (in the workspace) and what the price λ proves about it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Relaxation {
    pub(crate) lambda: f64,
    pub(crate) worth: Worth,
    pub(crate) bound: f64,
    pub(crate) passes: usize,
}

/// Solves the relaxed problem; spends, responses and marginal responses are left in the workspace.
pub(crate) fn relax(problem: &Checked<'_>, demand: &mut Demand<'_, '_>, tolerance: f64) -> Relaxation {
    relax_from(problem, demand, None, tolerance)
}

/// [`relax`], with a price to start from.
pub(crate) fn relax_from(
    problem: &Checked<'_>,
    demand: &mut Demand<'_, '_>,
    start: Option<f64>,
    tolerance: f64,
) -> Relaxation {
    let certain = |worth: Worth, lambda: f64| Relaxation { lambda, worth, bound: worth.value, passes: 1 };
    if problem.total_upper() <= problem.budget {
        // Everything that is allowed can be bought.
        for (i, x) in demand.spend().iter_mut().enumerate() {
            *x = problem.upper(i);
        }
        return certain(demand.evaluate(), 0.0);
    }
    if problem.room <= ROUNDING * problem.budget {
        // Nothing but the lower bounds can be spent.
        for (i, x) in demand.spend().iter_mut().enumerate() {
            *x = problem.lower(i);
        }
        return certain(demand.evaluate(), f64::INFINITY);
    }

    let budget = problem.budget;
    let start = start.unwrap_or_else(|| demand.first_price());
    demand.only_add_up(true);
    let clearing = clear(demand, budget, start, demand.slack(tolerance));
    let mut lambda = clearing.lambda;
    let mut totals = clearing.totals;
    demand.only_add_up(false);
    // The price at which the arms, moving as they do, would take the rest too; no number where they hardly move.
    let corrected = |lambda: f64, totals: &Totals| {
        let step = (budget - totals.spend) / totals.rate;
        (step.abs() <= SMALL_STEP).then(|| lambda * exp(step))
    };
    if demand.slack(tolerance) > 0.0 && !demand.may_jump() {
        // The spends are written only now.
        lambda = corrected(lambda, &totals).unwrap_or(lambda);
        totals = demand.totals(lambda);
    }
    let price_of_all = demand.price_of_all();
    if price_of_all > lambda {
        lambda = price_of_all;
        totals = demand.totals(lambda);
    }
    let mut rest = budget - totals.spend;
    let mut bound = None;
    match corrected(lambda, &totals).filter(|_| !demand.may_jump()) {
        Some(price) => {
            // Price and spends move together: the spends stay the best at their price, to second order.
            lambda = price;
            rest = demand.settle(rest, totals.rate);
        }
        None => {
            // The bound is that of the spends at the price, before they are moved to meet the budget.
            let worth = demand.appraise();
            bound = Some(worth.value + lambda * (budget - worth.total_spend));
            rest = demand.jump_up(lambda, rest);
            rest = demand.settle(rest, totals.rate);
        }
    }
    if problem.spend_all && rest > 0.0 {
        demand.spread(rest);
    }
    let worth = demand.evaluate();
    let mut bound = bound.unwrap_or(worth.value + lambda * (budget - worth.total_spend));
    if lambda <= LEAST {
        // Even free budget is not wanted: the bound is what all arms bring at their most.
        lambda = 0.0;
        bound = (0..problem.len()).map(|i| problem.weight(i) * problem.arm(i).response(problem.cap(i))).sum();
    }
    let bound = bound.max(worth.value);
    Relaxation { lambda, worth, bound, passes: clearing.passes }
}
