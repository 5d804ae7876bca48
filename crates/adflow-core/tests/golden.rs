//! Runs the golden cases, and writes down the bits of every answer for the other languages to match.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use adflow_core::{Error, Limit, Plan, Problem};
use serde_json::Value;

/// The files of cases, in the order in which every language dumps them.
const FILES: [&str; 12] = [
    "concave",
    "s_shaped",
    "zero_or_minimum",
    "draws",
    "edge",
    "published",
    "goals",
    "groups",
    "activation",
    "moves",
    "steps",
    "risk",
];
/// Has errors only: no numbers to dump.
const ERRORS: &str = "infeasible";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[allow(clippy::disallowed_methods, reason = "a test reads its data")]
fn cases(file: &str) -> Result<Vec<Value>, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{file}.json"));
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{file}.json: {error}"))?;
    let document: Value = serde_json::from_str(&text).map_err(|error| format!("{file}.json: {error}"))?;
    match document["cases"].as_array() {
        Some(cases) if !cases.is_empty() => Ok(cases.clone()),
        _ => Err(format!("{file}.json: has no cases")),
    }
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

/// What is wrong with the plan of a case, if anything. Spends are compared relative to the budget, or to what is to be spent.
fn complaint(expect: &Value, budget: Option<f64>, plan: &Plan) -> Option<String> {
    let verification = plan.verify();
    if !verification.ok {
        return Some(format!("does not verify: {:?}", verification.checks));
    }
    if let Some(status) = expect["status"].as_str().filter(|&status| status != plan.status.as_str()) {
        return Some(format!("status {} instead of {status}, gap {:e}", plan.status, plan.gap));
    }
    if let Some(value) = expect["objective_value"].as_f64() {
        let tolerance = number(&expect["objective_tolerance"]);
        let above = plan.objective_value - value;
        let at_least = expect["at_least"].as_bool().unwrap_or(false);
        if above < -tolerance * value.abs() || !at_least && above > tolerance * value.abs() {
            return Some(format!("value {} instead of {value}", plan.objective_value));
        }
        if plan.upper_bound < value - tolerance * value.abs() {
            return Some(format!("bound {} below the value {value}", plan.upper_bound));
        }
    }
    if let Some(spend) = expect["spend"].as_array() {
        let total = budget.unwrap_or_else(|| spend.iter().map(number).sum());
        let tolerance = number(&expect["spend_tolerance"]) * total;
        let apart = |(a, b): (&f64, &Value)| (a - number(b)).abs() > tolerance;
        if plan.spend.len() != spend.len() || plan.spend.iter().zip(spend).any(apart) {
            return Some(format!("spend {:?} instead of {spend:?}", plan.spend));
        }
    }
    if let Some(total) = expect["total_spend"].as_f64() {
        let tolerance = number(&expect["total_spend_tolerance"]);
        if (plan.total_spend - total).abs() > tolerance * total.abs() {
            return Some(format!("total spend {} instead of {total}", plan.total_spend));
        }
    }
    if let Some(price) = expect["shadow_price"].as_f64() {
        let tolerance = number(&expect["shadow_price_tolerance"]);
        if (plan.shadow_price - price).abs() > tolerance * price.abs() {
            return Some(format!("shadow price {} instead of {price}", plan.shadow_price));
        }
    }
    match expect["gap_at_most"].as_f64() {
        Some(most) if plan.gap > most => Some(format!("gap {:e} above {most:e}", plan.gap)),
        _ => None,
    }
}

/// What is wrong with the error of a case, if anything.
fn error_complaint(expect: &Value, error: &Error) -> Option<String> {
    let code = expect["error"].as_str().unwrap();
    if error.code() != code {
        return Some(format!("{} instead of {code}: {error}", error.code()));
    }
    // JSON has no infinity: null is "no end".
    let near = |a: f64, b: &Value| match b.as_f64() {
        Some(b) => (a - b).abs() <= 1e-9 * b.abs(),
        None => a.is_infinite() && a > 0.0,
    };
    if let Some(range) = expect["feasible_budget"].as_array() {
        let got = error.infeasibility().unwrap().feasible_budget;
        if got.is_none_or(|(low, high)| !near(low, &range[0]) || !near(high, &range[1])) {
            return Some(format!("range {got:?} instead of {range:?}"));
        }
    }
    if let Some(target) = expect["feasible_target"].as_f64() {
        let got = error.infeasibility().unwrap().feasible_target;
        if got.is_none_or(|got| (got - target).abs() > 1e-7 * target.abs()) {
            return Some(format!("feasible target {got:?} instead of {target}"));
        }
    }
    if let Some(conflict) = expect["conflict"].as_array() {
        let mut left = error.infeasibility().unwrap().conflict.clone();
        let told = |wanted: &Value| left.iter().position(|limit| is(limit, wanted)).map(|at| left.remove(at));
        let all_told = conflict.iter().map(told).all(|found| found.is_some());
        if !all_told || !left.is_empty() {
            let got = &error.infeasibility().unwrap().conflict;
            return Some(format!("conflict {got:?} instead of {conflict:?}"));
        }
    }
    None
}

/// Whether a limit is the one that a case names; an arm or a name that the case leaves out may be any.
fn is(limit: &Limit, wanted: &Value) -> bool {
    let arm = wanted["arm"].as_u64().is_none_or(|arm| limit.arm.is_some_and(|own| own as u64 == arm));
    let name = wanted["name"].as_str().is_none_or(|name| limit.name.as_deref() == Some(name));
    wanted["limit"] == limit.limit && arm && name
}

fn bits(plan: &Plan) -> String {
    let numbers = plan.spend.iter().chain([&plan.objective_value, &plan.upper_bound, &plan.shadow_price]);
    numbers.fold(String::new(), |mut line, number| {
        let _ = write!(line, " {:016x}", number.to_bits());
        line
    })
}

#[test]
#[allow(clippy::disallowed_methods, reason = "the answers' bits are written down for the other languages")]
fn every_golden_case_is_answered_as_the_independent_reference_says() {
    let (mut complaints, mut dump) = (Vec::new(), String::new());
    for file in FILES.into_iter().chain([ERRORS]) {
        let cases = cases(file).unwrap_or_else(|missing| {
            complaints.push(missing);
            Vec::new()
        });
        for case in cases {
            let name = format!("{file}/{}", case["name"].as_str().unwrap());
            let expect = &case["expect"];
            let answer = Problem::from_json(&case["problem"].to_string()).and_then(Problem::solve);
            let complaint = match (&answer, expect["error"].as_str()) {
                (Ok(plan), None) => complaint(expect, case["problem"]["budget"].as_f64(), plan),
                (Err(error), Some(_)) => error_complaint(expect, error),
                (Ok(_), Some(code)) => Some(format!("a plan instead of the error {code}")),
                (Err(error), None) => Some(error.to_string()),
            };
            complaints.extend(complaint.map(|complaint| format!("{name}: {complaint}")));
            if file != ERRORS {
                let _ = match &answer {
                    Ok(plan) => writeln!(dump, "{name}{}", bits(plan)),
                    Err(error) => writeln!(dump, "{name} error {}", error.code()),
                };
            }
        }
    }
    let folder = root().join("target/golden");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("rust.txt"), dump).unwrap();
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}
