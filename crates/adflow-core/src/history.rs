//! What was spent, and what came of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::day::Day;
use crate::error::{Error, Result};

mod arrange;
mod json;
mod later;

pub use arrange::HistoryRows;

/// The past of some channels: their spends, an outcome, and what else moves it; by period, and by group (a geo, a brand)
/// where there are several.
///
/// Rows run period by period, and group by group; a spend stands at `[(group · periods + period) · channels + channel]`.
/// A history is complete: every group has every period, and periods follow each other without holes, so that carry-over has
/// no gaps. Outcomes may be missing ([`with_missing_outcomes`](Self::with_missing_outcomes)); spends may not.
///
/// # Examples
/// ```
/// use adflow_core::{Day, History};
///
/// let spend = [10.0, 0.0, 12.0, 3.0, 0.0, 5.0]; // three weeks of two channels
/// let history = History::new(["search", "tv"], &spend, &[100.0, 130.0, 110.0])?
///     .starting(Day::parse("2026-01-05")?, 7)?;
/// assert_eq!((history.periods(), history.channels().len()), (3, 2));
/// # Ok::<(), adflow_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    pub(crate) channels: Vec<String>,
    pub(crate) groups: Vec<String>,
    pub(crate) periods: usize,
    /// `[group][period][channel]`, money.
    pub(crate) spend: Vec<f64>,
    /// Per channel `[group][period]`, where the channel has units (impressions, clicks, gross rating points).
    pub(crate) exposures: Vec<Option<Vec<f64>>>,
    /// `[group][period]`; NaN where it was not observed.
    pub(crate) outcome: Vec<f64>,
    pub(crate) controls: Vec<Series>,
    pub(crate) holidays: Vec<Series>,
    /// First day and days per period, where known.
    pub(crate) calendar: Option<(Day, u32)>,
    pub(crate) population: Option<Vec<f64>>,
}

/// A named column beside the spends, `[group][period]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) values: Vec<f64>,
}

/// The shortest history that is taken.
pub(crate) const FEWEST_PERIODS: usize = 8;

impl History {
    /// One series: `spend` holds a row of channels per period (money, ≥ 0), `outcome` one number per period.
    ///
    /// # Errors
    /// [`Error::Empty`] without channels, [`Error::LengthMismatch`], [`Error::NotFinite`], [`Error::OutOfDomain`] for a negative
    /// spend or one above 1e60, [`Error::DuplicateName`].
    pub fn new(
        channels: impl IntoIterator<Item = impl Into<String>>,
        spend: &[f64],
        outcome: &[f64],
    ) -> Result<Self> {
        Self::panel(channels, ["all"], spend, outcome)
    }

    /// Several groups: `outcome` holds all periods of the first group, then those of the second, and so on; `spend` a row
    /// of channels for each.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn panel(
        channels: impl IntoIterator<Item = impl Into<String>>,
        groups: impl IntoIterator<Item = impl Into<String>>,
        spend: &[f64],
        outcome: &[f64],
    ) -> Result<Self> {
        let channels = names("channels", channels)?;
        let groups = names("groups", groups)?;
        if outcome.is_empty() {
            return Err(Error::Empty { field: "outcome".into() });
        }
        if !outcome.len().is_multiple_of(groups.len()) {
            let expected = outcome.len().next_multiple_of(groups.len());
            return Err(Error::LengthMismatch { field: "outcome".into(), expected, actual: outcome.len() });
        }
        let expected = outcome.len() * channels.len();
        if spend.len() != expected {
            return Err(Error::LengthMismatch { field: "spend".into(), expected, actual: spend.len() });
        }
        let n = channels.len();
        for (at, &value) in spend.iter().enumerate() {
            amount(value, || format!("spend[{}][{}]", at / n, channels[at % n]))?;
        }
        for (at, &value) in outcome.iter().enumerate() {
            if value.is_infinite() || value.abs() > 1e60 {
                return Err(Error::NotFinite { field: format!("outcome[{at}]"), value });
            }
        }
        let periods = outcome.len() / groups.len();
        let history = Self {
            exposures: vec![None; n],
            channels,
            groups,
            periods,
            spend: spend.to_vec(),
            outcome: outcome.to_vec(),
            controls: Vec::new(),
            holidays: Vec::new(),
            calendar: None,
            population: None,
        };
        match history.outcome.iter().position(|value| value.is_nan()) {
            Some(at) => Err(Error::NotFinite { field: format!("outcome[{at}]"), value: f64::NAN }),
            None => Ok(history),
        }
    }

    /// Takes outcomes again, NaN where they were not observed: such periods carry spends over and tell nothing else.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`]; [`Error::NotFinite`] for an infinity; [`Error::Empty`] where nothing was observed.
    pub fn with_missing_outcomes(mut self, outcome: &[f64]) -> Result<Self> {
        let expected = self.outcome.len();
        if outcome.len() != expected {
            return Err(Error::LengthMismatch { field: "outcome".into(), expected, actual: outcome.len() });
        }
        if let Some(at) = outcome.iter().position(|value| value.is_infinite() || value.abs() > 1e60) {
            return Err(Error::NotFinite { field: format!("outcome[{at}]"), value: outcome[at] });
        }
        if outcome.iter().all(|value| value.is_nan()) {
            return Err(Error::Empty { field: "outcome".into() });
        }
        self.outcome = outcome.to_vec();
        Ok(self)
    }

    /// Says when the first period begins and how many days each lasts: 1 for daily, 7 for weekly data.
    ///
    /// # Errors
    /// [`Error::OutOfDomain`] unless `days_per_period` is 1 to 366 and the last period ends before the year 10000.
    pub fn starting(mut self, first: Day, days_per_period: u32) -> Result<Self> {
        if !(1..=366).contains(&days_per_period) {
            return Err(Error::out_of_domain("days_per_period", "from 1 to 366", days_per_period));
        }
        let days = i64::from(days_per_period) * i64::try_from(self.periods).unwrap_or(i64::MAX);
        first.plus(days)?;
        self.calendar = Some((first, days_per_period));
        Ok(self)
    }

    /// Says in which units a channel reaches people: impressions, clicks, rating points, one per row (≥ 0).
    /// The channel's curve is then fitted on these and priced at spend over units.
    ///
    /// # Errors
    /// [`Error::UnknownName`], [`Error::LengthMismatch`], [`Error::NotFinite`], [`Error::OutOfDomain`] for a negative number, and
    /// for a channel whose spends or units are all zero.
    pub fn with_exposures(mut self, channel: &str, exposures: &[f64]) -> Result<Self> {
        let Some(i) = self.channels.iter().position(|name| name == channel) else {
            return Err(Error::UnknownName { field: "exposures".into(), name: channel.into() });
        };
        self.check_rows(&format!("exposures[{channel}]"), exposures)?;
        for (at, &value) in exposures.iter().enumerate() {
            amount(value, || format!("exposures[{channel}][{at}]"))?;
        }
        let spent = self.spend.iter().skip(i).step_by(self.channels.len()).any(|&x| x > 0.0);
        if !spent || exposures.iter().all(|&x| x <= 0.0) {
            let expected = "above 0 in some row, and so the channel's spend";
            return Err(Error::out_of_domain(format!("exposures[{channel}]"), expected, 0));
        }
        self.exposures[i] = Some(exposures.to_vec());
        Ok(self)
    }

    /// Adds a column that moves the outcome beside the channels (price, competitors, weather), one number per row.
    ///
    /// # Errors
    /// [`Error::DuplicateName`], [`Error::LengthMismatch`], [`Error::NotFinite`].
    pub fn with_control(mut self, name: &str, values: &[f64]) -> Result<Self> {
        let series = self.series("controls", name, values)?;
        self.controls.push(series);
        Ok(self)
    }

    /// Adds a holiday, event or promotion: 0 where it was not, 1 (or a share of the period) where it was, one number per row.
    ///
    /// # Errors
    /// As [`with_control`](Self::with_control).
    pub fn with_holiday(mut self, name: &str, values: &[f64]) -> Result<Self> {
        let series = self.series("holidays", name, values)?;
        self.holidays.push(series);
        Ok(self)
    }

    /// Says how many people live in each group (> 0): spends compare per head then.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`], [`Error::NotFinite`], [`Error::OutOfDomain`].
    pub fn with_population(mut self, population: &[f64]) -> Result<Self> {
        let expected = self.groups.len();
        if population.len() != expected {
            return Err(Error::LengthMismatch {
                field: "population".into(),
                expected,
                actual: population.len(),
            });
        }
        for (at, &value) in population.iter().enumerate() {
            amount(value, || format!("population[{at}]"))?;
            if value <= 0.0 {
                return Err(Error::out_of_domain(format!("population[{at}]"), "above 0", value));
            }
        }
        self.population = Some(population.to_vec());
        Ok(self)
    }

    /// The channels' names.
    #[must_use]
    pub fn channels(&self) -> &[String] {
        &self.channels
    }

    /// The groups' names; one, `all`, for a single series.
    #[must_use]
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// Number of periods.
    #[must_use]
    pub fn periods(&self) -> usize {
        self.periods
    }

    /// Spends (money), `[group][period][channel]`.
    #[must_use]
    pub fn spend(&self) -> &[f64] {
        &self.spend
    }

    /// Outcomes, `[group][period]`; NaN where they were not observed.
    #[must_use]
    pub fn outcome(&self) -> &[f64] {
        &self.outcome
    }

    /// A channel's units, `[group][period]`, where it has some.
    #[must_use]
    pub fn exposures(&self, channel: usize) -> Option<&[f64]> {
        self.exposures.get(channel)?.as_deref()
    }

    /// Names of the controls, in order.
    pub fn controls(&self) -> impl Iterator<Item = &str> {
        self.controls.iter().map(|series| series.name.as_str())
    }

    /// Names of the holidays, in order.
    pub fn holidays(&self) -> impl Iterator<Item = &str> {
        self.holidays.iter().map(|series| series.name.as_str())
    }

    /// A control's or holiday's numbers, `[group][period]`.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&[f64]> {
        let mut all = self.controls.iter().chain(&self.holidays);
        all.find(|series| series.name == name).map(|series| series.values.as_slice())
    }

    /// The first day of a period, where the history has dates.
    #[must_use]
    pub fn day(&self, period: usize) -> Option<Day> {
        let (first, days) = self.calendar?;
        first.plus(i64::from(days) * i64::try_from(period).ok()?).ok()
    }

    /// Days per period, where the history has dates.
    #[must_use]
    pub fn days_per_period(&self) -> Option<u32> {
        self.calendar.map(|(_, days)| days)
    }

    /// People per group, where known.
    #[must_use]
    pub fn population(&self) -> Option<&[f64]> {
        self.population.as_deref()
    }

    /// The first `periods` periods of every group.
    ///
    /// # Errors
    /// [`Error::OutOfDomain`] unless 1 ≤ `periods` ≤ [`periods`](Self::periods).
    pub fn first(&self, periods: usize) -> Result<Self> {
        self.window(0, periods)
    }

    /// The last `periods` periods of every group.
    ///
    /// # Errors
    /// As [`first`](Self::first).
    pub fn last(&self, periods: usize) -> Result<Self> {
        self.window(self.periods.saturating_sub(periods), periods)
    }

    fn window(&self, from: usize, periods: usize) -> Result<Self> {
        if periods == 0 || periods > self.periods {
            return Err(Error::out_of_domain("periods", format!("from 1 to {}", self.periods), periods));
        }
        let cut = |values: &[f64], width: usize| -> Vec<f64> {
            let groups = values.chunks(self.periods * width);
            groups.flat_map(|group| &group[from * width..(from + periods) * width]).copied().collect()
        };
        let series = |series: &Series| Series { name: series.name.clone(), values: cut(&series.values, 1) };
        Ok(Self {
            channels: self.channels.clone(),
            groups: self.groups.clone(),
            periods,
            spend: cut(&self.spend, self.channels.len()),
            exposures: self.exposures.iter().map(|units| Some(cut(units.as_ref()?, 1))).collect(),
            outcome: cut(&self.outcome, 1),
            controls: self.controls.iter().map(series).collect(),
            holidays: self.holidays.iter().map(series).collect(),
            calendar: self.day(from).zip(self.days_per_period()),
            population: self.population.clone(),
        })
    }

    fn series(&self, field: &str, name: &str, values: &[f64]) -> Result<Series> {
        let mut taken = self.controls.iter().chain(&self.holidays);
        if let Some(first) = taken.position(|series| series.name == name) {
            let second = self.controls.len() + self.holidays.len();
            return Err(Error::DuplicateName { name: name.into(), first, second });
        }
        self.check_rows(&format!("{field}[{name}]"), values)?;
        if let Some(at) = values.iter().position(|value| !value.is_finite() || value.abs() > 1e60) {
            return Err(Error::NotFinite { field: format!("{field}[{name}][{at}]"), value: values[at] });
        }
        Ok(Series { name: name.into(), values: values.to_vec() })
    }

    fn check_rows(&self, field: &str, values: &[f64]) -> Result<()> {
        let expected = self.outcome.len();
        if values.len() == expected {
            return Ok(());
        }
        Err(Error::LengthMismatch { field: field.into(), expected, actual: values.len() })
    }
}

fn names(field: &str, names: impl IntoIterator<Item = impl Into<String>>) -> Result<Vec<String>> {
    let names: Vec<String> = names.into_iter().map(Into::into).collect();
    if names.is_empty() {
        return Err(Error::Empty { field: field.into() });
    }
    let mut seen = BTreeMap::new();
    for (second, name) in names.iter().enumerate() {
        if let Some(first) = seen.insert(name, second) {
            return Err(Error::DuplicateName { name: name.clone(), first, second });
        }
    }
    Ok(names)
}

/// Money or units: finite, from 0 to 1e60.
fn amount(value: f64, field: impl Fn() -> String) -> Result<()> {
    if !value.is_finite() {
        return Err(Error::NotFinite { field: field(), value });
    }
    if !(0.0..=1e60).contains(&value) {
        return Err(Error::out_of_domain(field(), "from 0 to 1e60", value));
    }
    Ok(())
}
