//! From a notice of the core to a message for a notifier.

use super::report::Reporter;
use crate::config::Configuration;
use crate::launch::{Launch, NotifyTarget};
use crate::notify::{
    COMMAND_LIMIT, CommandNotifier, Failure, Notifications, Notifier, PendingFailure, PluginNotifier,
    Recipient, TailSource, host_name,
};
use crate::plugin::Registry;
use crate::runner::{Stream, Tails};
use bansuri_core::{Notice, OutcomeKind, RunId, StateName, Wall};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Whom each task's failures are told to, and what is known of runs that just ended.
pub(super) struct Notices {
    notifications: Notifications,
    /// By task.
    recipients: Vec<Option<Recipient>>,
    /// Of runs whose end the core is just judging.
    tails: HashMap<RunId, Tails>,
    host_name: String,
}

impl Notices {
    /// One notifier for each that the configuration names, and one for each notify command.
    pub(super) fn new(
        configuration: &Configuration,
        registry: &Arc<Registry>,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        let named: BTreeMap<&str, Recipient> = configuration
            .notifiers
            .iter()
            .map(|(name, spec)| {
                let notifier: Arc<dyn Notifier> = Arc::new(PluginNotifier::new(
                    Arc::clone(registry),
                    name.clone(),
                    spec.library.clone(),
                    spec.type_name.clone(),
                    spec.options.clone(),
                ));
                (name.as_str(), Recipient { name: name.as_str().into(), notifier, limit: spec.timeout })
            })
            .collect();
        let recipient = |launch: &Arc<Launch>| match launch.notify.as_ref()? {
            NotifyTarget::Command(words) => Some(Recipient {
                name: "command".into(),
                notifier: Arc::new(CommandNotifier::new(Arc::clone(words), COMMAND_LIMIT)),
                limit: COMMAND_LIMIT,
            }),
            NotifyTarget::Named(name) => named.get(name.as_str()).cloned(),
        };
        Self {
            recipients: configuration.launches.iter().map(recipient).collect(),
            notifications: Notifications::new(wake),
            tails: HashMap::new(),
            host_name: host_name(),
        }
    }

    /// Keeps the end of a run's output until the core has judged the run.
    pub(super) fn keep_tails(&mut self, run: RunId, tails: Tails) {
        self.tails.insert(run, tails);
    }

    /// Lets go of what no notice asked for.
    pub(super) fn forget_tails(&mut self) {
        self.tails.clear();
    }

    /// Queues a message. Never blocks.
    pub(super) fn send(&mut self, launch: &Launch, notice: Notice, at: Wall) {
        let Some(recipient) = &self.recipients[notice.run.task.index()] else { return };
        let tails = self.tails.remove(&notice.run).unwrap_or_default();
        let state = match notice.outcome.kind {
            OutcomeKind::TimedOut => StateName::TimedOut,
            OutcomeKind::Failed | OutcomeKind::Completed | OutcomeKind::Stopped => StateName::Failed,
        };
        let failure = Failure {
            task: launch.name.to_string(),
            command: launch.command_text.clone(),
            working_directory: launch.working_directory.clone(),
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
        let pending = PendingFailure { failure, stdout: source(tails.stdout), stderr: source(tails.stderr) };
        self.notifications.send(notice.run.task, recipient.clone(), pending);
    }

    /// Reports what has become of messages.
    pub(super) fn collect(&mut self, reporter: &mut Reporter) {
        while let Some(done) = self.notifications.poll_done() {
            reporter.notified(
                done.task,
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

fn source(stream: Stream) -> TailSource {
    match stream {
        Stream::None => TailSource::None,
        Stream::Bytes(bytes) => TailSource::Bytes(bytes),
        Stream::File { path, identity, start, end } => TailSource::File { path, identity, start, end },
    }
}

fn system_time(at: Wall) -> SystemTime {
    let nanos = at.as_nanos();
    let distance = Duration::from_nanos(nanos.unsigned_abs());
    if nanos < 0 { UNIX_EPOCH - distance } else { UNIX_EPOCH + distance }
}
