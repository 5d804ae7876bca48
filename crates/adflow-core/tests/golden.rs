//! Runs the golden cases, and writes down the bits of every answer for the other languages to match.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use adflow_core::{Plan, Problem};
use serde_json::Value;

/// The files of cases, in the order in which every language dumps them.
const FILES: [&str; 6] = ["concave", "s_shaped", "zero_or_minimum", "draws", "edge", "published"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[allow(clippy::disallowed_methods, reason = "a test reads its data")]
fn cases(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{file}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let document: Value = serde_json::from_str(&text).unwrap();
    document["cases"].as_array().unwrap().clone()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

/// What is wrong with the answer to a case, if anything.
fn complaint(expect: &Value, plan: &Plan) -> Option<String> {
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
        let tolerance = number(&expect["spend_tolerance"]) * plan.problem().to_budget();
        let apart = |(a, b): (&f64, &Value)| (a - number(b)).abs() > tolerance;
        if plan.spend.len() != spend.len() || plan.spend.iter().zip(spend).any(apart) {
            return Some(format!("spend {:?} instead of {spend:?}", plan.spend));
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

/// The budget, or what the plan could spend where there is none.
trait ToBudget {
    fn to_budget(&self) -> f64;
}

impl ToBudget for Problem {
    fn to_budget(&self) -> f64 {
        let document: Value = serde_json::from_str(&self.to_json()).unwrap();
        document["budget"].as_f64().unwrap_or(1.0)
    }
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
    for file in FILES {
        for case in cases(file) {
            let name = format!("{file}/{}", case["name"].as_str().unwrap());
            let expect = &case["expect"];
            let answer = Problem::from_json(&case["problem"].to_string()).and_then(Problem::solve);
            match (&answer, expect["error"].as_str()) {
                (Ok(plan), None) => {
                    complaints
                        .extend(complaint(expect, plan).map(|complaint| format!("{name}: {complaint}")));
                    let _ = writeln!(dump, "{name}{}", bits(plan));
                }
                (Err(error), Some(code)) => {
                    if error.code() != code {
                        complaints.push(format!("{name}: {} instead of {code}: {error}", error.code()));
                    }
                    if let Some(range) = expect["feasible_budget"].as_array() {
                        let (low, high) = error.infeasibility().unwrap().feasible_budget;
                        let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * b.abs();
                        if !near(low, number(&range[0])) || !near(high, number(&range[1])) {
                            complaints.push(format!("{name}: range {low}..{high} instead of {range:?}"));
                        }
                    }
                    let _ = writeln!(dump, "{name} error {}", error.code());
                }
                (Ok(_), Some(code)) => complaints.push(format!("{name}: a plan instead of the error {code}")),
                (Err(error), None) => complaints.push(format!("{name}: {error}")),
            }
        }
    }
    let folder = root().join("target/golden");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("rust.txt"), dump).unwrap();
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}
