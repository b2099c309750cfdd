//! When a task is due.
//!
//! The core asks twice: at the end of a turn (a run and its retries) what comes next, and once nothing is in the way
//! any more what became of that. The second answer counts the ticks that passed meanwhile.

use crate::plan::{Schedule, TimerMode};
use crate::time::{Mono, Now, Wall};
use std::time::Duration;

/// A point on the clock that it is measured on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tick {
    /// After some time.
    Elapsed(Mono),
    /// At a civil time, whatever is done to the clock before it.
    Civil(Wall),
}

/// A start that a tick leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Start {
    pub(crate) tick: Tick,
    /// How much later than its tick.
    pub(crate) jitter: Duration,
}

/// A start that is waited for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Due {
    pub(crate) start: Start,
    /// When that is, as far as it could be told when it was looked at last; not in the past then.
    pub(crate) at: Mono,
}

/// When a task starts, now that nothing is in its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Free {
    /// Not in the past.
    pub(crate) start: Start,
    /// The ticks that passed before it.
    pub(crate) skipped: Option<Skipped>,
}

/// Ticks that are not made up for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Skipped {
    /// How many; not zero.
    pub(crate) count: u64,
    /// When the first of them was due.
    pub(crate) first: Tick,
}

impl Tick {
    /// In civil time, as far as it can be told now.
    pub(crate) fn wall(self, now: Now) -> Wall {
        match self {
            Tick::Elapsed(mono) => now.wall_at(mono),
            Tick::Civil(wall) => wall,
        }
    }
}

impl Start {
    /// At this time, without a random part.
    pub(crate) fn at(mono: Mono) -> Self {
        Self { tick: Tick::Elapsed(mono), jitter: Duration::ZERO }
    }

    /// How long until then; zero if it is not in the future.
    fn until(self, now: Now) -> Duration {
        match self.tick {
            Tick::Elapsed(mono) => (mono + self.jitter).since(now.mono),
            Tick::Civil(wall) => (wall + self.jitter).since(now.wall),
        }
    }

    /// How long ago that was; zero if it is not in the past.
    pub(crate) fn past(self, now: Now) -> Duration {
        match self.tick {
            Tick::Elapsed(mono) => now.mono.since(mono + self.jitter),
            Tick::Civil(wall) => now.wall.since(wall + self.jitter),
        }
    }

    pub(crate) fn is_due(self, now: Now) -> bool {
        self.until(now).is_zero()
    }

    /// To be waited for from now on.
    pub(crate) fn due(self, now: Now) -> Due {
        Due { start: self, at: now.mono + self.until(now) }
    }

    /// When it is in civil time, as far as it can be told; what has passed is now.
    pub(crate) fn wall(self, now: Now) -> Wall {
        now.wall + self.until(now)
    }
}

impl Schedule {
    /// The next tick after a turn that belonged to the tick `tick` and ended at `end`; `None`: there is none. `taken` is
    /// the last tick in civil time that was taken.
    pub(crate) fn next_tick(&self, tick: Tick, taken: Option<Wall>, end: Mono, now: Now) -> Option<Tick> {
        match (self, tick) {
            (Schedule::Once | Schedule::Service, _) => None,
            (Schedule::Timer { interval, mode: TimerMode::FixedRate }, Tick::Elapsed(tick)) => {
                Some(Tick::Elapsed(tick + interval.duration()))
            }
            // Only a reload puts a timer where a civil tick was: it begins where that ended.
            (Schedule::Timer { interval, mode: TimerMode::FixedRate }, Tick::Civil(_))
            | (Schedule::Timer { interval, mode: TimerMode::FixedDelay }, _) => {
                Some(Tick::Elapsed(end + interval.duration()))
            }
            (Schedule::Cron(cron), tick) => {
                // From the turn's own tick, so that those it ran over are seen; not where the clock was set back.
                let from = tick.wall(now).min(now.wall);
                Some(Tick::Civil(cron.tick_after(taken, from)))
            }
        }
    }

    /// What the start of a waiting task is after a triggered turn that ended at `end`. A pause that the turn ran over is
    /// counted from its end; a tick of a grid is left where it was.
    pub(crate) fn after_trigger(&self, start: Start, end: Now) -> Start {
        match self {
            Schedule::Timer { interval, mode: TimerMode::FixedDelay } if !start.past(end).is_zero() => {
                Start { tick: Tick::Elapsed(end.mono + interval.duration()), ..start }
            }
            Schedule::Once
            | Schedule::Cron(_)
            | Schedule::Service
            | Schedule::Timer { mode: TimerMode::FixedRate | TimerMode::FixedDelay, .. } => start,
        }
    }

    /// The last of the ticks from `tick` on that are not after now, and those of them that came after `tick`.
    pub(crate) fn passed(&self, tick: Tick, now: Now) -> (Tick, Option<Skipped>) {
        match (self, tick) {
            (Schedule::Timer { interval, mode: TimerMode::FixedRate }, Tick::Elapsed(tick)) => {
                let interval = interval.duration();
                let (next, skipped) = on_grid(tick + interval, interval, now.mono + Duration::from_nanos(1));
                let back = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX);
                (Tick::Elapsed(Mono::from_nanos(next.as_nanos().saturating_sub(back))), skipped)
            }
            (Schedule::Cron(cron), Tick::Civil(tick)) => {
                let last = cron.last_at_or_before(now.wall).unwrap_or(tick).max(tick);
                let skipped = cron.next_after(tick).and_then(|first| {
                    let end = last + Duration::from_nanos(1);
                    cron.skipped(first, end)
                });
                (Tick::Civil(last), skipped)
            }
            (Schedule::Once | Schedule::Service | Schedule::Cron(_) | Schedule::Timer { .. }, tick) => {
                (tick, None)
            }
        }
    }

    /// What becomes of a start when the way is free: a tick of a grid or of a cron expression that has passed is
    /// skipped, and so are those after it up to now; any other start is only late.
    pub(crate) fn once_free(&self, start: Start, taken: Option<Wall>, now: Now) -> Free {
        let has_passed = !start.past(now).is_zero();
        match (self, start.tick) {
            (Schedule::Timer { interval, mode: TimerMode::FixedRate }, Tick::Elapsed(tick)) if has_passed => {
                let (tick, skipped) = on_grid(tick, interval.duration(), now.mono);
                Free { start: Start { tick: Tick::Elapsed(tick), ..start }, skipped }
            }
            (Schedule::Cron(cron), Tick::Civil(tick)) if has_passed => {
                let next = cron.tick_after(taken, now.wall.just_before());
                let skipped = cron.skipped(tick, next);
                Free { start: Start { tick: Tick::Civil(next), ..start }, skipped }
            }
            // Where the clock was set back meanwhile, there may be an earlier one.
            (Schedule::Cron(cron), Tick::Civil(tick)) => {
                let tick = tick.min(cron.tick_after(taken, now.wall));
                Free { start: Start { tick: Tick::Civil(tick), ..start }, skipped: None }
            }
            (Schedule::Once | Schedule::Service | Schedule::Cron(_) | Schedule::Timer { .. }, _) => {
                let start = if has_passed { Start::at(now.mono) } else { start };
                Free { start, skipped: None }
            }
        }
    }
}

/// The first point of the grid `first`, `first + interval`, … that is not before `now`, and the points before it.
fn on_grid(first: Mono, interval: Duration, now: Mono) -> (Mono, Option<Skipped>) {
    let interval = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX);
    let behind = now.as_nanos().saturating_sub(first.as_nanos());
    let count = behind.div_ceil(interval);
    let at = first.as_nanos().saturating_add(count.saturating_mul(interval));
    let skipped = (count > 0).then_some(Skipped { count, first: Tick::Elapsed(first) });
    (Mono::from_nanos(at), skipped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cron::{Cron, Zone};
    use crate::plan::Positive;

    fn timer(interval: u64, mode: TimerMode) -> Schedule {
        let interval = Positive::new(Duration::from_nanos(interval)).unwrap();
        Schedule::Timer { interval, mode }
    }

    fn at(nanos: u64) -> Now {
        Now { mono: mono(nanos), wall: Wall::default() }
    }

    fn mono(nanos: u64) -> Mono {
        Mono::from_nanos(nanos)
    }

    fn elapsed(nanos: u64) -> Tick {
        Tick::Elapsed(mono(nanos))
    }

    fn start(nanos: u64) -> Start {
        Start::at(mono(nanos))
    }

    fn free(nanos: u64) -> Free {
        Free { start: start(nanos), skipped: None }
    }

    #[test]
    fn a_task_that_runs_once_has_no_next_time() {
        assert_eq!(Schedule::Once.next_tick(elapsed(5), None, mono(9), at(9)), None);
        assert_eq!(Schedule::Once.once_free(start(5), None, at(9)), free(9));
    }

    #[test]
    fn the_grid_is_counted_from_the_tick_and_the_pause_from_the_end() {
        let next = |mode| timer(10, mode).next_tick(elapsed(100), None, mono(107), at(107));
        assert_eq!(next(TimerMode::FixedRate), Some(elapsed(110)));
        assert_eq!(next(TimerMode::FixedDelay), Some(elapsed(117)));
    }

    #[test]
    fn a_passed_tick_is_skipped_to_the_next_point_of_the_grid() {
        let check = |due, now, expect_at, expect_count| {
            let found = timer(10, TimerMode::FixedRate).once_free(start(due), None, at(now));
            assert_eq!(found.start, start(expect_at), "due {due}, now {now}");
            let expect = (expect_count > 0).then_some(Skipped { count: expect_count, first: elapsed(due) });
            assert_eq!(found.skipped, expect, "due {due}, now {now}");
        };
        check(110, 100, 110, 0);
        check(110, 110, 110, 0);
        check(110, 111, 120, 1);
        check(110, 120, 120, 1);
        check(110, 121, 130, 2);
        check(110, 1_000_000_005, 1_000_000_010, 99_999_990);
    }

    #[test]
    fn jitter_does_not_move_the_grid() {
        let schedule = timer(10, TimerMode::FixedRate);
        let late = Start { jitter: Duration::from_nanos(3), ..start(110) };
        assert_eq!(schedule.once_free(late, None, at(112)), Free { start: late, skipped: None });
        let next = Start { tick: elapsed(120), ..late };
        assert_eq!(schedule.once_free(late, None, at(114)).start, next);
        assert_eq!(late.due(at(100)).at, mono(113));
    }

    #[test]
    fn a_pause_that_is_over_is_late_and_skips_nothing() {
        let schedule = timer(10, TimerMode::FixedDelay);
        assert_eq!(schedule.once_free(start(110), None, at(105)), free(110));
        assert_eq!(schedule.once_free(start(110), None, at(135)), free(135));
    }

    #[test]
    fn a_triggered_turn_moves_a_pause_it_ran_over_and_no_grid() {
        let after = |schedule: Schedule, end| schedule.after_trigger(start(110), at(end));
        assert_eq!(after(timer(10, TimerMode::FixedDelay), 105), start(110));
        assert_eq!(after(timer(10, TimerMode::FixedDelay), 112), start(122));
        assert_eq!(after(timer(10, TimerMode::FixedRate), 112), start(110));
        assert_eq!(after(Schedule::Once, 112), start(110));
    }

    #[test]
    fn the_end_of_the_clock_is_not_passed() {
        let schedule = timer(u64::MAX, TimerMode::FixedRate);
        assert_eq!(schedule.next_tick(elapsed(u64::MAX - 5), None, mono(0), at(0)), Some(elapsed(u64::MAX)));
        assert_eq!(schedule.once_free(start(7), None, at(8)), {
            let skipped = Some(Skipped { count: 1, first: elapsed(7) });
            Free { skipped, ..free(u64::MAX) }
        });
        let centuries = Positive::new(Duration::MAX).unwrap();
        let schedule = Schedule::Timer { interval: centuries, mode: TimerMode::FixedRate };
        assert_eq!(schedule.once_free(start(7), None, at(8)).start, start(u64::MAX));
    }

    #[test]
    fn a_cron_tick_is_the_next_one_on_a_clock_that_may_have_been_set() {
        let hourly = Schedule::Cron(Cron::parse("0 * * * *", Zone::named("UTC").unwrap()).unwrap());
        let minute = |minutes: i64| Wall::from_nanos(minutes * 60_000_000_000);
        let civil = |minutes| Tick::Civil(minute(minutes));
        let now = |minutes| Now { mono: mono(5), wall: minute(minutes) };
        let start = |minutes| Start { tick: civil(minutes), jitter: Duration::ZERO };
        assert_eq!(hourly.next_tick(civil(60), Some(minute(60)), mono(5), now(65)), Some(civil(120)));
        assert_eq!(
            hourly.next_tick(civil(60), Some(minute(60)), mono(5), now(185)),
            Some(civil(120)),
            "run over"
        );
        let free = hourly.once_free(start(120), Some(minute(60)), now(185));
        assert_eq!(free.start, start(240));
        assert_eq!(free.skipped, Some(Skipped { count: 2, first: civil(120) }));
        assert_eq!(hourly.once_free(start(120), Some(minute(60)), now(120)).start, start(120));
        assert_eq!(hourly.once_free(start(600), None, now(185)).start, start(240), "set back");
        assert_eq!(start(120).due(now(119)).at, mono(60_000_000_005));
    }
}
