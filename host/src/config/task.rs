//! From a task's settings to what the core and the runners need of it.

use super::catalog::PluginCatalog;
use super::conflicts::{on_fail, times_counts_attempts};
use super::findings::{Findings, Shown, quoted};
use super::keys::Key;
use super::read_list::command_text;
use super::settings::Settings;
use super::typed::Typed;
use crate::launch::{Action, ErrorSink, Launch, NotifyTarget, Privileges, Sink};
use bansuri_core::{
    Backoff, NotifyMode, NotifyPlan, OnExhausted, OnFail, Positive, Retry, Schedule, Signal, TaskName,
    TaskPlan, TimerMode,
};
use jsonc_parser::common::Ranged;
use std::collections::BTreeSet;
use std::num::{NonZeroU32, NonZeroU64};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What tasks are built from besides their settings.
pub(super) struct Surroundings<'c> {
    /// The folder of the file, absolute.
    pub(super) folder: &'c Path,
    pub(super) search_paths: &'c [PathBuf],
    pub(super) catalog: &'c mut dyn PluginCatalog,
}

/// Both halves of a task. `None`: something it cannot do without was rejected.
pub(super) fn build(
    settings: &Settings<'_>,
    notify: Option<NotifyTarget>,
    surroundings: &mut Surroundings<'_>,
    findings: &mut Findings<'_>,
) -> Option<(TaskPlan, Launch)> {
    let action = action(settings, surroundings, findings);
    let name = TaskName::new(settings.text(Key::Name)?)?;
    let (action, command_text) = action?;
    let working_directory = match settings.text(Key::WorkingDirectory) {
        Some(path) => resolve(surroundings.folder, Path::new(path)),
        None => surroundings.folder.to_owned(),
    };
    let environment = match settings.value(Key::Environment) {
        Some(Typed::Environment(environment)) => environment.clone(),
        Some(_) | None => Default::default(),
    };
    let stdout = match settings.value(Key::Stdout) {
        Some(Typed::Sink(sink)) => absolute(sink, &working_directory),
        Some(_) | None => Sink::Tail,
    };
    let stderr = match settings.value(Key::Stderr) {
        Some(Typed::Sink(sink)) => match absolute(sink, &working_directory) {
            // Two descriptors of one file would have no order between them.
            file @ Sink::File(_) if file == stdout => ErrorSink::Combined,
            sink => ErrorSink::Separate(sink),
        },
        Some(_) | None => ErrorSink::Combined,
    };
    let plan = plan(settings, name.clone(), notify.is_some());
    let launch = Launch {
        name,
        description: settings.text(Key::Description).unwrap_or_default().to_owned(),
        action,
        command_text,
        working_directory,
        environment,
        timeout: plan.timeout,
        stop_signal: match settings.value(Key::StopSignal) {
            Some(Typed::Signal(signal)) => *signal,
            Some(_) | None => Signal::TERM,
        },
        stdout,
        stderr,
        environment_file: None,
        privileges: Privileges::default(),
        rotate: None,
        timestamps: false,
        health: None,
        notify,
    };
    Some((plan, launch))
}

/// A path as seen from a folder, without `.` in it.
pub(super) fn resolve(folder: &Path, path: &Path) -> PathBuf {
    folder.join(path).components().collect()
}

fn absolute(sink: &Sink, working_directory: &Path) -> Sink {
    match sink {
        Sink::File(path) => Sink::File(resolve(working_directory, path)),
        Sink::Tail | Sink::Ignore | Sink::Inherit => sink.clone(),
    }
}

fn action(
    settings: &Settings<'_>,
    surroundings: &mut Surroundings<'_>,
    findings: &mut Findings<'_>,
) -> Option<(Action, String)> {
    let Some(written) = settings.stated(Key::Command) else {
        let message = format!("{}command is missing", settings.subject);
        findings.error("missing-key", settings.opening, message, None);
        return None;
    };
    if settings.is_broken(Key::NoInterface) {
        return None;
    }
    let is_plugin = settings.boolean(Key::NoInterface);
    if let Some(Typed::Words(words)) = settings.value(Key::Command) {
        if !is_plugin {
            return Some((Action::Exec(words.clone()), command_text(words)));
        }
        let subject = settings.owner(Key::Command);
        let found = Shown(written.value);
        let message = format!(
            "{subject}command {found}: expected \"LIBRARY\" or \"LIBRARY:Type\", as no-interface is true"
        );
        findings.at(subject, "conflict", written.value.range(), message, None);
        return None;
    }
    let text = settings.text(Key::Command)?;
    if !is_plugin {
        return Some((Action::Shell(text.to_owned()), text.to_owned()));
    }
    let Surroundings { folder, search_paths, catalog } = surroundings;
    match catalog.task_type(text, folder, search_paths) {
        Ok(resolved) => {
            let options = match settings.value(Key::Options) {
                Some(Typed::Json(options)) => options.clone(),
                Some(_) | None => serde_json::Value::Object(serde_json::Map::new()),
            };
            let (library, type_name) = (resolved.library, resolved.type_name);
            Some((Action::Plugin { library, type_name, options }, text.to_owned()))
        }
        Err(error) => {
            let subject = settings.owner(Key::Command);
            let message = format!("{subject}command {}: {error}", quoted(text));
            findings.at(subject, "plugin", written.value.range(), message, None);
            None
        }
    }
}

fn plan(settings: &Settings<'_>, name: TaskName, notify: bool) -> TaskPlan {
    let schedule = match settings.duration(Key::Timer).and_then(Positive::new) {
        None => Schedule::Once,
        Some(interval) => Schedule::Timer {
            interval,
            mode: match settings.word(Key::TimerMode) {
                Some("fixed-delay") => TimerMode::FixedDelay,
                Some(_) | None => TimerMode::FixedRate,
            },
        },
    };
    let times = settings.integer(Key::Times);
    let (mut attempts, mut runs) = (settings.integer(Key::MaxAttempts), settings.integer(Key::MaxRuns));
    if times > 0 {
        match times_counts_attempts(settings) {
            true => attempts = times,
            false => runs = times,
        }
    }
    let on_fail = match on_fail(settings) {
        "restart" => OnFail::Restart(Retry {
            max_attempts: NonZeroU32::new(u32::try_from(attempts).unwrap_or(u32::MAX)),
            delay: settings.duration(Key::RestartDelay).unwrap_or_default(),
            backoff: Backoff::NONE,
            on_exhausted: match settings.word(Key::OnExhausted) {
                Some("stop") => OnExhausted::Stop,
                Some(_) | None => OnExhausted::Continue,
            },
        }),
        "ignore" => OnFail::Ignore,
        _ => OnFail::Stop,
    };
    TaskPlan {
        schedule,
        timeout: settings.duration(Key::Timeout).and_then(Positive::new),
        stop_timeout: settings.duration(Key::StopTimeout).unwrap_or(Duration::from_secs(10)),
        on_fail,
        max_runs: NonZeroU64::new(u64::try_from(runs).unwrap_or_default()),
        success_codes: match settings.value(Key::SuccessCodes) {
            Some(Typed::Codes(codes)) => codes.clone(),
            Some(_) | None => BTreeSet::from([0]),
        },
        notify: notify.then_some(NotifyPlan { mode: NotifyMode::AfterFail, recovery: false, after: None }),
        ..TaskPlan::new(name)
    }
}
