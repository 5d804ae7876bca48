//! The spends that a curve was fitted on, as far as they are known.

use std::sync::Arc;

use super::ResponseCurves;
use crate::error::{Error, Result};

impl ResponseCurves {
    /// Says which spends each curve was fitted on: `(smallest, largest)` per arm (money), `(0, ∞)` where that is not known.
    /// [`Plan::explain`](crate::Plan::explain) marks proposals outside.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`], and [`Error::OutOfDomain`] unless 0 ≤ smallest ≤ largest.
    pub fn with_observed_spend(mut self, observed: &[(f64, f64)]) -> Result<Self> {
        if observed.len() != self.len() {
            let field = "observed_spend".into();
            return Err(Error::LengthMismatch { field, expected: self.len(), actual: observed.len() });
        }
        if let Some(at) =
            observed.iter().position(|&(low, high)| !(0.0 <= low && low <= high && low.is_finite()))
        {
            let value = format!("{:?}", observed[at]);
            return Err(Error::out_of_domain(
                format!("observed_spend[{at}]"),
                "0 ≤ smallest ≤ largest",
                value,
            ));
        }
        Arc::make_mut(&mut self.set).observed = Some(observed.to_vec());
        Ok(self)
    }

    /// The spends that an arm's curve was fitted on, where they are known.
    #[must_use]
    pub fn observed(&self, arm: usize) -> Option<(f64, f64)> {
        let range = *self.set.observed.as_ref()?.get(arm)?;
        range.1.is_finite().then_some(range)
    }
}
