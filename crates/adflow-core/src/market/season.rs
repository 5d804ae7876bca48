//! What comes without media: trend, seasons, promotions and controls.

use super::normal::cosine;
use super::randomness::{Purpose, Randomness};
use super::settings::{MarketBaseline, MarketSettings, Promotion};
use crate::day::Day;
use crate::error::Result;

/// Days of a mean year.
const YEAR: f64 = 365.25;

/// What the calendar and the controls say about every period, the same for all groups.
pub(crate) struct Seasons {
    /// Baseline over level; may be below 0 before it is used.
    pub(crate) index: Vec<f64>,
    /// Share of each period's days that a promotion has, `[promotion][period]`.
    pub(crate) promotions: Vec<Vec<f64>>,
    /// `[control][period]`.
    pub(crate) controls: Vec<Vec<f64>>,
    /// cos 2π(year − peak), mean over the period's days.
    pub(crate) wave: Vec<f64>,
}

impl Seasons {
    pub(crate) fn new(settings: &MarketSettings, randomness: &Randomness, periods: usize) -> Result<Self> {
        let baseline = &settings.baseline;
        let controls: Vec<Vec<f64>> = (0..baseline.controls.len())
            .map(|at| control(randomness, at, baseline.controls[at].persistence, periods))
            .collect();
        let mut seasons = Self {
            index: Vec::with_capacity(periods),
            promotions: vec![Vec::with_capacity(periods); baseline.promotions.len()],
            controls,
            wave: Vec::with_capacity(periods),
        };
        let length = i64::from(settings.days_per_period);
        for (period, from) in
            (0..i64::MAX).step_by(settings.days_per_period as usize).take(periods).enumerate()
        {
            let (mut index, mut wave) = (0.0, 0.0);
            let mut running = vec![0.0; baseline.promotions.len()];
            for offset in from..from + length {
                let day = settings.start.plus(offset)?;
                index += of_day(baseline, day, settings.start);
                wave += cosine(day.share_of_year() - baseline.peak);
                for (days, promotion) in running.iter_mut().zip(&baseline.promotions) {
                    if runs(promotion, day) {
                        *days += 1.0;
                        index += promotion.lift;
                    }
                }
            }
            let days = f64::from(settings.days_per_period);
            let known: f64 = baseline
                .controls
                .iter()
                .zip(&seasons.controls)
                .map(|(control, values)| control.effect * values[period])
                .sum();
            seasons.index.push(index / days + known);
            seasons.wave.push(wave / days);
            for (shares, run) in seasons.promotions.iter_mut().zip(running) {
                shares.push(run / days);
            }
        }
        Ok(seasons)
    }
}

/// Years from the start to the beginning of a period.
#[allow(clippy::cast_precision_loss, reason = "periods are few")]
pub(crate) fn years(settings: &MarketSettings, period: usize) -> f64 {
    period as f64 * f64::from(settings.days_per_period) / YEAR
}

#[allow(clippy::cast_precision_loss, reason = "days are few")]
fn of_day(baseline: &MarketBaseline, day: Day, start: Day) -> f64 {
    let since = day.days_since(start) as f64 / YEAR;
    let turn = day.share_of_year() - baseline.peak;
    1.0 + baseline.trend * since
        + baseline.yearly * cosine(turn)
        + baseline.half_yearly * cosine(2.0 * turn)
        + baseline.weekday[day.weekday()]
}

fn runs(promotion: &Promotion, day: Day) -> bool {
    let since = day.days_since(promotion.first);
    let into = match promotion.every {
        Some(every) if since >= 0 => since % i64::from(every),
        _ => since,
    };
    (0..i64::from(promotion.days)).contains(&into)
}

fn control(randomness: &Randomness, at: usize, persistence: f64, periods: usize) -> Vec<f64> {
    let news = (1.0 - persistence * persistence).sqrt();
    let mut value = 0.0;
    (0..periods)
        .map(|t| {
            let normal = randomness.normal(Purpose::Control, 0, at, t);
            // The first is as far from 0 as any.
            value = if t == 0 { normal } else { persistence * value + news * normal };
            value
        })
        .collect()
}
