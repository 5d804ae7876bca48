//! Gradients against differences, for every option.

use super::*;
use crate::day::Day;
use crate::fit::model::{Likelihood, ResponseModel, Trend};
use crate::fit::{AdstockKind, Prior, Saturation};
use crate::history::History;

/// Numbers that look random, the same on every machine.
fn noise(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(state >> 33).unwrap()) / f64::from(1u32 << 31)
    }
}

fn history(groups: usize, counts: bool, exposures: bool) -> History {
    let (periods, channels) = (20, 3);
    let mut next = noise(11);
    let cells = groups * periods;
    let spend: Vec<f64> =
        (0..cells * channels).map(|_| if next() < 0.2 { 0.0 } else { 100.0 * next() }).collect();
    let outcome: Vec<f64> =
        (0..cells).map(|_| 500.0 + 300.0 * next()).map(|y| if counts { y.round() } else { y }).collect();
    let units: Vec<f64> = (0..cells).map(|at| spend[at * channels + 1] * (30.0 + next())).collect();
    let price: Vec<f64> = (0..cells).map(|_| next()).collect();
    let promo: Vec<f64> = (0..cells).map(|at| f64::from(u8::from(at % 7 == 0))).collect();
    let names: Vec<String> = (0..groups).map(|group| format!("g{group}")).collect();
    let mut history = History::panel(["search", "tv", "radio"], names, &spend, &outcome)
        .unwrap()
        .starting(Day::parse("2024-03-04").unwrap(), 1)
        .unwrap()
        .with_control("price", &price)
        .unwrap()
        .with_holiday("promo", &promo)
        .unwrap();
    if exposures {
        history = history.with_exposures("tv", &units).unwrap();
    }
    if counts {
        let mut seen = outcome.clone();
        seen[5] = f64::NAN;
        history = history.with_missing_outcomes(&seen).unwrap();
    }
    history
}

/// The largest difference between the gradient and central differences, relative to the gradient's scale.
fn worst(model: &ResponseModel, history: &History) -> f64 {
    let posterior = Posterior::new(model, history).unwrap();
    let mut work = posterior.work();
    let mut next = noise(5);
    let dim = posterior.dim();
    let mut largest: f64 = 0.0;
    for _ in 0..3 {
        let theta: Vec<f64> = posterior
            .layout
            .parameters
            .iter()
            .map(|parameter| parameter.prior.middle() + 0.6 * (next() - 0.5))
            .collect();
        let (mut gradient, mut unused) = (vec![0.0; dim], vec![0.0; dim]);
        let value = posterior.evaluate(&mut work, &theta, &mut gradient);
        assert!(value.is_finite());
        for at in 0..dim {
            let mut at_step = |step: f64| {
                let mut moved = theta.clone();
                moved[at] += step;
                posterior.evaluate(&mut work, &moved, &mut unused)
            };
            // Four points: the error is of the fourth order.
            let h = 1e-3;
            let difference =
                (8.0 * (at_step(h) - at_step(-h)) - (at_step(2.0 * h) - at_step(-2.0 * h))) / (12.0 * h);
            let error = (gradient[at] - difference).abs() / gradient[at].abs().max(1.0);
            assert!(
                error < 1e-6,
                "{}: {} against {difference}",
                posterior.layout.parameters[at].name,
                gradient[at]
            );
            largest = largest.max(error);
        }
    }
    largest
}

#[test]
fn gradients_agree_with_differences_for_every_curve_and_adstock() {
    let curves = [
        Saturation::Hill,
        Saturation::MichaelisMenten,
        Saturation::Exponential,
        Saturation::Logistic,
        Saturation::Power,
    ];
    let adstocks = [
        AdstockKind::None,
        AdstockKind::Geometric,
        AdstockKind::Delayed,
        AdstockKind::WeibullCdf,
        AdstockKind::WeibullPdf,
    ];
    for curve in curves {
        for adstock in adstocks {
            worst(&ResponseModel::new().curve(curve).adstock(adstock), &history(1, false, true));
        }
    }
    worst(&ResponseModel::new().max_lag(4), &history(1, false, false));
}

#[test]
fn gradients_agree_with_differences_for_every_likelihood_with_and_without_groups() {
    for likelihood in [Likelihood::Normal, Likelihood::StudentT, Likelihood::NegativeBinomial] {
        for groups in [1, 3] {
            let model = ResponseModel::new().likelihood(likelihood).trend(Trend::Knots(2)).yearly(1);
            worst(&model, &history(groups, true, false));
        }
    }
}

#[test]
fn gradients_agree_with_differences_for_experiments_pools_and_priors() {
    let lift =
        |spend: f64, change: f64| LiftTest { channel: "tv".into(), spend, change, lift: 20.0, std: 15.0 };
    let roas = RoasTest { channel: "search".into(), first: 3, end: 17, roas: 1.5, std: 0.4 };
    for groups in [1, 3] {
        let model = ResponseModel::new()
            .curve([Saturation::Hill, Saturation::Power, Saturation::Logistic])
            .adstock([AdstockKind::Delayed, AdstockKind::Geometric, AdstockKind::None])
            .pool("paid", ["search", "radio"])
            .lift_test(lift(50.0, 25.0))
            .lift_test(lift(60.0, -60.0))
            .roas_test(roas.clone())
            .prior("roas[tv]", Prior::Gamma { shape: 3.0, rate: 2.0 })
            .prior("retention", Prior::Uniform { low: 0.1, high: 0.9 })
            .prior("trend", Prior::Uniform { low: -1.0, high: 1.0 })
            .prior("exponent", Prior::Beta { a: 2.0, b: 2.0 });
        worst(&model, &history(groups, false, true));
    }
}

#[test]
fn shares_are_contributions_over_the_whole_outcome() {
    let posterior = Posterior::new(&ResponseModel::new(), &history(3, false, true)).unwrap();
    let theta: Vec<f64> =
        (0..posterior.dim()).map(|at| 0.1 * f64::from(u8::try_from(at % 5).unwrap())).collect();
    let x = posterior.natural(&theta);
    for flow in posterior.flows(&x) {
        let periods = posterior.design.periods;
        let contribution: f64 = (0..3)
            .map(|group| {
                let m: f64 = flow.saturated[group * periods..(group + 1) * periods].iter().sum();
                posterior.design.scale.size[group] * flow.factor * flow.multiplier[group] * m
            })
            .sum();
        assert!((contribution / posterior.design.whole() - flow.share).abs() < 1e-12 * flow.share);
    }
}
