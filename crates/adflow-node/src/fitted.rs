//! A fitted model: the posterior as draws, and what follows from them.

use std::sync::Arc;

use adflow_core as core;
use napi::Env;
use napi::bindgen_prelude::{AsyncTask, Either, Float64Array, Object, Unknown};
use napi_derive::napi;

use crate::adstock::Adstock;
use crate::allocate::{Interrupt, Progress};
use crate::curves::{ResponseCurves, count};
use crate::forecast::{Decomposition, Forecast};
use crate::history::{HistoryRows, future, history};
use crate::input::parse;
use crate::job::Job;
use crate::model::{FitOptions, ResponseModel, text};
use crate::summary::Summary;
use crate::{Error, Result};

/// Share of the draws inside an interval where none is asked for.
const LEVEL: f64 = 0.9;

/// A response model with the posterior that a history left.
///
/// All chains' draws are kept; curves, contributions and forecasts use as many of them as one chain has, evenly spaced. `level`
/// is the share of the draws inside an interval, above 0 and below 1; default 0.9. Errors of all methods are `AdflowError`s.
#[napi]
pub struct FittedModel(Arc<core::FittedModel>);

impl From<core::FittedModel> for FittedModel {
    fn from(fitted: core::FittedModel) -> Self {
        Self(Arc::new(fitted))
    }
}

#[napi]
impl FittedModel {
    /// The channels' names.
    #[napi(getter)]
    pub fn channels(&self) -> Vec<String> {
        self.0.history().channels().to_vec()
    }

    /// The groups' names; one, `all`, for a single series.
    #[napi(getter)]
    pub fn groups(&self) -> Vec<String> {
        self.0.history().groups().to_vec()
    }

    /// Number of periods of the history.
    #[napi(getter)]
    pub fn periods(&self) -> u32 {
        count(self.0.history().periods())
    }

    /// Number of chains.
    #[napi(getter)]
    pub fn chains(&self) -> u32 {
        count(self.0.chains())
    }

    /// Draws per chain.
    #[napi(getter)]
    pub fn draws(&self) -> u32 {
        count(self.0.draws())
    }

    /// How the draws were taken; `reweighed` after a `refit`.
    #[napi(getter, ts_return_type = "'nuts' | 'laplace' | 'reweighed'")]
    pub fn how(&self) -> String {
        self.0.how().into()
    }

    /// Names of the parameters, the same in every language.
    #[napi(getter)]
    pub fn parameter_names(&self) -> Vec<String> {
        self.0.parameter_names().map(Into::into).collect()
    }

    /// ROAS of every channel in every used draw, `draw * channels + channel`: what its spends of the history brought within the
    /// history, over those spends (outcome per money).
    #[napi(getter)]
    pub fn roas_draws(&self) -> Float64Array {
        self.0.roas_draws().into()
    }

    /// Marginal ROAS of every channel in every used draw, `draw * channels + channel`: what the next unit of money per period brings
    /// in the long run, at the channel's mean spend per period.
    #[napi(getter)]
    pub fn marginal_roas_draws(&self) -> Result<Float64Array> {
        Ok(self.0.marginal_roas_draws()?.into())
    }

    /// Mean spend per period of every channel, over all groups (money).
    #[napi(getter)]
    pub fn mean_spend(&self) -> Float64Array {
        self.0.mean_spend().into()
    }

    /// All draws of a parameter, chain by chain, in the units of the history: half saturations in money per period, baseline and
    /// `sigma` in outcome per period.
    ///
    /// @throws AdflowError with code `unknown_name` for a name that is none.
    #[napi]
    pub fn parameter_draws(&self, name: String) -> Result<Float64Array> {
        if let Some(draws) = self.0.parameter_draws(&name) {
            return Ok(draws.into());
        }
        Err(core::Error::UnknownName { field: "name".into(), name }.into())
    }

    /// The model as it was stated.
    #[napi]
    pub fn model(&self) -> ResponseModel {
        ResponseModel(self.0.model().clone())
    }

    /// The history that was fitted.
    #[napi]
    pub fn history(&self) -> HistoryRows {
        self.0.history().into()
    }

    /// The channels' response curves, with draws, ready for `allocate`: outcome per period that a lasting spend per period brings.
    #[napi]
    pub fn curves(&self) -> Result<ResponseCurves> {
        Ok(ResponseCurves(self.0.curves()?))
    }

    /// The response curves of every channel in every group, named `channel · group`; a group in which a channel never spent is
    /// left out.
    #[napi]
    pub fn group_curves(&self) -> Result<ResponseCurves> {
        Ok(ResponseCurves(self.0.group_curves()?))
    }

    /// The channels' carry-over, mean over the used draws, ready for `schedule`.
    #[napi]
    pub fn adstock(&self) -> Result<Adstock> {
        Ok(Adstock(self.0.adstock()?))
    }

    /// Says what the fit found, with intervals: channels, parameters, fit, diagnostics, warnings in words; `text` is a table.
    ///
    /// @throws AdflowError with code `out_of_domain`.
    #[napi]
    pub fn summary(&self, level: Option<f64>) -> Result<Summary> {
        Ok(self.0.summary(level.unwrap_or(LEVEL))?.into())
    }

    /// `summary` off the event loop.
    #[napi(
        ts_args_type = "level?: number | undefined | null, signal?: AbortSignal",
        ts_return_type = "Promise<Summary>"
    )]
    pub fn summary_async(&self, level: Option<f64>, interrupt: &Interrupt) -> AsyncTask<Job<Summary>> {
        let (fitted, level) = (Arc::clone(&self.0), level.unwrap_or(LEVEL));
        Job::start(interrupt, None, move |_| fitted.summary(level), Summary::from)
    }

    /// Splits the outcome into baseline and channels. A channel's part in a period is what all of its spends up to then bring in it;
    /// the means add up to the fitted mean.
    ///
    /// @throws AdflowError with code `out_of_domain`.
    #[napi]
    pub fn decompose(&self, level: Option<f64>) -> Result<Decomposition> {
        Ok(self.0.decompose(level.unwrap_or(LEVEL))?.into())
    }

    /// `decompose` off the event loop.
    #[napi(
        ts_args_type = "level?: number | undefined | null, signal?: AbortSignal",
        ts_return_type = "Promise<Decomposition>"
    )]
    pub fn decompose_async(
        &self,
        level: Option<f64>,
        interrupt: &Interrupt,
    ) -> AsyncTask<Job<Decomposition>> {
        let (fitted, level) = (Arc::clone(&self.0), level.unwrap_or(LEVEL));
        Job::start(interrupt, None, move |_| fitted.decompose(level), Decomposition::from)
    }

    /// What the model expects of the history itself: its posterior-predictive distribution.
    ///
    /// @throws AdflowError with code `out_of_domain`.
    #[napi]
    pub fn fitted(&self, level: Option<f64>) -> Result<Forecast> {
        Ok(self.0.fitted(level.unwrap_or(LEVEL))?.into())
    }

    /// `fitted` off the event loop.
    #[napi(
        ts_args_type = "level?: number | undefined | null, signal?: AbortSignal",
        ts_return_type = "Promise<Forecast>"
    )]
    pub fn fitted_async(&self, level: Option<f64>, interrupt: &Interrupt) -> AsyncTask<Job<Forecast>> {
        let (fitted, level) = (Arc::clone(&self.0), level.unwrap_or(LEVEL));
        Job::start(interrupt, None, move |_| fitted.fitted(level), Forecast::from)
    }

    /// What the model expects of the periods after the history, given their spends, controls and holidays. Past spends carry over
    /// into them.
    ///
    /// @throws AdflowError where dates do not follow the history's, or channels, groups or columns differ.
    #[napi]
    pub fn predict(
        &self,
        #[napi(ts_arg_type = "Future")] future: Unknown<'_>,
        level: Option<f64>,
    ) -> Result<Forecast> {
        let future = self::future(future, self.0.history())?;
        Ok(self.0.predict(&future, level.unwrap_or(LEVEL)).map_err(Error::of_options)?.into())
    }

    /// `predict` off the event loop.
    #[napi(
        ts_args_type = "future: Future, level?: number | undefined | null, signal?: AbortSignal",
        ts_return_type = "Promise<Forecast>"
    )]
    pub fn predict_async(
        &self,
        future: Unknown<'_>,
        level: Option<f64>,
        interrupt: &Interrupt,
    ) -> Result<AsyncTask<Job<Forecast>>> {
        let (fitted, level) = (Arc::clone(&self.0), level.unwrap_or(LEVEL));
        let future = self::future(future, self.0.history())?;
        Ok(Job::start(interrupt, None, move |_| fitted.predict(&future, level), Forecast::from))
    }

    /// Takes in a history with rows added, starting from what is known: a fraction of the work of a new fit.
    ///
    /// The draws are weighed by how much better the new rows go with them; where too few of them do, the sampler runs again, from
    /// the last posterior's centre and spread.
    ///
    /// @throws AdflowError as `fit`, and where channels, groups or columns differ from the first fit's.
    #[napi]
    pub fn refit(
        &self,
        #[napi(ts_arg_type = "History")] history: Unknown<'_>,
        #[napi(ts_arg_type = "FitOptions | undefined | null")] options: Option<Unknown<'_>>,
    ) -> Result<Self> {
        let fitted = core::FittedModel::clone(&self.0).threads(FitOptions::threads(options)?);
        let history = self::history(history)?;
        Ok(fitted.refit(&history).map_err(Error::of_options)?.into())
    }

    /// `refit` off the event loop, as `fitAsync`.
    #[napi(
        ts_args_type = "history: History, options?: (FitOptions & { signal?: AbortSignal; progress?: (share: number) => void }) | null, signal?: AbortSignal",
        ts_return_type = "Promise<FittedModel>"
    )]
    pub fn refit_async(
        &self,
        history: Unknown<'_>,
        options: Option<Unknown<'_>>,
        interrupt: &Interrupt,
        progress: Option<Progress>,
    ) -> Result<AsyncTask<Job<FittedModel>>> {
        let threads = FitOptions::threads(options)?;
        let history = self::history(history)?;
        let fitted = Arc::clone(&self.0);
        Ok(Job::start(
            interrupt,
            progress,
            move |watch| core::FittedModel::clone(&fitted).threads(threads).refit_with(&history, watch),
            FittedModel::from,
        ))
    }

    /// Reads the versioned document that `toJSON` gives, or its text: the same in Rust, Python and on the command line.
    #[napi(factory, js_name = "fromJSON")]
    pub fn from_json(
        env: &Env,
        #[napi(ts_arg_type = "string | Record<string, unknown>")] document: Either<String, Object<'_>>,
    ) -> Result<Self> {
        Ok(core::FittedModel::from_json(&text(env, document)?)?.into())
    }

    /// Everything as a versioned document: read back, it gives the same bits. `JSON.stringify(fitted)` calls it.
    #[napi(js_name = "toJSON", ts_return_type = "Record<string, unknown>")]
    pub fn to_json<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        parse(env, self.0.to_json())
    }
}
