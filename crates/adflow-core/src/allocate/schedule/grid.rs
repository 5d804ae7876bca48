//! What a caller may give for a limit of a schedule: a number, one per arm, one per period and arm, or one per period.

use crate::curve::column::Column;

/// A limit on the spends of a schedule: one number, one per arm, or one per period and arm.
#[derive(Debug, Clone, PartialEq)]
pub struct PerCell(pub(crate) Grid);

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Grid {
    Arms(Column),
    /// One row of arms per period.
    Rows(Vec<Vec<f64>>),
}

impl Grid {
    pub(crate) fn at(&self, period: usize, arm: usize) -> f64 {
        match self {
            Self::Arms(column) => column.at(arm),
            Self::Rows(rows) => rows[period][arm],
        }
    }

    /// What the entry is called.
    pub(crate) fn name(&self, field: &str, period: usize, arm: usize) -> String {
        match self {
            Self::Arms(Column::Same(_)) => field.into(),
            Self::Arms(Column::Each(_)) => format!("{field}[{arm}]"),
            Self::Rows(_) => format!("{field}[{period}][{arm}]"),
        }
    }
}

impl From<f64> for PerCell {
    fn from(value: f64) -> Self {
        Self(Grid::Arms(Column::Same(value)))
    }
}

impl From<Vec<f64>> for PerCell {
    fn from(values: Vec<f64>) -> Self {
        Self(Grid::Arms(Column::Each(values)))
    }
}

impl From<&[f64]> for PerCell {
    fn from(values: &[f64]) -> Self {
        values.to_vec().into()
    }
}

impl<const N: usize> From<[f64; N]> for PerCell {
    fn from(values: [f64; N]) -> Self {
        values.to_vec().into()
    }
}

impl From<Vec<Vec<f64>>> for PerCell {
    fn from(rows: Vec<Vec<f64>>) -> Self {
        Self(Grid::Rows(rows))
    }
}

impl<const N: usize, const T: usize> From<[[f64; N]; T]> for PerCell {
    fn from(rows: [[f64; N]; T]) -> Self {
        Self(Grid::Rows(rows.iter().map(|row| row.to_vec()).collect()))
    }
}

/// A limit on the periods of a schedule: one number, or one per period.
#[derive(Debug, Clone, PartialEq)]
pub struct PerPeriod(pub(crate) Column);

impl From<f64> for PerPeriod {
    fn from(value: f64) -> Self {
        Self(Column::Same(value))
    }
}

impl From<Vec<f64>> for PerPeriod {
    fn from(values: Vec<f64>) -> Self {
        Self(Column::Each(values))
    }
}

impl From<&[f64]> for PerPeriod {
    fn from(values: &[f64]) -> Self {
        values.to_vec().into()
    }
}

impl<const N: usize> From<[f64; N]> for PerPeriod {
    fn from(values: [f64; N]) -> Self {
        values.to_vec().into()
    }
}
