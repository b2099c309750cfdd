//! The notifier threads. The control thread hands over messages and takes results, and never waits for either.

use super::queue::{Abandoned, Job, Next, Overdue, Queue, Returned, dropped};
use crate::notify::{NotificationDone, PendingFailure, Recipient};
use bansuri_core::TaskId;
use parking_lot::{Condvar, Mutex, MutexGuard};
use std::any::Any;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

/// Calls under way at once, those abandoned not counted.
const THREADS: usize = 4;

/// Results that may wait for the control thread; then the notifier threads wait.
const RESULTS_LIMIT: usize = 1024;

/// The messages of all tasks on their way: in order for each task, different tasks at once on a few threads that are
/// started when they are first needed.
///
/// Every method returns at once and is meant for the control thread. Each message that was sent gives exactly one
/// [`NotificationDone`]. Dropping it abandons what is left and joins the threads, but those stuck in a call.
pub struct Notifications {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    /// A message is ready, or the pool is closed.
    work: Condvar,
    /// The earliest deadline has changed, or the pool is closed.
    clock: Condvar,
    /// There is room for results, or the pool is closed.
    room: Condvar,
    wake: Box<dyn Fn() + Send + Sync>,
}

#[derive(Default)]
struct State {
    queue: Queue,
    results: VecDeque<NotificationDone>,
    /// Threads that serve the queue, by number; those stuck in an abandoned call are not among them.
    workers: HashMap<u64, JoinHandle<()>>,
    /// Those of them that wait for work.
    idle: usize,
    next_worker: u64,
    /// Whom nobody will call any more. Their destructors may be a plugin's: they run neither under the lock nor on the
    /// control thread of a host that lives.
    retired: Vec<Recipient>,
    /// Watches the deadlines, once there was one.
    watch: Option<JoinHandle<()>>,
    closed: bool,
}

impl Notifications {
    /// `wake` is called from other threads whenever [`Self::poll_done`] or [`Self::is_idle`] may have changed; it must
    /// neither block nor call back.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        let shared = Shared {
            state: Mutex::default(),
            work: Condvar::new(),
            clock: Condvar::new(),
            room: Condvar::new(),
            wake: Box::new(wake),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Queues a message. When [`WAITING_LIMIT`](crate::notify::WAITING_LIMIT) wait for the task, it is folded into the
    /// last of them, and both give one result. After [`Self::abandon`] it fails.
    pub fn send(&self, task: TaskId, to: Recipient, pending: PendingFailure) {
        let mut state = self.shared.state.lock();
        if state.closed {
            let done = dropped(task, &to, &pending);
            state.results.push_back(done.clone());
            state.retired.push(to);
            drop(state);
            return log_failure(&done);
        }
        let watched = !to.notifier.keeps_its_limit();
        state.queue.push(task, to, pending);
        if watched && state.watch.is_none() {
            state.watch = started("notify-watch", &self.shared, watch);
        }
        self.shared.staff(&mut state, 0);
    }

    /// The next result, in the order in which they came.
    pub fn poll_done(&self) -> Option<NotificationDone> {
        let done = self.shared.state.lock().results.pop_front();
        if done.is_some() {
            self.shared.room.notify_one();
        }
        done
    }

    /// Whether nothing waits, no call is under way and every result has been taken. Abandoned calls do not count.
    pub fn is_idle(&self) -> bool {
        let state = self.shared.state.lock();
        state.queue.is_empty() && state.results.is_empty()
    }

    /// The host is ending: what waits is dropped, notify commands are killed with their groups, other calls are
    /// abandoned. All that is logged, and the results are failures to be taken by [`Self::poll_done`];
    /// [`Self::is_idle`] then turns true as soon as the groups are gone.
    pub fn abandon(&self) {
        let mut state = self.shared.state.lock();
        state.closed = true;
        let Abandoned { done, workers, recipients } = state.queue.abandon_all();
        for worker in workers {
            state.workers.remove(&worker);
        }
        state.results.extend(done.iter().cloned());
        state.retired.extend(recipients);
        drop(state);
        done.iter().for_each(log_failure);
        self.shared.work.notify_all();
        self.shared.clock.notify_all();
        self.shared.room.notify_all();
    }
}

impl Drop for Notifications {
    fn drop(&mut self) {
        self.abandon();
        let mut state = self.shared.state.lock();
        let threads: Vec<_> = state.workers.drain().map(|(_, handle)| handle).collect();
        let watch = state.watch.take();
        drop(state);
        for handle in threads.into_iter().chain(watch) {
            // The only way to fail is a panic there, which the panic hook has already shown.
            let _ = handle.join();
        }
    }
}

impl Shared {
    /// Sees to it that somebody is there for every task that is ready; `coming` of the pool's threads are about to
    /// look by themselves.
    fn staff(self: &Arc<Self>, state: &mut State, coming: usize) {
        let needed = state.queue.ready().saturating_sub(coming);
        for _ in 0..needed.min(state.idle) {
            self.work.notify_one();
        }
        for _ in state.idle..needed {
            if state.workers.len() >= THREADS {
                break;
            }
            let number = state.next_worker;
            let body = move |shared: Arc<Shared>| work(&shared, number);
            let Some(handle) = started(&format!("notify-{}", number + 1), self, body) else { break };
            state.next_worker += 1;
            state.workers.insert(number, handle);
        }
    }

    /// Reports the end of a task's call, as soon as there is room, and lets its next message go.
    fn settle(self: &Arc<Self>, state: &mut MutexGuard<'_, State>, done: NotificationDone, coming: usize) {
        let task = done.task;
        MutexGuard::unlocked(state, || log_failure(&done));
        while state.results.len() >= RESULTS_LIMIT && !state.closed {
            self.room.wait(state);
        }
        state.results.push_back(done);
        state.queue.release(task);
        self.staff(state, coming);
        MutexGuard::unlocked(state, || (self.wake)());
    }
}

fn log_failure(done: &NotificationDone) {
    if let Err(error) = &done.result {
        log::warn!("task {:?}: notifier {:?}: {error}", done.task_name, &*done.notifier);
    }
}

/// A thread that cannot be started is tried again with the next message; what waits stays.
fn started(
    name: &str,
    shared: &Arc<Shared>,
    body: impl FnOnce(Arc<Shared>) + Send + 'static,
) -> Option<JoinHandle<()>> {
    let shared = Arc::clone(shared);
    let result: io::Result<_> = thread::Builder::new().name(name.to_owned()).spawn(move || body(shared));
    result.inspect_err(|error| log::warn!("thread {name:?} could not be started: {error}")).ok()
}

fn work(shared: &Arc<Shared>, number: u64) {
    let mut state = shared.state.lock();
    loop {
        match state.queue.next(number, Instant::now()) {
            Some(Next::Refused(done, recipient)) => {
                shared.settle(&mut state, done, 1);
                MutexGuard::unlocked(&mut state, || drop(recipient));
            }
            Some(Next::Call(job)) => {
                shared.clock.notify_one();
                let call = job.call;
                let result = MutexGuard::unlocked(&mut state, || deliver(*job));
                match state.queue.returned(call) {
                    Returned::InTime(record) => {
                        shared.settle(&mut state, record.done(result), 1);
                        MutexGuard::unlocked(&mut state, || drop(record));
                    }
                    Returned::TooLate(recipient) => {
                        drop(state);
                        drop(recipient);
                        return;
                    }
                }
            }
            None if state.closed => return,
            None => {
                state.idle += 1;
                shared.work.wait(&mut state);
                state.idle -= 1;
            }
        }
    }
}

/// A panic is a failed delivery: the thread and its queue go on.
fn deliver(job: Job) -> Result<(), String> {
    let Job { recipient, pending, .. } = job;
    catch_unwind(AssertUnwindSafe(|| recipient.notifier.notify(&pending.read())))
        .unwrap_or_else(|payload| Err(format!("panicked: {}", panic_text(payload))))
}

fn panic_text(payload: Box<dyn Any + Send>) -> String {
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => match payload.downcast::<&'static str>() {
            Ok(text) => (*text).to_owned(),
            Err(payload) => {
                // What cannot be read is not dropped either: its destructor is a stranger's and may panic again.
                std::mem::forget(payload);
                "no message".to_owned()
            }
        },
    }
}

/// Abandons calls past their limit; their threads are written off, to end when the call returns.
fn watch(shared: Arc<Shared>) {
    let mut state = shared.state.lock();
    while !state.closed {
        if let Some(Overdue { done, worker }) = state.queue.take_overdue(Instant::now()) {
            state.workers.remove(&worker);
            shared.settle(&mut state, done, 0);
        } else if let Some(deadline) = state.queue.next_deadline() {
            shared.clock.wait_until(&mut state, deadline);
        } else {
            shared.clock.wait(&mut state);
        }
    }
}
