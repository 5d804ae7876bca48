//! Which parameter stands where.

use std::collections::BTreeSet;
use std::ops::Range;

use super::baseline::Part;
use super::carry::AdstockKind;
use super::design::Design;
use super::model::{Likelihood, PerChannel, ResponseModel};
use super::prior::{Domain, Prior};
use super::saturation::Saturation;
use crate::error::{Error, Result};
use crate::history::History;

/// One number of a model.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) prior: Prior,
    /// What 1 stands for in the units of the history.
    pub(crate) unit: f64,
}

/// Where a channel's parameters stand.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Channel {
    pub(crate) saturation: Saturation,
    pub(crate) adstock: AdstockKind,
    /// Weights of the carry-over; `None` for an endless one.
    pub(crate) lags: Option<usize>,
    pub(crate) effect: Effect,
    /// First parameter of the curve, and of the carry-over.
    pub(crate) curve_at: usize,
    pub(crate) adstock_at: usize,
    /// The spread of its effects over groups; its deviations follow.
    pub(crate) spread_at: Option<usize>,
}

/// Where the share of the outcome that a channel brought stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Effect {
    Own(usize),
    /// share = unit · e^(mean + spread · deviation): positions of the pool's ROAS (mean = its logarithm) and spread, and of the
    /// deviation; the unit turns ROAS into a share.
    Pooled {
        roas: usize,
        spread: usize,
        deviation: usize,
        unit: f64,
    },
}

/// All parameters of a model for a history.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Layout {
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) channels: Vec<Channel>,
    /// The coefficients of the baseline's columns.
    pub(crate) baseline: Range<usize>,
    /// The first group's deviation from the intercept; the others follow.
    pub(crate) group_at: Option<usize>,
    /// σ, or the dispersion of counts.
    pub(crate) noise_at: usize,
    /// Degrees of freedom.
    pub(crate) tail_at: Option<usize>,
    pub(crate) likelihood: Likelihood,
}

/// Channels bring 15 to 40 % of most outcomes; split by spend, the mean of the log-normals is then 0.30 of it.
const TYPICAL_SHARE: f64 = 0.25;

const STANDARD: Prior = Prior::Normal { mean: 0.0, std: 1.0 };

/// Looks priors up, and remembers which were used.
struct Priors<'m> {
    model: &'m ResponseModel,
    used: BTreeSet<String>,
}

impl Priors<'_> {
    /// The prior under `word[of]`, else under `word`.
    fn own(&mut self, word: &str, of: Option<&str>, domain: Domain) -> Result<Option<Prior>> {
        let special = of.map(|of| format!("{word}[{of}]"));
        let given = &self.model.priors;
        // A prior for all counts as used where each has its own.
        if given.contains_key(word) {
            self.used.insert(word.to_string());
        }
        for key in special.into_iter().chain([word.to_string()]) {
            if let Some(prior) = given.get(&key) {
                prior.check(&key, domain)?;
                self.used.insert(key);
                return Ok(Some(*prior));
            }
        }
        Ok(None)
    }

    fn or(&mut self, word: &str, of: Option<&str>, domain: Domain, default: Prior) -> Result<Prior> {
        Ok(self.own(word, of, domain)?.unwrap_or(default))
    }
}

/// Parameters in the order in which they are put.
struct List(Vec<Parameter>);

impl List {
    fn put(&mut self, name: String, prior: Prior, unit: f64) -> usize {
        self.0.push(Parameter { name, prior, unit });
        self.0.len() - 1
    }
}

/// A setting for channel `i`.
fn of<T: Copy>(setting: &PerChannel<T>, i: usize) -> T {
    match setting {
        PerChannel::All(value) => *value,
        PerChannel::Each(values) => values[i],
    }
}

fn check_each<T>(field: &str, setting: &PerChannel<T>, channels: usize) -> Result<()> {
    match setting {
        PerChannel::Each(values) if values.len() != channels => {
            Err(Error::LengthMismatch { field: field.into(), expected: channels, actual: values.len() })
        }
        _ => Ok(()),
    }
}

impl Layout {
    /// The parameters of a model for a history, with their priors.
    pub(crate) fn new(model: &ResponseModel, history: &History, design: &Design) -> Result<Self> {
        let names = &history.channels;
        check_each("curve", &model.curve, names.len())?;
        check_each("adstock", &model.adstock, names.len())?;
        if let Some(max_lag) = model.max_lag
            && !(1..=400).contains(&max_lag)
        {
            return Err(Error::out_of_domain("max_lag", "from 1 to 400", max_lag));
        }
        let pool_of = pools(model, names)?;
        let scale = &design.scale;
        let spread = scale.spread;
        let mut priors = Priors { model, used: BTreeSet::new() };
        let mut list = List(Vec::new());
        let all_spend: f64 = scale.total_spend.iter().sum();
        let outcome = design.whole() * scale.outcome_unit;
        let mut pool_at = Vec::new();
        for pool in &model.pools {
            let roas = Prior::LogNormal { median: TYPICAL_SHARE * outcome / all_spend, sigma: 0.6 };
            let roas = priors.or("pool_roas", Some(&pool.name), Domain::Positive, roas)?;
            let apart = Prior::HalfNormal { std: 0.5 };
            let apart = priors.or("pool_spread", Some(&pool.name), Domain::Positive, apart)?;
            let at = list.put(format!("pool_roas[{}]", pool.name), roas, 1.0);
            pool_at.push((at, list.put(format!("pool_spread[{}]", pool.name), apart, 1.0)));
        }
        let mut channels = Vec::with_capacity(names.len());
        for (i, name) in names.iter().enumerate() {
            let saturation = of(&model.curve, i);
            let adstock = of(&model.adstock, i);
            let daily = history.days_per_period() == Some(1);
            let lags = match (adstock, model.max_lag) {
                (AdstockKind::None | AdstockKind::Geometric, None) => None,
                (_, Some(max_lag)) => Some(max_lag + 1),
                (_, None) => Some(if daily { 29 } else { 9 }),
            };
            let to_share = scale.total_spend[i] / outcome;
            let effect = if let Some(pool) = pool_of[i] {
                let (roas, spread) = pool_at[pool];
                let deviation = list.put(format!("pool_deviation[{name}]"), STANDARD, 1.0);
                Effect::Pooled { roas, spread, deviation, unit: to_share }
            } else {
                let median = TYPICAL_SHARE * scale.total_spend[i] / all_spend;
                let roas = priors.own("roas", Some(name), Domain::Positive)?;
                let share = priors.own("share", Some(name), Domain::Positive)?;
                if roas.is_some() && share.is_some() {
                    let expected = format!("the prior of either roas or share of channel {name:?}");
                    return Err(Error::out_of_domain("priors", expected, "both"));
                }
                if let Some(Prior::Beta { .. }) = roas {
                    let expected = "a prior on numbers above 0 that has a scale";
                    return Err(Error::out_of_domain(format!("priors[roas[{name}]]"), expected, "beta"));
                }
                let default = Prior::LogNormal { median, sigma: 0.6 };
                let prior = roas.map(|roas| roas.scaled(to_share)).or(share).unwrap_or(default);
                Effect::Own(list.put(format!("share[{name}]"), prior, 1.0))
            };
            let curve_at = list.0.len();
            channels.push(Channel {
                saturation,
                adstock,
                lags,
                effect,
                curve_at,
                adstock_at: 0,
                spread_at: None,
            });
            let money = scale.media_unit[i] * scale.price[i] * scale.size.iter().sum::<f64>();
            for &word in saturation.parameters() {
                let (default, domain, unit) = match word {
                    "half_saturation" => {
                        (Prior::LogNormal { median: 1.0, sigma: 0.5 }, Domain::Positive, money)
                    }
                    "slope" => (Prior::LogNormal { median: 1.3, sigma: 0.3 }, Domain::Positive, 1.0),
                    _ => (Prior::Beta { a: 4.0, b: 3.0 }, Domain::Unit, 1.0),
                };
                let prior = priors.or(word, Some(name), domain, default)?;
                list.put(format!("{word}[{name}]"), prior, unit);
            }
            let at = list.0.len();
            channels[i].adstock_at = at;
            for &word in adstock.parameters() {
                #[allow(clippy::cast_precision_loss, reason = "at most 400")]
                let longest = lags.map_or(1.0, |lags| (lags - 1) as f64);
                let (default, domain, unit) = match word {
                    "retention" => (Prior::Beta { a: 2.0, b: 3.0 }, Domain::Unit, 1.0),
                    "peak" => (Prior::Beta { a: 1.5, b: 4.0 }, Domain::Unit, longest),
                    "shape" => (Prior::LogNormal { median: 1.5, sigma: 0.4 }, Domain::Positive, 1.0),
                    _ => (Prior::LogNormal { median: 2.0, sigma: 0.5 }, Domain::Positive, 1.0),
                };
                let prior = priors.or(word, Some(name), domain, default)?;
                list.put(format!("{word}[{name}]"), prior, unit);
            }
            if design.groups > 1 {
                let default = Prior::HalfNormal { std: 0.5 };
                let prior = priors.or("spread", Some(name), Domain::Positive, default)?;
                channels[i].spread_at = Some(list.put(format!("spread[{name}]"), prior, 1.0));
                for group in &history.groups {
                    list.put(format!("deviation[{name}][{group}]"), STANDARD, 1.0);
                }
            }
        }
        let counts = model.likelihood == Likelihood::NegativeBinomial;
        // A linear baseline is told in outcomes of all groups together, one on a log scale as it is.
        let unit = if counts { 1.0 } else { scale.outcome_unit * scale.size.iter().sum::<f64>() };
        let first = list.0.len();
        for column in &design.columns {
            let wide = (2.0 * spread).max(0.5);
            let default = match column.part() {
                Part::Intercept if counts => Prior::Normal { mean: 0.0, std: wide },
                Part::Intercept => Prior::Normal { mean: 1.0, std: wide },
                Part::Trend | Part::Holiday => Prior::Normal { mean: 0.0, std: 2.0 * spread },
                Part::Season | Part::Weekday | Part::Control => Prior::Normal { mean: 0.0, std: spread },
            };
            let name = column.name();
            let special = name.split_once('[').map(|(_, rest)| rest.trim_end_matches(']').to_string());
            let prior = priors.or(column.word(), special.as_deref(), Domain::Real, default)?;
            list.put(name, prior, unit);
        }
        let baseline = first..list.0.len();
        let mut group_at = None;
        if design.groups > 1 {
            // Every group has a history of its own: its level needs no pooling.
            let default = Prior::Normal { mean: 0.0, std: (2.0 * spread).max(0.5) };
            group_at = Some(list.0.len());
            for group in &history.groups {
                let prior = priors.or("group_deviation", Some(group), Domain::Real, default)?;
                list.put(format!("group_deviation[{group}]"), prior, 1.0);
            }
        }
        let (word, unit) = if counts { ("dispersion", 1.0) } else { ("sigma", scale.outcome_unit) };
        let prior = priors.or(word, None, Domain::Positive, Prior::HalfNormal { std: spread })?;
        let noise_at = list.put(word.into(), prior, unit);
        let mut tail_at = None;
        if model.likelihood == Likelihood::StudentT {
            let prior = priors.or("nu", None, Domain::Positive, Prior::Gamma { shape: 2.0, rate: 0.1 })?;
            tail_at = Some(list.put("nu".into(), prior, 1.0));
        }
        if let Some(unknown) = model.priors.keys().find(|key| !priors.used.contains(*key)) {
            return Err(Error::UnknownName { field: "priors".into(), name: unknown.clone() });
        }
        let likelihood = model.likelihood;
        Ok(Self { parameters: list.0, channels, baseline, group_at, noise_at, tail_at, likelihood })
    }

    /// d.
    pub(crate) fn dim(&self) -> usize {
        self.parameters.len()
    }

    /// Where a parameter of this name stands.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.parameters.iter().position(|parameter| parameter.name == name)
    }
}

/// The pool of each channel.
fn pools(model: &ResponseModel, names: &[String]) -> Result<Vec<Option<usize>>> {
    let mut pool_of = vec![None; names.len()];
    for (number, pool) in model.pools.iter().enumerate() {
        if let Some(first) = model.pools[..number].iter().position(|other| other.name == pool.name) {
            return Err(Error::DuplicateName { name: pool.name.clone(), first, second: number });
        }
        if pool.channels.is_empty() {
            return Err(Error::Empty { field: format!("pools[{}]", pool.name) });
        }
        for name in &pool.channels {
            let field = || format!("pools[{}]", pool.name);
            let Some(i) = names.iter().position(|other| other == name) else {
                return Err(Error::UnknownName { field: field(), name: name.clone() });
            };
            if pool_of[i].is_some() {
                return Err(Error::out_of_domain(field(), "channels of no other pool", name));
            }
            pool_of[i] = Some(number);
        }
    }
    Ok(pool_of)
}
