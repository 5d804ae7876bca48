//! Fits of public data whose answers are known.
//!
//! The data lie beside the repository, not in it; without them these tests say so and pass.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::print_stdout,
    reason = "a test may read files and clocks, and tell figures"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use adflow_core::{
    Day, FittedModel, History, HistoryRows, Interval, Likelihood, ResponseModel, Saturation, Trend,
};

/// A table by its columns; `None`, and a line among what was skipped, where the file is not there.
struct Table(BTreeMap<String, Vec<String>>);

impl Table {
    fn read(file: &str) -> Option<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let path: PathBuf = root.join("../shared/data").join(file);
        let Ok(text) = fs::read_to_string(&path) else {
            let line = format!("public data: no ../shared/data/{file}\n");
            if let Ok(skipped) = std::env::var("ADFLOW_SKIPPED_FILE") {
                let opened = fs::OpenOptions::new().create(true).append(true).open(skipped);
                opened
                    .and_then(|mut file| file.write_all(line.as_bytes()))
                    .expect("the list of what was skipped");
            }
            return None;
        };
        let mut lines =
            text.lines().map(|line| line.split(',').map(|cell| cell.trim_matches('"').to_string()));
        let names: Vec<String> = lines.next()?.collect();
        let mut columns: Vec<Vec<String>> = vec![Vec::new(); names.len()];
        for row in lines {
            columns.iter_mut().zip(row).for_each(|(column, cell)| column.push(cell));
        }
        Some(Self(names.into_iter().zip(columns).collect()))
    }

    fn numbers(&self, name: &str) -> Vec<f64> {
        self.0[name].iter().map(|cell| cell.parse().unwrap()).collect()
    }

    fn days(&self, name: &str) -> Vec<Day> {
        self.0[name].iter().map(|cell| Day::parse(cell).unwrap()).collect()
    }

    /// A row of columns per row of the table.
    fn rows(&self, names: &[&str]) -> Vec<f64> {
        let columns: Vec<Vec<f64>> = names.iter().map(|name| self.numbers(name)).collect();
        (0..columns[0].len()).flat_map(|row| columns.iter().map(move |column| column[row])).collect()
    }
}

fn holds(interval: &Interval, truth: f64) -> bool {
    (interval.lower..=interval.upper).contains(&truth)
}

/// The 90 % interval of a parameter.
fn parameter(fitted: &FittedModel, name: &str) -> Interval {
    let summary = fitted.summary(0.9).unwrap();
    summary.parameters.into_iter().find(|parameter| parameter.name == name).unwrap().interval
}

/// R-hat below 1.01 and no divergences.
fn assert_clean(fitted: &FittedModel) {
    let diagnostics = fitted.diagnostics();
    assert!(diagnostics.r_hat < 1.01, "R-hat {}", diagnostics.r_hat);
    assert_eq!(diagnostics.divergences, 0);
}

fn model() -> ResponseModel {
    ResponseModel::new().target_accept(0.95).threads(2).seed(1)
}

/// 179 simulated weeks: retention 0.4 and 0.2, logistic saturation with rates 4 and 3, largest effects 3,000 and 2,000.
#[test]
fn the_parameters_of_the_mmm_example_are_recovered() {
    let Some(table) = Table::read("pymc-marketing/mmm_example.csv") else { return };
    let history = History::new(["x1", "x2"], &table.rows(&["x1", "x2"]), &table.numbers("y"))
        .unwrap()
        .starting(table.days("date_week")[0], 7)
        .unwrap()
        .with_holiday("event_1", &table.numbers("event_1"))
        .unwrap()
        .with_holiday("event_2", &table.numbers("event_2"))
        .unwrap();
    let fitted = model().curve(Saturation::Logistic).max_lag(7).fit(&history).unwrap();
    assert_clean(&fitted);
    for (name, truth) in [
        ("retention[x1]", 0.4),
        ("retention[x2]", 0.2),
        // The rate λ is ln 3 over the half saturation.
        ("half_saturation[x1]", 3_f64.ln() / 4.0),
        ("half_saturation[x2]", 3_f64.ln() / 3.0),
        ("sigma", 241.86),
    ] {
        let interval = parameter(&fitted, name);
        assert!(holds(&interval, truth), "{name}: {interval:?} misses {truth}");
    }
    let summary = fitted.summary(0.9).unwrap();
    for (channel, truth) in summary.channels.iter().zip([4_967.831_953, 2_274.883_311]) {
        assert!(holds(&channel.roas, truth), "{:?} misses {truth}", channel.roas);
    }
}

/// 131 simulated weeks; what y would be with a channel off is in the file. x1 follows a hidden demand z, which goes in as a control.
#[test]
fn true_roas_lie_inside_their_intervals() {
    let Some(table) = Table::read("pymc-marketing/mmm_roas_data.csv") else { return };
    let (y, spend) = (table.numbers("y"), [table.numbers("x1"), table.numbers("x2")]);
    let history = History::new(["x1", "x2"], &table.rows(&["x1", "x2"]), &y)
        .unwrap()
        .starting(table.days("date")[0], 7)
        .unwrap()
        .with_control("z", &table.numbers("z"))
        .unwrap();
    let fitted = model().curve(Saturation::Logistic).max_lag(3).trend(Trend::Knots(4)).fit(&history).unwrap();
    assert_clean(&fitted);
    let summary = fitted.summary(0.9).unwrap();
    for (i, off) in ["y01", "y02"].into_iter().enumerate() {
        let lost: f64 = y.iter().zip(table.numbers(off)).map(|(y, off)| y - off).sum();
        let truth = lost / spend[i].iter().sum::<f64>();
        let roas = &summary.channels[i].roas;
        assert!(holds(roas, truth), "{roas:?} misses {truth}");
    }
}

/// 120 simulated days of seven campaigns and search, user by user; the first week's contributions come from days that nobody saw.
#[test]
fn contributions_of_campaigns_rank_as_the_truth() {
    let Some(daily) = Table::read("pymc-marketing/credibility_campaign_daily_metrics.csv") else { return };
    let Some(input) = Table::read("pymc-marketing/credibility_mmm_input_data.csv") else { return };
    let Some(truth) = Table::read("pymc-marketing/credibility_ground_truth_campaign_contributions.csv")
    else {
        return;
    };
    let campaigns: Vec<&String> = truth.0.keys().filter(|name| *name != "date").collect();
    let (days, outcome) = (input.days("date"), input.numbers("y"));
    let mut spend = vec![0.0; days.len() * (campaigns.len() + 1)];
    let width = campaigns.len() + 1;
    for (row, amount) in daily.numbers("spend").into_iter().enumerate() {
        let day = days.iter().position(|day| *day == daily.days("date")[row]).unwrap();
        let campaign = campaigns.iter().position(|name| **name == daily.0["campaign"][row]).unwrap();
        spend[day * width + campaign] = amount;
    }
    for (day, amount) in input.numbers("search").into_iter().enumerate() {
        spend[day * width + width - 1] = amount;
    }
    let names = campaigns.iter().map(|name| name.as_str()).chain(["search"]);
    let mut seen = outcome.clone();
    seen[..7].fill(f64::NAN);
    let history = History::new(names, &spend, &outcome)
        .unwrap()
        .starting(days[0], 1)
        .unwrap()
        .with_missing_outcomes(&seen)
        .unwrap();
    let fitted = model().weekdays(false).fit(&history).unwrap();
    let parts = fitted.decompose(0.9).unwrap();
    let (mut ours, mut theirs, mut totals, mut true_totals) = (vec![], vec![], vec![], vec![]);
    for name in &campaigns {
        let part = parts.components.iter().find(|part| &&part.name == name).unwrap();
        let known = truth.numbers(name);
        ours.extend(&part.mean[7..]);
        theirs.extend(&known[7..]);
        totals.push(part.mean[7..].iter().sum::<f64>());
        true_totals.push(known[7..].iter().sum::<f64>());
    }
    let (cells, whole) = (rank_correlation(&ours, &theirs), rank_correlation(&totals, &true_totals));
    assert!(cells > 0.8 && whole > 0.8, "cells {cells}, campaigns {whole}");
}

/// 208 weeks of Robyn's demo: competitor's sales follow the common demand; two weeks are unlike all others.
#[test]
fn robyns_demo_is_fitted_cleanly() {
    let Some(table) = Table::read("robyn/dt_simulated_weekly.csv") else { return };
    let channels = ["tv_S", "ooh_S", "print_S", "facebook_S", "search_S"];
    let event = |name: &str| -> Vec<f64> {
        table.0["events"].iter().map(|cell| f64::from(u8::from(cell == name))).collect()
    };
    let history = History::new(channels, &table.rows(&channels), &table.numbers("revenue"))
        .unwrap()
        .starting(table.days("DATE")[0], 7)
        .unwrap()
        .with_control("competitor_sales_B", &table.numbers("competitor_sales_B"))
        .unwrap()
        .with_control("newsletter", &table.numbers("newsletter"))
        .unwrap()
        .with_holiday("event1", &event("event1"))
        .unwrap()
        .with_holiday("event2", &event("event2"))
        .unwrap();
    assert_clean(&model().fit(&history).unwrap());
    let holdout = model().holdout(&history, 13).unwrap();
    assert!(holdout.crps <= holdout.seasonal.crps && holdout.mape <= holdout.seasonal.mape, "{holdout:?}");
}

#[test]
fn a_national_history_is_fitted_cleanly() {
    let Some(table) = Table::read("meridian/national_media.csv") else { return };
    let channels = ["Channel0_spend", "Channel1_spend", "Channel2_spend", "Channel3_spend"];
    let revenue: Vec<f64> = (table.numbers("conversions").iter())
        .zip(table.numbers("revenue_per_conversion"))
        .map(|(count, value)| count * value)
        .collect();
    let mut history = History::new(channels, &table.rows(&channels), &revenue)
        .unwrap()
        .starting(table.days("time")[0], 7)
        .unwrap();
    for control in ["competitor_activity_score_control", "sentiment_score_control"] {
        history = history.with_control(control, &table.numbers(control)).unwrap();
    }
    assert_clean(&model().fit(&history).unwrap());
    let holdout = model().holdout(&history, 13).unwrap();
    assert!(holdout.crps <= holdout.seasonal.crps && holdout.mape <= holdout.seasonal.mape, "{holdout:?}");
}

/// Forty geos, 156 weeks, five channels.
fn geos() -> Option<History> {
    let table = Table::read("meridian/geo_all_channels.csv")?;
    let channels: Vec<String> = (0..5).map(|i| format!("Channel{i}_spend")).collect();
    let names: Vec<&str> = channels.iter().map(String::as_str).collect();
    let revenue: Vec<f64> = (table.numbers("conversions").iter())
        .zip(table.numbers("revenue_per_conversion"))
        .map(|(count, value)| count * value)
        .collect();
    let mut rows = HistoryRows::new(channels.clone(), &table.rows(&names), &revenue);
    rows.dates = Some(table.days("time"));
    rows.groups = Some(table.0["geo"].clone());
    rows.population = Some(table.numbers("population"));
    for control in
        ["competitor_sales_control", "sentiment_score_control", "Organic_channel0_impression", "Promo"]
    {
        rows.controls.push((control.into(), table.numbers(control)));
    }
    Some(History::from_rows(&rows).unwrap())
}

#[test]
#[ignore = "minutes: `cargo xtask verify` runs it"]
fn forty_geos_are_fitted_cleanly() {
    let Some(history) = geos() else { return };
    let begun = std::time::Instant::now();
    let fitted = model().max_lag(8).fit(&history).unwrap();
    println!("40 geos x 156 weeks x 5 channels: {:?}, {:?}", begun.elapsed(), fitted.diagnostics());
    assert_clean(&fitted);
    let holdout = model().draws(250).max_lag(8).holdout(&history, 13).unwrap();
    assert!(holdout.crps <= holdout.seasonal.crps && holdout.wape <= holdout.seasonal.wape, "{holdout:?}");
}

#[test]
fn a_few_geos_share_what_is_known() {
    let Some(table) = Table::read("pymc-marketing/mmm_multidimensional_example.csv") else { return };
    let mut rows = HistoryRows::new(["x1", "x2"], &table.rows(&["x1", "x2"]), &table.numbers("y"));
    rows.dates = Some(table.days("date"));
    rows.groups = Some(table.0["geo"].clone());
    rows.holidays =
        vec![("event_1".into(), table.numbers("event_1")), ("event_2".into(), table.numbers("event_2"))];
    let history = History::from_rows(&rows).unwrap();
    let fitted = model().likelihood(Likelihood::StudentT).draws(500).fit(&history).unwrap();
    assert!(fitted.diagnostics().r_hat < 1.02, "{:?}", fitted.diagnostics());
    assert_eq!(fitted.group_curves().unwrap().len(), 4);
}

/// Spearman's ρ, ties at their mean rank.
fn rank_correlation(a: &[f64], b: &[f64]) -> f64 {
    let (a, b) = (ranks(a), ranks(b));
    let mean = f64::from(u32::try_from(a.len()).unwrap() + 1) / 2.0;
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>();
    product(&a, &b) / (product(&a, &a) * product(&b, &b)).sqrt()
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let below = |value: f64| values.iter().filter(|other| **other < value).count();
    let same = |value: f64| values.iter().filter(|other| **other <= value).count();
    let rank = |value: f64| f64::from(u32::try_from(below(value) + same(value) + 1).unwrap()) / 2.0;
    values.iter().map(|&value| rank(value)).collect()
}
