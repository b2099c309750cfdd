//! Outcome and attempt to what follows: retry, give up, go on.

use crate::plan::{OnExhausted, OnFail, Retry, Schedule, TaskPlan};

/// What follows a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Decision {
    /// The same turn again.
    Retry {
        /// The next attempt's number; 1 for a service that did not fail.
        attempt: u32,
    },
    /// The task ends, its schedule included.
    End,
    /// The turn is over; the schedule, if there is one, goes on.
    GoOn,
}

/// After a successful run; `successes` counts it.
pub(crate) fn after_success(plan: &TaskPlan, successes: u64) -> Decision {
    match plan.max_runs {
        Some(limit) if successes >= limit.get() => Decision::End,
        Some(_) | None if is_kept_alive(plan) => Decision::Retry { attempt: 1 },
        Some(_) | None => Decision::GoOn,
    }
}

/// Whether every exit is followed by another run.
pub(crate) fn is_kept_alive(plan: &TaskPlan) -> bool {
    plan.schedule == Schedule::Service && retry(plan).is_some()
}

/// Whether a run that ended after `lived` has shown that what made earlier ones fail is over.
pub(crate) fn lived_long(plan: &TaskPlan, lived: std::time::Duration) -> bool {
    is_kept_alive(plan) && retry(plan).is_some_and(|retry| lived > retry.backoff.max)
}

/// How failed runs are tried again; `None`: they are not.
pub(crate) fn retry(plan: &TaskPlan) -> Option<&Retry> {
    match &plan.on_fail {
        OnFail::Stop | OnFail::Ignore => None,
        OnFail::Restart(retry) => Some(retry),
    }
}

/// After a run that failed or timed out; `attempt` is its place among the failures in a row.
pub(crate) fn after_failure(plan: &TaskPlan, attempt: u32) -> Decision {
    match &plan.on_fail {
        OnFail::Stop => Decision::End,
        OnFail::Ignore => Decision::GoOn,
        OnFail::Restart(retry) => match (retry.max_attempts, retry.on_exhausted) {
            (Some(limit), _) if attempt >= limit.get() && is_kept_alive(plan) => Decision::End,
            (Some(limit), OnExhausted::Continue) if attempt >= limit.get() => Decision::GoOn,
            (Some(limit), OnExhausted::Stop) if attempt >= limit.get() => Decision::End,
            (Some(_) | None, OnExhausted::Continue | OnExhausted::Stop) => {
                Decision::Retry { attempt: attempt.saturating_add(1) }
            }
        },
    }
}

/// The limit of attempts, which is 1 where nothing is retried; `None`: no limit.
pub(crate) fn max_attempts(plan: &TaskPlan) -> Option<u32> {
    match retry(plan) {
        None => Some(1),
        Some(retry) => retry.max_attempts.map(std::num::NonZeroU32::get),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Backoff, Retry, TaskName};
    use std::num::{NonZeroU32, NonZeroU64};
    use std::time::Duration;

    fn plan(on_fail: OnFail, max_runs: u64) -> TaskPlan {
        TaskPlan {
            on_fail,
            max_runs: NonZeroU64::new(max_runs),
            ..TaskPlan::new(TaskName::new("t").unwrap())
        }
    }

    fn restart(max_attempts: u32, on_exhausted: OnExhausted) -> OnFail {
        let delay = Duration::from_secs(5);
        OnFail::Restart(Retry {
            max_attempts: NonZeroU32::new(max_attempts),
            delay,
            backoff: Backoff::NONE,
            on_exhausted,
        })
    }

    #[test]
    fn a_success_goes_on_until_the_limit_of_runs() {
        assert_eq!(after_success(&plan(OnFail::Stop, 0), u64::MAX), Decision::GoOn);
        assert_eq!(after_success(&plan(OnFail::Stop, 3), 2), Decision::GoOn);
        assert_eq!(after_success(&plan(OnFail::Stop, 3), 3), Decision::End);
        assert_eq!(after_success(&plan(OnFail::Stop, 3), 4), Decision::End);
    }

    #[test]
    fn a_failure_is_followed_by_what_the_plan_says() {
        let retry = |attempt| Decision::Retry { attempt };
        let check = |on_fail: OnFail, attempt, expect| {
            assert_eq!(after_failure(&plan(on_fail.clone(), 0), attempt), expect, "{on_fail:?} {attempt}");
        };
        check(OnFail::Stop, 1, Decision::End);
        check(OnFail::Ignore, 1, Decision::GoOn);
        check(restart(3, OnExhausted::Continue), 1, retry(2));
        check(restart(3, OnExhausted::Continue), 2, retry(3));
        check(restart(3, OnExhausted::Continue), 3, Decision::GoOn);
        check(restart(3, OnExhausted::Stop), 2, retry(3));
        check(restart(3, OnExhausted::Stop), 3, Decision::End);
        check(restart(1, OnExhausted::Stop), 1, Decision::End);
        check(restart(0, OnExhausted::Stop), 1_000_000, retry(1_000_001));
        check(restart(0, OnExhausted::Continue), u32::MAX, retry(u32::MAX));
    }

    #[test]
    fn a_service_goes_on_after_a_success_and_ends_when_its_attempts_are_exhausted() {
        let service = |on_fail| TaskPlan { schedule: Schedule::Service, ..plan(on_fail, 0) };
        let three = service(restart(3, OnExhausted::Continue));
        assert_eq!(after_success(&three, 9), Decision::Retry { attempt: 1 });
        assert_eq!(after_failure(&three, 2), Decision::Retry { attempt: 3 });
        assert_eq!(after_failure(&three, 3), Decision::End);
        let longest = Backoff::NONE.max;
        assert!(lived_long(&three, longest + Duration::from_nanos(1)) && !lived_long(&three, longest));
        assert!(!lived_long(&plan(restart(3, OnExhausted::Continue), 0), Duration::MAX));
    }

    #[test]
    fn without_retries_there_is_one_attempt() {
        assert_eq!(max_attempts(&plan(OnFail::Stop, 0)), Some(1));
        assert_eq!(max_attempts(&plan(OnFail::Ignore, 0)), Some(1));
        assert_eq!(max_attempts(&plan(restart(0, OnExhausted::Stop), 0)), None);
        assert_eq!(max_attempts(&plan(restart(4, OnExhausted::Stop), 0)), Some(4));
    }
}
