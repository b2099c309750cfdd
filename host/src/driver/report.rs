//! What the core says, written for people (the log) and for programs (the event stream).

use crate::clock::rfc3339;
use crate::events::{EventStream, HostEvent};
use crate::plugin::{ExportKind, News, Registry};
use bansuri_core::{Command, Event, StateName, TaskId, TaskState};
use std::collections::HashSet;
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How long the event stream has to be written out at the end.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);

/// Knows the tasks' names, and where events go.
pub(super) struct Reporter {
    /// By the tasks' places.
    names: Vec<Arc<str>>,
    /// Libraries that were told of.
    libraries: HashSet<PathBuf>,
    events: EventStream,
}

impl Reporter {
    pub(super) fn new(events: EventStream) -> Self {
        Self { names: Vec::new(), libraries: HashSet::new(), events }
    }

    /// The task at this place has this name from now on.
    pub(super) fn name(&mut self, task: TaskId, name: Arc<str>) {
        if self.names.len() <= task.index() {
            self.names.resize(task.index() + 1, Arc::from(""));
        }
        self.names[task.index()] = name;
    }

    /// Tells of what has become of libraries since the last time.
    pub(super) fn libraries(&mut self, registry: &Registry) {
        for News { manifest, refused } in registry.take_news() {
            let (path, version) = (manifest.path().to_string_lossy(), manifest.api_version());
            let is_new = self.libraries.insert(manifest.path().to_owned());
            match &refused {
                Some(why) => {
                    log::error!(target: "bansuri", "plugin {path}: {why}: runs go on with the build before");
                }
                None if is_new => {
                    log::debug!(target: "bansuri", "plugin {path} found (bansuri-plugin-api {version})")
                }
                None => {
                    log::info!(target: "bansuri", "plugin {path} has a new build, which runs use from now on (bansuri-plugin-api {version})")
                }
            }
            self.events.emit(&HostEvent::PluginLoaded {
                library: &path,
                api_version: version,
                tasks: manifest.names(ExportKind::Task).collect(),
                notifiers: manifest.names(ExportKind::Notifier).collect(),
                error: refused.as_deref(),
            });
        }
    }

    /// Writes an event of the host's own to the stream.
    pub(super) fn emit(&mut self, event: &HostEvent<'_>) {
        self.events.emit(event);
    }

    /// Logs an event of the core and writes it to the stream.
    pub(super) fn report(&mut self, event: &Event) {
        match event {
            Event::TaskState(change) => self.task_state(change),
            Event::TickSkipped { task, count, due, reason } => {
                let task = &*self.names[task.index()];
                let ticks = if *count == 1 { "a tick was" } else { "ticks were" };
                log::info!(target: task, "{count} {ticks} skipped: {reason}");
                self.events.emit(&HostEvent::TickSkipped { task, count: *count, due: rfc3339(*due), reason });
            }
            Event::TaskStuck { task, run } => {
                let task = &*self.names[task.index()];
                log::error!(target: task, "run {run} ignores stop and cannot be killed: it lives on");
                self.events.emit(&HostEvent::TaskStuck { task, run: *run });
            }
        }
    }

    /// Logs that an operator's command was not carried out.
    pub(super) fn refused(&mut self, task: TaskId, command: Command, reason: &str) {
        log::warn!(target: &*self.names[task.index()], "{command:?} refused: {reason}");
    }

    /// Writes the result of a notification to the stream; failures have been logged where they happened.
    pub(super) fn notified(&mut self, task: &str, notifier: &str, result: Result<(), &str>) {
        self.events.emit(&HostEvent::Notification {
            task,
            notifier,
            ok: result.is_ok(),
            error: result.err(),
        });
    }

    /// Writes the last event and waits for the stream to be written out.
    pub(super) fn close(&mut self, last: &HostEvent<'_>) {
        self.events.emit(last);
        self.events.close(CLOSE_LIMIT);
    }

    fn task_state(&mut self, change: &TaskState) {
        let task = &*self.names[change.task.index()];
        let level = match change.to {
            StateName::Failed | StateName::TimedOut => log::Level::Error,
            StateName::Running | StateName::Completed | StateName::Stopped => log::Level::Info,
            // At the start, that a task waits for its time is what everybody expects; what else it waits for is not.
            StateName::Pending if change.next_run.is_some() && change.from.is_none() => log::Level::Debug,
            StateName::Pending => log::Level::Info,
        };
        log::log!(target: task, level, "{}", Words(change));
        if !self.events.is_open() {
            return;
        }
        self.events.emit(&HostEvent::TaskState {
            task,
            run: change.run,
            attempt: change.attempt,
            from: change.from.map(StateName::as_str),
            to: change.to.as_str(),
            pid: change.pid,
            exit_code: change.exit_code,
            signal: change.signal.map(|signal| signal.to_string()),
            duration_ms: change.duration.map(milliseconds),
            reason: change.reason.as_deref(),
            next_run: change.next_run.map(rfc3339),
        });
    }
}

/// Divided once, so that nothing but what was measured is written.
fn milliseconds(duration: Duration) -> f64 {
    duration.as_nanos() as f64 / 1e6
}

/// A change of state in a line for people: `FAILED: exit code 1 (run 3, attempt 1, 12.4 ms)`.
struct Words<'a>(&'a TaskState);

impl std::fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let change = self.0;
        write!(f, "{}", change.to)?;
        if let Some(reason) = &change.reason {
            write!(f, ": {reason}")?;
        }
        let mut details = String::new();
        let mut detail = |arguments: std::fmt::Arguments<'_>| {
            let separator = if details.is_empty() { "" } else { ", " };
            write!(details, "{separator}{arguments}")
        };
        if change.to != StateName::Pending {
            if let Some(run) = change.run {
                detail(format_args!("run {run}"))?;
            }
            detail(format_args!("attempt {}", change.attempt))?;
        }
        if let (StateName::Running, Some(pid)) = (change.to, change.pid) {
            detail(format_args!("pid {pid}"))?;
        }
        if let Some(duration) = change.duration {
            detail(format_args!("{:.1} ms", milliseconds(duration)))?;
        }
        if let Some(next_run) = change.next_run {
            detail(format_args!("next run {}", rfc3339(next_run)))?;
        }
        if details.is_empty() { Ok(()) } else { write!(f, " ({details})") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bansuri_core::Wall;

    fn change(to: StateName) -> TaskState {
        TaskState {
            task: TaskId::new(0),
            run: Some(3),
            attempt: 2,
            from: Some(StateName::Running),
            to,
            pid: None,
            exit_code: None,
            signal: None,
            duration: None,
            reason: None,
            next_run: None,
        }
    }

    #[test]
    fn milliseconds_have_no_digits_that_were_not_measured() {
        let check = |nanos, expect| {
            assert_eq!(serde_json::json!(milliseconds(Duration::from_nanos(nanos))).to_string(), expect);
        };
        check(7_503_057, "7.503057");
        check(1_073_452, "1.073452");
        check(12_400_000, "12.4");
        check(0, "0.0");
    }

    #[test]
    fn states_are_told_in_one_line() {
        let failed = TaskState {
            exit_code: Some(1),
            reason: Some("exit code 1".into()),
            duration: Some(Duration::from_micros(12_400)),
            pid: Some(7),
            ..change(StateName::Failed)
        };
        assert_eq!(Words(&failed).to_string(), "FAILED: exit code 1 (run 3, attempt 2, 12.4 ms)");
        let running = TaskState { pid: Some(7), ..change(StateName::Running) };
        assert_eq!(Words(&running).to_string(), "RUNNING (run 3, attempt 2, pid 7)");
        let pending = TaskState {
            reason: Some("retry 2 of 3".into()),
            next_run: Some(Wall::from_nanos(0)),
            ..change(StateName::Pending)
        };
        assert_eq!(
            Words(&pending).to_string(),
            "PENDING: retry 2 of 3 (next run 1970-01-01T00:00:00.000000Z)"
        );
    }
}
