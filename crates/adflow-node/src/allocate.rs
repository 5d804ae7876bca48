//! Allocation, at once or off the event loop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use adflow_core::{self as core, Clock, Problem};
use napi::bindgen_prelude::{AsyncTask, Unknown};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status, Task};
use napi_derive::napi;

use crate::curves::ResponseCurves;
use crate::input::read;
use crate::options::AllocateOptions;
use crate::plan::Plan;
use crate::{Error, Result};

/// A function that hears how much of a long call is done, from 0 to 1; it does not keep the process alive.
pub(crate) type Progress = ThreadsafeFunction<f64, Unknown<'static>, f64, Status, false, true>;

/// Time since its creation, a flag that stops the search, and who hears how far it is.
pub(crate) struct Watch<'a> {
    start: Instant,
    interrupted: Option<&'a AtomicBool>,
    progress: Option<&'a Progress>,
}

impl<'a> Watch<'a> {
    pub(crate) fn new(interrupted: Option<&'a AtomicBool>) -> Self {
        Self { start: Instant::now(), interrupted, progress: None }
    }

    pub(crate) fn telling(self, progress: Option<&'a Progress>) -> Self {
        Self { progress, ..self }
    }
}

impl Clock for Watch<'_> {
    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    fn interrupted(&self) -> bool {
        self.interrupted.is_some_and(|interrupted| interrupted.load(Ordering::Relaxed))
    }

    fn progress(&self, share: f64) {
        if let Some(progress) = self.progress {
            progress.call(share, ThreadsafeFunctionCallMode::NonBlocking);
        }
    }
}

/// Stops a search that runs off the event loop.
#[napi]
pub struct Interrupt(pub(crate) Arc<AtomicBool>);

#[napi]
#[allow(clippy::new_without_default, reason = "JavaScript has constructors only")]
impl Interrupt {
    /// One that has not stopped anything yet.
    #[napi(constructor)]
    pub fn new() -> Self {
        Self(Arc::default())
    }

    /// Stops the search between two of its steps.
    #[napi]
    pub fn interrupt(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Splits a budget over arms so that the objective is largest, with the proof that it is.
///
/// ```text
/// maximise   Σ value_i · response_i(x_i) − costs        (objective "response")
///            Σ value_i · response_i(x_i) − Σ x_i − costs        ("profit")
///            −Σ x_i − costs        ("spend")
/// subject to Σ x_i ≤ budget        (= budget with spendAll)
///            x_i ∈ [lower_i, upper_i]  or  {0} ∪ [activeLower_i, upper_i]
///            groups, coupling, target, maxActive, maxMoves, maxChange, step, as far as they are given
/// costs      Σ activationCost_i over the arms that spend + Σ moveCost_i · |x_i − current_i|
///            + Σ extrapolation · max(0, x_i − largest spend observed)
/// ```
///
/// With `risk`, a measure of the outcomes over the curves' draws takes the place of Σ value · response.
///
/// It runs on the event loop: microseconds for tens of arms; for large problems there is `allocateAsync`.
///
/// @throws AdflowError with code `infeasible` where no plan keeps all limits, and for input outside its domain.
#[napi]
pub fn allocate(
    curves: &ResponseCurves,
    #[napi(ts_arg_type = "AllocateOptions")] options: Unknown<'_>,
) -> Result<Plan> {
    let problem = read::<AllocateOptions>(options)?.problem(curves)?;
    Ok(Plan(problem.solve_with(&Watch::new(None)).map_err(Error::of_options)?))
}

/// Work item of [`allocate_task`], run on the libuv pool.
pub struct AllocateTask {
    problem: Option<Problem>,
    interrupted: Arc<AtomicBool>,
}

#[napi]
impl Task for AllocateTask {
    // The core's error crosses the pool whole, so that `resolve` can give it its class.
    type Output = Option<core::Result<core::Plan>>;
    type JsValue = Plan;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        let watch = Watch::new(Some(&self.interrupted));
        Ok(self.problem.take().map(|problem| problem.solve_with(&watch)))
    }

    fn resolve(&mut self, _: Env, output: Self::Output) -> napi::Result<Self::JsValue> {
        match output {
            Some(Ok(plan)) => Ok(Plan(plan)),
            Some(Err(error)) => Err(Error::of_options(error).into()),
            None => Err(napi::Error::from_reason("the task ran twice")),
        }
    }
}

/// `allocate` off the event loop, until `interrupt` stops it.
#[napi(ts_return_type = "Promise<Plan>")]
pub fn allocate_task(
    curves: &ResponseCurves,
    #[napi(ts_arg_type = "AllocateOptions")] options: Unknown<'_>,
    interrupt: &Interrupt,
) -> Result<AsyncTask<AllocateTask>> {
    let problem = Some(read::<AllocateOptions>(options)?.problem(curves)?);
    Ok(AsyncTask::new(AllocateTask { problem, interrupted: Arc::clone(&interrupt.0) }))
}
