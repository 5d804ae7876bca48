//! What to mind before a fit is believed, in words.

use serde::Serialize;

use super::FittedModel;
use super::summary::{Diagnostics, PredictiveCheck, Short};
use crate::fit::layout::Effect;
use crate::fit::saturation::Saturation;

/// Something to mind.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Warning {
    /// A stable word: `constant_spend`, `collinear`, `prior_driven`, `unseen_saturation`, `not_converged`, `few_draws`,
    /// `divergences`, `approximation`, `autocorrelation`, `outliers`, `negative_baseline`, `short_history`.
    pub code: &'static str,
    /// The channels that it is about; none where it is about all.
    pub channels: Vec<String>,
    /// The same in a sentence.
    pub sentence: String,
}

/// Spend that varies less than this, relative to its mean, tells nothing.
const LEAST_VARIATION: f64 = 0.05;
/// Carried-over spends that move together more than this cannot be told apart.
const MOST_CORRELATION: f64 = 0.9;
/// Shares whose draws oppose each other more than this trade one channel for the other.
const MOST_TRADE: f64 = -0.7;
/// A posterior that keeps more of its prior's spread than this learned next to nothing.
const MOST_PRIOR: f64 = 0.85;

impl FittedModel {
    pub(crate) fn warnings(&self, diagnostics: &Diagnostics, checks: &[PredictiveCheck]) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let mut put = |code: &'static str, channels: &[usize], sentence: String| {
            let channels = channels.iter().map(|&i| self.history.channels[i].clone()).collect();
            warnings.push(Warning { code, channels, sentence });
        };
        let names = &self.history.channels;
        let constant: Vec<bool> = (0..names.len()).map(|i| self.variation(i) < LEAST_VARIATION).collect();
        for (i, name) in names.iter().enumerate() {
            if constant[i] {
                put(
                    "constant_spend",
                    &[i],
                    format!(
                        "{name} always spends about the same: its effect cannot be told from the baseline."
                    ),
                );
            }
        }
        for (i, j, correlation) in self.collinear(&constant) {
            let (a, b) = (&names[i], &names[j]);
            put(
                "collinear",
                &[i, j],
                format!(
                    "The data hardly tell {a} and {b} apart: what one gets the other loses (their spends correlate at \
                     {correlation:.2})."
                ),
            );
        }
        for i in 0..names.len() {
            let kept = self.kept_of_prior(i);
            if kept > MOST_PRIOR && !constant[i] {
                let name = &names[i];
                put(
                    "prior_driven",
                    &[i],
                    format!(
                        "The history says little about {name}: its ROAS is mostly the prior's. An experiment would help."
                    ),
                );
            }
        }
        for (i, half, most) in self.unseen_saturation() {
            let name = &names[i];
            let (half, most) = (Short(half), Short(most));
            put(
                "unseen_saturation",
                &[i],
                format!(
                    "{name} reaches half of its effect at about {half} per period, and never spent more than {most}: its \
                     ceiling is a guess."
                ),
            );
        }
        self.about_draws(diagnostics, &mut put);
        for check in checks {
            let outside = check.p_value < 0.005 || check.p_value > 0.995;
            match check.statistic {
                "autocorrelation" if outside && check.observed > 0.0 => put(
                    "autocorrelation",
                    &[],
                    format!(
                        "What the model leaves unexplained lasts from period to period (autocorrelation {:.2}): something is \
                         missing (a control, more knots in the trend), and intervals are too narrow.",
                        check.observed
                    ),
                ),
                "min" | "max" if outside => put(
                    "outliers",
                    &[],
                    format!(
                        "The history's {} ({}) is unlike the model's: mark it as a holiday, or use student_t.",
                        if check.statistic == "min" { "smallest outcome" } else { "largest outcome" },
                        Short(check.observed)
                    ),
                ),
                _ => {}
            }
        }
        if !self.counts() && self.negative_baseline() > 0.25 {
            put(
                "negative_baseline",
                &[],
                "The baseline falls below 0 in many draws: channels get more than the whole outcome.".into(),
            );
        }
        let cells = self.posterior.design.seen.iter().sum::<f64>();
        #[allow(clippy::cast_precision_loss, reason = "a count")]
        let parameters = self.posterior.layout.dim() as f64;
        if cells < 2.0 * parameters {
            put(
                "short_history",
                &[],
                format!(
                    "{cells} outcomes for {parameters} parameters: the priors decide much of the answer."
                ),
            );
        }
        warnings
    }

    fn about_draws(&self, diagnostics: &Diagnostics, put: &mut impl FnMut(&'static str, &[usize], String)) {
        if let Some(k) = diagnostics.pareto_k.filter(|k| !(*k <= 0.7)) {
            let sentence =
                format!("The approximation is poor here (Pareto k {k:.2}, good below 0.7): use nuts.");
            put("approximation", &[], sentence);
        }
        if diagnostics.method != "nuts" {
            return;
        }
        if !(diagnostics.r_hat <= 1.01) {
            let sentence = format!(
                "The chains disagree (R-hat {:.3}, good below 1.01): tune longer.",
                diagnostics.r_hat
            );
            put("not_converged", &[], sentence);
        }
        let least = diagnostics.ess_bulk.min(diagnostics.ess_tail);
        if !(least >= 400.0) {
            let sentence = format!("Only {least:.0} effective draws (good from 400 on): draw more.");
            put("few_draws", &[], sentence);
        }
        if diagnostics.divergences > 0 {
            let sentence = format!(
                "{} trajectories diverged: raise target_accept, or tighten the priors.",
                diagnostics.divergences
            );
            put("divergences", &[], sentence);
        }
    }

    /// Standard deviation of a channel's media over their mean.
    fn variation(&self, i: usize) -> f64 {
        let media = &self.posterior.design.media[i];
        let (mean, std) = moments(media);
        std / mean
    }

    /// Pairs of channels that cannot be told apart, with the correlation of their carried-over spends.
    fn collinear(&self, constant: &[bool]) -> Vec<(usize, usize, f64)> {
        let x = self.typical();
        let flows = self.posterior.flows(&x);
        let shares: Vec<Vec<f64>> =
            self.used().map(|theta| self.posterior.shares(&self.posterior.natural(theta))).collect();
        let share =
            |i: usize| -> Vec<f64> { shares.iter().map(|row| crate::elementary::ln(row[i])).collect() };
        let mut pairs = Vec::new();
        for i in 0..flows.len() {
            for j in i + 1..flows.len() {
                if constant[i] || constant[j] {
                    continue;
                }
                let together = correlation(&flows[i].stock, &flows[j].stock);
                if together > MOST_CORRELATION || correlation(&share(i), &share(j)) < MOST_TRADE {
                    pairs.push((i, j, together));
                }
            }
        }
        pairs
    }

    /// The spread of a channel's effect, as a share of its prior's; both of the logarithm.
    fn kept_of_prior(&self, i: usize) -> f64 {
        let Effect::Own(at) = self.posterior.layout.channels[i].effect else { return 0.0 };
        let prior = self.posterior.layout.parameters[at].prior;
        // The spread of θ under the prior, by quadrature.
        let grid = (-4000..=4000).map(|step| prior.middle() + f64::from(step) * 0.005);
        let (mut mass, mut first, mut second) = (0.0, 0.0, 0.0);
        let top = prior.log_density(prior.middle()).0;
        for theta in grid {
            let weight = crate::elementary::exp(prior.log_density(theta).0 - top);
            mass += weight;
            first += weight * theta;
            second += weight * theta * theta;
        }
        let prior_std = (second / mass - (first / mass) * (first / mass)).max(0.0).sqrt();
        let draws: Vec<f64> = self.theta.iter().flatten().map(|theta| theta[at]).collect();
        moments(&draws).1 / prior_std
    }

    /// Channels whose half saturation lies beyond all that they spent: (channel, half saturation, most spent), money per period.
    fn unseen_saturation(&self) -> Vec<(usize, f64, f64)> {
        let layout = &self.posterior.layout;
        let (periods, channels) = (self.history.periods, self.history.channels.len());
        let groups = self.history.groups.len();
        (0..channels)
            .filter(|&i| layout.channels[i].saturation != Saturation::Power)
            .filter_map(|i| {
                let mut draws = self.draws_of(layout.channels[i].curve_at).concat();
                draws.sort_by(f64::total_cmp);
                let half = super::super::scores::quantile(&draws, 0.5);
                let spent = |period: usize| -> f64 {
                    (0..groups)
                        .map(|group| self.history.spend[(group * periods + period) * channels + i])
                        .sum()
                };
                let most = (0..periods).map(spent).fold(0.0, f64::max);
                (half > most).then_some((i, half, most))
            })
            .collect()
    }

    /// The share of used draws in which the baseline is below 0 in some cell.
    fn negative_baseline(&self) -> f64 {
        let below = |theta: &Vec<f64>| {
            let x = self.posterior.natural(theta);
            self.posterior.linear_predictor(&x).iter().any(|&value| value < 0.0)
        };
        #[allow(clippy::cast_precision_loss, reason = "counts")]
        let share = self.used().filter(|theta| below(theta)).count() as f64 / self.draws() as f64;
        share
    }

    /// The parameters at the mean of θ.
    fn typical(&self) -> Vec<f64> {
        let mut mean = vec![0.0; self.posterior.layout.dim()];
        let mut count = 0.0;
        for theta in self.theta.iter().flatten() {
            mean.iter_mut().zip(theta).for_each(|(mean, theta)| *mean += theta);
            count += 1.0;
        }
        mean.iter_mut().for_each(|mean| *mean /= count);
        self.posterior.natural(&mean)
    }
}

/// Mean and standard deviation.
#[allow(clippy::cast_precision_loss, reason = "a count")]
fn moments(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / count;
    (mean, variance.sqrt())
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let ((mean_a, std_a), (mean_b, std_b)) = (moments(a), moments(b));
    #[allow(clippy::cast_precision_loss, reason = "a count")]
    let both = a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b)).sum::<f64>() / a.len() as f64;
    both / (std_a * std_b)
}
