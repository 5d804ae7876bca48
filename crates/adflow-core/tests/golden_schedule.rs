//! Runs the golden schedules, and writes down the bits of every answer for the other languages to match.

use std::fmt::Write as _;
use std::path::Path;

use adflow_core::{Schedule, SchedulePlan};
use serde_json::Value;

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

/// What is wrong with the plan of a case, if anything. Spends are compared relative to the budget.
fn complaint(case: &Value, plan: &SchedulePlan) -> Option<String> {
    let expect = &case["expect"];
    let verification = plan.verify();
    if !verification.ok {
        return Some(format!("does not verify: {:?}", verification.checks));
    }
    if let Some(status) = expect["status"].as_str().filter(|&status| status != plan.status.as_str()) {
        return Some(format!("status {} instead of {status}, gap {:e}", plan.status, plan.gap));
    }
    let (value, tolerance) = (number(&expect["objective_value"]), number(&expect["objective_tolerance"]));
    if (plan.objective_value - value).abs() > tolerance * value.abs() {
        return Some(format!("value {} instead of {value}", plan.objective_value));
    }
    if plan.upper_bound < value - tolerance * value.abs() {
        return Some(format!("bound {} below the value {value}", plan.upper_bound));
    }
    if let Some(most) = expect["gap_at_most"].as_f64().filter(|&most| plan.gap > most) {
        return Some(format!("gap {:e} above {most:e}", plan.gap));
    }
    let rows = expect["spend"].as_array()?;
    let tolerance = number(&expect["spend_tolerance"]) * number(&case["problem"]["budget"]);
    let spend: Vec<f64> = rows.iter().flat_map(|row| row.as_array().unwrap()).map(number).collect();
    let apart = spend.iter().zip(&plan.spend).any(|(a, b)| (a - b).abs() > tolerance);
    (apart || spend.len() != plan.spend.len()).then(|| format!("spend {:?} instead of {spend:?}", plan.spend))
}

fn bits(plan: &SchedulePlan) -> String {
    let numbers = plan.spend.iter().chain([&plan.objective_value, &plan.upper_bound, &plan.shadow_price]);
    numbers.fold(String::new(), |mut line, number| {
        let _ = write!(line, " {:016x}", number.to_bits());
        line
    })
}

#[test]
#[allow(
    clippy::disallowed_methods,
    reason = "a test reads its data, and writes the bits down for the other languages"
)]
fn every_golden_schedule_is_answered_as_the_independent_reference_says() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(here.join("tests/golden/schedule.json")).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let cases = document["cases"].as_array().unwrap();
    assert!(!cases.is_empty(), "schedule.json has no cases");
    let (mut complaints, mut dump) = (Vec::new(), String::new());
    for case in cases {
        let name = format!("schedule/{}", case["name"].as_str().unwrap());
        let read = Schedule::from_json(&case["problem"].to_string());
        let (complaint, line) = match read.and_then(Schedule::solve) {
            Ok(plan) => (complaint(case, &plan), bits(&plan)),
            Err(error) => (Some(error.to_string()), format!(" error {}", error.code())),
        };
        complaints.extend(complaint.map(|complaint| format!("{name}: {complaint}")));
        let _ = writeln!(dump, "{name}{line}");
    }
    let folder = here.join("../../target/golden");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("rust_schedule.txt"), dump).unwrap();
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}
