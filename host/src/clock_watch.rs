//! Notice of a system clock that was set, as an event of the poller.

use crate::clock::Clock;
use crate::process::Watched;
use polling::Poller;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

/// Watches a clock's civil time. It costs no wake-up until that is set, by whomever, or the machine wakes from being
/// suspended (the kernel counts that as setting it).
///
/// For the system's clock this is a timer at the end of time that the kernel cancels when the clock is set
/// (`TFD_TIMER_CANCEL_ON_SET` of timerfd_create(2)). Adjustments of its speed, as NTP makes them, are no events.
#[derive(Debug)]
pub struct ClockWatch(Source);

#[derive(Debug)]
enum Source {
    System(Watched<OwnedFd>),
    Settable(Watched<UnixStream>),
}

impl ClockWatch {
    /// Watches from now on; events arrive under `key`.
    ///
    /// # Errors
    /// The system is out of descriptors or watches.
    pub fn arm(clock: &Clock, poller: &Arc<Poller>, key: usize) -> io::Result<Self> {
        let source = match clock.settable_wall() {
            Some(wall) => Source::Settable(Watched::new(poller, key, wall.watch()?)?),
            None => {
                let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
                let timer = timerfd_create(TimerfdClockId::Realtime, flags)?;
                set(&timer)?;
                Source::System(Watched::new(poller, key, timer)?)
            }
        };
        Ok(Self(source))
    }

    /// Takes note of an event. Whether the clock was set since the last time.
    pub fn on_ready(&self) -> bool {
        match &self.0 {
            Source::System(timer) => {
                match rustix::io::read(timer.source(), &mut [0; 8]) {
                    // Reading it arms it again, but for a timer that ran out in a far future that has come.
                    Err(rustix::io::Errno::CANCELED) => true,
                    Ok(_) => {
                        // It fails for arguments that are no good, and these were good before.
                        let _ = set(timer.source());
                        true
                    }
                    Err(_) => false,
                }
            }
            Source::Settable(stream) => {
                let mut bytes = [0; 64];
                matches!(stream.source().read(&mut bytes), Ok(count) if count > 0)
            }
        }
    }
}

/// At the end of time, unless the clock is set before.
fn set(timer: &OwnedFd) -> rustix::io::Result<()> {
    let never = Timespec { tv_sec: i64::MAX, tv_nsec: 0 };
    let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: never };
    let flags = TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET;
    match timerfd_settime(timer, flags, &once) {
        // The clock was set since the last call, and the timer is armed: the next look at it says so too.
        Ok(_) | Err(rustix::io::Errno::CANCELED) => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SettableWall;
    use bansuri_core::Wall;
    use polling::Events;
    use rustix::time::{ClockId, clock_gettime, clock_settime};
    use std::time::Duration;

    const KEY: usize = 7;

    /// How many events come within the time given.
    fn events(poller: &Poller, limit: Duration) -> usize {
        let mut events = Events::new();
        poller.wait(&mut events, Some(limit)).unwrap();
        events.iter().filter(|event| event.key == KEY).count()
    }

    #[test]
    fn a_clock_that_is_set_by_hand_tells() {
        let wall = SettableWall::starting_at(Wall::from_nanos(0));
        let poller = Arc::new(Poller::new().unwrap());
        let watch = ClockWatch::arm(&Clock::with_wall(wall.clone()), &poller, KEY).unwrap();
        assert!(!watch.on_ready());
        for _ in 0..1_000 {
            wall.set(Wall::from_nanos(1));
        }
        assert_eq!(events(&poller, Duration::from_secs(60)), 1);
        while watch.on_ready() {}
        assert_eq!(events(&poller, Duration::ZERO), 0, "all of it was read");
        wall.set(Wall::from_nanos(2));
        assert_eq!(events(&poller, Duration::from_secs(60)), 1);
        assert!(watch.on_ready());
        drop(watch);
        wall.set(Wall::from_nanos(3));
    }

    #[test]
    fn the_systems_clock_is_watched_in_silence() {
        let poller = Arc::new(Poller::new().unwrap());
        let watch = ClockWatch::arm(&Clock::start(), &poller, KEY).unwrap();
        assert_eq!(events(&poller, Duration::from_millis(20)), 0);
        assert!(!watch.on_ready());
    }

    #[test]
    #[ignore = "steps the system clock by 1 ms: run as root with `cargo test -p bansuri --lib clock_watch -- --ignored`"]
    fn the_systems_clock_tells_when_it_is_set() {
        let poller = Arc::new(Poller::new().unwrap());
        let watch = ClockWatch::arm(&Clock::start(), &poller, KEY).unwrap();
        for step in [1_000_000, -1_000_000] {
            let mut time = clock_gettime(ClockId::Realtime);
            time.tv_nsec += step;
            if !(0..1_000_000_000).contains(&time.tv_nsec) {
                time.tv_nsec -= step;
            }
            clock_settime(ClockId::Realtime, time).unwrap();
            assert_eq!(events(&poller, Duration::from_secs(10)), 1);
            assert!(watch.on_ready());
            assert!(!watch.on_ready());
            assert_eq!(events(&poller, Duration::ZERO), 0);
        }
    }
}
