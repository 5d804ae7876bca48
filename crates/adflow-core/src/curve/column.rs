//! A parameter of many arms: given once for all, or one number per arm.

use std::ops::Range;

/// How many arms a kernel works on at a time: small enough for the first-level cache.
pub(crate) const LANES: usize = 256;

/// A parameter of `n` arms.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Column {
    /// The same for every arm.
    Same(f64),
    /// One per arm.
    Each(Vec<f64>),
}

impl Column {
    #[inline(always)]
    pub(crate) fn at(&self, arm: usize) -> f64 {
        match self {
            Self::Same(value) => *value,
            Self::Each(values) => values[arm],
        }
    }

    /// Writes one arm's value into a column of `arms`.
    pub(crate) fn set(&mut self, arm: usize, arms: usize, value: f64) {
        match self {
            Self::Same(same) if same.to_bits() == value.to_bits() => {}
            Self::Same(same) => {
                let mut values = vec![*same; arms];
                values[arm] = value;
                *self = Self::Each(values);
            }
            Self::Each(values) => values[arm] = value,
        }
    }

    /// The columns of `(length, column)` pairs one after the other; stays one number where all agree.
    pub(crate) fn concat<'a>(parts: impl Iterator<Item = (usize, &'a Self)> + Clone) -> Self {
        let mut first = parts.clone().map(|(_, column)| column);
        if let Some(Self::Same(value)) = first.next() {
            let same =
                |column: &Self| matches!(column, Self::Same(other) if other.to_bits() == value.to_bits());
            if first.all(same) {
                return Self::Same(*value);
            }
        }
        let mut values = Vec::with_capacity(parts.clone().map(|(length, _)| length).sum());
        for (length, column) in parts {
            match column {
                Self::Same(value) => values.resize(values.len() + length, *value),
                Self::Each(part) => values.extend_from_slice(part),
            }
        }
        Self::Each(values)
    }

    /// The column of a range of arms.
    pub(crate) fn slice(&self, range: Range<usize>) -> Self {
        match self {
            Self::Same(value) => Self::Same(*value),
            Self::Each(values) => Self::Each(values[range].to_vec()),
        }
    }
}
