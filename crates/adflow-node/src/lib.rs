//! Node binding: converts types, moves work off the event loop, maps errors. No logic.
//!
//! `adflow.js` stands in front of it: it brings the error class and the `AbortSignal`, everything else passes
//! through.

#![cfg_attr(
    test,
    allow(dead_code, unused_imports, reason = "a test build, only ever linted, registers nothing")
)]
#![allow(unreachable_pub, reason = "the macro wants `pub`, and an addon has no callers in Rust")]

mod adstock;
mod allocate;
mod batch;
mod curves;
mod error;
mod families;
mod fitted;
mod forecast;
mod frontier;
mod history;
mod input;
mod job;
mod limits;
mod market;
mod market_answers;
mod market_settings;
mod model;
mod model_settings;
mod options;
mod outcome;
mod plan;
mod readers;
mod schedule;
mod schedule_plan;
mod settings;
mod summary;
mod uncertainty;

use error::{Error, Result};
