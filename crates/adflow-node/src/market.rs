//! A simulated market with a known truth.

use adflow_core as core;
use napi::Env;
use napi::bindgen_prelude::{Either, Either3, Float64Array, Function, Object, Unknown};
use napi_derive::napi;

use crate::adstock::Adstock;
use crate::curves::{ResponseCurves, count, point_rows};
use crate::history::HistoryRows;
use crate::input::{Numbers, index, numbers, parse};
use crate::market_answers::{Intervention, MarketTruth, Replay, Simulation, TrueEffect};
use crate::market_settings::market;
use crate::model::text;
use crate::{Error, Result};

/// Spends of a market by group, period and channel: one after the other, or a row of channels per group and period.
type Cells = Either3<Float64Array, Vec<f64>, Vec<Numbers>>;

/// A market of which everything is known: it gives a history to learn from, and says what would have happened.
///
/// ```text
/// bought[t]  = impressions that the budget buys (auction), or budget / price[t]
/// media[t]   = bought[t] · what learning leaves / size of the group
/// reached[t] = Hill( Σ_l w[l] media[t−l] )
/// expected   = baseline + Σ_i most_i · reached_i + synergy · Σ_{i<j} √(most_i most_j) reached_i reached_j
/// outcome    = expected with noise
/// ```
///
/// The same seed gives the same bits on any machine; two simulations share every random number that their spends do not change.
/// Spends (money) stand by group, period and channel, in one list or in rows of channels. Errors of all methods are
/// `AdflowError`s.
#[napi]
pub struct Market(core::Market);

#[napi]
impl Market {
    /// A market.
    ///
    /// @throws AdflowError for settings outside their domains, with the field.
    #[napi(constructor)]
    pub fn new(#[napi(ts_arg_type = "MarketSettings")] settings: Unknown<'_>) -> Result<Self> {
        Ok(Self(core::Market::new(market(settings)?).map_err(Error::of_options)?))
    }

    /// A typical weekly market of marketing-mix modelling, drawn at random.
    ///
    /// @throws AdflowError with code `out_of_domain` unless there is a channel and a period.
    #[napi(factory)]
    pub fn realistic(seed: f64, channels: f64, periods: f64) -> Result<Self> {
        let seed = index("seed", seed)? as u64;
        let market = core::Market::realistic(seed, index("channels", channels)?, index("periods", periods)?);
        Ok(Self(market.map_err(Error::of_options)?))
    }

    /// Reads the settings that `toJSON` gives, or their text: the same in Rust, Python and on the command line.
    #[napi(factory, js_name = "fromJSON")]
    pub fn from_json(
        env: &Env,
        #[napi(ts_arg_type = "string | Record<string, unknown>")] document: Either<String, Object<'_>>,
    ) -> Result<Self> {
        Ok(Self(core::Market::new(core::MarketSettings::from_json(&text(env, document)?)?)?))
    }

    /// What the market was made of, as a versioned document; `JSON.stringify(market)` calls it.
    #[napi(js_name = "toJSON", ts_return_type = "Record<string, unknown>")]
    pub fn to_json<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        parse(env, self.0.settings().to_json())
    }

    /// The channels' names.
    #[napi(getter)]
    pub fn channels(&self) -> Vec<String> {
        self.0.settings().channels.iter().map(|channel| channel.name.clone()).collect()
    }

    /// The groups' names.
    #[napi(getter)]
    pub fn groups(&self) -> Vec<String> {
        self.0.settings().groups.iter().map(|group| group.name.clone()).collect()
    }

    /// Number of periods of the history.
    #[napi(getter)]
    pub fn periods(&self) -> u32 {
        count(self.0.settings().periods)
    }

    /// The spends of the history (money) by group, period and channel.
    #[napi(getter)]
    pub fn spend(&self) -> Float64Array {
        self.0.spend().to_vec().into()
    }

    /// What an analyst would know: spends and outcomes, dates, promotions, controls, impressions, people. It is what `fit` takes.
    #[napi]
    pub fn history(&self) -> Result<HistoryRows> {
        Ok((&self.0.history()?).into())
    }

    /// The truth behind the history: what a model fitted on it should find.
    #[napi]
    pub fn truth(&self) -> Result<MarketTruth> {
        Ok(self.0.truth()?.into())
    }

    /// Steady-state curves of the whole market at the prices of a period; default the last of the history.
    ///
    /// @throws AdflowError with code `out_of_domain`.
    #[napi]
    pub fn curves(&self, period: Option<f64>) -> Result<ResponseCurves> {
        let last = self.0.settings().periods - 1;
        let period = period.map_or(Ok(last), |period| index("period", period))?;
        Ok(ResponseCurves(self.0.curves(period)?))
    }

    /// The channels' carry-over; the weights of each sum to 1.
    #[napi]
    pub fn adstock(&self) -> Adstock {
        Adstock(self.0.adstock())
    }

    /// Spends of the first `periods` periods as the channels would have them: the history's, and what would follow if nobody
    /// intervened.
    ///
    /// @throws AdflowError with code `out_of_domain`.
    #[napi]
    pub fn usual_spend(&self, periods: f64) -> Result<Float64Array> {
        Ok(self.0.usual_spend(index("periods", periods)?)?.into())
    }

    /// What these budgets bring, from the first period of the history on, for as many periods as they have.
    ///
    /// @throws AdflowError with code `length_mismatch`, `not_finite` or `out_of_domain`.
    #[napi]
    pub fn simulate(
        &self,
        #[napi(ts_arg_type = "Numbers | Array<Numbers>")] spend: Cells,
    ) -> Result<Simulation> {
        Ok(self.0.simulate(&point_rows(spend).concat())?.into())
    }

    /// What these budgets bring after the history: a simulation of the history and the periods that `spend` names.
    ///
    /// @throws AdflowError as `simulate`.
    #[napi]
    pub fn simulate_after(
        &self,
        #[napi(ts_arg_type = "Numbers | Array<Numbers>")] spend: Cells,
    ) -> Result<Simulation> {
        Ok(self.0.simulate_after(&point_rows(spend).concat())?.into())
    }

    /// The true effect of changes of budgets in the history, all at once and in this order.
    ///
    /// @throws AdflowError for a channel, group or window outside the history, and for budgets that are none.
    #[napi]
    pub fn effect(
        &self,
        #[napi(ts_arg_type = "Intervention | Array<Intervention>")] interventions: Unknown<'_>,
    ) -> Result<TrueEffect> {
        let read = |(at, one): (usize, Intervention)| one.read(at, self.0.settings());
        let interventions = Intervention::list(interventions)?.into_iter().enumerate().map(read);
        let effect = self.0.effect(&interventions.collect::<Result<Vec<_>>>()?);
        Ok(effect.map_err(Error::of_options)?.into())
    }

    /// Replays a policy for so many periods after the history. Before each period it sees the history up to then, what it did itself
    /// included, and names the budgets of the next period by group and channel (money).
    ///
    /// @throws what the policy throws; AdflowError for budgets that are none.
    #[napi]
    pub fn replay(
        &self,
        periods: f64,
        #[napi(ts_arg_type = "(history: HistoryRows) => Numbers")] policy: Function<'_, HistoryRows, Numbers>,
    ) -> napi::Result<Replay> {
        let mut thrown = None;
        let replay = self.0.replay(index("periods", periods)?, |history| {
            let budgets = policy.call(history.into()).map(|budgets| numbers(&budgets).to_vec());
            budgets.map_err(|error| {
                thrown = Some(error);
                core::Error::Interrupted
            })
        });
        match (replay, thrown) {
            (Ok(replay), _) => Ok(replay.into()),
            (Err(_), Some(error)) => Err(error),
            (Err(error), None) => Err(Error::of_options(error).into()),
        }
    }

    /// Regret of budgets against an oracle's, both for the same periods after the history: the expected outcome of these periods that
    /// the oracle's bring more.
    ///
    /// @throws AdflowError as `simulate`.
    #[napi]
    pub fn regret(
        &self,
        #[napi(ts_arg_type = "Numbers | Array<Numbers>")] spend: Cells,
        #[napi(ts_arg_type = "Numbers | Array<Numbers>")] oracle: Cells,
    ) -> Result<f64> {
        Ok(self.0.regret(&point_rows(spend).concat(), &point_rows(oracle).concat())?)
    }
}
