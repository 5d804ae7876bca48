//! Simulation-based calibration: over data sets drawn from the model, the truth's rank among posterior draws is uniform.
//!
//! Talts, Betancourt, Simpson, Vehtari, Gelman (2018), *Validating Bayesian Inference Algorithms with Simulation-Based Calibration*.

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

use super::density::Density;
use super::fitted::forecast_observe;
use super::laplace::Laplace;
use super::model::ResponseModel;
use super::posterior::Posterior;
use super::sample::{SamplerSettings, sample};
use crate::clock::NoClock;
use crate::day::Day;
use crate::elementary::{exp, ln};
use crate::fit::gamma::ln_gamma_and_digamma;
use crate::history::History;

const BINS: usize = 10;
/// Draws that a rank is counted in: 99 leave 100 places.
const RANKED: usize = 99;

/// Forty weeks of two channels, one of them in flights.
fn template() -> History {
    let mut state = 3_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(state >> 33).unwrap()) / f64::from(1u32 << 31)
    };
    let periods = 40;
    let spend: Vec<f64> = (0..periods)
        .flat_map(|week| {
            let tv = if week % 8 < 5 { 40.0 + 60.0 * next() } else { 0.0 };
            [20.0 + 80.0 * next(), tv]
        })
        .collect();
    let outcome: Vec<f64> = (0..periods).map(|_| 1000.0 + 200.0 * (next() - 0.5)).collect();
    History::new(["search", "tv"], &spend, &outcome)
        .unwrap()
        .starting(Day::parse("2024-01-01").unwrap(), 7)
        .unwrap()
}

/// The smallest p-value of χ² tests of every parameter's ranks, and the parameters' number.
fn calibrate(model: &ResponseModel, simulations: u32) -> (f64, String, usize) {
    let history = template();
    let prior = Posterior::new(model, &history).unwrap();
    let (dim, layout) = (prior.dim(), &prior.layout);
    let mut counts = vec![[0_u32; BINS]; dim];
    for number in 0..simulations {
        let mut random = ChaCha8Rng::seed_from_u64(u64::from(number) + 1);
        let truth: Vec<f64> =
            layout.parameters.iter().map(|parameter| parameter.prior.sample(&mut random)).collect();
        let x = prior.natural(&truth);
        let mut mean = prior.linear_predictor(&x);
        for flow in prior.flows(&x) {
            for (mean, m) in mean.iter_mut().zip(&flow.saturated) {
                *mean += flow.factor * m;
            }
        }
        let tail = layout.tail_at.map_or(f64::INFINITY, |at| x[at]);
        let unit = prior.design.scale.outcome_unit;
        let outcome: Vec<f64> = mean
            .iter()
            .map(|&mean| {
                forecast_observe(layout.likelihood, mean, unit, x[layout.noise_at], tail, &mut random)
            })
            .collect();
        let seen = history.clone().with_missing_outcomes(&outcome).unwrap();
        let (scale, columns) = (prior.design.scale.clone(), prior.design.columns.clone());
        let posterior = Posterior::in_units(model, &seen, scale, columns).unwrap();
        let start: Vec<f64> = layout.parameters.iter().map(|parameter| parameter.prior.middle()).collect();
        let laplace = Laplace::new(&posterior, &start, &NoClock).unwrap();
        let settings = SamplerSettings {
            chains: 3,
            draws: 330,
            tune: 300,
            target_accept: 0.9,
            seed: u64::from(number),
            ..SamplerSettings::default()
        };
        let sample = sample(&posterior, &settings, &laplace.whitening, &NoClock).unwrap();
        let draws: Vec<Vec<f64>> =
            sample.draws.concat().into_iter().map(|theta| posterior.told(theta)).collect();
        let step = draws.len() / RANKED;
        for at in 0..dim {
            let below = draws.iter().step_by(step).take(RANKED).filter(|draw| draw[at] < truth[at]).count();
            counts[at][below * BINS / (RANKED + 1)] += 1;
        }
    }
    let expected = f64::from(simulations) / 10.0;
    let worst = counts
        .iter()
        .enumerate()
        .map(|(at, bins)| {
            let chi: f64 = bins.iter().map(|&count| (f64::from(count) - expected).powi(2) / expected).sum();
            (chi_square_tail(chi), layout.parameters[at].name.clone())
        })
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .unwrap();
    (worst.0, worst.1, dim)
}

/// P(χ² with nine degrees of freedom > x), by the series of the incomplete gamma function.
fn chi_square_tail(x: f64) -> f64 {
    let (a, y) = (4.5, x / 2.0);
    let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
    for _ in 0..500 {
        n += 1.0;
        term *= y / n;
        sum += term;
    }
    1.0 - sum * exp(a * ln(y) - y - ln_gamma_and_digamma(a).0)
}

/// The chance of a smallest p-value this small or smaller, were all ranks uniform and independent, is at most this.
fn bonferroni((p, name, tests): (f64, String, usize)) {
    #[allow(clippy::cast_precision_loss, reason = "a small count")]
    let adjusted = p * tests as f64;
    assert!(adjusted > 0.01, "{name}: ranks are not uniform, p = {p} in the worst of {tests}");
}

#[test]
fn the_tail_of_chi_square_is_that_of_tables() {
    // Abramowitz and Stegun, table 26.8: nine degrees of freedom.
    for (x, p) in [(16.919, 0.05), (21.666, 0.01), (27.877, 0.001), (8.343, 0.5)] {
        assert!((chi_square_tail(x) - p).abs() < 2e-5);
    }
}

#[test]
fn ranks_are_uniform_over_sixty_data_sets() {
    bonferroni(calibrate(&ResponseModel::new(), 60));
}

#[test]
#[ignore = "two minutes: `cargo xtask verify` runs it"]
fn ranks_are_uniform_over_three_hundred_data_sets() {
    bonferroni(calibrate(&ResponseModel::new(), 300));
    bonferroni(calibrate(&ResponseModel::new().likelihood(super::Likelihood::StudentT).yearly(0), 300));
}
