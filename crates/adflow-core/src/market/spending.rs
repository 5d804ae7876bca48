//! The budgets of the history: correlated across channels, with the season, in flights.

use super::Market;
use super::randomness::Purpose;
use super::season::Seasons;
use crate::elementary::exp;

impl Market {
    /// Budgets of the spend processes, `[group][period][channel]`, before any platform says that less can be spent.
    pub(crate) fn usual_budgets(&self, seasons: &Seasons, periods: usize) -> Vec<f64> {
        let channels = self.settings.channels.len();
        let shared: Vec<Vec<f64>> = (0..channels).map(|i| self.per_head(seasons, i, periods)).collect();
        let several = self.settings.groups.len() > 1;
        let spread = self.settings.group_spend_spread;
        let mut budgets = Vec::with_capacity(self.sizes.len() * periods * channels);
        for (group, &size) in self.sizes.iter().enumerate() {
            for t in 0..periods {
                for (i, spend) in shared.iter().enumerate() {
                    let own = if several && spread > 0.0 {
                        let z = self.randomness.normal(Purpose::GroupSpend, group, i, t);
                        exp(spread * z - 0.5 * spread * spread)
                    } else {
                        1.0
                    };
                    budgets.push(size * spend[t] * own);
                }
            }
        }
        budgets
    }

    /// The budget of a channel for a group of mean population, by period.
    fn per_head(&self, seasons: &Seasons, channel: usize, periods: usize) -> Vec<f64> {
        let process = &self.settings.channels[channel].spend;
        let news = (1.0 - process.persistence * process.persistence).sqrt();
        let (common, own) = (process.correlation.sqrt(), (1.0 - process.correlation).sqrt());
        let mut z = 0.0;
        (0..periods)
            .map(|t| {
                let normal = common * self.randomness.normal(Purpose::CommonSpend, 0, 0, t)
                    + own * self.randomness.normal(Purpose::OwnSpend, 0, channel, t);
                z = if t == 0 { normal } else { process.persistence * z + news * normal };
                let flight = match process.flighting {
                    None => 1.0,
                    Some(flighting) => {
                        let cycle = u64::from(flighting.on) + u64::from(flighting.off);
                        let at = (t as u64 + u64::from(flighting.shift)) % cycle;
                        let share =
                            f64::from(flighting.on) / (f64::from(flighting.on) + f64::from(flighting.off));
                        if at < u64::from(flighting.on) { 1.0 / share } else { 0.0 }
                    }
                };
                let variation = process.variation;
                process.mean
                    * flight
                    * (1.0 + process.seasonal * seasons.wave[t])
                    * exp(variation * z - 0.5 * variation * variation)
            })
            .collect()
    }
}
