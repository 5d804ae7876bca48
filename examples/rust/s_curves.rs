//! S-shaped curves: where following the slope goes wrong, and how a proof shows what is best.
//!
//! `cargo run --release -p adflow-examples --example s_curves`
#![allow(clippy::print_stdout, reason = "an example shows its result")]

use adflow_core::{Problem, ResponseCurves, Result};

fn main() -> Result<()> {
    // Four channels that need some spend before they work. The curves differ only in scale.
    let curves = ResponseCurves::hill([100.0, 95.0, 90.0, 85.0], 40.0, 4.0)?;
    let equal = [25.0; 4];
    let split: f64 = curves.response(&equal)?.iter().sum();
    println!("spend in equal parts      {:>6.1} each         response {split:>6.1}", equal[0]);

    let plan = Problem::new(curves.clone()).budget(100.0).solve()?;
    println!("spend as planned     {:>6.1?}   response {:>6.1}", plan.spend, plan.total_response);
    println!("no plan can exceed   {:>34} {:>15.1}   (gap {:.0e})", "", plan.upper_bound, plan.gap);

    // Where the curve stops being convex, and the chord of its concave envelope: below the chord's end a channel
    // is worth either nothing or all the way up.
    for (arm, inflection) in curves.inflection().iter().enumerate() {
        let envelope = curves.concave_envelope(arm, 0.0, 100.0)?;
        println!(
            "channel {arm}: inflection at {inflection:.1}, envelope's chords (from, to, slope) {:.2?}",
            envelope.chords
        );
    }

    // A channel with a minimum booking: it gets nothing, or at least 55.
    let booked = Problem::new(curves).budget(100.0).active_lower([55.0, 0.0, 0.0, 0.0]).solve()?;
    println!("with a minimum of 55 {:>6.1?}   response {:>6.1}", booked.spend, booked.total_response);
    for limit in booked.binding() {
        println!("held by {} {}, worth {:.2} a unit", limit.limit, limit.bound, limit.price);
    }
    Ok(())
}
