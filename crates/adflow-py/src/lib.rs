//! Python binding: converts types, releases the interpreter, maps errors. No logic.

use pyo3::prelude::*;

mod arguments;
mod batch;
mod curves;
mod error;
mod interrupt;
mod plan;
mod python;
mod solve;

/// Native half of the `adflow` package.
#[pymodule]
mod _adflow {
    #[pymodule_export]
    use super::batch::Batch;
    #[pymodule_export]
    use super::curves::ResponseCurves;
    #[pymodule_export]
    use super::plan::{Explanation, Plan, Verification};
    #[pymodule_export]
    use super::solve::{allocate, allocate_batch};
}
