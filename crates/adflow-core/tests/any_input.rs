//! Any input whatever gets an answer or a typed error: no panic, no hang.

use std::time::{Duration, Instant};

use adflow_core::{Problem, ResponseCurves};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Numbers of every kind that JSON can hold, the senseless ones included.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => (1.0..10.0_f64, -3..3_i32).prop_map(|(digits, exponent)| digits * 10_f64.powi(exponent)),
        1 => Just(0.0),
        1 => Just(-1.0),
        1 => Just(1.0),
        1 => prop::sample::select(vec![1e-300, 1e-60, 1e-12, 1e12, 1e59, 1e60, 1e300, 5e-324]),
    ]
}

/// A number, or a list of them that may or may not have the right length.
fn column(n: usize) -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => number().prop_map(|x| json!(x)),
        3 => prop::collection::vec(number(), n).prop_map(|row| json!(row)),
        1 => prop::collection::vec(number(), 0..4).prop_map(|row| json!(row)),
        1 => prop::collection::vec(prop::collection::vec(number(), n), 1..4).prop_map(|rows| json!(rows)),
        1 => Just(Value::Null),
    ]
}

fn segment() -> impl Strategy<Value = Value> {
    let families = vec![
        ("linear", vec!["beta"]),
        ("logarithmic", vec!["beta", "scale"]),
        ("power", vec!["beta", "exponent"]),
        ("exponential", vec!["beta", "scale"]),
        ("michaelis_menten", vec!["beta", "half_saturation"]),
        ("hill", vec!["beta", "half_saturation", "slope"]),
        ("logistic", vec!["beta", "lam"]),
        ("tanh", vec!["b", "c"]),
        ("hill_sigmoid", vec!["sigma", "beta", "lam"]),
        ("tabulated", vec!["spend", "response"]),
        ("none_of_these", vec!["beta"]),
    ];
    let columns = (1..4_usize).prop_flat_map(|n| (Just(n), prop::collection::vec(column(n), 6)));
    (prop::sample::select(families), columns, any::<bool>()).prop_map(
        |((family, names), (n, columns), extras)| {
            let mut segment = json!({"family": family, "arms": n});
            for (name, column) in names.iter().zip(&columns) {
                segment[*name] = column.clone();
            }
            if extras {
                segment["offset"] = columns[3].clone();
                segment["cost_per_unit"] = columns[4].clone();
                segment["value_per_response"] = columns[5].clone();
            }
            segment
        },
    )
}

fn problem() -> impl Strategy<Value = Value> {
    let limits = prop::collection::vec(prop_oneof![3 => Just(Value::Null), 2 => column(3)], 4);
    (prop::collection::vec(segment(), 1..3), number(), any::<bool>(), limits).prop_map(
        |(segments, budget, spend_all, limits)| {
            json!({
                "version": 1, "curves": {"version": 1, "curves": segments}, "budget": budget, "spend_all": spend_all,
                "lower": limits[0], "upper": limits[1], "active_lower": limits[2], "value": limits[3],
            })
        },
    )
}

#[allow(clippy::disallowed_methods, reason = "a test keeps the time")]
fn answer(problem: Problem) {
    let start = Instant::now();
    let limit = Duration::from_secs(2);
    let clock = move || start.elapsed();
    if let Ok(plan) = problem.time_limit(limit.as_secs_f64()).solve_with(&clock) {
        assert!(start.elapsed() < 3 * limit, "took {:?}", start.elapsed());
        assert!(plan.spend.iter().all(|x| x.is_finite() && *x >= 0.0), "{:?}", plan.spend);
        assert!(plan.objective_value.is_finite() && !plan.upper_bound.is_nan());
        let _ = (plan.explain(), plan.to_json(), plan.binding());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_problem_gets_an_answer_or_a_typed_error(problem in problem()) {
        match Problem::from_json(&problem.to_string()) {
            Ok(problem) => answer(problem),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }

    #[test]
    fn any_text_is_refused_without_a_panic(text in ".{0,200}") {
        let _ = Problem::from_json(&text);
        let _ = ResponseCurves::from_json(&text);
    }
}
