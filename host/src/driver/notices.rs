//! From a notice of the core to a message for a notifier.

use super::report::Reporter;
use crate::config::NotifierSpec;
use crate::launch::{Isolation, Launch, NotifyTarget};
use crate::notify::{
    COMMAND_LIMIT, CommandNotifier, Failure, IsolatedNotifier, Notifications, Notifier, PendingFailure,
    PluginNotifier, Recipient, WAITING_LIMIT, host_name,
};
use crate::plugin::Registry;
use crate::records::Records;
use crate::runner::Tails;
use bansuri_core::{Notice, OutcomeKind, RunId, StateName, TaskId, Wall};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Whom each task's failures are told to, what is known of runs that just ended, and what is held back.
pub(super) struct Notices {
    notifications: Notifications,
    registry: Arc<Registry>,
    records: Records,
    /// By name; kept over reloads as long as their configuration is the same.
    named: BTreeMap<String, (NotifierSpec, Recipient)>,
    /// Of the tasks whose failures somebody is told of, by their places.
    recipients: HashMap<usize, Recipient>,
    /// Of runs whose end the core is just judging.
    tails: HashMap<RunId, Tails>,
    /// Messages that are sent if their task does not succeed in time.
    held: HashMap<TaskId, VecDeque<PendingFailure>>,
    host_name: String,
}

impl Notices {
    /// Knows nobody yet.
    pub(super) fn new(
        registry: &Arc<Registry>,
        records: Records,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        Self {
            notifications: Notifications::new(wake),
            registry: Arc::clone(registry),
            records,
            named: BTreeMap::new(),
            recipients: HashMap::new(),
            tails: HashMap::new(),
            held: HashMap::new(),
            host_name: host_name(),
        }
    }

    /// Takes the notifiers of a configuration in the place of those before. One that is configured as it was stays
    /// what it is, instance and all.
    pub(super) fn configure(&mut self, notifiers: &BTreeMap<String, NotifierSpec>) {
        let mut before = std::mem::take(&mut self.named);
        for (name, spec) in notifiers {
            let entry = match before.remove(name) {
                Some((old, recipient)) if old == *spec => (old, recipient),
                Some(_) | None => (spec.clone(), self.recipient(name, spec)),
            };
            self.named.insert(name.clone(), entry);
        }
    }

    fn recipient(&self, name: &str, spec: &NotifierSpec) -> Recipient {
        let NotifierSpec { library, type_name, sha256, options, timeout, isolation } = spec.clone();
        let registry = Arc::clone(&self.registry);
        let isolation = match self.registry.must_isolate(&library) {
            Some(_) => Isolation::Process,
            None => isolation,
        };
        let notifier: Arc<dyn Notifier> = match isolation {
            Isolation::Thread => {
                Arc::new(PluginNotifier::new(registry, name, library, type_name, options).pinned_to(sha256))
            }
            Isolation::Process => Arc::new(
                IsolatedNotifier::new(registry, name, library, type_name, options, timeout)
                    .pinned_to(sha256)
                    .with_records(self.records.clone()),
            ),
        };
        Recipient { name: name.into(), notifier, limit: timeout }
    }

    /// Whom the failures of this task are told to from now on.
    pub(super) fn assign(&mut self, task: TaskId, launch: &Launch) {
        let recipient = launch.notify.as_ref().and_then(|target| match target {
            NotifyTarget::Command(words) => Some(Recipient {
                name: "command".into(),
                notifier: Arc::new(
                    CommandNotifier::new(Arc::clone(words), COMMAND_LIMIT).with_records(self.records.clone()),
                ),
                limit: COMMAND_LIMIT,
            }),
            NotifyTarget::Named(name) => self.named.get(name).map(|(_, recipient)| recipient.clone()),
        });
        match recipient {
            Some(recipient) => _ = self.recipients.insert(task.index(), recipient),
            None => _ = self.recipients.remove(&task.index()),
        }
    }

    /// Sends what was held back of this task.
    pub(super) fn send_held(&mut self, task: TaskId) {
        let Some(recipient) = self.recipients.get(&task.index()).cloned() else { return };
        for pending in self.held.remove(&task).into_iter().flatten() {
            self.notifications.send(task, recipient.clone(), pending);
        }
    }

    /// Forgets what was held back of this task.
    pub(super) fn drop_held(&mut self, task: TaskId) {
        self.held.remove(&task);
    }

    /// Keeps the end of a run's output until the core has judged the run.
    pub(super) fn keep_tails(&mut self, run: RunId, tails: Tails) {
        self.tails.insert(run, tails);
    }

    /// Lets go of what no notice asked for.
    pub(super) fn forget_tails(&mut self) {
        self.tails.clear();
    }

    /// Queues a message, or holds it back. Never blocks.
    pub(super) fn send(&mut self, launch: &Launch, notice: Notice, at: Wall) {
        let task = notice.run.task;
        let Some(recipient) = self.recipients.get(&task.index()).cloned() else { return };
        let tails = self.tails.remove(&notice.run).unwrap_or_default();
        let state = match notice.outcome.kind {
            OutcomeKind::TimedOut => StateName::TimedOut,
            OutcomeKind::Completed => StateName::Completed,
            OutcomeKind::Failed | OutcomeKind::Stopped => StateName::Failed,
        };
        let failure = Failure {
            task: launch.name.to_string(),
            command: launch.command_text().into_owned(),
            working_directory: launch.working_directory.to_path_buf(),
            return_code: notice.outcome.return_code(),
            outcome: state.as_str(),
            reason: notice.outcome.reason,
            attempt: notice.attempt,
            max_attempts: notice.max_attempts,
            timestamp: system_time(at),
            description: launch.description.clone(),
            stdout: Vec::new(),
            stderr: Vec::new(),
            run_id: format!("{}#{}", launch.name, notice.run.number),
            host_name: self.host_name.clone(),
            folded: 0,
        };
        let pending = PendingFailure { failure, stdout: tails.stdout, stderr: tails.stderr };
        if notice.held {
            self.hold(task, pending);
        } else {
            self.notifications.send(task, recipient, pending);
        }
    }

    /// As many as may wait for a task; later ones fold into the last.
    fn hold(&mut self, task: TaskId, pending: PendingFailure) {
        let held = self.held.entry(task).or_default();
        let full = held.len() >= WAITING_LIMIT;
        match held.back_mut() {
            Some(last) if full => last.failure.folded += 1,
            Some(_) | None => held.push_back(pending),
        }
    }

    /// Reports what has become of messages.
    pub(super) fn collect(&mut self, reporter: &mut Reporter) {
        while let Some(done) = self.notifications.poll_done() {
            reporter.notified(
                &done.task_name,
                &done.notifier,
                done.result.as_ref().map_err(String::as_str).copied(),
            );
        }
    }

    /// Whether every message has been delivered or given up, and reported.
    pub(super) fn is_idle(&self) -> bool {
        self.notifications.is_idle()
    }

    /// Gives up what is still queued or under way, and kills notify commands with their groups.
    pub(super) fn abandon(&self) {
        self.notifications.abandon();
    }
}

fn system_time(at: Wall) -> SystemTime {
    let nanos = at.as_nanos();
    let distance = Duration::from_nanos(nanos.unsigned_abs());
    if nanos < 0 { UNIX_EPOCH - distance } else { UNIX_EPOCH + distance }
}
