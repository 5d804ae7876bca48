//! Meridian (Google): incremental outcome of a channel as its historical flighting is scaled.

use super::{assemble, check_periods, draws_and_arms, is_negligible, needed, or_one, unknown};
use crate::curve::ResponseCurves;
use crate::curve::adstock::{binomial, convolve, geometric, normalised};
use crate::curve::kind::{Domain, Kind};
use crate::curve::parameter::{Parameter, common_shape};
use crate::error::{Error, Result};

/// The posterior and the media of a Meridian model, one arm per channel, under Meridian's own names.
///
/// x is a channel's total spend over the history given: at x its media are the historical ones times
/// `k = x / spend`, in every geo and period. The curve is the incremental outcome,
///
/// ```text
/// f(x) = mean over draws of Σ_g Σ_t outcome_per_unit[g,t] · beta_gm[g] · Hill(Adstock(k · media_scaled))[g,t]
///
/// Adstock(m)[t] = Σ_l w[l] m[t − l] / Σ_l w[l],   l = 0..W−1,   W = min(max_lag + 1, number of media times)
///     geometric: w[l] = alpha_m^l              binomial: w[l] = (1 − l/W)^(1/alpha_m − 1)
/// Hill(a) = a^slope_m / (a^slope_m + ec_m^slope_m)
/// ```
///
/// with Hill and Adstock the other way round for `hill_before_adstock`.
///
/// | field | meaning | shape | range, default |
/// | --- | --- | --- | --- |
/// | `alpha_m` | adstock retention | draws × arms | 0 to 1 |
/// | `ec_m` | half saturation (scaled media) | draws × arms | > 0 |
/// | `slope_m` | Hill exponent | draws × arms | 0.001 to 100, default 1 |
/// | `beta_gm` | coefficient | draws × geos × arms: `Parameter::terms(draws, geos, arms, …)`; draws × arms where all geos share it | ≥ 0 |
/// | `media_scaled` | media as the model sees them: per head, over the median | geos × times × arms: `Parameter::terms(geos, times, arms, …)`; times × arms for one geo | ≥ 0 |
/// | `spend` | total spend that bought these media (money) | arms | > 0 |
/// | `outcome_per_unit` | outcome per unit of scaled KPI: revenue per KPI × the geo's KPI scale (standard deviation × population) | geos × times: `Parameter::draws(geos, times, …)`; times where all geos share them, or one number | ≥ 0, default 1 |
/// | `max_lag` | longest carry-over | | default 8 |
/// | `adstock` | `"geometric"` (default) or `"binomial"` | | |
/// | `hill_before_adstock` | the order | | default false |
///
/// `media_scaled` may start earlier than the outcome: the last columns of the two are the same period, and what
/// comes before only carries over. A channel of reach and frequency is linear in its reach: give its outcome per
/// spend to [`ResponseCurves::linear`].
///
/// Every geo and period in which a channel has media is one term of its curve in every draw; thin out the draws
/// where that gets too large.
///
/// # References
/// Meridian, `meridian/model/adstock_hill.py` and `meridian/analysis/analyzer.py` (`incremental_outcome`); Jin et
/// al., *Bayesian Methods for Media Mix Modeling with Carryover and Shape Effects* (2017).
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the table above")]
pub struct Meridian {
    pub alpha_m: Option<Parameter>,
    pub ec_m: Option<Parameter>,
    pub slope_m: Option<Parameter>,
    pub beta_gm: Option<Parameter>,
    pub media_scaled: Option<Parameter>,
    pub spend: Option<Parameter>,
    pub outcome_per_unit: Option<Parameter>,
    pub max_lag: usize,
    pub adstock: String,
    pub hill_before_adstock: bool,
}

impl Default for Meridian {
    fn default() -> Self {
        Self {
            alpha_m: None,
            ec_m: None,
            slope_m: None,
            beta_gm: None,
            media_scaled: None,
            spend: None,
            outcome_per_unit: None,
            max_lag: 8,
            adstock: "geometric".into(),
            hill_before_adstock: false,
        }
    }
}

/// A geo × time grid of outcome per unit, aligned with the end of the media.
struct Outcome<'a> {
    per_unit: &'a Parameter,
    times: usize,
}

impl Outcome<'_> {
    fn at(&self, geo: usize, time: usize) -> f64 {
        self.per_unit.at(geo, 0, time)
    }
}

/// One term of a channel's curve: `weight · beta · Hill(k · media)`.
#[derive(Clone, Copy)]
struct Cell {
    media: f64,
    weight: f64,
}

impl ResponseCurves {
    /// The incremental outcome of Meridian's media channels; see [`Meridian`] for the formula and the names.
    ///
    /// # Errors
    /// [`Error::OutOfDomain`] for a parameter that is missing or outside its range and for an unknown adstock,
    /// [`Error::NotFinite`], [`Error::LengthMismatch`] where draws, geos, times or arms disagree.
    ///
    /// # Examples
    /// ```
    /// use adflow_core::{Meridian, Parameter, ResponseCurves};
    ///
    /// // One geo, three weeks of media of one channel, no carry-over, two draws.
    /// let curves = ResponseCurves::from_meridian(&Meridian {
    ///     alpha_m: Some(0.0.into()),
    ///     ec_m: Some(1.0.into()),
    ///     beta_gm: Some(Parameter::draws(2, 1, [0.2, 0.4])?),
    ///     media_scaled: Some(Parameter::draws(3, 1, [1.0, 0.0, 1.0])?),
    ///     spend: Some(500.0.into()),
    ///     outcome_per_unit: Some(1_000.0.into()),
    ///     ..Meridian::default()
    /// })?;
    /// // As spent: two weeks at half saturation.
    /// assert!((curves.response(&[500.0])?[0] - 2.0 * 1_000.0 * 0.3 * 0.5).abs() < 1e-9);
    /// # Ok::<(), adflow_core::Error>(())
    /// ```
    pub fn from_meridian(meridian: &Meridian) -> Result<Self> {
        let owner = "Meridian";
        let alpha = needed(meridian.alpha_m.as_ref(), "alpha_m", Domain::Fraction, owner)?;
        let ec = needed(meridian.ec_m.as_ref(), "ec_m", Domain::Positive, owner)?;
        let slope = &or_one(&meridian.slope_m, "slope_m", Domain::Exponent)?;
        let beta = needed(meridian.beta_gm.as_ref(), "beta_gm", Domain::NonNegative, owner)?;
        let media = needed(meridian.media_scaled.as_ref(), "media_scaled", Domain::NonNegative, owner)?;
        let spend = needed(meridian.spend.as_ref(), "spend", Domain::Positive, owner)?;
        let per_unit = &or_one(&meridian.outcome_per_unit, "outcome_per_unit", Domain::NonNegative)?;
        if !ADSTOCKS.contains(&meridian.adstock.as_str()) {
            return Err(unknown("adstock", &ADSTOCKS, &meridian.adstock));
        }
        check_periods("max_lag", meridian.max_lag.saturating_add(1))?;

        // times × arms is one geo.
        let (geos, times) = if media.terms > 1 { (media.draws, media.terms) } else { (1, media.draws) };
        let media_at = |g: usize, t: usize, i: usize| match media.terms {
            1 => media.at(t, 0, i),
            _ => media.at(g, t, i),
        };
        agree("beta_gm (geos)", beta.terms, geos)?;
        agree("outcome_per_unit (geos)", per_unit.draws, geos)?;
        agree("spend (draws)", spend.draws, 1)?;
        let outcome_times = match per_unit.arms {
            Some(times) if times > 1 => times,
            _ => times,
        };
        if per_unit.terms != 1 || outcome_times > times {
            let field = "outcome_per_unit".into();
            return Err(Error::LengthMismatch {
                field,
                expected: times,
                actual: per_unit.terms * outcome_times,
            });
        }
        let outcome = Outcome { per_unit, times: outcome_times };
        let own = [("ec_m", ec), ("alpha_m", alpha), ("slope_m", slope), ("spend", spend)];
        draws_and_arms(&own)?;
        let (draws, _, arms) = common_shape(&[&own[..], &[("beta_gm", beta)]].concat())?;
        let media_arms = media.arms.unwrap_or(1);
        if arms != 1 && media_arms != 1 && media_arms != arms {
            let field = "media_scaled".into();
            return Err(Error::LengthMismatch { field, expected: arms, actual: media_arms });
        }
        let arms = arms.max(media_arms);

        let per_geo = if meridian.hill_before_adstock { times } else { outcome.times };
        // The cells of one draw at a time: `[arms][geos][per_geo]`.
        let mut cells = Vec::with_capacity(arms * geos * per_geo);
        let mut filled = None;
        assemble(Kind::Hill, (draws, geos * per_geo, arms), |s, term, i| {
            if filled != Some(s) {
                filled = Some(s);
                cells.clear();
                for arm in 0..arms {
                    let kernel = meridian.kernel(alpha.at(s, 0, arm), times);
                    let first = cells.len();
                    for g in 0..geos {
                        let history: Vec<f64> = (0..times).map(|t| media_at(g, t, arm)).collect();
                        meridian.add_cells(&kernel, &history, &outcome, g, &mut cells);
                    }
                    let own = &mut cells[first..];
                    let largest = own.iter().map(|cell| cell.media).fold(0.0, f64::max);
                    let shape = [0.0, 0.0, slope.at(s, 0, arm)];
                    own.iter_mut()
                        .filter(|cell| is_negligible(Kind::Hill, shape, cell.media / largest))
                        .for_each(|cell| cell.media = 0.0);
                }
            }
            let cell = cells[i * geos * per_geo + term];
            let weight = cell.weight * beta.at(s, term / per_geo, i);
            // A cell without media answers nothing at any spend.
            match cell.media > 0.0 && weight > 0.0 {
                true => [weight, ec.at(s, 0, i) * spend.at(0, 0, i) / cell.media, slope.at(s, 0, i)],
                false => [0.0, 1.0, slope.at(s, 0, i)],
            }
        })
    }
}

const ADSTOCKS: [&str; 2] = ["geometric", "binomial"];

impl Meridian {
    /// The weights of the lags, of sum 1: weight 1 at lag 0 before that, so the sum is not 0.
    fn kernel(&self, alpha: f64, times: usize) -> Vec<f64> {
        let lags = times.min(self.max_lag.saturating_add(1));
        let weights =
            if self.adstock == "binomial" { binomial(alpha, lags, lags) } else { geometric(alpha, lags) };
        normalised(weights).unwrap_or_default()
    }

    /// Adds the cells of one geo of one channel.
    fn add_cells(
        &self,
        kernel: &[f64],
        media: &[f64],
        outcome: &Outcome<'_>,
        geo: usize,
        cells: &mut Vec<Cell>,
    ) {
        let before = media.len() - outcome.times;
        if self.hill_before_adstock {
            // Σ_t o[t] Σ_l w[l] Hill(m[t−l]) = Σ_τ Hill(m[τ]) Σ_l w[l] o[τ+l]
            cells.extend(media.iter().enumerate().map(|(source, &media)| {
                let reached = source.max(before)..media_end(source, kernel.len(), before + outcome.times);
                let weight = reached.map(|t| kernel[t - source] * outcome.at(geo, t - before)).sum();
                Cell { media, weight }
            }));
        } else {
            let adstocked = convolve(kernel, media);
            let last = adstocked[before..].iter().enumerate();
            cells.extend(last.map(|(t, &media)| Cell { media, weight: outcome.at(geo, t) }));
        }
    }
}

/// One past the last period that media of `source` reach.
fn media_end(source: usize, lags: usize, periods: usize) -> usize {
    (source + lags).min(periods)
}

fn agree(field: &str, own: usize, expected: usize) -> Result<()> {
    if own == 1 || own == expected {
        return Ok(());
    }
    Err(Error::LengthMismatch { field: field.into(), expected, actual: own })
}
