//! Time as the core sees it: always an argument, never read.

use std::fmt;
use std::ops::Add;
use std::time::Duration;

/// A point on a clock that only moves forward (nanoseconds from an origin of the caller's choice). Intervals, timeouts
/// and delays are measured on it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Mono(u64);

impl Mono {
    /// From nanoseconds since the origin.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the origin.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub fn since(self, earlier: Mono) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Mono {
    type Output = Mono;

    /// Saturates at the end of the clock (584 years).
    fn add(self, by: Duration) -> Mono {
        Mono(self.0.saturating_add(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX)))
    }
}

/// A point in civil time: nanoseconds since 1970-01-01T00:00:00Z. It may jump; only cron and what people read use it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Wall(i64);

impl Wall {
    /// From nanoseconds since the Unix epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the Unix epoch.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub(crate) fn since(self, earlier: Wall) -> Duration {
        match self > earlier {
            true => Duration::from_nanos(self.0.abs_diff(earlier.0)),
            false => Duration::ZERO,
        }
    }

    /// The last point before this one.
    pub(crate) fn just_before(self) -> Wall {
        Wall(self.0.saturating_sub(1))
    }
}

impl Add<Duration> for Wall {
    type Output = Wall;

    /// Saturates in the year 2262.
    fn add(self, by: Duration) -> Wall {
        Wall(self.0.saturating_add(i64::try_from(by.as_nanos()).unwrap_or(i64::MAX)))
    }
}

/// The time of a call, on both clocks at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Now {
    /// For intervals.
    pub mono: Mono,
    /// For civil time.
    pub wall: Wall,
}

impl Now {
    /// The civil time of a point on the other clock, as far as it can be told now.
    pub(crate) fn wall_at(self, mono: Mono) -> Wall {
        let nanos = |duration: Duration| i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        let ahead = nanos(mono.since(self.mono));
        let behind = nanos(self.mono.since(mono));
        Wall(self.wall.0.saturating_add(ahead).saturating_sub(behind))
    }
}

impl fmt::Display for Wall {
    /// As `2026-11-22T10:00:00Z`, to the second.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.div_euclid(1_000_000_000);
        let timestamp = jiff::Timestamp::from_second(seconds).expect("every second of Wall is a timestamp's");
        write!(f, "{timestamp}")
    }
}

/// A duration as the configuration spells it: `1h30m`, `250ms`; below a millisecond as Rust does.
pub(crate) fn spelled(duration: Duration) -> String {
    if duration.is_zero() || !duration.subsec_nanos().is_multiple_of(1_000_000) {
        return format!("{duration:?}");
    }
    let seconds = duration.as_secs();
    let parts = [
        (seconds / 86_400, "d"),
        (seconds / 3_600 % 24, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
        (u64::from(duration.subsec_millis()), "ms"),
    ];
    parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_saturate_at_their_ends() {
        assert_eq!(Mono::from_nanos(u64::MAX) + Duration::from_secs(1), Mono::from_nanos(u64::MAX));
        assert_eq!(Mono::default() + Duration::MAX, Mono::from_nanos(u64::MAX));
        assert_eq!(Wall::from_nanos(i64::MAX) + Duration::from_secs(1), Wall::from_nanos(i64::MAX));
        assert_eq!(Mono::from_nanos(5).since(Mono::from_nanos(9)), Duration::ZERO);
        assert_eq!(Wall::from_nanos(5).since(Wall::from_nanos(9)), Duration::ZERO);
        assert_eq!(
            Wall::from_nanos(i64::MAX).since(Wall::from_nanos(i64::MIN)),
            Duration::from_nanos(u64::MAX)
        );
        assert_eq!(Wall::from_nanos(i64::MIN).just_before(), Wall::from_nanos(i64::MIN));
    }

    #[test]
    fn civil_time_is_told_before_and_after_now() {
        let now = Now { mono: Mono::from_nanos(100), wall: Wall::from_nanos(7_000) };
        assert_eq!(now.wall_at(Mono::from_nanos(130)), Wall::from_nanos(7_030));
        assert_eq!(now.wall_at(Mono::from_nanos(90)), Wall::from_nanos(6_990));
        assert_eq!(now.wall_at(Mono::from_nanos(u64::MAX)), Wall::from_nanos(i64::MAX));
    }

    #[test]
    fn civil_time_reads_as_in_the_event_stream() {
        let shown = |nanos| Wall::from_nanos(nanos).to_string();
        assert_eq!(shown(1_795_341_600_999_999_999), "2026-11-22T10:00:00Z");
        assert_eq!(shown(-1), "1969-12-31T23:59:59Z");
        assert!(shown(i64::MAX).starts_with("2262") && shown(i64::MIN).starts_with("1677"));
    }

    #[test]
    fn durations_read_as_in_the_configuration() {
        let check = |millis, expect| assert_eq!(spelled(Duration::from_millis(millis)), expect);
        check(0, "0ns");
        check(250, "250ms");
        check(10_000, "10s");
        check(90_500, "1m30s500ms");
        check(86_400_000 + 3_600_000, "1d1h");
        assert_eq!(spelled(Duration::from_micros(1_500)), "1.5ms");
    }
}
