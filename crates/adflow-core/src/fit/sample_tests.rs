use std::sync::Mutex;

use super::*;
use crate::clock::NoClock;
use crate::elementary::exp;
use crate::fit::diagnostics::Convergence;
use crate::fit::formula::{Formula, chain_of_normals, mean_of, scale_of};
use crate::fit::laplace::Laplace;

fn settings() -> SamplerSettings {
    SamplerSettings { threads: 2, seed: 3, ..SamplerSettings::default() }
}

fn draws_of(sample: &Sample, parameter: usize) -> Vec<Vec<f64>> {
    sample.draws.iter().map(|chain| chain.iter().map(|draw| draw[parameter]).collect()).collect()
}

/// How many standard errors (of as many draws as are effective) the mean of `of(draw)` lies from `expected`.
fn z_score(sample: &Sample, parameter: usize, expected: f64, of: impl Fn(f64) -> f64) -> f64 {
    let chains: Vec<Vec<f64>> =
        draws_of(sample, parameter).into_iter().map(|chain| chain.into_iter().map(&of).collect()).collect();
    let all = chains.concat();
    let number = share(all.len(), 1);
    let mean = all.iter().sum::<f64>() / number;
    let variance = all.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (number - 1.0);
    (mean - expected) / (variance / Convergence::of(&chains).ess_bulk).sqrt()
}

#[test]
fn correlated_normals_have_their_means_and_variances() {
    let density = chain_of_normals(12, 0.9);
    let start = Laplace::new(&density, &[0.0; 12], &NoClock).expect("a mode").whitening;
    // With the curvature known and without any knowledge of it.
    for (motion, whitening) in [
        (Motion::Straight, start.clone()),
        (Motion::Straight, Whitening::shift(vec![0.0; 12])),
        (Motion::Circular, start),
    ] {
        let settings = SamplerSettings { motion, ..settings() };
        let sample = sample(&density, &settings, &whitening, &NoClock).expect("draws");
        assert_eq!(sample.divergences, 0);
        for parameter in 0..12 {
            let (mean, scale) = (mean_of(parameter), scale_of(parameter));
            // Of 72 numbers beyond 4.5 standard errors: a chance of 5e-4 each run, and the seed is fixed.
            assert!(z_score(&sample, parameter, mean, |x| x).abs() < 4.5, "mean of {parameter}");
            assert!(
                z_score(&sample, parameter, scale * scale, |x| (x - mean).powi(2)).abs() < 4.5,
                "variance of {parameter}"
            );
            let found = Convergence::of(&draws_of(&sample, parameter));
            assert!(found.r_hat < 1.02 && found.ess_bulk > 200.0, "{parameter}: {found:?}");
        }
    }
}

#[test]
fn a_skewed_density_has_the_means_of_its_closed_form() {
    // x = ln g with g ~ Gamma(a): E g = a, E g² = a (a + 1).
    let density = Formula::new(3, |at, gradient| {
        let mut value = 0.0;
        for (i, shape) in [1.0, 2.0, 8.0].into_iter().enumerate() {
            gradient[i] = shape - exp(at[i]);
            value += shape * at[i] - exp(at[i]);
        }
        value
    });
    let whitening = Laplace::new(&density, &[0.0; 3], &NoClock).expect("a mode").whitening;
    let sample = sample(&density, &settings(), &whitening, &NoClock).expect("draws");
    for (parameter, shape) in [1.0, 2.0, 8.0].into_iter().enumerate() {
        assert!(z_score(&sample, parameter, shape, exp).abs() < 4.5);
        assert!(z_score(&sample, parameter, shape * (shape + 1.0), |x| exp(2.0 * x)).abs() < 4.5);
    }
}

#[test]
fn the_draws_are_the_same_bits_for_any_number_of_threads() {
    let density = chain_of_normals(5, 0.7);
    let whitening = Whitening::shift(vec![0.0; 5]);
    let with = |threads: usize, seed: u64| {
        let settings = SamplerSettings { threads, seed, draws: 50, tune: 60, ..settings() };
        sample(&density, &settings, &whitening, &NoClock).expect("draws")
    };
    let one = with(1, 3);
    let bits = |sample: &Sample| -> Vec<u64> {
        sample.draws.iter().flatten().flatten().map(|value| value.to_bits()).collect()
    };
    for threads in [2, 3, 4, 9] {
        let other = with(threads, 3);
        assert_eq!(bits(&one), bits(&other));
        assert_eq!(one, other);
    }
    assert_ne!(bits(&one), bits(&with(1, 4)));
    // Chains do not repeat each other.
    assert_ne!(one.draws[0], one.draws[1]);
}

#[test]
fn the_energies_are_those_of_the_draws() {
    let density = chain_of_normals(4, 0.5);
    let whitening = Whitening::shift(vec![0.0; 4]);
    let settings = SamplerSettings { draws: 100, tune: 100, ..settings() };
    let sample = sample(&density, &settings, &whitening, &NoClock).expect("draws");
    for ((draws, values), energies) in sample.draws.iter().zip(&sample.log_density).zip(&sample.energies) {
        for ((draw, &value), &energy) in draws.iter().zip(values).zip(energies) {
            assert!((density.value(draw) - value).abs() < 1e-9);
            // Kinetic energy is not negative; the scales learnt add a constant to all energies of a chain.
            assert!(energy.is_finite());
        }
    }
    assert!(crate::fit::diagnostics::energy_fractions(&sample.energies).iter().all(|&share| share > 0.3));
    assert!(sample.evaluations > 4 * 200 && sample.mean_steps >= 1.0 && sample.step_sizes.len() == 4);
}

/// A clock that wants to stop after it was asked some times, and remembers the shares it heard.
struct Impatient {
    patience: Mutex<usize>,
    heard: Mutex<Vec<f64>>,
}

impl Clock for Impatient {
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    fn interrupted(&self) -> bool {
        let mut patience = self.patience.lock().expect("one thread asks");
        *patience = patience.saturating_sub(1);
        *patience == 0
    }

    fn progress(&self, share: f64) {
        self.heard.lock().expect("one thread tells").push(share);
    }
}

#[test]
fn an_interrupted_call_ends_soon_and_says_so_and_progress_grows() {
    let density = chain_of_normals(40, 0.99);
    for threads in [1, 3] {
        let clock = Impatient { patience: Mutex::new(4), heard: Mutex::new(Vec::new()) };
        let endless = SamplerSettings { draws: 100_000_000, threads, ..settings() };
        let result = sample(&density, &endless, &Whitening::shift(vec![0.0; 40]), &clock);
        assert_eq!(result.expect_err("interrupted"), Error::Interrupted);
        let heard = clock.heard.into_inner().expect("one thread tells");
        assert!(heard.len() >= 3 && heard.windows(2).all(|pair| pair[0] <= pair[1]), "{heard:?}");
        assert!(heard.iter().all(|share| (0.0..=1.0).contains(share)));
    }
}

#[test]
fn a_density_without_a_value_is_an_error_and_walls_are_not() {
    let nowhere = Formula::new(2, |_, _| f64::NAN);
    let no_slope = Formula::new(2, |_, gradient| {
        gradient[0] = f64::NAN;
        0.0
    });
    let whitening = Whitening::shift(vec![0.0; 2]);
    for result in [
        sample(&nowhere, &settings(), &whitening, &NoClock),
        sample(&no_slope, &settings(), &whitening, &NoClock),
    ] {
        assert_eq!(result.expect_err("no start").code(), "unfittable");
    }
    // Nothing at x ≤ 0, an exponential above: draws stay inside, trajectories that leave it are divergences.
    let half = Formula::new(1, |at, gradient| {
        gradient[0] = -1.0;
        if at[0] > 0.0 { -at[0] } else { f64::NEG_INFINITY }
    });
    let sample = sample(&half, &settings(), &Whitening::shift(vec![1.0]), &NoClock).expect("draws");
    assert!(sample.draws.iter().flatten().all(|draw| draw[0] > 0.0));
    assert!(sample.divergences > 0);
}

#[test]
fn settings_that_make_no_sense_are_errors() {
    let density = chain_of_normals(2, 0.0);
    let whitening = Whitening::shift(vec![0.0; 2]);
    for (field, wrong) in [
        ("chains", SamplerSettings { chains: 0, ..settings() }),
        ("draws", SamplerSettings { draws: 0, ..settings() }),
        ("threads", SamplerSettings { threads: 0, ..settings() }),
        ("target_accept", SamplerSettings { target_accept: 1.0, ..settings() }),
    ] {
        let error = sample(&density, &wrong, &whitening, &NoClock).expect_err("refused");
        assert!(matches!(&error, Error::OutOfDomain { field: named, .. } if named == field), "{error}");
    }
    let none = SamplerSettings { tune: 0, draws: 3, ..settings() };
    assert_eq!(sample(&density, &none, &whitening, &NoClock).expect("draws").draws[0].len(), 3);
}
