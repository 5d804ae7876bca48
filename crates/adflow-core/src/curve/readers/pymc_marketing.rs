//! PyMC-Marketing: the saturated, adstocked media of a constant spend per period.

use super::{
    Named, assemble, check_periods, draws_and_arms, drop_negligible, or_one, stretched, take, unknown,
};
use crate::curve::adstock::{
    Level, binomial, constant_spend, delayed, delta, geometric, normalised, weibull_cdf, weibull_pdf,
};
use crate::curve::kind::{Domain, Kind};
use crate::curve::{Parameter, ResponseCurves};
use crate::elementary::ln_1p;
use crate::error::{Error, Result};

/// The parameters of a PyMC-Marketing media mix model, one arm per channel, under the names they have in its
/// posterior (`saturation_lam`, `adstock_alpha`, …), each a number, one per arm, or draws × arms.
///
/// x is the spend per period, the same in each of `num_periods` periods that start without carry-over, as in
/// PyMC-Marketing's budget optimiser. The curve is the response of all of them together,
///
/// ```text
/// f(x) = target_scale · mean over draws of Σ_t saturation( adstock(x, …, x, 0, …, 0)[t] / channel_scale )
/// ```
///
/// where `include_carryover` adds `l_max` periods without spend after the window. With `adstock_first = false` the
/// saturated media are adstocked instead.
///
/// | `saturation` | formula | parameters |
/// | --- | --- | --- |
/// | `"logistic"` | beta (1 − e^{−lam x})/(1 + e^{−lam x}) | lam, beta |
/// | `"inverse_scaled_logistic"` | the same with ln(3)/lam for lam | lam, beta |
/// | `"tanh"` | b tanh(x/(b c)) | b, c |
/// | `"tanh_baselined"` | beta gain x0 tanh(x artanh(r)/x0)/r | x0, gain, r, beta |
/// | `"michaelis_menten"` | alpha x/(lam + x) | alpha, lam |
/// | `"hill"` | beta x^slope/(kappa^slope + x^slope) | slope, kappa, beta |
/// | `"hill_sigmoid"` | sigma/(1 + e^{−beta(x−lam)}) − sigma/(1 + e^{beta lam}) | sigma, beta, lam |
/// | `"root"` | beta x^alpha | alpha, beta |
/// | `"log"` | beta ln(1 + x); on raw spend, so leave `channel_scale` at 1 | beta |
/// | `"none"` or `"no_saturation"` | beta x | beta |
///
/// | `adstock` | weight of lag l = 0..l_max−1 | parameters |
/// | --- | --- | --- |
/// | `"geometric"` | alpha^l | alpha |
/// | `"delayed"` | alpha^((l − theta)²) | alpha, theta |
/// | `"binomial"` | (1 − l/(l_max + 1))^(1/alpha − 1) | alpha |
/// | `"weibull_pdf"` | density at l + 1, from 0 (least) to 1 (greatest) | lam (scale), k (shape) |
/// | `"weibull_cdf"` | ∏_{t ≤ l} (1 − F(t)); versions before 1.0 have one weight more: give `l_max + 1` | lam, k |
/// | `"none"` or `"no_adstock"` | no carry-over | |
///
/// | field | meaning | default |
/// | --- | --- | --- |
/// | `l_max` | number of adstock weights | needed but for `"none"` |
/// | `normalize` | weights divided by their sum | true |
/// | `adstock_first` | adstock, then saturation | true |
/// | `channel_scale` | what a channel's spend is divided by (money), per arm | 1 |
/// | `target_scale` | what the response is multiplied by | 1 |
/// | `num_periods` | periods of the window | 1 |
/// | `include_carryover` | count the periods after the window too | true |
///
/// Convolution is PyMC-Marketing's mode "After".
///
/// # References
/// PyMC-Marketing 1.3, `pymc_marketing/mmm/transformers.py`, `components/saturation.py`, `components/adstock.py`,
/// `budget_optimizer.py`.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the tables above")]
pub struct PymcMarketing {
    pub saturation: String,
    pub saturation_lam: Option<Parameter>,
    pub saturation_beta: Option<Parameter>,
    pub saturation_alpha: Option<Parameter>,
    pub saturation_b: Option<Parameter>,
    pub saturation_c: Option<Parameter>,
    pub saturation_x0: Option<Parameter>,
    pub saturation_gain: Option<Parameter>,
    pub saturation_r: Option<Parameter>,
    pub saturation_slope: Option<Parameter>,
    pub saturation_kappa: Option<Parameter>,
    pub saturation_sigma: Option<Parameter>,
    pub adstock: String,
    pub adstock_alpha: Option<Parameter>,
    pub adstock_theta: Option<Parameter>,
    pub adstock_lam: Option<Parameter>,
    pub adstock_k: Option<Parameter>,
    pub l_max: Option<usize>,
    pub normalize: bool,
    pub adstock_first: bool,
    pub channel_scale: Option<Parameter>,
    pub target_scale: Option<Parameter>,
    pub num_periods: usize,
    pub include_carryover: bool,
}

impl Default for PymcMarketing {
    fn default() -> Self {
        Self {
            saturation: "logistic".into(),
            saturation_lam: None,
            saturation_beta: None,
            saturation_alpha: None,
            saturation_b: None,
            saturation_c: None,
            saturation_x0: None,
            saturation_gain: None,
            saturation_r: None,
            saturation_slope: None,
            saturation_kappa: None,
            saturation_sigma: None,
            adstock: "geometric".into(),
            adstock_alpha: None,
            adstock_theta: None,
            adstock_lam: None,
            adstock_k: None,
            l_max: None,
            normalize: true,
            adstock_first: true,
            channel_scale: None,
            target_scale: None,
            num_periods: 1,
            include_carryover: true,
        }
    }
}

impl ResponseCurves {
    /// The response of PyMC-Marketing's channels to a constant spend per period; see [`PymcMarketing`] for the
    /// formulae and the names.
    ///
    /// # Errors
    /// [`Error::OutOfDomain`] for a parameter that is missing, superfluous or outside its range, for an unknown
    /// saturation or adstock and for an adstock without any weight, [`Error::NotFinite`],
    /// [`Error::LengthMismatch`] where draws or arms disagree.
    ///
    /// # Examples
    /// ```
    /// use adflow_core::{PymcMarketing, ResponseCurves};
    ///
    /// let curves = ResponseCurves::from_pymc_marketing(&PymcMarketing {
    ///     saturation: "michaelis_menten".into(),
    ///     saturation_alpha: Some([2.0, 3.0].into()),
    ///     saturation_lam: Some([0.5, 0.4].into()),
    ///     adstock: "none".into(),
    ///     channel_scale: Some([1_000.0, 500.0].into()),
    ///     num_periods: 8,
    ///     ..PymcMarketing::default()
    /// })?;
    /// assert_eq!(curves.response(&[500.0, 200.0])?, [8.0, 12.0]);
    /// # Ok::<(), adflow_core::Error>(())
    /// ```
    pub fn from_pymc_marketing(model: &PymcMarketing) -> Result<Self> {
        let saturation = model.saturation()?;
        let adstock = model.adstock()?;
        let channel_scale = or_one(&model.channel_scale, "channel_scale", Domain::Positive)?;
        let target_scale = or_one(&model.target_scale, "target_scale", Domain::NonNegative)?;
        check_periods("num_periods", model.num_periods)?;
        let mut named = saturation.parameters.clone();
        named.extend(&adstock.parameters);
        named.extend([("channel_scale", &channel_scale), ("target_scale", &target_scale)]);
        let (draws, arms) = draws_and_arms(&named)?;

        let levels = adstock.levels(model, &saturation, (draws, arms))?;
        let terms = levels.len() / (draws * arms);
        assemble(saturation.kind, (draws, terms, arms), |s, term, i| {
            let level = levels[(s * arms + i) * terms + term];
            let scale = channel_scale.at(s, 0, i);
            let factor = level.periods * target_scale.at(s, 0, i);
            stretched(saturation.kind, saturation.at(s, i), level.media / scale, factor)
        })
    }
}

/// A saturation function as one of our families.
struct Saturation<'a> {
    kind: Kind,
    parameters: Vec<(&'static str, &'a Parameter)>,
    /// From PyMC-Marketing's parameters, in the order of `parameters`, to the family's.
    convert: fn([f64; 4]) -> [f64; 3],
}

impl Saturation<'_> {
    fn at(&self, draw: usize, arm: usize) -> [f64; 3] {
        let mut values = [0.0; 4];
        for (value, (_, parameter)) in values.iter_mut().zip(&self.parameters) {
            *value = parameter.at(draw, 0, arm);
        }
        (self.convert)(values)
    }
}

/// An adstock kernel by draw and arm.
struct Adstock<'a> {
    parameters: Vec<(&'static str, &'a Parameter)>,
    /// The weights, from the parameters in the order of `parameters`.
    kernel: fn([f64; 2], usize) -> Vec<f64>,
    l_max: usize,
}

const SATURATIONS: [&str; 10] = [
    "logistic",
    "inverse_scaled_logistic",
    "tanh",
    "tanh_baselined",
    "michaelis_menten",
    "hill",
    "hill_sigmoid",
    "root",
    "log",
    "none",
];
const ADSTOCKS: [&str; 6] = ["geometric", "delayed", "binomial", "weibull_pdf", "weibull_cdf", "none"];
/// ln 3: where the logistic curve is at half its height.
const LN_3: f64 = 1.098_612_288_668_109_8;

impl PymcMarketing {
    fn saturation(&self) -> Result<Saturation<'_>> {
        use Domain::{Exponent, NonNegative, OpenFraction, Positive, UnitInterval};
        let given: [Named<'_>; 11] = [
            ("saturation_lam", &self.saturation_lam),
            ("saturation_beta", &self.saturation_beta),
            ("saturation_alpha", &self.saturation_alpha),
            ("saturation_b", &self.saturation_b),
            ("saturation_c", &self.saturation_c),
            ("saturation_x0", &self.saturation_x0),
            ("saturation_gain", &self.saturation_gain),
            ("saturation_r", &self.saturation_r),
            ("saturation_slope", &self.saturation_slope),
            ("saturation_kappa", &self.saturation_kappa),
            ("saturation_sigma", &self.saturation_sigma),
        ];
        const BETA: (&str, Domain) = ("saturation_beta", NonNegative);
        const LAM: (&str, Domain) = ("saturation_lam", Positive);
        type Convert = fn([f64; 4]) -> [f64; 3];
        let (kind, wanted, convert): (Kind, &[(&'static str, Domain)], Convert) =
            match self.saturation.as_str() {
                "logistic" => (Kind::Logistic, &[BETA, LAM], |[beta, lam, ..]| [beta, lam, 0.0]),
                "inverse_scaled_logistic" => {
                    (Kind::Logistic, &[BETA, LAM], |[beta, lam, ..]| [beta, LN_3 / lam, 0.0])
                }
                "tanh" => (
                    Kind::Tanh,
                    &[("saturation_b", NonNegative), ("saturation_c", Positive)],
                    |[b, c, ..]| [b, c, 0.0],
                ),
                "tanh_baselined" => (
                    // tanh(u) is the logistic curve with λ = 2; 2 artanh(r) = ln((1 + r)/(1 − r)).
                    Kind::Logistic,
                    &[
                        BETA,
                        ("saturation_gain", NonNegative),
                        ("saturation_x0", Positive),
                        ("saturation_r", OpenFraction),
                    ],
                    |[beta, gain, x0, r]| [beta * gain * (x0 / r), (ln_1p(r) - ln_1p(-r)) / x0, 0.0],
                ),
                "michaelis_menten" => {
                    (Kind::MichaelisMenten, &[("saturation_alpha", NonNegative), LAM], |[alpha, lam, ..]| {
                        [alpha, lam, 0.0]
                    })
                }
                "hill" => (
                    Kind::Hill,
                    &[BETA, ("saturation_kappa", Positive), ("saturation_slope", Exponent)],
                    |[beta, kappa, slope, _]| [beta, kappa, slope],
                ),
                "hill_sigmoid" => (
                    Kind::HillSigmoid,
                    &[
                        ("saturation_sigma", NonNegative),
                        ("saturation_beta", Positive),
                        ("saturation_lam", NonNegative),
                    ],
                    |[sigma, beta, lam, _]| [sigma, beta, lam],
                ),
                "root" => (Kind::Power, &[BETA, ("saturation_alpha", UnitInterval)], |[beta, alpha, ..]| {
                    [beta, alpha, 0.0]
                }),
                "log" => (Kind::Logarithmic, &[BETA], |[beta, ..]| [beta, 1.0, 0.0]),
                "none" | "no_saturation" => (Kind::Linear, &[BETA], |[beta, ..]| [beta, 0.0, 0.0]),
                other => return Err(unknown("saturation", &SATURATIONS, other)),
            };
        let parameters = take(&format!("the saturation {}", self.saturation), wanted, &given)?;
        Ok(Saturation { kind, parameters, convert })
    }

    fn adstock(&self) -> Result<Adstock<'_>> {
        use Domain::{Exponent, Fraction, NonNegative, Positive};
        let given: [Named<'_>; 4] = [
            ("adstock_alpha", &self.adstock_alpha),
            ("adstock_theta", &self.adstock_theta),
            ("adstock_lam", &self.adstock_lam),
            ("adstock_k", &self.adstock_k),
        ];
        const ALPHA: (&str, Domain) = ("adstock_alpha", Fraction);
        const WEIBULL: &[(&str, Domain)] = &[("adstock_k", Exponent), ("adstock_lam", Positive)];
        type Kernel = fn([f64; 2], usize) -> Vec<f64>;
        let (wanted, kernel): (&[(&'static str, Domain)], Kernel) = match self.adstock.as_str() {
            "geometric" => (&[ALPHA], |[alpha, _], lags| geometric(alpha, lags)),
            "delayed" => {
                (&[ALPHA, ("adstock_theta", NonNegative)], |[alpha, theta], lags| delayed(alpha, theta, lags))
            }
            "binomial" => (&[ALPHA], |[alpha, _], lags| binomial(alpha, lags, lags + 1)),
            "weibull_pdf" => (WEIBULL, |[k, lam], lags| weibull_pdf(k, lam, lags)),
            "weibull_cdf" => (WEIBULL, |[k, lam], lags| weibull_cdf(k, lam, lags)),
            "none" | "no_adstock" => (&[], |_, _| delta(1)),
            other => return Err(unknown("adstock", &ADSTOCKS, other)),
        };
        let owner = format!("the adstock {}", self.adstock);
        let parameters = take(&owner, wanted, &given)?;
        let l_max = match self.l_max {
            Some(l_max) => l_max,
            None if parameters.is_empty() => 1,
            None => return Err(Error::out_of_domain("l_max", format!("given: {owner} needs it"), "nothing")),
        };
        check_periods("l_max", l_max)?;
        Ok(Adstock { parameters, kernel, l_max })
    }
}

impl Adstock<'_> {
    /// The levels of every draw and arm: `[draws][arms][terms]`.
    fn levels(
        &self,
        model: &PymcMarketing,
        saturation: &Saturation<'_>,
        (draws, arms): (usize, usize),
    ) -> Result<Vec<Level>> {
        let tail = if model.include_carryover { self.l_max } else { 0 };
        let mut all = Vec::new();
        for s in 0..draws {
            for i in 0..arms {
                let mut values = [0.0; 2];
                for (value, (_, parameter)) in values.iter_mut().zip(&self.parameters) {
                    *value = parameter.at(s, 0, i);
                }
                let mut weights = (self.kernel)(values, self.l_max);
                if model.normalize {
                    weights = normalised(weights).ok_or_else(|| {
                        let name = self.parameters.first().map_or("adstock", |(name, _)| *name);
                        Error::out_of_domain(name, "such that some lag has a weight above 0", values[0])
                    })?;
                }
                let mut levels = constant_spend(&weights, model.num_periods, tail);
                if model.adstock_first {
                    drop_negligible(&mut levels, saturation.kind, saturation.at(s, i));
                    all.extend(levels);
                } else {
                    // Adstock is linear: the saturated spend arrives as often as the weights say.
                    let arrived = levels.iter().map(|level| level.media * level.periods).sum();
                    all.push(Level { media: 1.0, periods: arrived });
                }
            }
        }
        Ok(all)
    }
}
