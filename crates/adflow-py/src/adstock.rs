//! How spends work on in later periods.

use adflow_core as core;
use numpy::PyArray1;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use crate::arguments::{OneOrEach, at_least_one, one_or_each, rows};
use crate::error::Result;

/// How much of a period's spend still works l periods later.
///
/// ```text
/// a[t] = Σ_l w[l] x[t − l]      l = 0, 1, …, max_lag − 1
/// ```
///
/// | constructor | w[l] |
/// | --- | --- |
/// | `geometric` | r^l; without `max_lag` endless |
/// | `delayed` | r^((l − peak)²) |
/// | `weibull_cdf` | ∏_{t=1..l} exp(−(t/scale)^shape) |
/// | `weibull_pdf` | the Weibull density at l + 1, moved and stretched to run from 0 to 1 |
/// | `binomial` | (1 − l/max_lag)^(1/r − 1) |
/// | `kernel` | the weights as given |
/// | `none` | 1, and no carry-over |
///
/// r is `retention`; l and t count periods. Every parameter is a number or (n,), one per arm. `normalize` divides the
/// weights by their sum.
///
/// Examples
/// --------
/// >>> import adflow
/// >>> adstock = adflow.Adstock.geometric([0.5, 0.0], max_lag=3)
/// >>> adstock
/// Adstock.geometric([0.5, 0.0], max_lag=3)
/// >>> [weights.tolist() for weights in adstock.weights(arms=2, periods=8)]
/// [[1.0, 0.5, 0.25], [1.0, 0.0, 0.0]]
#[pyclass(frozen, eq, module = "adflow")]
#[derive(PartialEq)]
pub(crate) struct Adstock {
    pub(crate) core: core::Adstock,
    kind: &'static str,
    parameters: Parameters,
    max_lag: Option<usize>,
    normalize: bool,
}

/// What a constructor was given besides `max_lag` and `normalize`.
#[derive(PartialEq)]
enum Parameters {
    Each(Vec<OneOrEach>),
    Rows(Vec<Vec<f64>>),
}

impl Adstock {
    /// The adstock, if its parameters are in their domains.
    fn checked(
        kind: &'static str,
        adstock: core::Adstock,
        parameters: Parameters,
        max_lag: Option<usize>,
        normalize: bool,
    ) -> Result<Self> {
        let core = adstock.normalized(normalize);
        let arms = match &parameters {
            Parameters::Rows(rows) => rows.len(),
            Parameters::Each(parameters) => {
                let lengths = parameters.iter().map(|parameter| match parameter {
                    OneOrEach::One(_) => 1,
                    OneOrEach::Each(values) => values.len(),
                });
                lengths.max().unwrap_or(1)
            }
        };
        core.weights(arms.max(1), 1)?;
        Ok(Self { core, kind, parameters, max_lag, normalize })
    }
}

impl Adstock {
    /// Weights that were worked out elsewhere.
    pub(crate) fn of_weights(rows: Vec<Vec<f64>>) -> Result<Self> {
        let adstock = core::Adstock::kernel(rows.clone());
        Self::checked("kernel", adstock, Parameters::Rows(rows), None, false)
    }
}

fn parameter(name: &str, value: &Bound<'_, PyAny>) -> Result<OneOrEach> {
    one_or_each(name, value, "arm", None)
}

#[pymethods]
impl Adstock {
    /// No carry-over: a period's spend works in that period alone.
    #[staticmethod]
    fn none() -> Result<Self> {
        Self::checked("none", core::Adstock::none(), Parameters::Each(Vec::new()), None, false)
    }

    /// r^l: `retention` is the share that is left after one period, 0 to 1.
    ///
    /// Parameters
    /// ----------
    /// retention : float or (n,) array-like
    ///     0 to 1; below 1 where an endless kernel is normalised.
    /// max_lag : int, optional
    ///     Number of weights; None: the kernel has no end.
    /// normalize : bool
    ///     Whether the weights are divided by their sum.
    #[staticmethod]
    #[pyo3(signature = (retention, max_lag=None, normalize=false))]
    fn geometric(retention: &Bound<'_, PyAny>, max_lag: Option<i64>, normalize: bool) -> Result<Self> {
        let retention = parameter("retention", retention)?;
        let max_lag = max_lag.map(|lags| at_least_one("max_lag", lags)).transpose()?;
        let adstock = core::Adstock::geometric(retention.clone(), max_lag, false);
        Self::checked("geometric", adstock, Parameters::Each(vec![retention]), max_lag, normalize)
    }

    /// r^((l − peak)²): strongest `peak` periods after the spend.
    ///
    /// Parameters
    /// ----------
    /// retention : float or (n,) array-like
    ///     r, 0 to 1.
    /// peak : float or (n,) array-like
    ///     Periods from the spend to its strongest effect, 0 to 1e6.
    /// max_lag : int
    ///     Number of weights.
    /// normalize : bool
    ///     Whether the weights are divided by their sum.
    #[staticmethod]
    #[pyo3(signature = (retention, peak, max_lag, normalize=false))]
    fn delayed(
        retention: &Bound<'_, PyAny>,
        peak: &Bound<'_, PyAny>,
        max_lag: i64,
        normalize: bool,
    ) -> Result<Self> {
        let (retention, peak) = (parameter("retention", retention)?, parameter("peak", peak)?);
        let lags = at_least_one("max_lag", max_lag)?;
        let adstock = core::Adstock::delayed(retention.clone(), peak.clone(), lags, false);
        Self::checked("delayed", adstock, Parameters::Each(vec![retention, peak]), Some(lags), normalize)
    }

    /// ∏_{t=1..l} exp(−(t/scale)^shape): Robyn's and PyMC-Marketing's Weibull CDF.
    ///
    /// Parameters
    /// ----------
    /// shape : float or (n,) array-like
    ///     0.001 to 100.
    /// scale : float or (n,) array-like
    ///     In periods, 1e-6 to 1e6.
    /// max_lag : int
    ///     Number of weights.
    /// normalize : bool
    ///     Whether the weights are divided by their sum.
    #[staticmethod]
    #[pyo3(signature = (shape, scale, max_lag, normalize=false))]
    fn weibull_cdf(
        shape: &Bound<'_, PyAny>,
        scale: &Bound<'_, PyAny>,
        max_lag: i64,
        normalize: bool,
    ) -> Result<Self> {
        let (shape, scale) = (parameter("shape", shape)?, parameter("scale", scale)?);
        let lags = at_least_one("max_lag", max_lag)?;
        let adstock = core::Adstock::weibull_cdf(shape.clone(), scale.clone(), lags);
        Self::checked("weibull_cdf", adstock, Parameters::Each(vec![shape, scale]), Some(lags), normalize)
    }

    /// The Weibull density at l + 1, moved and stretched to run from 0 to 1.
    ///
    /// Parameters
    /// ----------
    /// shape : float or (n,) array-like
    ///     0.001 to 100.
    /// scale : float or (n,) array-like
    ///     In periods, 1e-6 to 1e6.
    /// max_lag : int
    ///     Number of weights.
    /// normalize : bool
    ///     Whether the weights are divided by their sum.
    #[staticmethod]
    #[pyo3(signature = (shape, scale, max_lag, normalize=false))]
    fn weibull_pdf(
        shape: &Bound<'_, PyAny>,
        scale: &Bound<'_, PyAny>,
        max_lag: i64,
        normalize: bool,
    ) -> Result<Self> {
        let (shape, scale) = (parameter("shape", shape)?, parameter("scale", scale)?);
        let lags = at_least_one("max_lag", max_lag)?;
        let adstock = core::Adstock::weibull_pdf(shape.clone(), scale.clone(), lags);
        Self::checked("weibull_pdf", adstock, Parameters::Each(vec![shape, scale]), Some(lags), normalize)
    }

    /// (1 − l/max_lag)^(1/r − 1): Meridian's binomial decay.
    ///
    /// Parameters
    /// ----------
    /// retention : float or (n,) array-like
    ///     r, 0 to 1.
    /// max_lag : int
    ///     Number of weights.
    /// normalize : bool
    ///     Whether the weights are divided by their sum.
    #[staticmethod]
    #[pyo3(signature = (retention, max_lag, normalize=false))]
    fn binomial(retention: &Bound<'_, PyAny>, max_lag: i64, normalize: bool) -> Result<Self> {
        let retention = parameter("retention", retention)?;
        let lags = at_least_one("max_lag", max_lag)?;
        let adstock = core::Adstock::binomial(retention.clone(), lags);
        Self::checked("binomial", adstock, Parameters::Each(vec![retention]), Some(lags), normalize)
    }

    /// The weights themselves, from lag 0 on.
    ///
    /// Parameters
    /// ----------
    /// weights : (lags,) or (n, lags) array-like, or n lists
    ///     0 to 1e60; one row for all arms, or one per arm.
    /// normalize : bool
    ///     Whether the weights are divided by their sum.
    #[staticmethod]
    #[pyo3(signature = (weights, normalize=false))]
    fn kernel(weights: &Bound<'_, PyAny>, normalize: bool) -> Result<Self> {
        let weights = rows("weights", weights)?;
        let adstock = core::Adstock::kernel(weights.clone());
        Self::checked("kernel", adstock, Parameters::Rows(weights), None, normalize)
    }

    /// The weights of every arm.
    ///
    /// Parameters
    /// ----------
    /// arms : int
    ///     Number of arms.
    /// periods : int
    ///     How many weights of an endless kernel are told.
    ///
    /// Returns
    /// -------
    /// list of (lags,) arrays
    fn weights<'py>(
        &self,
        py: Python<'py>,
        arms: i64,
        periods: i64,
    ) -> Result<Vec<Bound<'py, PyArray1<f64>>>> {
        let weights = self.core.weights(at_least_one("arms", arms)?, at_least_one("periods", periods)?)?;
        Ok(weights.iter().map(|weights| PyArray1::from_slice(py, weights)).collect())
    }

    /// "geometric", "delayed", "weibull_cdf", "weibull_pdf", "binomial", "kernel" or "none".
    #[getter]
    fn kind(&self) -> &'static str {
        self.kind
    }

    /// Number of weights; None for an endless kernel, and for weights that were given.
    #[getter]
    fn max_lag(&self) -> Option<usize> {
        self.max_lag
    }

    /// Whether the weights are divided by their sum.
    #[getter]
    fn normalize(&self) -> bool {
        self.normalize
    }

    fn __repr__(&self) -> String {
        let mut shown: Vec<String> = match &self.parameters {
            Parameters::Rows(rows) => vec![format!("{rows:?}")],
            Parameters::Each(parameters) => {
                let shown = parameters.iter().map(|parameter| match parameter {
                    OneOrEach::One(number) => format!("{number:?}"),
                    OneOrEach::Each(numbers) => format!("{numbers:?}"),
                });
                shown.collect()
            }
        };
        shown.extend(self.max_lag.map(|lags| format!("max_lag={lags}")));
        shown.extend(self.normalize.then(|| "normalize=True".into()));
        format!("Adstock.{}({})", self.kind, shown.join(", "))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let mut arguments: Vec<Bound<'py, PyAny>> = Vec::new();
        match &self.parameters {
            Parameters::Rows(rows) => arguments.push(PyList::new(py, rows)?.into_any()),
            Parameters::Each(parameters) => {
                for parameter in parameters {
                    arguments.push(match parameter {
                        OneOrEach::One(number) => number.into_pyobject(py)?.into_any(),
                        OneOrEach::Each(numbers) => PyList::new(py, numbers)?.into_any(),
                    });
                }
            }
        }
        if !matches!(self.kind, "kernel" | "none") {
            arguments.push(self.max_lag.into_pyobject(py)?.into_any());
        }
        if self.kind != "none" {
            arguments.push(self.normalize.into_pyobject(py)?.to_owned().into_any());
        }
        Ok((py.get_type::<Self>().getattr(self.kind)?, PyTuple::new(py, arguments)?))
    }
}
