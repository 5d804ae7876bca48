//! A policy on trial: it sees the past, names the next budgets, and is told what came of them.

use super::season::Seasons;
use super::{Market, Simulation};
use crate::error::{Error, Result};
use crate::history::History;

/// What a policy spent after the history, and what came of it; rows are `[group][period]`, of the replayed periods alone.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Replay {
    /// Number of replayed periods.
    pub periods: usize,
    /// What was spent (money), `[group][period][channel]`.
    pub spend: Vec<f64>,
    /// Outcomes with noise, as the policy saw them.
    pub outcome: Vec<f64>,
    /// Outcomes without noise.
    pub expected: Vec<f64>,
}

impl Market {
    /// Replays a policy for so many periods after the history. Before each period it sees the history up to then, what it
    /// did itself included, and names the budgets of the next period, `[group][channel]` (money).
    ///
    /// # Errors
    /// Those of the policy; [`Error::LengthMismatch`], [`Error::NotFinite`] and [`Error::OutOfDomain`] for budgets that are none, as
    /// `policy[…]`; [`Error::OutOfDomain`] for too many periods.
    pub fn replay(
        &self,
        periods: usize,
        mut policy: impl FnMut(&History) -> Result<Vec<f64>>,
    ) -> Result<Replay> {
        let past = self.settings.periods;
        let all = past.saturating_add(periods);
        self.check_periods(periods, "periods")?;
        self.check_periods(all, "periods")?;
        let (groups, n) = (self.sizes.len(), self.kernels.len());
        let mut so_far = self.simulate(&self.spend)?;
        for now in past..all {
            let budgets = policy(&self.history_of(&so_far)?)?;
            if budgets.len() != groups * n {
                let (field, expected) = ("policy".into(), groups * n);
                return Err(Error::LengthMismatch { field, expected, actual: budgets.len() });
            }
            self.check_spend("policy", &budgets)?;
            let mut spend = Vec::with_capacity(so_far.spend.len() + budgets.len());
            for (group, next) in budgets.chunks(n).enumerate() {
                spend.extend_from_slice(&so_far.spend[group * now * n..(group + 1) * now * n]);
                spend.extend_from_slice(next);
            }
            so_far = self.simulate(&spend)?;
        }
        Ok(Replay {
            periods,
            spend: after(&so_far.spend, all * n, past * n),
            outcome: after(&so_far.outcome, all, past),
            expected: after(&so_far.expected, all, past),
        })
    }

    /// What budgets bring after the history: one simulation over the history and the periods that `spend` names,
    /// `[group][period][channel]`.
    ///
    /// # Errors
    /// As [`simulate`](Self::simulate).
    pub fn simulate_after(&self, spend: &[f64]) -> Result<Simulation> {
        self.check_spend("spend", spend)?;
        self.simulate(&self.with_future(spend))
    }

    /// Regret of budgets against an oracle's, both for the same periods after the history, `[group][period][channel]`: the expected
    /// outcome of these periods that the oracle's bring more. Negative where they bring less.
    ///
    /// What either causes after the last of the periods is not in it.
    ///
    /// # Errors
    /// As [`simulate`](Self::simulate); [`Error::LengthMismatch`] where the two differ in length.
    pub fn regret(&self, spend: &[f64], oracle: &[f64]) -> Result<f64> {
        if oracle.len() != spend.len() {
            let field = "oracle".into();
            return Err(Error::LengthMismatch { field, expected: spend.len(), actual: oracle.len() });
        }
        self.check_spend("oracle", oracle)?;
        Ok(self.expected_after(oracle)? - self.expected_after(spend)?)
    }

    fn expected_after(&self, spend: &[f64]) -> Result<f64> {
        let periods = self.settings.periods + self.check_spend("spend", spend)?;
        self.check_periods(periods, "spend")?;
        let seasons = Seasons::new(&self.settings, &self.randomness, periods)?;
        let flow = self.flow(&self.with_future(spend), periods);
        let expected = self.expected(&flow.reached, &self.without_media(&seasons), periods);
        Ok(after(&expected, periods, self.settings.periods).iter().sum())
    }

    /// The history's spends and then these, group by group.
    fn with_future(&self, spend: &[f64]) -> Vec<f64> {
        let groups = self.sizes.len();
        let (past, future) = (self.spend.len() / groups, spend.len() / groups);
        let of_group = |group: usize| {
            let past = &self.spend[group * past..(group + 1) * past];
            past.iter().chain(&spend[group * future..(group + 1) * future]).copied()
        };
        (0..groups).flat_map(of_group).collect()
    }
}

/// Each group's numbers from `past` on.
fn after(values: &[f64], group: usize, past: usize) -> Vec<f64> {
    values.chunks(group).flat_map(|own| &own[past..]).copied().collect()
}
