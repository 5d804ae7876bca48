//! Many independent problems in one call.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use adflow_core::{self as core, Problem};
use napi::bindgen_prelude::{AsyncTask, Float64Array, Unknown};
use napi::{Env, Task};
use napi_derive::napi;

use crate::allocate::{Interrupt, Watch};
use crate::curves::ResponseCurves;
use crate::input::{Numbers, Positions, numbers, positions, read};
use crate::options::AllocateOptions;
use crate::{Error, Result};

/// The plans of many problems: columns over all arms, and columns over problems.
#[napi(object)]
pub struct Batch {
    /// Spend per arm (money).
    pub spend: Float64Array,
    /// Response per arm.
    pub response: Float64Array,
    /// Derivative of each curve at its spend (response per money).
    pub marginal_response: Float64Array,
    /// What was maximised, per problem.
    pub objective_value: Float64Array,
    /// Upper bound per problem.
    pub upper_bound: Float64Array,
    /// Gap per problem.
    pub gap: Float64Array,
    /// What one more unit of budget is worth, per problem.
    pub shadow_price: Float64Array,
    /// Status per problem.
    #[napi(ts_type = "Array<'optimal' | 'feasible'>")]
    pub status: Vec<String>,
}

impl From<core::Batch> for Batch {
    fn from(batch: core::Batch) -> Self {
        Self {
            spend: batch.spend.into(),
            response: batch.response.into(),
            marginal_response: batch.marginal_response.into(),
            objective_value: batch.objective_value.into(),
            upper_bound: batch.upper_bound.into(),
            gap: batch.gap.into(),
            shadow_price: batch.shadow_price.into(),
            status: batch.status.iter().map(|status| status.as_str().into()).collect(),
        }
    }
}

/// Solves many independent problems in one call: problem j owns the arms `offsets[j]` up to, not including,
/// `offsets[j + 1]` of the curves, and the budget `budgets[j]`. Options per arm are given for all arms of all problems;
/// `objective`, `target`, `maxActive`, `maxMoves` and `risk` hold for each problem; `groups` and `coupling` are refused, and
/// `budget` is not used.
///
/// @throws AdflowError as `allocate` does; the message names the problem.
#[napi]
pub fn allocate_batch(
    curves: &ResponseCurves,
    offsets: Positions,
    budgets: Numbers,
    #[napi(ts_arg_type = "AllocateOptions | undefined | null")] options: Option<Unknown<'_>>,
) -> Result<Batch> {
    let problem = problem(curves, options)?;
    let offsets = positions("offsets", &offsets)?;
    let batch = problem.solve_batch_with(&offsets, numbers(&budgets), &Watch::new(None));
    Ok(batch.map_err(Error::of_options)?.into())
}

fn problem(curves: &ResponseCurves, options: Option<Unknown<'_>>) -> Result<Problem> {
    let options = options.map(read::<AllocateOptions>).transpose()?;
    options.unwrap_or_default().problem(curves)
}

/// Work item of [`allocate_batch_task`], run on the libuv pool.
pub struct BatchTask {
    problem: Problem,
    offsets: Vec<usize>,
    budgets: Vec<f64>,
    interrupted: Arc<AtomicBool>,
}

#[napi]
impl Task for BatchTask {
    // The core's error crosses the pool whole, so that `resolve` can give it its class.
    type Output = core::Result<core::Batch>;
    type JsValue = Batch;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        let watch = Watch::new(Some(&self.interrupted));
        Ok(self.problem.solve_batch_with(&self.offsets, &self.budgets, &watch))
    }

    fn resolve(&mut self, _: Env, output: Self::Output) -> napi::Result<Self::JsValue> {
        Ok(output.map_err(Error::of_options)?.into())
    }
}

/// `allocateBatch` off the event loop, until `interrupt` stops it.
#[napi(ts_return_type = "Promise<Batch>")]
pub fn allocate_batch_task(
    curves: &ResponseCurves,
    offsets: Positions,
    budgets: Numbers,
    #[napi(ts_arg_type = "AllocateOptions | undefined | null")] options: Option<Unknown<'_>>,
    interrupt: &Interrupt,
) -> Result<AsyncTask<BatchTask>> {
    Ok(AsyncTask::new(BatchTask {
        problem: problem(curves, options)?,
        offsets: positions("offsets", &offsets)?,
        budgets: numbers(&budgets).to_vec(),
        interrupted: Arc::clone(&interrupt.0),
    }))
}
