//! The command line of adflow: histories and tables of campaigns in, curves and plans as text out.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`fit`] | `adflow fit`: a history in, a summary and curves out |
//! | [`history_table`] | CSV → [`History`](adflow_core::History) |
//! | [`model_options`] | arguments → [`ResponseModel`](adflow_core::ResponseModel) |
//! | [`summary`], [`decomposed`] | what a fit found → text, and where the outcome came from → CSV |
//! | [`curves_file`] | from a fit to `adflow allocate` |
//! | [`table`] | CSV → [`Problem`](adflow_core::Problem) |
//! | [`goals`] | arguments → what the problem must reach and keep |
//! | [`show`], [`frontier`] | [`Plan`](adflow_core::Plan), [`Frontier`](adflow_core::Frontier) → text |
//! | [`tour`], [`example`] | what `adflow` says without arguments, and the market it is about |
//! | [`cells`], [`input`], [`watch`], [`failure`] | cells of a CSV; files; progress; why there is no answer |
#![forbid(unsafe_code)]

pub mod cells;
pub mod curves_file;
pub mod decomposed;
pub mod example;
pub mod failure;
pub mod fit;
pub mod frontier;
pub mod goals;
pub mod history_table;
pub mod input;
pub mod model_options;
pub mod show;
pub mod summary;
pub mod table;
pub mod tour;
pub mod watch;

// The Rust code of the README runs with the documentation's tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
