//! Uncertain curves: posterior draws in, the best plan for their mean out.
//!
//! `cargo run --release -p adflow-examples --example draws`
#![allow(clippy::print_stdout, reason = "an example shows its result")]

use adflow_core::{Parameter, Problem, ResponseCurves, Result};

const DRAWS: usize = 200;
const ARMS: usize = 3;

fn main() -> Result<()> {
    // A model's posterior, rows are draws. Here: made up, the third channel far less certain than the others.
    let uncertainty = [0.05, 0.1, 0.6];
    let centre = [120.0, 90.0, 110.0];
    let beta: Vec<f64> = (0..DRAWS * ARMS)
        .map(|at| centre[at % ARMS] * (1.0 + uncertainty[at % ARMS] * wave(at / ARMS, at % ARMS)))
        .collect();
    let curves = ResponseCurves::hill(
        Parameter::draws(DRAWS, ARMS, beta)?,
        [20.0, 15.0, 18.0], // the same in every draw
        [1.5, 0.9, 2.0],
    )?;

    let plan = Problem::new(curves.clone()).budget(60.0).names(["search", "social", "video"])?.solve()?;
    println!(
        "{} draws, {}: gap {:.0e}, verified: {}",
        curves.draws(),
        plan.status,
        plan.gap,
        plan.verify().ok
    );

    // What the plan brings in each draw: the mean is what was maximised, the spread is the risk.
    let responses = curves.response_draws(&plan.spend)?;
    let mut totals: Vec<f64> = responses.chunks(ARMS).map(|draw| draw.iter().sum()).collect();
    totals.sort_by(f64::total_cmp);
    for (arm, spend) in plan.spend.iter().enumerate() {
        println!(
            "{:<8} spend {spend:>6.2}   mean response {:>6.2}",
            plan.names().unwrap_or_default()[arm],
            plan.response[arm]
        );
    }
    println!(
        "in all   mean {:.1}, 5 % of the draws below {:.1}, 5 % above {:.1}",
        plan.total_response,
        totals[DRAWS / 20],
        totals[DRAWS - 1 - DRAWS / 20],
    );
    Ok(())
}

/// Numbers between −1 and 1 that look random.
fn wave(draw: usize, arm: usize) -> f64 {
    let step = u32::try_from(7 * draw + 3 * arm).unwrap_or(0);
    (12.9898 * f64::from(step)).sin()
}
