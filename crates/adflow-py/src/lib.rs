//! Python binding: converts types, releases the interpreter, maps errors. No logic.

use pyo3::prelude::*;

mod adstock;
mod arguments;
mod batch;
mod coupling;
mod curves;
mod error;
mod fit;
mod frontier;
mod goal;
mod group;
mod history;
mod interrupt;
mod market;
mod outcome;
mod plan;
mod python;
mod schedule;
mod settings;
mod solve;

/// Native half of the `adflow` package.
#[pymodule]
mod _adflow {
    #[pymodule_export]
    use super::adstock::Adstock;
    #[pymodule_export]
    use super::batch::Batch;
    #[pymodule_export]
    use super::coupling::Coupling;
    #[pymodule_export]
    use super::curves::ResponseCurves;
    #[pymodule_export]
    use super::fit::fitted::FittedModel;
    #[pymodule_export]
    use super::fit::{compare_models, fit_model, model_settings};
    #[pymodule_export]
    use super::frontier::Frontier;
    #[pymodule_export]
    use super::goal::{Risk, Target};
    #[pymodule_export]
    use super::group::Group;
    #[pymodule_export]
    use super::history::History;
    #[pymodule_export]
    use super::market::Market;
    #[pymodule_export]
    use super::outcome::{Outcome, Uncertainty};
    #[pymodule_export]
    use super::plan::{Explanation, Plan, Verification};
    #[pymodule_export]
    use super::schedule::plan::SchedulePlan;
    #[pymodule_export]
    use super::schedule::schedule;
    #[pymodule_export]
    use super::solve::{allocate, allocate_batch, frontier};
}
