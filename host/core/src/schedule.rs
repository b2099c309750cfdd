//! When a task is due.
//!
//! The core asks twice: at the end of a turn (a run and its retries) what comes next, and once nothing is in the way
//! any more what became of that. The second answer counts the ticks that passed meanwhile.

use crate::plan::{Schedule, TimerMode};
use crate::time::Mono;
use std::time::Duration;

/// When a task starts, now that nothing is in its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Due {
    /// The start; not in the past.
    pub(crate) at: Mono,
    /// The ticks that passed before it.
    pub(crate) skipped: Option<Skipped>,
}

/// Ticks that are not made up for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Skipped {
    /// How many; not zero.
    pub(crate) count: u64,
    /// When the first of them was due.
    pub(crate) first: Mono,
}

impl Schedule {
    /// The next due time after a turn that belonged to the tick `tick` and ended at `end`; `None`: there is none.
    pub(crate) fn next_due(&self, tick: Mono, end: Mono) -> Option<Mono> {
        match self {
            Schedule::Once | Schedule::Cron(_) | Schedule::Service => None,
            Schedule::Timer { interval, mode: TimerMode::FixedRate } => Some(tick + interval.duration()),
            Schedule::Timer { interval, mode: TimerMode::FixedDelay } => Some(end + interval.duration()),
        }
    }

    /// What the due time of a waiting task is after a triggered turn that ended at `end`. A pause that the turn ran
    /// over is counted from its end; a tick of a grid is left where it was.
    pub(crate) fn after_trigger(&self, due: Mono, end: Mono) -> Mono {
        match self {
            Schedule::Timer { interval, mode: TimerMode::FixedDelay } if due < end => {
                end + interval.duration()
            }
            Schedule::Once
            | Schedule::Cron(_)
            | Schedule::Service
            | Schedule::Timer { mode: TimerMode::FixedRate | TimerMode::FixedDelay, .. } => due,
        }
    }

    /// The last of the ticks from `due` on that are not after `now`, and those of them that came after `due`.
    pub(crate) fn passed(&self, due: Mono, now: Mono) -> (Mono, Option<Skipped>) {
        match self {
            Schedule::Timer { interval, mode: TimerMode::FixedRate } => {
                let next = on_grid(due + interval.duration(), interval.duration(), now);
                let back = u64::try_from(interval.duration().as_nanos()).unwrap_or(u64::MAX);
                (Mono::from_nanos(next.at.as_nanos().saturating_sub(back)), next.skipped)
            }
            Schedule::Once
            | Schedule::Cron(_)
            | Schedule::Service
            | Schedule::Timer { mode: TimerMode::FixedDelay, .. } => (due, None),
        }
    }

    /// What becomes of a due time when the way is free at `now`: a tick of a grid that has passed is skipped, and so
    /// are those after it up to `now`; any other start is only late.
    pub(crate) fn once_free(&self, due: Mono, now: Mono) -> Due {
        match self {
            Schedule::Timer { interval, mode: TimerMode::FixedRate } => {
                on_grid(due, interval.duration(), now)
            }
            Schedule::Once
            | Schedule::Cron(_)
            | Schedule::Service
            | Schedule::Timer { mode: TimerMode::FixedDelay, .. } => Due { at: due.max(now), skipped: None },
        }
    }
}

/// The first point of the grid `first`, `first + interval`, … that is not before `now`.
fn on_grid(first: Mono, interval: Duration, now: Mono) -> Due {
    if first >= now {
        return Due { at: first, skipped: None };
    }
    let interval = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX);
    let behind = now.as_nanos() - first.as_nanos();
    let count = behind.div_ceil(interval);
    let at = first.as_nanos().saturating_add(count.saturating_mul(interval));
    Due { at: Mono::from_nanos(at), skipped: Some(Skipped { count, first }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Positive;

    fn timer(interval: u64, mode: TimerMode) -> Schedule {
        let interval = Positive::new(Duration::from_nanos(interval)).unwrap();
        Schedule::Timer { interval, mode }
    }

    fn at(nanos: u64) -> Mono {
        Mono::from_nanos(nanos)
    }

    #[test]
    fn a_task_that_runs_once_has_no_next_time() {
        assert_eq!(Schedule::Once.next_due(at(5), at(9)), None);
        assert_eq!(Schedule::Once.once_free(at(5), at(9)), Due { at: at(9), skipped: None });
    }

    #[test]
    fn the_grid_is_counted_from_the_tick_and_the_pause_from_the_end() {
        assert_eq!(timer(10, TimerMode::FixedRate).next_due(at(100), at(107)), Some(at(110)));
        assert_eq!(timer(10, TimerMode::FixedDelay).next_due(at(100), at(107)), Some(at(117)));
    }

    #[test]
    fn a_passed_tick_is_skipped_to_the_next_point_of_the_grid() {
        let check = |due, now, expect_at, expect_count| {
            let due_now = timer(10, TimerMode::FixedRate).once_free(at(due), at(now));
            assert_eq!(due_now.at, at(expect_at), "due {due}, now {now}");
            let expect = (expect_count > 0).then_some(Skipped { count: expect_count, first: at(due) });
            assert_eq!(due_now.skipped, expect, "due {due}, now {now}");
        };
        check(110, 100, 110, 0);
        check(110, 110, 110, 0);
        check(110, 111, 120, 1);
        check(110, 120, 120, 1);
        check(110, 121, 130, 2);
        check(110, 1_000_000_005, 1_000_000_010, 99_999_990);
    }

    #[test]
    fn a_pause_that_is_over_is_late_and_skips_nothing() {
        let schedule = timer(10, TimerMode::FixedDelay);
        assert_eq!(schedule.once_free(at(110), at(105)), Due { at: at(110), skipped: None });
        assert_eq!(schedule.once_free(at(110), at(135)), Due { at: at(135), skipped: None });
    }

    #[test]
    fn a_triggered_turn_moves_a_pause_it_ran_over_and_no_grid() {
        assert_eq!(timer(10, TimerMode::FixedDelay).after_trigger(at(110), at(105)), at(110));
        assert_eq!(timer(10, TimerMode::FixedDelay).after_trigger(at(110), at(112)), at(122));
        assert_eq!(timer(10, TimerMode::FixedRate).after_trigger(at(110), at(112)), at(110));
        assert_eq!(Schedule::Once.after_trigger(at(110), at(112)), at(110));
    }

    #[test]
    fn the_end_of_the_clock_is_not_passed() {
        let schedule = timer(u64::MAX, TimerMode::FixedRate);
        assert_eq!(schedule.next_due(at(u64::MAX - 5), at(0)), Some(at(u64::MAX)));
        assert_eq!(schedule.once_free(at(7), at(8)).at, at(u64::MAX));
        let centuries = Positive::new(Duration::MAX).unwrap();
        let schedule = Schedule::Timer { interval: centuries, mode: TimerMode::FixedRate };
        assert_eq!(schedule.once_free(at(7), at(8)).at, at(u64::MAX));
    }
}
