//! Response curves.

use adflow_core::{self as core, LightweightMmm, Meridian, PymcMarketing, Robyn};
use numpy::{IntoPyArray, PyArray1, PyArrayDyn, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::arguments::{
    Given, Numbers, at_least_one, column, draws_of_rows, names, optional, parameter, rows, rows_of,
};
use crate::error::{Result, out_of_domain};
use crate::python;

mod view;

/// The response curves of n arms, of any mix of families, with or without posterior draws.
///
/// | constructor | response to a spend x | shape |
/// | --- | --- | --- |
/// | `linear` | β x | linear |
/// | `logarithmic` | β ln(1 + x/k) | concave |
/// | `power` | β xᵖ | concave |
/// | `exponential` | β (1 − e^{−x/k}) | concave |
/// | `michaelis_menten` | β x/(k + x) | concave |
/// | `hill` | β xˢ/(kˢ + xˢ) | concave for s ≤ 1, S-shaped for s > 1 |
/// | `logistic` | β (1 − e^{−λx})/(1 + e^{−λx}) | concave |
/// | `tanh` | b tanh(x/(b c)) | concave |
/// | `hill_sigmoid` | σ/(1 + e^{−β(x−λ)}) − σ/(1 + e^{βλ}) | S-shaped |
/// | `tabulated` | straight lines through given points | any nondecreasing |
///
/// Every parameter is a number, (n,), (draws, n), or (draws, terms, n) where a curve is a sum of terms. A curve with
/// draws is the mean of its draws. Objects do not change: every `with_…` returns a new one.
///
/// Examples
/// --------
/// >>> import adflow
/// >>> curves = adflow.ResponseCurves.concat([
/// ...     adflow.ResponseCurves.hill([120.0, 80.0], [5.0, 9.0], 2.0),
/// ...     adflow.ResponseCurves.michaelis_menten(60.0, 4.0),
/// ... ]).with_names(["search", "video", "social"])
/// >>> curves.response([5.0, 9.0, 4.0])
/// array([60., 40., 30.])
/// >>> curves["video"]
/// ResponseCurves(1 arm: video)
#[pyclass(frozen, eq, module = "adflow")]
#[derive(PartialEq)]
pub(crate) struct ResponseCurves(pub(crate) core::ResponseCurves);

type Floats<'py> = Bound<'py, PyArrayDyn<f64>>;

#[pymethods]
impl ResponseCurves {
    /// β x: response grows in proportion.
    #[staticmethod]
    fn linear(beta: &Bound<'_, PyAny>) -> Result<Self> {
        Ok(Self(core::ResponseCurves::linear(parameter("beta", beta)?)?))
    }

    /// β ln(1 + x/k): k is `scale` (money).
    #[staticmethod]
    fn logarithmic(beta: &Bound<'_, PyAny>, scale: &Bound<'_, PyAny>) -> Result<Self> {
        let (beta, scale) = (parameter("beta", beta)?, parameter("scale", scale)?);
        Ok(Self(core::ResponseCurves::logarithmic(beta, scale)?))
    }

    /// β xᵖ with 0 < p ≤ 1: p is `exponent`.
    #[staticmethod]
    fn power(beta: &Bound<'_, PyAny>, exponent: &Bound<'_, PyAny>) -> Result<Self> {
        let (beta, exponent) = (parameter("beta", beta)?, parameter("exponent", exponent)?);
        Ok(Self(core::ResponseCurves::power(beta, exponent)?))
    }

    /// β (1 − e^{−x/k}): k is `scale` (money).
    #[staticmethod]
    fn exponential(beta: &Bound<'_, PyAny>, scale: &Bound<'_, PyAny>) -> Result<Self> {
        let (beta, scale) = (parameter("beta", beta)?, parameter("scale", scale)?);
        Ok(Self(core::ResponseCurves::exponential(beta, scale)?))
    }

    /// β x/(k + x): k is `half_saturation` (money).
    #[staticmethod]
    fn michaelis_menten(beta: &Bound<'_, PyAny>, half_saturation: &Bound<'_, PyAny>) -> Result<Self> {
        let half_saturation = parameter("half_saturation", half_saturation)?;
        Ok(Self(core::ResponseCurves::michaelis_menten(parameter("beta", beta)?, half_saturation)?))
    }

    /// β xˢ/(kˢ + xˢ): k is `half_saturation` (money), s is `slope`.
    ///
    /// Concave for s ≤ 1; for s > 1 S-shaped with its inflection at k((s − 1)/(s + 1))^{1/s}.
    ///
    /// Parameters
    /// ----------
    /// beta : float or array-like
    ///     Response at saturation, 0 or from 1e-60 to 1e60.
    /// half_saturation : float or array-like
    ///     Spend that brings half of it, from 1e-60 to 1e60.
    /// slope : float or array-like
    ///     From 0.001 to 100.
    ///
    /// Raises
    /// ------
    /// InvalidInputError
    ///     A parameter outside its domain, or shapes that do not agree.
    #[staticmethod]
    fn hill(
        beta: &Bound<'_, PyAny>,
        half_saturation: &Bound<'_, PyAny>,
        slope: &Bound<'_, PyAny>,
    ) -> Result<Self> {
        let half_saturation = parameter("half_saturation", half_saturation)?;
        let (beta, slope) = (parameter("beta", beta)?, parameter("slope", slope)?);
        Ok(Self(core::ResponseCurves::hill(beta, half_saturation, slope)?))
    }

    /// β (1 − e^{−λx})/(1 + e^{−λx}): λ is `lam` (per money).
    #[staticmethod]
    fn logistic(beta: &Bound<'_, PyAny>, lam: &Bound<'_, PyAny>) -> Result<Self> {
        Ok(Self(core::ResponseCurves::logistic(parameter("beta", beta)?, parameter("lam", lam)?)?))
    }

    /// b tanh(x/(b c)): saturates at b, and 1/c is its slope at 0.
    #[staticmethod]
    fn tanh(b: &Bound<'_, PyAny>, c: &Bound<'_, PyAny>) -> Result<Self> {
        Ok(Self(core::ResponseCurves::tanh(parameter("b", b)?, parameter("c", c)?)?))
    }

    /// σ/(1 + e^{−β(x−λ)}) − σ/(1 + e^{βλ}): S-shaped with its inflection at λ (`lam`, money).
    #[staticmethod]
    fn hill_sigmoid(
        sigma: &Bound<'_, PyAny>,
        beta: &Bound<'_, PyAny>,
        lam: &Bound<'_, PyAny>,
    ) -> Result<Self> {
        let (sigma, beta) = (parameter("sigma", sigma)?, parameter("beta", beta)?);
        Ok(Self(core::ResponseCurves::hill_sigmoid(sigma, beta, parameter("lam", lam)?)?))
    }

    /// Straight lines through given points.
    ///
    /// The curve is defined from its first spend to its last and nowhere else: these are the arm's bounds where a
    /// problem states none.
    ///
    /// Parameters
    /// ----------
    /// spend : (points,) or (n, points) array-like, or n lists
    ///     Increasing, from at least 0; one row for all arms, or one per arm.
    /// response : (points,), (n, points) or (draws, n, points) array-like, or n lists
    ///     Nondecreasing; one row per arm.
    #[staticmethod]
    fn tabulated(spend: &Bound<'_, PyAny>, response: &Bound<'_, PyAny>) -> Result<Self> {
        let spend = rows("spend", spend)?;
        Ok(Self(match draws_of_rows("response", response)? {
            Some(draws) => core::ResponseCurves::tabulated_draws(&spend, &draws)?,
            None => core::ResponseCurves::tabulated(&spend, &rows("response", response)?)?,
        }))
    }

    /// The arms of several sets, one after the other; names stay where every set has them.
    #[staticmethod]
    fn concat(sets: &Bound<'_, PyAny>) -> Result<Self> {
        let sets = sets
            .try_iter()?
            .map(|set| Ok(set?.cast::<Self>()?.get().0.clone()))
            .collect::<PyResult<Vec<_>>>()?;
        Ok(Self(core::ResponseCurves::concat(&sets)?))
    }

    /// The curves of Robyn's budget allocator, from its own parameters.
    ///
    /// ```text
    /// response(x) = coef · (x + c)^alpha / ((x + c)^alpha + inflexion^alpha)
    /// ```
    ///
    /// x is the spend of one period and c the `carryover`; the response includes what the carry-over alone brings,
    /// as Robyn reports it. `inflexion` is `gamma · max_adstocked`: give either of the two. With `media` both
    /// `max_adstocked` and the carry-over are computed as Robyn does.
    ///
    /// Parameters
    /// ----------
    /// coef, alpha : array-like
    ///     Coefficient and Hill exponent.
    /// inflexion : array-like, optional
    ///     Half saturation (money).
    /// gamma, max_adstocked : array-like, optional
    ///     `inflexion / max_adstocked`, and the largest adstocked media of the window (money).
    /// carryover : array-like, optional
    ///     Mean carry-over in the window (money); 0, or from `media`.
    /// media : (times, n) array-like, optional
    ///     Spend of all periods.
    /// window : (int, int), optional
    ///     First modelled period and the one after the last, counted from 0; all by default.
    /// adstock : {"geometric", "weibull_cdf", "weibull_pdf"}, optional
    ///     Used with `media` only.
    /// theta : array-like, optional
    ///     Retention of the geometric adstock.
    /// shape, scale : array-like, optional
    ///     Of the Weibull adstock; `scale` is a share of `windlen`.
    /// windlen : int, optional
    ///     Length of the Weibull kernel; the number of periods by default.
    ///
    /// References
    /// ----------
    /// Robyn 3.11, `R/R/transformation.R` and `R/R/allocator.R`.
    #[staticmethod]
    #[pyo3(signature = (*, coef, alpha, inflexion=None, gamma=None, max_adstocked=None, carryover=None, media=None, window=None, adstock=None, theta=None, shape=None, scale=None, windlen=None))]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments")]
    fn from_robyn(
        coef: &Bound<'_, PyAny>,
        alpha: &Bound<'_, PyAny>,
        inflexion: Given<'_>,
        gamma: Given<'_>,
        max_adstocked: Given<'_>,
        carryover: Given<'_>,
        media: Given<'_>,
        window: Option<(i64, i64)>,
        adstock: Option<String>,
        theta: Given<'_>,
        shape: Given<'_>,
        scale: Given<'_>,
        windlen: Option<i64>,
    ) -> Result<Self> {
        let period =
            |at: i64| usize::try_from(at).map_err(|_| out_of_domain("window", "periods from 0 on", at));
        Ok(Self(core::ResponseCurves::from_robyn(&Robyn {
            coef: Some(parameter("coef", coef)?),
            alpha: Some(parameter("alpha", alpha)?),
            inflexion: optional("inflexion", &inflexion)?,
            gamma: optional("gamma", &gamma)?,
            max_adstocked: optional("max_adstocked", &max_adstocked)?,
            carryover: optional("carryover", &carryover)?,
            media: optional("media", &media)?,
            window: window
                .map(|(from, to)| Ok::<_, crate::error::Error>(period(from)?..period(to)?))
                .transpose()?,
            adstock,
            theta: optional("theta", &theta)?,
            shape: optional("shape", &shape)?,
            scale: optional("scale", &scale)?,
            windlen: windlen.map(|length| at_least_one("windlen", length)).transpose()?,
        })?))
    }

    /// The incremental outcome of Meridian's media channels, from its posterior.
    ///
    /// ```text
    /// k = x / spend
    /// response(x) = mean over draws of Σ_g Σ_t outcome_per_unit[g,t] · beta_gm[g] · Hill(Adstock(k · media_scaled))[g,t]
    /// ```
    ///
    /// Parameters
    /// ----------
    /// alpha_m, ec_m : (draws, n) array-like
    ///     Adstock retention and half saturation (scaled media).
    /// beta_gm : (draws, geos, n) array-like
    ///     Coefficients; (draws, n) where all geos share them.
    /// media_scaled : (geos, times, n) array-like
    ///     Media as the model sees them: per head, over the median; (times, n) for one geo.
    /// spend : (n,) array-like
    ///     Total spend that bought these media (money).
    /// slope_m : (draws, n) array-like, optional
    ///     Hill exponent, 1 by default.
    /// outcome_per_unit : (geos, times) array-like, optional
    ///     Outcome per unit of scaled KPI: revenue per KPI times the geo's KPI scale; (times,) where all geos share
    ///     them, or one number; 1 by default.
    /// max_lag : int
    ///     Longest carry-over.
    /// adstock : {"geometric", "binomial"}
    /// hill_before_adstock : bool
    ///
    /// References
    /// ----------
    /// Meridian, `meridian/model/adstock_hill.py` and `meridian/analysis/analyzer.py`.
    #[staticmethod]
    #[pyo3(signature = (*, alpha_m, ec_m, beta_gm, media_scaled, spend, slope_m=None, outcome_per_unit=None, max_lag=8, adstock="geometric", hill_before_adstock=false))]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments")]
    fn from_meridian(
        alpha_m: &Bound<'_, PyAny>,
        ec_m: &Bound<'_, PyAny>,
        beta_gm: &Bound<'_, PyAny>,
        media_scaled: &Bound<'_, PyAny>,
        spend: &Bound<'_, PyAny>,
        slope_m: Given<'_>,
        outcome_per_unit: Given<'_>,
        max_lag: i64,
        adstock: &str,
        hill_before_adstock: bool,
    ) -> Result<Self> {
        Ok(Self(core::ResponseCurves::from_meridian(&Meridian {
            alpha_m: Some(parameter("alpha_m", alpha_m)?),
            ec_m: Some(parameter("ec_m", ec_m)?),
            slope_m: optional("slope_m", &slope_m)?,
            beta_gm: Some(parameter("beta_gm", beta_gm)?),
            media_scaled: Some(parameter("media_scaled", media_scaled)?),
            spend: Some(parameter("spend", spend)?),
            outcome_per_unit: optional("outcome_per_unit", &outcome_per_unit)?,
            max_lag: usize::try_from(max_lag).map_err(|_| out_of_domain("max_lag", "at least 0", max_lag))?,
            adstock: adstock.into(),
            hill_before_adstock,
        })?))
    }

    /// The response of PyMC-Marketing's channels to a constant spend per period, from its posterior.
    ///
    /// ```text
    /// response(x) = target_scale · mean over draws of Σ_t saturation( adstock(x, …, x, 0, …, 0)[t] / channel_scale )
    /// ```
    ///
    /// x is the spend per period, the same in each of `num_periods` periods that start without carry-over, as in
    /// PyMC-Marketing's budget optimiser. Parameters bear the names they have in the posterior.
    ///
    /// Parameters
    /// ----------
    /// saturation : str
    ///     "logistic", "inverse_scaled_logistic" (lam, beta), "tanh" (b, c), "tanh_baselined" (x0, gain, r, beta),
    ///     "michaelis_menten" (alpha, lam), "hill" (slope, kappa, beta), "hill_sigmoid" (sigma, beta, lam),
    ///     "root" (alpha, beta), "log" (beta) or "none" (beta).
    /// saturation_lam, saturation_beta, … : (draws, n) array-like, optional
    ///     The parameters of the saturation; those that it does not have must be absent.
    /// adstock : str
    ///     "geometric" (alpha), "delayed" (alpha, theta), "binomial" (alpha), "weibull_pdf", "weibull_cdf" (lam, k)
    ///     or "none".
    /// adstock_alpha, adstock_theta, adstock_lam, adstock_k : (draws, n) array-like, optional
    ///     The parameters of the adstock.
    /// l_max : int, optional
    ///     Number of adstock weights; needed but for "none".
    /// normalize : bool
    ///     Whether the weights are divided by their sum.
    /// adstock_first : bool
    ///     Adstock, then saturation.
    /// channel_scale : (n,) array-like, optional
    ///     What a channel's spend is divided by (money); 1 by default.
    /// target_scale : float, optional
    ///     What the response is multiplied by; 1 by default.
    /// num_periods : int
    ///     Periods of the window.
    /// include_carryover : bool
    ///     Whether the `l_max` periods after the window count too.
    ///
    /// References
    /// ----------
    /// PyMC-Marketing 1.3, `pymc_marketing/mmm/transformers.py` and `budget_optimizer.py`.
    #[staticmethod]
    #[pyo3(signature = (*, saturation="logistic", saturation_lam=None, saturation_beta=None, saturation_alpha=None, saturation_b=None, saturation_c=None, saturation_x0=None, saturation_gain=None, saturation_r=None, saturation_slope=None, saturation_kappa=None, saturation_sigma=None, adstock="geometric", adstock_alpha=None, adstock_theta=None, adstock_lam=None, adstock_k=None, l_max=None, normalize=true, adstock_first=true, channel_scale=None, target_scale=None, num_periods=1, include_carryover=true))]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments")]
    fn from_pymc_marketing(
        saturation: &str,
        saturation_lam: Given<'_>,
        saturation_beta: Given<'_>,
        saturation_alpha: Given<'_>,
        saturation_b: Given<'_>,
        saturation_c: Given<'_>,
        saturation_x0: Given<'_>,
        saturation_gain: Given<'_>,
        saturation_r: Given<'_>,
        saturation_slope: Given<'_>,
        saturation_kappa: Given<'_>,
        saturation_sigma: Given<'_>,
        adstock: &str,
        adstock_alpha: Given<'_>,
        adstock_theta: Given<'_>,
        adstock_lam: Given<'_>,
        adstock_k: Given<'_>,
        l_max: Option<i64>,
        normalize: bool,
        adstock_first: bool,
        channel_scale: Given<'_>,
        target_scale: Given<'_>,
        num_periods: i64,
        include_carryover: bool,
    ) -> Result<Self> {
        Ok(Self(core::ResponseCurves::from_pymc_marketing(&PymcMarketing {
            saturation: saturation.into(),
            saturation_lam: optional("saturation_lam", &saturation_lam)?,
            saturation_beta: optional("saturation_beta", &saturation_beta)?,
            saturation_alpha: optional("saturation_alpha", &saturation_alpha)?,
            saturation_b: optional("saturation_b", &saturation_b)?,
            saturation_c: optional("saturation_c", &saturation_c)?,
            saturation_x0: optional("saturation_x0", &saturation_x0)?,
            saturation_gain: optional("saturation_gain", &saturation_gain)?,
            saturation_r: optional("saturation_r", &saturation_r)?,
            saturation_slope: optional("saturation_slope", &saturation_slope)?,
            saturation_kappa: optional("saturation_kappa", &saturation_kappa)?,
            saturation_sigma: optional("saturation_sigma", &saturation_sigma)?,
            adstock: adstock.into(),
            adstock_alpha: optional("adstock_alpha", &adstock_alpha)?,
            adstock_theta: optional("adstock_theta", &adstock_theta)?,
            adstock_lam: optional("adstock_lam", &adstock_lam)?,
            adstock_k: optional("adstock_k", &adstock_k)?,
            l_max: l_max.map(|lags| at_least_one("l_max", lags)).transpose()?,
            normalize,
            adstock_first,
            channel_scale: optional("channel_scale", &channel_scale)?,
            target_scale: optional("target_scale", &target_scale)?,
            num_periods: at_least_one("num_periods", num_periods)?,
            include_carryover,
        })?))
    }

    /// The response of LightweightMMM's channels to the total spend of a window, split evenly over its periods.
    ///
    /// The window starts without carry-over, so what the plan's money brings is counted and nothing else.
    ///
    /// Parameters
    /// ----------
    /// model_name : {"adstock", "hill_adstock", "carryover"}
    /// coef_media : (draws, n) array-like
    /// lag_weight : (draws, n) array-like, optional
    ///     For "adstock" and "hill_adstock".
    /// exponent : (draws, n) array-like, optional
    ///     For "adstock" and "carryover".
    /// half_max_effective_concentration, slope : (draws, n) array-like, optional
    ///     For "hill_adstock".
    /// ad_effect_retention_rate, peak_effect_delay : (draws, n) array-like, optional
    ///     For "carryover".
    /// normalise : bool
    /// number_time_periods : int
    ///     Periods of the window.
    /// media_scale : (n,) array-like, optional
    ///     What a channel's media are divided by (money); 1 by default.
    /// target_scale : float, optional
    ///     What the response is multiplied by; 1 by default.
    ///
    /// References
    /// ----------
    /// `lightweight_mmm/media_transforms.py`, `models.py`, `optimize_media.py`.
    #[staticmethod]
    #[pyo3(signature = (*, model_name="hill_adstock", coef_media, lag_weight=None, exponent=None, half_max_effective_concentration=None, slope=None, ad_effect_retention_rate=None, peak_effect_delay=None, normalise=true, number_time_periods=1, media_scale=None, target_scale=None))]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments")]
    fn from_lightweight_mmm(
        model_name: &str,
        coef_media: &Bound<'_, PyAny>,
        lag_weight: Given<'_>,
        exponent: Given<'_>,
        half_max_effective_concentration: Given<'_>,
        slope: Given<'_>,
        ad_effect_retention_rate: Given<'_>,
        peak_effect_delay: Given<'_>,
        normalise: bool,
        number_time_periods: i64,
        media_scale: Given<'_>,
        target_scale: Given<'_>,
    ) -> Result<Self> {
        let half_max = optional("half_max_effective_concentration", &half_max_effective_concentration)?;
        Ok(Self(core::ResponseCurves::from_lightweight_mmm(&LightweightMmm {
            model_name: model_name.into(),
            coef_media: Some(parameter("coef_media", coef_media)?),
            lag_weight: optional("lag_weight", &lag_weight)?,
            exponent: optional("exponent", &exponent)?,
            half_max_effective_concentration: half_max,
            slope: optional("slope", &slope)?,
            ad_effect_retention_rate: optional("ad_effect_retention_rate", &ad_effect_retention_rate)?,
            peak_effect_delay: optional("peak_effect_delay", &peak_effect_delay)?,
            normalise,
            number_time_periods: at_least_one("number_time_periods", number_time_periods)?,
            media_scale: optional("media_scale", &media_scale)?,
            target_scale: optional("target_scale", &target_scale)?,
        })?))
    }

    /// The curves of a table: a family per row, parameter columns by name, NaN for an empty cell.
    ///
    /// Parameters
    /// ----------
    /// family : str or list of str
    ///     Name of each row's family ("hill", "power", …), or one name for all rows.
    /// columns : dict of str to (n,) array-like
    ///     Columns by parameter name, also `offset`, `cost_per_unit` and `value_per_response`.
    #[staticmethod]
    fn from_columns(family: &Bound<'_, PyAny>, columns: &Bound<'_, PyDict>) -> Result<Self> {
        let values = columns
            .iter()
            .map(|(name, values)| {
                let name: String = name.extract()?;
                let values = column(&name, &values)?;
                Ok((name, values))
            })
            .collect::<Result<Vec<_>>>()?;
        let columns: Vec<(&str, &[f64])> =
            values.iter().map(|(name, values)| (&name[..], &values[..])).collect();
        if let Ok(one) = family.cast::<PyString>() {
            let rows = columns.first().map_or(0, |(_, values)| values.len());
            let one = one.to_cow()?;
            return Ok(Self(core::ResponseCurves::from_columns(&vec![&*one; rows], &columns)?));
        }
        let family = names("family", family)?;
        let family: Vec<&str> = family.iter().map(String::as_str).collect();
        Ok(Self(core::ResponseCurves::from_columns(&family, &columns)?))
    }

    /// The same curves with names for the arms.
    #[pyo3(name = "with_names")]
    fn named(&self, names: &Bound<'_, PyAny>) -> Result<Self> {
        Ok(Self(self.0.clone().with_names(crate::arguments::names("names", names)?)?))
    }

    /// The same curves with a carry-over that is there without spend: F(x + c) − F(c).
    ///
    /// Parameters
    /// ----------
    /// offset : float, (n,) or (draws, n) array-like
    ///     c, in units (money where no cost per unit is set).
    /// keep_response : bool
    ///     Count the response to the carry-over too: F(x + c).
    #[pyo3(signature = (offset, keep_response=false))]
    fn with_offset(&self, offset: &Bound<'_, PyAny>, keep_response: bool) -> Result<Self> {
        Ok(Self(self.0.clone().with_offset(parameter("offset", offset)?, keep_response)?))
    }

    /// The same curves behind a price of exposure: F sees x / cost units.
    ///
    /// Parameters
    /// ----------
    /// cost : float, (n,) or (draws, n) array-like
    ///     Money per unit.
    fn with_cost_per_unit(&self, cost: &Bound<'_, PyAny>) -> Result<Self> {
        Ok(Self(self.0.clone().with_cost_per_unit(parameter("cost_per_unit", cost)?)?))
    }

    /// The same curves with a price of exposure that rises with the number of units: u units cost c uᵖ each.
    ///
    /// ```text
    /// x = c u^{1+p}     u(x) = (x/c)^{1/(1+p)}
    /// ```
    ///
    /// c is the cost per unit. The next unit costs (1 + p) c uᵖ.
    ///
    /// Parameters
    /// ----------
    /// exponent : float or (n,) array-like
    ///     p, from 0 to 10; 0 for an arm whose price stays, and for one with price tiers.
    ///
    /// Raises
    /// ------
    /// InvalidInputError
    ///     An exponent outside its domain, or not one number or one per arm.
    ///
    /// Examples
    /// --------
    /// >>> import adflow
    /// >>> curves = adflow.ResponseCurves.linear(1.0).with_cost_per_unit(2.0).with_price_power(1.0)
    /// >>> curves.response([18.0]).round(9)  # 3 units at 2 · 3 each
    /// array([3.])
    fn with_price_power(&self, exponent: &Bound<'_, PyAny>) -> Result<Self> {
        Ok(Self(self.0.clone().with_price_power(parameter("price_power", exponent)?)?))
    }

    /// The same curves with a price of exposure that rises in steps: the first price holds up to the first break, the next
    /// for what is spent beyond it, the last without end.
    ///
    /// Parameters
    /// ----------
    /// spend_breaks : (k,) or (n, k) array-like, or n lists
    ///     Spends (money) at which a price ends, increasing; one row for all arms, or one per arm.
    /// prices : (k + 1,) or (n, k + 1) array-like, or n lists
    ///     Money per unit where no cost per unit is set, a factor on it where one is; they may not fall.
    ///
    /// Raises
    /// ------
    /// InvalidInputError
    ///     Prices that fall, breaks that do not increase, rows of the wrong number or length, or tiers for an arm
    ///     whose price follows a power.
    ///
    /// Examples
    /// --------
    /// >>> import adflow
    /// >>> curves = adflow.ResponseCurves.linear(1.0).with_price_tiers([100.0], [1.0, 2.0])
    /// >>> curves.response([160.0])
    /// array([130.])
    fn with_price_tiers(&self, spend_breaks: &Bound<'_, PyAny>, prices: &Bound<'_, PyAny>) -> Result<Self> {
        let (breaks, prices) = (rows("spend_breaks", spend_breaks)?, rows("prices", prices)?);
        Ok(Self(self.0.clone().with_price_tiers(&breaks, &prices)?))
    }

    /// The same curves with their response multiplied, for instance by the money one conversion is worth.
    ///
    /// Parameters
    /// ----------
    /// value : float or (n,) array-like
    ///     The factor; where it was set before, both multiply.
    fn with_value_per_response(&self, value: &Bound<'_, PyAny>) -> Result<Self> {
        Ok(Self(self.0.clone().with_value_per_response(parameter("value_per_response", value)?)?))
    }

    /// The same curves with the spends that they were fitted on; plans say where they go beyond.
    ///
    /// Parameters
    /// ----------
    /// observed : (n, 2) array-like
    ///     Smallest and largest spend per arm (money).
    fn with_observed_spend(&self, observed: &Bound<'_, PyAny>) -> Result<Self> {
        let numbers = Numbers::of("observed", observed)?;
        if !matches!(*numbers.shape, [_, 2]) {
            return Err(out_of_domain("observed", "of shape (n, 2)", format!("shape {:?}", numbers.shape)));
        }
        let pairs: Vec<(f64, f64)> = numbers.values.chunks(2).map(|pair| (pair[0], pair[1])).collect();
        Ok(Self(self.0.clone().with_observed_spend(&pairs)?))
    }

    /// Response of every arm at its spend.
    ///
    /// Parameters
    /// ----------
    /// spend : float, (n,) or (k, n) array-like
    ///     One row of spends (money), or several; a number counts for all arms.
    ///
    /// Returns
    /// -------
    /// (n,) or (k, n) array
    fn response<'py>(&self, py: Python<'py>, spend: &Bound<'py, PyAny>) -> Result<Floats<'py>> {
        self.evaluate(py, spend, core::ResponseCurves::response)
    }

    /// Derivative of every arm's response at its spend; inf where the curve rises vertically.
    ///
    /// Parameters
    /// ----------
    /// spend : float, (n,) or (k, n) array-like
    ///
    /// Returns
    /// -------
    /// (n,) or (k, n) array
    fn marginal_response<'py>(&self, py: Python<'py>, spend: &Bound<'py, PyAny>) -> Result<Floats<'py>> {
        self.evaluate(py, spend, core::ResponseCurves::marginal_response)
    }

    /// Response of every arm in every draw.
    ///
    /// Parameters
    /// ----------
    /// spend : float or (n,) array-like
    ///
    /// Returns
    /// -------
    /// (draws, n) array
    fn response_draws<'py>(&self, py: Python<'py>, spend: &Bound<'py, PyAny>) -> Result<Floats<'py>> {
        let spend = rows_of("spend", spend, self.0.len())?;
        let responses = py.detach(|| self.0.response_draws(&spend.values))?;
        Ok(responses.into_pyarray(py).to_dyn().reshape(vec![self.0.draws(), self.0.len()])?)
    }

    /// The spend on the concave part of each curve at which its marginal response is the one given.
    ///
    /// 0 where the curve is never that steep, inf where it is steeper at any spend.
    ///
    /// Parameters
    /// ----------
    /// marginal : float or (n,) array-like
    ///     Response per money, above 0.
    ///
    /// Returns
    /// -------
    /// (n,) array
    fn inverse_marginal_response<'py>(
        &self,
        py: Python<'py>,
        marginal: &Bound<'py, PyAny>,
    ) -> Result<Bound<'py, PyArray1<f64>>> {
        let marginal = rows_of("marginal", marginal, self.0.len())?;
        let spend = py.detach(|| self.0.inverse_marginal_response(&marginal.values))?;
        Ok(spend.into_pyarray(py))
    }

    /// The chords of the smallest concave curve above an arm's response on [lower, upper].
    ///
    /// Returns
    /// -------
    /// list of (float, float, float)
    ///     From, to and slope of every straight part; elsewhere it follows the curve.
    fn concave_envelope(&self, arm: usize, lower: f64, upper: f64) -> Result<Vec<(f64, f64, f64)>> {
        Ok(self.0.concave_envelope(arm, lower, upper)?.chords)
    }

    /// Where each curve stops being convex, (n,): 0 for concave curves, NaN for tables.
    #[getter]
    fn inflection<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.0.inflection().into_pyarray(py)
    }

    /// Number of posterior draws: 1 where the curves are certain.
    #[getter]
    fn draws(&self) -> usize {
        self.0.draws()
    }

    /// Names of the arms, or None.
    #[getter]
    fn names(&self) -> Option<Vec<&str>> {
        python::names(self.0.names())
    }

    /// The curves as JSON; read back, they are the same to the last bit.
    fn to_json(&self, py: Python<'_>) -> String {
        py.detach(|| self.0.to_json())
    }

    /// Curves from the JSON of `to_json`.
    #[staticmethod]
    fn from_json(json: &str) -> Result<Self> {
        Ok(Self(core::ResponseCurves::from_json(json)?))
    }

    /// Number of arms.
    fn __len__(&self) -> usize {
        self.0.len()
    }

    /// One arm, by index or name, or the arms of a slice.
    fn __getitem__(&self, key: &Bound<'_, PyAny>) -> Result<Self> {
        self.item(key)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        Ok((py.get_type::<Self>().getattr("from_json")?, (self.to_json(py),)))
    }

    fn __repr__(&self) -> String {
        self.shown()
    }
}
