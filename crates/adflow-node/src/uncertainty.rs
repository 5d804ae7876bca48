//! How much a plan hangs on what is not known.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use adflow_core as core;
use napi::bindgen_prelude::{AsyncTask, Float64Array, Unknown};
use napi::{Env, Task};
use napi_derive::napi;

use crate::allocate::{Interrupt, Watch};
use crate::curves::count;
use crate::input::{Options, index, read};
use crate::plan::Plan;
use crate::{Error, Result};

/// Draws that are used where none are asked for: one plan for each, and one for each and arm.
const DRAWS: usize = 100;

/// How many draws an answer stands on.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct UncertaintyOptions {
    /// Draws that are used at most, evenly chosen; default 100.
    pub draws: Option<f64>,
}

impl Options for UncertaintyOptions {
    const KEYS: &'static [&'static str] = &["draws"];
}

/// The share of the total that an arm has in the best plans of single draws (0 to 1).
#[napi(object)]
pub struct ShareSpread {
    /// Mean over the draws.
    pub mean: f64,
    /// Population standard deviation.
    pub std: f64,
    /// Quantile at 5 %.
    pub low: f64,
    /// Quantile at 95 %.
    pub high: f64,
}

/// How a plan's quality hangs on the draws of its curves.
#[napi(object, use_nullable = true)]
pub struct Uncertainty {
    /// Positions of the draws that were used.
    pub draws: Vec<u32>,
    /// Draws in which no plan keeps the limits (a target out of reach): they count nowhere else.
    pub infeasible: u32,
    /// Per arm.
    pub shares: Vec<ShareSpread>,
    /// Mean over the draws of what the plan is worth less than the draw's own best plan (objective).
    pub regret_mean: f64,
    /// Quantiles of that at 5, 25, 50, 75 and 95 %.
    pub regret_quantiles: Float64Array,
    /// What knowing all curves would be worth (objective): the expected value of perfect information.
    pub perfect_information: f64,
    /// The same in money; null where the budget has no price.
    pub perfect_information_money: Option<f64>,
    /// What knowing one arm's curve would be worth, per arm (objective).
    pub arm_information: Float64Array,
    /// The same in money; null where the budget has no price.
    pub arm_information_money: Option<Float64Array>,
}

impl From<core::Uncertainty> for Uncertainty {
    fn from(found: core::Uncertainty) -> Self {
        let spread = |share: core::ShareSpread| ShareSpread {
            mean: share.mean,
            std: share.std,
            low: share.low,
            high: share.high,
        };
        Self {
            draws: found.draws.into_iter().map(count).collect(),
            infeasible: count(found.infeasible),
            shares: found.shares.into_iter().map(spread).collect(),
            regret_mean: found.regret_mean,
            regret_quantiles: found.regret_quantiles.to_vec().into(),
            perfect_information: found.perfect_information,
            perfect_information_money: found.perfect_information_money,
            arm_information: found.arm_information.into(),
            arm_information_money: found.arm_information_money.map(Float64Array::from),
        }
    }
}

fn draws(options: Option<Unknown<'_>>) -> Result<usize> {
    let options: UncertaintyOptions = options.map(read).transpose()?.unwrap_or_default();
    options.draws.map_or(Ok(DRAWS), |draws| index("draws", draws))
}

/// Work item of [`Plan::uncertainty_async`], run on the libuv pool.
pub struct UncertaintyTask {
    plan: core::Plan,
    draws: usize,
    interrupted: Arc<AtomicBool>,
}

#[napi]
impl Task for UncertaintyTask {
    // The core's error crosses the pool whole, so that `resolve` can give it its class.
    type Output = core::Result<core::Uncertainty>;
    type JsValue = Uncertainty;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        Ok(self.plan.uncertainty_with(self.draws, &Watch::new(Some(&self.interrupted))))
    }

    fn resolve(&mut self, _: Env, output: Self::Output) -> napi::Result<Self::JsValue> {
        Ok(output.map_err(Error::of_options)?.into())
    }
}

#[napi]
impl Plan {
    /// How the plan hangs on the draws of its curves, from one plan per draw and one per draw and arm: the shares of the
    /// arms in the best plans of single draws, the regret of not knowing the draw, and what knowing all curves, or that of
    /// one arm, would be worth. A plan for a measure of risk is held against plans without one.
    ///
    /// It runs on the event loop; for many draws and arms there is `uncertaintyAsync`.
    ///
    /// @throws AdflowError with code `out_of_domain` where the curves have no draws or none is to be used.
    #[napi]
    pub fn uncertainty(
        &self,
        #[napi(ts_arg_type = "UncertaintyOptions | undefined | null")] options: Option<Unknown<'_>>,
    ) -> Result<Uncertainty> {
        let found = self.0.uncertainty_with(draws(options)?, &Watch::new(None));
        Ok(found.map_err(Error::of_options)?.into())
    }

    /// `uncertainty` off the event loop, on the libuv pool. The promise is rejected as that of `allocateAsync` is.
    #[napi(
        ts_args_type = "options?: (UncertaintyOptions & { signal?: AbortSignal }) | null, signal?: AbortSignal",
        ts_return_type = "Promise<Uncertainty>"
    )]
    pub fn uncertainty_async(
        &self,
        options: Option<Unknown<'_>>,
        interrupt: &Interrupt,
    ) -> Result<AsyncTask<UncertaintyTask>> {
        Ok(AsyncTask::new(UncertaintyTask {
            plan: self.0.clone(),
            draws: draws(options)?,
            interrupted: Arc::clone(&interrupt.0),
        }))
    }
}
