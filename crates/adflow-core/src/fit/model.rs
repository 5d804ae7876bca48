//! What a user says about a response model.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::carry::AdstockKind;
use super::prior::Prior;
use super::saturation::Saturation;

/// A model of an outcome by channels, time and other causes, and how to fit it.
///
/// ```text
/// outcome_t = baseline_t + Σ_i contribution_it + noise_t
/// contribution_it = β_i m_i(a_it),     a_i = w_i ∗ x_i   (carry-over, then saturation)
/// baseline_t = intercept + trend + yearly season + weekdays + holidays + controls
/// ```
///
/// x is spend, or exposures where the [`History`](crate::History) has them. Media effects are positive. For counts
/// ([`Likelihood::NegativeBinomial`]) the baseline is the exponential of the sum, so that every mean is positive. In a history of
/// several groups each has an intercept of its own and, per channel, an effect e^(spread · deviation_g) around the common one;
/// spreads and deviations are learned (partial pooling).
///
/// | setting | default | meaning |
/// | --- | --- | --- |
/// | [`curve`](Self::curve) | `Hill` | saturation, one for all channels or one each |
/// | [`adstock`](Self::adstock) | `Geometric` | carry-over, one for all channels or one each |
/// | [`max_lag`](Self::max_lag) | none for geometric, else 8 periods (28 of a day) | the last period that a spend reaches |
/// | [`likelihood`](Self::likelihood) | `Normal` | noise |
/// | [`trend`](Self::trend) | `Linear` | |
/// | [`yearly`](Self::yearly) | 2 harmonics where dates span a year, else 0 | yearly season |
/// | [`weekdays`](Self::weekdays) | yes for daily dates | |
/// | [`prior`](Self::prior) | see there | |
/// | [`method`](Self::method) | `Nuts` | |
/// | [`chains`](Self::chains), [`draws`](Self::draws), [`tune`](Self::tune) | 4, 1000, 400 | |
/// | [`seed`](Self::seed), [`threads`](Self::threads) | 0, 1 | draws do not depend on the threads |
///
/// # Examples
/// ```
/// use adflow_core::{AdstockKind, Prior, ResponseModel, Saturation};
///
/// let model = ResponseModel::new()
///     .curve(Saturation::MichaelisMenten)
///     .adstock([AdstockKind::Geometric, AdstockKind::Delayed])
///     .prior("roas[tv]", Prior::LogNormal { median: 2.0, sigma: 0.5 })
///     .draws(500)
///     .seed(7);
/// # let _ = model;
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResponseModel {
    pub(crate) curve: PerChannel<Saturation>,
    pub(crate) adstock: PerChannel<AdstockKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_lag: Option<usize>,
    pub(crate) likelihood: Likelihood,
    pub(crate) trend: Trend,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) yearly: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) weekdays: Option<bool>,
    pub(crate) priors: BTreeMap<String, Prior>,
    pub(crate) pools: Vec<Pool>,
    pub(crate) lift_tests: Vec<LiftTest>,
    pub(crate) roas_tests: Vec<RoasTest>,
    pub(crate) method: Method,
    pub(crate) chains: usize,
    pub(crate) draws: usize,
    pub(crate) tune: usize,
    pub(crate) target_accept: f64,
    pub(crate) seed: u64,
    #[serde(skip, default = "one")]
    pub(crate) threads: usize,
}

fn one() -> usize {
    1
}

/// One setting for all channels, or one each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PerChannel<T> {
    /// The same for all.
    All(T),
    /// In the order of the history's channels.
    Each(Vec<T>),
}

impl<T> From<T> for PerChannel<T> {
    fn from(value: T) -> Self {
        Self::All(value)
    }
}

impl<T> From<Vec<T>> for PerChannel<T> {
    fn from(values: Vec<T>) -> Self {
        Self::Each(values)
    }
}

impl<T, const N: usize> From<[T; N]> for PerChannel<T> {
    fn from(values: [T; N]) -> Self {
        Self::Each(values.into())
    }
}

/// The distribution of an outcome around its mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Likelihood {
    /// Normal, with one standard deviation `sigma` (of the outcome of a group of mean size).
    #[default]
    Normal,
    /// Student's t with `nu` degrees of freedom: single outliers move nothing.
    StudentT,
    /// Counts: variance mean + dispersion² · mean².
    NegativeBinomial,
}

/// How the baseline drifts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trend {
    /// Not at all.
    None,
    /// In a straight line.
    #[default]
    Linear,
    /// In straight lines that bend at so many evenly spaced points.
    Knots(usize),
}

/// How the posterior is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Draws by the no-U-turn sampler.
    #[default]
    Nuts,
    /// The mode and a normal approximation around it, corrected by Pareto-smoothed importance sampling: fast, and good
    /// where its Pareto k stays below 0.7.
    Laplace,
}

/// Channels whose returns are alike (the campaigns of a platform): ROAS_i = e^(mean + spread · deviation_i).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// The pool's name.
    pub name: String,
    /// Names of its channels.
    pub channels: Vec<String>,
}

/// What an experiment measured: the outcome per period that a lasting change of spend brought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiftTest {
    /// The channel's name.
    pub channel: String,
    /// Spend per period before (money).
    pub spend: f64,
    /// Change of the spend per period (money), not 0; negative where spend was cut.
    pub change: f64,
    /// Change of the outcome per period.
    pub lift: f64,
    /// Standard error of the lift, > 0.
    pub std: f64,
}

/// What an experiment measured: the ROAS of a channel over some periods of the history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoasTest {
    /// The channel's name.
    pub channel: String,
    /// First period, from 0.
    pub first: usize,
    /// One past the last period.
    pub end: usize,
    /// Contribution over spend.
    pub roas: f64,
    /// Its standard error, > 0.
    pub std: f64,
}

impl Default for ResponseModel {
    fn default() -> Self {
        Self {
            curve: Saturation::default().into(),
            adstock: AdstockKind::default().into(),
            max_lag: None,
            likelihood: Likelihood::default(),
            trend: Trend::default(),
            yearly: None,
            weekdays: None,
            priors: BTreeMap::new(),
            pools: Vec::new(),
            lift_tests: Vec::new(),
            roas_tests: Vec::new(),
            method: Method::default(),
            chains: 4,
            draws: 1000,
            tune: 400,
            target_accept: 0.9,
            seed: 0,
            threads: 1,
        }
    }
}

impl ResponseModel {
    /// The model with all defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the saturation curve, for all channels or for each.
    #[must_use]
    pub fn curve(mut self, curve: impl Into<PerChannel<Saturation>>) -> Self {
        self.curve = curve.into();
        self
    }

    /// Sets the carry-over, for all channels or for each.
    #[must_use]
    pub fn adstock(mut self, adstock: impl Into<PerChannel<AdstockKind>>) -> Self {
        self.adstock = adstock.into();
        self
    }

    /// Sets the last lag that a spend reaches (periods, 1 to 400).
    #[must_use]
    pub fn max_lag(mut self, max_lag: usize) -> Self {
        self.max_lag = Some(max_lag);
        self
    }

    /// Sets the noise.
    #[must_use]
    pub fn likelihood(mut self, likelihood: Likelihood) -> Self {
        self.likelihood = likelihood;
        self
    }

    /// Sets the trend.
    #[must_use]
    pub fn trend(mut self, trend: Trend) -> Self {
        self.trend = trend;
        self
    }

    /// Sets the number of yearly harmonics (0 to 20).
    #[must_use]
    pub fn yearly(mut self, harmonics: usize) -> Self {
        self.yearly = Some(harmonics);
        self
    }

    /// Says whether days of the week have effects of their own.
    #[must_use]
    pub fn weekdays(mut self, weekdays: bool) -> Self {
        self.weekdays = Some(weekdays);
        self
    }

    /// Sets the prior of a parameter: `"half_saturation"` for all channels, `"half_saturation[tv]"` for one.
    ///
    /// | parameter | unit | default |
    /// | --- | --- | --- |
    /// | `share` | share of the whole outcome that the channel brought | log-normal, median ¼ × its share of spend, sigma 0.6 |
    /// | `roas` | the same as outcome per money; instead of `share` | |
    /// | `half_saturation` | of the channel's mean spend (over periods with some) | log-normal, median 1, sigma 0.5 |
    /// | `slope` | | log-normal, median 1.3, sigma 0.3 |
    /// | `exponent` | | beta(4, 3) |
    /// | `retention` | | beta(2, 3) |
    /// | `peak` | share of the largest lag | beta(1.5, 4) |
    /// | `shape`, `scale` (periods) | | log-normal, medians 1.5 and 2, sigma 0.4 and 0.5 |
    /// | `intercept` | mean outcome | normal around 1, std ½ or twice the outcome's own |
    /// | `trend`, `knot` | over the whole history, in mean outcomes | normal, twice the outcome's std |
    /// | `season`, `weekday`, `control` | per harmonic, day, standard deviation, in mean outcomes | normal, the outcome's std |
    /// | `holiday` | in mean outcomes | normal, twice the outcome's std |
    /// | `sigma`, `dispersion` | in mean outcomes; of the mean | half-normal, the outcome's std |
    /// | `nu` | degrees of freedom | gamma(2, 0.1) |
    /// | `spread` | of a channel's effects over groups (log) | half-normal, std 0.5 |
    /// | `group_deviation` | a group's intercept over the common one, in mean outcomes | normal, as `intercept` |
    /// | `pool_roas`, `pool_spread` | of a pool (outcome per money; log) | as `share`; half-normal 0.5 |
    ///
    /// The outcome's std is that of outcome over mean outcome.
    #[must_use]
    pub fn prior(mut self, parameter: impl Into<String>, prior: Prior) -> Self {
        self.priors.insert(parameter.into(), prior);
        self
    }

    /// Lets some channels share what is known about their returns.
    #[must_use]
    pub fn pool(
        mut self,
        name: impl Into<String>,
        channels: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.pools.push(Pool { name: name.into(), channels: channels.into_iter().map(Into::into).collect() });
        self
    }

    /// Adds an experiment to the likelihood: lift ~ Normal(f(spend + change) − f(spend), std), f the channel's curve per period.
    #[must_use]
    pub fn lift_test(mut self, test: LiftTest) -> Self {
        self.lift_tests.push(test);
        self
    }

    /// Adds an experiment to the likelihood: roas ~ Normal(Σ contribution / Σ spend over its periods, std).
    #[must_use]
    pub fn roas_test(mut self, test: RoasTest) -> Self {
        self.roas_tests.push(test);
        self
    }

    /// Sets how the posterior is found.
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// Sets the number of chains (1 to 64).
    #[must_use]
    pub fn chains(mut self, chains: usize) -> Self {
        self.chains = chains;
        self
    }

    /// Sets the draws of each chain that are kept (4 to 1,000,000).
    #[must_use]
    pub fn draws(mut self, draws: usize) -> Self {
        self.draws = draws;
        self
    }

    /// Sets the draws of each chain that adapt the sampler and are thrown away (50 to 1,000,000).
    #[must_use]
    pub fn tune(mut self, tune: usize) -> Self {
        self.tune = tune;
        self
    }

    /// Sets the acceptance that step sizes aim at (0.5 to 0.999): more for fewer divergences.
    #[must_use]
    pub fn target_accept(mut self, target_accept: f64) -> Self {
        self.target_accept = target_accept;
        self
    }

    /// Sets the seed: the same seed gives the same draws.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets how many threads may work at once (≥ 1).
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }
}
