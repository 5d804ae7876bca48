//! Certified budget allocation: the best split of a budget over arms, and a proof of how good it is.
//!
//! ```text
//! maximise   Σ v_i f_i(x_i)   subject to   Σ x_i ≤ B,   x_i ∈ [l_i, u_i] or {0} ∪ [a_i, u_i]
//! ```
//!
//! An arm is a place where money can go; f_i is its response curve, concave or S-shaped, certain or the mean of posterior
//! draws. [`ResponseCurves`] holds the curves, [`Problem`] the question, [`Plan`] the answer. For every price λ ≥ 0
//!
//! ```text
//! φ(λ) = λ B + Σ_i max_{x ∈ X_i} [ v_i f_i(x) − λ x ]
//! ```
//!
//! bounds every plan from above; the plan carries the prices that prove its gap ([`Proof`]) and recomputes it on demand
//! ([`Plan::verify`]).
//!
//! ```
//! use adflow_core::{Problem, ResponseCurves};
//!
//! let curves = ResponseCurves::hill([120.0, 80.0, 60.0], [5.0, 9.0, 4.0], [2.0, 1.5, 0.8])?;
//! let plan = Problem::new(curves).budget(20.0).solve()?;
//! assert!(plan.gap <= 1e-6 && plan.verify().ok);
//! # Ok::<(), adflow_core::Error>(())
//! ```
//!
//! The crate is pure: no I/O, no clock (a [`Clock`] is an argument), no global state, threads only as many as asked and only
//! for the length of a call. The same input gives the same bits on any machine and any number of threads.
#![forbid(unsafe_code)]

mod allocate;
mod clock;
mod curve;
mod day;
mod elementary;
mod error;
mod fit;
mod history;
mod market;

pub use allocate::{
    ArmExplanation, Batch, Binding, Check, Coupling, Explanation, Extrapolation, Frontier, FrontierChange,
    Group, Member, Node, Objective, Outcome, PerArm, PerCell, PerPeriod, Plan, Problem, Proof, Risk,
    Schedule, ScheduleNode, SchedulePlan, ScheduleProof, ShareSpread, Status, Target, Uncertainty,
    Verification,
};
pub use clock::Clock;
pub use curve::carry_over::Adstock;
pub use curve::parameter::Parameter;
pub use curve::readers::lightweight_mmm::LightweightMmm;
pub use curve::readers::meridian::Meridian;
pub use curve::readers::pymc_marketing::PymcMarketing;
pub use curve::readers::robyn::Robyn;
pub use curve::{ConcaveEnvelope, ResponseCurves};
pub use day::Day;
pub use error::{Error, Infeasibility, Limit, Result};
pub use fit::{
    AdstockKind, Baseline, ChannelSummary, Comparison, Component, Decomposition, Diagnostics, FitQuality,
    FittedModel, Forecast, Holdout, Interval, LiftTest, Likelihood, Method, ParameterSummary, PerChannel,
    Pool, PredictiveCheck, Prior, ResponseModel, RoasTest, Saturation, Summary, Trend, Warning,
};
pub use history::{History, HistoryRows};
pub use market::{
    Auction, BudgetChange, Flighting, Intervention, Learning, Market, MarketBaseline, MarketChannel,
    MarketControl, MarketGroup, MarketNoise, MarketSettings, MarketTruth, MediaEffect, Promotion, Replay,
    Simulation, SpendProcess, TrueEffect,
};
