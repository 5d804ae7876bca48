//! Time, and Ctrl-C, for solves that run without the interpreter.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use adflow_core::Clock;
use pyo3::prelude::*;

/// Often enough for a person, seldom enough to cost nothing.
const BETWEEN_CHECKS: Duration = Duration::from_millis(50);

/// A clock that ends the solve when a Python signal handler raises.
pub(crate) struct Watch {
    start: Instant,
    /// Nanoseconds after the start.
    next_check: AtomicU64,
    stopped: AtomicBool,
    raised: Mutex<Option<PyErr>>,
}

impl Watch {
    fn new() -> Self {
        Self {
            start: Instant::now(),
            next_check: AtomicU64::new(nanoseconds(BETWEEN_CHECKS)),
            stopped: AtomicBool::new(false),
            raised: Mutex::new(None),
        }
    }

    /// Runs the signal handlers that wait. Python runs them on its main thread only; elsewhere this does nothing.
    fn check_signals(&self) {
        if let Err(error) = Python::attach(|py| py.check_signals()) {
            *self.raised.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            self.stopped.store(true, Ordering::Relaxed);
        }
    }

    fn finish<T>(self, result: T) -> PyResult<T> {
        match self.raised.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error),
            None => Ok(result),
        }
    }
}

impl Clock for Watch {
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
        self.check_signals();
        self.stopped.load(Ordering::Relaxed)
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Runs `work` on this thread without the interpreter; it asks the watch itself.
pub(crate) fn here<T: Send>(py: Python<'_>, work: impl FnOnce(&Watch) -> T + Send) -> PyResult<T> {
    let (watch, result) = py.detach(|| {
        let watch = Watch::new();
        let result = work(&watch);
        (watch, result)
    });
    watch.finish(result)
}

/// Runs `work`, which has threads of its own, beside this thread, which looks after the signals.
pub(crate) fn beside<T: Send>(py: Python<'_>, work: impl FnOnce(&Watch) -> T + Send) -> PyResult<T> {
    let (watch, result) = py.detach(|| {
        let watch = Watch::new();
        let result = thread::scope(|scope| {
            let (done, waiting) = sync_channel::<()>(1);
            let watch = &watch;
            let worker = scope.spawn(move || {
                // Dropped when the work ends, however it ends.
                let _done = done;
                work(watch)
            });
            while waiting.recv_timeout(BETWEEN_CHECKS) == Err(RecvTimeoutError::Timeout) {
                watch.check_signals();
            }
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        (watch, result)
    });
    watch.finish(result)
}
