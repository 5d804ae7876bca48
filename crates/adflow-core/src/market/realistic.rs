//! Markets as marketing-mix models meet them, drawn at random.

use super::randomness::{Purpose, Randomness};
use super::settings::{
    Flighting, MarketBaseline, MarketChannel, MarketNoise, MarketSettings, MediaEffect, Promotion,
    SpendProcess,
};
use crate::curve::carry_over::Adstock;
use crate::elementary::exp;

const NAMES: [&str; 10] =
    ["search", "social", "tv", "video", "display", "shopping", "radio", "outdoor", "print", "affiliates"];

impl MarketSettings {
    /// A typical weekly market, its settings drawn from these ranges (uniform, but for ROAS).
    ///
    /// | what | range |
    /// | --- | --- |
    /// | expected outcome | 100,000 a week at the level of the start |
    /// | media's share of it | 15 to 40 %, split among channels by weights from 0.5 to 1.5 |
    /// | ROAS | about lognormal with median 2 and spread 0.5, which puts two thirds in 1.2 to 3.3 |
    /// | adstock | geometric, retention 0.1 to 0.7, 13 weeks at most |
    /// | Hill slope | 0.8 to 2 |
    /// | half saturation | 0.5 to 2 times the media of the mean spend |
    /// | spend from week to week | spread 0.3 to 0.6, persistence 0 to 0.5, correlation 0.3, 0 to 40 % more at the peak |
    /// | flights | every third channel: 4 to 10 weeks on, 2 to 6 off |
    /// | trend, yearly wave, half-yearly wave | −5 to 10 % a year, 5 to 20 %, −5 to 5 %, peak at any time |
    /// | promotions | three weeks a year, on fixed dates, 10 to 30 % more |
    /// | noise | normal, 4 to 8 % |
    ///
    /// ROAS over the history is not exactly what was drawn: shares are, and spends have their noise.
    #[must_use]
    pub fn realistic(seed: u64, channels: usize, periods: usize) -> Self {
        let randomness = Randomness::new(seed);
        let mut draw = randomness.at(Purpose::Settings, 0, 0, 0);
        const OUTCOME: f64 = 100_000.0;
        let media = draw.between(0.15, 0.40);
        let noise = draw.between(0.04, 0.08);
        let default = Self::default();
        let first = |days: i64| default.start.plus(days).unwrap_or(default.start);
        let mut promotions = Vec::new();
        // Within two months of the season that the name says.
        for (name, season) in [("spring sale", 70), ("summer sale", 180), ("holiday sale", 290)] {
            promotions.push(Promotion {
                name: name.into(),
                first: first(season + i64::from(whole(draw.between(0.0, 60.0)))),
                days: 7,
                every: Some(364), // the same weekday
                lift: draw.between(0.10, 0.30),
            });
        }
        let baseline = MarketBaseline {
            level: OUTCOME * (1.0 - media),
            trend: draw.between(-0.05, 0.10),
            yearly: draw.between(0.05, 0.20),
            half_yearly: draw.between(-0.05, 0.05),
            peak: draw.between(0.0, 1.0),
            promotions,
            ..MarketBaseline::default()
        };
        let mut places: Vec<_> = (0..channels).map(|i| randomness.at(Purpose::Settings, 1, i, 0)).collect();
        let weights: Vec<f64> = places.iter_mut().map(|place| place.between(0.5, 1.5)).collect();
        let sum: f64 = weights.iter().sum();
        let of = |(i, place): (usize, &mut super::randomness::Sequence)| {
            let share = media * weights[i] / sum;
            let roas = 2.0 * exp(0.5 * place.normal());
            let spend = SpendProcess {
                mean: share * OUTCOME / roas,
                variation: place.between(0.3, 0.6),
                persistence: place.between(0.0, 0.5),
                correlation: 0.3,
                seasonal: place.between(0.0, 0.4),
                flighting: (i % 3 == 2).then(|| Flighting {
                    on: whole(place.between(4.0, 11.0)),
                    off: whole(place.between(2.0, 7.0)),
                    shift: whole(place.between(0.0, 10.0)),
                }),
            };
            let name = NAMES.get(i).map_or_else(|| format!("channel {}", i + 1), |name| (*name).into());
            MarketChannel {
                effect: MediaEffect::Share(share),
                half_saturation: place.between(0.5, 2.0),
                slope: place.between(0.8, 2.0),
                adstock: Adstock::geometric(place.between(0.1, 0.7), 13, true),
                spend,
                ..MarketChannel::new(name, spend.mean)
            }
        };
        let channels = places.iter_mut().enumerate().map(of).collect();
        Self { seed, periods, channels, baseline, noise: MarketNoise::Gaussian { share: noise }, ..default }
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "drawn between 0 and 100")]
fn whole(value: f64) -> u32 {
    value as u32
}
