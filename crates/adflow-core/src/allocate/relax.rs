//! The relaxed problem: one price for the budget, every arm on its own. Exact for concave arms; with jumps it
//! gives a bound and a plan near it.

use super::checked::Checked;
use super::demand::Demand;
use super::price::{Market, clear};

/// Share of the budget below which a rest is rounding.
const ROUNDING: f64 = 1e-14;

/// A plan (in the workspace) and what the price λ proves about it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Relaxation {
    pub(crate) lambda: f64,
    pub(crate) value: f64,
    pub(crate) bound: f64,
    pub(crate) passes: usize,
}

/// Solves the relaxed problem; spends, responses and marginal responses are left in the workspace.
pub(crate) fn relax(problem: &Checked<'_>, demand: &mut Demand<'_, '_>, tolerance: f64) -> Relaxation {
    let n = problem.len();
    if problem.room <= ROUNDING * problem.budget {
        // Nothing but the lower bounds can be spent.
        for (i, x) in demand.spend().iter_mut().enumerate() {
            *x = problem.lower(i);
        }
        let (value, _) = demand.evaluate();
        return Relaxation { lambda: f64::INFINITY, value, bound: value, passes: 1 };
    }
    if (0..n).map(|i| problem.upper(i)).sum::<f64>() <= problem.budget {
        // Everything that is allowed can be bought.
        for (i, x) in demand.spend().iter_mut().enumerate() {
            *x = problem.upper(i);
        }
        let (value, _) = demand.evaluate();
        return Relaxation { lambda: 0.0, value, bound: value, passes: 1 };
    }

    let budget = problem.budget;
    let start = demand.first_price();
    let clearing = clear(demand, budget, start, 1e-4 * tolerance * budget);
    let lambda = clearing.lambda;
    let mut rest = budget - clearing.totals.spend;
    let mut bound = None;
    if rest.abs() > 1e-10 * budget {
        let (value, spend) = demand.evaluate();
        bound = Some(value + lambda * (budget - spend));
        demand.totals(lambda);
        rest = demand.jump_up(lambda, rest);
    }
    rest = demand.settle(rest);
    if problem.spend_all && rest > 0.0 {
        demand.spread(rest);
    }
    let (value, spend) = demand.evaluate();
    let bound = bound.unwrap_or(value + lambda * (budget - spend)).max(value);
    Relaxation { lambda, value, bound, passes: clearing.passes }
}
