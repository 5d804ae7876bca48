//! LightweightMMM (Google): the response of a window of periods to a total spend split evenly.

use super::{assemble, check_periods, draws_and_arms, drop_negligible, or_one, stretched, take, unknown};
use crate::curve::adstock::{constant_spend, count, delayed, geometric, normalised};
use crate::curve::kind::{Domain, Kind};
use crate::curve::{Parameter, ResponseCurves};
use crate::error::{Error, Result};

/// The parameters of a LightweightMMM model, one arm per channel, under its own names, each a number, one per arm,
/// or draws × arms.
///
/// x is the total spend of a window of `number_time_periods` periods, split evenly, as in its `find_optimal_budgets`.
/// With m = x/(number_time_periods · media_scale) in every period, from zero carry-over on, the curve is
///
/// ```text
/// f(x) = target_scale · mean over draws of Σ_t coef_media · transform(m, …, m)[t]
///
/// "adstock"        y^exponent,                     y[t] = m[t] + lag_weight · y[t−1]
/// "hill_adstock"   1/(1 + (y/half_max_effective_concentration)^(−slope)),  y as above
/// "carryover"      y^exponent,                     y[t] = Σ_l w[l] m[t−l] / Σ_l w[l], l = 0..12,
///                                                  w[l] = ad_effect_retention_rate^((l − peak_effect_delay)²)
/// ```
///
/// where `normalise` multiplies y of the first two by 1 − lag_weight. LightweightMMM's own prediction lets the media
/// before the window carry over into it; here the window starts empty, so what the plan's money brings is counted
/// and nothing else.
///
/// | field | range | default |
/// | --- | --- | --- |
/// | `model_name` | `"adstock"`, `"hill_adstock"`, `"carryover"` | `"hill_adstock"` |
/// | `coef_media` | ≥ 0 | needed |
/// | `lag_weight` | 0 to 1 | needed but for carryover |
/// | `exponent` | 0.001 to 1 | needed but for hill_adstock |
/// | `half_max_effective_concentration` | > 0 | hill_adstock |
/// | `slope` | 0.001 to 100 | hill_adstock |
/// | `ad_effect_retention_rate` | 0 to 1 | carryover |
/// | `peak_effect_delay` | ≥ 0 | carryover |
/// | `normalise` | | true |
/// | `number_time_periods` | ≥ 1 | 1 |
/// | `media_scale` | > 0: what a channel's media are divided by (money) | 1 |
/// | `target_scale` | ≥ 0: what the response is multiplied by | 1 |
///
/// # References
/// `lightweight_mmm/media_transforms.py` (`adstock`, `hill`, `carryover`), `models.py`, `optimize_media.py`.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the table above")]
pub struct LightweightMmm {
    pub model_name: String,
    pub coef_media: Option<Parameter>,
    pub lag_weight: Option<Parameter>,
    pub exponent: Option<Parameter>,
    pub half_max_effective_concentration: Option<Parameter>,
    pub slope: Option<Parameter>,
    pub ad_effect_retention_rate: Option<Parameter>,
    pub peak_effect_delay: Option<Parameter>,
    pub normalise: bool,
    pub number_time_periods: usize,
    pub media_scale: Option<Parameter>,
    pub target_scale: Option<Parameter>,
}

impl Default for LightweightMmm {
    fn default() -> Self {
        Self {
            model_name: "hill_adstock".into(),
            coef_media: None,
            lag_weight: None,
            exponent: None,
            half_max_effective_concentration: None,
            slope: None,
            ad_effect_retention_rate: None,
            peak_effect_delay: None,
            normalise: true,
            number_time_periods: 1,
            media_scale: None,
            target_scale: None,
        }
    }
}

const MODELS: [&str; 3] = ["adstock", "hill_adstock", "carryover"];
/// The carryover model's number of lags, which LightweightMMM fixes.
const CARRYOVER_LAGS: usize = 13;

impl ResponseCurves {
    /// The response of LightweightMMM's channels to the total spend of a window; see [`LightweightMmm`] for the
    /// formulae and the names.
    ///
    /// # Errors
    /// [`Error::OutOfDomain`] for a parameter that is missing, superfluous or outside its range and for an unknown
    /// model, [`Error::NotFinite`], [`Error::LengthMismatch`] where draws or arms disagree.
    ///
    /// # Examples
    /// ```
    /// use adflow_core::{LightweightMmm, ResponseCurves};
    ///
    /// let curves = ResponseCurves::from_lightweight_mmm(&LightweightMmm {
    ///     coef_media: Some([2.0, 3.0].into()),
    ///     lag_weight: Some(0.0.into()),
    ///     half_max_effective_concentration: Some(0.5.into()),
    ///     slope: Some(1.0.into()),
    ///     number_time_periods: 4,
    ///     media_scale: Some([100.0, 50.0].into()),
    ///     ..LightweightMmm::default()
    /// })?;
    /// // Half saturation in each of the four periods.
    /// assert_eq!(curves.response(&[200.0, 100.0])?, [4.0, 6.0]);
    /// # Ok::<(), adflow_core::Error>(())
    /// ```
    pub fn from_lightweight_mmm(model: &LightweightMmm) -> Result<Self> {
        use Domain::{Exponent, Fraction, NonNegative, Positive, UnitInterval};
        let given = [
            ("coef_media", &model.coef_media),
            ("lag_weight", &model.lag_weight),
            ("exponent", &model.exponent),
            ("half_max_effective_concentration", &model.half_max_effective_concentration),
            ("slope", &model.slope),
            ("ad_effect_retention_rate", &model.ad_effect_retention_rate),
            ("peak_effect_delay", &model.peak_effect_delay),
        ];
        // Size and shape of the saturation first, the adstock's parameters after them.
        let (kind, wanted): (Kind, &[(&'static str, Domain)]) = match model.model_name.as_str() {
            "adstock" => (
                Kind::Power,
                &[("coef_media", NonNegative), ("exponent", UnitInterval), ("lag_weight", Fraction)],
            ),
            "hill_adstock" => (
                Kind::Hill,
                &[
                    ("coef_media", NonNegative),
                    ("half_max_effective_concentration", Positive),
                    ("slope", Exponent),
                    ("lag_weight", Fraction),
                ],
            ),
            "carryover" => (
                Kind::Power,
                &[
                    ("coef_media", NonNegative),
                    ("exponent", UnitInterval),
                    ("ad_effect_retention_rate", Fraction),
                    ("peak_effect_delay", NonNegative),
                ],
            ),
            other => return Err(unknown("model_name", &MODELS, other)),
        };
        let parameters = take(&format!("the model {}", model.model_name), wanted, &given)?;
        let media_scale = or_one(&model.media_scale, "media_scale", Positive)?;
        let target_scale = or_one(&model.target_scale, "target_scale", NonNegative)?;
        check_periods("number_time_periods", model.number_time_periods)?;
        let mut named = parameters.clone();
        named.extend([("media_scale", &media_scale), ("target_scale", &target_scale)]);
        let (draws, arms) = draws_and_arms(&named)?;

        let periods = model.number_time_periods;
        let (shape, adstock) = parameters.split_at(kind.parameters().len());
        let at = |of: &[(&str, &Parameter)], p: usize, s: usize, i: usize| {
            of.get(p).map_or(0.0, |(_, parameter)| parameter.at(s, 0, i))
        };
        let shape_at = |s, i| [0, 1, 2].map(|p| at(shape, p, s, i));
        let mut levels = Vec::new();
        for s in 0..draws {
            for i in 0..arms {
                let weights = model.kernel([at(adstock, 0, s, i), at(adstock, 1, s, i)])?;
                let first = levels.len();
                levels.extend(constant_spend(&weights, periods, 0));
                drop_negligible(&mut levels[first..], kind, shape_at(s, i));
            }
        }
        let terms = levels.len() / (draws * arms);
        assemble(kind, (draws, terms, arms), |s, term, i| {
            let level = levels[(s * arms + i) * terms + term];
            let stretch = level.media / count(periods) / media_scale.at(s, 0, i);
            let factor = level.periods * target_scale.at(s, 0, i);
            stretched(kind, shape_at(s, i), stretch, factor)
        })
    }
}

impl LightweightMmm {
    fn kernel(&self, [first, second]: [f64; 2]) -> Result<Vec<f64>> {
        if self.model_name == "carryover" {
            let weights = normalised(delayed(first, second, CARRYOVER_LAGS));
            let expected = "such that some lag has a weight above 0";
            return weights.ok_or_else(|| Error::out_of_domain("ad_effect_retention_rate", expected, first));
        }
        // Without an end: one weight per period of the window.
        let mut weights = geometric(first, self.number_time_periods);
        if self.normalise {
            weights.iter_mut().for_each(|weight| *weight *= 1.0 - first);
        }
        Ok(weights)
    }
}
