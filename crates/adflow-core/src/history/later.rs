//! Periods to come, and a history with them.

use super::History;
use crate::error::{Error, Result};

impl History {
    /// Spends of periods to come: a history whose outcomes are all missing, for [`FittedModel::predict`](crate::FittedModel::predict).
    ///
    /// # Errors
    /// As [`panel`](Self::panel); [`Error::LengthMismatch`] unless `spend` is a whole number of rows.
    pub fn plan(
        channels: impl IntoIterator<Item = impl Into<String>>,
        groups: impl IntoIterator<Item = impl Into<String>>,
        spend: &[f64],
    ) -> Result<Self> {
        let channels: Vec<String> = channels.into_iter().map(Into::into).collect();
        let columns = channels.len().max(1);
        if spend.is_empty() || !spend.len().is_multiple_of(columns) {
            let expected = spend.len().next_multiple_of(columns).max(columns);
            return Err(Error::LengthMismatch { field: "spend".into(), expected, actual: spend.len() });
        }
        let rows = spend.len() / columns;
        let mut plan = Self::panel(channels, groups, spend, &vec![0.0; rows])?;
        plan.outcome = vec![f64::NAN; rows];
        Ok(plan)
    }

    /// This history, and a later one after it.
    pub(crate) fn followed_by(&self, later: &Self) -> Result<Self> {
        let same = |field: &str, own: &[String], other: &[String]| -> Result<()> {
            match other.iter().find(|name| !own.contains(name)) {
                Some(name) => Err(Error::UnknownName { field: field.into(), name: name.clone() }),
                None if own == other => Ok(()),
                None => {
                    let expected = format!("{own:?}, in this order");
                    Err(Error::out_of_domain(field, expected, format!("{other:?}")))
                }
            }
        };
        same("future.channels", &self.channels, &later.channels)?;
        same("future.groups", &self.groups, &later.groups)?;
        let next = self.day(self.periods);
        if let (Some(next), Some(first)) = (next, later.day(0))
            && (next != first || self.days_per_period() != later.days_per_period())
        {
            return Err(Error::out_of_domain(
                "future.dates",
                format!("from {next} on, at the same steps"),
                first,
            ));
        }
        let joined = |own: &[f64], other: &[f64], width: usize| -> Vec<f64> {
            let groups = own.chunks(self.periods * width).zip(other.chunks(later.periods * width));
            groups.flat_map(|(own, other)| own.iter().chain(other).copied()).collect()
        };
        let mut whole = self.clone();
        whole.periods = self.periods + later.periods;
        whole.spend = joined(&self.spend, &later.spend, self.channels.len());
        whole.outcome = joined(&self.outcome, &later.outcome, 1);
        for (i, units) in whole.exposures.iter_mut().enumerate() {
            let Some(own) = units else { continue };
            let spent = |row: usize| self.spend[row * self.channels.len() + i];
            let paid: f64 = (0..self.outcome.len()).map(spent).sum();
            let per_money = own.iter().sum::<f64>() / paid;
            let bought: Vec<f64> = match &later.exposures[i] {
                Some(units) => units.clone(),
                None => {
                    let spend = later.spend.iter().skip(i).step_by(self.channels.len());
                    spend.map(|spend| spend * per_money).collect()
                }
            };
            *own = joined(own, &bought, 1);
        }
        for series in whole.controls.iter_mut().chain(&mut whole.holidays) {
            let Some(values) = later.column(&series.name) else {
                return Err(Error::UnknownName { field: "future".into(), name: series.name.clone() });
            };
            series.values = joined(&series.values, values, 1);
        }
        Ok(whole)
    }
}
