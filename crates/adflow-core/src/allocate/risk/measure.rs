//! Outcomes over draws, and the measures of them.

use super::super::goal::Risk;
use super::super::problem::Problem;
use crate::curve::draws::Order;

/// R_s(x) = Σ_i v_i f_is(x_i) for every draw.
pub(crate) fn outcomes(problem: &Problem, spend: &[f64]) -> Vec<f64> {
    let set = &*problem.curves.set;
    let draws = problem.curves.draws();
    let mut outcomes = vec![0.0; draws];
    let mut own = vec![0.0; draws];
    for (i, &x) in spend.iter().enumerate() {
        let value = problem.value.at(i);
        if value > 0.0 {
            set.each_draw(i, Order::Value, x, &mut own);
            outcomes.iter_mut().zip(&own).for_each(|(sum, own)| *sum += value * own);
        }
    }
    outcomes
}

#[allow(clippy::cast_precision_loss, reason = "a count")]
pub(crate) fn count(draws: usize) -> f64 {
    draws as f64
}

pub(crate) fn mean(outcomes: &[f64]) -> f64 {
    outcomes.iter().sum::<f64>() / count(outcomes.len())
}

/// The population standard deviation (divisor S).
pub(crate) fn deviation(outcomes: &[f64]) -> f64 {
    let mean = mean(outcomes);
    (outcomes.iter().map(|r| (r - mean) * (r - mean)).sum::<f64>() / count(outcomes.len())).sqrt()
}

/// The mean of the worst share α of the outcomes, with a part of the outcome on the border.
pub(crate) fn cvar(outcomes: &[f64], alpha: f64) -> f64 {
    let mut sorted = outcomes.to_vec();
    sorted.sort_by(f64::total_cmp);
    let worst = alpha * count(sorted.len());
    let mut left = worst;
    let mut sum = 0.0;
    for outcome in sorted {
        let share = left.clamp(0.0, 1.0);
        if share <= 1e-12 {
            break;
        }
        sum += share * outcome;
        left -= 1.0;
    }
    sum / worst
}

/// The share of the outcomes that are at least a level.
pub(crate) fn probability(outcomes: &[f64], level: f64) -> f64 {
    count(outcomes.iter().filter(|&&outcome| outcome >= level).count()) / count(outcomes.len())
}

impl Risk {
    /// The measure of outcomes, one per draw.
    pub(crate) fn of(self, outcomes: &[f64]) -> f64 {
        match self {
            Self::Cvar(alpha) => cvar(outcomes, alpha),
            Self::MeanMinusStd(kappa) => {
                let spread = if kappa > 0.0 { kappa * deviation(outcomes) } else { 0.0 };
                mean(outcomes) - spread
            }
            Self::Probability(level) => probability(outcomes, level),
        }
    }

    /// Weights q of the draws with Σ q_s R_s equal to the measure of R and at least the measure of any other outcomes.
    pub(crate) fn weights(self, outcomes: &[f64]) -> Vec<f64> {
        let draws = count(outcomes.len());
        match self {
            Self::Cvar(alpha) => {
                let mut order: Vec<usize> = (0..outcomes.len()).collect();
                order.sort_by(|&a, &b| outcomes[a].total_cmp(&outcomes[b]).then(a.cmp(&b)));
                let mut weights = vec![0.0; outcomes.len()];
                let mut left = alpha * draws;
                for at in order {
                    let share = left.clamp(0.0, 1.0);
                    if share <= 1e-12 {
                        break;
                    }
                    weights[at] = share / (alpha * draws);
                    left -= 1.0;
                }
                weights
            }
            Self::MeanMinusStd(kappa) => {
                let (mean, deviation) = (mean(outcomes), deviation(outcomes));
                let scale = outcomes.iter().fold(0.0_f64, |scale, r| scale.max(r.abs()));
                if kappa <= 0.0 || deviation <= 1e-13 * scale {
                    return vec![1.0 / draws; outcomes.len()];
                }
                outcomes.iter().map(|r| (1.0 - kappa * (r - mean) / deviation) / draws).collect()
            }
            Self::Probability(_) => vec![1.0 / draws; outcomes.len()],
        }
    }

    /// The weights nearest to some numbers, as a proof may use them: for CVaR 0 ≤ q ≤ 1/(αS), Σ q = 1; for the mean less
    /// κ deviations Σ q = 1, ‖q − 1/S‖ ≤ κ/√S.
    pub(crate) fn admissible(self, near: &[f64]) -> Vec<f64> {
        let draws = count(near.len());
        match self {
            Self::Cvar(alpha) => {
                let most = 1.0 / (alpha * draws);
                let shifted = |by: f64| near.iter().map(|q| (q + by).clamp(0.0, most)).collect::<Vec<f64>>();
                let sum = |by: f64| shifted(by).iter().sum::<f64>();
                // Rounding of a solver is no weight.
                let trimmed: Vec<f64> =
                    near.iter().map(|q| if *q <= 1e-7 * most { 0.0 } else { q.min(most) }).collect();
                let total: f64 = trimmed.iter().sum();
                if total >= 1.0 {
                    return trimmed.iter().map(|q| q / total).collect();
                }
                let scaled: Vec<f64> = trimmed.iter().map(|q| (q / total).min(most)).collect();
                let rest = 1.0 - scaled.iter().sum::<f64>();
                if total > 0.0 && rest <= 1e-13 {
                    return scaled;
                }
                // What is missing goes to the draws with room.
                let room: f64 = scaled.iter().map(|q| if *q > 0.0 { most - q } else { 0.0 }).sum();
                if total > 0.0 && room >= rest {
                    return scaled
                        .iter()
                        .map(|q| if *q > 0.0 { q + (most - q) * (rest / room) } else { 0.0 })
                        .collect();
                }
                let (mut low, mut high) = (-most, most);
                for _ in 0..200 {
                    let middle = 0.5 * (low + high);
                    if sum(middle) < 1.0 { low = middle } else { high = middle }
                }
                shifted(high)
            }
            Self::MeanMinusStd(kappa) => {
                let middle = mean(near);
                let away: Vec<f64> = near.iter().map(|q| q - middle).collect();
                let norm = away.iter().map(|u| u * u).sum::<f64>().sqrt();
                let most = kappa / draws.sqrt();
                let shrink = if norm > most { most / norm } else { 1.0 };
                away.iter().map(|u| 1.0 / draws + shrink * u).collect()
            }
            Self::Probability(_) => near.to_vec(),
        }
    }

    /// Whether Σ q_s R_s is at least the measure of R, whatever the outcomes R.
    pub(crate) fn admits(self, weights: &[f64]) -> bool {
        let draws = count(weights.len());
        let sum: f64 = weights.iter().sum();
        if !((sum - 1.0).abs() <= 1e-12 * draws.sqrt()) {
            return false;
        }
        match self {
            Self::Cvar(alpha) => {
                let most = 1.0 / (alpha * draws) * (1.0 + 1e-9);
                weights.iter().all(|q| (0.0..=most).contains(q))
            }
            Self::MeanMinusStd(kappa) => {
                let norm = weights.iter().map(|q| (q - 1.0 / draws) * (q - 1.0 / draws)).sum::<f64>().sqrt();
                norm <= kappa / draws.sqrt() * (1.0 + 1e-9) + 1e-15
            }
            Self::Probability(_) => false,
        }
    }
}
