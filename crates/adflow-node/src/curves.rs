//! Response curves: what a spend brings.

use adflow_core as core;
use napi::Env;
use napi::bindgen_prelude::{ClassInstance, Either, Either3, Float64Array, Object, Unknown};
use napi_derive::napi;

use crate::Result;
use crate::families::*;
use crate::input::{Numbers, Parameters, malformed, numbers, parameter, parse, read, stringify};
use crate::readers::{LightweightMmmModel, MeridianModel, PymcMarketingModel, RobynModel};

/// The response curves of a number of arms, of any mix of families, with or without posterior draws.
///
/// ```text
/// response(x) = valuePerResponse · [ F(x / costPerUnit + offset) − F(offset) ]
/// ```
///
/// x is spend (money), F the family's formula. A curve with draws is the mean of its draws. Every constructor takes
/// one object of parameters, each a number, one per arm, or draws × arms; sets of one family are joined by `concat`.
/// A set does not change: the `with…` methods return another one.
///
/// Errors of all methods are `AdflowError`s with code `not_finite`, `out_of_domain`, `length_mismatch`, `empty`,
/// `duplicate_name` or `malformed`.
#[napi]
pub struct ResponseCurves(pub(crate) core::ResponseCurves);

#[napi]
impl ResponseCurves {
    /// β x: response grows in proportion.
    #[napi(factory)]
    pub fn linear(#[napi(ts_arg_type = "LinearParameters")] parameters: Unknown<'_>) -> Result<Self> {
        let given: LinearParameters = read(parameters)?;
        Ok(Self(core::ResponseCurves::linear(parameter("beta", given.beta)?)?))
    }

    /// β ln(1 + x/k): k is `scale` (money).
    #[napi(factory)]
    pub fn logarithmic(
        #[napi(ts_arg_type = "LogarithmicParameters")] parameters: Unknown<'_>,
    ) -> Result<Self> {
        let given: LogarithmicParameters = read(parameters)?;
        Ok(Self(core::ResponseCurves::logarithmic(
            parameter("beta", given.beta)?,
            parameter("scale", given.scale)?,
        )?))
    }

    /// β xᵖ with 0 < p ≤ 1: p is `exponent`.
    #[napi(factory)]
    pub fn power(#[napi(ts_arg_type = "PowerParameters")] parameters: Unknown<'_>) -> Result<Self> {
        let given: PowerParameters = read(parameters)?;
        Ok(Self(core::ResponseCurves::power(
            parameter("beta", given.beta)?,
            parameter("exponent", given.exponent)?,
        )?))
    }

    /// β (1 − e^{−x/k}): k is `scale` (money).
    #[napi(factory)]
    pub fn exponential(
        #[napi(ts_arg_type = "ExponentialParameters")] parameters: Unknown<'_>,
    ) -> Result<Self> {
        let given: ExponentialParameters = read(parameters)?;
        Ok(Self(core::ResponseCurves::exponential(
            parameter("beta", given.beta)?,
            parameter("scale", given.scale)?,
        )?))
    }

    /// β x/(k + x): k is `halfSaturation` (money).
    #[napi(factory)]
    pub fn michaelis_menten(
        #[napi(ts_arg_type = "MichaelisMentenParameters")] parameters: Unknown<'_>,
    ) -> Result<Self> {
        let given: MichaelisMentenParameters = read(parameters)?;
        Ok(Self(core::ResponseCurves::michaelis_menten(
            parameter("beta", given.beta)?,
            parameter("half_saturation", given.half_saturation)?,
        )?))
    }

    /// β xˢ/(kˢ + xˢ): k is `halfSaturation` (money), s is `slope`. Concave for s ≤ 1, S-shaped for s > 1.
    #[napi(factory)]
    pub fn hill(#[napi(ts_arg_type = "HillParameters")] parameters: Unknown<'_>) -> Result<Self> {
        let given: HillParameters = read(parameters)?;
        Ok(Self(core::ResponseCurves::hill(
            parameter("beta", given.beta)?,
            parameter("half_saturation", given.half_saturation)?,
            parameter("slope", given.slope)?,
        )?))
    }

    /// β (1 − e^{−λx})/(1 + e^{−λx}): λ is `lam` (per money).
    #[napi(factory)]
    pub fn logistic(#[napi(ts_arg_type = "LogisticParameters")] parameters: Unknown<'_>) -> Result<Self> {
        let given: LogisticParameters = read(parameters)?;
        Ok(Self(core::ResponseCurves::logistic(
            parameter("beta", given.beta)?,
            parameter("lam", given.lam)?,
        )?))
    }

    /// b tanh(x/(b c)): saturates at b, and 1/c is its slope at 0.
    #[napi(factory)]
    pub fn tanh(#[napi(ts_arg_type = "TanhParameters")] parameters: Unknown<'_>) -> Result<Self> {
        let given: TanhParameters = read(parameters)?;
        Ok(Self(core::ResponseCurves::tanh(parameter("b", given.b)?, parameter("c", given.c)?)?))
    }

    /// σ/(1 + e^{−β(x−λ)}) − σ/(1 + e^{βλ}): S-shaped with its inflection at λ (`lam`, money).
    #[napi(factory)]
    pub fn hill_sigmoid(
        #[napi(ts_arg_type = "HillSigmoidParameters")] parameters: Unknown<'_>,
    ) -> Result<Self> {
        let given: HillSigmoidParameters = read(parameters)?;
        Ok(Self(core::ResponseCurves::hill_sigmoid(
            parameter("sigma", given.sigma)?,
            parameter("beta", given.beta)?,
            parameter("lam", given.lam)?,
        )?))
    }

    /// Straight lines through given points, defined from the first spend to the last and nowhere else: these are the
    /// arm's bounds where none are stated.
    #[napi(factory)]
    pub fn tabulated(#[napi(ts_arg_type = "TabulatedParameters")] points: Unknown<'_>) -> Result<Self> {
        let given: TabulatedParameters = read(points)?;
        let rows = |rows: Vec<Points>| rows.iter().map(|row| numbers(row).to_vec()).collect::<Vec<_>>();
        let spend = point_rows(given.spend);
        Ok(Self(match given.response {
            Either::A(arms) => core::ResponseCurves::tabulated(&spend, &rows(arms))?,
            Either::B(draws) => {
                let draws: Vec<_> = draws.into_iter().map(rows).collect();
                core::ResponseCurves::tabulated_draws(&spend, &draws)?
            }
        }))
    }

    /// The arms of several sets, one after the other. Names stay where every set has them.
    #[napi(factory)]
    pub fn concat(
        #[napi(ts_arg_type = "Array<ResponseCurves>")] sets: Vec<ClassInstance<'_, ResponseCurves>>,
    ) -> Result<Self> {
        let sets: Vec<_> = sets.iter().map(|set| set.0.clone()).collect();
        Ok(Self(core::ResponseCurves::concat(&sets)?))
    }

    /// The curves that Robyn's allocator works on.
    ///
    /// ```text
    /// response(x) = coef · (x + carryover)^alpha / ((x + carryover)^alpha + inflexion^alpha)
    /// ```
    ///
    /// x is the spend of one period. The response includes what the carry-over alone would bring, as Robyn reports it.
    /// With `media` the inflexion and the carry-over are computed as Robyn does.
    #[napi(factory)]
    pub fn from_robyn(#[napi(ts_arg_type = "RobynModel")] model: Unknown<'_>) -> Result<Self> {
        Ok(Self(core::ResponseCurves::from_robyn(&read::<RobynModel>(model)?.try_into()?)?))
    }

    /// The incremental outcome of Meridian's media channels as their historical flighting is scaled: x is a channel's
    /// total spend over the history given.
    #[napi(factory)]
    pub fn from_meridian(#[napi(ts_arg_type = "MeridianModel")] model: Unknown<'_>) -> Result<Self> {
        Ok(Self(core::ResponseCurves::from_meridian(&read::<MeridianModel>(model)?.try_into()?)?))
    }

    /// The saturated, adstocked media of a constant spend per period, as in PyMC-Marketing's budget optimiser: x is
    /// the spend per period, the response that of the whole window.
    #[napi(factory)]
    pub fn from_pymc_marketing(
        #[napi(ts_arg_type = "PymcMarketingModel")] model: Unknown<'_>,
    ) -> Result<Self> {
        let model = read::<PymcMarketingModel>(model)?.try_into()?;
        Ok(Self(core::ResponseCurves::from_pymc_marketing(&model)?))
    }

    /// The response of LightweightMMM's channels: x is the total spend of a window of `numberTimePeriods` periods, split
    /// evenly.
    #[napi(factory)]
    pub fn from_lightweight_mmm(
        #[napi(ts_arg_type = "LightweightMmmModel")] model: Unknown<'_>,
    ) -> Result<Self> {
        let model = read::<LightweightMmmModel>(model)?.try_into()?;
        Ok(Self(core::ResponseCurves::from_lightweight_mmm(&model)?))
    }

    /// Reads the versioned document that `toJSON` gives, or its text: the same in Rust, Python and on the command line.
    #[napi(factory, js_name = "fromJSON")]
    pub fn from_json(
        env: &Env,
        #[napi(ts_arg_type = "string | Record<string, unknown>")] document: Either<String, Object<'_>>,
    ) -> Result<Self> {
        let text = match document {
            Either::A(text) => text,
            Either::B(document) => stringify(env, document).map_err(malformed)?,
        };
        Ok(Self(core::ResponseCurves::from_json(&text)?))
    }

    /// The curves as a versioned document, equal to the last bit when read back; `JSON.stringify(curves)` calls it.
    #[napi(js_name = "toJSON", ts_return_type = "Record<string, unknown>")]
    pub fn to_json<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        parse(env, self.0.to_json())
    }

    /// Number of arms.
    #[napi(getter)]
    pub fn length(&self) -> u32 {
        count(self.0.len())
    }

    /// The arms' names, where they have any.
    #[napi(getter)]
    pub fn names(&self) -> Option<Vec<String>> {
        self.0.names().map(<[String]>::to_vec)
    }

    /// Number of posterior draws: 1 where the curves are certain.
    #[napi(getter)]
    pub fn draws(&self) -> u32 {
        count(self.0.draws())
    }

    /// Where each curve stops being convex (spend, money): 0 for concave curves, NaN for tables.
    #[napi(getter)]
    pub fn inflection(&self) -> Float64Array {
        self.0.inflection().into()
    }

    /// Response of every arm at its spend (money): one row of `length` spends, or several.
    #[napi]
    pub fn response(&self, spend: Numbers) -> Result<Float64Array> {
        Ok(self.0.response(numbers(&spend))?.into())
    }

    /// Derivative of every arm's response at its spend (response per money); `Infinity` where the curve rises
    /// vertically.
    #[napi]
    pub fn marginal_response(&self, spend: Numbers) -> Result<Float64Array> {
        Ok(self.0.marginal_response(numbers(&spend))?.into())
    }

    /// The spend on the concave part of each curve at which its marginal response is the one given (response per
    /// money, above 0): 0 where the curve is never that steep, `Infinity` where it is steeper at any spend.
    #[napi]
    pub fn inverse_marginal_response(&self, marginal: Numbers) -> Result<Float64Array> {
        Ok(self.0.inverse_marginal_response(numbers(&marginal))?.into())
    }

    /// The arms from `start` up to, not including, `end`, counted from 0.
    #[napi]
    pub fn slice(&self, start: u32, end: u32) -> Result<Self> {
        Ok(Self(self.0.slice(start as usize..end as usize)?))
    }

    /// Names the arms.
    #[napi]
    pub fn with_names(&self, names: Vec<String>) -> Result<Self> {
        Ok(Self(self.0.clone().with_names(names)?))
    }

    /// Adds a carry-over that is there without spend: f(x) = F(x + c) − F(c), or F(x + c) where `keepResponse` is
    /// true. `offset` is in units (money where no cost per unit is set).
    #[napi]
    pub fn with_offset(&self, offset: Parameters, keep_response: Option<bool>) -> Result<Self> {
        let offset = parameter("offset", offset)?;
        Ok(Self(self.0.clone().with_offset(offset, keep_response.unwrap_or(false))?))
    }

    /// Puts a price of exposure between spend and response: F sees x / cost units. `cost` is money per unit.
    #[napi]
    pub fn with_cost_per_unit(&self, cost: Parameters) -> Result<Self> {
        Ok(Self(self.0.clone().with_cost_per_unit(parameter("cost_per_unit", cost)?)?))
    }

    /// Lets the price of a unit rise with the number of units: u units cost c uᵖ each on average, so that a spend x buys
    /// (x/c)^{1/(1+p)} of them; c is the cost per unit. `exponent` is p, from 0 to 10, one number or one per arm; 0 for an
    /// arm whose price stays, and for one with price tiers.
    #[napi]
    pub fn with_price_power(&self, exponent: Parameters) -> Result<Self> {
        Ok(Self(self.0.clone().with_price_power(parameter("price_power", exponent)?)?))
    }

    /// Lets the price of a unit rise in steps: the first price holds up to the first break (money), the next for what is
    /// spent beyond it, the last without end. One row of breaks and one of prices, which may not fall, for all arms, or
    /// one per arm; a price is money per unit where no cost per unit is set, and a factor on it where one is.
    #[napi]
    pub fn with_price_tiers(
        &self,
        #[napi(ts_arg_type = "Numbers | Array<Numbers>")] spend_breaks: Either3<
            Float64Array,
            Vec<f64>,
            Vec<Points>,
        >,
        #[napi(ts_arg_type = "Numbers | Array<Numbers>")] prices: Either3<
            Float64Array,
            Vec<f64>,
            Vec<Points>,
        >,
    ) -> Result<Self> {
        let (breaks, prices) = (point_rows(spend_breaks), point_rows(prices));
        Ok(Self(self.0.clone().with_price_tiers(&breaks, &prices)?))
    }

    /// Multiplies the response, for instance by the money one conversion is worth.
    #[napi]
    pub fn with_value_per_response(&self, value: Parameters) -> Result<Self> {
        Ok(Self(self.0.clone().with_value_per_response(parameter("value_per_response", value)?)?))
    }
}

/// One row of points, or several.
pub(crate) fn point_rows(rows: Either3<Float64Array, Vec<f64>, Vec<Points>>) -> Vec<Vec<f64>> {
    match rows {
        Either3::A(row) => vec![row.to_vec()],
        Either3::B(row) => vec![row],
        Either3::C(rows) => rows.iter().map(|row| numbers(row).to_vec()).collect(),
    }
}

#[allow(clippy::cast_possible_truncation, reason = "a set of 2^32 arms does not fit JavaScript's arrays")]
pub(crate) fn count(count: usize) -> u32 {
    count as u32
}
