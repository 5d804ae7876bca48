//! Where a log density is largest.

use std::collections::VecDeque;

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::fit::density::Density;

/// Pairs of steps and changes of gradient that are remembered.
const MEMORY: usize = 10;
/// The search ends when another step would gain less than this (in units of ln p).
const GAIN: f64 = 1e-9;
/// Halvings and doublings of one line search.
const TRIALS: usize = 40;
/// The longest first step: with unknown scales, small steps first.
const FIRST_STEP: f64 = 0.1;

/// How a search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The slope is gone, or steps gain nothing any more.
    Converged,
    /// The last evaluation allowed was used: there may be no mode, as in a funnel.
    Limit,
    /// Not even the start has a finite density.
    NotFinite,
}

/// The best point that a search found.
#[derive(Debug, Clone)]
pub(crate) struct Mode {
    pub(crate) at: Vec<f64>,
    pub(crate) value: f64,
    pub(crate) gradient: Vec<f64>,
    pub(crate) evaluations: usize,
    pub(crate) end: End,
}

/// Climbs from `start` by L-BFGS with a line search that keeps the weak Wolfe conditions.
///
/// Pairs without positive curvature are not remembered, so every direction is one of ascent; a density that is not finite
/// somewhere is a wall, before which steps are halved. Every step taken makes ln p larger, so the result is at least as good
/// as the start.
///
/// # Errors
/// [`Error::Interrupted`] when the clock says so.
///
/// # References
/// J. Nocedal and S. J. Wright, *Numerical Optimization*, 2nd ed., algorithms 7.4 and 7.5; A. S. Lewis and M. L. Overton,
/// *Nonsmooth optimization via quasi-Newton methods*, 2013, algorithm 4.6 (the line search).
pub(crate) fn find_mode<D: Density>(
    density: &D,
    start: &[f64],
    limit: usize,
    clock: &dyn Clock,
) -> Result<Mode> {
    let mut work = density.work();
    let mut evaluate = |at: &[f64], gradient: &mut [f64]| {
        let value = density.evaluate(&mut work, at, gradient);
        if gradient.iter().all(|slope| slope.is_finite()) { value } else { f64::NAN }
    };
    let dim = density.dim();
    let mut gradient = vec![0.0; dim];
    let value = evaluate(start, &mut gradient);
    let mut mode = Mode { at: start.to_vec(), value, gradient, evaluations: 1, end: End::NotFinite };
    if !value.is_finite() {
        return Ok(mode);
    }
    let mut memory: VecDeque<Pair> = VecDeque::with_capacity(MEMORY);
    let (mut at, mut gradient) = (vec![0.0; dim], vec![0.0; dim]);
    mode.end = End::Limit;
    while mode.evaluations < limit {
        if clock.interrupted() {
            return Err(Error::Interrupted);
        }
        let direction = direction(&mode.gradient, &memory);
        let slope = dot(&direction, &mode.gradient);
        // Half of the slope is what a full step gains on a quadratic.
        if !(slope > 2.0 * GAIN) {
            mode.end = End::Converged;
            break;
        }
        let (mut low, mut high, mut length) = (0.0, f64::INFINITY, 1.0);
        let mut best = None;
        for _ in 0..TRIALS {
            for ((at, &from), &step) in at.iter_mut().zip(&mode.at).zip(&direction) {
                *at = from + length * step;
            }
            let value = evaluate(&at, &mut gradient);
            mode.evaluations += 1;
            if !(value >= mode.value + 1e-4 * length * slope) {
                high = length;
            } else {
                best = Some((value, at.clone(), gradient.clone()));
                if dot(&gradient, &direction) <= 0.9 * slope {
                    break;
                }
                low = length;
            }
            if mode.evaluations >= limit {
                break;
            }
            length = if high.is_finite() { 0.5 * (low + high) } else { 2.0 * length };
        }
        let Some((value, at, gradient)) = best else {
            // Rounding, or a kink: with a memory the direction may be bad, without one nothing is left to try.
            if memory.is_empty() {
                mode.end = End::Converged;
                break;
            }
            memory.clear();
            continue;
        };
        let pair = Pair::new(&mode, &at, &gradient);
        if pair.curvature > 1e-10 * dot(&pair.change, &pair.change) {
            if memory.len() == MEMORY {
                memory.pop_front();
            }
            memory.push_back(pair);
        }
        let gained = value - mode.value;
        (mode.value, mode.at, mode.gradient) = (value, at, gradient);
        if gained < GAIN {
            mode.end = End::Converged;
            break;
        }
    }
    Ok(mode)
}

/// A step and what it did to the slope.
struct Pair {
    step: Vec<f64>,
    /// The fall of the gradient along the step.
    change: Vec<f64>,
    /// step · change.
    curvature: f64,
}

impl Pair {
    fn new(from: &Mode, at: &[f64], gradient: &[f64]) -> Self {
        let step: Vec<f64> = at.iter().zip(&from.at).map(|(new, old)| new - old).collect();
        let change: Vec<f64> = gradient.iter().zip(&from.gradient).map(|(new, old)| old - new).collect();
        let curvature = dot(&step, &change);
        Self { step, change, curvature }
    }
}

/// The two-loop recursion: the gradient times an estimate of the inverse of −∇² ln p.
fn direction(gradient: &[f64], memory: &VecDeque<Pair>) -> Vec<f64> {
    let mut direction = gradient.to_vec();
    let Some(last) = memory.back() else {
        let length = dot(gradient, gradient).sqrt();
        let shrink = if length > FIRST_STEP { FIRST_STEP / length } else { 1.0 };
        direction.iter_mut().for_each(|value| *value *= shrink);
        return direction;
    };
    let mut weights = Vec::with_capacity(memory.len());
    for pair in memory.iter().rev() {
        let weight = dot(&pair.step, &direction) / pair.curvature;
        add(&mut direction, -weight, &pair.change);
        weights.push(weight);
    }
    let scale = last.curvature / dot(&last.change, &last.change);
    direction.iter_mut().for_each(|value| *value *= scale);
    for (pair, weight) in memory.iter().zip(weights.into_iter().rev()) {
        let correction = dot(&pair.change, &direction) / pair.curvature;
        add(&mut direction, weight - correction, &pair.step);
    }
    direction
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(to: &mut [f64], factor: f64, values: &[f64]) {
    for (to, &value) in to.iter_mut().zip(values) {
        *to += factor * value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::NoClock;
    use crate::elementary::exp;
    use crate::fit::formula::Formula;

    #[test]
    fn the_top_of_a_curved_ridge_is_found() {
        // Rosenbrock's valley upside down: the top is at (1, 1, …) with value 0.
        let ridge = Formula::new(10, |at, gradient| {
            let mut value = 0.0;
            for i in 0..9 {
                let (across, along) = (at[i + 1] - at[i] * at[i], 1.0 - at[i]);
                value -= 100.0 * across * across + along * along;
                gradient[i] += 400.0 * across * at[i] + 2.0 * along;
                gradient[i + 1] -= 200.0 * across;
            }
            value
        });
        let mode = find_mode(&ridge, &[-1.2; 10], 5_000, &NoClock).expect("not interrupted");
        assert_eq!(mode.end, End::Converged);
        // From there another local top exists near (−1, 1, …, 1); both are tops.
        assert!(mode.gradient.iter().all(|slope| slope.abs() < 1e-2), "{mode:?}");
        let mode = find_mode(&ridge, &[0.5; 10], 5_000, &NoClock).expect("not interrupted");
        assert!(mode.at.iter().all(|at| (at - 1.0).abs() < 1e-3), "{mode:?}");
    }

    #[test]
    fn flat_saddle_like_and_bounded_starts_end_with_a_stated_result() {
        let flat = Formula::new(3, |_, _| 1.0);
        assert_eq!(find_mode(&flat, &[0.0; 3], 100, &NoClock).expect("an answer").end, End::Converged);

        // Two tops at ±1 and a bottom between them: the second derivative at the start has the wrong sign.
        let two = Formula::new(1, |at, gradient| {
            gradient[0] = 4.0 * at[0] * (1.0 - at[0] * at[0]);
            -(1.0 - at[0] * at[0]).powi(2)
        });
        let mode = find_mode(&two, &[0.01], 1_000, &NoClock).expect("an answer");
        assert!((mode.at[0] - 1.0).abs() < 1e-4 && mode.end == End::Converged, "{mode:?}");

        // ln x − x: nothing at x ≤ 0, the top at 1.
        let half = Formula::new(1, |at, gradient| {
            gradient[0] = 1.0 / at[0] - 1.0;
            if at[0] > 0.0 { crate::elementary::ln(at[0]) - at[0] } else { f64::NAN }
        });
        let mode = find_mode(&half, &[30.0], 1_000, &NoClock).expect("an answer");
        assert!((mode.at[0] - 1.0).abs() < 1e-4, "{mode:?}");
        assert_eq!(find_mode(&half, &[-1.0], 1_000, &NoClock).expect("an answer").end, End::NotFinite);

        // A funnel has no mode: ln p grows for ever.
        let funnel = Formula::new(2, |at, gradient| {
            let precision = exp(-at[0]);
            gradient[0] = -0.5 + 0.5 * at[1] * at[1] * precision - 1e-3 * at[0];
            gradient[1] = -at[1] * precision;
            -0.5 * at[0] - 0.5 * at[1] * at[1] * precision - 5e-4 * at[0] * at[0]
        });
        let mode = find_mode(&funnel, &[3.0, 2.0], 300, &NoClock).expect("an answer");
        assert!(mode.evaluations <= 300 + 1 && mode.value.is_finite());
        assert!(mode.value > funnel.value(&[3.0, 2.0]));
    }

    #[test]
    fn an_interrupted_search_says_so() {
        struct Stop;
        impl Clock for Stop {
            fn elapsed(&self) -> std::time::Duration {
                std::time::Duration::ZERO
            }
            fn interrupted(&self) -> bool {
                true
            }
        }
        let flat = Formula::new(1, |at, gradient| {
            gradient[0] = -at[0];
            -0.5 * at[0] * at[0]
        });
        assert_eq!(find_mode(&flat, &[5.0], 10, &Stop).expect_err("interrupted"), Error::Interrupted);
    }
}
