//! What the outcome would be without any channel: the columns of a linear predictor.

use serde::{Deserialize, Serialize};

use super::model::Trend;
use crate::error::{Error, Result};
use crate::history::History;

/// One column of the baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Column {
    Intercept,
    /// t/(T − 1) − ½.
    Trend,
    /// (t/(T − 1) − at)₊.
    Knot {
        at: f64,
    },
    /// sin or cos of 2π · harmonic · (share of the year that has passed).
    Season {
        harmonic: usize,
        cosine: bool,
    },
    /// 1 on the day, −1 on Sundays, 0 else.
    Weekday(usize),
    Holiday(String),
    /// (value − mean)/std.
    Control {
        name: String,
        mean: f64,
        std: f64,
    },
}

/// The part of the baseline that a column belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Intercept,
    Trend,
    Season,
    Weekday,
    Holiday,
    Control,
}

const DAYS: [&str; 6] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

impl Column {
    /// The parameter's name.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Intercept => "intercept".into(),
            Self::Trend => "trend".into(),
            Self::Knot { at } => format!("knot[{at:.3}]"),
            Self::Season { harmonic, cosine } => {
                format!("season[{} {harmonic}]", if *cosine { "cos" } else { "sin" })
            }
            Self::Weekday(day) => format!("weekday[{}]", DAYS[*day]),
            Self::Holiday(name) => format!("holiday[{name}]"),
            Self::Control { name, .. } => format!("control[{name}]"),
        }
    }

    /// The part, and with it the word under which users set its prior.
    pub(crate) fn part(&self) -> Part {
        match self {
            Self::Intercept => Part::Intercept,
            Self::Trend | Self::Knot { .. } => Part::Trend,
            Self::Season { .. } => Part::Season,
            Self::Weekday(_) => Part::Weekday,
            Self::Holiday(_) => Part::Holiday,
            Self::Control { .. } => Part::Control,
        }
    }

    /// The word under which users set its prior.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Intercept => "intercept",
            Self::Trend => "trend",
            Self::Knot { .. } => "knot",
            Self::Season { .. } => "season",
            Self::Weekday(_) => "weekday",
            Self::Holiday(_) => "holiday",
            Self::Control { .. } => "control",
        }
    }

    /// The column's numbers for a history, `[group][period]`; the trend runs over its first `length` periods, and on.
    pub(crate) fn values(&self, history: &History, length: usize) -> Result<Vec<f64>> {
        let groups = history.groups().len();
        let by_period = |value: &dyn Fn(usize) -> Result<f64>| -> Result<Vec<f64>> {
            let one: Vec<f64> = (0..history.periods()).map(value).collect::<Result<_>>()?;
            Ok((0..groups).flat_map(|_| one.iter().copied()).collect())
        };
        #[allow(clippy::cast_precision_loss, reason = "counts of periods")]
        let passed = |period: usize| period as f64 / length.saturating_sub(1).max(1) as f64;
        let day = |period: usize| history.day(period).ok_or_else(|| Error::Empty { field: "dates".into() });
        let column = |name: &str| -> Result<Vec<f64>> {
            let values = history.column(name).map(<[f64]>::to_vec);
            values.ok_or_else(|| Error::UnknownName { field: "history".into(), name: name.into() })
        };
        match self {
            Self::Intercept => Ok(vec![1.0; groups * history.periods()]),
            Self::Trend => by_period(&|period| Ok(passed(period) - 0.5)),
            Self::Knot { at } => by_period(&|period| Ok((passed(period) - at).max(0.0))),
            Self::Season { harmonic, cosine } => by_period(&|period| {
                #[allow(clippy::cast_precision_loss, reason = "a small count")]
                let angle = std::f64::consts::TAU * *harmonic as f64 * day(period)?.share_of_year();
                Ok(if *cosine { libm::cos(angle) } else { libm::sin(angle) })
            }),
            Self::Weekday(of) => by_period(&|period| {
                Ok(match day(period)?.weekday() {
                    6 => -1.0,
                    weekday => f64::from(u8::from(weekday == *of)),
                })
            }),
            Self::Holiday(name) => column(name),
            Self::Control { name, mean, std } => {
                Ok(column(name)?.iter().map(|value| (value - mean) / std).collect())
            }
        }
    }
}

/// The columns that a model puts into its baseline for a history.
pub(crate) fn columns(
    history: &History,
    trend: Trend,
    yearly: Option<usize>,
    weekdays: Option<bool>,
) -> Result<Vec<Column>> {
    let mut columns = vec![Column::Intercept];
    if trend != Trend::None {
        columns.push(Column::Trend);
    }
    if let Trend::Knots(knots) = trend {
        if !(1..=100).contains(&knots) || knots >= history.periods() {
            let expected = "from 1 to 100, and fewer than the periods";
            return Err(Error::out_of_domain("trend.knots", expected, knots));
        }
        #[allow(clippy::cast_precision_loss, reason = "at most 100")]
        columns.extend((1..=knots).map(|knot| Column::Knot { at: knot as f64 / (knots + 1) as f64 }));
    }
    let span = history.days_per_period().map_or(0, |days| days as usize * history.periods());
    let harmonics = yearly.unwrap_or(if span >= 364 { 2 } else { 0 });
    if harmonics > 20 {
        return Err(Error::out_of_domain("yearly", "from 0 to 20 harmonics", harmonics));
    }
    if harmonics > 0 && span == 0 {
        return Err(Error::out_of_domain("yearly", "0 for a history without dates", harmonics));
    }
    for harmonic in 1..=harmonics {
        columns.push(Column::Season { harmonic, cosine: false });
        columns.push(Column::Season { harmonic, cosine: true });
    }
    let daily = history.days_per_period() == Some(1);
    if weekdays == Some(true) && !daily {
        return Err(Error::out_of_domain("weekdays", "false unless the history has daily dates", true));
    }
    if weekdays.unwrap_or(history.periods() >= 14) && daily {
        columns.extend((0..6).map(Column::Weekday));
    }
    columns.extend(history.holidays().map(|name| Column::Holiday(name.into())));
    for name in history.controls() {
        let values = history.column(name).unwrap_or_default();
        #[allow(clippy::cast_precision_loss, reason = "a count")]
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / count;
        // A column that does not vary is all zero, and its effect what the prior says.
        let varies = variance.sqrt() > 1e-12 * mean.abs();
        let std = if varies { variance.sqrt() } else { 1.0 };
        columns.push(Column::Control { name: name.into(), mean, std });
    }
    Ok(columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::day::Day;

    fn history(days: u32) -> History {
        let outcome: Vec<f64> = (0..60).map(f64::from).collect();
        let spend = vec![1.0; 60];
        let control: Vec<f64> = (0..60).map(|t| f64::from(t % 3)).collect();
        History::new(["tv"], &spend, &outcome)
            .unwrap()
            .starting(Day::parse("2024-01-01").unwrap(), days)
            .unwrap()
            .with_control("price", &control)
            .unwrap()
    }

    #[test]
    fn columns_follow_the_calendar() {
        let weekly = columns(&history(7), Trend::Linear, None, None).unwrap();
        let names: Vec<String> = weekly.iter().map(Column::name).collect();
        assert_eq!(
            names,
            [
                "intercept",
                "trend",
                "season[sin 1]",
                "season[cos 1]",
                "season[sin 2]",
                "season[cos 2]",
                "control[price]"
            ]
        );
        let daily = columns(&history(1), Trend::None, None, None).unwrap();
        assert_eq!(daily.len(), 1 + 6 + 1);
        let saturday = daily[6].values(&history(1), 60).unwrap();
        // 2024-01-01 was a Monday.
        assert_eq!(saturday[..7], [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, -1.0]);
    }

    #[test]
    fn controls_are_standardised_and_seasons_are_waves() {
        let history = history(7);
        let all = columns(&history, Trend::Knots(1), None, None).unwrap();
        let price = all.last().unwrap().values(&history, 60).unwrap();
        assert!(price.iter().sum::<f64>().abs() < 1e-12);
        assert!((price.iter().map(|v| v * v).sum::<f64>() - 60.0).abs() < 1e-10);
        let knot = all[2].values(&history, 60).unwrap();
        assert!(knot[29].abs() < 1e-15 && (knot[59] - 0.5).abs() < 1e-15);
        let sine = all[3].values(&history, 60).unwrap();
        // Thirteen weeks into a leap year: 91 of 366 days.
        assert!((sine[13] - (std::f64::consts::TAU * 91.0 / 366.0).sin()).abs() < 1e-15);
        // The trend goes on past the end.
        let trend = all[1].values(&history, 30).unwrap();
        assert!((trend[29] - 0.5).abs() < 1e-15 && trend[30] > 0.5);
    }

    #[test]
    fn seasons_need_dates() {
        let bare = History::new(["tv"], &[1.0; 20], &[2.0; 20]).unwrap();
        assert!(columns(&bare, Trend::Linear, Some(2), None).is_err());
        assert!(columns(&bare, Trend::Linear, None, Some(true)).is_err());
        assert!(columns(&bare, Trend::Knots(0), None, None).is_err());
    }
}
