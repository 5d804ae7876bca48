//! What a user says about a response model.

use std::collections::BTreeMap;

use adflow_core as core;
use napi::bindgen_prelude::{Either, Unknown};
use napi_derive::napi;
use serde::{Serialize, Serializer};

use crate::input::{Nested, Options};
use crate::settings::document;
use crate::{Error, Result};

/// What a response model is made of, and how it is fitted. All of it may be left out.
#[napi(object, object_to_js = false)]
#[derive(Serialize)]
pub struct ResponseModelSettings {
    /// Saturation, one for all channels or one each; default `"hill"`.
    #[napi(
        ts_type = "'hill' | 'logistic' | 'michaelis_menten' | 'exponential' | 'power' | Array<'hill' | 'logistic' | 'michaelis_menten' | 'exponential' | 'power'>"
    )]
    pub curve: Option<Either<String, Vec<String>>>,
    /// Carry-over, one for all channels or one each; default `"geometric"`.
    #[napi(
        ts_type = "'none' | 'geometric' | 'delayed' | 'weibull_cdf' | 'weibull_pdf' | Array<'none' | 'geometric' | 'delayed' | 'weibull_cdf' | 'weibull_pdf'>"
    )]
    pub adstock: Option<Either<String, Vec<String>>>,
    /// The last period that a spend reaches, 1 to 400; default none for geometric, else 8 periods (28 of a day).
    pub max_lag: Option<f64>,
    /// Noise; default `"normal"`.
    #[napi(ts_type = "'normal' | 'student_t' | 'negative_binomial'")]
    pub likelihood: Option<String>,
    /// How the baseline drifts; a number is that of the knots at which it bends. Default `"linear"`.
    #[napi(ts_type = "'none' | 'linear' | number")]
    #[serde(serialize_with = "trend")]
    pub trend: Option<Either<String, f64>>,
    /// Yearly harmonics, 0 to 20; default 2 where dates span a year, else 0.
    pub yearly: Option<f64>,
    /// Whether days of the week have effects of their own; default yes for daily dates.
    pub weekdays: Option<bool>,
    /// Priors by parameter: `half_saturation` for all channels, `half_saturation[tv]` for one. Parameters have the same names
    /// in every language.
    ///
    /// - `share` (of the whole outcome), or `roas` in its place (outcome per money)
    /// - `half_saturation` (of the channel's mean spend), `slope`, `exponent`
    /// - `retention`, `peak` (share of the largest lag), `shape`, `scale` (periods)
    /// - `intercept`, `trend`, `knot`, `season`, `weekday`, `control`, `holiday`, `sigma` (mean outcomes), `dispersion`, `nu`
    /// - `spread`, `group_spread`, `pool_roas`, `pool_spread`
    #[napi(ts_type = "Record<string, Prior>")]
    pub priors: Option<BTreeMap<String, Prior>>,
    /// Channels whose returns are alike share what is known about them.
    pub pools: Option<Vec<Pool>>,
    /// Experiments that measured a lift.
    pub lift_tests: Option<Vec<LiftTest>>,
    /// Experiments that measured a ROAS.
    pub roas_tests: Option<Vec<RoasTest>>,
    /// `"nuts"`, the default, samples; `"laplace"` approximates around the mode: fast, and good where Pareto k stays below 0.7.
    #[napi(ts_type = "'nuts' | 'laplace'")]
    pub method: Option<String>,
    /// Number of chains, 1 to 64; default 4.
    pub chains: Option<f64>,
    /// Draws of each chain that are kept, 4 to 1,000,000; default 1000.
    pub draws: Option<f64>,
    /// Draws of each chain that adapt the sampler and are thrown away, 50 to 1,000,000; default 400.
    pub tune: Option<f64>,
    /// The acceptance that step sizes aim at, 0.5 to 0.999: more for fewer divergences; default 0.8.
    pub target_accept: Option<f64>,
    /// The same seed gives the same draws, on any number of threads; default 0.
    pub seed: Option<f64>,
}

impl Options for ResponseModelSettings {
    const KEYS: &'static [&'static str] = &[
        "curve",
        "adstock",
        "maxLag",
        "likelihood",
        "trend",
        "yearly",
        "weekdays",
        "priors",
        "pools",
        "liftTests",
        "roasTests",
        "method",
        "chains",
        "draws",
        "tune",
        "targetAccept",
        "seed",
    ];
    const NESTED: &'static [(&'static str, Nested)] = &[
        ("priors", Nested::each_of::<Prior>()),
        ("pools", Nested::of::<Pool>()),
        ("liftTests", Nested::of::<LiftTest>()),
        ("roasTests", Nested::of::<RoasTest>()),
    ];
}

/// A distribution over one parameter: its word, and the numbers that it has.
#[napi(object, object_to_js = false)]
#[derive(Serialize)]
pub struct Prior {
    /// `normal` has `mean` and `std`; `half_normal` `std`; `log_normal` `median` and `sigma`; `gamma` `shape` and `rate`; `beta`
    /// `a` and `b`; `uniform` `low` and `high`.
    #[napi(ts_type = "'normal' | 'half_normal' | 'log_normal' | 'gamma' | 'beta' | 'uniform'")]
    pub distribution: String,
    /// Centre.
    pub mean: Option<f64>,
    /// Standard deviation, of the whole bell for `half_normal`; above 0.
    pub std: Option<f64>,
    /// Half of the mass lies below; above 0.
    pub median: Option<f64>,
    /// Standard deviation of the logarithm; above 0.
    pub sigma: Option<f64>,
    /// Above 0.
    pub shape: Option<f64>,
    /// Above 0: the mean is shape/rate.
    pub rate: Option<f64>,
    /// Above 0.
    pub a: Option<f64>,
    /// Above 0: the mean is a/(a + b).
    pub b: Option<f64>,
    /// Smallest value.
    pub low: Option<f64>,
    /// Largest value.
    pub high: Option<f64>,
}

impl Options for Prior {
    const KEYS: &'static [&'static str] =
        &["distribution", "mean", "std", "median", "sigma", "shape", "rate", "a", "b", "low", "high"];
}

/// Channels whose returns are alike (the campaigns of a platform): ROAS_i = e^(mean + spread · deviation_i).
#[napi(object, object_to_js = false)]
#[derive(Serialize)]
pub struct Pool {
    /// The pool's name.
    pub name: String,
    /// Names of its channels.
    pub channels: Vec<String>,
}

impl Options for Pool {
    const KEYS: &'static [&'static str] = &["name", "channels"];
}

/// What an experiment measured: the outcome per period that a lasting change of spend brought.
#[napi(object, object_to_js = false)]
#[derive(Serialize)]
pub struct LiftTest {
    /// The channel's name.
    pub channel: String,
    /// Spend per period before (money).
    pub spend: f64,
    /// Change of the spend per period (money), not 0; negative where spend was cut.
    pub change: f64,
    /// Change of the outcome per period.
    pub lift: f64,
    /// Standard error of the lift, above 0.
    pub std: f64,
}

impl Options for LiftTest {
    const KEYS: &'static [&'static str] = &["channel", "spend", "change", "lift", "std"];
}

/// What an experiment measured: the ROAS of a channel over some periods of the history.
#[napi(object, object_to_js = false)]
#[derive(Serialize)]
pub struct RoasTest {
    /// The channel's name.
    pub channel: String,
    /// First period, from 0.
    pub first: f64,
    /// One past the last period.
    pub end: f64,
    /// Contribution over spend.
    pub roas: f64,
    /// Its standard error, above 0.
    pub std: f64,
}

impl Options for RoasTest {
    const KEYS: &'static [&'static str] = &["channel", "first", "end", "roas", "std"];
}

/// A number of knots stands in an object of its own.
#[allow(clippy::ref_option, reason = "serde gives a reference to the field")]
fn trend<S: Serializer>(
    given: &Option<Either<String, f64>>,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    match given {
        None => serializer.serialize_none(),
        Some(Either::A(word)) => serializer.serialize_str(word),
        Some(Either::B(knots)) => serializer.collect_map([("knots", knots)]),
    }
}

/// Reads the settings of a model.
pub(crate) fn model(given: Unknown<'_>) -> Result<core::ResponseModel> {
    let value = document::<ResponseModelSettings>("settings", given)?;
    core::ResponseModel::from_json(&value.to_string()).map_err(Error::of_options)
}
