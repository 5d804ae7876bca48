//! Robyn (Meta): the Hill curve of its budget allocator.

use std::ops::Range;

use super::{assemble, check_periods, draws_and_arms, needed, take, unknown};
use crate::curve::adstock::{convolve, count, delta, geometric, weibull_cdf, weibull_pdf};
use crate::curve::kind::{Domain, Kind};
use crate::curve::{Parameter, ResponseCurves};
use crate::error::{Error, Result};

/// The parameters of a Robyn model, one arm per paid channel, under Robyn's own names.
///
/// ```text
/// response(x) = coef · (x + c)^alpha / ((x + c)^alpha + inflexion^alpha)
/// ```
///
/// x is the spend of one period and c the `carryover`; the response includes what the carry-over alone would
/// bring, as Robyn reports it. `inflexion` is `gamma · max_adstocked`: give either of the two.
///
/// Robyn's JSON holds `gamma` and the adstock hyper-parameters, not `inflexion` and not the carry-over. With
/// `media` both are computed as Robyn does:
///
/// ```text
/// adstocked = adstock(media)                             over all periods given
/// inflexion = gamma · max(adstocked)                     over the window
/// carryover = mean(adstocked − immediate)                over the window
/// immediate = media, or media · kernel[lag 0] for "weibull_pdf"
/// ```
///
/// | field | meaning | range |
/// | --- | --- | --- |
/// | `coef` | coefficient (response) | ≥ 0 |
/// | `alpha` | Hill exponent | 0.001 to 100 |
/// | `inflexion` | half saturation (money) | > 0 |
/// | `gamma` | `inflexion / max_adstocked` | > 0 |
/// | `max_adstocked` | largest adstocked media in the window (money) | > 0 |
/// | `carryover` | mean carry-over in the window (money), default 0 or from `media` | ≥ 0 |
/// | `media` | spend of all periods, times × arms: `Parameter::draws(times, arms, …)` | ≥ 0 |
/// | `window` | the modelled periods among them, counted from 0; default all | |
/// | `adstock` | `"geometric"` (default), `"weibull_cdf"`, `"weibull_pdf"`; used with `media` only | |
/// | `theta` | retention of the geometric adstock | 0 to 1 |
/// | `shape`, `scale` | of the Weibull adstock; `scale` is a share of `windlen` | ≥ 0; 0 to 1 |
/// | `windlen` | length of the Weibull kernel; default the number of periods in `media` | ≥ 1 |
///
/// A channel modelled on exposure, `exposure = Vmax · x/(Km + x)` before the adstock, is a curve of a curve and
/// none of the families: it is not read here. Tabulate it, or pass its spend-based fit.
///
/// # References
/// Robyn 3.11, `R/R/transformation.R` (`adstock_geometric`, `adstock_weibull`, `saturation_hill`) and
/// `R/R/allocator.R` (`fx_objective`).
#[derive(Debug, Clone, PartialEq, Default)]
#[allow(missing_docs, reason = "the table above")]
pub struct Robyn {
    pub coef: Option<Parameter>,
    pub alpha: Option<Parameter>,
    pub inflexion: Option<Parameter>,
    pub gamma: Option<Parameter>,
    pub max_adstocked: Option<Parameter>,
    pub carryover: Option<Parameter>,
    pub media: Option<Parameter>,
    pub window: Option<Range<usize>>,
    pub adstock: Option<String>,
    pub theta: Option<Parameter>,
    pub shape: Option<Parameter>,
    pub scale: Option<Parameter>,
    pub windlen: Option<usize>,
}

const ADSTOCKS: [&str; 3] = ["geometric", "weibull_cdf", "weibull_pdf"];

impl ResponseCurves {
    /// The curves that Robyn's allocator works on; see [`Robyn`] for the formula and the names.
    ///
    /// # Errors
    /// [`Error::OutOfDomain`] for a parameter that is missing, superfluous or outside its range and for an unknown
    /// adstock, [`Error::NotFinite`], [`Error::LengthMismatch`] where draws or arms disagree.
    ///
    /// # Examples
    /// ```
    /// use adflow_core::{ResponseCurves, Robyn};
    ///
    /// let curves = ResponseCurves::from_robyn(&Robyn {
    ///     coef: Some([368_248.5, 82_529.9].into()),
    ///     alpha: Some([2.989, 2.936].into()),
    ///     inflexion: Some([9_442.3, 11_385.0].into()),
    ///     carryover: Some([85.3, 520.2].into()),
    ///     ..Robyn::default()
    /// })?;
    /// let response = curves.response(&[9_442.3 - 85.3, 0.0])?;
    /// assert!((response[0] - 368_248.5 / 2.0).abs() < 1e-6);
    /// assert!(response[1] > 0.0); // the carry-over's
    /// # Ok::<(), adflow_core::Error>(())
    /// ```
    pub fn from_robyn(robyn: &Robyn) -> Result<Self> {
        let coef = needed(robyn.coef.as_ref(), "coef", Domain::NonNegative, "Robyn")?;
        let alpha = needed(robyn.alpha.as_ref(), "alpha", Domain::Exponent, "Robyn")?;
        let history = robyn.history()?;
        let inflexion = robyn.inflexion(history.as_ref())?;
        let none = Parameter::from(0.0);
        let carryover = match (&robyn.carryover, &history) {
            (Some(given), _) => needed(Some(given), "carryover", Domain::NonNegative, "Robyn")?,
            (None, Some(history)) => &history.carryover,
            (None, None) => &none,
        };
        let named = [("coef", coef), ("alpha", alpha), ("inflexion", &inflexion), ("carryover", carryover)];
        let (draws, arms) = draws_and_arms(&named)?;
        assemble(Kind::Hill, (draws, 1, arms), |s, _, i| {
            [coef.at(s, 0, i), inflexion.at(s, 0, i), alpha.at(s, 0, i)]
        })?
        .with_offset(carryover.clone(), true)
    }
}

/// What the media history says about every draw and arm.
struct History {
    max_adstocked: Parameter,
    carryover: Parameter,
}

impl Robyn {
    fn inflexion(&self, history: Option<&History>) -> Result<Parameter> {
        let superfluous = |name: &str, given: bool, because: &str| match given {
            true => Err(Error::out_of_domain(name, format!("absent: {because}"), "a value")),
            false => Ok(()),
        };
        if let Some(inflexion) = &self.inflexion {
            superfluous("gamma", self.gamma.is_some(), "`inflexion` is given")?;
            superfluous("max_adstocked", self.max_adstocked.is_some(), "`inflexion` is given")?;
            return needed(Some(inflexion), "inflexion", Domain::Positive, "Robyn").cloned();
        }
        let owner = "Robyn without `inflexion`";
        let gamma = needed(self.gamma.as_ref(), "gamma", Domain::Positive, owner)?;
        let highest = match (&self.max_adstocked, history) {
            (None, Some(history)) => &history.max_adstocked,
            (given, _) => {
                needed(given.as_ref(), "max_adstocked", Domain::Positive, "`gamma` without `media`")?
            }
        };
        let (draws, arms) = draws_and_arms(&[("gamma", gamma), ("max_adstocked", highest)])?;
        by_draw_and_arm(draws, arms, |s, i| gamma.at(s, 0, i) * highest.at(s, 0, i))
    }

    /// Adstocks the media, where there are any.
    fn history(&self) -> Result<Option<History>> {
        let kind = self.adstock.as_deref().unwrap_or("geometric");
        if !ADSTOCKS.contains(&kind) {
            return Err(unknown("adstock", &ADSTOCKS, kind));
        }
        let given = [("theta", &self.theta), ("shape", &self.shape), ("scale", &self.scale)];
        let Some(media) = &self.media else {
            take("Robyn without `media`", &[], &given)?;
            return Ok(None);
        };
        needed(Some(media), "media", Domain::NonNegative, "Robyn")?;
        let wanted: &[(&str, Domain)] = match kind {
            "geometric" => &[("theta", Domain::Fraction)],
            _ => &[("shape", Domain::NonNegative), ("scale", Domain::Fraction)],
        };
        let parameters = take(&format!("the adstock {kind}"), wanted, &given)?;
        let (draws, own_arms) = draws_and_arms(&parameters)?;
        let (times, arms) = (media.draws, media.arms.unwrap_or(1));
        if own_arms != 1 && own_arms != arms {
            let field = parameters[0].0.into();
            return Err(Error::LengthMismatch { field, expected: arms, actual: own_arms });
        }
        let window = self.window.clone().unwrap_or(0..times);
        if window.is_empty() || window.end > times {
            let expected = format!("a range of periods inside 0..{times}");
            return Err(Error::out_of_domain("window", expected, format!("{window:?}")));
        }
        let windlen = self.windlen.unwrap_or(times);
        check_periods("windlen", windlen)?;
        let (mut highest, mut carryover) = (Vec::new(), Vec::new());
        for s in 0..draws {
            for i in 0..arms {
                let x: Vec<f64> = (0..times).map(|t| media.at(t, 0, i)).collect();
                let (first, second) =
                    (parameters[0].1.at(s, 0, i), parameters.last().map_or(0.0, |p| p.1.at(s, 0, i)));
                let kernel = match kind {
                    "geometric" => geometric(first, times),
                    _ if first <= 0.0 || second <= 0.0 => delta(1),
                    "weibull_cdf" => weibull_cdf(first, periods_of(second, windlen), windlen),
                    _ => weibull_pdf(first, periods_of(second, windlen), windlen),
                };
                let immediate = if kind == "weibull_pdf" { kernel[0] } else { 1.0 };
                let adstocked = convolve(&kernel, &x);
                let inside = || window.clone().map(|t| (adstocked[t], adstocked[t] - immediate * x[t]));
                highest.push(inside().map(|(y, _)| y).fold(0.0, f64::max));
                carryover.push((inside().map(|(_, c)| c).sum::<f64>() / count(window.len())).max(0.0));
            }
        }
        Ok(Some(History {
            max_adstocked: Parameter::draws(draws, arms, highest)?,
            carryover: Parameter::draws(draws, arms, carryover)?,
        }))
    }
}

/// `round(quantile(1:windlen, scale), 0)` in R: type 7, half to even.
fn periods_of(scale: f64, windlen: usize) -> f64 {
    (1.0 + count(windlen - 1) * scale).round_ties_even()
}

fn by_draw_and_arm(draws: usize, arms: usize, value: impl Fn(usize, usize) -> f64) -> Result<Parameter> {
    let values: Vec<f64> = (0..draws * arms).map(|at| value(at / arms, at % arms)).collect();
    Parameter::draws(draws, arms, values)
}
