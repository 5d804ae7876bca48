//! What is asked of a plan: the objective, and a target to reach on the way.

use std::fmt;

use serde::Serialize;

/// What a plan maximises; costs of activation, of moves and of extrapolation are subtracted from each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Objective {
    /// Σ v f(x).
    #[default]
    Response,
    /// Σ v f(x) − Σ x.
    Profit,
    /// −Σ x: the least spend, with a [`Target`] to reach.
    Spend,
}

impl Objective {
    /// `"response"`, `"profit"` or `"spend"`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Response => "response",
            Self::Profit => "profit",
            Self::Spend => "spend",
        }
    }

    /// The objective of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Response, Self::Profit, Self::Spend].into_iter().find(|objective| objective.as_str() == name)
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An inequality that a plan must reach: never an equality, so that more budget or a lower target never hurts.
///
/// | target | condition | domain |
/// | --- | --- | --- |
/// | [`Response`](Self::Response)`(R)` | Σ v f(x) ≥ R | 0 to 1e60 |
/// | [`Roas`](Self::Roas)`(r)` | Σ v f(x) ≥ r Σ x | 0 to 1e60 |
/// | [`Cpa`](Self::Cpa)`(c)` | Σ x ≤ c Σ f(x) | 0 to 1e60 |
/// | [`MarginalRoas`](Self::MarginalRoas)`(r)` | x_i = l_i, or v_i f_i′(x_i) ≥ r | 0 to 1e60 |
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The value of the response, Σ v f(x), is at least this.
    Response(f64),
    /// The return on ad spend, Σ v f(x)/Σ x, is at least this.
    Roas(f64),
    /// The cost per action, Σ x/Σ f(x), is at most this (money per response, whatever a response is worth).
    Cpa(f64),
    /// Every arm spends its lower bound, or so much that its next unit of money still returns this.
    MarginalRoas(f64),
}

impl Target {
    /// `"response"`, `"roas"`, `"cpa"` or `"marginal_roas"`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Response(_) => "response",
            Self::Roas(_) => "roas",
            Self::Cpa(_) => "cpa",
            Self::MarginalRoas(_) => "marginal_roas",
        }
    }

    /// The number asked for.
    #[must_use]
    pub fn level(self) -> f64 {
        match self {
            Self::Response(level) | Self::Roas(level) | Self::Cpa(level) | Self::MarginalRoas(level) => level,
        }
    }

    /// The target of that name.
    #[must_use]
    pub fn from_name(name: &str, level: f64) -> Option<Self> {
        Some(match name {
            "response" => Self::Response(level),
            "roas" => Self::Roas(level),
            "cpa" => Self::Cpa(level),
            "marginal_roas" => Self::MarginalRoas(level),
            _ => return None,
        })
    }
}

/// How a plan treats uncertain curves: a measure of the outcomes R_s = Σ v f_s(x) over S joint draws, in place of their mean.
///
/// | risk | measure | domain |
/// | --- | --- | --- |
/// | [`Cvar`](Self::Cvar)`(α)` | max_t t − 1/(αS) Σ_s max(0, t − R_s): the mean of the worst α·S outcomes | 0 < α ≤ 1 |
/// | [`MeanMinusStd`](Self::MeanMinusStd)`(κ)` | mean − κ·sd, with sd² = 1/S Σ_s (R_s − mean)² | 0 to 1e6 |
/// | [`Probability`](Self::Probability)`(R)` | share of the draws with R_s ≥ R | 0 to 1e60 |
///
/// Sources: R. T. Rockafellar and S. Uryasev, "Optimization of conditional value-at-risk", Journal of Risk 2 (2000);
/// H. Markowitz, "Portfolio selection", Journal of Finance 7 (1952).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Conditional value at risk: the mean of the worst share α of outcomes.
    Cvar(f64),
    /// The mean less κ standard deviations.
    MeanMinusStd(f64),
    /// The probability that the outcome reaches a target.
    Probability(f64),
}

impl Risk {
    /// `"cvar"`, `"mean_minus_std"` or `"probability"`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cvar(_) => "cvar",
            Self::MeanMinusStd(_) => "mean_minus_std",
            Self::Probability(_) => "probability",
        }
    }

    /// α, κ or the target.
    #[must_use]
    pub fn level(self) -> f64 {
        match self {
            Self::Cvar(level) | Self::MeanMinusStd(level) | Self::Probability(level) => level,
        }
    }

    /// The measure of that name.
    #[must_use]
    pub fn from_name(name: &str, level: f64) -> Option<Self> {
        Some(match name {
            "cvar" => Self::Cvar(level),
            "mean_minus_std" => Self::MeanMinusStd(level),
            "probability" => Self::Probability(level),
            _ => return None,
        })
    }
}

/// What happens beyond the largest spend that an arm's curve was fitted on; arms whose range is not known are free.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Extrapolation {
    /// No arm spends more than was observed.
    Cap,
    /// Each unit of money beyond costs this (objective per money, 0 to 1e60).
    Penalty(f64),
}
