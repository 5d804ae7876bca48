//! Certified budget allocation.
#![forbid(unsafe_code)]

mod allocate;
mod curve;
mod elementary;
mod error;

pub use allocate::{
    ArmExplanation, Batch, Binding, Check, Clock, Explanation, Node, PerArm, Plan, Problem, Proof, Status,
    Verification,
};
pub use curve::parameter::Parameter;
pub use curve::readers::lightweight_mmm::LightweightMmm;
pub use curve::readers::meridian::Meridian;
pub use curve::readers::pymc_marketing::PymcMarketing;
pub use curve::readers::robyn::Robyn;
pub use curve::{ConcaveEnvelope, ResponseCurves};
pub use error::{Error, Infeasibility, Limit, Result};
