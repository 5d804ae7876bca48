//! Problem → plan → proof → explanation.

mod book;
mod branch;
mod checked;
mod clock;
mod demand;
mod kernel;
mod order;
mod plan;
mod price;
mod problem;
mod proof;
mod reachable;
mod relax;

pub use clock::Clock;
pub use plan::{Binding, Plan, Status};
pub use problem::{PerArm, Problem};
pub use proof::{Node, Proof};
