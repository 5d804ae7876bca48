//! The answer: a plan that carries its proof.

use adflow_core as core;
use napi::Env;
use napi::bindgen_prelude::{Either, Float64Array, Object};
use napi_derive::napi;

use crate::curves::count;
use crate::input::parse;
use crate::outcome::Outcome;

/// A limit as the caller stated it.
#[napi(object, use_nullable = true)]
pub struct Limit {
    /// Which limit.
    #[napi(
        ts_type = "'budget' | 'lower' | 'upper' | 'active_lower' | 'group_lower' | 'group_upper' | 'group_share_lower' | 'group_share_upper' | 'coupling' | 'target' | 'max_active' | 'max_change' | 'max_change_amount' | 'max_moves' | 'step' | 'marginal_roas' | 'extrapolation' | 'period_lower' | 'period_upper' | 'arm_lower' | 'arm_upper'"
    )]
    pub limit: String,
    /// The arm it belongs to; null where it is not a limit on one arm.
    pub arm: Option<u32>,
    /// The name of the arm, the group or the row of the matrix; null where there is none.
    pub name: Option<String>,
    /// The bound, in the limit's own unit: money, a share, a count, or what the target asks for.
    pub bound: f64,
}

impl From<core::Limit> for Limit {
    fn from(limit: core::Limit) -> Self {
        let core::Limit { limit, arm, name, bound } = limit;
        Self { limit: limit.into(), arm: arm.map(count), name, bound }
    }
}

/// A limit that holds a plan back, and what relaxing it by one unit would bring.
#[napi(object, use_nullable = true)]
pub struct Binding {
    /// Which limit.
    #[napi(ts_type = "Limit['limit']")]
    pub limit: String,
    /// The arm it belongs to; null where it is not a limit on one arm.
    pub arm: Option<u32>,
    /// The name of the arm, the group or the row of the matrix; null where there is none.
    pub name: Option<String>,
    /// The bound, in the limit's own unit: money, a share, a count, or what the target asks for.
    pub bound: f64,
    /// Objective per unit (of money, mostly) by which the limit is relaxed; below 0 only for a budget that must be spent.
    pub price: f64,
}

impl From<core::Binding> for Binding {
    fn from(binding: core::Binding) -> Self {
        let core::Binding { limit, arm, name, bound, price } = binding;
        Self { limit: limit.into(), arm: arm.map(count), name, bound, price }
    }
}

/// One check of a plan.
#[napi(object)]
pub struct Check {
    /// What was checked.
    pub name: String,
    /// Whether it holds.
    pub ok: bool,
    /// The numbers behind it.
    pub detail: String,
}

/// A plan recomputed from the problem and the spends alone.
#[napi(object)]
pub struct Verification {
    /// Whether every check holds.
    pub ok: bool,
    /// The checks.
    pub checks: Vec<Check>,
    /// The objective value, recomputed.
    pub objective_value: f64,
    /// The upper bound, recomputed from the proof.
    pub upper_bound: f64,
    /// The gap between the two.
    pub gap: f64,
}

impl From<core::Verification> for Verification {
    fn from(found: core::Verification) -> Self {
        let check =
            |check: core::Check| Check { name: check.name.into(), ok: check.ok, detail: check.detail };
        Self {
            ok: found.ok,
            checks: found.checks.into_iter().map(check).collect(),
            objective_value: found.objective_value,
            upper_bound: found.upper_bound,
            gap: found.gap,
        }
    }
}

/// What a plan does with one arm, and why. What needs the current spend is null where none was given.
#[napi(object, use_nullable = true)]
pub struct ArmExplanation {
    /// The arm, counted from 0.
    pub arm: u32,
    /// Its name; null where it has none.
    pub name: Option<String>,
    /// Its spend in the plan (money).
    pub spend: f64,
    /// Its spend today (money).
    pub current: Option<f64>,
    /// `spend − current` (money).
    pub change: Option<f64>,
    /// Its response in the plan.
    pub response: f64,
    /// Its response today.
    pub current_response: Option<f64>,
    /// Response per money of the next unit of money, in the plan.
    pub marginal_response: f64,
    /// Response per money of the next unit of money, today.
    pub current_marginal_response: Option<f64>,
    /// Value of the response per money, in the plan; null at no spend.
    pub roas: Option<f64>,
    /// Value of the response per money, today; null at no spend.
    pub current_roas: Option<f64>,
    /// Value per money of the next unit of money, in the plan.
    pub marginal_roas: f64,
    /// Value per money of the next unit of money, today.
    pub current_marginal_roas: Option<f64>,
    /// The limit that holds the arm; null where none does.
    #[napi(ts_type = "Limit['limit']")]
    pub binding: Option<String>,
    /// What relaxing that limit by one unit of money would bring.
    pub binding_price: Option<f64>,
    /// Whether the spend lies outside what the curve was made from; null where that is not known.
    pub outside_observed: Option<bool>,
    /// What a unit of the arm's money must bring: the price of budget and of every other limit that counts the arm.
    pub price: f64,
    /// Why it does not spend more.
    pub why_not_more: String,
    /// Why it does not spend less.
    pub why_not_less: String,
    /// The second-best thing the arm could do at the prices of the plan (money): to spend nothing more than it must, or,
    /// where it does that, the best of its higher spends; null where there is none.
    pub alternative_spend: Option<f64>,
    /// What that loses at least (objective, but for the gap): no plan in which the arm does it is better than the upper bound
    /// less this.
    pub alternative_loss: Option<f64>,
    /// The arm in one sentence.
    pub sentence: String,
}

impl From<core::ArmExplanation> for ArmExplanation {
    fn from(arm: core::ArmExplanation) -> Self {
        Self {
            arm: count(arm.arm),
            name: arm.name,
            spend: arm.spend,
            current: arm.current,
            change: arm.change,
            response: arm.response,
            current_response: arm.current_response,
            marginal_response: arm.marginal_response,
            current_marginal_response: arm.current_marginal_response,
            roas: arm.roas,
            current_roas: arm.current_roas,
            marginal_roas: arm.marginal_roas,
            current_marginal_roas: arm.current_marginal_roas,
            binding: arm.binding.map(Into::into),
            binding_price: arm.binding_price,
            outside_observed: arm.outside_observed,
            price: arm.price,
            why_not_more: arm.why_not_more,
            why_not_less: arm.why_not_less,
            alternative_spend: arm.alternative_spend,
            alternative_loss: arm.alternative_loss,
            sentence: arm.sentence,
        }
    }
}

/// A plan in words.
#[napi(object)]
pub struct Explanation {
    /// The plan in a few sentences.
    pub summary: Vec<String>,
    /// One record and one sentence per arm.
    pub arms: Vec<ArmExplanation>,
}

/// The numbers of a plan as a plain object.
#[napi(object, use_nullable = true)]
pub struct PlanObject {
    /// The arms' names; null where they have none.
    pub names: Option<Vec<String>>,
    /// Whether the gap is within the tolerance.
    #[napi(ts_type = "'optimal' | 'feasible'")]
    pub status: String,
    /// Spend per arm (money).
    pub spend: Float64Array,
    /// Response per arm.
    pub response: Float64Array,
    /// Derivative of each curve at its spend (response per money).
    pub marginal_response: Float64Array,
    /// Sum of the spends (money).
    pub total_spend: f64,
    /// Sum of the responses.
    pub total_response: f64,
    /// What was maximised.
    pub objective_value: f64,
    /// No plan within the limits has a larger objective value.
    pub upper_bound: f64,
    /// (upperBound − objectiveValue)/|upperBound|.
    pub gap: f64,
    /// What one more unit of budget is worth.
    pub shadow_price: f64,
    /// The limits that hold the plan back.
    pub binding: Vec<Binding>,
    /// The limits on several arms, with their prices.
    pub limits: Vec<Binding>,
    /// With whole steps: what the best plan without them would have been worth more; null without steps.
    pub rounding_loss: Option<f64>,
    /// Steps of the search.
    pub iterations: f64,
    /// Time the search took (seconds).
    pub elapsed: f64,
}

/// A plan and the proof of how good it is.
///
/// `upperBound` is a number that no plan within the limits can exceed, so
///
/// ```text
/// gap = (upperBound − objectiveValue) / |upperBound|
/// ```
///
/// says how much, at most, is left on the table.
#[napi]
pub struct Plan(pub(crate) core::Plan);

#[napi]
impl Plan {
    /// Spend per arm (money).
    #[napi(getter)]
    pub fn spend(&self) -> Float64Array {
        self.0.spend.clone().into()
    }

    /// Response per arm at that spend (what the curve counts).
    #[napi(getter)]
    pub fn response(&self) -> Float64Array {
        self.0.response.clone().into()
    }

    /// Derivative of each curve at that spend (response per money); `Infinity` where it rises vertically.
    #[napi(getter)]
    pub fn marginal_response(&self) -> Float64Array {
        self.0.marginal_response.clone().into()
    }

    /// Sum of the spends (money).
    #[napi(getter)]
    pub fn total_spend(&self) -> f64 {
        self.0.total_spend
    }

    /// Sum of the responses.
    #[napi(getter)]
    pub fn total_response(&self) -> f64 {
        self.0.total_response
    }

    /// What was maximised: Σ value · response less costs, or what `objective` and `risk` put in its place. Negative for
    /// the objective `"spend"`.
    #[napi(getter)]
    pub fn objective_value(&self) -> f64 {
        self.0.objective_value
    }

    /// No plan within the limits has a larger objective value.
    #[napi(getter)]
    pub fn upper_bound(&self) -> f64 {
        self.0.upper_bound
    }

    /// (upperBound − objectiveValue)/|upperBound|.
    #[napi(getter)]
    pub fn gap(&self) -> f64 {
        self.0.gap
    }

    /// What one more unit of budget is worth; `Infinity` where a curve rises vertically and there is no budget at all.
    #[napi(getter)]
    pub fn shadow_price(&self) -> f64 {
        self.0.shadow_price
    }

    /// `"optimal"` where the gap is within the tolerance; `"feasible"` where the search ended before that.
    #[napi(getter, ts_return_type = "'optimal' | 'feasible'")]
    pub fn status(&self) -> String {
        self.0.status.as_str().into()
    }

    /// The limits that hold the plan back, with their prices: those on several arms first, then the arms in order.
    #[napi(getter)]
    pub fn binding(&self) -> Vec<Binding> {
        self.0.binding().into_iter().map(Binding::from).collect()
    }

    /// The limits on several arms with the price of each, 0 where it does not hold the plan back: the budget, groups (each:
    /// lower, upper, least share, largest share), rows of the matrix, the target, most active and most moved arms. Empty for
    /// a problem with nothing but a budget.
    #[napi(getter)]
    pub fn limits(&self) -> Vec<Binding> {
        self.0.limits.iter().cloned().map(Binding::from).collect()
    }

    /// What the plan brings in every draw of its curves; undefined where the curves are certain.
    #[napi(getter, ts_return_type = "Outcome | undefined")]
    pub fn outcome(&self) -> Either<Outcome, ()> {
        self.0.outcome().map_or(Either::B(()), |outcome| Either::A(Outcome(outcome)))
    }

    /// The arms' names; null where they have none.
    #[napi(getter)]
    pub fn names(&self) -> Option<Vec<String>> {
        self.0.names().map(<[String]>::to_vec)
    }

    /// With whole steps: what the best plan without them would have been worth more; null without steps.
    #[napi(getter)]
    pub fn rounding_loss(&self) -> Option<f64> {
        self.0.rounding_loss
    }

    /// Steps of the search.
    #[napi(getter)]
    pub fn iterations(&self) -> f64 {
        f64::from(count(self.0.iterations))
    }

    /// Time the search took (seconds).
    #[napi(getter)]
    pub fn elapsed(&self) -> f64 {
        self.0.elapsed.as_secs_f64()
    }

    /// Recomputes the plan and its proof from the problem and the spends alone, by code of its own.
    #[napi]
    pub fn verify(&self) -> Verification {
        self.0.verify().into()
    }

    /// The plan in words: a summary, and one record and one sentence per arm.
    #[napi]
    pub fn explain(&self) -> Explanation {
        let core::Explanation { summary, arms } = self.0.explain();
        Explanation { summary, arms: arms.into_iter().map(ArmExplanation::from).collect() }
    }

    /// The numbers of the plan as a plain object, which can be sent to a worker or spread.
    #[napi]
    pub fn to_object(&self) -> PlanObject {
        PlanObject {
            names: self.names(),
            status: self.status(),
            spend: self.spend(),
            response: self.response(),
            marginal_response: self.marginal_response(),
            total_spend: self.total_spend(),
            total_response: self.total_response(),
            objective_value: self.objective_value(),
            upper_bound: self.upper_bound(),
            gap: self.gap(),
            shadow_price: self.shadow_price(),
            binding: self.binding(),
            limits: self.limits(),
            rounding_loss: self.rounding_loss(),
            iterations: self.iterations(),
            elapsed: self.elapsed(),
        }
    }

    /// The versioned document that Rust, Python and the command line write too, with the proof; `JSON.stringify(plan)`
    /// calls it. Infinite numbers are null in it.
    #[napi(js_name = "toJSON", ts_return_type = "Record<string, unknown>")]
    pub fn to_json<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        parse(env, self.0.to_json())
    }
}
