//! Problem → plan → proof → explanation.

mod batch;
mod book;
mod branch;
mod checked;
mod clock;
mod demand;
mod explain;
mod json;
mod kernel;
mod order;
mod plan;
mod price;
mod problem;
mod proof;
mod reachable;
mod relax;
mod verify;

pub use batch::Batch;
pub use clock::Clock;
pub use explain::{ArmExplanation, Explanation};
pub use plan::{Binding, Plan, Status};
pub use problem::{PerArm, Problem};
pub use proof::{Node, Proof};
pub use verify::{Check, Verification};
