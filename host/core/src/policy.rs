//! Outcome and attempt to what follows: retry, give up, go on.

use crate::plan::{OnExhausted, OnFail, TaskPlan};
use std::time::Duration;

/// What follows a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Decision {
    /// The same turn again.
    Retry {
        /// The next attempt's number.
        attempt: u32,
        /// From the end of the run to its start.
        delay: Duration,
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
        Some(_) | None => Decision::GoOn,
    }
}

/// After a run that failed or timed out; `attempt` is its own.
pub(crate) fn after_failure(plan: &TaskPlan, attempt: u32) -> Decision {
    match &plan.on_fail {
        OnFail::Stop => Decision::End,
        OnFail::Ignore => Decision::GoOn,
        OnFail::Restart(retry) => match (retry.max_attempts, retry.on_exhausted) {
            (Some(limit), OnExhausted::Continue) if attempt >= limit.get() => Decision::GoOn,
            (Some(limit), OnExhausted::Stop) if attempt >= limit.get() => Decision::End,
            (Some(_) | None, OnExhausted::Continue | OnExhausted::Stop) => {
                Decision::Retry { attempt: attempt.saturating_add(1), delay: retry.delay }
            }
        },
    }
}

/// The limit of attempts, which is 1 where nothing is retried; `None`: no limit.
pub(crate) fn max_attempts(plan: &TaskPlan) -> Option<u32> {
    match &plan.on_fail {
        OnFail::Stop | OnFail::Ignore => Some(1),
        OnFail::Restart(retry) => retry.max_attempts.map(std::num::NonZeroU32::get),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Backoff, Retry, TaskName};
    use std::num::{NonZeroU32, NonZeroU64};

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
        let retry = |attempt| Decision::Retry { attempt, delay: Duration::from_secs(5) };
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
    fn without_retries_there_is_one_attempt() {
        assert_eq!(max_attempts(&plan(OnFail::Stop, 0)), Some(1));
        assert_eq!(max_attempts(&plan(OnFail::Ignore, 0)), Some(1));
        assert_eq!(max_attempts(&plan(restart(0, OnExhausted::Stop), 0)), None);
        assert_eq!(max_attempts(&plan(restart(4, OnExhausted::Stop), 0)), Some(4));
    }
}
