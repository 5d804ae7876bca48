//! The answer of a schedule: what is spent when, what it brings, and the proof.

use adflow_core as core;
use napi::Env;
use napi::bindgen_prelude::{Float64Array, Object};
use napi_derive::napi;

use crate::Result;
use crate::curves::count;
use crate::input::{parse, row};
use crate::plan::{Binding, Verification};

/// A plan over periods and the proof of how good it is.
///
/// Matrices stand row by row: entry `t * arms + i` belongs to period t and arm i.
#[napi]
pub struct SchedulePlan(pub(crate) core::SchedulePlan);

#[napi]
impl SchedulePlan {
    /// Number of arms.
    #[napi(getter)]
    pub fn arms(&self) -> u32 {
        count(self.0.arms())
    }

    /// Number of periods.
    #[napi(getter)]
    pub fn periods(&self) -> u32 {
        count(self.0.periods())
    }

    /// The arms' names; null where they have none.
    #[napi(getter)]
    pub fn names(&self) -> Option<Vec<String>> {
        self.0.names().map(<[String]>::to_vec)
    }

    /// Spend per period and arm (money), periods × arms.
    #[napi(getter)]
    pub fn spend(&self) -> Float64Array {
        self.0.spend.clone().into()
    }

    /// Adstocked spend per period and arm (money), (periods and tail) × arms.
    #[napi(getter)]
    pub fn adstocked(&self) -> Float64Array {
        self.0.adstocked.clone().into()
    }

    /// Response per period and arm, (periods and tail) × arms.
    #[napi(getter)]
    pub fn response(&self) -> Float64Array {
        self.0.response.clone().into()
    }

    /// Spend per arm, all periods together (money).
    #[napi(getter)]
    pub fn arm_spend(&self) -> Float64Array {
        self.0.arm_spend.clone().into()
    }

    /// Response per arm, all periods and the tail together.
    #[napi(getter)]
    pub fn arm_response(&self) -> Float64Array {
        self.0.arm_response.clone().into()
    }

    /// Spend per period, all arms together (money).
    #[napi(getter)]
    pub fn period_spend(&self) -> Float64Array {
        self.0.period_spend.clone().into()
    }

    /// Response after the last period; 0 where the tail does not count.
    #[napi(getter)]
    pub fn response_after(&self) -> f64 {
        self.0.response_after
    }

    /// responseAfter/totalResponse; 0 where there is no response.
    #[napi(getter)]
    pub fn response_after_share(&self) -> f64 {
        self.0.response_after_share
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

    /// Σ value · response: what was maximised.
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

    /// What one more unit of budget is worth; 0 without a budget.
    #[napi(getter)]
    pub fn shadow_price(&self) -> f64 {
        self.0.shadow_price
    }

    /// `"optimal"` where the gap is within the tolerance; `"feasible"` where the search ended before that.
    #[napi(getter, ts_return_type = "'optimal' | 'feasible'")]
    pub fn status(&self) -> String {
        self.0.status.as_str().into()
    }

    /// The limits on several spends that hold the plan back, with their prices.
    #[napi(getter)]
    pub fn binding(&self) -> Vec<Binding> {
        self.0.binding().into_iter().map(Binding::from).collect()
    }

    /// All limits on several spends with the price of each: the budget, then periods and arms that have limits. A period is
    /// named `"period 3"`, counted from 0.
    #[napi(getter)]
    pub fn limits(&self) -> Vec<Binding> {
        self.0.limits.iter().cloned().map(Binding::from).collect()
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

    /// Spend per arm (money) in period t, counted from 0.
    ///
    /// @throws AdflowError with code `out_of_domain` where there is no such period.
    #[napi]
    pub fn row(&self, t: f64) -> Result<Float64Array> {
        row(&self.0.spend, self.0.arms(), t)
    }

    /// Recomputes the plan and its proof from the schedule and the spends alone, by code of its own.
    #[napi]
    pub fn verify(&self) -> Verification {
        self.0.verify().into()
    }

    /// The plan in sentences: the whole first, then one per arm.
    #[napi]
    pub fn explain(&self) -> Vec<String> {
        self.0.explain()
    }

    /// The versioned document that Rust, Python and the command line write too, with the proof; `JSON.stringify(plan)`
    /// calls it. Infinite numbers are null in it.
    #[napi(js_name = "toJSON", ts_return_type = "Record<string, unknown>")]
    pub fn to_json<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        parse(env, self.0.to_json())
    }
}
