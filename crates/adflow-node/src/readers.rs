//! Models of other systems, under those systems' own names.

use std::ops::Range;

use adflow_core as core;
use napi_derive::napi;

use crate::input::{Options, Parameters, optional};
use crate::{Error, Result};

/// Hyper-parameters of a Robyn model, one arm per channel.
#[napi(object)]
pub struct RobynModel {
    /// Coefficient (response), ≥ 0.
    pub coef: Option<Parameters>,
    /// Hill exponent.
    pub alpha: Option<Parameters>,
    /// Half saturation (money): this, or `gamma`.
    pub inflexion: Option<Parameters>,
    /// `inflexion / maxAdstocked`.
    pub gamma: Option<Parameters>,
    /// Largest adstocked media in the window (money); from `media` where that is given.
    pub max_adstocked: Option<Parameters>,
    /// Mean carry-over in the window (money); default 0, or from `media`.
    pub carryover: Option<Parameters>,
    /// Spend of all periods, times × arms.
    pub media: Option<Parameters>,
    /// The modelled periods of `media`, from `start` up to, not including, `end`; default all.
    #[napi(ts_type = "[start: number, end: number]")]
    pub window: Option<Vec<u32>>,
    /// `"geometric"` (default), `"weibull_cdf"` or `"weibull_pdf"`; used with `media` only.
    pub adstock: Option<String>,
    /// Retention of the geometric adstock, 0 to 1.
    pub theta: Option<Parameters>,
    /// Shape of the Weibull adstock.
    pub shape: Option<Parameters>,
    /// Scale of the Weibull adstock, a share of `windlen`.
    pub scale: Option<Parameters>,
    /// Length of the Weibull kernel; default the number of periods in `media`.
    pub windlen: Option<u32>,
}

impl Options for RobynModel {
    const KEYS: &'static [&'static str] = &[
        "coef",
        "alpha",
        "inflexion",
        "gamma",
        "maxAdstocked",
        "carryover",
        "media",
        "window",
        "adstock",
        "theta",
        "shape",
        "scale",
        "windlen",
    ];
}

impl TryFrom<RobynModel> for core::Robyn {
    type Error = Error;

    fn try_from(given: RobynModel) -> Result<Self> {
        Ok(Self {
            coef: optional("coef", given.coef)?,
            alpha: optional("alpha", given.alpha)?,
            inflexion: optional("inflexion", given.inflexion)?,
            gamma: optional("gamma", given.gamma)?,
            max_adstocked: optional("max_adstocked", given.max_adstocked)?,
            carryover: optional("carryover", given.carryover)?,
            media: optional("media", given.media)?,
            window: given.window.map(window).transpose()?,
            adstock: given.adstock,
            theta: optional("theta", given.theta)?,
            shape: optional("shape", given.shape)?,
            scale: optional("scale", given.scale)?,
            windlen: given.windlen.map(|windlen| windlen as usize),
        })
    }
}

/// The posterior and the media of a Meridian model, one arm per channel.
#[napi(object)]
pub struct MeridianModel {
    /// Adstock retention, 0 to 1: draws × arms.
    pub alpha_m: Option<Parameters>,
    /// Half saturation (scaled media): draws × arms.
    pub ec_m: Option<Parameters>,
    /// Hill exponent: draws × arms; default 1.
    pub slope_m: Option<Parameters>,
    /// Coefficient: draws × geos × arms, or draws × arms where all geos share it.
    pub beta_gm: Option<Parameters>,
    /// Media as the model sees them: geos × times × arms, or times × arms for one geo.
    pub media_scaled: Option<Parameters>,
    /// Total spend that bought these media (money), per arm.
    pub spend: Option<Parameters>,
    /// Outcome per unit of scaled KPI: geos × times, times, or one number; default 1.
    pub outcome_per_unit: Option<Parameters>,
    /// Longest carry-over; default 8.
    pub max_lag: Option<u32>,
    /// `"geometric"` (default) or `"binomial"`.
    pub adstock: Option<String>,
    /// Whether saturation comes before adstock; default false.
    pub hill_before_adstock: Option<bool>,
}

impl Options for MeridianModel {
    const KEYS: &'static [&'static str] = &[
        "alphaM",
        "ecM",
        "slopeM",
        "betaGm",
        "mediaScaled",
        "spend",
        "outcomePerUnit",
        "maxLag",
        "adstock",
        "hillBeforeAdstock",
    ];
}

impl TryFrom<MeridianModel> for core::Meridian {
    type Error = Error;

    fn try_from(given: MeridianModel) -> Result<Self> {
        let default = Self::default();
        Ok(Self {
            alpha_m: optional("alpha_m", given.alpha_m)?,
            ec_m: optional("ec_m", given.ec_m)?,
            slope_m: optional("slope_m", given.slope_m)?,
            beta_gm: optional("beta_gm", given.beta_gm)?,
            media_scaled: optional("media_scaled", given.media_scaled)?,
            spend: optional("spend", given.spend)?,
            outcome_per_unit: optional("outcome_per_unit", given.outcome_per_unit)?,
            max_lag: given.max_lag.map_or(default.max_lag, |max_lag| max_lag as usize),
            adstock: given.adstock.unwrap_or(default.adstock),
            hill_before_adstock: given.hill_before_adstock.unwrap_or(default.hill_before_adstock),
        })
    }
}

/// Parameters of a PyMC-Marketing media mix model, one arm per channel.
#[napi(object)]
pub struct PymcMarketingModel {
    /// `"logistic"` (default), `"inverse_scaled_logistic"`, `"tanh"`, `"tanh_baselined"`, `"michaelis_menten"`, `"hill"`, `"hill_sigmoid"`, `"root"`, `"log"` or `"none"`.
    pub saturation: Option<String>,
    /// The saturation's parameter lam, where it has one.
    pub saturation_lam: Option<Parameters>,
    /// The saturation's parameter beta, where it has one.
    pub saturation_beta: Option<Parameters>,
    /// The saturation's parameter alpha, where it has one.
    pub saturation_alpha: Option<Parameters>,
    /// The saturation's parameter b, where it has one.
    pub saturation_b: Option<Parameters>,
    /// The saturation's parameter c, where it has one.
    pub saturation_c: Option<Parameters>,
    /// The saturation's parameter x0, where it has one.
    pub saturation_x0: Option<Parameters>,
    /// The saturation's parameter gain, where it has one.
    pub saturation_gain: Option<Parameters>,
    /// The saturation's parameter r, where it has one.
    pub saturation_r: Option<Parameters>,
    /// The saturation's parameter slope, where it has one.
    pub saturation_slope: Option<Parameters>,
    /// The saturation's parameter kappa, where it has one.
    pub saturation_kappa: Option<Parameters>,
    /// The saturation's parameter sigma, where it has one.
    pub saturation_sigma: Option<Parameters>,
    /// `"geometric"` (default), `"delayed"`, `"binomial"`, `"weibull_pdf"`, `"weibull_cdf"` or `"none"`.
    pub adstock: Option<String>,
    /// The adstock's parameter alpha, where it has one.
    pub adstock_alpha: Option<Parameters>,
    /// The adstock's parameter theta, where it has one.
    pub adstock_theta: Option<Parameters>,
    /// The adstock's parameter lam, where it has one.
    pub adstock_lam: Option<Parameters>,
    /// The adstock's parameter k, where it has one.
    pub adstock_k: Option<Parameters>,
    /// Number of adstock weights; needed but for adstock `"none"`.
    pub l_max: Option<u32>,
    /// Whether weights are divided by their sum; default true.
    pub normalize: Option<bool>,
    /// Whether adstock comes before saturation; default true.
    pub adstock_first: Option<bool>,
    /// What a channel's spend is divided by (money); default 1.
    pub channel_scale: Option<Parameters>,
    /// What the response is multiplied by; default 1.
    pub target_scale: Option<Parameters>,
    /// Periods of the window; default 1.
    pub num_periods: Option<u32>,
    /// Whether the periods after the window count too; default true.
    pub include_carryover: Option<bool>,
}

impl Options for PymcMarketingModel {
    const KEYS: &'static [&'static str] = &[
        "saturation",
        "saturationLam",
        "saturationBeta",
        "saturationAlpha",
        "saturationB",
        "saturationC",
        "saturationX0",
        "saturationGain",
        "saturationR",
        "saturationSlope",
        "saturationKappa",
        "saturationSigma",
        "adstock",
        "adstockAlpha",
        "adstockTheta",
        "adstockLam",
        "adstockK",
        "lMax",
        "normalize",
        "adstockFirst",
        "channelScale",
        "targetScale",
        "numPeriods",
        "includeCarryover",
    ];
}

impl TryFrom<PymcMarketingModel> for core::PymcMarketing {
    type Error = Error;

    fn try_from(given: PymcMarketingModel) -> Result<Self> {
        let default = Self::default();
        Ok(Self {
            saturation: given.saturation.unwrap_or(default.saturation),
            saturation_lam: optional("saturation_lam", given.saturation_lam)?,
            saturation_beta: optional("saturation_beta", given.saturation_beta)?,
            saturation_alpha: optional("saturation_alpha", given.saturation_alpha)?,
            saturation_b: optional("saturation_b", given.saturation_b)?,
            saturation_c: optional("saturation_c", given.saturation_c)?,
            saturation_x0: optional("saturation_x0", given.saturation_x0)?,
            saturation_gain: optional("saturation_gain", given.saturation_gain)?,
            saturation_r: optional("saturation_r", given.saturation_r)?,
            saturation_slope: optional("saturation_slope", given.saturation_slope)?,
            saturation_kappa: optional("saturation_kappa", given.saturation_kappa)?,
            saturation_sigma: optional("saturation_sigma", given.saturation_sigma)?,
            adstock: given.adstock.unwrap_or(default.adstock),
            adstock_alpha: optional("adstock_alpha", given.adstock_alpha)?,
            adstock_theta: optional("adstock_theta", given.adstock_theta)?,
            adstock_lam: optional("adstock_lam", given.adstock_lam)?,
            adstock_k: optional("adstock_k", given.adstock_k)?,
            l_max: given.l_max.map(|l_max| l_max as usize),
            normalize: given.normalize.unwrap_or(default.normalize),
            adstock_first: given.adstock_first.unwrap_or(default.adstock_first),
            channel_scale: optional("channel_scale", given.channel_scale)?,
            target_scale: optional("target_scale", given.target_scale)?,
            num_periods: given.num_periods.map_or(default.num_periods, |num_periods| num_periods as usize),
            include_carryover: given.include_carryover.unwrap_or(default.include_carryover),
        })
    }
}

/// Parameters of a LightweightMMM model, one arm per channel.
#[napi(object)]
pub struct LightweightMmmModel {
    /// `"hill_adstock"` (default), `"adstock"` or `"carryover"`.
    pub model_name: Option<String>,
    /// Coefficient, ≥ 0.
    pub coef_media: Option<Parameters>,
    /// Retention, 0 to 1; not for carryover.
    pub lag_weight: Option<Parameters>,
    /// Exponent, 0.001 to 1; not for hill_adstock.
    pub exponent: Option<Parameters>,
    /// Half saturation; hill_adstock.
    pub half_max_effective_concentration: Option<Parameters>,
    /// Hill exponent; hill_adstock.
    pub slope: Option<Parameters>,
    /// Retention, 0 to 1; carryover.
    pub ad_effect_retention_rate: Option<Parameters>,
    /// Delay of the peak; carryover.
    pub peak_effect_delay: Option<Parameters>,
    /// Whether the adstock is normalised; default true.
    pub normalise: Option<bool>,
    /// Periods of the window; default 1.
    pub number_time_periods: Option<u32>,
    /// What a channel's media are divided by (money); default 1.
    pub media_scale: Option<Parameters>,
    /// What the response is multiplied by; default 1.
    pub target_scale: Option<Parameters>,
}

impl Options for LightweightMmmModel {
    const KEYS: &'static [&'static str] = &[
        "modelName",
        "coefMedia",
        "lagWeight",
        "exponent",
        "halfMaxEffectiveConcentration",
        "slope",
        "adEffectRetentionRate",
        "peakEffectDelay",
        "normalise",
        "numberTimePeriods",
        "mediaScale",
        "targetScale",
    ];
}

impl TryFrom<LightweightMmmModel> for core::LightweightMmm {
    type Error = Error;

    fn try_from(given: LightweightMmmModel) -> Result<Self> {
        let default = Self::default();
        Ok(Self {
            model_name: given.model_name.unwrap_or(default.model_name),
            coef_media: optional("coef_media", given.coef_media)?,
            lag_weight: optional("lag_weight", given.lag_weight)?,
            exponent: optional("exponent", given.exponent)?,
            half_max_effective_concentration: optional(
                "half_max_effective_concentration",
                given.half_max_effective_concentration,
            )?,
            slope: optional("slope", given.slope)?,
            ad_effect_retention_rate: optional("ad_effect_retention_rate", given.ad_effect_retention_rate)?,
            peak_effect_delay: optional("peak_effect_delay", given.peak_effect_delay)?,
            normalise: given.normalise.unwrap_or(default.normalise),
            number_time_periods: given
                .number_time_periods
                .map_or(default.number_time_periods, |number_time_periods| number_time_periods as usize),
            media_scale: optional("media_scale", given.media_scale)?,
            target_scale: optional("target_scale", given.target_scale)?,
        })
    }
}

fn window(window: Vec<u32>) -> core::Result<Range<usize>> {
    match window[..] {
        [start, end] => Ok(start as usize..end as usize),
        _ => Err(core::Error::LengthMismatch { field: "window".into(), expected: 2, actual: window.len() }),
    }
}
