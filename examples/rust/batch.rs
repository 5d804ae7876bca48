//! Many independent problems in one call: a budget per region, columns in and columns out.
//!
//! `cargo run --release -p adflow-examples --example batch`
#![allow(clippy::print_stdout, reason = "an example shows its result")]

use adflow_core::{Problem, ResponseCurves, Result};

fn main() -> Result<()> {
    // One row per channel of a region, as in a table; region j owns the rows offsets[j]..offsets[j + 1].
    let regions = ["north", "south", "west"];
    let offsets = [0, 3, 5, 9];
    let budgets = [100.0, 40.0, 160.0];
    let beta = [80.0, 60.0, 40.0, 50.0, 70.0, 90.0, 30.0, 60.0, 45.0];
    let half_saturation = [30.0, 25.0, 10.0, 12.0, 30.0, 55.0, 9.0, 20.0, 14.0];
    let slope = [0.8, 1.6, 2.0, 1.0, 2.4, 1.3, 0.7, 1.9, 1.0];

    let curves = ResponseCurves::hill(beta, half_saturation, slope)?;
    let batch = Problem::new(curves).upper(70.0).solve_batch(&offsets, &budgets)?;

    for (j, region) in regions.iter().enumerate() {
        println!(
            "{region:<6} budget {:>5}  spend {:>6.1?}  response {:>6.1}  next unit brings {:.2}  {} (gap {:.0e})",
            budgets[j],
            &batch.spend[offsets[j]..offsets[j + 1]],
            batch.objective_value[j],
            batch.shadow_price[j],
            batch.status[j],
            batch.gap[j],
        );
    }
    Ok(())
}
