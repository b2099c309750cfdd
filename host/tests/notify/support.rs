//! What the tests share.

use bansuri::notify::{Failure, NotificationDone, Notifications, Notifier, PendingFailure, Recipient};
use bansuri::tail::TailSource;
use bansuri_core::TaskId;
use crossbeam::channel::{Receiver, Sender, unbounded};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How long an event may take before a test fails. Only a broken build waits this long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A failure of the task of this name.
pub(crate) fn failure(task: &str) -> Failure {
    Failure {
        task: task.to_owned(),
        command: "exit 1".to_owned(),
        working_directory: std::env::temp_dir(),
        return_code: 1,
        outcome: "FAILED",
        reason: "exit code 1".to_owned(),
        attempt: 1,
        max_attempts: Some(3),
        timestamp: SystemTime::UNIX_EPOCH,
        description: String::new(),
        stdout: Vec::new(),
        stderr: Vec::new(),
        run_id: format!("{task}#1"),
        host_name: "host".to_owned(),
        folded: 0,
    }
}

/// The same, without tails, of this attempt.
pub(crate) fn pending(task: &str, attempt: u32) -> PendingFailure {
    let failure = Failure { attempt, ..failure(task) };
    PendingFailure { failure, stdout: TailSource::None, stderr: TailSource::None }
}

pub(crate) fn task(index: usize) -> TaskId {
    TaskId::new(index)
}

pub(crate) fn recipient(name: &str, limit: Duration, notifier: impl Notifier + 'static) -> Recipient {
    Recipient { name: name.into(), notifier: Arc::new(notifier), limit }
}

/// Notifications with a waker that can be waited for.
pub(crate) struct Post {
    pub(crate) notifications: Notifications,
    woken: Receiver<()>,
}

impl Post {
    pub(crate) fn new() -> Self {
        let (wake, woken): (Sender<()>, _) = unbounded();
        Self { notifications: Notifications::new(move || wake.send(()).unwrap_or(())), woken }
    }

    /// The next result.
    pub(crate) fn next(&self) -> NotificationDone {
        loop {
            if let Some(done) = self.notifications.poll_done() {
                return done;
            }
            self.woken.recv_timeout(PATIENCE).expect("a result comes");
        }
    }

    pub(crate) fn wait_until_idle(&self) {
        while !self.notifications.is_idle() {
            self.woken.recv_timeout(PATIENCE).expect("it becomes idle");
        }
    }
}
