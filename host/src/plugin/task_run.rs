//! One run of a task instance: its constructor, `run`, `stop` beside it, and its end.

use super::context::RunContext;
use super::error::PluginFault;
use super::instance::TaskInstance;
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::thread;

/// What the thread of a run, the one that calls `stop`, and whoever asks for that share.
pub struct TaskRun {
    context: RunContext,
    stage: Mutex<Stage>,
    /// Notified at every change of the stage.
    changed: Condvar,
    /// A panic of `stop`.
    stop_fault: Mutex<Option<PluginFault>>,
}

/// How far a run is, and whether `stop` has been or is being called.
enum Stage {
    /// The constructor runs, and nobody has asked for an end.
    Making,
    /// The constructor runs, and the thread that is to call `stop` waits for it.
    MakingToStop,
    /// `run` runs.
    Running(Arc<TaskInstance>),
    /// `run` runs or has returned, and `stop` is being called.
    Stopping(Arc<TaskInstance>),
    /// `run` runs or has returned, and `stop` has returned.
    Stopped,
    /// `run` has returned, or was never called; `stop` is called no more.
    Over,
}

impl TaskRun {
    /// One that is about to start.
    pub fn new(context: RunContext) -> Arc<Self> {
        let (stage, stop_fault) = (Mutex::new(Stage::Making), Mutex::new(None));
        Arc::new(Self { context, stage, changed: Condvar::new(), stop_fault })
    }

    /// Makes the instance, runs it on this thread and drops it: the exit code that `run` returned, or the first panic,
    /// or the error. To be called once.
    pub fn execute(
        &self,
        make: impl FnOnce() -> Result<TaskInstance, PluginFault>,
    ) -> Result<i32, PluginFault> {
        let result = self.run(make);
        self.over();
        self.context.end();
        result
    }

    /// Has `stop` called on a thread of its own, and the context say that the run is to end. Never blocks.
    pub fn request_stop(self: &Arc<Self>) {
        // Claimed first: a run that ends as soon as its context says so still waits for `stop` to be called.
        let claimed = self.claim_stop();
        self.context.request_stop();
        if !claimed {
            return;
        }
        let this = Arc::clone(self);
        let name = thread_name("stop:", self.context.task());
        let spawned = thread::Builder::new().name(name).spawn(move || this.call_stop());
        if let Err(error) = spawned {
            // The context says it all the same.
            log::warn!(target: self.context.task(), "stop() cannot be called: no thread: {error}");
            self.stop_returned();
        }
    }

    fn run(&self, make: impl FnOnce() -> Result<TaskInstance, PluginFault>) -> Result<i32, PluginFault> {
        let instance = Arc::new(make()?);
        self.made(&instance);
        let result = instance.run(&self.context);
        self.over();
        let stopped = self.stop_fault.lock().take().map_or(Ok(()), Err);
        let instance = Arc::into_inner(instance).expect("whoever called stop has let go of the instance");
        let closed = instance.close();
        self.judge(result, stopped, closed)
    }

    /// Whether the caller is the one to call `stop`.
    fn claim_stop(&self) -> bool {
        let mut stage = self.stage.lock();
        match std::mem::replace(&mut *stage, Stage::Over) {
            Stage::Making => {
                *stage = Stage::MakingToStop;
                true
            }
            Stage::Running(instance) => {
                *stage = Stage::Stopping(instance);
                true
            }
            other @ (Stage::MakingToStop | Stage::Stopping(_) | Stage::Stopped | Stage::Over) => {
                *stage = other;
                false
            }
        }
    }

    /// Calls `stop`, once there is an instance; not at all where there is never one.
    fn call_stop(&self) {
        let instance = {
            let mut stage = self.stage.lock();
            self.changed.wait_while(&mut stage, |stage| matches!(stage, Stage::MakingToStop));
            match &*stage {
                Stage::Stopping(instance) => Arc::clone(instance),
                Stage::Making | Stage::MakingToStop | Stage::Running(_) | Stage::Stopped | Stage::Over => {
                    return;
                }
            }
        };
        if let Err(fault) = instance.stop() {
            log::error!(target: self.context.task(), "{fault}");
            *self.stop_fault.lock() = Some(fault);
        }
        drop(instance);
        self.stop_returned();
    }

    fn stop_returned(&self) {
        let mut stage = self.stage.lock();
        // Where no instance has been made yet, none is to be stopped; the context says that the run has to end.
        *stage = Stage::Stopped;
        self.changed.notify_all();
    }

    /// Makes an instance known to who calls `stop`.
    fn made(&self, instance: &Arc<TaskInstance>) {
        let mut stage = self.stage.lock();
        match &*stage {
            Stage::Making => *stage = Stage::Running(Arc::clone(instance)),
            Stage::MakingToStop => *stage = Stage::Stopping(Arc::clone(instance)),
            Stage::Running(_) | Stage::Stopping(_) | Stage::Stopped | Stage::Over => {}
        }
        self.changed.notify_all();
    }

    /// Waits until author's code is in `stop` no more, and keeps it out from then on. A `stop` that does not return
    /// holds the end of the run back: its code still runs, and a second run beside it must not start.
    fn over(&self) {
        let mut stage = self.stage.lock();
        self.changed.wait_while(&mut stage, |stage| matches!(stage, Stage::Stopping(_)));
        *stage = Stage::Over;
        self.changed.notify_all();
    }

    /// The first panic decides, then what `run` returned.
    fn judge(
        &self,
        result: Result<i32, PluginFault>,
        stopped: Result<(), PluginFault>,
        closed: Result<(), PluginFault>,
    ) -> Result<i32, PluginFault> {
        let faults = [result.clone().err(), stopped.err(), closed.err()];
        let mut panics = faults.into_iter().flatten().filter(|it| matches!(it, PluginFault::Panic(_)));
        match panics.next() {
            Some(first) => {
                for further in panics {
                    log::error!(target: self.context.task(), "{further}");
                }
                Err(first)
            }
            None => result,
        }
    }
}

/// The name of a thread that serves a task. The system shows the first 15 bytes of it. A thread's name holds no NUL.
pub fn thread_name(prefix: &str, task: &str) -> String {
    format!("{prefix}{}", task.replace('\0', "?"))
}
