//! The name of a family, and the way from the name to its formula.

use serde::{Deserialize, Serialize};

/// A family of smooth response curves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Linear,
    Logarithmic,
    Power,
    Exponential,
    MichaelisMenten,
    Hill,
    Logistic,
    Tanh,
    HillSigmoid,
    /// Part of a table behind a rising price; no caller can name it.
    Ramp,
}

/// Runs `$body` with `$shape` standing for the shape of `$kind`.
macro_rules! with_shape {
    ($kind:expr, $shape:ident => $body:expr) => {
        match $kind {
            $crate::curve::kind::Kind::Linear => {
                type $shape = $crate::curve::shape::Linear;
                $body
            }
            $crate::curve::kind::Kind::Logarithmic => {
                type $shape = $crate::curve::shape::Logarithmic;
                $body
            }
            $crate::curve::kind::Kind::Power => {
                type $shape = $crate::curve::shape::Power;
                $body
            }
            $crate::curve::kind::Kind::Exponential => {
                type $shape = $crate::curve::shape::Exponential;
                $body
            }
            $crate::curve::kind::Kind::MichaelisMenten => {
                type $shape = $crate::curve::shape::MichaelisMenten;
                $body
            }
            $crate::curve::kind::Kind::Hill => {
                type $shape = $crate::curve::hill::Hill;
                $body
            }
            $crate::curve::kind::Kind::Logistic => {
                type $shape = $crate::curve::shape::Logistic;
                $body
            }
            $crate::curve::kind::Kind::Tanh => {
                type $shape = $crate::curve::shape::Tanh;
                $body
            }
            $crate::curve::kind::Kind::HillSigmoid => {
                type $shape = $crate::curve::shape::HillSigmoid;
                $body
            }
            $crate::curve::kind::Kind::Ramp => {
                type $shape = $crate::curve::shape::Ramp;
                $body
            }
        }
    };
}
pub(crate) use with_shape;

/// What the door accepts for a parameter.
#[derive(Clone, Copy)]
pub(crate) enum Domain {
    /// 0 ≤ p ≤ 1e60.
    NonNegative,
    /// 1e-60 ≤ p ≤ 1e60.
    Positive,
    /// 0.001 ≤ p ≤ 1.
    UnitInterval,
    /// 0.001 ≤ p ≤ 100.
    Exponent,
    /// 0 ≤ p ≤ 1.
    Fraction,
    /// 1e-60 ≤ p < 1.
    OpenFraction,
    /// 0 ≤ p ≤ 10.
    PricePower,
}

impl Domain {
    pub(crate) fn contains(self, value: f64) -> bool {
        match self {
            Self::NonNegative => value == 0.0 || (1e-60..=1e60).contains(&value),
            Self::Positive => (1e-60..=1e60).contains(&value),
            Self::UnitInterval => (1e-3..=1.0).contains(&value),
            Self::Exponent => (1e-3..=100.0).contains(&value),
            Self::Fraction => (0.0..=1.0).contains(&value),
            Self::OpenFraction => (1e-60..1.0).contains(&value),
            Self::PricePower => (0.0..=10.0).contains(&value),
        }
    }

    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::NonNegative => "0 or from 1e-60 to 1e60",
            Self::Positive => "from 1e-60 to 1e60",
            Self::UnitInterval => "from 0.001 to 1",
            Self::Exponent => "from 0.001 to 100",
            Self::Fraction => "from 0 to 1",
            Self::OpenFraction => "above 0 and below 1",
            Self::PricePower => "from 0 to 10",
        }
    }
}

impl Kind {
    /// All families that callers can name.
    pub(crate) const ALL: [Self; 9] = [
        Self::Linear,
        Self::Logarithmic,
        Self::Power,
        Self::Exponential,
        Self::MichaelisMenten,
        Self::Hill,
        Self::Logistic,
        Self::Tanh,
        Self::HillSigmoid,
    ];

    /// Names and domains of the parameters, in the order of the constructor.
    pub(crate) fn parameters(self) -> &'static [(&'static str, Domain)] {
        use Domain::{Exponent, NonNegative, Positive, UnitInterval};
        match self {
            Self::Linear => &[("beta", NonNegative)],
            Self::Logarithmic | Self::Exponential => &[("beta", NonNegative), ("scale", Positive)],
            Self::Power => &[("beta", NonNegative), ("exponent", UnitInterval)],
            Self::MichaelisMenten => &[("beta", NonNegative), ("half_saturation", Positive)],
            Self::Hill => &[("beta", NonNegative), ("half_saturation", Positive), ("slope", Exponent)],
            Self::Logistic => &[("beta", NonNegative), ("lam", Positive)],
            Self::Tanh => &[("b", NonNegative), ("c", Positive)],
            Self::HillSigmoid => &[("sigma", NonNegative), ("beta", Positive), ("lam", NonNegative)],
            Self::Ramp => &[],
        }
    }

    /// Whether curves of this family are concave whatever their parameters.
    pub(crate) fn always_concave(self) -> bool {
        !matches!(self, Self::Hill | Self::HillSigmoid | Self::Ramp)
    }

    /// The name in JSON.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Logarithmic => "logarithmic",
            Self::Power => "power",
            Self::Exponential => "exponential",
            Self::MichaelisMenten => "michaelis_menten",
            Self::Hill => "hill",
            Self::Logistic => "logistic",
            Self::Tanh => "tanh",
            Self::HillSigmoid => "hill_sigmoid",
            Self::Ramp => "ramp",
        }
    }

    /// The family with a name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}
