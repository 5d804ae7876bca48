//! Limits on weighted sums of spends that need not form groups.

use crate::error::{Error, Result};

/// Sparse rows A x ≤ b over the spends: grids of platforms and geos, ratios between arms, "A at least half of B".
///
/// # Examples
/// ```
/// use adflow_core::{Coupling, Problem, ResponseCurves};
///
/// let curves = ResponseCurves::michaelis_menten([9.0, 7.0], [4.0, 4.0])?;
/// // x₁ ≥ x₀/2
/// let coupling = Coupling::new().row("half", [(0, 0.5), (1, -1.0)], 0.0);
/// let plan = Problem::new(curves).budget(10.0).coupling(coupling).solve()?;
/// assert!(plan.spend[1] >= 0.5 * plan.spend[0] - 1e-9);
/// # Ok::<(), adflow_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Coupling {
    pub(crate) rows: Vec<CouplingRow>,
}

/// One row: Σ coefficient · x ≤ upper.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CouplingRow {
    pub(crate) name: Option<String>,
    pub(crate) terms: Vec<(usize, f64)>,
    pub(crate) upper: f64,
}

impl Coupling {
    /// No rows yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a named row Σ coefficient · x ≤ upper; coefficients of the same arm add up.
    #[must_use]
    pub fn row(
        mut self,
        name: impl Into<String>,
        terms: impl IntoIterator<Item = (usize, f64)>,
        upper: f64,
    ) -> Self {
        let terms = terms.into_iter().collect();
        self.rows.push(CouplingRow { name: Some(name.into()), terms, upper });
        self
    }

    /// Rows of a sparse matrix in compressed form: row r has `indices[indptr[r]..indptr[r + 1]]` and the coefficients there.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] where lengths disagree, [`Error::OutOfDomain`] where `indptr` falls.
    pub fn sparse(
        indptr: &[usize],
        indices: &[usize],
        coefficients: &[f64],
        upper: &[f64],
        names: Option<Vec<String>>,
    ) -> Result<Self> {
        let length = |field: &str, expected: usize, actual: usize| match expected == actual {
            true => Ok(()),
            false => Err(Error::LengthMismatch { field: format!("coupling.{field}"), expected, actual }),
        };
        let rows = upper.len();
        length("indptr", rows + 1, indptr.len())?;
        length("coefficients", indices.len(), coefficients.len())?;
        if let Some(names) = &names {
            length("names", rows, names.len())?;
        }
        let mut names = names.map(Vec::into_iter);
        let mut coupling = Self::new();
        for (r, &upper) in upper.iter().enumerate() {
            let (from, to) = (indptr[r], indptr[r + 1]);
            if from > to || to > indices.len() {
                let expected = format!("rising, and at most {}", indices.len());
                return Err(Error::out_of_domain(format!("coupling.indptr[{}]", r + 1), expected, to));
            }
            let terms = indices[from..to].iter().copied().zip(coefficients[from..to].iter().copied());
            let name = names.as_mut().and_then(Iterator::next);
            coupling.rows.push(CouplingRow { name, terms: terms.collect(), upper });
        }
        Ok(coupling)
    }
}
