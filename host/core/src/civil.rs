//! Ticks of a cron expression on a clock that may be set.
//!
//! No tick is taken twice, and none is made up for: after the clock was set forwards, or the machine slept, the next
//! tick is the next one from then on.

use crate::cron::Cron;
use crate::schedule::{Skipped, Tick};
use crate::time::Wall;
use std::time::Duration;

/// A clock set back by no more repeats times whose ticks were taken; one set back by more was wrong before, and its
/// ticks mean nothing (as vixie cron has it).
const REPEATED: Duration = Duration::from_secs(3 * 3_600);

/// The same for expressions that follow elapsed time: they do not pause for hours.
const REPEATED_INTERVAL: Duration = Duration::from_secs(60);

/// A tick that the clock was set past by less is late; past by more, it is skipped.
pub(crate) const LATE: Duration = Duration::from_secs(60);

/// More skipped ticks than this are not counted, so that the work is bounded.
pub(crate) const MOST_COUNTED: u64 = 1_000;

/// What stands for "never": the end of civil time, in the year 2262.
const NEVER: Wall = Wall::from_nanos(i64::MAX);

impl Cron {
    /// The first tick after `now` that is not `taken`, the last one that was.
    pub(crate) fn tick_after(&self, taken: Option<Wall>, now: Wall) -> Wall {
        let repeated = if self.is_interval_like() { REPEATED_INTERVAL } else { REPEATED };
        let after = taken.filter(|taken| *taken > now && taken.since(now) <= repeated).unwrap_or(now);
        self.next_after(after).unwrap_or(NEVER)
    }

    /// The ticks from `first`, which is one, to `end`, which does not count.
    pub(crate) fn skipped(&self, first: Wall, end: Wall) -> Option<Skipped> {
        let ticks = std::iter::successors(Some(first), |tick| self.next_after(*tick));
        let most = usize::try_from(MOST_COUNTED).unwrap_or(usize::MAX);
        let count = ticks.take(most).take_while(|tick| *tick < end).count() as u64;
        (count > 0).then_some(Skipped { count, first: Tick::Civil(first) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cron::Zone;

    fn cron(text: &str) -> Cron {
        Cron::parse(text, Zone::named("UTC").unwrap()).unwrap()
    }

    fn minute(minutes: i64) -> Wall {
        Wall::from_nanos(minutes * 60_000_000_000)
    }

    #[test]
    fn a_tick_that_was_taken_is_not_the_next_one_again() {
        let daily = cron("0 2 * * *");
        assert_eq!(daily.tick_after(None, minute(119)), minute(120));
        assert_eq!(daily.tick_after(Some(minute(120)), minute(120)), minute(120 + 1_440));
        assert_eq!(daily.tick_after(Some(minute(120)), minute(60)), minute(120 + 1_440));
    }

    #[test]
    fn a_clock_that_was_far_ahead_is_forgotten() {
        let daily = cron("0 2 * * *");
        assert_eq!(daily.tick_after(Some(minute(120 + 1_440)), minute(60)), minute(120));
        let often = cron("*/5 * * * *");
        assert_eq!(often.tick_after(Some(minute(60)), minute(30)), minute(35));
        assert_eq!(often.tick_after(Some(minute(60)), minute(59)), minute(65));
    }

    #[test]
    fn skipped_ticks_are_counted_up_to_a_bound() {
        let often = cron("* * * * *");
        let skipped = |end| often.skipped(minute(10), minute(end)).map(|skipped| skipped.count);
        assert_eq!((skipped(10), skipped(11), skipped(15)), (None, Some(1), Some(5)));
        assert_eq!(skipped(100_000), Some(MOST_COUNTED));
    }
}
