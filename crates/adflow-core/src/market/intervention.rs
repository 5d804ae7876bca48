//! What a change of budgets in the history would have done.

use super::Market;
use crate::error::{Error, Result};

/// A change of one channel's budgets in a window of the history.
///
/// # Examples
/// ```
/// use adflow_core::{BudgetChange, Intervention};
///
/// // A third more for the second channel, in ten weeks.
/// let more = Intervention::new(1, BudgetChange::Times(4.0 / 3.0)).during(20..30);
/// assert_eq!(more.channel, 1);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Intervention {
    /// The channel's index.
    pub channel: usize,
    /// The group's index; all groups where there is none.
    pub group: Option<usize>,
    /// Periods of the history; all where there are none.
    pub window: Option<std::ops::Range<usize>>,
    /// What becomes of each period's budget.
    pub change: BudgetChange,
}

/// What becomes of a period's budget.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BudgetChange {
    /// This much money, in every period and group: `To(0.0)` switches the channel off.
    To(f64),
    /// So many times what it was (≥ 0).
    Times(f64),
    /// So much money more, or less for a negative number; a budget never falls below 0.
    By(f64),
}

impl Intervention {
    /// In every group and period.
    #[must_use]
    pub fn new(channel: usize, change: BudgetChange) -> Self {
        Self { channel, group: None, window: None, change }
    }

    /// In these periods alone.
    #[must_use]
    pub fn during(mut self, window: std::ops::Range<usize>) -> Self {
        self.window = Some(window);
        self
    }

    /// In this group alone.
    #[must_use]
    pub fn in_group(mut self, group: usize) -> Self {
        self.group = Some(group);
        self
    }
}

/// What an intervention would have changed, with minus without, over the history.
///
/// What comes after the last period, by carry-over or lag, is not in it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TrueEffect {
    /// Change of what was spent (money).
    pub spend: f64,
    /// Change of the expected outcome.
    pub expected: f64,
    /// Change of the outcome with noise; the noise is the same, so for normal noise the two agree.
    pub realised: f64,
    /// Change of the expected outcome, `[group][period]`.
    pub by_period: Vec<f64>,
    /// Change of the outcome with noise, `[group][period]`.
    pub realised_by_period: Vec<f64>,
}

impl Market {
    /// The true effect of interventions, all at once and in this order.
    ///
    /// # Errors
    /// [`Error::OutOfDomain`] and [`Error::NotFinite`] for a channel, group or window outside the history, and for budgets that
    /// are none.
    pub fn effect(&self, interventions: &[Intervention]) -> Result<TrueEffect> {
        let changed = self.simulate(&self.spend_after(interventions)?)?;
        let usual = self.simulate(&self.spend)?;
        let differences = |with: &[f64], without: &[f64]| -> Vec<f64> {
            with.iter().zip(without).map(|(with, without)| with - without).collect()
        };
        let by_period = differences(&changed.expected, &usual.expected);
        let realised_by_period = differences(&changed.outcome, &usual.outcome);
        Ok(TrueEffect {
            spend: differences(&changed.spend, &usual.spend).iter().sum(),
            expected: by_period.iter().sum(),
            realised: realised_by_period.iter().sum(),
            by_period,
            realised_by_period,
        })
    }

    /// The budgets of the history after interventions, `[group][period][channel]`.
    ///
    /// # Errors
    /// As [`effect`](Self::effect).
    pub fn spend_after(&self, interventions: &[Intervention]) -> Result<Vec<f64>> {
        let (n, periods, groups) = (self.kernels.len(), self.settings.periods, self.sizes.len());
        let mut spend = self.spend.clone();
        for (at, one) in interventions.iter().enumerate() {
            let field = |name: &str| format!("interventions[{at}].{name}");
            let below = |name: &str, index: usize, count: usize| {
                let expected = format!("below {count}");
                if index < count { Ok(()) } else { Err(Error::out_of_domain(field(name), expected, index)) }
            };
            below("channel", one.channel, n)?;
            below("group", one.group.unwrap_or(0), groups)?;
            let window = one.window.clone().unwrap_or(0..periods);
            if window.is_empty() || window.end > periods {
                let expected = format!("periods inside 0..{periods}");
                return Err(Error::out_of_domain(field("window"), expected, format!("{window:?}")));
            }
            let (value, low) = match one.change {
                BudgetChange::To(value) | BudgetChange::Times(value) => (value, 0.0),
                BudgetChange::By(value) => (value, -1e30),
            };
            super::check::within(field("change"), value, low, 1e30)?;
            for group in (0..groups).filter(|&group| one.group.is_none_or(|own| own == group)) {
                for t in window.clone() {
                    let budget = &mut spend[(group * periods + t) * n + one.channel];
                    *budget = match one.change {
                        BudgetChange::To(amount) => amount,
                        BudgetChange::Times(factor) => *budget * factor,
                        BudgetChange::By(amount) => (*budget + amount).max(0.0),
                    };
                }
            }
        }
        Ok(spend)
    }
}
