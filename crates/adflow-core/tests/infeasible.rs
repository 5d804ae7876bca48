//! Problems that no plan satisfies: the conflict that is named cannot hold together, any part of it can, and the nearest
//! budget is one that can be spent.

use adflow_core::{Error, Infeasibility, Problem};
use serde_json::{Value, json};

/// A small generator of its own, so that a case is the same everywhere (splitmix64).
struct Random(u64);

impl Random {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        #[allow(clippy::cast_precision_loss, reason = "53 bits")]
        let unit = ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64;
        unit
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        // Two decimals: limits are what people write.
        ((low + (high - low) * self.unit()) * 100.0).round() / 100.0
    }

    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "small"
    )]
    fn below(&mut self, n: usize) -> usize {
        (self.unit() * n as f64) as usize
    }
}

/// A problem with many limits, often too many.
fn problem(random: &mut Random) -> Value {
    let n = 2 + random.below(5);
    let column = |random: &mut Random, low: f64, high: f64| -> Vec<f64> {
        (0..n).map(|_| random.between(low, high)).collect()
    };
    let mut problem = json!({
        "version": 1,
        "curves": {"version": 1, "curves": [{
            "family": "hill",
            "beta": column(random, 5.0, 50.0),
            "half_saturation": column(random, 5.0, 30.0),
            "slope": column(random, 0.7, 3.0),
        }]},
        "budget": random.between(20.0, 100.0),
        "upper": column(random, 20.0, 60.0),
    });
    if random.unit() < 0.6 {
        problem["lower"] = json!(column(random, 0.0, 20.0));
    } else if random.unit() < 0.5 {
        problem["active_lower"] = json!(column(random, 5.0, 20.0));
    }
    if random.unit() < 0.4 {
        problem["spend_all"] = json!(true);
    }
    if random.unit() < 0.7 {
        let half: Vec<usize> = (0..n / 2 + 1).collect();
        let mut inner = json!({"name": "inner", "members": half});
        let mut outer = json!({"name": "outer", "members": ["inner", n - 1]});
        if n / 2 == n - 1 {
            outer["members"] = json!(["inner"]);
        }
        let keys = ["lower", "upper", "share_lower", "share_upper"];
        for group in [&mut inner, &mut outer] {
            match keys[random.below(4)] {
                key @ ("lower" | "upper") => group[key] = json!(random.between(5.0, 80.0)),
                key => group[key] = json!(random.between(0.1, 0.9)),
            }
        }
        problem["groups"] = json!([inner, outer]);
    }
    if random.unit() < 0.5 {
        let row = |random: &mut Random| json!({"arms": [0, 1], "coefficients": [random.between(-2.0, 2.0), random.between(-2.0, 2.0)]});
        let upper = [random.between(-40.0, 20.0), random.between(-20.0, 40.0)];
        problem["coupling"] =
            json!({"matrix": [row(random), row(random)], "upper": upper, "names": ["first", "second"]});
    }
    match random.below(6) {
        0 => problem["target"] = json!({"response": random.between(20.0, 200.0)}),
        1 => problem["target"] = json!({"roas": random.between(0.5, 4.0)}),
        2 => problem["target"] = json!({"cpa": random.between(0.2, 2.0)}),
        _ => {}
    }
    if random.unit() < 0.2 {
        problem["max_active"] = json!(1 + random.below(n));
    }
    if random.unit() < 0.3 {
        problem["current"] = json!(column(random, 0.0, 30.0));
        problem["max_change_amount"] = json!(column(random, 1.0, 20.0));
    }
    problem
}

fn solve(problem: &Value) -> Result<(), Box<Infeasibility>> {
    match Problem::from_json(&problem.to_string()).and_then(Problem::solve) {
        Ok(plan) => {
            assert!(plan.verify().ok, "{problem}\n{:?}", plan.verify().checks);
            Ok(())
        }
        Err(Error::Infeasible(found)) => Err(found),
        Err(error) => panic!("{error}\n{problem}"),
    }
}

/// The problem with these of its limits only.
fn only(problem: &Value, kept: &[(&str, Option<usize>, Option<String>)]) -> Value {
    let has = |limit: &str, arm: Option<usize>, name: Option<&str>| {
        kept.iter().any(|item| item.0 == limit && item.1 == arm && item.2.as_deref() == name)
    };
    let mut part = problem.clone();
    for (key, none) in [
        ("lower", json!(0.0)),
        ("upper", Value::Null),
        ("active_lower", Value::Null),
        ("max_change_amount", Value::Null),
    ] {
        for (i, value) in part[key].as_array_mut().into_iter().flatten().enumerate() {
            if !has(key, Some(i), None) {
                *value = none.clone();
            }
        }
    }
    for key in ["target", "max_active"] {
        if !has(key, None, None) {
            part[key] = Value::Null;
        }
    }
    for group in part["groups"].as_array_mut().into_iter().flatten() {
        let name = group["name"].as_str().unwrap().to_string();
        for key in ["lower", "upper", "share_lower", "share_upper"] {
            if !has(&format!("group_{key}"), None, Some(&name)) {
                group[key] = Value::Null;
            }
        }
    }
    if let Some(coupling) = problem.get("coupling") {
        let kept: Vec<usize> =
            (0..2).filter(|&r| has("coupling", None, coupling["names"][r].as_str())).collect();
        let rows = |key: &str| -> Vec<Value> { kept.iter().map(|&r| coupling[key][r].clone()).collect() };
        part["coupling"] = json!({"matrix": rows("matrix"), "upper": rows("upper"), "names": rows("names")});
    }
    if !has("budget", None, None) {
        // So much that it is no limit, and none that must be spent.
        part["budget"] = json!(1e5);
        part["spend_all"] = json!(false);
    }
    part
}

fn check(count: usize, seed: u64) {
    let mut random = Random(seed);
    let mut seen = 0;
    let mut sizes = [0; 8];
    while seen < count {
        let problem = problem(&mut random);
        let Err(found) = solve(&problem) else { continue };
        seen += 1;
        let conflict: Vec<(&str, Option<usize>, Option<String>)> = found
            .conflict
            .iter()
            // Arms have no names here.
            .map(|limit| (limit.limit, limit.arm, limit.name.clone()))
            .collect();
        assert!(!conflict.is_empty(), "{problem}");
        sizes[conflict.len().min(7)] += 1;
        assert!(solve(&only(&problem, &conflict)).is_err(), "{conflict:?} can hold together\n{problem}");
        for at in 0..conflict.len() {
            let mut rest = conflict.clone();
            let dropped = rest.remove(at);
            assert!(
                solve(&only(&problem, &rest)).is_ok(),
                "{dropped:?} is not needed in {conflict:?}\n{problem}"
            );
        }
        for nearest in [found.nearest.0, found.nearest.1].into_iter().flatten() {
            let mut moved = problem.clone();
            moved["budget"] = json!(nearest);
            assert!(solve(&moved).is_ok(), "a budget of {nearest} does not do\n{problem}");
        }
        if let Some(target) = found.feasible_target {
            let mut moved = problem.clone();
            let key = problem["target"].as_object().unwrap().keys().next().unwrap().clone();
            let loose = if key == "cpa" { 1.0 + 1e-6 } else { 1.0 - 1e-6 };
            moved["target"] = json!({key: target * loose});
            assert!(solve(&moved).is_ok(), "a target of {target} does not do\n{problem}");
        }
    }
    assert!(sizes.iter().filter(|&&size| size > 0).count() >= 4, "conflicts of several sizes: {sizes:?}");
}

#[test]
fn conflicts_are_irreducible_and_the_nearest_can_be_had() {
    check(60, 1);
}

#[test]
#[ignore = "a minute: run by `cargo xtask verify`"]
fn a_thousand_conflicts_are_irreducible_and_the_nearest_can_be_had() {
    check(1_000, 2);
}

#[test]
fn sums_of_minima_that_cannot_meet_the_budget_are_told_by_the_fewest() {
    let problem = json!({
        "version": 1,
        "curves": {"version": 1, "curves": [
            {"family": "michaelis_menten", "beta": [5.0, 6.0, 7.0], "half_saturation": [3.0, 3.0, 3.0]}]},
        "budget": 7.0,
        "spend_all": true,
        "active_lower": [5.0, 9.0, 9.0],
        "upper": [6.0, 10.0, 10.0],
    });
    let found = solve(&problem).unwrap_err();
    assert_eq!(found.nearest, (Some(6.0), Some(9.0)));
    let names: Vec<_> = found.conflict.iter().map(|limit| (limit.limit, limit.arm)).collect();
    let fewest = [("budget", None), ("upper", Some(0)), ("active_lower", Some(1)), ("active_lower", Some(2))];
    assert_eq!(names.len(), fewest.len(), "{names:?}");
    assert!(fewest.iter().all(|limit| names.contains(limit)), "{names:?}");
}
