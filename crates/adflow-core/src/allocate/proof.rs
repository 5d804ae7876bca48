//! The proof of an upper bound, as data.

use serde::{Deserialize, Serialize};

/// What an upper bound follows from.
///
/// For any price λ ≥ 0 of budget,
///
/// ```text
/// φ(λ) = λ B + Σ_i max_{x ∈ X_i} [ v_i f_i(x) − λ x ]
/// ```
///
/// is at least the value of every plan within the limits (weak duality), because each plan spends at most B and each
/// inner maximum is taken over all the arm may do. For concave curves the best λ leaves no gap, and the proof is that
/// one number. With S-shaped curves and zero-or-minimum arms a proof may need cases: a [`Node::Branch`] says that an arm
/// spends at most one number or at least another, and each [`Node::Leaf`] gives a price for its case. The bound is the
/// largest φ over the leaves.
///
/// `orders` names arms that differ in nothing but a factor on their response, best first. Exchanging the spends of two
/// of them never helps the worse one, so only plans whose spends fall along the order need a case: a branch on one of
/// them holds for those after it (at most) or before it (at least) too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proof {
    /// The cases; the first node is the root.
    pub nodes: Vec<Node>,
    /// Arms along which spends may be assumed to fall.
    #[serde(default)]
    pub orders: Vec<Vec<usize>>,
}

/// One node of a proof.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Node {
    /// A case that a price settles; `None` (JSON `null`) stands for +∞, a case in which only the lower bounds can be spent,
    /// or none at all.
    Leaf {
        /// λ.
        price: Option<f64>,
    },
    /// A case that multipliers settle, one per limit on several arms (see [`Plan::limits`](crate::Plan::limits)).
    Multipliers {
        /// y: at least 0, but for a budget that must be spent.
        values: Vec<f64>,
        /// Whether no plan keeps the limits in this case: with the objective left out, φ(y) is below 0.
        impossible: bool,
    },
    /// With a measure of risk: weights of the draws that settle it together with multipliers, one per limit on several arms.
    ///
    /// A measure is at most Σ_s q_s R_s for the weights that it allows: CVaR for 0 ≤ q ≤ 1/(αS), Σ q = 1, the mean less κ
    /// standard deviations for Σ q = 1, ‖q − 1/S‖ ≤ κ/√S. So
    ///
    /// ```text
    /// φ(q, y) = Σ_r y_r b_r + Σ_i max_x [ v_i Σ_s q_s f_is(x) − p_i x − costs ]
    /// ```
    ///
    /// bounds every plan. For the probability of a target R a weight w_s ≥ 0 says
    /// [R_s ≥ R] ≤ max(1 − w_s R, −w_s m_s) + w_s R_s, with m_s the least that R_s can be.
    Weights {
        /// q (or w), one per draw.
        draws: Vec<f64>,
        /// y: at least 0, but for a budget that must be spent.
        values: Vec<f64>,
    },
    /// With a measure of risk: weights q ≥ 0 of the draws, with which the problem has one curve per arm, Σ_s q_s f_is, and a proof
    /// without risk.
    Reweighted {
        /// q, one per draw.
        draws: Vec<f64>,
        /// The proof for these curves.
        proof: Proof,
    },
    /// For the probability of a target: two cases for one draw.
    Draw {
        /// The draw.
        draw: usize,
        /// Position of the node of the case in which the draw must reach the target.
        reaches: usize,
        /// Position of the node of the case in which it counts as not reaching it.
        misses: usize,
    },
    /// Two cases for one arm with several stretches of spends.
    Cut {
        /// The arm.
        arm: usize,
        /// The stretch that is cut.
        stretch: usize,
        /// First case: at most this much on the stretch, or on a stretch below it; none of the stretch where `None`.
        at_most: Option<f64>,
        /// Second case: at least this much on the stretch, or on a stretch above it; all of the stretch where `None`.
        at_least: Option<f64>,
        /// Position of the node of the first case.
        below: usize,
        /// Position of the node of the second case.
        above: usize,
    },
    /// Two cases for one arm.
    Branch {
        /// The arm.
        arm: usize,
        /// First case: it spends at most this (money).
        at_most: f64,
        /// Second case: it spends at least this (money). Between the two lies nothing it may spend, or they are equal.
        at_least: f64,
        /// Position of the node of the first case.
        below: usize,
        /// Position of the node of the second case.
        above: usize,
    },
}

impl Proof {
    pub(crate) fn at_price(lambda: f64) -> Self {
        Self { nodes: vec![Node::leaf(lambda)], orders: Vec::new() }
    }
}

impl Node {
    pub(crate) fn leaf(lambda: f64) -> Self {
        Self::Leaf { price: Some(lambda).filter(|lambda| lambda.is_finite()) }
    }
}
