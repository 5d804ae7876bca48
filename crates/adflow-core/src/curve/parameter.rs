//! What a caller may give for a parameter: a number, one per arm, draws × arms, or draws × terms × arms.

use super::column::Column;
use crate::error::{Error, Result};

/// A parameter as given: a scalar, one value per arm, or posterior draws.
///
/// Anything that is a number or a list of numbers converts into it; [`Parameter::draws`] and
/// [`Parameter::terms`] carry uncertainty and sums:
///
/// ```text
/// f(x) = (1/S) Σ_s Σ_j F(x; θ_sj)      s = 1..S draws, j = 1..J terms (for instance the periods of a window)
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    pub(crate) draws: usize,
    pub(crate) terms: usize,
    /// `None`: the same for every arm.
    pub(crate) arms: Option<usize>,
    /// Row-major `[draws][terms][arms]`.
    pub(crate) values: Vec<f64>,
}

impl Parameter {
    /// Posterior draws: `values[s * arms + i]` is draw `s` of arm `i`.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] unless `values.len() == draws * arms`.
    pub fn draws(draws: usize, arms: usize, values: impl Into<Vec<f64>>) -> Result<Self> {
        Self::terms(draws, 1, arms, values)
    }

    /// Draws of a sum of terms: `values[(s * terms + j) * arms + i]`.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] unless `values.len() == draws * terms * arms`; [`Error::Empty`] where
    /// one of the three is 0.
    pub fn terms(draws: usize, terms: usize, arms: usize, values: impl Into<Vec<f64>>) -> Result<Self> {
        let values = values.into();
        let expected = draws.saturating_mul(terms).saturating_mul(arms);
        if expected == 0 {
            return Err(Error::Empty { field: "parameter".into() });
        }
        if values.len() != expected {
            return Err(Error::LengthMismatch { field: "parameter".into(), expected, actual: values.len() });
        }
        Ok(Self { draws, terms, arms: Some(arms), values })
    }

    /// The value of an arm in a draw and a term, broadcast.
    #[inline]
    pub(crate) fn at(&self, draw: usize, term: usize, arm: usize) -> f64 {
        let draw = if self.draws == 1 { 0 } else { draw };
        let term = if self.terms == 1 { 0 } else { term };
        match self.arms {
            None => self.values[draw * self.terms + term],
            Some(arms) => self.values[(draw * self.terms + term) * arms + if arms == 1 { 0 } else { arm }],
        }
    }

    /// As a column of deterministic arms.
    pub(crate) fn into_column(mut self, arms: usize) -> Column {
        match self.arms {
            Some(own) if own == arms && arms > 1 => Column::Each(self.values),
            _ => Column::Same(self.values.swap_remove(0)),
        }
    }
}

impl From<f64> for Parameter {
    fn from(value: f64) -> Self {
        Self { draws: 1, terms: 1, arms: None, values: vec![value] }
    }
}

impl From<Vec<f64>> for Parameter {
    fn from(values: Vec<f64>) -> Self {
        Self { draws: 1, terms: 1, arms: Some(values.len()), values }
    }
}

impl From<&[f64]> for Parameter {
    fn from(values: &[f64]) -> Self {
        values.to_vec().into()
    }
}

impl From<&Vec<f64>> for Parameter {
    fn from(values: &Vec<f64>) -> Self {
        values.clone().into()
    }
}

impl<const N: usize> From<[f64; N]> for Parameter {
    fn from(values: [f64; N]) -> Self {
        values.to_vec().into()
    }
}

impl<const N: usize> From<&[f64; N]> for Parameter {
    fn from(values: &[f64; N]) -> Self {
        values.to_vec().into()
    }
}

/// The common shape of several parameters: `(draws, terms, arms)`.
///
/// Every size must be 1 (or a scalar) or agree with the others.
pub(crate) fn common_shape(parameters: &[(&'static str, &Parameter)]) -> Result<(usize, usize, usize)> {
    let mut shape = (1, 1, 1);
    let agree = |field: &str, size: &mut usize, own: usize| match (own, *size) {
        (1, _) => Ok(()),
        (own, 1) => {
            *size = own;
            Ok(())
        }
        (own, common) if own == common => Ok(()),
        (own, common) => Err(Error::LengthMismatch { field: field.into(), expected: common, actual: own }),
    };
    for (name, parameter) in parameters {
        if parameter.values.is_empty() {
            return Err(Error::Empty { field: (*name).into() });
        }
        agree(&format!("{name} (draws)"), &mut shape.0, parameter.draws)?;
        agree(&format!("{name} (terms)"), &mut shape.1, parameter.terms)?;
        agree(name, &mut shape.2, parameter.arms.unwrap_or(1))?;
    }
    Ok(shape)
}
