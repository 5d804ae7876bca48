//! What the upper bound of a schedule follows from: prices for all limits and all adstocked spends, case by case.

use serde::{Deserialize, Serialize};

/// What an upper bound follows from.
///
/// With a multiplier ρ for every limit (budget, periods, arms) and π_it for every adstocked spend,
///
/// ```text
/// φ = Σ ρ · bound + Σ_it π_it · carried_it + Σ_it max_a [ v_i f_i(a) − π_it a ] + Σ_it max_x [ (Σ_l w_i[l] π_{i,t+l} − Σ ρ) x ]
/// ```
///
/// is at least the value of every plan, because each plan's a_it = Σ_l w_i\[l\] x_{i,t−l} + carried_it; the maxima are over what
/// the spends of the case may be and what adstocked spends they reach. A proof may need cases: a
/// [`ScheduleNode::Cut`] says that a spend or an adstocked spend is at most one number or at least another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScheduleProof {
    /// The cases; the first node is the root.
    pub nodes: Vec<ScheduleNode>,
}

/// One node of a proof.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleNode {
    /// A case that multipliers settle. Of a limit with two sides a positive multiplier belongs to the upper, a negative one
    /// to the lower.
    Multipliers {
        /// Of the budget (objective per money).
        budget: f64,
        /// Of every period's total.
        periods: Vec<f64>,
        /// Of every arm's total.
        arms: Vec<f64>,
        /// π, one row of arms per period of the window and the tail (objective per adstocked money).
        adstock: Vec<f64>,
        /// Whether no plan keeps the limits in this case: with the objective left out, φ is below 0.
        impossible: bool,
    },
    /// Two cases.
    Cut {
        /// Whether the adstocked spend is cut, or the spend itself.
        adstocked: bool,
        /// The arm.
        arm: usize,
        /// The period; with constant spends 0.
        period: usize,
        /// First case: at most this (money).
        at_most: f64,
        /// Second case: at least this (money). Between the two lies nothing that may be spent, or they are equal.
        at_least: f64,
        /// Position of the node of the first case.
        below: usize,
        /// Position of the node of the second case.
        above: usize,
    },
}
