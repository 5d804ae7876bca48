//! Densities written as formulas, for tests.

use crate::fit::density::Density;

/// A density given by a function that writes the gradient (which comes as zeros) and returns the value.
pub(crate) struct Formula<F> {
    dim: usize,
    formula: F,
}

impl<F: Fn(&[f64], &mut [f64]) -> f64 + Sync> Formula<F> {
    pub(crate) fn new(dim: usize, formula: F) -> Self {
        Self { dim, formula }
    }

    pub(crate) fn value(&self, at: &[f64]) -> f64 {
        self.evaluate(&mut (), at, &mut vec![0.0; self.dim])
    }
}

impl<F: Fn(&[f64], &mut [f64]) -> f64 + Sync> Density for Formula<F> {
    type Work = ();

    fn dim(&self) -> usize {
        self.dim
    }

    fn work(&self) {}

    fn evaluate(&self, (): &mut (), at: &[f64], gradient: &mut [f64]) -> f64 {
        gradient.fill(0.0);
        (self.formula)(at, gradient)
    }
}

/// Normals with mean 1, 2, 3, … , scales 1, 10, 1, 10, … and correlation `rho` between neighbours (a chain), d of them.
pub(crate) fn chain_of_normals(dim: usize, rho: f64) -> Formula<impl Fn(&[f64], &mut [f64]) -> f64 + Sync> {
    Formula::new(dim, move |at, gradient| {
        let standard = |i: usize| (at[i] - mean_of(i)) / scale_of(i);
        let variance = 1.0 - rho * rho;
        let mut value = -0.5 * standard(0) * standard(0);
        gradient[0] = -standard(0) / scale_of(0);
        for i in 1..at.len() {
            let rest = standard(i) - rho * standard(i - 1);
            value -= 0.5 * rest * rest / variance;
            gradient[i] -= rest / variance / scale_of(i);
            gradient[i - 1] += rho * rest / variance / scale_of(i - 1);
        }
        value
    })
}

#[allow(clippy::cast_precision_loss, reason = "a small index")]
pub(crate) fn mean_of(index: usize) -> f64 {
    1.0 + index as f64
}

pub(crate) fn scale_of(index: usize) -> f64 {
    if index.is_multiple_of(2) { 1.0 } else { 10.0 }
}
