//! A plan in sentences, and the same in data.

use serde::Serialize;

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
    /// The limit that holds the arm: `"upper"`, `"lower"` or `"active_lower"`.
    pub binding: Option<&'static str>,
    /// What relaxing that limit by one unit of money would bring.
    pub binding_price: Option<f64>,
    /// Whether the proposed spend lies outside the range that the curve was fitted on; `None` where that is not known.
    pub outside_observed: Option<bool>,
    /// All this in a sentence.
    pub sentence: String,
}

impl Plan {
    /// Says what binds each arm, what it returns now and as proposed, and what the next unit of budget would do.
    #[must_use]
    pub fn explain(&self) -> Explanation {
        let arms: Vec<ArmExplanation> = (0..self.spend.len()).map(|i| self.explain_arm(i)).collect();
        Explanation { summary: self.summary(&arms), arms }
    }

    fn explain_arm(&self, i: usize) -> ArmExplanation {
        let problem = &*self.problem;
        let curve = problem.curves.set.arm(i);
        let value = problem.value.at(i);
        let (spend, response, marginal) = (self.spend[i], self.response[i], self.marginal_response[i]);
        let current = problem.current.as_ref().map(|current| current[i]);
        let worth = |marginal: f64| if value > 0.0 { value * marginal } else { 0.0 };
        let average = |response: f64, spend: f64| (spend > 0.0).then(|| value * response / spend);
        let current_response = current.map(|x| curve.response(x));
        let current_marginal_response = current.map(|x| curve.slope(x));
        let binding = self.binding_of(i);
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
            sentence: String::new(),
        };
        arm.sentence = self.sentence(&arm);
        arm
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
        let price = Amount(round(self.shadow_price));
        let gain = Amount(round(arm.binding_price.unwrap_or(0.0)));
        let why = match arm.binding {
            Some("upper") => {
                format!("its upper bound holds it; one unit more would bring {gain} beyond the price of budget")
            }
            Some("lower") => format!("its lower bound holds it there; one unit less would free {gain}"),
            Some(_) => format!("it stands at its minimum; without it one unit less would free {gain}"),
            None if arm.spend <= 0.0 && self.problem.curves.set.arm(arm.arm).inflection() > 0.0 => {
                "below its threshold, where the first money brings little, it earns less than the budget does elsewhere"
                    .to_string()
            }
            None if arm.spend <= 0.0 => {
                format!("its first unit brings {next}, the budget {price} elsewhere")
            }
            None => format!("its next unit brings {next}, as much as anywhere else"),
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
        summary.push(format!("{spent}{of} is spent and brings {}.", Amount(round(self.objective_value))));
        if let Some(current) = &self.problem.current {
            let before: f64 = arms
                .iter()
                .map(|arm| self.problem.value.at(arm.arm) * arm.current_response.unwrap_or(0.0))
                .sum();
            let gain = self.objective_value - before;
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
        summary.push(format!(
            "No plan within the limits brings more than {}: {}.",
            Amount(round(self.upper_bound)),
            if self.gap > 0.0 {
                format!("the gap is {:.1e} of it", self.gap)
            } else {
                "there is no gap".to_string()
            },
        ));
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
