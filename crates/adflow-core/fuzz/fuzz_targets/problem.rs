//! Any text as the JSON of a problem: an answer or a typed error, never a panic, no hang past the time limit.
#![no_main]

use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(problem) = adflow_core::Problem::from_json(text) {
        let start = Instant::now();
        let clock = move || -> Duration { start.elapsed() };
        if let Ok(plan) = problem.time_limit(0.5).solve_with(&clock) {
            assert!(plan.spend.iter().all(|x| x.is_finite()));
            let _ = plan.verify();
        }
    }
});
