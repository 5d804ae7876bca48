//! The questions a planner asks, each answered with a proof.

#![allow(clippy::print_stdout, reason = "a program whose output is its job")]

use adflow_core::{
    Adstock, Coupling, Group, Objective, Plan, Problem, ResponseCurves, Result, Schedule, Target,
};

fn curves() -> Result<ResponseCurves> {
    ResponseCurves::hill(
        [520.0, 390.0, 260.0, 310.0, 390.0],
        [28.0, 41.0, 15.0, 52.0, 60.0],
        [0.9, 1.8, 1.1, 1.4, 2.4],
    )?
    .with_names(["search", "shopping", "video", "social", "tv"])
}

fn show(question: &str, plan: &Plan) {
    assert!(plan.verify().ok);
    println!("{question}\n  spend {:.1?}", plan.spend);
    println!("  value {:.2}, gap {:.0e}", plan.objective_value, plan.gap);
    for limit in plan.binding() {
        println!("  held by {} {}: {:.3} a unit", limit.limit, limit.name.unwrap_or_default(), limit.price);
    }
}

fn main() -> Result<()> {
    let least = Problem::new(curves()?).objective(Objective::Spend).target(Target::Response(800.0));
    show("How little brings 800?", &least.solve()?);
    show("All that returns at least 7?", &Problem::new(curves()?).target(Target::Roas(7.0)).solve()?);
    show("The most profit?", &Problem::new(curves()?).objective(Objective::Profit).solve()?);
    let limits = Problem::new(curves()?)
        .budget(100.0)
        .groups([
            Group::new("performance", ["search", "shopping"]).upper(40.0),
            Group::new("all video", ["video", "tv"]).share_lower(0.3),
        ])
        .coupling(Coupling::new().row("TV at least half of video", [(2, 0.5), (4, -1.0)], 0.0));
    show("100 within groups and a ratio?", &limits.solve()?);
    let moves = Problem::new(curves()?)
        .budget(100.0)
        .current([30.0, 25.0, 15.0, 20.0, 10.0])
        .max_moves(3)
        .step(5.0)
        .spend_all(true);
    show("100 in whole fives, at most three channels moved?", &moves.solve()?);

    let frontier = Problem::new(curves()?).frontier(&[50.0, 100.0, 150.0, 200.0])?;
    for (budget, value) in frontier.budgets.iter().zip(&frontier.objective_value) {
        println!("{budget} brings {value:.1}");
    }

    // Eight weeks, half of each week's pressure left over in the next.
    let weeks = Schedule::new(curves()?, Adstock::geometric(0.5, 6, false), 8)
        .budget(500.0)
        .upper(40.0)
        .period_upper(80.0)
        .solve()?;
    assert!(weeks.verify().ok);
    println!("{weeks}");
    Ok(())
}
