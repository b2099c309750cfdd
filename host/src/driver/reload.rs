//! Reading the configuration again while tasks run: on a thread of its own, one reading at a time. What was read takes
//! the place of what is in force on the control thread.

use super::{Driver, Phase, WATCH_KEY};
use crate::config::{ConfigWatch, Configuration, ReloadMode, Report, Severity, diff};
use crate::events::HostEvent;
use bansuri_core::{Input, TaskName};
use crossbeam::channel::{Receiver, Sender, bounded};
use std::io;
use std::sync::Arc;

/// Reads the configuration. Called on a thread of its own: it reads files and loads plugins.
pub type Load = Arc<dyn Fn() -> Report + Send + Sync>;

/// Reads the configuration when asked to, and again when it was asked to meanwhile.
pub(super) struct Reloader {
    load: Load,
    wake: Arc<dyn Fn() + Send + Sync>,
    sender: Sender<Report>,
    reports: Receiver<Report>,
    reading: Reading,
}

/// What the thread is doing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// There is none.
    No,
    /// It reads.
    Once,
    /// It reads, and what it reads may be old by now.
    Again,
}

impl Reloader {
    pub(super) fn new(load: Load, wake: Arc<dyn Fn() + Send + Sync>) -> Self {
        let (sender, reports) = bounded(1);
        Self { load, wake, sender, reports, reading: Reading::No }
    }

    /// Starts to read. Where that is under way already, it is done once more afterwards: whoever asks gets what the file
    /// holds from now on.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub(super) fn request(&mut self) -> io::Result<()> {
        match self.reading {
            Reading::No => self.start(),
            Reading::Once | Reading::Again => {
                self.reading = Reading::Again;
                Ok(())
            }
        }
    }

    /// What was read, once it has been.
    pub(super) fn poll(&mut self) -> Option<Report> {
        let report = self.reports.try_recv().ok()?;
        let again = self.reading == Reading::Again;
        self.reading = Reading::No;
        if again && let Err(error) = self.start() {
            log::error!(target: "bansuri", "reload: no thread to read the configuration: {error}");
        }
        Some(report)
    }

    fn start(&mut self) -> io::Result<()> {
        let (load, wake, sender) = (Arc::clone(&self.load), Arc::clone(&self.wake), self.sender.clone());
        std::thread::Builder::new().name("reload".into()).spawn(move || {
            let report = load();
            // It fails only when the host has ended meanwhile.
            if sender.send(report).is_ok() {
                wake();
            }
        })?;
        self.reading = Reading::Once;
        Ok(())
    }
}

impl Driver {
    /// Events of the watch of the configuration file.
    pub(super) fn watch_ready(&mut self) {
        if let Some(watch) = &mut self.watch
            && let Err(error) = watch.on_ready()
        {
            log::warn!(target: "bansuri", "the configuration file cannot be watched any more: {error}: SIGHUP reloads it");
            self.watch = None;
        }
    }

    /// Has the configuration read; what comes of it is told in an event.
    pub(super) fn request_reload(&mut self, why: &str) {
        if self.phase != Phase::Running {
            return;
        }
        log::info!(target: "bansuri", "{why}: the configuration is read again");
        if let Err(error) = self.reloader.request() {
            log::error!(target: "bansuri", "reload: no thread to read the configuration: {error}");
        }
    }

    /// Takes over what was read, unless something is wrong with it.
    pub(super) fn reloaded(&mut self, report: Report) {
        if self.phase != Phase::Running {
            return;
        }
        let file = self.configuration.file.to_string_lossy().into_owned();
        let findings = report.render(false);
        let Some(configuration) = report.configuration else {
            log::error!(target: "bansuri", "the configuration cannot be used, and nothing is changed:\n{findings}");
            let errors = report.findings.iter().filter(|finding| finding.severity == Severity::Error);
            let errors = errors
                .map(|it| match it.line {
                    0 => format!("{}: {}", it.file, it.message),
                    line => format!("{}:{line}:{}: {}", it.file, it.column, it.message),
                })
                .collect();
            self.reporter.emit(&HostEvent::ConfigRejected { file: &file, errors });
            return;
        };
        if !findings.is_empty() {
            log::warn!(target: "bansuri", "the configuration has warnings:\n{findings}");
        }
        self.reporter.libraries(&self.registry);
        let difference = diff(&self.configuration, &configuration, |name| self.core.task_id(name));
        let (added, removed, changed) =
            (difference.added.len(), difference.removed.len(), difference.changed.len());
        log::info!(target: "bansuri", "configuration reloaded: {added} added, {removed} removed, {changed} changed");
        self.reporter.emit(&HostEvent::ConfigReloaded {
            file: &file,
            added: &difference.added,
            removed: &difference.removed,
            changed: &difference.changed,
        });
        self.input(Input::Reload(Box::new(difference.reload)));
        self.configuration = configuration;
        self.is_untidy = true;
        self.assign();
        self.forget_ticks();
        self.watch_as_configured();
    }

    /// The new configuration may want the file watched, or not any more.
    fn watch_as_configured(&mut self) {
        match (self.configuration.reload, &self.watch) {
            (ReloadMode::Signal, _) => self.watch = None,
            (ReloadMode::Auto, Some(_)) => {}
            (ReloadMode::Auto, None) => {
                match ConfigWatch::arm(&self.configuration.file, &self.poller, WATCH_KEY) {
                    Ok(watch) => self.watch = Some(watch),
                    Err(error) => {
                        log::warn!(target: "bansuri", "the configuration file cannot be watched: {error}: SIGHUP reloads it");
                    }
                }
            }
        }
    }

    /// Gives every task of the configuration what it is run and told with from now on. Live runs keep what they were
    /// started with.
    pub(super) fn assign(&mut self) {
        self.notices.configure(&self.configuration.notifiers);
        for launch in &self.configuration.launches {
            let task = self.core.task_id(&launch.name).expect("the core has every task of the configuration");
            if self.launches.len() <= task.index() {
                self.launches.resize(task.index() + 1, None);
            }
            self.launches[task.index()] = Some(Arc::clone(launch));
            self.notices.assign(task, launch);
            self.reporter.name(task, launch.name.shared());
        }
    }

    /// Tells the core which ticks earlier hosts took of tasks that catch up.
    pub(super) fn recall_ticks(&mut self) {
        self.forget_ticks();
        for (name, tick) in self.ticks.all() {
            if let Some(task) = TaskName::new(name).and_then(|name| self.core.task_id(&name)) {
                self.input(Input::LastTick { task, tick });
            }
        }
    }

    /// Forgets the ticks of tasks that do not catch up, or are no more.
    fn forget_ticks(&mut self) {
        let catch_up = catching_up(&self.configuration);
        if let Err(error) = self.ticks.retain(|name| catch_up.contains(name)) {
            log::warn!(target: "bansuri", "last ticks: {error}");
        }
    }
}

fn catching_up(configuration: &Configuration) -> std::collections::HashSet<&str> {
    let tasks = configuration.plan.tasks().iter();
    tasks.filter(|task| task.catch_up).map(|task| task.name.as_str()).collect()
}
