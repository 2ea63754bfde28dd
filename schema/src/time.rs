//! Time as Tidegate keeps it: microseconds since 1970-01-01T00:00:00Z, and the ways in which producers write it.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, NaiveDateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

/// A point in time, in microseconds, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

/// A half-open span of time: `from` belongs to it, `to` does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeRange {
    /// First instant inside.
    pub from: Timestamp,
    /// First instant after it.
    pub to: Timestamp,
}

/// Tells the time. Shells are handed one, so that tests can hand them another.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

const SECOND: i64 = 1_000_000;
// The years 1 to 9999: what RFC 3339 can write, and so what a client can be told.
const MIN: i64 = -62_135_596_800 * SECOND;
const MAX: i64 = 253_402_300_800 * SECOND - 1;

impl Timestamp {
    /// 0001-01-01T00:00:00Z.
    pub const MIN: Self = Self(MIN);
    /// 9999-12-31T23:59:59.999999Z.
    pub const MAX: Self = Self(MAX);

    /// Reads a time as producers write it: RFC 3339, or `YYYY-MM-DD HH:MM:SS[.ffffff]` meaning UTC.
    ///
    /// `None` for anything else, and outside the years 1 to 9999.
    pub fn from_text(text: &str) -> Option<Self> {
        let micros = match DateTime::parse_from_rfc3339(text) {
            Ok(time) => time.timestamp_micros(),
            Err(_) => {
                let naive = text.len() >= 19
                    && matches!(text.as_bytes()[10], b' ' | b'T')
                    && text.as_bytes().iter().all(u8::is_ascii);
                if !naive {
                    return None;
                }
                let format =
                    if text.as_bytes()[10] == b' ' { "%Y-%m-%d %H:%M:%S%.f" } else { "%Y-%m-%dT%H:%M:%S%.f" };
                NaiveDateTime::parse_from_str(text, format).ok()?.and_utc().timestamp_micros()
            }
        };
        Self::in_range(micros)
    }

    /// Reads a number by its magnitude as seconds, milliseconds or microseconds since 1970.
    ///
    /// Seconds reach to the year 5138 (1e11), milliseconds from 1973 on (1e11 to 1e14), microseconds from there.
    pub fn from_number(text: &str) -> Option<Self> {
        if let Ok(n) = text.parse::<i64>() {
            let micros = match n.unsigned_abs() {
                0..100_000_000_000 => n.checked_mul(SECOND)?,
                100_000_000_000..100_000_000_000_000 => n.checked_mul(1_000)?,
                _ => n,
            };
            return Self::in_range(micros);
        }
        let n = text.parse::<f64>().ok().filter(|n| n.is_finite())?;
        let micros = match n.abs() {
            x if x < 1e11 => n * 1e6,
            x if x < 1e14 => n * 1e3,
            _ => n,
        };
        // `as` saturates; the range check below refuses what was cut.
        Self::in_range(micros.round() as i64)
    }

    /// A time that a caller asked for: any text that [`Timestamp::from_text`] reads, `now`, or `now` with an
    /// offset such as `now-15m` or `now+1h30m` (units `s m h d w`).
    ///
    /// # Errors
    /// A sentence that says what was expected.
    pub fn from_request(text: &str, now: Self) -> Result<Self, String> {
        let expected = || {
            format!(
                "{text:?} is not a time: expected ISO 8601, such as 2020-06-01T00:00:24Z, or now-15m (units s m h d w)"
            )
        };
        let Some(rest) = text.strip_prefix("now") else {
            return Self::from_text(text)
                .or_else(|| Self::from_text(&format!("{text}T00:00:00Z")))
                .ok_or_else(expected);
        };
        if rest.is_empty() {
            return Ok(now);
        }
        let (sign, rest) = match rest.as_bytes()[0] {
            b'-' => (-1, &rest[1..]),
            b'+' => (1, &rest[1..]),
            _ => return Err(expected()),
        };
        let offset = duration_micros(rest).ok_or_else(expected)?;
        now.0.checked_add(sign * offset).and_then(Self::in_range).ok_or_else(expected)
    }

    /// `self` later by `micros`, kept inside the representable years.
    #[must_use]
    pub fn plus_micros(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros).clamp(MIN, MAX))
    }

    fn in_range(micros: i64) -> Option<Self> {
        (MIN..=MAX).contains(&micros).then_some(Self(micros))
    }
}

/// Reads `90s`, `15m`, `1h30m`, `30d` or `2w` as microseconds; `None` for anything else.
pub fn duration_micros(text: &str) -> Option<i64> {
    let mut total: i64 = 0;
    let mut digits: Option<i64> = None;
    for c in text.bytes() {
        let unit = match c {
            b'0'..=b'9' => {
                let more = digits.unwrap_or(0).checked_mul(10)?.checked_add(i64::from(c - b'0'))?;
                digits = Some(more);
                continue;
            }
            b's' => 1,
            b'm' => 60,
            b'h' => 3_600,
            b'd' => 86_400,
            b'w' => 604_800,
            _ => return None,
        };
        total = total.checked_add(digits.take()?.checked_mul(unit * SECOND)?)?;
    }
    (digits.is_none() && !text.is_empty()).then_some(total)
}

impl fmt::Display for Timestamp {
    /// RFC 3339 with microseconds, UTC: `2020-06-01T00:00:24.000000Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = DateTime::<Utc>::from_timestamp_micros(self.0).ok_or(fmt::Error)?;
        f.write_str(&time.to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

impl TimeRange {
    /// All of time.
    pub const ALL: Self = Self { from: Timestamp::MIN, to: Timestamp(MAX + 1) };

    /// Whether `time` lies inside.
    pub fn contains(&self, time: Timestamp) -> bool {
        self.from <= time && time < self.to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_producers_write_them() {
        for (text, expect) in [
            ("2020-06-01 00:00:24.000000", "2020-06-01T00:00:24.000000Z"),
            ("2020-06-01 00:00:24", "2020-06-01T00:00:24.000000Z"),
            ("2020-06-01T00:00:24", "2020-06-01T00:00:24.000000Z"),
            ("2020-06-01T02:00:24.5+02:00", "2020-06-01T00:00:24.500000Z"),
            ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
        ] {
            assert_eq!(Timestamp::from_text(text).map(|t| t.to_string()).as_deref(), Some(expect), "{text}");
        }
        for text in [
            "",
            "NaN",
            "yesterday",
            "2020-06-01",
            "0000-01-01T00:00:00Z",
            "2020-13-01 00:00:00",
            "ä020-06-01 00:00:24",
        ] {
            assert_eq!(Timestamp::from_text(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_are_read_by_their_magnitude() {
        for text in ["1590969624", "1590969624000", "1590969624000000", "1590969624.0", "1.590969624e9"] {
            assert_eq!(Timestamp::from_number(text), Some(Timestamp(1_590_969_624_000_000)), "{text}");
        }
        for text in ["1e400", "NaN", "", "9223372036854775807", "x"] {
            assert_eq!(Timestamp::from_number(text), None, "{text}");
        }
    }

    #[test]
    fn requests_may_be_relative() {
        let now = Timestamp(1_000_000_000 * SECOND);
        for (text, expect) in [("now", 0), ("now-15m", -900), ("now+1h30m", 5_400), ("now-2w", -1_209_600)] {
            assert_eq!(Timestamp::from_request(text, now), Ok(Timestamp(now.0 + expect * SECOND)), "{text}");
        }
        assert_eq!(
            Timestamp::from_request("2020-06-01", now).map(|t| t.to_string()),
            Ok("2020-06-01T00:00:00.000000Z".into())
        );
        for text in ["now-", "now15m", "now-15", "later", "now-99999999999999999999s", "now-999999999w"] {
            assert!(Timestamp::from_request(text, now).is_err(), "{text}");
        }
    }
}
