//! A plan in sentences, and the same in data.

use serde::Serialize;

use super::goal::Objective;
use super::plan::Plan;
use crate::error::Amount;

/// A plan explained: a few sentences on the whole, one record and one sentence per arm.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// On the whole: what is spent, what it brings, what is proven, what the next unit of budget would do.
    pub summary: Vec<String>,
    /// One record per arm.
    pub arms: Vec<ArmExplanation>,
}

/// One arm of a plan, before and after.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ArmExplanation {
    /// Index of the arm.
    pub arm: usize,
    /// Its name, where it has one.
    pub name: Option<String>,
    /// Proposed spend (money).
    pub spend: f64,
    /// Spend of today (money).
    pub current: Option<f64>,
    /// Proposed less current spend (money).
    pub change: Option<f64>,
    /// Response at the proposed spend.
    pub response: f64,
    /// Response at the current spend.
    pub current_response: Option<f64>,
    /// Response to the next unit of money at the proposed spend.
    pub marginal_response: f64,
    /// The same at the current spend.
    pub current_marginal_response: Option<f64>,
    /// value · response/spend; `None` where nothing is spent.
    pub roas: Option<f64>,
    /// The same at the current spend.
    pub current_roas: Option<f64>,
    /// value · marginal response: what the next unit of money brings.
    pub marginal_roas: f64,
    /// The same at the current spend.
    pub current_marginal_roas: Option<f64>,
    /// The limit of its own that holds the arm: `"upper"`, `"lower"`, `"active_lower"`, `"max_change"`, `"max_change_amount"` or
    /// `"extrapolation"`.
    pub binding: Option<&'static str>,
    /// What relaxing that limit by one unit of money would bring.
    pub binding_price: Option<f64>,
    /// Whether the proposed spend lies outside the range that the curve was fitted on; `None` where that is not known.
    pub outside_observed: Option<bool>,
    /// What a unit of the arm's money must bring: the price of budget and of every other limit that counts the arm.
    pub price: f64,
    /// Why it does not spend more.
    pub why_not_more: String,
    /// Why it does not spend less.
    pub why_not_less: String,
    /// The second-best thing the arm could do at the prices of the plan: to spend nothing more than it must, or, where it does
    /// that, the best of its higher spends (money); `None` where there is none.
    pub alternative_spend: Option<f64>,
    /// What that loses at least (objective, but for the gap): no plan in which the arm does it is better than the upper bound
    /// less this.
    pub alternative_loss: Option<f64>,
    /// All this in a sentence.
    pub sentence: String,
}

impl Plan {
    /// Says what binds each arm, what it returns now and as proposed, and what the next unit of budget would do.
    #[must_use]
    pub fn explain(&self) -> Explanation {
        let prices = self.arm_prices();
        let arms: Vec<ArmExplanation> =
            (0..self.spend.len()).map(|i| self.explain_arm(i, prices.at(i))).collect();
        Explanation { summary: self.summary(&arms), arms }
    }

    fn explain_arm(&self, i: usize, (weight, price): (f64, f64)) -> ArmExplanation {
        let problem = &*self.problem;
        let curve = problem.curves.set.arm(i);
        let value = problem.value.at(i);
        let (spend, response, marginal) = (self.spend[i], self.response[i], self.marginal_response[i]);
        let current = problem.current.as_ref().map(|current| current[i]);
        let worth = |marginal: f64| if value > 0.0 { value * marginal } else { 0.0 };
        let average = |response: f64, spend: f64| (spend > 0.0).then(|| value * response / spend);
        let current_response = current.map(|x| curve.response(x));
        let current_marginal_response = current.map(|x| curve.slope(x));
        let binding = self.binding_of(i, (weight, price));
        let alternative = self.alternative(i, weight, price);
        let outside_observed =
            problem.curves.observed(i).map(|(low, high)| spend > 0.0 && (spend < low || spend > high));
        let mut arm = ArmExplanation {
            arm: i,
            name: self.names().map(|names| names[i].clone()),
            spend,
            current,
            change: current.map(|current| spend - current),
            response,
            current_response,
            marginal_response: marginal,
            current_marginal_response,
            roas: average(response, spend),
            current_roas: current.zip(current_response).and_then(|(x, response)| average(response, x)),
            marginal_roas: worth(marginal),
            current_marginal_roas: current_marginal_response.map(worth),
            binding: binding.as_ref().map(|binding| binding.limit),
            binding_price: binding.map(|binding| binding.price),
            outside_observed,
            price,
            why_not_more: String::new(),
            why_not_less: String::new(),
            alternative_spend: alternative.map(|alternative| alternative.0),
            alternative_loss: alternative.map(|alternative| alternative.1),
            sentence: String::new(),
        };
        let next = if weight > 0.0 { weight * marginal } else { 0.0 };
        arm.why_not_more = self.why_not_more(&arm, next);
        arm.why_not_less = self.why_not_less(&arm, next);
        arm.sentence = self.sentence(&arm);
        arm
    }

    /// The arm's second-best spend at the prices of the plan, and how much less it is worth there.
    fn alternative(&self, i: usize, weight: f64, price: f64) -> Option<(f64, f64)> {
        let problem = &*self.problem;
        let curve = problem.curves.set.arm(i);
        let worth = |x: f64| if weight > 0.0 { weight * curve.response(x) } else { 0.0 } - price * x;
        let x = self.spend[i];
        let least = problem.lower.at(i).max(curve.domain().0);
        let cost = problem.activation_cost.at(i);
        let own = worth(x) - if x > 0.0 { cost } else { 0.0 };
        if x > least * (1.0 + 1e-9) && x > 0.0 {
            let off = worth(least) - if least > 0.0 { cost } else { 0.0 };
            return Some((least, (own - off).max(0.0)));
        }
        // At its least: the best of the spends above it, where the curve bends down again.
        let most = self.upper(i).min(problem.budget.unwrap_or(f64::INFINITY));
        let from = problem.active_lower.at(i).max(curve.inflection()).max(least);
        if !(from > least && from < most && most.is_finite() && weight > 0.0 && price > 0.0) {
            return None;
        }
        let best = curve.demand(price / weight, from, most);
        let on = worth(best) - cost;
        (best > least).then(|| (best, (own - on).max(0.0)))
    }

    fn why_not_more(&self, arm: &ArmExplanation, next: f64) -> String {
        let (next, price) = (Amount(round(next)), Amount(round(arm.price)));
        let gain = Amount(round(arm.binding_price.unwrap_or(0.0)));
        let up = arm.binding_price.is_some() && self.held_above(arm);
        match arm.binding {
            Some("upper") => {
                format!("its upper bound holds it: one unit more would bring {gain} beyond its price")
            }
            Some("extrapolation") => {
                format!(
                    "its curve is not known beyond this spend; one unit more would bring {gain} beyond its price"
                )
            }
            Some(_) if up => {
                format!(
                    "it may not move further from today's spend; one unit more would bring {gain} beyond its price"
                )
            }
            _ => format!("its next unit brings {next}, and must bring {price}"),
        }
    }

    fn why_not_less(&self, arm: &ArmExplanation, next: f64) -> String {
        let gain = Amount(round(arm.binding_price.unwrap_or(0.0)));
        let loss = arm.alternative_loss.map(|loss| Amount(round(loss)));
        match (arm.binding, loss) {
            (Some("lower"), _) => format!("its lower bound holds it: one unit less would free {gain}"),
            (Some("active_lower"), _) => {
                format!(
                    "it spends its minimum or nothing, and nothing would lose {}",
                    loss.unwrap_or(Amount(0.0))
                )
            }
            (Some("max_change" | "max_change_amount"), _) if !self.held_above(arm) => {
                format!("it may not move further from today's spend; one unit less would free {gain}")
            }
            _ if arm.spend <= 0.0 => "it spends nothing".to_string(),
            (_, Some(loss)) => {
                let least = Amount(arm.alternative_spend.unwrap_or(0.0));
                format!(
                    "its last unit brings {}, and spending only {least} would lose {loss}",
                    Amount(round(next))
                )
            }
            (_, None) => format!("its last unit brings {}", Amount(round(next))),
        }
    }

    /// Whether the limit that holds an arm keeps it from spending more.
    fn held_above(&self, arm: &ArmExplanation) -> bool {
        match arm.binding {
            Some("upper" | "extrapolation") => true,
            Some("max_change" | "max_change_amount") => arm.change.is_some_and(|change| change >= 0.0),
            _ => false,
        }
    }

    fn sentence(&self, arm: &ArmExplanation) -> String {
        let label = self.problem.curves.set.label(arm.arm);
        let spend = Amount(arm.spend);
        let step = match (arm.current, arm.change) {
            (Some(current), Some(change)) if change.abs() > 5e-4 * current.max(arm.spend) => {
                let verb = if change > 0.0 { "rises" } else { "falls" };
                format!("{label} {verb} from {} to {spend}", Amount(current))
            }
            (Some(_), _) => format!("{label} stays at {spend}"),
            (None, _) => format!("{label} gets {spend}"),
        };
        let next = Amount(round(arm.marginal_roas));
        let price = Amount(round(arm.price));
        let gain = Amount(round(arm.binding_price.unwrap_or(0.0)));
        let why = match arm.binding {
            Some("upper") => {
                format!("its upper bound holds it; one unit more would bring {gain} beyond the price of budget")
            }
            Some("lower") => format!("its lower bound holds it there; one unit less would free {gain}"),
            Some("extrapolation") => {
                format!("its curve is not known beyond; one unit more would bring {gain} beyond its price")
            }
            Some("max_change" | "max_change_amount") => {
                let way = if self.held_above(arm) { "more would bring" } else { "less would free" };
                format!("it may not move further from today's spend; one unit {way} {gain}")
            }
            Some(_) => format!("it stands at its minimum; without it one unit less would free {gain}"),
            None if arm.spend <= 0.0 && self.problem.curves.set.arm(arm.arm).inflection() > 0.0 => {
                "below its threshold, where the first money brings little, it earns less than the budget does elsewhere"
                    .to_string()
            }
            None if arm.spend <= 0.0 => {
                format!("its first unit brings {next}, the budget {price} elsewhere")
            }
            None if self.limits.is_empty() => format!("its next unit brings {next}, as much as anywhere else"),
            None => format!("its next unit brings {next}, and must bring {}", Amount(round(arm.price))),
        };
        let why = if arm.spend > 0.0 && arm.binding.is_none() && self.shadow_price <= 0.0 {
            format!("its next unit brings {next}: there is budget left over")
        } else {
            why
        };
        let outside = match arm.outside_observed {
            Some(true) => ", outside the spend its curve was fitted on",
            _ => "",
        };
        format!("{step}{outside}: {why}.")
    }

    fn summary(&self, arms: &[ArmExplanation]) -> Vec<String> {
        let mut summary = Vec::new();
        let of = match self.problem.budget {
            Some(budget) => format!(" of {}", Amount(budget)),
            None => String::new(),
        };
        let spent = Amount((self.total_spend * 100.0).round() / 100.0);
        let brought: f64 = arms.iter().map(|arm| self.problem.value.at(arm.arm) * arm.response).sum();
        summary.push(format!("{spent}{of} is spent and brings {}.", Amount(round(brought))));
        let objective = match self.problem.objective {
            _ if self.problem.risk.is_some() => Some("The risk measure"),
            Objective::Profit => Some("The profit"),
            _ if (brought - self.objective_value).abs() > 1e-9 * brought.abs()
                && self.problem.objective == Objective::Response =>
            {
                Some("The response less its costs")
            }
            _ => None,
        };
        if let Some(name) = objective {
            summary.push(format!("{name} is {}.", Amount(round(self.objective_value))));
        }
        if let Some(current) = &self.problem.current {
            let before: f64 = arms
                .iter()
                .map(|arm| self.problem.value.at(arm.arm) * arm.current_response.unwrap_or(0.0))
                .sum();
            let gain = brought - before;
            let share =
                if before > 0.0 { format!(" ({:+.1} %)", 100.0 * gain / before) } else { String::new() };
            let spent: f64 = current.iter().sum();
            summary.push(format!(
                "Today {} is spent and brings {}: the plan brings {}{share} more.",
                Amount(spent),
                Amount(round(before)),
                Amount(round(gain)),
            ));
        }
        let (claim, bound) = match self.problem.objective {
            Objective::Spend => ("costs less than", -self.upper_bound),
            _ if objective.is_none() => ("brings more than", self.upper_bound),
            _ => ("is worth more than", self.upper_bound),
        };
        summary.push(format!(
            "No plan within the limits {claim} {}: {}.",
            Amount(round(bound)),
            if self.gap > 0.0 {
                format!("the gap is {:.1e} of it", self.gap)
            } else {
                "there is no gap".to_string()
            },
        ));
        summary.extend(self.limits.iter().filter(|limit| limit.limit != "budget" && limit.price != 0.0).map(
            |limit| {
                let name = limit.name.as_deref().map(|name| format!(" of {name}")).unwrap_or_default();
                let what = limit.limit.replace('_', " ");
                let (bound, price) = (Amount(limit.bound), Amount(round(limit.price)));
                format!("The limit {what}{name} ({bound}) binds: a unit less tight, it would bring {price}.")
            },
        ));
        if let Some(loss) = self.rounding_loss {
            summary.push(format!("Whole steps cost {}.", Amount(round(loss.max(0.0)))));
        }
        if self.problem.budget.is_none() {
            return summary;
        }
        summary.push(if self.shadow_price > 0.0 {
            format!("One more unit of budget would bring about {}.", Amount(round(self.shadow_price)))
        } else {
            "More budget would bring nothing: the limits or the curves are exhausted.".to_string()
        });
        summary
    }
}

/// To four significant digits: what a sentence can use.
fn round(x: f64) -> f64 {
    format!("{x:.3e}").parse().unwrap_or(x)
}
