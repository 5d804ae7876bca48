//! Goals and limits as a planner relies on them: targets are inequalities, and more room never hurts.

#![allow(clippy::disallowed_methods, reason = "tests compute their own references")]

use adflow_core::{Coupling, Extrapolation, Group, Objective, Plan, Problem, ResponseCurves, Target};

fn curves() -> ResponseCurves {
    ResponseCurves::hill(
        [120.0, 80.0, 60.0, 90.0, 40.0],
        [5.0, 9.0, 4.0, 6.0, 3.0],
        [2.0, 1.5, 0.8, 3.0, 2.5],
    )
    .unwrap()
}

fn solved(problem: Problem) -> Plan {
    let plan = problem.solve().unwrap();
    assert!(plan.verify().ok, "{:?}", plan.verify().checks);
    plan
}

#[test]
fn raising_the_cap_never_lowers_the_response() {
    for target in [Target::Roas(6.0), Target::Cpa(0.15), Target::MarginalRoas(4.0)] {
        let mut last = 0.0;
        for budget in 1..40 {
            let plan = solved(Problem::new(curves()).budget(f64::from(budget)).target(target));
            assert!(plan.objective_value >= last * (1.0 - 2e-6), "{target:?} at {budget}");
            last = plan.objective_value;
        }
    }
}

#[test]
fn a_floor_that_is_slack_does_not_bind() {
    let free = solved(Problem::new(curves()).budget(20.0));
    let roas = free.objective_value / free.total_spend;
    for target in
        [Target::Roas(0.9 * roas), Target::Cpa(1.1 / roas), Target::Response(0.9 * free.objective_value)]
    {
        let plan = solved(Problem::new(curves()).budget(20.0).target(target));
        assert!(
            (plan.objective_value - free.objective_value).abs() <= 2e-6 * free.objective_value,
            "{target:?}"
        );
        let limit = plan.limits.iter().find(|limit| limit.limit == "target").unwrap();
        assert!(limit.price == 0.0, "{target:?} binds at {}", limit.price);
    }
}

#[test]
fn least_spend_and_best_response_answer_each_other() {
    for budget in [3.0, 8.0, 15.0, 25.0] {
        let best = solved(Problem::new(curves()).budget(budget));
        let target = Target::Response(best.objective_value * (1.0 - 1e-6));
        let least = solved(Problem::new(curves()).objective(Objective::Spend).target(target));
        assert!(least.total_spend <= budget * (1.0 + 1e-9), "{} for {budget}", least.total_spend);
        assert!(least.total_spend >= budget * (1.0 - 1e-4), "{} for {budget}", least.total_spend);
    }
}

#[test]
fn profit_ends_where_the_next_unit_returns_one() {
    let plan = solved(Problem::new(curves()).objective(Objective::Profit));
    for (x, slope) in plan.spend.iter().zip(&plan.marginal_response) {
        assert!(*x <= 0.0 || (slope - 1.0).abs() <= 1e-6, "{x} at {slope}");
    }
    let floor = solved(Problem::new(curves()).target(Target::MarginalRoas(1.0)));
    assert!(floor.objective_value >= plan.total_response * (1.0 - 1e-9));
    let capped = solved(Problem::new(curves()).objective(Objective::Profit).budget(0.5 * plan.total_spend));
    assert!(capped.objective_value < plan.objective_value && capped.shadow_price > 0.0);
}

#[test]
fn dropping_any_limit_never_hurts() {
    let full = || {
        Problem::new(curves())
            .budget(20.0)
            .groups([Group::new("first", [0, 1, 3]).upper(9.0), Group::new("rest", [2, 4]).share_upper(0.5)])
            .coupling(Coupling::new().row("half", [(0, 0.5), (3, -1.0)], 0.0))
            .max_active(3)
    };
    let base = solved(full()).objective_value;
    let looser = [
        full().groups([Group::new("first", [0, 1, 3]).upper(9.0)]),
        full().groups([]),
        full().coupling(Coupling::new()),
        full().max_active(4),
        full().budget(21.0),
    ];
    for problem in looser {
        assert!(solved(problem).objective_value >= base * (1.0 - 1e-6));
    }
}

#[test]
fn scale_changes_nothing() {
    let problem = |money: f64, response: f64| {
        let curves = ResponseCurves::hill(
            [120.0, 80.0, 60.0].map(|beta| beta * response),
            [5.0, 9.0, 4.0].map(|k| k * money),
            [2.0, 1.5, 0.8],
        );
        Problem::new(curves.unwrap())
            .budget(20.0 * money)
            .groups([Group::new("first", [0, 1]).upper(9.0 * money)])
            .activation_cost(3.0 * response)
            .coupling(Coupling::new().row("half", [(0, 0.5), (1, -1.0)], 0.0))
    };
    let plain = solved(problem(1.0, 1.0));
    for (money, response) in [(1e9, 1.0), (1e-9, 1.0), (1.0, 1e9), (1.0, 1e-9), (1e9, 1e-9)] {
        let plan = solved(problem(money, response));
        assert!((plan.objective_value / response / plain.objective_value - 1.0).abs() <= 1e-6);
        for (a, b) in plan.spend.iter().zip(&plain.spend) {
            assert!((a / money - b).abs() <= 1e-4 * 20.0, "{a} against {b} at {money}, {response}");
        }
    }
}

#[test]
fn beyond_the_observed_spend_a_cap_holds_and_a_price_is_paid() {
    let observed = || curves().with_observed_spend(&[(0.0, 6.0); 5]).unwrap();
    let capped = solved(Problem::new(observed()).budget(40.0).extrapolation(Extrapolation::Cap));
    assert!(capped.spend.iter().all(|&x| x <= 6.0 * (1.0 + 1e-12)));
    let free = solved(Problem::new(observed()).budget(40.0).extrapolation(Extrapolation::Penalty(0.0)));
    let priced = solved(Problem::new(observed()).budget(40.0).extrapolation(Extrapolation::Penalty(2.0)));
    let beyond = |plan: &Plan| plan.spend.iter().map(|x| (x - 6.0).max(0.0)).sum::<f64>();
    assert!(beyond(&priced) < beyond(&free) && beyond(&free) > 1.0);
    let paid = priced.total_response - priced.objective_value;
    assert!((paid - 2.0 * beyond(&priced)).abs() <= 1e-9 * priced.total_response);
}

#[test]
fn whole_steps_are_whole_and_say_what_they_cost() {
    let plan = solved(Problem::new(curves()).budget(20.0).step(0.5).spend_all(true));
    assert!(plan.spend.iter().all(|x| (x / 0.5 - (x / 0.5).round()).abs() <= 1e-9));
    assert!((plan.total_spend - 20.0).abs() <= 1e-12);
    let free = solved(Problem::new(curves()).budget(20.0).spend_all(true));
    let loss = plan.rounding_loss.unwrap();
    assert!((loss - (free.objective_value - plan.objective_value)).abs() <= 1e-9 * free.objective_value);
    assert!(loss >= 0.0);
}

#[test]
fn profit_with_a_response_to_reach_wants_a_bound_and_keeps_the_target() {
    // Reached only at a loss: the cap of a profitable plan must not stand in the way.
    let linear = || ResponseCurves::michaelis_menten([10.0, 8.0], [40.0, 50.0]).unwrap();
    let asked = |problem: Problem| problem.objective(Objective::Profit).target(Target::Response(12.0));
    let error = asked(Problem::new(linear())).solve().unwrap_err();
    assert_eq!(error.code(), "out_of_domain", "{error}");
    assert!(error.to_string().contains("upper[0]"), "{error}");
    let plan = solved(asked(Problem::new(linear()).upper(500.0)));
    assert!(plan.objective_value < -50.0 && (plan.total_response - 12.0).abs() <= 1e-6);
    let least = Problem::new(linear()).objective(Objective::Spend).target(Target::Response(12.0));
    assert!((solved(least).total_spend - plan.total_spend).abs() <= 1e-3 * plan.total_spend);
}
