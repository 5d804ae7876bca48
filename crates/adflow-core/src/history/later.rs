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

    /// This history, and a later one after it. A channel with units gets as many as its spend bought before, where `later` has none; groups may
    /// stand in any order.
    ///
    /// # Errors
    /// [`Error::UnknownName`] and [`Error::OutOfDomain`] where channels, groups or columns differ, or where dates do not follow on.
    pub fn followed_by(&self, later: &Self) -> Result<Self> {
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
        let later = &later.in_order(&self.groups);
        same("future.groups", &self.groups, &later.groups)?;
        let next = self.day(self.periods);
        if let (Some(next), Some(first)) = (next, later.day(0))
            && (next != first || (later.periods > 1 && self.days_per_period() != later.days_per_period()))
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

    /// The same with its groups in this order, where they are the same groups.
    fn in_order(&self, groups: &[String]) -> Self {
        let places: Option<Vec<usize>> =
            groups.iter().map(|name| self.groups.iter().position(|own| own == name)).collect();
        let Some(places) = places.filter(|places| places.len() == self.groups.len()) else {
            return self.clone();
        };
        let sorted = |values: &[f64], width: usize| -> Vec<f64> {
            let size = self.periods * width;
            places.iter().flat_map(|&group| &values[group * size..(group + 1) * size]).copied().collect()
        };
        let mut ordered = self.clone();
        ordered.groups = groups.to_vec();
        ordered.spend = sorted(&self.spend, self.channels.len());
        ordered.outcome = sorted(&self.outcome, 1);
        for units in ordered.exposures.iter_mut().flatten() {
            *units = sorted(units, 1);
        }
        for series in ordered.controls.iter_mut().chain(&mut ordered.holidays) {
            series.values = sorted(&series.values, 1);
        }
        if let Some(people) = &mut ordered.population {
            *people = places.iter().map(|&group| people[group]).collect();
        }
        ordered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_to_come_are_put_in_the_order_of_those_before() {
        let past =
            History::panel(["a"], ["x", "y"], &[1.0, 2.0, 3.0, 4.0], &[10.0, 20.0, 30.0, 40.0]).unwrap();
        let later = History::panel(["a"], ["y", "x"], &[7.0, 5.0], &[70.0, 50.0]).unwrap();
        let whole = past.followed_by(&later).unwrap();
        assert_eq!(whole.groups(), ["x", "y"]);
        assert_eq!(whole.spend(), [1.0, 2.0, 5.0, 3.0, 4.0, 7.0]);
        assert_eq!(whole.outcome(), [10.0, 20.0, 50.0, 30.0, 40.0, 70.0]);
        let other = History::panel(["a"], ["y", "z"], &[7.0, 5.0], &[70.0, 50.0]).unwrap();
        assert_eq!(past.followed_by(&other).unwrap_err().code(), "unknown_name");
    }
}
