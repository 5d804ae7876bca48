//! Work off the event loop, on the libuv pool.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use adflow_core as core;
use napi::bindgen_prelude::{AsyncTask, ToNapiValue, TypeName};
use napi::{Env, Task};

use crate::Error;
use crate::allocate::{Interrupt, Progress, Watch};

type Work<J> = Box<dyn FnOnce(&Watch<'_>) -> core::Result<J> + Send>;

/// A call of the core that gives a `J`.
pub struct Job<J> {
    work: Option<Work<J>>,
    interrupted: Arc<AtomicBool>,
    progress: Option<Progress>,
}

impl<J: ToNapiValue + TypeName + Send + 'static> Job<J> {
    /// Runs a call on the pool, and makes of its answer what JavaScript takes.
    pub(crate) fn start<O>(
        interrupt: &Interrupt,
        progress: Option<Progress>,
        work: impl FnOnce(&Watch<'_>) -> core::Result<O> + Send + 'static,
        told: impl FnOnce(O) -> J + Send + 'static,
    ) -> AsyncTask<Self> {
        AsyncTask::new(Self {
            work: Some(Box::new(move |watch| work(watch).map(told))),
            interrupted: Arc::clone(&interrupt.0),
            progress,
        })
    }
}

impl<J: ToNapiValue + TypeName + Send + 'static> Task for Job<J> {
    // The core's error crosses the pool whole, so that `resolve` can give it its class.
    type Output = Option<core::Result<J>>;
    type JsValue = J;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        let watch = Watch::new(Some(&self.interrupted)).telling(self.progress.as_ref());
        Ok(self.work.take().map(|work| work(&watch)))
    }

    fn resolve(&mut self, _: Env, output: Self::Output) -> napi::Result<Self::JsValue> {
        match output {
            Some(Ok(answer)) => Ok(answer),
            Some(Err(error)) => Err(Error::of_options(error).into()),
            None => Err(napi::Error::from_reason("the task ran twice")),
        }
    }
}
