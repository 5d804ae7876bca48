//! The door of a market: every number, once.

use std::collections::BTreeMap;

use super::settings::{
    Auction, Learning, MarketBaseline, MarketChannel, MarketNoise, MarketSettings, MediaEffect, SpendProcess,
};
use crate::error::{Error, Result};

/// Longest simulation: fifty years of days.
pub(crate) const MOST_PERIODS: usize = 20_000;
/// Most numbers of a simulation (groups × periods × channels): a short text must not ask for more memory than there is.
pub(crate) const MOST_CELLS: usize = 50_000_000;
/// Most groups and channels.
const MOST_NAMES: usize = 100_000;
/// Longest conversion lag, and longest kernel that an endless adstock is cut to.
pub(crate) const MOST_LAGS: usize = 1_000;

/// A finite number from `low` to `high`.
pub(crate) fn within(field: impl Into<String>, value: f64, low: f64, high: f64) -> Result<()> {
    let field = field.into();
    if !value.is_finite() {
        return Err(Error::NotFinite { field, value });
    }
    if !(low..=high).contains(&value) {
        return Err(Error::out_of_domain(field, format!("from {low} to {high}"), value));
    }
    Ok(())
}

/// As [`within`], and the upper end excluded.
fn within_open(field: impl Into<String>, value: f64, low: f64, high: f64) -> Result<()> {
    let field = field.into();
    if value.is_finite() && !(low..high).contains(&value) {
        return Err(Error::out_of_domain(field, format!("from {low} to below {high}"), value));
    }
    within(field, value, low, high)
}

fn names<'a>(field: &str, names: impl Iterator<Item = &'a String>) -> Result<()> {
    let mut seen = BTreeMap::new();
    for (second, name) in names.enumerate() {
        if let Some(first) = seen.insert(name, second) {
            return Err(Error::DuplicateName { name: name.clone(), first, second });
        }
    }
    match seen.len() {
        0 => Err(Error::Empty { field: field.into() }),
        1..=MOST_NAMES => Ok(()),
        more => Err(Error::out_of_domain(field, format!("at most {MOST_NAMES}"), more)),
    }
}

impl MarketSettings {
    /// Says what is wrong with the settings, if anything is.
    pub(crate) fn check(&self) -> Result<()> {
        if !matches!(self.days_per_period, 1 | 7) {
            return Err(Error::out_of_domain("days_per_period", "1 or 7", self.days_per_period));
        }
        if !(1..=MOST_PERIODS).contains(&self.periods) {
            return Err(Error::out_of_domain("periods", format!("from 1 to {MOST_PERIODS}"), self.periods));
        }
        // Every simulation may run to the longest horizon.
        let days = i64::from(self.days_per_period) * i64::try_from(MOST_PERIODS + 1).unwrap_or(i64::MAX);
        if self.start.plus(days).is_err() {
            return Err(Error::out_of_domain(
                "start",
                format!("{days} days before the year 10000"),
                self.start,
            ));
        }
        names("groups", self.groups.iter().map(|group| &group.name))?;
        for (at, group) in self.groups.iter().enumerate() {
            within(format!("groups[{at}].population"), group.population, 1e-9, 1e18)?;
        }
        within("effect_spread", self.effect_spread, 0.0, 3.0)?;
        within("level_spread", self.level_spread, 0.0, 3.0)?;
        within("group_spend_spread", self.group_spend_spread, 0.0, 3.0)?;
        names("channels", self.channels.iter().map(|channel| &channel.name))?;
        let cells = self.groups.len().saturating_mul(self.periods).saturating_mul(self.channels.len());
        if cells > MOST_CELLS {
            let expected = format!("such that groups × periods × channels is at most {MOST_CELLS}");
            return Err(Error::out_of_domain("periods", expected, self.periods));
        }
        for (at, channel) in self.channels.iter().enumerate() {
            channel.check(&format!("channels[{at}]"))?;
        }
        within("synergy", self.synergy, 0.0, 5.0)?;
        self.baseline.check()?;
        match self.noise {
            MarketNoise::Gaussian { share } => within("noise.gaussian.share", share, 0.0, 10.0)?,
            MarketNoise::Count { dispersion } => within("noise.count.dispersion", dispersion, 0.0, 100.0)?,
        }
        self.check_lag()
    }

    fn check_lag(&self) -> Result<()> {
        if self.conversion_lag.is_empty() {
            return Err(Error::Empty { field: "conversion_lag".into() });
        }
        if self.conversion_lag.len() > MOST_LAGS {
            let expected = format!("of at most {MOST_LAGS} periods");
            return Err(Error::out_of_domain("conversion_lag", expected, self.conversion_lag.len()));
        }
        for (at, &share) in self.conversion_lag.iter().enumerate() {
            within(format!("conversion_lag[{at}]"), share, 0.0, 1.0)?;
        }
        let sum: f64 = self.conversion_lag.iter().sum();
        // Shares are written with few digits.
        if (sum - 1.0).abs() > 1e-6 {
            return Err(Error::out_of_domain(
                "conversion_lag",
                "shares that sum to 1",
                format!("a sum of {sum}"),
            ));
        }
        Ok(())
    }
}

impl MarketChannel {
    fn check(&self, path: &str) -> Result<()> {
        match self.effect {
            MediaEffect::Share(share) => within_open(format!("{path}.effect.share"), share, 0.0, 1.0)?,
            MediaEffect::Roas(roas) => within(format!("{path}.effect.roas"), roas, 0.0, 1e12)?,
            MediaEffect::Maximum(most) => within(format!("{path}.effect.maximum"), most, 0.0, 1e30)?,
        }
        within(format!("{path}.half_saturation"), self.half_saturation, 1e-3, 1e3)?;
        within(format!("{path}.slope"), self.slope, 0.05, 20.0)?;
        if self.adstock.max_lag.is_some_and(|lags| lags > MOST_LAGS) {
            let expected = format!("at most {MOST_LAGS}");
            let lags = self.adstock.max_lag.unwrap_or(0);
            return Err(Error::out_of_domain(format!("{path}.adstock.max_lag"), expected, lags));
        }
        self.spend.check(&format!("{path}.spend"))?;
        if let Some(Auction { impressions, median_cpm, spread }) = self.auction {
            within(format!("{path}.auction.impressions"), impressions, 1e-3, 1e18)?;
            within(format!("{path}.auction.median_cpm"), median_cpm, 1e-9, 1e12)?;
            within(format!("{path}.auction.spread"), spread, 0.01, 4.0)?;
        }
        within(format!("{path}.price_drift"), self.price_drift, -0.9, 10.0)?;
        within(format!("{path}.price_variation"), self.price_variation, 0.0, 2.0)?;
        if let Some(Learning { threshold, drop, retention }) = self.learning {
            within(format!("{path}.learning.threshold"), threshold, 0.0, 1e12)?;
            within(format!("{path}.learning.drop"), drop, 0.0, 1.0)?;
            within_open(format!("{path}.learning.retention"), retention, 0.0, 1.0)?;
        }
        Ok(())
    }
}

impl SpendProcess {
    fn check(&self, path: &str) -> Result<()> {
        within(format!("{path}.mean"), self.mean, 0.0, 1e30)?;
        within(format!("{path}.variation"), self.variation, 0.0, 3.0)?;
        within_open(format!("{path}.persistence"), self.persistence, 0.0, 1.0)?;
        within(format!("{path}.correlation"), self.correlation, 0.0, 1.0)?;
        within(format!("{path}.seasonal"), self.seasonal, 0.0, 1.0)?;
        match self.flighting {
            Some(flighting) if flighting.on == 0 => {
                Err(Error::out_of_domain(format!("{path}.flighting.on"), "at least 1", 0))
            }
            _ => Ok(()),
        }
    }
}

impl MarketBaseline {
    fn check(&self) -> Result<()> {
        within("baseline.level", self.level, 0.0, 1e30)?;
        within("baseline.trend", self.trend, -10.0, 10.0)?;
        within("baseline.yearly", self.yearly, 0.0, 1.0)?;
        within("baseline.half_yearly", self.half_yearly, -1.0, 1.0)?;
        within("baseline.peak", self.peak, 0.0, 1.0)?;
        for (day, &effect) in self.weekday.iter().enumerate() {
            within(format!("baseline.weekday[{day}]"), effect, -1.0, 10.0)?;
        }
        let promotions = self.promotions.iter().map(|promotion| &promotion.name);
        let controls = self.controls.iter().map(|control| &control.name);
        if !self.promotions.is_empty() || !self.controls.is_empty() {
            names("baseline.controls", promotions.chain(controls))?;
        }
        for (at, promotion) in self.promotions.iter().enumerate() {
            let path = format!("baseline.promotions[{at}]");
            if !(1..=3_660).contains(&promotion.days) {
                return Err(Error::out_of_domain(format!("{path}.days"), "from 1 to 3660", promotion.days));
            }
            if let Some(every) = promotion.every.filter(|&every| every < promotion.days) {
                let expected = format!("at least `days`, {}", promotion.days);
                return Err(Error::out_of_domain(format!("{path}.every"), expected, every));
            }
            within(format!("{path}.lift"), promotion.lift, -1.0, 100.0)?;
        }
        for (at, control) in self.controls.iter().enumerate() {
            within(format!("baseline.controls[{at}].effect"), control.effect, -1.0, 1.0)?;
            within_open(format!("baseline.controls[{at}].persistence"), control.persistence, 0.0, 1.0)?;
        }
        Ok(())
    }
}
