//! Runs plugin tasks, each run on a thread of its own.

use super::command::of_task;
use super::plugin_output::PluginOutput;
use super::pump::Logs;
use super::{CannotForce, Finished, LiveRun, RunSpec, StartError, Started, TaskRunner, Update};
use crate::launch::{Action, Launch, PluginAction};
use crate::plugin::{
    Digest, InstanceSetup, OutputSink, PluginFault, Registry, RunContext, RunSetup, TaskInstance, TaskRun,
    thread_name,
};
use bansuri_core::{Exit, RunId};
use crossbeam::channel::Sender;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

/// Wakes the control thread from its poll, from any thread.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

/// Starts runs of plugin tasks.
pub struct PluginRunner {
    registry: Arc<Registry>,
    updates: Sender<Update>,
    waker: Waker,
    logs: Logs,
}

impl PluginRunner {
    /// Takes libraries from `registry`, sends what becomes of runs to `updates`, and calls `waker` after each.
    pub fn new(registry: Arc<Registry>, updates: Sender<Update>, waker: Waker) -> Self {
        Self { registry, updates, waker, logs: Logs::default() }
    }

    /// Has these write logs that are rotated or whose lines begin with their time.
    #[must_use]
    pub fn with_logs(mut self, logs: Logs) -> Self {
        self.logs = logs;
        self
    }
}

impl TaskRunner for PluginRunner {
    fn start(&mut self, run: RunSpec) -> Result<Started, StartError> {
        let started = Instant::now();
        let Action::Plugin(_) = &run.launch.action else {
            let reason = format!("task {:?}: its command names no plugin", run.launch.name.as_str());
            return Err(StartError { reason, code: None });
        };
        let environment = of_task(&run.launch, run.run, Some(run.attempt))?;
        let output = Arc::new(PluginOutput::open(&run.launch, &self.logs)?);
        let sink = Arc::clone(&output) as Arc<dyn OutputSink>;
        let task_run = TaskRun::new(context_of(&run, started, environment, sink));
        let work = Work {
            registry: Arc::clone(&self.registry),
            launch: Arc::clone(&run.launch),
            task_run: Arc::clone(&task_run),
            report: Report {
                run: run.run,
                started,
                output,
                updates: self.updates.clone(),
                waker: Arc::clone(&self.waker),
                ending: Ending::Broken,
            },
        };
        let name = thread_name("task:", run.launch.name.as_str());
        match spawn_work(name, work) {
            Ok(()) => Ok(Started { live: Box::new(PluginRun { task_run }), pid: None }),
            Err(error) => Err(StartError { reason: format!("cannot start a thread: {error}"), code: None }),
        }
    }
}

impl OutputSink for PluginOutput {
    fn stdout(&self, bytes: &[u8]) -> io::Result<()> {
        self.write_stdout(bytes)
    }

    fn stderr(&self, bytes: &[u8]) -> io::Result<()> {
        self.write_stderr(bytes)
    }
}

/// A run on its thread.
struct PluginRun {
    task_run: Arc<TaskRun>,
}

impl LiveRun for PluginRun {
    fn request_stop(&self) {
        self.task_run.request_stop();
    }

    fn force_stop(&self) -> Result<(), CannotForce> {
        Err(CannotForce)
    }
}

/// What the thread of a run does.
struct Work {
    registry: Arc<Registry>,
    launch: Arc<Launch>,
    task_run: Arc<TaskRun>,
    report: Report,
}

impl Work {
    fn run(mut self) {
        let result = self.task_run.execute(|| self.make());
        self.report.ending = Ending::Told(exit_of(result));
        // Dropping the report sends it.
    }

    fn make(&self) -> Result<TaskInstance, PluginFault> {
        let Action::Plugin(plugin) = &self.launch.action else {
            return Err(PluginFault::Error("its command names no plugin".to_owned()));
        };
        let PluginAction { library, type_name, sha256, options, .. } = &**plugin;
        let pin = sha256.map(Digest);
        let prepared = self.registry.prepare(library, pin.as_ref());
        let library = prepared.and_then(|prepared| prepared.library());
        let library = library.map_err(|error| PluginFault::Error(error.to_string()))?;
        library.new_task(type_name, InstanceSetup { name: self.launch.name.shared(), options })
    }
}

/// Tells the end of a run exactly once: when it is dropped, even by a panic of the host's own code.
struct Report {
    run: RunId,
    started: Instant,
    output: Arc<PluginOutput>,
    updates: Sender<Update>,
    waker: Waker,
    ending: Ending,
}

/// What is to be said of a run.
enum Ending {
    /// It has not come to an end in order: this stands for a panic of the host's own code.
    Broken,
    /// It ended so.
    Told(Exit),
    /// It was never started: nothing.
    Never,
}

impl Drop for Report {
    fn drop(&mut self) {
        let exit = match std::mem::replace(&mut self.ending, Ending::Never) {
            Ending::Told(exit) => exit,
            Ending::Broken => Exit::Panic("the host's own code panicked".to_owned()),
            Ending::Never => return,
        };
        let finished = Finished {
            run: self.run,
            exit,
            remains: false,
            tails: self.output.tails(),
            lived: self.started.elapsed(),
        };
        // A driver that is gone wants to hear of nothing.
        if self.updates.send(Update::Finished(finished)).is_ok() {
            (self.waker)();
        }
    }
}

/// Starts the thread of a run. Where there is none, nothing is reported.
fn spawn_work(name: String, work: Work) -> io::Result<()> {
    // The work goes to the thread by a slot, so that a failure leaves it here, to be taken apart without a report.
    let slot = Arc::new(Mutex::new(Some(work)));
    let taken = Arc::clone(&slot);
    let spawned = thread::Builder::new().name(name).spawn(move || {
        let work = taken.lock().take();
        if let Some(work) = work {
            work.run();
        }
    });
    match spawned {
        Ok(_) => Ok(()),
        Err(error) => {
            if let Some(mut work) = slot.lock().take() {
                work.report.ending = Ending::Never;
            }
            Err(error)
        }
    }
}

fn context_of(
    run: &RunSpec,
    started: Instant,
    environment: BTreeMap<String, String>,
    output: Arc<dyn OutputSink>,
) -> RunContext {
    let name = run.launch.name.as_str();
    RunContext::new(RunSetup {
        task: run.launch.name.shared(),
        attempt: run.attempt,
        run_id: format!("{name}#{}", run.run.number),
        working_directory: run.launch.working_directory.to_path_buf(),
        environment,
        deadline: run.launch.timeout.and_then(|timeout| started.checked_add(timeout.duration())),
        output,
    })
}

/// How a run ended, from what its plugin said.
pub(super) fn exit_of(result: Result<i32, PluginFault>) -> Exit {
    match result {
        Ok(code) => Exit::Code(code),
        Err(PluginFault::Error(message)) => Exit::Error(message),
        Err(PluginFault::Panic(message)) => Exit::Panic(message),
    }
}
