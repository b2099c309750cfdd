//! What waits, what is under way and what came of it: the rules of the queue, without threads.

use crate::notify::{Failure, Notifier};
use crate::tail::TailSource;
use bansuri_core::TaskId;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

#[cfg(test)]
mod laws;

/// Messages that may wait for one task; later ones fold into the last.
pub const WAITING_LIMIT: usize = 16;

const ENDING: &str = "the host is ending";

/// Whom to tell. Clones are the same notifier: while a call of one hangs, all get none.
#[derive(Clone)]
pub struct Recipient {
    /// Its name in the configuration, or `command`.
    pub name: Arc<str>,
    /// What delivers.
    pub notifier: Arc<dyn Notifier>,
    /// How long one call may take.
    pub limit: Duration,
}

impl Recipient {
    /// Which notifier this is; unique while a clone of the recipient exists.
    fn identity(&self) -> usize {
        Arc::as_ptr(&self.notifier).cast::<()>().addr()
    }
}

/// A failure whose tails are still where they were kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PendingFailure {
    /// All but the tails: its `stdout` and `stderr` are replaced by what is read.
    pub failure: Failure,
    /// Where the tail of standard output is.
    pub stdout: TailSource,
    /// Where the tail of standard error is.
    pub stderr: TailSource,
}

impl PendingFailure {
    /// Reads the tails. Blocks on the file system.
    pub(super) fn read(self) -> Failure {
        Failure { stdout: self.stdout.read(), stderr: self.stderr.read(), ..self.failure }
    }
}

/// What became of one message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NotificationDone {
    /// Whose failure it told of.
    pub task: TaskId,
    /// The name of that task.
    pub task_name: String,
    /// The recipient's name.
    pub notifier: Arc<str>,
    /// `Err`: why it was not delivered, as a lowercase fragment.
    pub result: Result<(), String>,
    /// Failures told of: 1, and those folded into the message.
    pub failures: u64,
}

/// A call of a notifier. Numbers are never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct CallId(u64);

/// What a worker is to do.
pub(super) struct Job {
    pub(super) call: CallId,
    pub(super) recipient: Recipient,
    pub(super) pending: PendingFailure,
}

/// The next thing for a worker.
pub(super) enum Next {
    /// A call that is now under way.
    Call(Box<Job>),
    /// A message whose recipient is still in a call that hangs: it is not delivered.
    Refused(NotificationDone, Recipient),
}

/// What a worker that comes back from a call finds. Recipients are to be dropped without the lock: their destructors
/// may be a plugin's.
pub(super) enum Returned {
    /// Its call counts: the result is to be reported, and then the task released.
    InTime(CallRecord),
    /// It was abandoned, and somebody else has reported it.
    TooLate(Recipient),
}

/// A call that was abandoned for its limit.
pub(super) struct Overdue {
    pub(super) done: NotificationDone,
    /// The thread it is on.
    pub(super) worker: u64,
}

/// What was given up at the end of the host.
#[derive(Default)]
pub(super) struct Abandoned {
    pub(super) done: Vec<NotificationDone>,
    /// Threads in calls that may never return.
    pub(super) workers: Vec<u64>,
    /// Whom nobody will call any more.
    pub(super) recipients: Vec<Recipient>,
}

/// What is remembered of a call under way.
pub(super) struct CallRecord {
    task: TaskId,
    recipient: Recipient,
    task_name: String,
    failures: u64,
    /// When it is abandoned; `None`: it ends by itself.
    deadline: Option<Instant>,
    /// The thread it is on.
    worker: u64,
}

impl CallRecord {
    /// The report of this call.
    pub(super) fn done(&self, result: Result<(), String>) -> NotificationDone {
        done(self.task, &self.task_name, &self.recipient, self.failures, result)
    }
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<(Recipient, PendingFailure)>,
    /// A call of this task is under way, or its result not yet reported: order demands that the rest waits.
    busy: bool,
}

/// The messages of all tasks.
#[derive(Default)]
pub(super) struct Queue {
    /// Lines with something in them or under way.
    lines: BTreeMap<TaskId, Line>,
    /// Tasks with something waiting and nothing under way, first come first served.
    ready: VecDeque<TaskId>,
    calls: BTreeMap<CallId, CallRecord>,
    /// Abandoned calls that have not returned, and whose they are.
    hanging: BTreeMap<CallId, Recipient>,
    next_call: u64,
}

impl Queue {
    /// Puts a message at the end of its task's line, or folds it into the last there.
    pub(super) fn push(&mut self, task: TaskId, recipient: Recipient, pending: PendingFailure) {
        let line = self.lines.entry(task).or_default();
        if line.waiting.len() >= WAITING_LIMIT
            && let Some((_, last)) = line.waiting.back_mut()
        {
            last.failure.folded += 1 + pending.failure.folded;
            return;
        }
        line.waiting.push_back((recipient, pending));
        if !line.busy && line.waiting.len() == 1 {
            self.ready.push_back(task);
        }
    }

    /// Takes the next message that may be delivered; its task is busy until it is released.
    pub(super) fn next(&mut self, worker: u64, now: Instant) -> Option<Next> {
        let task = self.ready.pop_front()?;
        let line = self.lines.get_mut(&task).expect("a ready task has a line");
        let (recipient, pending) = line.waiting.pop_front().expect("a ready task has a message waiting");
        line.busy = true;
        let task_name = pending.failure.task.clone();
        let failures = 1 + pending.failure.folded;
        if self.hanging.values().any(|hanging| hanging.identity() == recipient.identity()) {
            let why = format!("is still in a call that took longer than {:?}", recipient.limit);
            let done = done(task, &task_name, &recipient, failures, Err(why));
            return Some(Next::Refused(done, recipient));
        }
        let deadline =
            if recipient.notifier.keeps_its_limit() { None } else { now.checked_add(recipient.limit) };
        let call = CallId(self.next_call);
        self.next_call += 1;
        let record = CallRecord { task, recipient: recipient.clone(), task_name, failures, deadline, worker };
        self.calls.insert(call, record);
        Some(Next::Call(Box::new(Job { call, recipient, pending })))
    }

    /// A call has returned.
    pub(super) fn returned(&mut self, call: CallId) -> Returned {
        match self.calls.remove(&call) {
            Some(record) => Returned::InTime(record),
            None => Returned::TooLate(
                self.hanging.remove(&call).expect("a call returns once, counted or abandoned"),
            ),
        }
    }

    /// The result of the task's last call has been reported: its next message may go.
    pub(super) fn release(&mut self, task: TaskId) {
        let Some(line) = self.lines.get_mut(&task) else { return };
        if line.waiting.is_empty() {
            self.lines.remove(&task);
        } else {
            line.busy = false;
            self.ready.push_back(task);
        }
    }

    /// When the next call is to be abandoned.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.calls.values().filter_map(|call| call.deadline).min()
    }

    /// Abandons a call that is past its limit. Its result is to be reported, its thread is not to be counted on any
    /// more, and then the task is to be released.
    pub(super) fn take_overdue(&mut self, now: Instant) -> Option<Overdue> {
        let overdue = |call: &CallRecord| call.deadline.is_some_and(|deadline| deadline <= now);
        let call = *self.calls.iter().find(|(_, record)| overdue(record))?.0;
        let record = self.calls.remove(&call)?;
        let done = record.done(Err(format!("took longer than {:?}", record.recipient.limit)));
        self.hanging.insert(call, record.recipient);
        Some(Overdue { done, worker: record.worker })
    }

    /// The host is ending: what waits is dropped, calls that do not end by themselves are abandoned, and the others
    /// are aborted, to return soon.
    pub(super) fn abandon_all(&mut self) -> Abandoned {
        let mut abandoned = Abandoned::default();
        self.ready.clear();
        for (task, line) in &mut self.lines {
            for (recipient, pending) in line.waiting.drain(..) {
                abandoned.done.push(dropped(*task, &recipient, &pending));
                abandoned.recipients.push(recipient);
            }
        }
        self.lines.retain(|_, line| line.busy);
        for (call, record) in std::mem::take(&mut self.calls) {
            if record.recipient.notifier.keeps_its_limit() {
                record.recipient.notifier.abort();
                self.calls.insert(call, record);
            } else {
                abandoned.done.push(record.done(Err(format!("abandoned: {ENDING}"))));
                abandoned.workers.push(record.worker);
                self.lines.remove(&record.task);
                self.hanging.insert(call, record.recipient);
            }
        }
        abandoned
    }

    /// Tasks with a message that may be delivered now.
    pub(super) fn ready(&self) -> usize {
        self.ready.len()
    }

    /// Nothing waits, no call counts, and every result has been reported.
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

/// The report of a message that comes when the host is ending.
pub(super) fn dropped(task: TaskId, recipient: &Recipient, pending: &PendingFailure) -> NotificationDone {
    let why = Err(format!("dropped: {ENDING}"));
    done(task, &pending.failure.task, recipient, 1 + pending.failure.folded, why)
}

fn done(
    task: TaskId,
    task_name: &str,
    recipient: &Recipient,
    failures: u64,
    result: Result<(), String>,
) -> NotificationDone {
    NotificationDone {
        task,
        task_name: task_name.to_owned(),
        notifier: Arc::clone(&recipient.name),
        result,
        failures,
    }
}
