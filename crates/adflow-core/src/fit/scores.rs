//! How good predictions were.
//!
//! Every function takes lists of one length, and is NaN where the score has no meaning (nothing to score, a division by zero).

/// The continuous ranked probability score of draws against what happened, in units of the outcome; 0 is perfect.
///
/// ```text
/// CRPS = mean |x_i − y| − ½ mean |x_i − x_j| = mean |x_i − y| − Σ (2i − 1 − m) x_(i) / m²
/// ```
///
/// Exact for the distribution that puts 1/m on each draw. For one draw it is the absolute error.
///
/// # References
/// T. Gneiting and A. E. Raftery, *Strictly proper scoring rules, prediction, and estimation*, JASA 2007, equation 21.
pub(crate) fn crps(draws: &[f64], actual: f64) -> f64 {
    let sorted = in_order(draws);
    let number = count(sorted.len());
    let error = sorted.iter().map(|draw| (draw - actual).abs()).sum::<f64>() / number;
    // Around the middle, so that a large mean does not drown a small spread.
    let middle = quantile(&sorted, 0.5);
    let spread = |(rank, draw): (usize, &f64)| (2.0 * count(rank) + 1.0 - number) * (draw - middle);
    error - sorted.iter().enumerate().map(spread).sum::<f64>() / (number * number)
}

/// Mean |error| / |actual|, over the times where something happened.
pub(crate) fn mape(actual: &[f64], predicted: &[f64]) -> f64 {
    let shares = pairs(actual, predicted).filter(|(actual, _)| actual.abs() > 0.0);
    let (sum, number) = shares.fold((0.0, 0.0), |(sum, number), (actual, predicted)| {
        (sum + ((predicted - actual) / actual).abs(), number + 1.0)
    });
    sum / number
}

/// Σ |error| / Σ |actual|.
pub(crate) fn wape(actual: &[f64], predicted: &[f64]) -> f64 {
    let errors: f64 = pairs(actual, predicted).map(|(actual, predicted)| (predicted - actual).abs()).sum();
    let total: f64 = actual.iter().map(|actual| actual.abs()).sum();
    if total > 0.0 { errors / total } else { f64::NAN }
}

/// √ mean error², in units of the outcome.
pub(crate) fn rmse(actual: &[f64], predicted: &[f64]) -> f64 {
    (squares(actual, predicted) / count(actual.len())).sqrt()
}

/// 1 − Σ error² / Σ (actual − mean)².
pub(crate) fn r_squared(actual: &[f64], predicted: &[f64]) -> f64 {
    let mean = actual.iter().sum::<f64>() / count(actual.len());
    let spread: f64 = actual.iter().map(|actual| (actual - mean).powi(2)).sum();
    if spread > 0.0 { 1.0 - squares(actual, predicted) / spread } else { f64::NAN }
}

/// The share of what happened that lay in its interval, ends included.
pub(crate) fn coverage(actual: &[f64], intervals: &[(f64, f64)]) -> f64 {
    let inside =
        actual.iter().zip(intervals).filter(|&(actual, (low, high))| low <= actual && actual <= high);
    count(inside.count()) / count(actual.len())
}

/// The quantile of numbers in order, linear between them (the most common definition, R's type 7).
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let position = share.clamp(0.0, 1.0) * count(last);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a position in the list")]
    let below = (position.floor() as usize).min(last);
    let above = (below + 1).min(last);
    sorted[below] + (position - position.floor()) * (sorted[above] - sorted[below])
}

/// A copy in order, for [`quantile`].
pub(crate) fn in_order(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

fn squares(actual: &[f64], predicted: &[f64]) -> f64 {
    pairs(actual, predicted).map(|(actual, predicted)| (predicted - actual).powi(2)).sum()
}

fn pairs<'a>(actual: &'a [f64], predicted: &'a [f64]) -> impl Iterator<Item = (f64, f64)> + 'a {
    actual.iter().copied().zip(predicted.iter().copied())
}

#[allow(clippy::cast_precision_loss, reason = "far below 2⁵³")]
fn count(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elementary::exp;
    use crate::fit::diagnostics::normal_quantile;

    fn near(actual: f64, expected: f64, tolerance: f64) {
        assert!((actual - expected).abs() <= tolerance, "{actual} is not {expected}");
    }

    #[test]
    fn the_ranked_score_of_normal_draws_nears_the_closed_form() {
        // Gneiting and Raftery (2007), equation 22, for N(0, 1): y (2Φ(y) − 1) + 2φ(y) − 1/√π, with Φ of y = 0.7 from tables.
        let y: f64 = 0.7;
        let density = exp(-0.5 * y * y) / (2.0 * std::f64::consts::PI).sqrt();
        let expected =
            y * (2.0 * 0.758_036_347_776_927 - 1.0) + 2.0 * density - 1.0 / std::f64::consts::PI.sqrt();
        let draws: Vec<f64> = (0..20_000).map(|i| normal_quantile((f64::from(i) + 0.5) / 20_000.0)).collect();
        near(crps(&draws, y), expected, 1e-5);
        let moved: Vec<f64> = draws.iter().map(|draw| 1e9 + 3.0 * draw).collect();
        near(crps(&moved, 1e9 + 3.0 * y), 3.0 * expected, 1e-5);
    }

    #[test]
    fn the_ranked_score_is_the_double_sum_over_all_pairs() {
        let draws: [f64; 7] = [3.0, -1.5, 0.25, 8.0, 8.0, 2.0, -7.0];
        for actual in [-9.0, 0.0, 2.0, 30.0] {
            let number = count(draws.len());
            let error: f64 = draws.iter().map(|draw| (draw - actual).abs()).sum::<f64>() / number;
            let between: f64 = draws.iter().flat_map(|a| draws.iter().map(move |b| (a - b).abs())).sum();
            near(crps(&draws, actual), error - 0.5 * between / (number * number), 1e-12);
        }
        near(crps(&[4.0], 1.5), 2.5, 0.0);
    }

    #[test]
    fn errors_are_what_their_names_say() {
        let (actual, predicted) = ([2.0, 0.0, -4.0, 10.0], [3.0, 1.0, -4.0, 5.0]);
        near(mape(&actual, &predicted), (0.5 + 0.0 + 0.5) / 3.0, 1e-15);
        near(wape(&actual, &predicted), 7.0 / 16.0, 1e-15);
        near(rmse(&actual, &predicted), (27.0_f64 / 4.0).sqrt(), 1e-15);
        // Mean 2, squares around it 0 + 4 + 36 + 64.
        near(r_squared(&actual, &predicted), 1.0 - 27.0 / 104.0, 1e-15);
        near(coverage(&actual, &[(2.0, 2.0), (-1.0, 1.0), (0.0, 9.0), (0.0, 9.0)]), 0.5, 0.0);
    }

    #[test]
    fn scores_without_a_meaning_are_nan() {
        assert!(crps(&[], 1.0).is_nan() && mape(&[0.0], &[1.0]).is_nan() && wape(&[0.0], &[1.0]).is_nan());
        assert!(rmse(&[], &[]).is_nan() && r_squared(&[3.0, 3.0], &[1.0, 2.0]).is_nan());
        assert!(coverage(&[], &[]).is_nan() && quantile(&[], 0.5).is_nan());
    }

    #[test]
    fn quantiles_are_linear_between_neighbours() {
        let sorted = in_order(&[4.0, 1.0, 2.0, 3.0]);
        // R: quantile(1:4, c(0, .1, .5, .9, 1)).
        for (share, expected) in [(0.0, 1.0), (0.1, 1.3), (0.5, 2.5), (0.9, 3.7), (1.0, 4.0)] {
            near(quantile(&sorted, share), expected, 1e-15);
        }
    }
}
