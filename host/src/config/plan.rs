//! From a task's settings to what the core needs of it.

use super::conflicts::{on_fail, times_counts_attempts};
use super::findings::Findings;
use super::keys::Key;
use super::settings::Settings;
use super::typed::Typed;
use super::zone::SystemZone;
use bansuri_core::{
    Backoff, Dependency, Growth, HealthPlan, NotifyMode, NotifyPlan, OnExhausted, OnFail, Positive, Retry,
    Schedule, SuccessCodes, TaskName, TaskPlan, TimerMode, Zone,
};
use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

/// No clock counts further: the same as the longest duration that can be written.
const LONGEST: Duration = Duration::from_nanos(i64::MAX as u64);

/// Everything of a task but how it is started. `is_notified`: somebody is told of its failures.
pub(super) fn plan(
    settings: &Settings<'_>,
    name: TaskName,
    is_notified: bool,
    system_zone: &mut SystemZone,
    findings: &mut Findings<'_>,
) -> TaskPlan {
    let times = settings.integer(Key::Times);
    let mut runs = settings.integer(Key::MaxRuns);
    if times > 0 && !times_counts_attempts(settings) {
        runs = times;
    }
    TaskPlan {
        schedule: schedule(settings, system_zone, findings),
        timeout: settings.duration(Key::Timeout).and_then(Positive::new),
        stop_timeout: settings.duration(Key::StopTimeout).unwrap_or(Duration::from_secs(10)),
        on_fail: match on_fail(settings) {
            "restart" => OnFail::Restart(retry(settings)),
            "ignore" => OnFail::Ignore,
            _ => OnFail::Stop,
        },
        max_runs: NonZeroU64::new(u64::try_from(runs).unwrap_or_default()),
        success_codes: match settings.value(Key::SuccessCodes) {
            Some(Typed::Codes(codes)) => codes.clone().into(),
            Some(_) | None => SuccessCodes::default(),
        },
        jitter: settings.duration(Key::Jitter).unwrap_or_default(),
        catch_up: settings.boolean(Key::CatchUp),
        depends_on: depends_on(settings),
        health: health(settings),
        notify: is_notified.then(|| notify(settings)),
        ..TaskPlan::new(name)
    }
}

fn schedule(settings: &Settings<'_>, system_zone: &mut SystemZone, findings: &mut Findings<'_>) -> Schedule {
    if settings.boolean(Key::Service) {
        return Schedule::Service;
    }
    match settings.value(Key::ScheduleCron) {
        Some(Typed::Cron(cron)) => {
            return Schedule::Cron(cron.in_zone(zone(settings, system_zone, findings)));
        }
        // Once, at start.
        Some(_) => return Schedule::Once,
        None => {}
    }
    match settings.duration(Key::Timer).and_then(Positive::new) {
        None => Schedule::Once,
        Some(interval) => Schedule::Timer {
            interval,
            mode: match settings.word(Key::TimerMode) {
                Some("fixed-delay") => TimerMode::FixedDelay,
                Some(_) | None => TimerMode::FixedRate,
            },
        },
    }
}

fn zone(settings: &Settings<'_>, system_zone: &mut SystemZone, findings: &mut Findings<'_>) -> Zone {
    if let Some(zone) = settings.text(Key::Timezone).and_then(Zone::named) {
        return zone;
    }
    let (zone, problem) = system_zone.get();
    if let (Some(problem), Some(written)) = (problem, settings.stated(Key::ScheduleCron)) {
        let message =
            format!("{}the system's time zone cannot be told, UTC is taken: {problem}", settings.subject);
        findings.warning("time-zone", written.key, message, Some("add a \"timezone\"".to_owned()));
    }
    zone
}

fn retry(settings: &Settings<'_>) -> Retry {
    let mut attempts = settings.integer(Key::MaxAttempts);
    let times = settings.integer(Key::Times);
    if times > 0 && times_counts_attempts(settings) {
        attempts = times;
    }
    let delay = settings.duration(Key::RestartDelay).unwrap_or_default();
    Retry {
        max_attempts: NonZeroU32::new(u32::try_from(attempts).unwrap_or(u32::MAX)),
        delay,
        backoff: backoff(settings, delay),
        on_exhausted: match settings.word(Key::OnExhausted) {
            Some("stop") => OnExhausted::Stop,
            Some(_) | None => OnExhausted::Continue,
        },
    }
}

fn backoff(settings: &Settings<'_>, delay: Duration) -> Backoff {
    let step = settings.value(Key::RestartStep);
    let growth = match settings.word(Key::RestartBackoff) {
        Some("dynamic-linear") => Growth::Linear {
            step: match step {
                Some(Typed::Duration(step)) => *step,
                Some(Typed::Number(seconds)) => {
                    Duration::try_from_secs_f64(*seconds).map_or(LONGEST, |step| step.min(LONGEST))
                }
                Some(_) | None => Duration::from_secs(1),
            },
        },
        Some("dynamic") => Growth::Exponential {
            factor: match step {
                Some(Typed::Number(factor)) => *factor,
                Some(_) | None => 2.0,
            },
        },
        Some(_) | None => Growth::Constant,
    };
    let jitter = match settings.value(Key::RestartJitter) {
        Some(Typed::Number(jitter)) => *jitter,
        Some(_) | None => 0.0,
    };
    let max = settings.duration(Key::RestartMaxDelay).unwrap_or_default();
    let max = match settings.value(Key::RestartMaxDelay) {
        Some(_) => max,
        // Who asks for a first delay beyond the built-in maximum, and names no other, means that delay.
        None if growth == Growth::Constant => max.max(delay.mul_f64(1.0 + jitter).min(LONGEST)),
        None => max.max(delay),
    };
    Backoff { growth, max, jitter }
}

fn depends_on(settings: &Settings<'_>) -> Vec<Dependency> {
    let Some(Typed::Dependencies(list)) = settings.value(Key::DependsOn) else { return Vec::new() };
    let mut dependencies = Vec::with_capacity(list.len());
    for written in list {
        let Some(task) = TaskName::new(written.name) else { continue };
        let dependency = Dependency { task, condition: written.condition };
        if !dependencies.contains(&dependency) {
            dependencies.push(dependency);
        }
    }
    dependencies
}

fn health(settings: &Settings<'_>) -> Option<HealthPlan> {
    const INTERVAL: Duration = Duration::from_secs(30);
    const RETRIES: u32 = 3;
    let read @ Typed::Fields(_) = settings.value(Key::HealthCheck)? else { return None };
    let duration = |name: &str| match read.field(name) {
        Some(Typed::Duration(duration)) => Some(*duration),
        Some(_) | None => None,
    };
    let retries = match read.field("retries") {
        Some(Typed::Integer(number)) => u32::try_from(*number).unwrap_or(RETRIES),
        Some(_) | None => RETRIES,
    };
    Some(HealthPlan {
        interval: Positive::new(duration("interval").unwrap_or(INTERVAL))?,
        retries: NonZeroU32::new(retries)?,
        start_period: duration("start-period").unwrap_or_default(),
    })
}

fn notify(settings: &Settings<'_>) -> NotifyPlan {
    let threshold = u32::try_from(settings.integer(Key::NotifyThreshold)).ok().and_then(NonZeroU32::new);
    NotifyPlan {
        mode: match settings.word(Key::NotifyMode) {
            Some("after-many") => NotifyMode::AfterMany(threshold.unwrap_or(NonZeroU32::MIN)),
            Some("on-exhausted") => NotifyMode::OnExhausted,
            Some(_) | None => NotifyMode::AfterFail,
        },
        recovery: settings.boolean(Key::NotifyRecovery),
        after: settings.duration(Key::NotifyAfter).and_then(Positive::new),
    }
}
