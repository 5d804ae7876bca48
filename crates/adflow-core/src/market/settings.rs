//! What a market is made of, in the words of those who buy media.

use serde::{Serialize, Serializer};

use crate::curve::carry_over::Adstock;
use crate::day::Day;

/// A market to be simulated; [`Market::new`](crate::Market::new) checks every number.
///
/// Money and outcomes are per period of `days_per_period` days, and for a group of mean population.
///
/// | field | default | meaning |
/// | --- | --- | --- |
/// | `seed` | 0 | of all random numbers |
/// | `start` | 2024-01-01 | first day of the first period |
/// | `days_per_period` | 7 | 1 for daily, 7 for weekly data |
/// | `periods` | 104 | of the history, 1 to 20,000 |
/// | `groups` | one, `all` | geos or brands, with people |
/// | `effect_spread` | 0 | how groups differ in a channel's effect: standard deviation of its logarithm, 0 to 3 |
/// | `level_spread` | 0 | how groups differ in the baseline per head: standard deviation of its logarithm, 0 to 3 |
/// | `group_spend_spread` | 0.2 | how the groups' spends per head scatter: standard deviation of the logarithm, 0 to 3; only with several groups |
/// | `channels` | none: at least one is needed | |
/// | `synergy` | 0 | what channels bring together beyond what each brings, 0 to 5; see [`Market`](crate::Market) |
/// | `baseline` | 100,000 a period, level | what comes without media |
/// | `noise` | Gaussian, 5 % | |
/// | `conversion_lag` | `[1]` | share of what media bring that is counted 0, 1, 2, … periods after it was caused; sums to 1 |
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct MarketSettings {
    /// Seed of all random numbers.
    pub seed: u64,
    /// First day of the first period.
    #[serde(serialize_with = "day")]
    pub start: Day,
    /// 1 for daily, 7 for weekly data.
    pub days_per_period: u32,
    /// Number of periods of the history.
    pub periods: usize,
    /// Geos or brands.
    pub groups: Vec<MarketGroup>,
    /// How groups differ in a channel's effect.
    pub effect_spread: f64,
    /// How groups differ in the baseline per head.
    pub level_spread: f64,
    /// How the groups' spends per head scatter.
    pub group_spend_spread: f64,
    /// Where money goes.
    pub channels: Vec<MarketChannel>,
    /// What channels bring together beyond what each brings.
    pub synergy: f64,
    /// What comes without media.
    pub baseline: MarketBaseline,
    /// How outcomes scatter around what is expected.
    pub noise: MarketNoise,
    /// When what media bring is counted.
    pub conversion_lag: Vec<f64>,
}

impl MarketSettings {
    /// Two years of weeks, one group, no noise but the default's.
    #[must_use]
    pub fn new(channels: impl IntoIterator<Item = MarketChannel>) -> Self {
        Self { channels: channels.into_iter().collect(), ..Self::default() }
    }
}

impl Default for MarketSettings {
    fn default() -> Self {
        Self {
            seed: 0,
            start: Day::from_days_since_1970(19_723).expect("2024-01-01"), // a Monday
            days_per_period: 7,
            periods: 104, // two of every season
            groups: vec![MarketGroup { name: "all".into(), population: 1.0 }],
            effect_spread: 0.0,
            level_spread: 0.0,
            group_spend_spread: 0.2, // enough for groups to tell what time alone does not
            channels: Vec::new(),
            synergy: 0.0,
            baseline: MarketBaseline::default(),
            noise: MarketNoise::Gaussian { share: 0.05 }, // the middle of what weekly sales show
            conversion_lag: vec![1.0],
        }
    }
}

/// A geo or brand.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MarketGroup {
    /// Its name.
    pub name: String,
    /// People in it (> 0): spends, saturation, impressions and outcomes are in proportion.
    pub population: f64,
}

/// A channel of a [`Market`](crate::Market).
///
/// | field | default | meaning |
/// | --- | --- | --- |
/// | `effect` | share of 5 % | how much it brings |
/// | `half_saturation` | 1 | steady media at which half of its most is reached, over the media that the mean spend buys, 1e-3 to 1e3 |
/// | `slope` | 1 | of the Hill curve, 0.05 to 20; S-shaped above 1 |
/// | `adstock` | none | carry-over, for one arm; the weights, 1,000 at most, are divided by their sum |
/// | `spend` | 1,000 a period | the spends of the history |
/// | `auction` | none | the landscape in which impressions are bought; without one a unit of media has a price |
/// | `price_drift` | 0 | growth of prices per year, −0.9 to 10: 0.1 is 10 % |
/// | `price_variation` | 0 | standard deviation of a price's logarithm around its drift, independent by period, 0 to 2 |
/// | `learning` | none | what a large change of budget costs |
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct MarketChannel {
    /// Its name.
    pub name: String,
    /// How much it brings.
    pub effect: MediaEffect,
    /// Half saturation over the media that the mean spend buys.
    pub half_saturation: f64,
    /// Slope of the Hill curve.
    pub slope: f64,
    /// Carry-over.
    #[serde(serialize_with = "super::json::adstock")]
    pub adstock: Adstock,
    /// The spends of the history.
    pub spend: SpendProcess,
    /// The landscape in which impressions are bought.
    pub auction: Option<Auction>,
    /// Growth of prices per year.
    pub price_drift: f64,
    /// Standard deviation of a price's logarithm.
    pub price_variation: f64,
    /// What a large change of budget costs.
    pub learning: Option<Learning>,
}

impl MarketChannel {
    /// A channel with this mean spend per period (money), all else by default.
    #[must_use]
    pub fn new(name: impl Into<String>, mean_spend: f64) -> Self {
        Self {
            name: name.into(),
            effect: MediaEffect::Share(0.05),
            half_saturation: 1.0,
            slope: 1.0,
            adstock: Adstock::none(),
            spend: SpendProcess { mean: mean_spend, ..SpendProcess::default() },
            auction: None,
            price_drift: 0.0,
            price_variation: 0.0,
            learning: None,
        }
    }
}

/// How much a channel brings, in one of three units.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaEffect {
    /// Its contribution over baseline and all contributions, over the history: 0 ≤ share, all shares together below 1.
    Share(f64),
    /// Its contribution over its spend, over the history (outcome per money, ≥ 0).
    Roas(f64),
    /// The most it can bring in a period, to a group of mean population (outcome, ≥ 0).
    Maximum(f64),
}

/// How a channel's budget moves.
///
/// ```text
/// spend[t] = mean · flight[t] · (1 + seasonal · cos 2π(year[t] − peak)) · exp(variation · z[t] − variation²/2)
/// z[t] = persistence · z[t−1] + √(1 − persistence²) (√correlation · common[t] + √(1 − correlation) · own[t])
/// ```
///
/// `peak` is the baseline's; common and own are standard normal. Two channels' z have the correlation √(ρ₁ρ₂) where
/// their persistence is the same.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SpendProcess {
    /// Mean spend per period (money, ≥ 0), periods without any included. Default 1,000.
    pub mean: f64,
    /// Standard deviation of the logarithm from period to period, 0 to 3. Default 0.4.
    pub variation: f64,
    /// How much of a deviation is left a period later, 0 to below 1. Default 0.3.
    pub persistence: f64,
    /// Correlation with the other channels, 0 to 1. Default 0.3.
    pub correlation: f64,
    /// How much more is spent at the peak of the year, 0 to 1. Default 0.
    pub seasonal: f64,
    /// Periods with and without spend. Default none.
    pub flighting: Option<Flighting>,
}

impl Default for SpendProcess {
    fn default() -> Self {
        Self {
            mean: 1_000.0,
            variation: 0.4,
            persistence: 0.3,
            correlation: 0.3,
            seasonal: 0.0,
            flighting: None,
        }
    }
}

/// Spends come in flights: `on` periods with, then `off` periods without, from `shift` periods into the cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Flighting {
    /// Periods with spend, at least 1.
    pub on: u32,
    /// Periods without.
    pub off: u32,
    /// Where in the cycle the history begins.
    pub shift: u32,
}

/// A second-price auction of a period, for a group of mean population.
///
/// An impression costs the highest competing bid, and those are lognormal. A budget buys at the bid whose expected cost it
/// is, so every further impression costs more, and no more can be spent than all impressions cost:
///
/// ```text
/// impressions = N Φ(z),   cost = N m e^{σ²/2} Φ(z − σ)
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Auction {
    /// N, impressions on offer (1e-3 to 1e18).
    pub impressions: f64,
    /// 1,000 m: median competing bid for a thousand impressions (money, 1e-9 to 1e12); grows with `price_drift`.
    pub median_cpm: f64,
    /// σ, standard deviation of the bids' logarithm, 0.01 to 4.
    pub spread: f64,
}

/// The learning phase of a platform after a large change of budget.
///
/// ```text
/// media[t] = (1 − drop · l[t]) · bought[t]
/// l[t] = 1 where |spend[t] − spend[t−1]| > threshold · spend[t−1], else retention · l[t−1];   l[0] = 0
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Learning {
    /// Share of the last period's spend by which a budget may move without harm (≥ 0).
    pub threshold: f64,
    /// Share of the media that is lost at once, 0 to 1.
    pub drop: f64,
    /// Share of the loss that is left a period later, 0 to below 1.
    pub retention: f64,
}

/// What comes without media, per period.
///
/// ```text
/// baseline = level · mean over days [ 1 + trend · years + yearly · cos 2π(year − peak) + half_yearly · cos 4π(year − peak)
///                                     + weekday[d] + Σ lift of promotions ] + level · Σ effect · control
/// ```
///
/// and never below 0. `years` counts from the start, `year` is the share of the calendar year gone.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct MarketBaseline {
    /// Outcome per period of a group of mean population (≥ 0). Default 100,000.
    pub level: f64,
    /// Growth per year, as a share of the level, −10 to 10. Default 0.
    pub trend: f64,
    /// Yearly wave as a share of the level, 0 to 1. Default 0.
    pub yearly: f64,
    /// A second wave with two peaks a year, −1 to 1. Default 0.
    pub half_yearly: f64,
    /// When the year peaks, as a share of it, 0 to 1. Default 0.95: mid-December.
    pub peak: f64,
    /// What Monday to Sunday add, as shares of the level, −1 to 10. Default 0.
    pub weekday: [f64; 7],
    /// Promotions and holidays.
    pub promotions: Vec<Promotion>,
    /// What else moves the outcome and is known.
    pub controls: Vec<MarketControl>,
}

impl Default for MarketBaseline {
    fn default() -> Self {
        Self {
            level: 100_000.0,
            trend: 0.0,
            yearly: 0.0,
            half_yearly: 0.0,
            peak: 0.95,
            weekday: [0.0; 7],
            promotions: Vec::new(),
            controls: Vec::new(),
        }
    }
}

/// A promotion or holiday: days on which more, or less, comes without media.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Promotion {
    /// Its name.
    pub name: String,
    /// First day.
    #[serde(serialize_with = "day")]
    pub first: Day,
    /// Number of days, 1 to 3,660.
    pub days: u32,
    /// Days from one beginning to the next where it comes again, at least `days`.
    pub every: Option<u32>,
    /// What its days add, as a share of the level, −1 to 100.
    pub lift: f64,
}

/// A known column that moves the outcome: standard normal, with memory, the same in all groups.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MarketControl {
    /// Its name.
    pub name: String,
    /// What one unit of it adds, as a share of the level, −1 to 1.
    pub effect: f64,
    /// How much of it is left a period later, 0 to below 1.
    pub persistence: f64,
}

/// How outcomes scatter around what is expected.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MarketNoise {
    /// Normal, with this standard deviation over the group's mean expected outcome of the history, 0 to 10.
    Gaussian {
        /// Standard deviation over the mean.
        share: f64,
    },
    /// Whole numbers with variance `mean + dispersion · mean²`: Poisson at 0, else negative binomial; 0 to 100.
    Count {
        /// What exceeds a Poisson's variance.
        dispersion: f64,
    },
}

fn day<S: Serializer>(day: &Day, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(day)
}
