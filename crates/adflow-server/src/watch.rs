//! The clock of a long call: it tells a person at the terminal how far it is.

use std::cell::Cell;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use adflow_core::Clock;

/// Progress is shown at most this often.
const PAUSE: Duration = Duration::from_millis(100);

/// Time since it was made, and a line of progress on standard error where that is a terminal.
#[derive(Debug)]
pub struct Watch {
    start: Instant,
    task: &'static str,
    /// When the line was last written; `None` where nobody reads it.
    shown: Cell<Option<Duration>>,
    terminal: bool,
}

impl Watch {
    /// Starts now.
    #[must_use]
    pub fn new(task: &'static str) -> Self {
        let terminal = std::io::stderr().is_terminal();
        Self { start: Instant::now(), task, shown: Cell::new(None), terminal }
    }
}

impl Clock for Watch {
    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    fn progress(&self, share: f64) {
        let now = self.elapsed();
        if !self.terminal || self.shown.get().is_some_and(|last| now < last + PAUSE) {
            return;
        }
        self.shown.set(Some(now));
        let percent = (100.0 * share.clamp(0.0, 1.0)).floor();
        let mut stderr = std::io::stderr().lock();
        // Progress that cannot be shown is no reason to stop.
        let _ = write!(stderr, "\r{} {percent:3.0} %, {:.0} s ", self.task, now.as_secs_f64());
        let _ = stderr.flush();
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if self.shown.get().is_some() {
            let mut stderr = std::io::stderr().lock();
            let _ = write!(stderr, "\r{:1$}\r", "", self.task.len() + 24);
            let _ = stderr.flush();
        }
    }
}
