//! One error type for the whole engine.

use std::fmt;

/// What is wrong with an input, in fields that a program can read.
///
/// Every variant names the field as the caller wrote it (`upper[3]`, `curves.curves[0].beta`), and
/// [`code`](Error::code) is the stable word that Rust, Python, Node and HTTP share. Running out of
/// time is not an error: it is a [`Status`](crate::Status) with the true gap.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A number is NaN, or infinite where no infinity has a meaning.
    #[error("`{field}` must be finite, got {value}")]
    NotFinite {
        /// The field, with its index.
        field: String,
        /// The value got.
        value: f64,
    },
    /// A value lies outside its domain.
    #[error("`{field}` must be {expected}, got {value}")]
    OutOfDomain {
        /// The field, with its index.
        field: String,
        /// The accepted domain, in words.
        expected: String,
        /// The value got.
        value: String,
    },
    /// A lower bound lies above its upper bound.
    #[error("{arm}: lower bound {lower} lies above upper bound {upper}")]
    LowerAboveUpper {
        /// The arm, by name or as `arm 3`.
        arm: String,
        /// The lower bound (money).
        lower: f64,
        /// The upper bound (money).
        upper: f64,
    },
    /// A list that must hold something is empty.
    #[error("`{field}` is empty")]
    Empty {
        /// The field.
        field: String,
    },
    /// Two lengths that must agree do not.
    #[error("`{field}` must have length {expected}, got {actual}")]
    LengthMismatch {
        /// The field.
        field: String,
        /// The length wanted.
        expected: usize,
        /// The length got.
        actual: usize,
    },
    /// Two arms carry the same name.
    #[error("the name {name:?} stands twice, at {first} and {second}")]
    DuplicateName {
        /// The name.
        name: String,
        /// Index of its first use.
        first: usize,
        /// Index of its second use.
        second: usize,
    },
    /// A name that stands for nothing here.
    #[error("`{field}`: nothing here is named {name:?}")]
    UnknownName {
        /// The field, with its index.
        field: String,
        /// The name got.
        name: String,
    },
    /// A group that contains itself.
    #[error("the group {name:?} contains itself")]
    CyclicGroup {
        /// The group's name.
        name: String,
    },
    /// No plan satisfies all limits.
    #[error("{}", Infeasibility::sentence(.0))]
    Infeasible(Box<Infeasibility>),
    /// A text is not the document it should be.
    #[error("{path}: {reason}")]
    Malformed {
        /// Where, as a path into the document.
        path: String,
        /// What is wrong there.
        reason: String,
    },
    /// The caller's clock asked to stop before there was an answer.
    #[error("interrupted before there was an answer")]
    Interrupted,
    /// No draw of a posterior could be taken.
    #[error("the model cannot be fitted: {reason}")]
    Unfittable {
        /// What went wrong.
        reason: String,
    },
}

/// `std::result::Result` with the engine's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// Which limits cannot hold together, and what could.
#[derive(Debug, Clone, PartialEq)]
pub struct Infeasibility {
    /// The budget asked for (money).
    pub budget: f64,
    /// The smallest set of limits that cannot hold together: drop any one of them and the rest can.
    pub conflict: Vec<Limit>,
    /// Smallest and largest total spend that all limits but the budget allow (money); `None` where they allow none.
    pub feasible_budget: Option<(f64, f64)>,
    /// The feasible totals next to the budget asked for, below and above; `None` where there is none.
    pub nearest: (Option<f64>, Option<f64>),
    /// Where a target is part of the conflict: a level of it that the other limits allow; the best one where curves are
    /// concave, and the best that a short search finds elsewhere.
    pub feasible_target: Option<f64>,
}

/// A limit as the caller stated it.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// `"budget"`, `"lower"`, `"upper"`, `"active_lower"`, `"group_lower"`, `"group_upper"`, `"group_share_lower"`,
    /// `"group_share_upper"`, `"coupling"`, `"target"`, `"max_active"`, `"max_change"`, `"max_change_amount"`, `"max_moves"`,
    /// `"step"` or `"extrapolation"`.
    pub limit: &'static str,
    /// The arm it belongs to; `None` for limits on several.
    pub arm: Option<usize>,
    /// The name of the arm, the group, the row or the target, where it has one.
    pub name: Option<String>,
    /// The bound (money).
    pub bound: f64,
}

impl Infeasibility {
    fn sentence(&self) -> String {
        let conflict = Conflict(&self.conflict);
        if let Some(best) = self.feasible_target {
            let target = self.conflict.iter().find(|limit| limit.limit == "target");
            let asked = target.map_or_else(String::new, |target| format!(" of {}", Amount(target.bound)));
            let best = Amount(best);
            return format!(
                "the target{asked} is out of reach: the other limits allow {best} (in conflict: {conflict})"
            );
        }
        let Some((low, high)) = self.feasible_budget.filter(|_| self.budget.is_finite()) else {
            return format!("no plan keeps all limits, whatever the budget (in conflict: {conflict})");
        };
        let nearest = match self.nearest {
            _ if !(low..=high).contains(&self.budget) => String::new(),
            (Some(below), Some(above)) => {
                format!("; the nearest that can be spent are {} and {}", Amount(below), Amount(above))
            }
            (Some(one), None) | (None, Some(one)) => {
                format!("; the nearest that can be spent is {}", Amount(one))
            }
            (None, None) => String::new(),
        };
        let range = if high.is_finite() {
            format!("{} to {}", Amount(low), Amount(high))
        } else {
            format!("{} or more", Amount(low))
        };
        let asked = Amount(self.budget);
        format!("the limits allow a total of {range}{nearest}; {asked} was asked (in conflict: {conflict})")
    }
}

/// A conflict as a list; a long one is cut after a few names.
struct Conflict<'a>(&'a [Limit]);

impl fmt::Display for Conflict<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 6;
        for (position, limit) in self.0.iter().take(SHOWN).enumerate() {
            let separator = if position == 0 { "" } else { ", " };
            match (limit.arm, &limit.name) {
                (Some(_), Some(name)) => write!(f, "{separator}{} of {name}", limit.limit)?,
                (Some(arm), None) => write!(f, "{separator}{} of arm {arm}", limit.limit)?,
                (None, Some(name)) => write!(f, "{separator}{} of {name}", limit.limit)?,
                (None, None) => write!(f, "{separator}{}", limit.limit)?,
            }
        }
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// Money in a sentence: thousands separated, cents only where there are some.
#[derive(Clone, Copy)]
pub(crate) struct Amount(pub(crate) f64);

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.abs();
        if !magnitude.is_finite() || magnitude >= 1e15 || (magnitude > 0.0 && magnitude < 1.0) {
            return write!(f, "{}", self.0);
        }
        let text = format!("{magnitude:.2}");
        let text = text.strip_suffix(".00").unwrap_or(&text);
        let (whole, cents) = text.split_once('.').unwrap_or((text, ""));
        if self.0 < 0.0 {
            f.write_str("-")?;
        }
        for (position, digit) in whole.chars().enumerate() {
            if position > 0 && (whole.len() - position).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        if !cents.is_empty() {
            write!(f, ".{cents}")?;
        }
        Ok(())
    }
}

impl Error {
    /// The stable word for this kind of error, the same in every language.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFinite { .. } => "not_finite",
            Self::OutOfDomain { .. } => "out_of_domain",
            Self::LowerAboveUpper { .. } => "lower_above_upper",
            Self::Empty { .. } => "empty",
            Self::LengthMismatch { .. } => "length_mismatch",
            Self::DuplicateName { .. } => "duplicate_name",
            Self::UnknownName { .. } => "unknown_name",
            Self::CyclicGroup { .. } => "cyclic_group",
            Self::Infeasible(_) => "infeasible",
            Self::Malformed { .. } => "malformed",
            Self::Interrupted => "interrupted",
            Self::Unfittable { .. } => "unfittable",
        }
    }

    /// The details of an infeasible problem, for faces that attach them to their own error.
    #[must_use]
    pub fn infeasibility(&self) -> Option<&Infeasibility> {
        match self {
            Self::Infeasible(details) => Some(details),
            _ => None,
        }
    }

    pub(crate) fn out_of_domain(
        field: impl Into<String>,
        expected: impl Into<String>,
        value: impl ToString,
    ) -> Self {
        Self::OutOfDomain { field: field.into(), expected: expected.into(), value: value.to_string() }
    }
}
