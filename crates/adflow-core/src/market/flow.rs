//! From budgets to what is expected: price, auction, learning, carry-over, saturation, lag.

use super::Market;
use super::auction::Landscape;
use super::randomness::Purpose;
use super::season::{Seasons, years};
use crate::elementary::{exp, ln_1p};

/// What budgets bring, without noise.
pub(crate) struct Flow {
    /// What was spent, `[group][period][channel]`: the budgets, but where a landscape has no more to sell.
    pub(crate) spend: Vec<f64>,
    /// Media bought, `[group][period][channel]`: impressions, or money at the prices of the start.
    pub(crate) bought: Vec<f64>,
    /// Share of each channel's most that is reached, when it is caused, `[group][period][channel]`.
    pub(crate) reached: Vec<f64>,
}

impl Market {
    /// Price of a period over that of the start; `usual` leaves the random part out.
    pub(crate) fn price(&self, channel: usize, period: usize, usual: bool) -> f64 {
        let settings = &self.settings.channels[channel];
        let drift = ln_1p(settings.price_drift) * years(&self.settings, period);
        let variation = settings.price_variation;
        if usual || variation <= 0.0 {
            return exp(drift);
        }
        let z = self.randomness.normal(Purpose::Price, 0, channel, period);
        exp(drift + variation * z - 0.5 * variation * variation)
    }

    /// What a budget buys, and what of it is spent.
    pub(crate) fn buy(&self, channel: usize, size: f64, price: f64, budget: f64) -> (f64, f64) {
        match &self.settings.channels[channel].auction {
            None => (budget / price, budget),
            Some(auction) => {
                let landscape = Landscape::new(auction, size, price);
                (landscape.impressions(budget), budget.min(landscape.whole_cost()))
            }
        }
    }

    /// Follows budgets, `[group][period][channel]`, through the market.
    pub(crate) fn flow(&self, budgets: &[f64], periods: usize) -> Flow {
        let n = self.settings.channels.len();
        let mut flow = Flow {
            spend: vec![0.0; budgets.len()],
            bought: vec![0.0; budgets.len()],
            reached: vec![0.0; budgets.len()],
        };
        let mut media = vec![0.0; periods];
        for i in 0..n {
            let prices: Vec<f64> = (0..periods).map(|t| self.price(i, t, false)).collect();
            let kernel = &self.kernels[i];
            let hill = self.saturation.set.arm(i);
            for (group, &size) in self.sizes.iter().enumerate() {
                let at = |t: usize| (group * periods + t) * n + i;
                let mut loss = 0.0;
                for t in 0..periods {
                    let (bought, spent) = self.buy(i, size, prices[t], budgets[at(t)]);
                    flow.spend[at(t)] = spent;
                    flow.bought[at(t)] = bought;
                    let kept = match &self.settings.channels[i].learning {
                        Some(learning) if t > 0 => {
                            let before = flow.spend[at(t - 1)];
                            let moved = (spent - before).abs() > learning.threshold * before;
                            loss = if moved { 1.0 } else { learning.retention * loss };
                            1.0 - learning.drop * loss
                        }
                        _ => 1.0,
                    };
                    media[t] = kept * bought / size;
                }
                for t in 0..periods {
                    let carried: f64 =
                        kernel.iter().take(t + 1).zip((0..=t).rev()).map(|(w, s)| w * media[s]).sum();
                    flow.reached[at(t)] = hill.response(carried);
                }
            }
        }
        flow
    }

    /// What channels bring when it is counted, `[group][period][channel]`, from what they reach when they cause it.
    pub(crate) fn contributions(&self, reached: &[f64], periods: usize) -> Vec<f64> {
        let n = self.settings.channels.len();
        let mut all = vec![0.0; reached.len()];
        for (at, counted) in all.iter_mut().enumerate() {
            let (row, i) = (at / n, at % n);
            let (group, t) = (row / periods, row % periods);
            *counted = self.most[group * n + i] * self.lagged(t, |back| reached[at - back * n]);
        }
        all
    }

    /// What channels bring together when it is counted, `[group][period]`.
    pub(crate) fn together(&self, reached: &[f64], periods: usize) -> Vec<f64> {
        let n = self.settings.channels.len();
        let rows = reached.len() / n;
        if !(self.settings.synergy > 0.0) {
            return vec![0.0; rows];
        }
        // Σ_{i<j} r_i r_j = ((Σ r)² − Σ r²)/2 with r = √most · reached.
        let caused: Vec<f64> = (0..rows)
            .map(|row| {
                let most = &self.most[row / periods * n..];
                let (sum, squares) = reached[row * n..(row + 1) * n].iter().zip(most).fold(
                    (0.0, 0.0),
                    |(sum, squares), (share, most)| {
                        (sum + share * most.sqrt(), squares + share * share * most)
                    },
                );
                self.settings.synergy * 0.5 * (sum * sum - squares)
            })
            .collect();
        (0..rows).map(|row| self.lagged(row % periods, |back| caused[row - back])).collect()
    }

    /// Σ_l lag[l] · caused(l periods before t).
    fn lagged(&self, t: usize, caused: impl Fn(usize) -> f64) -> f64 {
        self.settings
            .conversion_lag
            .iter()
            .take(t + 1)
            .enumerate()
            .map(|(back, share)| share * caused(back))
            .sum()
    }

    /// What comes without media, `[group][period]`.
    pub(crate) fn without_media(&self, seasons: &Seasons) -> Vec<f64> {
        let of_group = |level: &f64| {
            let level = *level;
            seasons.index.iter().map(move |index| (level * index).max(0.0))
        };
        self.levels.iter().flat_map(of_group).collect()
    }
}
