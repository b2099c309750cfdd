//! Civil time as people and programs read it. A leaf: anybody may use it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// UTC by RFC 3339 to the second, rounded down: `2026-11-22T10:00:00Z`.
pub fn utc_seconds(time: SystemTime) -> String {
    let (seconds, _) = since_epoch(time);
    format!("{}Z", date_and_time(seconds))
}

/// UTC by RFC 3339 to the microsecond, rounded down: `2026-11-22T10:00:00.123456Z`.
pub fn utc_micros(time: SystemTime) -> String {
    let (seconds, nanos) = since_epoch(time);
    format!("{}.{:06}Z", date_and_time(seconds), nanos / 1000)
}

/// Whole seconds since the epoch, rounded down, and the nanoseconds beyond them.
fn since_epoch(time: SystemTime) -> (i64, u32) {
    let whole = |d: Duration| i64::try_from(d.as_secs()).unwrap_or(i64::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => (whole(after), after.subsec_nanos()),
        Err(before) => {
            let before = before.duration();
            match before.subsec_nanos() {
                0 => (-whole(before), 0),
                nanos => (-whole(before) - 1, 1_000_000_000 - nanos),
            }
        }
    }
}

fn date_and_time(seconds: i64) -> String {
    let (year, month, day) = civil_from_days(seconds.div_euclid(86_400));
    let second_of_day = seconds.rem_euclid(86_400);
    let (hour, minute, second) = (second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

/// The proleptic Gregorian date of a day counted from 1970-01-01; the algorithm is Howard Hinnant's `civil_from_days`
/// (<https://howardhinnant.github.io/date_algorithms.html>): years begin in March, eras have 400 of them.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values by `date -u -d @SECONDS +%FT%TZ`.
    #[test]
    fn known_dates() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(utc_seconds(at(0)), "1970-01-01T00:00:00Z");
        assert_eq!(utc_seconds(at(951_782_400)), "2000-02-29T00:00:00Z");
        assert_eq!(utc_seconds(at(1_709_251_199)), "2024-02-29T23:59:59Z");
        assert_eq!(utc_seconds(at(4_107_542_399)), "2100-02-28T23:59:59Z");
        assert_eq!(utc_seconds(at(4_107_542_400)), "2100-03-01T00:00:00Z");
    }

    #[test]
    fn fractions_are_cut_not_rounded() {
        let time = UNIX_EPOCH + Duration::new(1_795_342_400, 123_456_999);
        assert_eq!(utc_seconds(time), "2026-11-22T10:13:20Z");
        assert_eq!(utc_micros(time), "2026-11-22T10:13:20.123456Z");
    }

    #[test]
    fn before_the_epoch() {
        assert_eq!(utc_micros(UNIX_EPOCH - Duration::from_micros(1)), "1969-12-31T23:59:59.999999Z");
        assert_eq!(utc_seconds(UNIX_EPOCH - Duration::from_secs(86_400)), "1969-12-31T00:00:00Z");
    }
}
