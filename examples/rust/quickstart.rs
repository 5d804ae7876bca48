//! Three channels, one budget: the plan and its proof.
//!
//! `cargo run --release -p adflow-examples --example quickstart`
#![allow(clippy::print_stdout, reason = "an example shows its result")]

use adflow_core::{Problem, ResponseCurves, Result};

fn main() -> Result<()> {
    // Conversions per week as a function of dollars per week: β x^s/(k^s + x^s).
    let beta = [900.0, 650.0, 400.0];
    let half_saturation = [12_000.0, 8_000.0, 5_000.0];
    let slope = [0.9, 1.4, 2.2];
    let curves = ResponseCurves::hill(beta, half_saturation, slope)?;

    let plan = Problem::new(curves)
        .budget(30_000.0)
        .names(["search", "social", "video"])?
        .upper([15_000.0, 12_000.0, f64::INFINITY])
        .current([10_000.0, 10_000.0, 10_000.0])
        .solve()?;

    // One sentence on each channel, and what the plan as a whole brings.
    let explanation = plan.explain();
    for arm in &explanation.arms {
        println!("{}", arm.sentence);
    }
    for sentence in &explanation.summary {
        println!("{sentence}");
    }

    // No split of the budget is better by more than the gap; `verify` recomputes that from the plan alone.
    println!("status {}, gap {:.1e}, verified: {}", plan.status, plan.gap, plan.verify().ok);
    Ok(())
}
