//! A simulated market with a known truth.

use crate::curve::ResponseCurves;
use crate::error::{Error, Result};
use crate::history::History;

mod auction;
mod check;
mod count;
mod flow;
mod intervention;
mod json;
mod normal;
mod randomness;
mod realistic;
mod replay;
mod season;
mod settings;
mod simulation;
mod spending;
mod truth;

pub use intervention::{BudgetChange, Intervention, TrueEffect};
pub use replay::Replay;
pub use settings::{
    Auction, Flighting, Learning, MarketBaseline, MarketChannel, MarketControl, MarketGroup, MarketNoise,
    MarketSettings, MediaEffect, Promotion, SpendProcess,
};
pub use simulation::Simulation;
pub use truth::MarketTruth;

use randomness::{Purpose, Randomness};
use season::Seasons;

/// A market of which everything is known: it gives a history to learn from, and says what would have happened.
///
/// Channel i of group g turns a budget into an outcome in this order:
///
/// ```text
/// bought[t]  = impressions that the budget buys (Auction), or budget / price[t]
/// media[t]   = bought[t] · what learning leaves / size of the group          size: population over the groups' mean
/// reached[t] = Hill( Σ_l w[l] media[t−l] ),   w the adstock's weights over their sum
/// caused[t]  = most_gi · reached[t],           most_gi = most_i · size_g · exp(effect_spread z − effect_spread²/2)
/// expected   = baseline + Σ_i caused_i + synergy · Σ_{i<j} √(most_gi most_gj) reached_i reached_j
/// outcome    = expected with noise
/// ```
///
/// What media cause, the last two sums, is counted with the conversion lag. Nothing is carried over from before the first
/// period, and nothing that is caused is lost: what the lag moves beyond the last period is told ([`Simulation::pending`]). Two simulations share every random number that their spends do not change.
/// The same seed gives the same bits on any machine.
///
/// # Examples
/// ```
/// use adflow_core::{BudgetChange, Intervention, Market};
///
/// let market = Market::realistic(1, 3, 104)?; // seed, channels, weeks
/// let history = market.history()?;
/// let off = Intervention::new(0, BudgetChange::To(0.0));
/// let effect = market.effect(&[off])?;
/// // With nothing else in play, a channel switched off takes its contribution along.
/// assert!((effect.expected / effect.spend - market.truth()?.roas[0]).abs() < 1e-9);
/// assert_eq!(history.periods(), 104);
/// # Ok::<(), adflow_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Market {
    pub(crate) settings: MarketSettings,
    pub(crate) randomness: Randomness,
    /// Population of each group over the mean.
    pub(crate) sizes: Vec<f64>,
    /// Baseline level of each group.
    pub(crate) levels: Vec<f64>,
    /// Weights of each channel's adstock; they sum to 1.
    pub(crate) kernels: Vec<Vec<f64>>,
    /// A Hill curve from 0 to 1 per channel, over media per head of a group of mean population.
    pub(crate) saturation: ResponseCurves,
    /// The most that a channel can bring in a period, `[group][channel]`.
    pub(crate) most: Vec<f64>,
    /// Standard deviation of each group's normal noise.
    pub(crate) scatter: Vec<f64>,
    /// Spends of the history, `[group][period][channel]`.
    pub(crate) spend: Vec<f64>,
}

/// Weights of an endless kernel below this share of the first are left out.
const LEAST_WEIGHT: f64 = 1e-12;

impl Market {
    /// Builds a market.
    ///
    /// # Errors
    /// [`Error::NotFinite`], [`Error::OutOfDomain`], [`Error::Empty`], [`Error::DuplicateName`] for settings outside the domains
    /// that [`MarketSettings`] states, with the field; [`Error::OutOfDomain`] for an `effect` of a channel that never
    /// spends, and for shares that sum to 1 or more.
    pub fn new(settings: MarketSettings) -> Result<Self> {
        settings.check()?;
        let randomness = Randomness::new(settings.seed);
        let people: f64 = settings.groups.iter().map(|group| group.population).sum();
        let mean = people / count(settings.groups.len());
        let sizes: Vec<f64> = settings.groups.iter().map(|group| group.population / mean).collect();
        let spread = |purpose: Purpose, group: usize, channel: usize, spread: f64| {
            let z = randomness.normal(purpose, group, channel, 0);
            crate::elementary::exp(spread * z - 0.5 * spread * spread)
        };
        let levels = (0..sizes.len())
            .map(|g| settings.baseline.level * sizes[g] * spread(Purpose::Level, g, 0, settings.level_spread))
            .collect();
        let n = settings.channels.len();
        let differences = (0..sizes.len() * n)
            .map(|at| sizes[at / n] * spread(Purpose::Effect, at / n, at % n, settings.effect_spread))
            .collect();
        let kernels = kernels(&settings)?;
        let mut market = Self {
            saturation: ResponseCurves::hill(1.0, vec![1.0; n], vec![1.0; n])?,
            most: differences,
            scatter: Vec::new(),
            spend: Vec::new(),
            settings,
            randomness,
            sizes,
            levels,
            kernels,
        };
        market.saturation = market.saturation()?;
        market.settle()?;
        Ok(market)
    }

    /// A typical weekly market of marketing-mix modelling, drawn at random: [`MarketSettings::realistic`].
    ///
    /// # Errors
    /// [`Error::OutOfDomain`] unless there is a channel and a period.
    pub fn realistic(seed: u64, channels: usize, periods: usize) -> Result<Self> {
        Self::new(MarketSettings::realistic(seed, channels, periods))
    }

    /// What the market was made of.
    #[must_use]
    pub fn settings(&self) -> &MarketSettings {
        &self.settings
    }

    /// The spends of the history (money), `[group][period][channel]`.
    #[must_use]
    pub fn spend(&self) -> &[f64] {
        &self.spend
    }

    /// What an analyst would know: spends and outcomes, dates, promotions, controls, impressions, people.
    ///
    /// # Errors
    /// None that a market could cause; they are those of [`History::new`].
    pub fn history(&self) -> Result<History> {
        self.history_of(&self.simulate(&self.spend)?)
    }

    /// The history of a simulation of this market.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] for a simulation of another market.
    pub fn history_of(&self, simulation: &Simulation) -> Result<History> {
        let (settings, periods) = (&self.settings, simulation.periods);
        let channels = settings.channels.iter().map(|channel| &channel.name);
        let groups = settings.groups.iter().map(|group| &group.name);
        let mut history = History::panel(channels, groups, &simulation.spend, &simulation.outcome)?
            .starting(settings.start, settings.days_per_period)?;
        for (channel, units) in settings.channels.iter().zip(&simulation.exposures) {
            if let Some(units) = units.as_ref().filter(|units| units.iter().any(|&bought| bought > 0.0)) {
                history = history.with_exposures(&channel.name, units)?;
            }
        }
        let seasons = Seasons::new(settings, &self.randomness, periods)?;
        let every_group = |values: &[f64]| values.repeat(settings.groups.len());
        for (promotion, values) in settings.baseline.promotions.iter().zip(&seasons.promotions) {
            history = history.with_holiday(&promotion.name, &every_group(values))?;
        }
        for (control, values) in settings.baseline.controls.iter().zip(&seasons.controls) {
            history = history.with_control(&control.name, &every_group(values))?;
        }
        if settings.groups.len() > 1 {
            let people: Vec<f64> = settings.groups.iter().map(|group| group.population).collect();
            history = history.with_population(&people)?;
        }
        Ok(history)
    }

    /// Spends of the first `periods` periods as the spend processes would have them, `[group][period][channel]`: the history's,
    /// and what would follow if nobody intervened.
    ///
    /// # Errors
    /// [`Error::OutOfDomain`] unless `periods` is from 1 to 20,000.
    pub fn usual_spend(&self, periods: usize) -> Result<Vec<f64>> {
        self.check_periods(periods, "periods")?;
        let seasons = Seasons::new(&self.settings, &self.randomness, periods)?;
        Ok(self.flow(&self.usual_budgets(&seasons, periods), periods).spend)
    }

    pub(crate) fn check_periods(&self, periods: usize, field: &str) -> Result<()> {
        let cells = self.sizes.len() * self.kernels.len();
        let most = check::MOST_PERIODS.min(check::MOST_CELLS / cells);
        if (1..=most).contains(&periods) {
            return Ok(());
        }
        Err(Error::out_of_domain(field, format!("from 1 to {most} periods"), periods))
    }

    /// Hill curves whose half saturation is told over the media that the mean spend buys at the start.
    fn saturation(&self) -> Result<ResponseCurves> {
        let half: Vec<f64> = (0..self.kernels.len())
            .map(|i| {
                let channel = &self.settings.channels[i];
                let (bought, _) = self.buy(i, 1.0, 1.0, channel.spend.mean);
                // A channel without spend has any unit.
                channel.half_saturation * if bought > 0.0 { bought } else { 1.0 }
            })
            .collect();
        let slope: Vec<f64> = self.settings.channels.iter().map(|channel| channel.slope).collect();
        ResponseCurves::hill(1.0, half, slope)
    }

    /// Finds how much each channel brings at most, from how much it is to bring over the history, and the noise that follows.
    fn settle(&mut self) -> Result<()> {
        let (periods, n) = (self.settings.periods, self.kernels.len());
        let seasons = Seasons::new(&self.settings, &self.randomness, periods)?;
        let flow = self.flow(&self.usual_budgets(&seasons, periods), periods);
        let baseline = self.without_media(&seasons);
        // With a most of 1 per channel.
        let unit = totals(&self.contributions(&flow.reached, periods), n);
        let spent = totals(&flow.spend, n);
        let (mut known, mut shares) = (baseline.iter().sum::<f64>(), 0.0);
        for (i, channel) in self.settings.channels.iter().enumerate() {
            match channel.effect {
                MediaEffect::Share(share) => shares += share,
                MediaEffect::Roas(roas) => known += roas * spent[i],
                MediaEffect::Maximum(most) => known += most * unit[i],
            }
        }
        if !(shares < 1.0) {
            return Err(Error::out_of_domain(
                "channels",
                "such that their shares sum to less than 1",
                shares,
            ));
        }
        let factors = (0..n)
            .map(|i| {
                let wanted = match self.settings.channels[i].effect {
                    MediaEffect::Maximum(most) => return Ok(most),
                    MediaEffect::Share(share) => share * known / (1.0 - shares),
                    MediaEffect::Roas(roas) => roas * spent[i],
                };
                let asks = match self.settings.channels[i].effect {
                    MediaEffect::Share(value) | MediaEffect::Roas(value) | MediaEffect::Maximum(value) => {
                        value
                    }
                };
                if asks > 0.0 && !(unit[i] > 0.0) {
                    let expected = "a maximum, or 0, for a channel that brings nothing in the history";
                    return Err(Error::out_of_domain(format!("channels[{i}].effect"), expected, asks));
                }
                Ok(if asks > 0.0 { wanted / unit[i] } else { 0.0 })
            })
            .collect::<Result<Vec<f64>>>()?;
        self.most.iter_mut().enumerate().for_each(|(at, most)| *most *= factors[at % n]);
        let expected = self.expected(&flow.reached, &baseline, periods);
        let share = match self.settings.noise {
            MarketNoise::Gaussian { share } => share,
            MarketNoise::Count { .. } => 0.0,
        };
        let groups = expected.chunks(periods);
        self.scatter = groups.map(|group| share * group.iter().sum::<f64>() / count(periods)).collect();
        self.spend = flow.spend;
        Ok(())
    }
}

/// The adstocks' weights, over their sum.
fn kernels(settings: &MarketSettings) -> Result<Vec<Vec<f64>>> {
    let kernel = |(i, channel): (usize, &MarketChannel)| {
        let adstock = channel.adstock.clone().normalized(true);
        let mut kernels = adstock
            .kernels(1, check::MOST_LAGS)
            .map_err(|error| crate::curve::json::within(error, &format!("channels[{i}]")))?;
        let mut weights = kernels.swap_remove(0).weights;
        let largest = weights.iter().fold(0.0, |largest: f64, &weight| largest.max(weight));
        let last = weights.iter().rposition(|&weight| weight >= LEAST_WEIGHT * largest).unwrap_or(0);
        weights.truncate(last + 1);
        let sum: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|weight| *weight /= sum);
        Ok(weights)
    };
    settings.channels.iter().enumerate().map(kernel).collect()
}

/// Sums over rows of `n`.
pub(crate) fn totals(values: &[f64], n: usize) -> Vec<f64> {
    let mut sums = vec![0.0; n];
    for row in values.chunks(n) {
        sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    }
    sums
}

#[allow(clippy::cast_precision_loss, reason = "far below 2⁵³")]
pub(crate) fn count(n: usize) -> f64 {
    n as f64
}
