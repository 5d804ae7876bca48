//! Time and interruption come from outside: the core reads no clock.

use std::time::Duration;

/// What the caller knows about time; asked between the steps of a search.
pub trait Clock {
    /// Time since the call began.
    fn elapsed(&self) -> Duration;

    /// Whether the caller wants the best plan found so far, now.
    fn interrupted(&self) -> bool {
        false
    }

    /// Hears how much of a long call is done, from 0 to 1; called now and then by the thread that made the call.
    fn progress(&self, _share: f64) {}
}

impl<F: Fn() -> Duration> Clock for F {
    fn elapsed(&self) -> Duration {
        self()
    }
}

/// A clock that stands still.
pub(crate) struct NoClock;

impl Clock for NoClock {
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}
