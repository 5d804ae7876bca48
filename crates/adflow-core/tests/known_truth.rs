//! Fits against the truth of simulated markets.

#![allow(clippy::disallowed_macros, clippy::print_stdout, reason = "figures for the reader")]

use adflow_core::{Market, Problem, ResponseModel};

/// What fits of some markets came to.
struct Score {
    /// Share of true ROAS inside their 90 % intervals.
    coverage: f64,
    /// Median of |estimate − truth| of ROAS.
    error: f64,
    /// Mean over markets of 1 − (response of the plan on the fit)/(response of the best plan), both by the true curves.
    regret: f64,
    /// The same of last year's mean spends.
    regret_of_today: f64,
    r_hat: f64,
}

fn score(seeds: std::ops::Range<u64>, draws: usize) -> Score {
    let (mut inside, mut errors, mut regrets, mut today) = (0.0, Vec::new(), Vec::new(), Vec::new());
    let mut r_hat: f64 = 1.0;
    for seed in seeds {
        let market = Market::realistic(seed, 5, 104).unwrap();
        let truth = market.truth().unwrap();
        let model = ResponseModel::new().draws(draws).threads(2).seed(seed);
        let fitted = model.fit(&market.history().unwrap()).unwrap();
        let summary = fitted.summary(0.9).unwrap();
        r_hat = r_hat.max(summary.diagnostics.r_hat);
        for (channel, &roas) in summary.channels.iter().zip(&truth.roas) {
            inside += f64::from(u8::from((channel.roas.lower..=channel.roas.upper).contains(&roas)));
            errors.push((channel.roas.median - roas).abs());
        }
        // The same budget, every channel within half and one and a half times of what it spends.
        let spend = fitted.mean_spend();
        let budget: f64 = spend.iter().sum();
        let limits = |by: f64| -> Vec<f64> { spend.iter().map(|spend| by * spend).collect() };
        let plan = |curves| {
            let problem = Problem::new(curves).budget(budget).lower(limits(0.5)).upper(limits(1.5));
            problem.solve().unwrap().spend
        };
        let brings = |spend: &[f64]| truth.curves.response(spend).unwrap().iter().sum::<f64>();
        let best = brings(&plan(truth.curves.clone()));
        regrets.push(1.0 - brings(&plan(fitted.curves().unwrap())) / best);
        today.push(1.0 - brings(&spend) / best);
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / f64::from(u32::try_from(values.len()).unwrap());
    errors.sort_by(f64::total_cmp);
    Score {
        coverage: inside / f64::from(u32::try_from(errors.len()).unwrap()),
        error: errors[errors.len() / 2],
        regret: mean(&regrets),
        regret_of_today: mean(&today),
        r_hat,
    }
}

/// Half of the way from no knowledge of ROAS (median 2, spread 0.5 in the logarithm) is an error of about 0.6.
#[test]
fn a_few_markets_are_recovered() {
    let score = score(0..4, 250);
    assert!(score.r_hat < 1.05, "{}", score.r_hat);
    assert!(score.coverage >= 0.7, "{}", score.coverage);
    assert!(score.error < 0.8, "{}", score.error);
    assert!(score.regret < 0.08 && score.regret < score.regret_of_today, "{}", score.regret);
}

#[test]
#[ignore = "a minute: `cargo xtask verify` runs it"]
fn twenty_markets_are_recovered() {
    let score = score(0..20, 1000);
    println!(
        "coverage {:.2}, median error of ROAS {:.3}, regret {:.4} (today's {:.4}), R-hat {:.4}",
        score.coverage, score.error, score.regret, score.regret_of_today, score.r_hat
    );
    assert!(score.r_hat < 1.01, "{}", score.r_hat);
    assert!((0.85..=0.97).contains(&score.coverage), "{}", score.coverage);
    assert!(score.error < 0.5, "{}", score.error);
    assert!(score.regret < 0.05, "{}", score.regret);
}
