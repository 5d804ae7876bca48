//! The answer: what is spent when, what it brings, and the proof.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::Schedule;
use super::layout::{Layout, Of};
use super::proof::ScheduleProof;
use super::search::Found;
use crate::allocate::plan::{Binding, Status, gap};
use crate::clock::Clock;
use crate::error::Amount;

/// A plan over periods and the proof of how good it is.
///
/// Matrices are stored row by row: entry `t * n + i` belongs to period t and arm i.
#[derive(Debug, Clone, PartialEq)]
pub struct SchedulePlan {
    /// Spend per period and arm, T × n (money).
    pub spend: Vec<f64>,
    /// Adstocked spend per period of the window and the tail, and arm, (T + tail) × n (money).
    pub adstocked: Vec<f64>,
    /// Response per period of the window and the tail, and arm, (T + tail) × n.
    pub response: Vec<f64>,
    /// Spend per arm, all periods together (money).
    pub arm_spend: Vec<f64>,
    /// Response per arm, window and tail together.
    pub arm_response: Vec<f64>,
    /// Spend per period, all arms together (money).
    pub period_spend: Vec<f64>,
    /// Response after the window; 0 where the tail does not count.
    pub response_after: f64,
    /// response_after/total_response; 0 where there is no response.
    pub response_after_share: f64,
    /// Σ spend (money).
    pub total_spend: f64,
    /// Σ response.
    pub total_response: f64,
    /// Σ value · response: what was maximised.
    pub objective_value: f64,
    /// No plan within the limits has a larger objective value.
    pub upper_bound: f64,
    /// (upper_bound − objective_value)/|upper_bound|.
    pub gap: f64,
    /// What one more unit of budget is worth; 0 without a budget.
    pub shadow_price: f64,
    /// Whether the gap is within the tolerance.
    pub status: Status,
    /// The limits on several spends with the price of each: the budget, then periods and arms that have limits. `limit` is
    /// `"budget"`, `"period_lower"`, `"period_upper"`, `"arm_lower"` or `"arm_upper"`; a period is named `"period 3"`. A price
    /// is ≥ 0 but for a budget that must be spent.
    pub limits: Vec<Binding>,
    /// What the upper bound follows from.
    pub proof: ScheduleProof,
    /// Steps of all relaxed problems together.
    pub iterations: usize,
    /// Time the solve took, by the caller's clock.
    pub elapsed: Duration,
    pub(crate) schedule: Arc<Schedule>,
}

/// The plan that a search found; nothing where it found none.
pub(crate) fn assemble(
    schedule: &Arc<Schedule>,
    layout: &Layout<'_>,
    found: Found,
    clock: &dyn Clock,
) -> Option<SchedulePlan> {
    let (x, value) = found.plan?;
    let (n, periods, horizon) = (layout.blocks.len(), schedule.periods, layout.horizon);
    let at = |t: usize, i: usize| x[i][if schedule.constant { 0 } else { t }];
    let cells = |height: usize| (0..height).flat_map(move |t| (0..n).map(move |i| (t, i)));
    let spend: Vec<f64> = cells(periods).map(|(t, i)| at(t, i)).collect();
    let adstocked: Vec<f64> = cells(horizon).map(|(t, i)| layout.blocks[i].adstocked(t, &x[i])).collect();
    let response: Vec<f64> =
        cells(horizon).map(|(t, i)| layout.blocks[i].arm.response(adstocked[t * n + i])).collect();
    let by_arm =
        |values: &[f64]| -> Vec<f64> { (0..n).map(|i| values.iter().skip(i).step_by(n).sum()).collect() };
    let total_response: f64 = response.iter().sum();
    // An empty sum is -0.0.
    let response_after = response[periods * n..].iter().sum::<f64>() + 0.0;
    let mut limits = Vec::new();
    let mut shadow_price = 0.0;
    for (row, &price) in layout.rows.iter().zip(&found.multipliers.rows) {
        let names = schedule.curves.names();
        let (lower, upper, arm, name) = match row.of {
            Of::Budget => ("budget", "budget", None, None),
            Of::Period(t) => ("period_lower", "period_upper", None, Some(format!("period {t}"))),
            Of::Arm(i) => ("arm_lower", "arm_upper", Some(i), names.map(|names| names[i].clone())),
        };
        let binding = |limit, bound, price| Binding { limit, arm, name: name.clone(), bound, price };
        if row.of == Of::Budget {
            shadow_price = price;
            limits.push(binding("budget", row.upper, price));
            continue;
        }
        if row.lower > 0.0 {
            limits.push(binding(lower, row.lower, (-price).max(0.0)));
        }
        if row.upper.is_finite() {
            limits.push(binding(upper, row.upper, price.max(0.0)));
        }
    }
    let upper_bound = found.bound.max(value);
    let gap = gap(value, upper_bound);
    Some(SchedulePlan {
        arm_spend: by_arm(&spend),
        arm_response: by_arm(&response),
        period_spend: spend.chunks(n).map(|row| row.iter().sum()).collect(),
        response_after,
        response_after_share: if total_response > 0.0 { response_after / total_response } else { 0.0 },
        total_spend: spend.iter().sum(),
        total_response,
        spend,
        adstocked,
        response,
        objective_value: value,
        upper_bound,
        gap,
        shadow_price,
        status: Status::of(gap, schedule.tolerance),
        limits,
        proof: ScheduleProof { nodes: found.nodes },
        iterations: found.steps,
        elapsed: clock.elapsed(),
        schedule: Arc::clone(schedule),
    })
}

impl SchedulePlan {
    /// The schedule that the plan answers.
    #[must_use]
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// Number of arms.
    #[must_use]
    pub fn arms(&self) -> usize {
        self.schedule.curves.len()
    }

    /// Number of periods in the window.
    #[must_use]
    pub fn periods(&self) -> usize {
        self.schedule.periods
    }

    /// The arms' names, where they have any.
    #[must_use]
    pub fn names(&self) -> Option<&[String]> {
        self.schedule.curves.names()
    }

    /// The limits on several spends that hold the plan back.
    #[must_use]
    pub fn binding(&self) -> Vec<Binding> {
        // A price that is nothing but the method's rounding is none.
        let most = self.limits.iter().map(|limit| limit.price.abs()).fold(0.0, f64::max);
        self.limits.iter().filter(|limit| limit.price.abs() > 1e-7 * most).cloned().collect()
    }

    /// The plan in sentences: the whole first, then one per arm.
    #[must_use]
    pub fn explain(&self) -> Vec<String> {
        let mut sentences = self.summary();
        sentences.extend((0..self.arms()).map(|i| self.sentence(i)));
        sentences
    }

    fn summary(&self) -> Vec<String> {
        let of = self.schedule.budget.map_or(String::new(), |budget| format!(" of {}", Amount(budget)));
        let mut summary = vec![format!(
            "{}{of} is spent in {} periods and brings {}.",
            Amount(cents(self.total_spend)),
            self.periods(),
            Amount(round(self.objective_value)),
        )];
        if self.response_after > 0.0 {
            summary.push(format!(
                "Of the response {} ({:.1} %) comes after the last period.",
                Amount(round(self.response_after)),
                100.0 * self.response_after_share,
            ));
        }
        summary.push(format!(
            "No plan within the limits brings more than {}: {}.",
            Amount(round(self.upper_bound)),
            if self.gap > 0.0 {
                format!("the gap is {:.1e} of it", self.gap)
            } else {
                "there is no gap".into()
            },
        ));
        if self.schedule.budget.is_some() {
            summary.push(if self.shadow_price > 0.0 {
                format!("One more unit of budget would bring about {}.", Amount(round(self.shadow_price)))
            } else {
                "More budget would bring nothing: the limits or the curves are exhausted.".into()
            });
        }
        for limit in self.binding().iter().filter(|limit| limit.limit != "budget") {
            let whose = match (limit.arm, &limit.name) {
                (Some(i), _) => self.schedule.curves.set.label(i),
                (None, name) => name.clone().unwrap_or_default(),
            };
            let (side, change) =
                if limit.limit.ends_with("upper") { ("at most", "more") } else { ("at least", "less") };
            summary.push(format!(
                "{whose} must spend {side} {}: one unit {change} would bring {}.",
                Amount(limit.bound),
                Amount(round(limit.price)),
            ));
        }
        summary
    }

    fn sentence(&self, i: usize) -> String {
        let (n, periods) = (self.arms(), self.periods());
        let label = self.schedule.curves.set.label(i);
        let spend: Vec<f64> = (0..periods).map(|t| self.spend[t * n + i]).collect();
        let total = self.arm_spend[i];
        if total <= 0.0 {
            return format!("{label} spends nothing.");
        }
        let active = spend.iter().filter(|x| **x > 0.0).count();
        let top = (0..periods).fold(0, |best, t| if spend[t] > spend[best] { t } else { best });
        let count = |near: &dyn Fn(usize) -> f64| {
            (0..periods).filter(|&t| spend[t] > 0.0 && (spend[t] - near(t)).abs() <= 1e-9 * spend[t]).count()
        };
        let limit_of = |name: &str, times: usize| match times {
            0 => String::new(),
            times => format!(", at its {name} in {times}"),
        };
        let held = limit_of("upper bound", count(&|t| self.schedule.upper.at(t, i)))
            + &limit_of("lower bound", count(&|t| self.schedule.lower.at(t, i)))
            + &limit_of("minimum", count(&|t| self.schedule.active_lower.at(t, i)));
        format!(
            "{label} spends {} in {active} of {periods} periods, most ({}) in period {top}{held}; it brings {}.",
            Amount(cents(total)),
            Amount(cents(spend[top])),
            Amount(round(self.arm_response[i])),
        )
    }
}

impl fmt::Display for SchedulePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.explain().iter().try_for_each(|sentence| writeln!(f, "{sentence}"))
    }
}

fn cents(x: f64) -> f64 {
    (x * 100.0).round() / 100.0
}

/// To four significant digits: what a sentence can use.
fn round(x: f64) -> f64 {
    format!("{x:.3e}").parse().unwrap_or(x)
}
