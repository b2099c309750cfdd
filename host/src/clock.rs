//! The host's clocks, read here and nowhere else, and civil time as it is written.

use bansuri_core::{Mono, Now, Wall};
use jiff::Timestamp;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Reads both clocks. The monotonic one counts from the clock's making.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
}

impl Clock {
    /// A clock whose monotonic time starts now.
    pub fn start() -> Self {
        Self { origin: Instant::now() }
    }

    /// The time on both clocks.
    pub fn now(&self) -> Now {
        let nanos = u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX);
        Now { mono: Mono::from_nanos(nanos), wall: wall_now() }
    }

    /// How long from now until `deadline`; zero if it has passed.
    pub fn until(&self, deadline: Mono) -> Duration {
        deadline.since(self.now().mono)
    }
}

/// Civil time now.
pub fn wall_now() -> Wall {
    let nanos = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |n| -n),
    };
    Wall::from_nanos(nanos)
}

/// `2026-11-22T10:00:00.123456Z`: RFC 3339 in UTC with microseconds, as in every event.
pub fn rfc3339(wall: Wall) -> String {
    // Every i64 of nanoseconds (years 1677 to 2262) lies in the range of a Timestamp.
    let timestamp = Timestamp::from_nanosecond(i128::from(wall.as_nanos())).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{timestamp:.6}")
}

/// `2026-11-22T10:00:00Z`: the same to the second, rounded down, for people.
pub fn rfc3339_seconds(time: SystemTime) -> String {
    let timestamp = Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{timestamp:.0}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_cut_not_rounded() {
        let time = UNIX_EPOCH + Duration::new(1_795_342_400, 999_999_999);
        assert_eq!(rfc3339_seconds(time), "2026-11-22T10:13:20Z");
        assert_eq!(rfc3339_seconds(UNIX_EPOCH), "1970-01-01T00:00:00Z");
    }

    #[test]
    fn times_are_written_in_utc_with_microseconds() {
        assert_eq!(rfc3339(Wall::from_nanos(0)), "1970-01-01T00:00:00.000000Z");
        assert_eq!(rfc3339(Wall::from_nanos(1_795_341_600_123_456_789)), "2026-11-22T10:00:00.123456Z");
        assert_eq!(rfc3339(Wall::from_nanos(-1_000)), "1969-12-31T23:59:59.999999Z");
        assert_eq!(rfc3339(Wall::from_nanos(i64::MAX)), "2262-04-11T23:47:16.854775Z");
    }
}
