//! Plans in few words.

use bansuri_core::{
    Backoff, NotifyMode, NotifyPlan, OnExhausted, OnFail, Positive, Retry, Schedule, TaskName, TaskPlan,
    TimerMode,
};
use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

/// What a test says about a task, in seconds; 0 is "none", as the default is.
#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) timer: u64,
    pub(crate) mode: TimerMode,
    pub(crate) timeout: u64,
    pub(crate) stop_timeout: u64,
    pub(crate) on_fail: OnFail,
    pub(crate) max_runs: u64,
    pub(crate) notify: bool,
}

impl Default for Options {
    fn default() -> Self {
        let mode = TimerMode::FixedRate;
        let on_fail = OnFail::Stop;
        Self { timer: 0, mode, timeout: 0, stop_timeout: 10, on_fail, max_runs: 0, notify: true }
    }
}

pub(crate) fn plan(name: &str, options: Options) -> TaskPlan {
    let schedule = match Positive::new(Duration::from_secs(options.timer)) {
        Some(interval) => Schedule::Timer { interval, mode: options.mode },
        None => Schedule::Once,
    };
    TaskPlan {
        schedule,
        timeout: Positive::new(Duration::from_secs(options.timeout)),
        stop_timeout: Duration::from_secs(options.stop_timeout),
        on_fail: options.on_fail,
        max_runs: NonZeroU64::new(options.max_runs),
        notify: options.notify.then_some(NotifyPlan {
            mode: NotifyMode::AfterFail,
            recovery: false,
            after: None,
        }),
        ..TaskPlan::new(TaskName::new(name).expect("tests name their tasks"))
    }
}

/// `delay` in seconds; `max_attempts` 0 is no limit.
pub(crate) fn retry(max_attempts: u32, delay: u64, on_exhausted: OnExhausted) -> OnFail {
    let max_attempts = NonZeroU32::new(max_attempts);
    OnFail::Restart(Retry {
        max_attempts,
        delay: Duration::from_secs(delay),
        backoff: Backoff::NONE,
        on_exhausted,
    })
}
