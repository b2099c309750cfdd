//! Keys that cannot apply together, or to such a task at all.
//!
//! A task's own key wins over one of `defaults`, which is then forgotten; where one side wrote both, it is an error.

use super::findings::{Findings, Place, Shown, quoted};
use super::keys::Key;
use super::settings::Settings;
use super::typed::Typed;
use crate::launch::Sink;
use bansuri_core::Condition;
use jsonc_parser::common::Ranged;

/// When a task runs, as far as its other keys depend on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Rhythm {
    Once,
    Timer,
    Cron,
    Service,
    /// Whenever its dependencies have completed.
    Triggered,
}

impl Rhythm {
    pub(super) fn of(settings: &Settings<'_>) -> Self {
        if settings.boolean(Key::Service) {
            return Rhythm::Service;
        }
        if settings.value(Key::ScheduleCron).is_some() {
            return Rhythm::Cron;
        }
        if settings.value(Key::Timer).is_some() {
            return Rhythm::Timer;
        }
        match settings.value(Key::DependsOn) {
            Some(Typed::Dependencies(list))
                if !list.is_empty() && list.iter().all(|d| d.condition == Condition::Completed) =>
            {
                Rhythm::Triggered
            }
            Some(_) | None => Rhythm::Once,
        }
    }

    /// What follows a failure if nobody says.
    pub(super) fn on_fail(self) -> &'static str {
        match self {
            Rhythm::Once => "stop",
            Rhythm::Timer | Rhythm::Cron | Rhythm::Triggered => "ignore",
            Rhythm::Service => "restart",
        }
    }
}

/// Finds every conflict in a task's settings; what `defaults` says in vain is forgotten.
pub(super) fn check(settings: &mut Settings<'_>, findings: &mut Findings<'_>) {
    schedule(settings, findings);
    policy(settings, findings);
    backoff(settings, findings);
    if settings.boolean(Key::NoInterface) {
        plugin(settings, findings);
    } else if !settings.is_broken(Key::NoInterface) {
        command(settings, findings);
    }
    without_effect(settings, findings);
}

fn schedule(settings: &mut Settings<'_>, findings: &mut Findings<'_>) {
    if settings.value(Key::Timer).is_some() && settings.value(Key::ScheduleCron).is_some() {
        conflict(Key::Timer, Some(Key::ScheduleCron), "a task has one of them", settings, findings);
    }
    if !settings.boolean(Key::Service) {
        return;
    }
    for key in [Key::Timer, Key::ScheduleCron] {
        if settings.value(key).is_some() {
            let why = "a service is kept alive and has no schedule";
            conflict(key, Some(Key::Service), why, settings, findings);
        }
    }
    if settings.integer(Key::MaxRuns) > 0 {
        let why = "a service is never done; max-attempts limits its failures";
        conflict(Key::MaxRuns, Some(Key::Service), why, settings, findings);
    }
    if settings.word(Key::OnFail).is_some_and(|word| word != "restart") {
        let why = "a service takes on-fail \"restart\"";
        conflict(Key::OnFail, Some(Key::Service), why, settings, findings);
    }
}

fn policy(settings: &mut Settings<'_>, findings: &mut Findings<'_>) {
    if !is_policy_known(settings) {
        return;
    }
    let on_fail = on_fail(settings);
    if on_fail != "restart" && settings.integer(Key::MaxAttempts) > 0 {
        // In `defaults` it is meant for those tasks that restart.
        if settings.owner(Key::MaxAttempts) == settings.subject {
            let value = settings.stated(Key::MaxAttempts).map(|w| Shown(w.value).to_string());
            let message = format!(
                "{}max-attempts {}: applies with on-fail \"restart\" only, and on-fail is {}",
                settings.subject,
                value.unwrap_or_default(),
                quoted(on_fail),
            );
            report(
                Key::MaxAttempts,
                message,
                Some("add \"on-fail\": \"restart\"".to_owned()),
                settings,
                findings,
            );
        } else {
            settings.forget(Key::MaxAttempts);
        }
    }
    if settings.integer(Key::Times) > 0 && !times_counts_attempts(settings) {
        if settings.integer(Key::MaxRuns) > 0 {
            // The task's own one of the two is the one that counts.
            let (loser, winner) = match settings.owner(Key::MaxRuns) == settings.subject {
                true => (Key::Times, Key::MaxRuns),
                false => (Key::MaxRuns, Key::Times),
            };
            let why = "they are the same here; a task has one of them";
            conflict(loser, Some(winner), why, settings, findings);
        } else if settings.boolean(Key::Service) {
            let why = "with max-attempts it means max-runs, and a service is never done";
            conflict(Key::Times, Some(Key::Service), why, settings, findings);
        }
    }
}

/// A step is added with one backoff and multiplied by with the other. No delay is longer than the longest.
fn backoff(settings: &Settings<'_>, findings: &mut Findings<'_>) {
    let (delay, max) = (settings.duration(Key::RestartDelay), settings.duration(Key::RestartMaxDelay));
    if let (Some(delay), Some(max), Some(written)) = (delay, max, settings.stated(Key::RestartMaxDelay))
        && max < delay
        && settings.stated(Key::RestartDelay).is_some()
    {
        let subject = settings.owner(Key::RestartMaxDelay);
        let value = Shown(written.value);
        let message = format!("{subject}{} {value}: it is shorter than the first delay", written.path);
        findings.shared_warning(subject, "conflict", written.value.range(), message);
    }
    if settings.word(Key::RestartBackoff) != Some("dynamic") {
        return;
    }
    let is_factor = match settings.value(Key::RestartStep) {
        Some(Typed::Number(factor)) => *factor >= 1.0,
        Some(Typed::Broken) | None => true,
        Some(_) => false,
    };
    if let Some(written) = settings.stated(Key::RestartStep).filter(|_| !is_factor) {
        let subject = settings.owner(Key::RestartStep);
        let place = Place::new(subject, written.path);
        findings.unexpected(&place, written.value, "a factor, 1 or more, with \"dynamic\"", None);
    }
}

/// Whether what follows a failure can be told from the keys around it.
fn is_policy_known(settings: &Settings<'_>) -> bool {
    ![Key::OnFail, Key::Scheduler, Key::Service].into_iter().any(|key| settings.is_broken(key))
}

/// What follows a failure.
pub(super) fn on_fail(settings: &Settings<'_>) -> &'static str {
    settings.word(Key::OnFail).unwrap_or_else(|| Rhythm::of(settings).on_fail())
}

/// Whether `times` stands for `max-attempts`; otherwise it does for `max-runs`.
pub(super) fn times_counts_attempts(settings: &Settings<'_>) -> bool {
    on_fail(settings) == "restart" && settings.stated(Key::MaxAttempts).is_none()
}

fn plugin(settings: &mut Settings<'_>, findings: &mut Findings<'_>) {
    if settings.word(Key::Isolation) != Some("thread") {
        return;
    }
    for key in [Key::User, Key::Group, Key::Priority, Key::Limits, Key::Umask, Key::StopSignal] {
        let Some(value) = settings.value(key) else { continue };
        let is_default = Some(value) == key.info().default.as_ref();
        if settings.is_broken(key) || is_default {
            continue;
        }
        // A signal for all commands is no promise to a plugin; another user is, and must not be broken silently.
        if key == Key::StopSignal && settings.owner(key) != settings.subject {
            settings.forget(key);
            continue;
        }
        let name = key.info().flat.unwrap_or_default();
        let why = match key == Key::StopSignal {
            true => "a plugin task on a thread is stopped by a call of stop()",
            false => "applies to processes, not to a plugin task on a thread",
        };
        let message = format!("{}{name}: {why}", settings.owner(key));
        let help = Some("it would apply with \"isolation\": \"process\"".to_owned());
        report(key, message, help, settings, findings);
    }
}

/// What is meant to keep a task from running other code than it should must not be broken silently.
fn command(settings: &mut Settings<'_>, findings: &mut Findings<'_>) {
    if settings.value(Key::Sha256).is_none() || settings.is_broken(Key::Sha256) {
        return;
    }
    if settings.owner(Key::Sha256) != settings.subject {
        settings.forget(Key::Sha256);
        return;
    }
    let message =
        format!("{}sha256: pins the library of a plugin task, and this one runs a command", settings.subject);
    let help = Some("it would apply with \"no-interface\": true".to_owned());
    report(Key::Sha256, message, help, settings, findings);
}

/// Keys of how a failed run is tried again.
const RESTARTING: [Key; 6] = [
    Key::OnExhausted,
    Key::RestartDelay,
    Key::RestartBackoff,
    Key::RestartStep,
    Key::RestartMaxDelay,
    Key::RestartJitter,
];

/// Warns of keys of the task's own that change nothing. Those of `defaults` are meant for other tasks.
fn without_effect(settings: &Settings<'_>, findings: &mut Findings<'_>) {
    let mut warn = |key: Key, why: &str| {
        if let Some(written) = settings.stated(key).filter(|w| !w.is_inherited) {
            let message = format!("{}{} has no effect: {why}", settings.subject, written.path);
            findings.warning("no-effect", written.key, message, None);
        }
    };
    if is_policy_known(settings) && on_fail(settings) != "restart" {
        for key in RESTARTING {
            warn(key, "it applies with on-fail \"restart\"");
        }
    } else if settings.word(Key::RestartBackoff) == Some("none") {
        warn(Key::RestartStep, "restart-backoff is \"none\"");
    }
    if settings.value(Key::Timer).is_none() && !settings.is_broken(Key::Scheduler) {
        warn(Key::TimerMode, "the task has no timer");
    }
    if !settings.is_broken(Key::Scheduler) && settings.value(Key::ScheduleCron).is_none() {
        for key in [Key::Timezone, Key::CatchUp] {
            if settings.value(key) != key.info().default.as_ref() {
                warn(key, "the task has no cron expression");
            }
        }
    }
    if is_without_file(settings) {
        let why = "neither stdout nor stderr goes to a file";
        warn(Key::Rotate, why);
        if settings.boolean(Key::Timestamps) {
            warn(Key::Timestamps, why);
        }
    }
    // `notify` has said itself what is wrong with it, and `enabled: false` silences a task for a while.
    if settings.value(Key::Notify).is_none() && settings.stated(Key::NotifyEnabled).is_none() {
        for key in [Key::NotifyMode, Key::NotifyThreshold, Key::NotifyRecovery, Key::NotifyAfter] {
            if settings.value(key) != key.info().default.as_ref() {
                warn(key, "nobody is told: the task has no notify");
            }
        }
    } else if settings.word(Key::NotifyMode) != Some("after-many")
        && settings.integer(Key::NotifyThreshold) > 1
    {
        warn(Key::NotifyThreshold, "it applies with notify-mode \"after-many\"");
    }
    if !settings.is_broken(Key::NoInterface) && !settings.boolean(Key::NoInterface) {
        warn(Key::Options, "they are for a plugin task (\"no-interface\": true)");
        warn(Key::Isolation, "it is for a plugin task (\"no-interface\": true)");
    }
}

fn is_without_file(settings: &Settings<'_>) -> bool {
    [Key::Stdout, Key::Stderr].into_iter().all(|key| match settings.value(key) {
        Some(Typed::Broken | Typed::Sink(Sink::File(_))) => false,
        Some(_) | None => true,
    })
}

/// `loser` cannot apply beside `winner`: an error, or forgotten if only `defaults` says it.
fn conflict(
    loser: Key,
    winner: Option<Key>,
    why: &str,
    settings: &mut Settings<'_>,
    findings: &mut Findings<'_>,
) {
    let is_overruled = |settings: &Settings<'_>, winner: Key| {
        settings.owner(loser) != settings.subject && settings.owner(winner) == settings.subject
    };
    if winner.is_some_and(|winner| is_overruled(settings, winner)) {
        settings.forget(loser);
        return;
    }
    let name = |key: Key| key.info().flat.unwrap_or(key.info().grouped);
    let beside = winner.map_or_else(String::new, |winner| format!(" together with {}", name(winner)));
    let subject = settings.owner(loser);
    let message = format!("{subject}{} cannot apply{beside}: {why}", name(loser));
    report(loser, message, None, settings, findings);
}

fn report(
    key: Key,
    message: String,
    help: Option<String>,
    settings: &Settings<'_>,
    findings: &mut Findings<'_>,
) {
    let span = settings.stated(key).map_or(settings.opening, |written| written.key);
    findings.at(settings.owner(key), "conflict", span, message, help);
}
