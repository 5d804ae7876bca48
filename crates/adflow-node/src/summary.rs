//! What a fit found, in numbers and in words.

use adflow_core as core;
use napi_derive::napi;

use crate::curves::count;

/// The middle of a distribution, and an interval around it.
#[napi(object, object_from_js = false)]
pub struct Interval {
    /// Mean of the draws.
    pub mean: f64,
    /// Half of the draws lie below.
    pub median: f64,
    /// Lower end: (1 − level)/2 of the draws lie below.
    pub lower: f64,
    /// Upper end: (1 − level)/2 of the draws lie above.
    pub upper: f64,
}

impl From<core::Interval> for Interval {
    fn from(core::Interval { mean, median, lower, upper }: core::Interval) -> Self {
        Self { mean, median, lower, upper }
    }
}

/// What a fit found.
#[napi(object, object_from_js = false)]
pub struct Summary {
    /// Share of the draws inside each interval.
    pub level: f64,
    /// One per channel.
    pub channels: Vec<ChannelSummary>,
    /// One per parameter.
    pub parameters: Vec<ParameterSummary>,
    /// How near the model comes to the history.
    pub fit: FitQuality,
    /// Whether outcomes drawn from the model look like the history.
    pub checks: Vec<PredictiveCheck>,
    /// Whether the draws can be trusted.
    pub diagnostics: Diagnostics,
    /// What to mind, in words.
    pub warnings: Vec<Warning>,
    /// The same as a table for people.
    pub text: String,
}

/// What a channel did over the history.
#[napi(object, object_from_js = false)]
pub struct ChannelSummary {
    /// The channel.
    pub channel: String,
    /// Spend over the history (money).
    pub spend: f64,
    /// Outcome that it brought within the history.
    pub contribution: Interval,
    /// Share of the whole outcome.
    pub share: Interval,
    /// Contribution over spend.
    pub roas: Interval,
    /// What the next unit of money per period brings in the long run, at the mean spend.
    pub marginal_roas: Interval,
}

/// The posterior of one parameter, in the units of the history.
#[napi(object, object_from_js = false)]
pub struct ParameterSummary {
    /// Its name.
    pub name: String,
    /// Mean of the draws.
    pub mean: f64,
    /// Half of the draws lie below.
    pub median: f64,
    /// Lower end of the interval.
    pub lower: f64,
    /// Upper end of the interval.
    pub upper: f64,
    /// Standard deviation.
    pub std: f64,
    /// Split rank-normalised R̂: below 1.01 is good.
    pub r_hat: f64,
    /// Effective draws for the centre.
    pub ess_bulk: f64,
    /// Effective draws for the 5 % and 95 % quantiles.
    pub ess_tail: f64,
}

/// How near the model comes to the outcomes that it was fitted on.
#[napi(object, object_from_js = false)]
pub struct FitQuality {
    /// Share of the outcome's variance that the mean explains.
    pub r_squared: f64,
    /// Mean absolute error of the mean, as a share of the outcome; periods with an outcome of 0 left out.
    pub mape: f64,
    /// Share of outcomes inside their predictive intervals.
    pub coverage: f64,
    /// Mean continuous ranked probability score (outcome).
    pub crps: f64,
}

/// A number of the history, and how it lies among the same number of outcomes drawn from the model.
#[napi(object, object_from_js = false)]
pub struct PredictiveCheck {
    /// Which number; `autocorrelation` is that of what the mean leaves, one period apart.
    #[napi(ts_type = "'mean' | 'std' | 'min' | 'max' | 'autocorrelation'")]
    pub statistic: String,
    /// In the history.
    pub observed: f64,
    /// Among drawn outcomes.
    pub expected: Interval,
    /// Share of drawn outcomes with at least as much: near 0 or 1 the model misses something.
    pub p_value: f64,
}

/// Whether draws can be trusted.
#[napi(object, object_from_js = false, use_nullable = true)]
pub struct Diagnostics {
    /// How the draws were taken; `reweighed` after a `refit`.
    #[napi(ts_type = "'nuts' | 'laplace' | 'reweighed'")]
    pub method: String,
    /// The largest R̂ of a parameter; good below 1.01.
    pub r_hat: f64,
    /// The smallest effective draws for the centre of a parameter.
    pub ess_bulk: f64,
    /// The smallest effective draws for the 5 % and 95 % quantiles of a parameter.
    pub ess_tail: f64,
    /// Trajectories after warm-up that diverged; good is 0.
    pub divergences: u32,
    /// Trajectories that were cut at the largest length.
    pub depth_hits: u32,
    /// The smallest E-BFMI of a chain, good above 0.3; null without trajectories.
    pub energy_fraction: Option<f64>,
    /// The tail of importance weights, good below 0.7; null without any.
    pub pareto_k: Option<f64>,
    /// Mean steps of a trajectory.
    pub mean_steps: f64,
    /// Evaluations of the posterior and its gradient.
    pub evaluations: f64,
}

/// Something to mind.
#[napi(object, object_from_js = false)]
pub struct Warning {
    /// A stable word: `constant_spend`, `collinear`, `prior_driven`, `unseen_saturation`, `not_converged`, `few_draws`,
    /// `divergences`, `approximation`, `autocorrelation`, `outliers`, `negative_baseline`, `short_history`.
    pub code: String,
    /// The channels that it is about; none where it is about all.
    pub channels: Vec<String>,
    /// The same in a sentence.
    pub sentence: String,
}

impl From<core::Summary> for Summary {
    fn from(found: core::Summary) -> Self {
        let text = found.to_string();
        Self {
            level: found.level,
            channels: found.channels.into_iter().map(ChannelSummary::from).collect(),
            parameters: found.parameters.into_iter().map(ParameterSummary::from).collect(),
            fit: FitQuality {
                r_squared: found.fit.r_squared,
                mape: found.fit.mape,
                coverage: found.fit.coverage,
                crps: found.fit.crps,
            },
            checks: found.checks.into_iter().map(PredictiveCheck::from).collect(),
            diagnostics: found.diagnostics.into(),
            warnings: found.warnings.into_iter().map(Warning::from).collect(),
            text,
        }
    }
}

impl From<core::ChannelSummary> for ChannelSummary {
    fn from(found: core::ChannelSummary) -> Self {
        Self {
            channel: found.channel,
            spend: found.spend,
            contribution: found.contribution.into(),
            share: found.share.into(),
            roas: found.roas.into(),
            marginal_roas: found.marginal_roas.into(),
        }
    }
}

impl From<core::ParameterSummary> for ParameterSummary {
    fn from(found: core::ParameterSummary) -> Self {
        let core::Interval { mean, median, lower, upper } = found.interval;
        Self {
            name: found.name,
            mean,
            median,
            lower,
            upper,
            std: found.std,
            r_hat: found.r_hat,
            ess_bulk: found.ess_bulk,
            ess_tail: found.ess_tail,
        }
    }
}

impl From<core::PredictiveCheck> for PredictiveCheck {
    fn from(found: core::PredictiveCheck) -> Self {
        Self {
            statistic: found.statistic.into(),
            observed: found.observed,
            expected: found.expected.into(),
            p_value: found.p_value,
        }
    }
}

impl From<core::Diagnostics> for Diagnostics {
    #[allow(clippy::cast_precision_loss, reason = "far below 2⁵³")]
    fn from(found: core::Diagnostics) -> Self {
        Self {
            method: found.method.into(),
            r_hat: found.r_hat,
            ess_bulk: found.ess_bulk,
            ess_tail: found.ess_tail,
            divergences: count(found.divergences),
            depth_hits: count(found.depth_hits),
            energy_fraction: found.energy_fraction,
            pareto_k: found.pareto_k,
            mean_steps: found.mean_steps,
            evaluations: found.evaluations as f64,
        }
    }
}

impl From<core::Warning> for Warning {
    fn from(found: core::Warning) -> Self {
        Self { code: found.code.into(), channels: found.channels, sentence: found.sentence }
    }
}
