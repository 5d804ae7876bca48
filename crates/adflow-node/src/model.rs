//! A response model: settings that a history is fitted with.

use adflow_core as core;
use indexmap::IndexMap;
use napi::Env;
use napi::bindgen_prelude::{AsyncTask, ClassInstance, Either, Object, Unknown};
use napi_derive::napi;

use crate::allocate::{Interrupt, Progress, Watch};
use crate::fitted::FittedModel;
use crate::forecast::{Comparison, Holdout};
use crate::history::history;
use crate::input::{Options, index, malformed, parse, read, stringify};
use crate::job::Job;
use crate::model_settings::model;
use crate::options::all_threads;
use crate::{Error, Result};

/// How a fit runs.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct FitOptions {
    /// Number of threads; default all. The answer does not depend on it.
    pub threads: Option<f64>,
}

impl Options for FitOptions {
    const KEYS: &'static [&'static str] = &["threads"];
}

impl FitOptions {
    pub(crate) fn threads(given: Option<Unknown<'_>>) -> Result<usize> {
        let given: Self = given.map(read).transpose()?.unwrap_or_default();
        given.threads.map_or_else(|| Ok(all_threads()), |threads| index("threads", threads))
    }
}

/// A model of an outcome by channels, time and other causes, and how to fit it.
///
/// ```text
/// outcome_t = baseline_t + Σ_i contribution_it + noise_t
/// contribution_it = β_i m_i(a_it),     a_i = w_i ∗ x_i   (carry-over, then saturation)
/// baseline_t = intercept + trend + yearly season + weekdays + holidays + controls
/// ```
///
/// x is spend, or exposures where the history has them. Media effects are positive. For counts (`negative_binomial`) the baseline
/// is the exponential of the sum. In a history of several groups each has an intercept of its own and, per channel, an effect
/// around the common one; how far groups differ is learned.
///
/// A model does not change. Errors of all methods are `AdflowError`s.
#[napi]
pub struct ResponseModel(pub(crate) core::ResponseModel);

#[napi]
impl ResponseModel {
    /// A model; what is not said takes its default.
    ///
    /// @throws AdflowError with code `malformed` or `not_finite` for a setting that is none. Most numbers are checked by `fit`.
    #[napi(constructor)]
    pub fn new(
        #[napi(ts_arg_type = "ResponseModelSettings | undefined | null")] settings: Option<Unknown<'_>>,
    ) -> Result<Self> {
        Ok(Self(settings.map(model).transpose()?.unwrap_or_default()))
    }

    /// Fits the model to a history.
    ///
    /// It runs on the event loop, for a second or more: a server wants `fitAsync`.
    ///
    /// @throws AdflowError for settings and histories that cannot be fitted, with the field; with code `unfittable` where no draw
    /// could be taken.
    #[napi]
    pub fn fit(
        &self,
        #[napi(ts_arg_type = "History")] history: Unknown<'_>,
        #[napi(ts_arg_type = "FitOptions | undefined | null")] options: Option<Unknown<'_>>,
    ) -> Result<FittedModel> {
        let model = self.0.clone().threads(FitOptions::threads(options)?);
        let history = self::history(history)?;
        Ok(model.fit(&history).map_err(Error::of_options)?.into())
    }

    /// `fit` off the event loop, on the libuv pool. `progress` hears now and then which share is done, from 0 to 1. The promise is
    /// rejected as that of `allocateAsync` is.
    #[napi(
        ts_args_type = "history: History, options?: (FitOptions & { signal?: AbortSignal; progress?: (share: number) => void }) | null, signal?: AbortSignal",
        ts_return_type = "Promise<FittedModel>"
    )]
    pub fn fit_async(
        &self,
        history: Unknown<'_>,
        options: Option<Unknown<'_>>,
        interrupt: &Interrupt,
        progress: Option<Progress>,
    ) -> Result<AsyncTask<Job<FittedModel>>> {
        let model = self.0.clone().threads(FitOptions::threads(options)?);
        let history = self::history(history)?;
        Ok(Job::start(interrupt, progress, move |watch| model.fit_with(&history, watch), FittedModel::from))
    }

    /// Fits all but the last `periods` periods and forecasts those, given their spends, controls and holidays.
    ///
    /// @throws AdflowError as `fit`; with code `out_of_domain` where too little is left to fit.
    #[napi]
    pub fn holdout(
        &self,
        #[napi(ts_arg_type = "History")] history: Unknown<'_>,
        periods: f64,
        #[napi(ts_arg_type = "FitOptions | undefined | null")] options: Option<Unknown<'_>>,
    ) -> Result<Holdout> {
        let model = self.0.clone().threads(FitOptions::threads(options)?);
        let (history, periods) = (self::history(history)?, index("periods", periods)?);
        Ok(model.holdout(&history, periods).map_err(Error::of_options)?.into())
    }

    /// `holdout` off the event loop, as `fitAsync`.
    #[napi(
        ts_args_type = "history: History, periods: number, options?: (FitOptions & { signal?: AbortSignal; progress?: (share: number) => void }) | null, signal?: AbortSignal",
        ts_return_type = "Promise<Holdout>"
    )]
    pub fn holdout_async(
        &self,
        history: Unknown<'_>,
        periods: f64,
        options: Option<Unknown<'_>>,
        interrupt: &Interrupt,
        progress: Option<Progress>,
    ) -> Result<AsyncTask<Job<Holdout>>> {
        let model = self.0.clone().threads(FitOptions::threads(options)?);
        let (history, periods) = (self::history(history)?, index("periods", periods)?);
        Ok(Job::start(
            interrupt,
            progress,
            move |watch| model.holdout_with(&history, periods, watch),
            Holdout::from,
        ))
    }

    /// Compares models, given by name, by the same holdout: the one with the smallest CRPS first.
    ///
    /// @throws AdflowError as `holdout`; with code `empty` without models.
    #[napi]
    pub fn compare(
        #[napi(ts_arg_type = "Record<string, ResponseModel>")] models: IndexMap<
            String,
            ClassInstance<'_, ResponseModel>,
        >,
        #[napi(ts_arg_type = "History")] history: Unknown<'_>,
        periods: f64,
        #[napi(ts_arg_type = "FitOptions | undefined | null")] options: Option<Unknown<'_>>,
    ) -> Result<Vec<Comparison>> {
        let models = named(models, FitOptions::threads(options)?);
        let (history, periods) = (self::history(history)?, index("periods", periods)?);
        let compared = compared(&models, &history, periods, &Watch::new(None)).map_err(Error::of_options)?;
        Ok(told(compared))
    }

    /// Reads the settings that `toJSON` gives, or their text: the same in Rust, Python and on the command line.
    #[napi(factory, js_name = "fromJSON")]
    pub fn from_json(
        env: &Env,
        #[napi(ts_arg_type = "string | Record<string, unknown>")] document: Either<String, Object<'_>>,
    ) -> Result<Self> {
        Ok(Self(core::ResponseModel::from_json(&text(env, document)?)?))
    }

    /// The settings as a document; `JSON.stringify(model)` calls it.
    #[napi(js_name = "toJSON", ts_return_type = "Record<string, unknown>")]
    pub fn to_json<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        parse(env, self.0.to_json())
    }
}

/// `ResponseModel.compare` off the event loop, until `interrupt` stops it. A static method could not be replaced in JavaScript.
#[napi(ts_return_type = "Promise<Array<Comparison>>")]
pub fn compare_task(
    #[napi(ts_arg_type = "Record<string, ResponseModel>")] models: IndexMap<
        String,
        ClassInstance<'_, ResponseModel>,
    >,
    #[napi(ts_arg_type = "History")] history: Unknown<'_>,
    periods: f64,
    #[napi(ts_arg_type = "FitOptions | undefined | null")] options: Option<Unknown<'_>>,
    interrupt: &Interrupt,
    #[napi(ts_arg_type = "((share: number) => void) | undefined | null")] progress: Option<Progress>,
) -> Result<AsyncTask<Job<Vec<Comparison>>>> {
    let models = named(models, FitOptions::threads(options)?);
    let (history, periods) = (self::history(history)?, index("periods", periods)?);
    Ok(Job::start(interrupt, progress, move |watch| compared(&models, &history, periods, watch), told))
}

/// A document, or its text, as text.
pub(crate) fn text(env: &Env, document: Either<String, Object<'_>>) -> Result<String> {
    match document {
        Either::A(text) => Ok(text),
        Either::B(document) => Ok(stringify(env, document).map_err(malformed)?),
    }
}

type Named = Vec<(String, core::ResponseModel)>;

fn named(models: IndexMap<String, ClassInstance<'_, ResponseModel>>, threads: usize) -> Named {
    let named =
        |(name, model): (String, ClassInstance<'_, ResponseModel>)| (name, model.0.clone().threads(threads));
    models.into_iter().map(named).collect()
}

fn compared(
    models: &Named,
    history: &core::History,
    periods: usize,
    watch: &Watch<'_>,
) -> core::Result<Vec<core::Comparison>> {
    let models: Vec<(&str, &core::ResponseModel)> =
        models.iter().map(|(name, model)| (name.as_str(), model)).collect();
    core::ResponseModel::compare(&models, history, periods, watch)
}

fn told(compared: Vec<core::Comparison>) -> Vec<Comparison> {
    compared.into_iter().map(Comparison::from).collect()
}
