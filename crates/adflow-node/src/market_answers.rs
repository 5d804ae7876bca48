//! What a market answers: simulations, effects, replays, the truth.

use adflow_core as core;
use napi::JsValue;
use napi::bindgen_prelude::{Either, Float64Array, FromNapiValue, Unknown};
use napi_derive::napi;

use crate::adstock::Adstock;
use crate::curves::{ResponseCurves, count};
use crate::input::{Nested, Options, index, read_as};
use crate::{Error, Result};

/// What spends bring, period by period. Cells stand group by group, period by period and channel by channel.
///
/// ```text
/// expected = baseline + Σ_i contributions_i + interaction
/// ```
#[napi(object, object_from_js = false, use_nullable = true)]
pub struct Simulation {
    /// Number of periods.
    pub periods: u32,
    /// What was spent (money) by group, period and channel: the budgets, or less where an auction had no more to sell.
    pub spend: Float64Array,
    /// Outcomes with noise by group and period.
    pub outcome: Float64Array,
    /// Outcomes without noise.
    pub expected: Float64Array,
    /// What comes without media.
    pub baseline: Float64Array,
    /// What each channel brings by itself, when it is counted, by group, period and channel.
    pub contributions: Float64Array,
    /// What the channels bring together beyond that, when it is counted, by group and period.
    pub interaction: Float64Array,
    /// Impressions bought per channel, by group and period; null where there is no auction.
    pub exposures: Vec<Option<Float64Array>>,
    /// What each channel caused by itself and the conversion lag counts after the last period.
    pub pending: Float64Array,
}

impl From<core::Simulation> for Simulation {
    fn from(found: core::Simulation) -> Self {
        Self {
            periods: count(found.periods),
            spend: found.spend.into(),
            outcome: found.outcome.into(),
            expected: found.expected.into(),
            baseline: found.baseline.into(),
            contributions: found.contributions.into(),
            interaction: found.interaction.into(),
            exposures: found.exposures.into_iter().map(|units| units.map(Float64Array::from)).collect(),
            pending: found.pending.into(),
        }
    }
}

/// The truth behind a history.
#[napi(object, object_from_js = false)]
pub struct MarketTruth {
    /// The channels' names.
    pub channels: Vec<String>,
    /// What happened, and its parts.
    pub simulation: Simulation,
    /// Spend of each channel over the history (money).
    pub spend: Float64Array,
    /// What each channel brought by itself over the history.
    pub contribution: Float64Array,
    /// What the expected outcome would have lost without the channel, over its spend; NaN for a channel that never spent.
    pub roas: Float64Array,
    /// Outcome of the next money per period in the long run, at the mean spend per period.
    pub marginal_roas: Float64Array,
    /// Steady-state curves at the prices of the last period.
    pub curves: ResponseCurves,
    /// Carry-over of all channels: weights that sum to 1.
    pub adstock: Adstock,
}

impl From<core::MarketTruth> for MarketTruth {
    fn from(found: core::MarketTruth) -> Self {
        Self {
            channels: found.channels,
            simulation: found.simulation.into(),
            spend: found.spend.into(),
            contribution: found.contribution.into(),
            roas: found.roas.into(),
            marginal_roas: found.marginal_roas.into(),
            curves: ResponseCurves(found.curves),
            adstock: Adstock(found.adstock),
        }
    }
}

/// A change of one channel's budgets in a window of the history.
#[napi(object, object_to_js = false)]
pub struct Intervention {
    /// The channel, by position (counted from 0) or name.
    pub channel: Either<f64, String>,
    /// What becomes of each period's budget.
    pub change: BudgetChange,
    /// The group, by position or name; default all.
    pub group: Option<Either<f64, String>>,
    /// First period, and one past the last; default all.
    #[napi(ts_type = "[first: number, end: number]")]
    pub window: Option<Vec<f64>>,
}

impl Options for Intervention {
    const KEYS: &'static [&'static str] = &["channel", "change", "group", "window"];
    const NESTED: &'static [(&'static str, Nested)] = &[("change", Nested::of::<BudgetChange>())];
}

/// What becomes of a period's budget: one of three.
#[napi(object, object_to_js = false)]
pub struct BudgetChange {
    /// This much money, in every period and group: 0 switches the channel off.
    pub to: Option<f64>,
    /// So many times what it was, 0 or more.
    pub times: Option<f64>,
    /// So much money more, or less for a negative number; a budget never falls below 0.
    pub by: Option<f64>,
}

impl Options for BudgetChange {
    const KEYS: &'static [&'static str] = &["to", "times", "by"];
}

impl Intervention {
    /// One, or a list of them.
    pub(crate) fn list(given: Unknown<'_>) -> Result<Vec<Self>> {
        let wrong = || core::Error::Malformed {
            path: "interventions".into(),
            reason: "must be an object or a list of objects".into(),
        };
        if !given.is_array().map_err(|_| wrong())? {
            return Ok(vec![read_as("interventions", given)?]);
        }
        let list = Vec::<Unknown<'_>>::from_unknown(given).map_err(|_| wrong())?;
        list.into_iter().enumerate().map(|(at, one)| read_as(&format!("interventions[{at}]"), one)).collect()
    }

    pub(crate) fn read(self, at: usize, settings: &core::MarketSettings) -> Result<core::Intervention> {
        let field = |name: &str| format!("interventions[{at}].{name}");
        let change = match (self.change.to, self.change.times, self.change.by) {
            (Some(money), None, None) => core::BudgetChange::To(money),
            (None, Some(factor), None) => core::BudgetChange::Times(factor),
            (None, None, Some(money)) => core::BudgetChange::By(money),
            _ => {
                let reason = "must have one key of to, times, by".into();
                return Err(core::Error::Malformed { path: field("change"), reason }.into());
            }
        };
        let channels = settings.channels.iter().map(|channel| channel.name.as_str());
        let groups = settings.groups.iter().map(|group| group.name.as_str());
        let mut read = core::Intervention::new(position(field("channel"), self.channel, channels)?, change);
        if let Some(group) = self.group {
            read = read.in_group(position(field("group"), group, groups)?);
        }
        if let Some(window) = self.window {
            let &[first, end] = window.as_slice() else {
                let (field, expected) = (field("window"), 2);
                return Err(core::Error::LengthMismatch { field, expected, actual: window.len() }.into());
            };
            read = read.during(index(&field("window[0]"), first)?..index(&field("window[1]"), end)?);
        }
        Ok(read)
    }
}

/// A position, or that of a name.
fn position<'a>(
    field: String,
    given: Either<f64, String>,
    mut names: impl Iterator<Item = &'a str>,
) -> Result<usize> {
    match given {
        Either::A(position) => index(&field, position),
        Either::B(name) => match names.position(|own| own == name) {
            Some(position) => Ok(position),
            None => Err(Error::of_options(core::Error::OutOfDomain {
                field,
                expected: "a position or a name of the market's".into(),
                value: format!("{name:?}"),
            })),
        },
    }
}

/// What an intervention would have changed, with minus without, over the history.
#[napi(object, object_from_js = false)]
pub struct TrueEffect {
    /// Change of what was spent (money).
    pub spend: f64,
    /// Change of the expected outcome.
    pub expected: f64,
    /// Change of the outcome with noise.
    pub realised: f64,
    /// Change of the expected outcome by group and period.
    pub by_period: Float64Array,
    /// Change of the outcome with noise by group and period.
    pub realised_by_period: Float64Array,
}

impl From<core::TrueEffect> for TrueEffect {
    fn from(found: core::TrueEffect) -> Self {
        Self {
            spend: found.spend,
            expected: found.expected,
            realised: found.realised,
            by_period: found.by_period.into(),
            realised_by_period: found.realised_by_period.into(),
        }
    }
}

/// What a policy spent after the history, and what came of it, group by group and period by period.
#[napi(object, object_from_js = false)]
pub struct Replay {
    /// Number of replayed periods.
    pub periods: u32,
    /// What was spent (money) by group, period and channel.
    pub spend: Float64Array,
    /// Outcomes with noise, as the policy saw them.
    pub outcome: Float64Array,
    /// Outcomes without noise.
    pub expected: Float64Array,
}

impl From<core::Replay> for Replay {
    fn from(found: core::Replay) -> Self {
        Self {
            periods: count(found.periods),
            spend: found.spend.into(),
            outcome: found.outcome.into(),
            expected: found.expected.into(),
        }
    }
}
