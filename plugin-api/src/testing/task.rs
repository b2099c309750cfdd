//! Runs of a task without a host.

use super::host::{Context, Fault, Host, LogLine};
use crate::abi::{AbiTaskContext_TO, ContextArc, TaskBox};
use crate::author::Task;
use crate::{adapter, log_forwarder, shield};
use abi_stable::sabi_trait::TD_Opaque;
use abi_stable::std_types::RArc;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A run that is about to start. Without further words it is attempt 1 of a task named `test`, with no options, no
/// timeout, an empty environment and the current directory.
#[derive(Clone, Debug)]
pub struct TaskTest<T> {
    name: String,
    options: serde_json::Value,
    attempt: u32,
    environment: BTreeMap<String, String>,
    working_directory: Option<PathBuf>,
    timeout: Option<Duration>,
    task: PhantomData<fn() -> T>,
}

impl<T: Task> Default for TaskTest<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Task> TaskTest<T> {
    /// A run of a `T`.
    pub fn new() -> Self {
        Self {
            name: "test".to_owned(),
            options: serde_json::Value::Object(serde_json::Map::new()),
            attempt: 1,
            environment: BTreeMap::new(),
            working_directory: None,
            timeout: None,
            task: PhantomData,
        }
    }

    /// The task's name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// What the constructor reads, `serde_json::json!({ … })` or any type that serializes.
    ///
    /// # Panics
    ///
    /// If they cannot be written as JSON.
    pub fn options(mut self, options: impl Serialize) -> Self {
        self.options = serde_json::to_value(options).expect("options of a test can be written as JSON");
        self
    }

    /// Which execution in a row it is, from 1.
    pub fn attempt(mut self, attempt: u32) -> Self {
        self.attempt = attempt;
        self
    }

    /// Adds a variable.
    pub fn environment(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// The working directory.
    pub fn working_directory(mut self, path: impl Into<PathBuf>) -> Self {
        self.working_directory = Some(path.into());
        self
    }

    /// What `time_left` counts down from. Nothing ends the run when it has passed.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Runs it to its end on this thread.
    pub fn run(self) -> TestRun {
        let (host, instance, context) = self.make();
        let result = instance.and_then(|task| {
            let result = task.run(context).into_result().map_err(Fault::from_abi);
            host.change(|record| record.ended = true);
            closed(task, result)
        });
        TestRun::new(&host, result)
    }

    /// Starts it on a thread of its own, to be stopped by the test.
    ///
    /// # Panics
    ///
    /// If the system gives no thread.
    pub fn start(self) -> RunningTask {
        let (host, instance, context) = self.make();
        let (task, thread) = match instance {
            Err(fault) => {
                host.change(|record| record.ended = true);
                (Err(fault), None)
            }
            Ok(task) => {
                let task = Arc::new(task);
                let (shared, host) = (Arc::clone(&task), Arc::clone(&host));
                let thread = thread::Builder::new().name("task:test".to_owned()).spawn(move || {
                    let result = shared.run(context).into_result().map_err(Fault::from_abi);
                    host.change(|record| record.ended = true);
                    result
                });
                (Ok(task), Some(thread.expect("the system gives a test a thread")))
            }
        };
        RunningTask { host, task, thread }
    }

    fn make(self) -> (Arc<Host>, Result<TaskBox, Fault>, ContextArc) {
        shield::install_hook();
        log_forwarder::install();
        let host = Arc::new(Host::default());
        let instance = adapter::new_task::<T>(host.config(&self.name, &self.options));
        let current = || std::env::current_dir().expect("a test has a current directory");
        let context = Context {
            host: Arc::clone(&host),
            run_id: format!("{}#1", self.name),
            name: self.name,
            attempt: self.attempt,
            working_directory: self.working_directory.unwrap_or_else(current),
            environment: self.environment,
            deadline: self.timeout.and_then(|timeout| Instant::now().checked_add(timeout)),
        };
        let context = AbiTaskContext_TO::from_ptr(RArc::new(context), TD_Opaque);
        (host, instance.map_err(Fault::from_shield), context)
    }
}

/// Drops the author's value; a panic in that outweighs how the run went.
fn closed(task: TaskBox, result: Result<i32, Fault>) -> Result<i32, Fault> {
    task.close().into_result().map_err(Fault::from_abi).and(result)
}

/// A run in progress.
pub struct RunningTask {
    host: Arc<Host>,
    task: Result<Arc<TaskBox>, Fault>,
    thread: Option<JoinHandle<Result<i32, Fault>>>,
}

impl RunningTask {
    /// Waits until standard output holds `text`, at most this long; whether it does. It returns early, too, when the
    /// run has ended.
    pub fn wait_for_stdout(&self, text: &str, at_most: Duration) -> bool {
        let holds = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains(text);
        self.host.wait_until(at_most, |record| record.ended || holds(&record.stdout));
        holds(&self.host.record().stdout)
    }

    /// Asks it to stop as a host does: `is_stopping` turns true, then `Task::stop` is called, here on this thread.
    pub fn stop(&self) -> Result<(), Fault> {
        self.host.change(|record| record.stopping = true);
        match &self.task {
            Ok(task) => task.stop().into_result().map_err(Fault::from_abi),
            Err(_) => Ok(()),
        }
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        self.host.record().ended
    }

    /// Waits for its end.
    pub fn wait(mut self) -> TestRun {
        let result = match (self.task, self.thread.take()) {
            (Ok(task), Some(thread)) => {
                let result = thread.join().expect("a shielded run does not unwind");
                let task = Arc::try_unwrap(task).ok().expect("the thread of the run is gone");
                closed(task, result)
            }
            (Err(fault), _) => Err(fault),
            (Ok(_), None) => unreachable!("a run that was made has a thread"),
        };
        TestRun::new(&self.host, result)
    }
}

/// A run that has ended, and what it said.
#[derive(Clone, PartialEq, Debug)]
pub struct TestRun {
    /// The exit code, or why there is none: an error or a panic in the constructor, in `run` or in `Drop`.
    pub result: Result<i32, Fault>,
    /// What it wrote to standard output.
    pub stdout: Vec<u8>,
    /// What it wrote to standard error.
    pub stderr: Vec<u8>,
    /// What it logged on the threads the host called it on, up to now.
    pub log: Vec<LogLine>,
    /// What it told of its progress.
    pub progress: Vec<(f64, String)>,
}

impl TestRun {
    fn new(host: &Host, result: Result<i32, Fault>) -> Self {
        let record = host.record().clone();
        Self {
            result,
            stdout: record.stdout,
            stderr: record.stderr,
            log: record.log,
            progress: record.progress,
        }
    }

    /// Standard output as text, with U+FFFD for what is not UTF-8.
    pub fn stdout_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.stdout)
    }

    /// Standard error as text, with U+FFFD for what is not UTF-8.
    pub fn stderr_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.stderr)
    }
}
