//! The answer: a plan that carries its proof.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::goal::{Extrapolation, Objective};
use super::problem::Problem;
use super::proof::Proof;
use crate::curve::column::Column;

/// A plan and the proof of how good it is.
///
/// `upper_bound` is a number that no plan within the limits can exceed, so
///
/// ```text
/// gap = (upper_bound − objective_value) / max(|upper_bound|, tiny)
/// ```
///
/// says how much, at most, is left on the table. [`verify`](Self::verify) recomputes both from the problem and
/// the plan alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Spend per arm (money).
    pub spend: Vec<f64>,
    /// Response per arm at that spend (what the curve counts).
    pub response: Vec<f64>,
    /// Derivative of each curve at that spend (response per money); +∞ where it rises vertically.
    pub marginal_response: Vec<f64>,
    /// Σ spend (money).
    pub total_spend: f64,
    /// Σ response.
    pub total_response: f64,
    /// What was maximised: the value of the response, the profit, minus the spend, or a risk measure, less all costs.
    pub objective_value: f64,
    /// No plan within the limits has a larger objective value.
    pub upper_bound: f64,
    /// (upper_bound − objective_value)/max(|upper_bound|, tiny); where costs can cancel the
    /// response, tiny is a thousandth of what the plan's objective adds up, or a millionth of what it could, if that is more.
    pub gap: f64,
    /// What one more unit of budget is worth; +∞ where a curve rises vertically and there is no budget at all.
    pub shadow_price: f64,
    /// Whether the gap is within the tolerance.
    pub status: Status,
    /// The limits on several arms with the price of each, in the order of the multipliers in the proof: the budget, groups
    /// (each: lower, upper, least share, largest share), coupling rows, the target, most active and most moved arms.
    /// Empty for a problem with nothing but a budget.
    pub limits: Vec<Binding>,
    /// With whole steps: what the best plan without them would have been worth more.
    pub rounding_loss: Option<f64>,
    /// A number that changes with any number of the problem, the plan or the proof; 0 for a problem with nothing but a budget.
    pub fingerprint: u64,
    /// What the upper bound follows from.
    pub proof: Proof,
    /// Passes over the arms and nodes of the search together.
    pub iterations: usize,
    /// Time the solve took, by the caller's clock.
    pub elapsed: Duration,
    pub(crate) problem: Arc<Problem>,
}

/// Whether a plan is proven to be as good as asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The gap is within the tolerance.
    Optimal,
    /// The plan keeps all limits; the search ended before the gap was within the tolerance.
    Feasible,
}

impl Status {
    pub(crate) fn of(gap: f64, tolerance: f64) -> Self {
        if gap <= tolerance { Self::Optimal } else { Self::Feasible }
    }

    /// `"optimal"` or `"feasible"`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Optimal => "optimal",
            Self::Feasible => "feasible",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// (bound − value)/max(|bound|, tiny).
pub(crate) fn gap(value: f64, bound: f64) -> f64 {
    (bound - value) / bound.abs().max(f64::MIN_POSITIVE)
}

/// A limit that holds a plan back, and what relaxing it by one unit of money would bring.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Binding {
    /// `"budget"`, `"lower"`, `"upper"`, `"active_lower"`, or a limit on several arms: `"group_lower"`, `"group_upper"`,
    /// `"group_share_lower"`, `"group_share_upper"`, `"coupling"`, `"target"`, `"max_active"`, `"max_moves"`.
    pub limit: &'static str,
    /// The arm; `None` for limits on several.
    pub arm: Option<usize>,
    /// The name of the arm, the group or the row, where it has one.
    pub name: Option<String>,
    /// The bound (money).
    pub bound: f64,
    /// Objective per unit of money by which the limit is relaxed; ≥ 0.
    pub price: f64,
}

/// What the response and the money of every arm are worth at a plan's multipliers.
pub(crate) enum ArmPrices {
    /// The values of the problem, and one price of money.
    Same(Column, f64),
    /// (weight of response, price of money) per arm.
    Each(Vec<(f64, f64)>),
}

impl ArmPrices {
    pub(crate) fn at(&self, i: usize) -> (f64, f64) {
        match self {
            Self::Same(value, price) => (value.at(i), *price),
            Self::Each(prices) => prices[i],
        }
    }
}

impl Plan {
    /// The problem that the plan answers.
    #[must_use]
    pub fn problem(&self) -> &Problem {
        &self.problem
    }

    /// The arms' names, where they have any.
    #[must_use]
    pub fn names(&self) -> Option<&[String]> {
        self.problem.curves.names()
    }

    /// The limits that hold the plan back, with their prices: those of several arms first, then the arms in order.
    ///
    /// An arm that stands at 0 without a stated limit is not listed: nothing the caller said holds it there.
    #[must_use]
    pub fn binding(&self) -> Vec<Binding> {
        let problem = &*self.problem;
        let mut binding: Vec<Binding> =
            self.limits.iter().filter(|limit| limit.price != 0.0).cloned().collect();
        if let Some(budget) = problem.budget.filter(|_| self.limits.is_empty() && self.shadow_price > 0.0) {
            let price = self.shadow_price;
            binding.push(Binding { limit: "budget", arm: None, name: None, bound: budget, price });
        }
        let prices = self.arm_prices();
        binding.extend((0..self.spend.len()).filter_map(|i| self.binding_of(i, prices.at(i))));
        binding
    }

    /// What a unit of each arm's response is worth and what a unit of its money costs, at the plan's multipliers.
    pub(crate) fn arm_prices(&self) -> ArmPrices {
        let problem = &*self.problem;
        if !self.limits.is_empty() || !problem.is_one_budget() {
            let multipliers: Vec<f64> = self.limits.iter().map(|limit| limit.price).collect();
            let program = problem.rows().and_then(|rows| problem.program(rows));
            if let Some(program) = program.ok().filter(|program| program.rows.len() == multipliers.len()) {
                let money = if problem.objective == Objective::Response { 0.0 } else { 1.0 };
                let prices = program.prices(&multipliers, 1.0);
                let each = prices.iter().map(|prices| (prices.weight, prices.spend + money));
                return ArmPrices::Each(each.collect());
            }
        }
        ArmPrices::Same(problem.value.clone(), self.shadow_price)
    }

    /// The limit that holds one arm, if any: its response is worth `weight` a unit, its money costs `price` a unit.
    pub(crate) fn binding_of(&self, i: usize, (weight, price): (f64, f64)) -> Option<Binding> {
        let problem = &*self.problem;
        let x = self.spend[i];
        let worth = if weight > 0.0 { weight * self.marginal_response[i] } else { 0.0 };
        let close = |bound: f64| bound.is_finite() && (x - bound).abs() <= 1e-9 * bound.abs();
        let current = problem.current.as_ref().map(|current| current[i]);
        let (share, amount) = (problem.max_change.at(i), problem.max_change_amount.at(i));
        let moved = |by: f64| current.map_or(f64::INFINITY, |current| current + by);
        let shared = |sign: f64| current.map_or(f64::INFINITY, |current| current * (1.0 + sign * share));
        let observed =
            problem.curves.observed(i).filter(|_| problem.extrapolation == Some(Extrapolation::Cap));
        let uppers = [
            ("upper", self.upper(i)),
            ("max_change", shared(1.0)),
            ("max_change_amount", moved(amount)),
            ("extrapolation", observed.map_or(f64::INFINITY, |range| range.1)),
        ];
        let lowers = [
            ("lower", problem.lower.at(i)),
            ("active_lower", problem.active_lower.at(i)),
            ("max_change", shared(-1.0)),
            ("max_change_amount", moved(-amount)),
        ];
        let rounding = 1e-9 * price.abs();
        let held = if worth > price + rounding {
            uppers.into_iter().find(|upper| close(upper.1))
        } else if worth < price - rounding {
            lowers.into_iter().find(|lower| lower.1 > 0.0 && close(lower.1))
        } else {
            None
        };
        let (limit, bound) = held?;
        let name = self.names().map(|names| names[i].clone());
        Some(Binding { limit, arm: Some(i), name, bound, price: (worth - price).abs() })
    }

    /// The arm's stated upper bound, or the end of its table.
    pub(crate) fn upper(&self, i: usize) -> f64 {
        self.problem.upper.at(i).min(self.problem.curves.set.arm(i).domain().1)
    }
}
