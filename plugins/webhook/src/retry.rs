//! When a delivery is tried again.

use std::time::{Duration, SystemTime};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// What an attempt came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Attempt {
    Delivered,
    /// It would fail again.
    Refused(String),
    /// It may go better another time.
    Failed {
        why: String,
        wish: Option<Duration>,
    },
}

/// What a status means; `why` says it in words.
pub(crate) fn judge(status: u16, retry_after: Option<&str>, now: SystemTime, why: String) -> Attempt {
    match status {
        200..=299 => Attempt::Delivered,
        408 | 429 | 500..=599 => {
            Attempt::Failed { why, wish: retry_after.and_then(|value| wish(value, now)) }
        }
        _ => Attempt::Refused(why),
    }
}

/// The value of a `Retry-After` header (RFC 9110, 10.2.3): seconds, which some servers write with a fraction, or a date.
fn wish(value: &str, now: SystemTime) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = OffsetDateTime::parse(value.trim(), &Rfc2822).ok()?;
    // A date that has passed asks for no pause.
    Some(SystemTime::from(date).duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn statuses() {
        let judge = |status| judge(status, None, SystemTime::UNIX_EPOCH, String::new());
        let again = Attempt::Failed { why: String::new(), wish: None };
        for status in [200, 201, 204, 299] {
            assert_eq!(judge(status), Attempt::Delivered, "{status}");
        }
        for status in [408, 429, 500, 502, 503, 504] {
            assert_eq!(judge(status), again, "{status}");
        }
        for status in [301, 307, 400, 401, 403, 404, 410, 413] {
            assert_eq!(judge(status), Attempt::Refused(String::new()), "{status}");
        }
    }

    #[test]
    fn ways_to_write_retry_after() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        assert_eq!(wish("7", now), Some(7 * SECOND));
        assert_eq!(wish(" 0.25 ", now), Some(Duration::from_millis(250)));
        assert_eq!(wish("Sun, 06 Nov 1994 08:49:42 GMT", now), Some(5 * SECOND));
        assert_eq!(wish("Sun, 06 Nov 1994 08:49:36 GMT", now), Some(Duration::ZERO));
        for value in ["", "soon", "-1", "NaN", "inf", "1e300"] {
            assert_eq!(wish(value, now), None, "{value}");
        }
    }
}
