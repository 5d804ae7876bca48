//! Time, Ctrl-C and signs of life, for solves that run without the interpreter.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use adflow_core::Clock;
use pyo3::prelude::*;
use pyo3::types::PyBool;

use crate::error::{Result, malformed};
use crate::python;

/// Often enough for a person, seldom enough to cost nothing.
const BETWEEN_CHECKS: Duration = Duration::from_millis(50);

/// Who hears, between the checks, how many seconds have passed.
pub(crate) enum Progress {
    Nobody,
    Callback(Py<PyAny>),
    /// A callback that is closed in the end.
    Bar(Py<PyAny>),
    /// A callback, or a bar, that hears the share done in place of the seconds.
    Share {
        call: Py<PyAny>,
        bar: bool,
    },
}

impl Progress {
    /// True for a bar, which shows the share of a time limit where there is one; or a callback.
    pub(crate) fn read(value: Option<&Bound<'_, PyAny>>, time_limit: Option<f64>) -> Result<Self> {
        let Some(value) = value else { return Ok(Self::Nobody) };
        match value.cast::<PyBool>() {
            Ok(truth) if truth.is_true() => {
                let bar = python::function(value.py(), "adflow._progress", "Bar")?;
                Ok(Self::Bar(bar.call1((time_limit,))?.unbind()))
            }
            Ok(_) => Ok(Self::Nobody),
            Err(_) if value.is_callable() => Ok(Self::Callback(value.clone().unbind())),
            Err(_) => {
                Err(malformed("progress", "must be a function of the seconds passed, or True for a bar"))
            }
        }
    }

    /// The same for calls that know how much of them is done.
    pub(crate) fn read_share(value: Option<&Bound<'_, PyAny>>) -> Result<Self> {
        let Some(value) = value else { return Ok(Self::Nobody) };
        match value.cast::<PyBool>() {
            Ok(truth) if truth.is_true() => {
                let bar = python::function(value.py(), "adflow._progress", "ShareBar")?;
                Ok(Self::Share { call: bar.call0()?.unbind(), bar: true })
            }
            Ok(_) => Ok(Self::Nobody),
            Err(_) if value.is_callable() => Ok(Self::Share { call: value.clone().unbind(), bar: false }),
            Err(_) => Err(malformed("progress", "must be a function of the share done, or True for a bar")),
        }
    }

    fn tell(&self, py: Python<'_>, elapsed: Duration, share: f64) -> PyResult<()> {
        match self {
            Self::Nobody => Ok(()),
            Self::Callback(call) | Self::Bar(call) => call.call1(py, (elapsed.as_secs_f64(),)).map(drop),
            Self::Share { call, .. } => call.call1(py, (share,)).map(drop),
        }
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        match self {
            Self::Bar(bar) | Self::Share { call: bar, bar: true } => bar.call_method0(py, "close").map(drop),
            Self::Nobody | Self::Callback(_) | Self::Share { .. } => Ok(()),
        }
    }
}

/// A clock that ends the solve when a Python signal handler, or who hears of the progress, raises.
pub(crate) struct Watch<'a> {
    start: Instant,
    progress: &'a Progress,
    /// Nanoseconds after the start; never where another thread does the checks.
    next_check: AtomicU64,
    /// The bits of the share that is done.
    share: AtomicU64,
    stopped: AtomicBool,
    raised: Mutex<Option<PyErr>>,
}

impl<'a> Watch<'a> {
    fn new(progress: &'a Progress, next_check: u64) -> Self {
        Self {
            start: Instant::now(),
            progress,
            next_check: AtomicU64::new(next_check),
            share: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
            raised: Mutex::new(None),
        }
    }

    /// Runs the signal handlers that wait, which Python does on its main thread only, and tells of the progress.
    fn check(&self) {
        let check = |py: Python<'_>| {
            py.check_signals()?;
            self.progress.tell(py, self.elapsed(), f64::from_bits(self.share.load(Ordering::Relaxed)))
        };
        if let Err(error) = Python::attach(check) {
            *self.raised.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            self.stopped.store(true, Ordering::Relaxed);
        }
    }

    fn finish<T>(self, py: Python<'_>, result: T) -> PyResult<T> {
        self.progress.close(py)?;
        match self.raised.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error),
            None => Ok(result),
        }
    }
}

impl Clock for Watch<'_> {
    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    fn interrupted(&self) -> bool {
        if self.stopped.load(Ordering::Relaxed) {
            return true;
        }
        let now = self.start.elapsed();
        if nanoseconds(now) < self.next_check.load(Ordering::Relaxed) {
            return false;
        }
        self.next_check.store(nanoseconds(now + BETWEEN_CHECKS), Ordering::Relaxed);
        self.check();
        self.stopped.load(Ordering::Relaxed)
    }

    fn progress(&self, share: f64) {
        self.share.store(share.to_bits(), Ordering::Relaxed);
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Runs `work` on this thread without the interpreter; it asks the watch itself.
pub(crate) fn here<T: Send>(
    py: Python<'_>,
    progress: &Progress,
    work: impl FnOnce(&Watch<'_>) -> T + Send,
) -> PyResult<T> {
    let (watch, result) = py.detach(|| {
        let watch = Watch::new(progress, nanoseconds(BETWEEN_CHECKS));
        let result = work(&watch);
        (watch, result)
    });
    watch.finish(py, result)
}

/// Runs `work`, which has threads of its own, beside this thread, which alone looks after signals and progress.
pub(crate) fn beside<T: Send>(
    py: Python<'_>,
    progress: &Progress,
    work: impl FnOnce(&Watch<'_>) -> T + Send,
) -> PyResult<T> {
    let (watch, result) = py.detach(|| {
        let watch = Watch::new(progress, u64::MAX);
        let result = thread::scope(|scope| {
            let (done, waiting) = sync_channel::<()>(1);
            let watch = &watch;
            let worker = scope.spawn(move || {
                // Dropped when the work ends, however it ends.
                let _done = done;
                work(watch)
            });
            while waiting.recv_timeout(BETWEEN_CHECKS) == Err(RecvTimeoutError::Timeout) {
                watch.check();
            }
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        (watch, result)
    });
    watch.finish(py, result)
}
