//! What a fit promises whatever the data: typed errors, stated answers, the same draws on any number of threads.

use adflow_core::{
    AdstockKind, Clock, Day, Error, FittedModel, History, HistoryRows, LiftTest, Likelihood, Market, Method,
    Prior, Problem, ResponseModel, RoasTest, Saturation, Trend,
};
use std::time::Duration;

/// Sixty weeks of two channels: 1,000 + 400 s/(30 + s) of search + 200 t/(50 + t) of tv, and a little that looks random.
fn history() -> History {
    let (mut spend, mut outcome) = (Vec::new(), Vec::new());
    for week in 0..60_u32 {
        let (search, tv) = (f64::from((week * 37) % 61), f64::from((week * 23) % 53) * 2.0);
        let noise = f64::from((week * 71) % 41) - 20.0;
        spend.extend([search, tv]);
        outcome.push(1000.0 + 400.0 * search / (30.0 + search) + 200.0 * tv / (50.0 + tv) + noise);
    }
    History::new(["search", "tv"], &spend, &outcome)
        .unwrap()
        .starting(Day::parse("2024-01-01").unwrap(), 7)
        .unwrap()
}

fn quick() -> ResponseModel {
    ResponseModel::new().chains(2).draws(150).tune(150).seed(3)
}

fn code(result: Result<FittedModel, Error>) -> &'static str {
    result.expect_err("an error").code()
}

#[test]
fn draws_do_not_depend_on_the_threads() {
    let fits: Vec<FittedModel> =
        [1, 2, 3].iter().map(|&threads| quick().threads(threads).fit(&history()).unwrap()).collect();
    assert_eq!(fits[0].roas_draws(), fits[1].roas_draws());
    assert_eq!(fits[0].roas_draws(), fits[2].roas_draws());
    assert_ne!(fits[0].roas_draws(), quick().seed(4).fit(&history()).unwrap().roas_draws());
}

#[test]
fn what_cannot_be_fitted_is_a_typed_error() {
    let history = history();
    let (spend, outcome) = (history.spend().to_vec(), history.outcome().to_vec());
    let of = |spend: &[f64], outcome: &[f64]| History::new(["search", "tv"], spend, outcome);
    // NaN, negative spend, infinity.
    for (at, value) in [(3, f64::NAN), (4, -1.0), (5, f64::INFINITY)] {
        let mut spend = spend.clone();
        spend[at] = value;
        assert!(of(&spend, &outcome).is_err());
    }
    let mut holes = outcome.clone();
    holes[2] = f64::NAN;
    assert_eq!(of(&spend, &holes).unwrap_err().code(), "not_finite");
    // Two rows.
    assert_eq!(code(quick().fit(&of(&spend[..4], &outcome[..2]).unwrap())), "out_of_domain");
    // A channel that never spent.
    let silent: Vec<f64> =
        spend.iter().enumerate().map(|(at, &x)| if at % 2 == 1 { 0.0 } else { x }).collect();
    let error = quick().fit(&of(&silent, &outcome).unwrap()).unwrap_err();
    assert!(error.to_string().contains("spend[tv]"), "{error}");
    // An outcome that is always 0.
    assert_eq!(code(quick().fit(&of(&spend, &[0.0; 60]).unwrap())), "out_of_domain");
    // Counts that are none.
    let counts = quick().likelihood(Likelihood::NegativeBinomial);
    assert_eq!(code(counts.fit(&history)), "out_of_domain");
    // Missing weeks are named.
    let mut rows = HistoryRows::new(["a"], &[1.0, 2.0, 3.0, 4.0], &[1.0, 2.0, 3.0, 4.0]);
    let days = ["2024-01-01", "2024-01-08", "2024-01-22", "2024-01-29"];
    rows.dates = Some(days.map(|day| Day::parse(day).unwrap()).to_vec());
    assert!(History::from_rows(&rows).unwrap_err().to_string().contains("2024-01-15"));
    rows.dates.as_mut().unwrap()[2] = Day::parse("2024-01-08").unwrap();
    assert!(History::from_rows(&rows).is_err());
}

#[test]
fn settings_that_mean_nothing_are_refused() {
    let history = history();
    let normal = Prior::Normal { mean: 0.5, std: 0.1 };
    for model in [
        quick().curve([Saturation::Hill]),
        quick().adstock([AdstockKind::None; 3]),
        quick().max_lag(0),
        quick().yearly(50),
        quick().weekdays(true),
        quick().trend(Trend::Knots(0)),
        quick().chains(0),
        quick().draws(1),
        quick().tune(0),
        quick().threads(0),
        quick().target_accept(1.0),
        quick().prior("retention", normal),
        quick().prior("retention[radio]", Prior::Beta { a: 1.0, b: 1.0 }),
        quick().prior("colour", normal),
        quick()
            .prior("share[tv]", Prior::HalfNormal { std: 0.2 })
            .prior("roas[tv]", Prior::HalfNormal { std: 2.0 }),
        quick().pool("paid", ["radio"]),
        quick().pool("paid", ["tv"]).pool("more", ["tv"]),
        quick().lift_test(LiftTest { channel: "radio".into(), spend: 1.0, change: 1.0, lift: 1.0, std: 1.0 }),
        quick().lift_test(LiftTest { channel: "tv".into(), spend: 1.0, change: -2.0, lift: 1.0, std: 1.0 }),
        quick().roas_test(RoasTest { channel: "tv".into(), first: 5, end: 5, roas: 1.0, std: 1.0 }),
        quick().roas_test(RoasTest { channel: "tv".into(), first: 5, end: 9, roas: 1.0, std: 0.0 }),
    ] {
        assert!(model.fit(&history).is_err(), "{model:?}");
    }
}

#[test]
fn constant_spend_and_negative_outcomes_have_stated_answers() {
    let mut outcome = history().outcome().to_vec();
    outcome[7] = -150.0;
    let spend: Vec<f64> =
        history().spend().iter().enumerate().map(|(at, &x)| if at % 2 == 1 { 40.0 } else { x }).collect();
    let flat = History::new(["search", "tv"], &spend, &outcome).unwrap();
    let fitted = quick().likelihood(Likelihood::StudentT).fit(&flat).unwrap();
    let warnings = fitted.summary(0.9).unwrap().warnings;
    let warning = warnings.iter().find(|warning| warning.code == "constant_spend").unwrap();
    assert_eq!(warning.channels, ["tv"]);
    assert!(fitted.roas_draws().iter().all(|draw| draw.is_finite() && *draw > 0.0));
}

#[test]
fn channels_that_move_together_are_warned_about() {
    let spend: Vec<f64> = history().spend().chunks(2).flat_map(|row| [row[0], 2.0 * row[0] + 1.0]).collect();
    let twins = History::new(["search", "tv"], &spend, history().outcome()).unwrap();
    let warnings = quick().fit(&twins).unwrap().summary(0.9).unwrap().warnings;
    assert!(warnings.iter().any(|warning| warning.code == "collinear"), "{warnings:?}");
}

#[test]
fn outcomes_that_were_not_observed_tell_nothing() {
    let history = history();
    let mut seen = history.outcome().to_vec();
    let mut other = seen.clone();
    seen[10] = f64::NAN;
    other[10] = f64::NAN;
    let fit =
        |outcome: &[f64]| quick().fit(&history.clone().with_missing_outcomes(outcome).unwrap()).unwrap();
    assert_eq!(fit(&seen).roas_draws(), fit(&other).roas_draws());
    assert!(fit(&seen).summary(0.9).unwrap().fit.r_squared > 0.8);
}

/// With everything but the noise known, the posterior of one coefficient is that of conjugate regression.
#[test]
fn a_single_effect_has_the_posterior_of_linear_regression() {
    // No carry-over, and a power of almost 1: contributions are β x, nearly.
    let spend: Vec<f64> = (0..80_u32).map(|t| f64::from((t * 29) % 83)).collect();
    let noise = |t: u32| f64::from((t * 61) % 97) - 48.0;
    let outcome: Vec<f64> = (0..80_u32).map(|t| 900.0 + 3.0 * spend[t as usize] + noise(t)).collect();
    let history = History::new(["tv"], &spend, &outcome).unwrap();
    let flat = Prior::Normal { mean: 0.0, std: 50.0 };
    let fitted = ResponseModel::new()
        .curve(Saturation::Power)
        .adstock(AdstockKind::None)
        .trend(Trend::None)
        .prior("exponent", Prior::Uniform { low: 0.999_999, high: 1.0 })
        .prior("share", Prior::Uniform { low: 0.0, high: 1.0 })
        .prior("intercept", flat)
        .prior("sigma", Prior::HalfNormal { std: 50.0 })
        .seed(5)
        .fit(&history)
        .unwrap();
    // Least squares; the posterior under flat priors is Student's t around it.
    let count = 80.0;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / count;
    let (mx, my) = (mean(&spend), mean(&outcome));
    let sxx: f64 = spend.iter().map(|x| (x - mx) * (x - mx)).sum();
    let sxy: f64 = spend.iter().zip(&outcome).map(|(x, y)| (x - mx) * (y - my)).sum();
    let slope = sxy / sxx;
    let residual: f64 = spend.iter().zip(&outcome).map(|(x, y)| (y - my - slope * (x - mx)).powi(2)).sum();
    let error = (residual / (count - 2.0) / sxx).sqrt();
    let draws = fitted.roas_draws();
    let centre = draws.iter().sum::<f64>() / 1000.0;
    let spread = (draws.iter().map(|draw| (draw - centre).powi(2)).sum::<f64>() / 1000.0).sqrt();
    // 1,000 draws: the mean is known to 3 %, the spread to 3 % of the spread; three of these.
    assert!((centre - slope).abs() < 0.15 * error, "{centre} against {slope} ± {error}");
    assert!((spread / error - 1.0).abs() < 0.12, "{spread} against {error}");
}

#[test]
fn an_experiment_narrows_what_is_known() {
    let wide = quick().fit(&history()).unwrap();
    let tested = quick()
        .roas_test(RoasTest { channel: "tv".into(), first: 0, end: 60, roas: 1.2, std: 0.02 })
        .fit(&history())
        .unwrap();
    let of = |fitted: &FittedModel| fitted.summary(0.9).unwrap().channels[1].roas;
    let (before, after) = (of(&wide), of(&tested));
    assert!(after.upper - after.lower < 0.5 * (before.upper - before.lower), "{before:?} {after:?}");
    assert!((after.mean - 1.2).abs() < 0.06, "{after:?}");
}

#[test]
fn parts_add_up_to_the_fitted_mean() {
    let fitted = quick().fit(&history()).unwrap();
    let (parts, forecast) = (fitted.decompose(0.9).unwrap(), fitted.fitted(0.9).unwrap());
    for at in 0..60 {
        let sum: f64 = parts.components.iter().map(|part| part.mean[at]).sum();
        assert!((sum - forecast.mean[at]).abs() < 1e-8 * sum.abs());
    }
    // What a channel brought over its spend is its ROAS.
    let summary = fitted.summary(0.9).unwrap();
    let search = parts.components.iter().find(|part| part.name == "search").unwrap();
    assert!((search.total.mean / summary.channels[0].spend - summary.channels[0].roas.mean).abs() < 1e-9);
}

#[test]
fn a_forecast_goes_on_where_the_history_ends() {
    let whole = history();
    let fitted = quick().fit(&whole.first(52).unwrap()).unwrap();
    let future = whole.last(8).unwrap();
    let forecast = fitted.predict(&future, 0.9).unwrap();
    let error: f64 =
        forecast.mean.iter().zip(future.outcome()).map(|(a, b)| (a - b).abs()).sum::<f64>() / 8.0;
    assert!(error < 40.0, "{error}");
    assert!(forecast.lower.iter().zip(&forecast.upper).all(|(lower, upper)| lower < upper));
    // Dates that leave a hole are refused, and so are other channels.
    let late = future.clone().starting(Day::parse("2026-01-05").unwrap(), 7).unwrap();
    assert!(fitted.predict(&late, 0.9).is_err());
    let plan = History::plan(["tv"], ["all"], &[1.0, 2.0]).unwrap();
    assert!(fitted.predict(&plan, 0.9).is_err());
    assert!(fitted.predict(&future, 1.0).is_err());
}

#[test]
fn curves_go_straight_into_a_plan() {
    let fitted = quick().fit(&history()).unwrap();
    let (curves, spend) = (fitted.curves().unwrap(), fitted.mean_spend());
    assert_eq!((curves.draws(), curves.len()), (150, 2));
    assert_eq!(curves.observed(0), Some((0.0, 60.0)));
    let plan = Problem::new(curves).budget(spend.iter().sum::<f64>()).solve().unwrap();
    assert!(plan.gap <= 1e-6 && plan.verify().ok);
    let marginal = fitted.marginal_roas_draws().unwrap();
    assert_eq!(marginal.len(), 300);
}

#[test]
fn a_saved_fit_comes_back_bit_by_bit() {
    let fitted = quick().fit(&history()).unwrap();
    let back = FittedModel::from_json(&fitted.to_json()).unwrap();
    assert_eq!(back, fitted);
    assert_eq!(back.roas_draws(), fitted.roas_draws());
    let other = fitted.to_json().replace("\"version\":1,\"model\"", "\"version\":9,\"model\"");
    assert_eq!(code(FittedModel::from_json(&other)), "malformed");
    assert_eq!(code(FittedModel::from_json("{}")), "malformed");
    let cut = fitted.to_json().replace("\"theta\":[[[", "\"theta\":[[[1.0,");
    assert_eq!(code(FittedModel::from_json(&cut)), "malformed");
}

#[test]
fn a_refit_takes_in_new_rows_at_a_fraction_of_the_work() {
    let whole = history();
    let model = quick().draws(400);
    let before = model.fit(&whole.first(56).unwrap()).unwrap();
    let (after, anew) = (before.refit(&whole).unwrap(), model.fit(&whole).unwrap());
    assert_eq!(after.how(), "reweighed");
    assert!(after.diagnostics().evaluations * 3 < anew.diagnostics().evaluations);
    let of = |fitted: &FittedModel, i: usize| fitted.summary(0.9).unwrap().channels[i].roas;
    for i in 0..2 {
        let (ours, theirs) = (of(&after, i), of(&anew, i));
        let width = theirs.upper - theirs.lower;
        assert!((ours.mean - theirs.mean).abs() < 0.15 * width, "{ours:?} {theirs:?}");
        assert!((ours.upper - ours.lower) / width > 0.75 && (ours.upper - ours.lower) / width < 1.33);
    }
    // Another week that contradicts all others cannot be taken in by weights alone.
    let mut outcome = whole.outcome().to_vec();
    outcome[56..].iter_mut().for_each(|y| *y += 900.0);
    let odd = whole.clone().with_missing_outcomes(&outcome).unwrap();
    assert_eq!(before.refit(&odd).unwrap().how(), "nuts");
    assert!(before.refit(&History::new(["a", "b"], whole.spend(), whole.outcome()).unwrap()).is_err());
}

#[test]
fn the_fast_path_is_near_the_sampler() {
    let slow = quick().draws(400).fit(&history()).unwrap();
    let fast = quick().draws(400).method(Method::Laplace).fit(&history()).unwrap();
    assert!(fast.diagnostics().pareto_k.is_some());
    for i in 0..2 {
        let of = |fitted: &FittedModel| fitted.summary(0.9).unwrap().channels[i].roas;
        let (slow, fast) = (of(&slow), of(&fast));
        assert!((slow.median - fast.median).abs() < 0.25 * (slow.upper - slow.lower), "{slow:?} {fast:?}");
    }
}

#[test]
fn groups_and_campaigns_are_pooled() {
    // Two cities, the second half as large with the same behaviour; two campaigns of one platform.
    let one = history();
    let spend: Vec<f64> = one.spend().iter().copied().chain(one.spend().iter().map(|x| x / 2.0)).collect();
    let outcome: Vec<f64> =
        one.outcome().iter().copied().chain(one.outcome().iter().map(|y| y / 2.0)).collect();
    let cities = History::panel(["search", "tv"], ["north", "south"], &spend, &outcome).unwrap();
    let fitted = quick().pool("platform", ["search", "tv"]).fit(&cities).unwrap();
    let curves = fitted.group_curves().unwrap();
    assert_eq!(curves.names().unwrap()[1], "search · south");
    // Half of everything brings half of everything.
    let response = curves.response(&[30.0, 15.0, 40.0, 20.0]).unwrap();
    assert!((response[0] / response[1] / 2.0 - 1.0).abs() < 0.2, "{response:?}");
    let whole = fitted.curves().unwrap().response(&[45.0, 60.0]).unwrap();
    assert!((whole[0] - response[0] - response[1]).abs() < 1e-6 * whole[0]);
    assert!(fitted.parameter_draws("pool_roas[platform]").is_some());
}

struct Impatient;

impl Clock for Impatient {
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    fn interrupted(&self) -> bool {
        true
    }
}

#[test]
fn a_clock_can_stop_a_fit() {
    let model = ResponseModel::new().draws(100_000);
    assert_eq!(code(model.fit_with(&history(), &Impatient)), "interrupted");
}

#[test]
fn counts_have_a_likelihood_of_their_own() {
    let counts: Vec<f64> = history().outcome().iter().map(|y| (y / 50.0).round()).collect();
    let history = history().with_missing_outcomes(&counts).unwrap();
    let fitted = quick().likelihood(Likelihood::NegativeBinomial).fit(&history).unwrap();
    let parts = fitted.decompose(0.9).unwrap();
    assert_eq!(parts.components[0].name, "baseline");
    let forecast = fitted.fitted(0.9).unwrap();
    assert!(forecast.draws.iter().all(|draw| *draw >= 0.0 && draw.fract() == 0.0));
}

#[test]
fn the_better_model_wins_the_holdout() {
    let history = Market::realistic(4, 3, 104).unwrap().history().unwrap();
    let (good, poor) = (quick(), quick().yearly(0).trend(Trend::None));
    let compared =
        ResponseModel::compare(&[("poor", &poor), ("good", &good)], &history, 13, &|| Duration::ZERO)
            .unwrap();
    assert_eq!(compared[0].name, "good");
    assert!(compared[0].holdout.crps < compared[0].holdout.seasonal.crps);
    assert!(good.holdout(&history, 0).is_err() && good.holdout(&history, 100).is_err());
}
