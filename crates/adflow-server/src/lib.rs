//! The command line of adflow: a table of campaigns in, a plan as text out.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`table`] | CSV → [`Problem`](adflow_core::Problem) |
//! | [`goals`] | arguments → what the problem must reach and keep |
//! | [`show`] | [`Plan`](adflow_core::Plan) → text |
//! | [`tour`] | what `adflow` says without arguments |
#![forbid(unsafe_code)]

pub mod frontier;
pub mod goals;
pub mod show;
pub mod table;
pub mod tour;

// The Rust code of the README runs with the documentation's tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
