//! The host's clocks, read here and nowhere else, and civil time as it is written.

use bansuri_core::{Mono, Now, Wall};
use jiff::Timestamp;
use parking_lot::Mutex;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Reads both clocks. The monotonic one counts from the clock's making.
#[derive(Clone, Debug)]
pub struct Clock {
    origin: Instant,
    /// `None`: the system's.
    wall: Option<SettableWall>,
}

impl Clock {
    /// A clock whose monotonic time starts now.
    pub fn start() -> Self {
        Self { origin: Instant::now(), wall: None }
    }

    /// The same with another civil time than the system's.
    pub fn with_wall(wall: SettableWall) -> Self {
        Self { origin: Instant::now(), wall: Some(wall) }
    }

    /// The time on both clocks.
    pub fn now(&self) -> Now {
        let nanos = u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let wall = self.wall.as_ref().map_or_else(wall_now, SettableWall::now);
        Now { mono: Mono::from_nanos(nanos), wall }
    }

    /// How long from now until `deadline`; zero if it has passed.
    pub fn until(&self, deadline: Mono) -> Duration {
        deadline.since(self.now().mono)
    }

    /// An instant as a point on this clock; now if it has passed.
    pub fn mono_at(&self, instant: Instant) -> Mono {
        self.now().mono + instant.saturating_duration_since(Instant::now())
    }

    /// The civil time that is set by hand, where it is not the system's.
    pub fn settable_wall(&self) -> Option<&SettableWall> {
        self.wall.as_ref()
    }
}

/// Civil time that runs like the system's and is set by hand: for showing what a host does when the clock is set. A
/// clone is the same clock; any thread may set it.
#[derive(Clone, Debug)]
pub struct SettableWall(Arc<Mutex<Settable>>);

#[derive(Debug)]
struct Settable {
    at: Wall,
    since: Instant,
    watchers: Vec<UnixStream>,
}

impl SettableWall {
    /// One that shows this time now.
    pub fn starting_at(wall: Wall) -> Self {
        Self(Arc::new(Mutex::new(Settable { at: wall, since: Instant::now(), watchers: Vec::new() })))
    }

    /// What it shows.
    pub fn now(&self) -> Wall {
        let settable = self.0.lock();
        settable.at + settable.since.elapsed()
    }

    /// Sets it, and tells those who watch it.
    pub fn set(&self, wall: Wall) {
        let mut settable = self.0.lock();
        settable.at = wall;
        settable.since = Instant::now();
        // A watcher that does not read has as many bytes as it needs to know; one that is gone is forgotten.
        let knows = |error: io::Error| error.kind() == io::ErrorKind::WouldBlock;
        settable.watchers.retain_mut(|watcher| watcher.write_all(&[1]).map_or_else(knows, |()| true));
    }

    /// A stream that gets a byte each time the clock is set. It does not block.
    ///
    /// # Errors
    /// The system is out of descriptors.
    pub fn watch(&self) -> io::Result<UnixStream> {
        let (receiver, sender) = UnixStream::pair()?;
        receiver.set_nonblocking(true)?;
        sender.set_nonblocking(true)?;
        self.0.lock().watchers.push(sender);
        Ok(receiver)
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
    fn civil_time_that_is_set_runs_on_from_there() {
        let wall = SettableWall::starting_at(Wall::from_nanos(5_000_000_000));
        let clock = Clock::with_wall(wall.clone());
        let before = clock.now();
        assert!(before.wall >= Wall::from_nanos(5_000_000_000), "{before:?}");
        assert!(clock.now().wall >= before.wall);
        wall.set(Wall::from_nanos(-9));
        let after = clock.now();
        assert!(after.wall >= Wall::from_nanos(-9) && after.wall < before.wall, "{after:?}");
        assert!(after.mono >= before.mono, "the other clock is not touched");
    }

    #[test]
    fn an_instant_that_has_passed_is_now() {
        let clock = Clock::start();
        let now = clock.now().mono;
        assert!(clock.mono_at(Instant::now() + Duration::from_secs(60)).since(now) > Duration::from_secs(59));
        let passed = Instant::now().checked_sub(Duration::from_secs(1)).unwrap();
        assert!(clock.mono_at(passed).since(now) < Duration::from_secs(59));
    }

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
