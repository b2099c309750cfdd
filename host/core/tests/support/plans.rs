//! Plans in few words.

use bansuri_core::{
    Backoff, Cron, Growth, HealthPlan, NotifyMode, NotifyPlan, OnExhausted, OnFail, Positive, Retry,
    Schedule, TaskName, TaskPlan, TimerMode, Zone,
};
use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

/// What a test says about a task, in seconds; 0 is "none", as the default is.
#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) timer: u64,
    pub(crate) mode: TimerMode,
    /// Instead of a timer: an expression and a zone.
    pub(crate) cron: Option<(&'static str, &'static str)>,
    /// Instead of a timer.
    pub(crate) service: bool,
    pub(crate) catch_up: bool,
    pub(crate) jitter: u64,
    pub(crate) timeout: u64,
    pub(crate) stop_timeout: u64,
    pub(crate) on_fail: OnFail,
    pub(crate) max_runs: u64,
    pub(crate) notify: Option<NotifyPlan>,
    pub(crate) health: Option<HealthPlan>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            timer: 0,
            mode: TimerMode::FixedRate,
            cron: None,
            service: false,
            catch_up: false,
            jitter: 0,
            timeout: 0,
            stop_timeout: 10,
            on_fail: OnFail::Stop,
            max_runs: 0,
            notify: notify(NotifyMode::AfterFail, false, 0),
            health: None,
        }
    }
}

pub(crate) fn plan(name: &str, options: Options) -> TaskPlan {
    let schedule = match (options.cron, Positive::new(Duration::from_secs(options.timer))) {
        _ if options.service => Schedule::Service,
        (Some((text, zone)), _) => {
            let zone = Zone::named(zone).expect("tests name zones that exist");
            Schedule::Cron(Cron::parse(text, zone).expect("tests write expressions that fire"))
        }
        (None, Some(interval)) => Schedule::Timer { interval, mode: options.mode },
        (None, None) => Schedule::Once,
    };
    TaskPlan {
        schedule,
        timeout: Positive::new(Duration::from_secs(options.timeout)),
        stop_timeout: Duration::from_secs(options.stop_timeout),
        on_fail: options.on_fail,
        max_runs: NonZeroU64::new(options.max_runs),
        jitter: Duration::from_secs(options.jitter),
        catch_up: options.catch_up,
        notify: options.notify,
        health: options.health,
        ..TaskPlan::new(TaskName::new(name).expect("tests name their tasks"))
    }
}

/// `delay` in seconds; `max_attempts` 0 is no limit.
pub(crate) fn retry(max_attempts: u32, delay: u64, on_exhausted: OnExhausted) -> OnFail {
    backoff(max_attempts, delay, on_exhausted, Backoff::NONE)
}

pub(crate) fn backoff(max_attempts: u32, delay: u64, on_exhausted: OnExhausted, backoff: Backoff) -> OnFail {
    let max_attempts = NonZeroU32::new(max_attempts);
    OnFail::Restart(Retry { max_attempts, delay: Duration::from_secs(delay), backoff, on_exhausted })
}

/// Twice as long each time, up to `max` seconds.
pub(crate) fn doubling(max: u64, jitter: f64) -> Backoff {
    let growth = Growth::Exponential { factor: 2.0 };
    Backoff { growth, max: Duration::from_secs(max), jitter }
}

/// `after` in seconds; 0 is "at once".
pub(crate) fn notify(mode: NotifyMode, recovery: bool, after: u64) -> Option<NotifyPlan> {
    Some(NotifyPlan { mode, recovery, after: Positive::new(Duration::from_secs(after)) })
}

/// `interval` and `start_period` in seconds.
pub(crate) fn health(interval: u64, retries: u32, start_period: u64) -> Option<HealthPlan> {
    Some(HealthPlan {
        interval: Positive::new(Duration::from_secs(interval)).expect("an interval"),
        retries: NonZeroU32::new(retries).expect("retries"),
        start_period: Duration::from_secs(start_period),
    })
}
