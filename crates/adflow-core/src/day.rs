//! A day of the calendar.

use std::fmt;

use jiff::civil::Date;

use crate::error::{Error, Result};

/// A day of the Gregorian calendar, from the year 1 to 9999; written and read as `2026-11-23`.
///
/// # Examples
/// ```
/// use adflow_core::Day;
///
/// let day = Day::parse("2026-11-23")?;
/// assert_eq!(day.plus(7)?.to_string(), "2026-11-30");
/// assert_eq!((day.weekday(), day.days_since(Day::parse("2026-11-01")?)), (0, 22));
/// # Ok::<(), adflow_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(Date);

impl Day {
    /// Reads `YYYY-MM-DD`; a time of day after it (`T00:00:00`) is left out.
    ///
    /// # Errors
    /// [`Error::Malformed`] for any other text.
    pub fn parse(text: &str) -> Result<Self> {
        let date = text.trim().split(['T', ' ']).next().unwrap_or_default();
        date.parse().map(Self).map_err(|_| Error::Malformed {
            path: "date".into(),
            reason: format!("expected a day like 2026-11-23, got {text:?}"),
        })
    }

    /// The day so many days after 1970-01-01.
    ///
    /// # Errors
    /// [`Error::OutOfDomain`] outside the years 1 to 9999.
    pub fn from_days_since_1970(days: i64) -> Result<Self> {
        Self(Date::constant(1970, 1, 1)).plus(days)
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub fn days_since_1970(self) -> i64 {
        self.days_since(Self(Date::constant(1970, 1, 1)))
    }

    /// Days from another day to this one.
    #[must_use]
    pub fn days_since(self, other: Self) -> i64 {
        i64::from((self.0 - other.0).get_days())
    }

    /// The day so many days later, or earlier for a negative number.
    ///
    /// # Errors
    /// [`Error::OutOfDomain`] outside the years 1 to 9999.
    pub fn plus(self, days: i64) -> Result<Self> {
        let outside =
            || Error::out_of_domain("date", "in the years 1 to 9999", format!("{self} + {days} days"));
        let span = jiff::Span::new().try_days(days).map_err(|_| outside())?;
        let date = self.0.checked_add(span).map_err(|_| outside())?;
        if date.year() < 1 { Err(outside()) } else { Ok(Self(date)) }
    }

    /// 0 for Monday to 6 for Sunday.
    #[must_use]
    #[allow(clippy::cast_sign_loss, reason = "0 to 6")]
    pub fn weekday(self) -> usize {
        self.0.weekday().to_monday_zero_offset() as usize
    }

    /// The share of its year that lies before this day: 0 on January 1.
    #[must_use]
    pub fn share_of_year(self) -> f64 {
        f64::from(self.0.day_of_year() - 1) / f64::from(self.0.days_in_year())
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_and_written() {
        let day = Day::parse("2024-02-29T00:00:00").unwrap();
        assert_eq!(day.to_string(), "2024-02-29");
        assert_eq!(Day::from_days_since_1970(day.days_since_1970()).unwrap(), day);
        assert_eq!(day.plus(1).unwrap().to_string(), "2024-03-01");
        assert!((Day::parse("2025-12-31").unwrap().share_of_year() - 364.0 / 365.0).abs() < 1e-15);
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for text in ["", "2023-02-29", "23/11/2026", "2026-13-01"] {
            assert_eq!(Day::parse(text).unwrap_err().code(), "malformed");
        }
        assert_eq!(Day::parse("9999-12-31").unwrap().plus(1).unwrap_err().code(), "out_of_domain");
        assert_eq!(Day::from_days_since_1970(i64::MIN).unwrap_err().code(), "out_of_domain");
    }
}
