//! A history to start from, out of a market of which everything is known.

use std::fmt::Write;

use adflow_core::{History, Market, MarketControl, MarketSettings, Promotion, Result};

/// Two years of weeks.
const WEEKS: usize = 104;
const CHANNELS: usize = 5;
const SEED: u64 = 8;

/// A market with five channels, a promotion every quarter, and a competitor's price.
///
/// # Errors
/// None: its settings are usable.
pub fn market() -> Result<Market> {
    let mut settings = MarketSettings::realistic(SEED, CHANNELS, WEEKS);
    let first = settings.start.plus(49)?;
    settings.baseline.promotions =
        vec![Promotion { name: "promotion".into(), first, days: 7, every: Some(91), lift: 0.2 }];
    settings.baseline.controls =
        vec![MarketControl { name: "competitor_price".into(), effect: 0.03, persistence: 0.7 }];
    Market::new(settings)
}

/// A history of one group as CSV, its columns named so that `adflow fit` finds them.
#[must_use]
pub fn csv(history: &History, outcome: &str) -> String {
    let channels = history.channels();
    let mut text = String::from("date");
    channels.iter().for_each(|channel| {
        let _ = write!(text, ",{channel}_spend");
    });
    history.holidays().for_each(|name| {
        let _ = write!(text, ",{name}");
    });
    history.controls().for_each(|name| {
        let _ = write!(text, ",control_{name}");
    });
    let _ = writeln!(text, ",{outcome}");
    let cell = |name: &str, period: usize| history.column(name).map_or(f64::NAN, |values| values[period]);
    for period in 0..history.periods() {
        text += &history.day(period).map_or_else(String::new, |day| day.to_string());
        for spend in &history.spend()[period * channels.len()..(period + 1) * channels.len()] {
            let _ = write!(text, ",{spend:.2}");
        }
        for name in history.holidays() {
            let _ = write!(text, ",{}", cell(name, period));
        }
        for name in history.controls() {
            let _ = write!(text, ",{:.4}", cell(name, period));
        }
        let _ = writeln!(text, ",{:.2}", history.outcome()[period]);
    }
    text
}
