//! Fits the golden histories, and writes down the bits of every ROAS draw for the other languages to match.

use std::fmt::Write as _;
use std::path::Path;

use adflow_core::{Day, History, HistoryRows, ResponseModel, Result};
use serde_json::Value;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().into()).collect()
}

fn columns(value: &Value) -> Vec<(String, Vec<f64>)> {
    let record = value.as_object().into_iter().flatten();
    record.map(|(name, values)| (name.clone(), numbers(values))).collect()
}

fn history(document: &Value) -> Result<History> {
    let given = |name: &str| Some(&document[name]).filter(|value| !value.is_null());
    History::from_rows(&HistoryRows {
        channels: texts(&document["channels"]),
        spend: document["spend"].as_array().unwrap().iter().flat_map(numbers).collect(),
        outcome: numbers(&document["outcome"]),
        dates: given("dates").map(|days| texts(days).iter().map(|day| Day::parse(day).unwrap()).collect()),
        groups: given("groups").map(texts),
        exposures: columns(&document["exposures"]),
        controls: columns(&document["controls"]),
        holidays: columns(&document["holidays"]),
        population: given("population").map(numbers),
        ..HistoryRows::default()
    })
}

fn roas_draws(case: &Value) -> Result<Vec<f64>> {
    let model = ResponseModel::from_json(&case["model"].to_string())?.threads(2);
    Ok(model.fit(&history(&case["history"])?)?.roas_draws())
}

/// What is far from the reference, if anything.
fn complaint(expect: &Value, draws: &[f64]) -> Option<String> {
    let truths = numbers(&expect["roas"]);
    let count = (draws.len() / truths.len()) as f64;
    for (i, truth) in truths.iter().enumerate() {
        let own = || draws.iter().skip(i).step_by(truths.len());
        let mean = own().sum::<f64>() / count;
        if (mean - truth).abs() > expect["within"][i].as_f64().unwrap() {
            return Some(format!("ROAS of channel {i} is {mean} instead of {truth}"));
        }
        let std = (own().map(|draw| (draw - mean) * (draw - mean)).sum::<f64>() / count).sqrt();
        if let Some(wanted) = expect["std"][i].as_f64()
            && (std - wanted).abs() > expect["std_within"][i].as_f64().unwrap()
        {
            return Some(format!("ROAS of channel {i} has standard deviation {std} instead of {wanted}"));
        }
    }
    None
}

#[test]
#[allow(
    clippy::disallowed_methods,
    reason = "a test reads its data, and writes the bits down for the other languages"
)]
fn every_golden_history_is_fitted_as_the_independent_reference_says() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(here.join("tests/golden/response_models.json")).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let cases = document["cases"].as_array().unwrap();
    assert!(!cases.is_empty(), "response_models.json has no cases");
    let (mut complaints, mut dump) = (Vec::new(), String::new());
    for case in cases {
        let name = format!("response_models/{}", case["name"].as_str().unwrap());
        dump.push_str(&name);
        let complaint = match roas_draws(case) {
            Ok(draws) => {
                draws.iter().for_each(|draw| {
                    let _ = write!(dump, " {:016x}", draw.to_bits());
                });
                complaint(&case["expect"], &draws)
            }
            Err(error) => {
                let _ = write!(dump, " error {}", error.code());
                Some(error.to_string())
            }
        };
        dump.push('\n');
        complaints.extend(complaint.map(|complaint| format!("{name}: {complaint}")));
    }
    let folder = here.join("../../target/golden");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("rust_fit.txt"), dump).unwrap();
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}
