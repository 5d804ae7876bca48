//! Python binding: converts types, releases the interpreter, maps errors. No logic.

use pyo3::prelude::*;

mod arguments;
mod batch;
mod coupling;
mod curves;
mod error;
mod goal;
mod group;
mod interrupt;
mod plan;
mod python;
mod settings;
mod solve;

/// Native half of the `adflow` package.
#[pymodule]
mod _adflow {
    #[pymodule_export]
    use super::batch::Batch;
    #[pymodule_export]
    use super::coupling::Coupling;
    #[pymodule_export]
    use super::curves::ResponseCurves;
    #[pymodule_export]
    use super::goal::{Risk, Target};
    #[pymodule_export]
    use super::group::Group;
    #[pymodule_export]
    use super::plan::{Explanation, Plan, Verification};
    #[pymodule_export]
    use super::solve::{allocate, allocate_batch};
}
