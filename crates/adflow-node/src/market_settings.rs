//! What a market is made of.

use adflow_core as core;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;
use serde::Serialize;
use serde_json::json;

use crate::input::{Nested, Options};
use crate::settings::document;
use crate::{Error, Result};

/// A market to be simulated. Money and outcomes are per period, and for a group of mean population.
#[napi(object, object_to_js = false)]
#[derive(Serialize)]
pub struct MarketSettings {
    /// Seed of all random numbers; default 0.
    pub seed: Option<f64>,
    /// First day of the first period; default `'2024-01-01'`.
    pub start: Option<String>,
    /// 1 for daily, 7, the default, for weekly data.
    pub days_per_period: Option<f64>,
    /// Number of periods of the history, 1 to 20,000; default 104.
    pub periods: Option<f64>,
    /// Geos or brands; default one, `all`.
    pub groups: Option<Vec<MarketGroup>>,
    /// How groups differ in a channel's effect: standard deviation of its logarithm, 0 to 3; default 0.
    pub effect_spread: Option<f64>,
    /// How groups differ in the baseline per head: standard deviation of its logarithm, 0 to 3; default 0.
    pub level_spread: Option<f64>,
    /// How the groups' spends per head scatter: standard deviation of the logarithm, 0 to 3; default 0.2.
    pub group_spend_spread: Option<f64>,
    /// Where money goes: at least one.
    pub channels: Vec<MarketChannel>,
    /// What channels bring together beyond what each brings, 0 to 5; default 0.
    pub synergy: Option<f64>,
    /// What comes without media; default 100,000 a period, level.
    pub baseline: Option<MarketBaseline>,
    /// How outcomes scatter around what is expected; default normal, with a standard deviation of 5 % of the mean.
    pub noise: Option<MarketNoise>,
    /// Share of what media bring that is counted 0, 1, 2, … periods after it was caused; sums to 1; default `[1]`.
    pub conversion_lag: Option<Vec<f64>>,
}

impl Options for MarketSettings {
    const KEYS: &'static [&'static str] = &[
        "seed",
        "start",
        "daysPerPeriod",
        "periods",
        "groups",
        "effectSpread",
        "levelSpread",
        "groupSpendSpread",
        "channels",
        "synergy",
        "baseline",
        "noise",
        "conversionLag",
    ];
    const NESTED: &'static [(&'static str, Nested)] = &[
        ("groups", Nested::of::<MarketGroup>()),
        ("channels", Nested::of::<MarketChannel>()),
        ("baseline", Nested::of::<MarketBaseline>()),
        ("noise", Nested::of::<MarketNoise>()),
    ];
}

/// A geo or brand.
#[napi(object, object_to_js = false)]
#[derive(Serialize)]
pub struct MarketGroup {
    /// Its name.
    pub name: String,
    /// People in it, above 0: spends, saturation, impressions and outcomes are in proportion.
    pub population: f64,
}

impl Options for MarketGroup {
    const KEYS: &'static [&'static str] = &["name", "population"];
}

/// A channel of a market.
#[napi(object, object_to_js = false)]
#[derive(Serialize)]
pub struct MarketChannel {
    /// Its name.
    pub name: String,
    /// How much it brings; default a share of 5 %.
    pub effect: Option<MediaEffect>,
    /// Steady media at which half of its most is reached, over the media that the mean spend buys, 1e-3 to 1e3; default 1.
    pub half_saturation: Option<f64>,
    /// Of the Hill curve, 0.05 to 20, S-shaped above 1; default 1.
    pub slope: Option<f64>,
    /// Carry-over; default none.
    pub adstock: Option<MarketAdstock>,
    /// The spends of the history; default 1,000 a period.
    pub spend: Option<SpendProcess>,
    /// The auctions in which impressions are bought; without them a unit of media has a price.
    pub auction: Option<Auction>,
    /// Growth of prices per year, −0.9 to 10: 0.1 is 10 %; default 0.
    pub price_drift: Option<f64>,
    /// Standard deviation of a price's logarithm around its drift, 0 to 2; default 0.
    pub price_variation: Option<f64>,
    /// What a large change of budget costs; default nothing.
    pub learning: Option<Learning>,
}

impl Options for MarketChannel {
    const KEYS: &'static [&'static str] = &[
        "name",
        "effect",
        "halfSaturation",
        "slope",
        "adstock",
        "spend",
        "auction",
        "priceDrift",
        "priceVariation",
        "learning",
    ];
    const NESTED: &'static [(&'static str, Nested)] = &[
        ("effect", Nested::of::<MediaEffect>()),
        ("adstock", Nested::of::<MarketAdstock>()),
        ("spend", Nested::of::<SpendProcess>()),
        ("auction", Nested::of::<Auction>()),
        ("learning", Nested::of::<Learning>()),
    ];
}

/// How much a channel brings: one of three.
#[napi(object, object_to_js = false)]
#[derive(Serialize)]
pub struct MediaEffect {
    /// Its contribution over baseline and all contributions, over the history: 0 or more, all shares together below 1.
    pub share: Option<f64>,
    /// Its contribution over its spend, over the history (outcome per money), 0 or more.
    pub roas: Option<f64>,
    /// The most it can bring in a period, to a group of mean population (outcome), 0 or more.
    pub maximum: Option<f64>,
}

impl Options for MediaEffect {
    const KEYS: &'static [&'static str] = &["share", "roas", "maximum"];
}

/// Carry-over of one channel, with the numbers that its kind has.
#[napi(object, object_to_js = false)]
#[derive(Serialize)]
pub struct MarketAdstock {
    /// Its kind.
    #[napi(
        ts_type = "'none' | 'geometric' | 'binomial' | 'delayed' | 'weibull_cdf' | 'weibull_pdf' | 'kernel'"
    )]
    pub kind: String,
    /// `geometric`, `binomial`, `delayed`: what is left after a period.
    pub retention: Option<f64>,
    /// `delayed`: how long after the spend it works most (periods).
    pub peak: Option<f64>,
    /// `weibull_cdf`, `weibull_pdf`.
    pub shape: Option<f64>,
    /// `weibull_cdf`, `weibull_pdf` (periods).
    pub scale: Option<f64>,
    /// `kernel`: the weights, from the period of the spend on.
    pub weights: Option<Vec<f64>>,
    /// Number of weights; only `geometric` may have no end.
    pub max_lag: Option<f64>,
    /// A market divides the weights by their sum anyway.
    pub normalize: Option<bool>,
}

impl Options for MarketAdstock {
    const KEYS: &'static [&'static str] =
        &["kind", "retention", "peak", "shape", "scale", "weights", "maxLag", "normalize"];
}

/// How a channel's budget moves.
///
/// ```text
/// spend[t] = mean · flight[t] · (1 + seasonal · cos 2π(year[t] − peak)) · exp(variation · z[t] − variation²/2)
/// z[t] = persistence · z[t−1] + √(1 − persistence²) (√correlation · common[t] + √(1 − correlation) · own[t])
/// ```
#[napi(object, object_to_js = false)]
#[derive(Serialize)]
pub struct SpendProcess {
    /// Mean spend per period (money), periods without any included; default 1,000.
    pub mean: Option<f64>,
    /// Standard deviation of the logarithm from period to period, 0 to 3; default 0.4.
    pub variation: Option<f64>,
    /// How much of a deviation is left a period later, 0 to below 1; default 0.3.
    pub persistence: Option<f64>,
    /// Correlation with the other channels, 0 to 1; default 0.3.
    pub correlation: Option<f64>,
    /// How much more is spent at the peak of the year, 0 to 1; default 0.
    pub seasonal: Option<f64>,
    /// Periods with and without spend; default none.
    pub flighting: Option<Flighting>,
}

impl Options for SpendProcess {
    const KEYS: &'static [&'static str] =
        &["mean", "variation", "persistence", "correlation", "seasonal", "flighting"];
    const NESTED: &'static [(&'static str, Nested)] = &[("flighting", Nested::of::<Flighting>())];
}

/// Spends come in flights: `on` periods with, then `off` periods without, from `shift` periods into the cycle.
#[napi(object, object_to_js = false)]
#[derive(Serialize)]
pub struct Flighting {
    /// Periods with spend, at least 1.
    pub on: f64,
    /// Periods without.
    pub off: f64,
    /// Where in the cycle the history begins.
    pub shift: f64,
}

impl Options for Flighting {
    const KEYS: &'static [&'static str] = &["on", "off", "shift"];
}

/// A second-price auction of a period: an impression costs the highest competing bid, and those are lognormal.
#[napi(object, object_to_js = false)]
#[derive(Serialize)]
pub struct Auction {
    /// Impressions on offer, 1e-3 to 1e18.
    pub impressions: f64,
    /// Median competing bid for a thousand impressions (money), 1e-9 to 1e12.
    pub median_cpm: f64,
    /// Standard deviation of the bids' logarithm, 0.01 to 4.
    pub spread: f64,
}

impl Options for Auction {
    const KEYS: &'static [&'static str] = &["impressions", "medianCpm", "spread"];
}

/// The learning phase of a platform after a large change of budget.
#[napi(object, object_to_js = false)]
#[derive(Serialize)]
pub struct Learning {
    /// Share of the last period's spend by which a budget may move without harm, 0 or more.
    pub threshold: f64,
    /// Share of the media that is lost at once, 0 to 1.
    pub drop: f64,
    /// Share of the loss that is left a period later, 0 to below 1.
    pub retention: f64,
}

impl Options for Learning {
    const KEYS: &'static [&'static str] = &["threshold", "drop", "retention"];
}

/// What comes without media, per period, and never below 0.
#[napi(object, object_to_js = false)]
#[derive(Serialize)]
pub struct MarketBaseline {
    /// Outcome per period of a group of mean population; default 100,000.
    pub level: Option<f64>,
    /// Growth per year, as a share of the level, −10 to 10; default 0.
    pub trend: Option<f64>,
    /// Yearly wave as a share of the level, 0 to 1; default 0.
    pub yearly: Option<f64>,
    /// A second wave with two peaks a year, −1 to 1; default 0.
    pub half_yearly: Option<f64>,
    /// When the year peaks, as a share of it, 0 to 1; default 0.95.
    pub peak: Option<f64>,
    /// What Monday to Sunday add, as shares of the level, −1 to 10; default 0.
    pub weekday: Option<Vec<f64>>,
    /// Promotions and holidays; default none.
    pub promotions: Option<Vec<Promotion>>,
    /// What else moves the outcome and is known; default nothing.
    pub controls: Option<Vec<MarketControl>>,
}

impl Options for MarketBaseline {
    const KEYS: &'static [&'static str] =
        &["level", "trend", "yearly", "halfYearly", "peak", "weekday", "promotions", "controls"];
    const NESTED: &'static [(&'static str, Nested)] =
        &[("promotions", Nested::of::<Promotion>()), ("controls", Nested::of::<MarketControl>())];
}

/// A promotion or holiday: days on which more, or less, comes without media.
#[napi(object, object_to_js = false)]
#[derive(Serialize)]
pub struct Promotion {
    /// Its name.
    pub name: String,
    /// First day.
    pub first: String,
    /// Number of days, 1 to 3,660.
    pub days: f64,
    /// Days from one beginning to the next where it comes again, at least `days`.
    pub every: Option<f64>,
    /// What its days add, as a share of the level, −1 to 100.
    pub lift: f64,
}

impl Options for Promotion {
    const KEYS: &'static [&'static str] = &["name", "first", "days", "every", "lift"];
}

/// A known column that moves the outcome: standard normal, with memory, the same in all groups.
#[napi(object, object_to_js = false)]
#[derive(Serialize)]
pub struct MarketControl {
    /// Its name.
    pub name: String,
    /// What one unit of it adds, as a share of the level, −1 to 1.
    pub effect: f64,
    /// How much of it is left a period later, 0 to below 1.
    pub persistence: f64,
}

impl Options for MarketControl {
    const KEYS: &'static [&'static str] = &["name", "effect", "persistence"];
}

/// How outcomes scatter around what is expected: one of two.
#[napi(object, object_to_js = false)]
#[derive(Serialize)]
pub struct MarketNoise {
    /// Normal, with a standard deviation of this share of the group's mean expected outcome, 0 to 10.
    pub gaussian: Option<GaussianNoise>,
    /// Whole numbers with variance mean + dispersion · mean², 0 to 100.
    pub count: Option<CountNoise>,
}

impl Options for MarketNoise {
    const KEYS: &'static [&'static str] = &["gaussian", "count"];
    const NESTED: &'static [(&'static str, Nested)] =
        &[("gaussian", Nested::of::<GaussianNoise>()), ("count", Nested::of::<CountNoise>())];
}

/// Normal noise.
#[napi(object, object_to_js = false)]
#[derive(Serialize)]
pub struct GaussianNoise {
    /// Standard deviation over the mean, 0 to 10.
    pub share: f64,
}

impl Options for GaussianNoise {
    const KEYS: &'static [&'static str] = &["share"];
}

/// Noise of counts.
#[napi(object, object_to_js = false)]
#[derive(Serialize)]
pub struct CountNoise {
    /// What exceeds a Poisson's variance, over the squared mean, 0 to 100.
    pub dispersion: f64,
}

impl Options for CountNoise {
    const KEYS: &'static [&'static str] = &["dispersion"];
}

/// Reads the settings of a market.
pub(crate) fn market(given: Unknown<'_>) -> Result<core::MarketSettings> {
    let mut value = document::<MarketSettings>("market", given)?;
    if let Some(fields) = value.as_object_mut() {
        fields.insert("version".into(), json!(1));
    }
    core::MarketSettings::from_json(&value.to_string()).map_err(Error::of_options)
}
