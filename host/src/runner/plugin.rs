//! Runs plugin tasks, each run on a thread of its own.

use super::command::of_task;
use super::plugin_output::PluginOutput;
use super::pump::Logs;
use super::{CannotForce, Finished, LiveRun, RunSpec, StartError, Started, TaskRunner, Update};
use crate::launch::{Action, Launch};
use crate::plugin::{
    Digest, InstanceSetup, OutputSink, PluginFault, Registry, RunContext, RunSetup, TaskInstance,
};
use bansuri_core::{Exit, RunId};
use crossbeam::channel::Sender;
use parking_lot::{Condvar, Mutex};
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
        let Action::Plugin { .. } = &run.launch.action else {
            let reason = format!("task {:?}: its command names no plugin", run.launch.name.as_str());
            return Err(StartError { reason, code: None });
        };
        let environment = of_task(&run.launch, run.run, Some(run.attempt))?;
        let output = Arc::new(PluginOutput::open(&run.launch, &self.logs)?);
        let shared = Arc::new(Shared {
            context: context_of(&run, started, environment, Arc::clone(&output) as Arc<dyn OutputSink>),
            stage: Mutex::new(Stage::Making),
            changed: Condvar::new(),
            stop_fault: Mutex::new(None),
        });
        let work = Work {
            registry: Arc::clone(&self.registry),
            launch: Arc::clone(&run.launch),
            shared: Arc::clone(&shared),
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
            Ok(()) => Ok(Started { live: Box::new(PluginRun { shared, launch: run.launch }), pid: None }),
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
    shared: Arc<Shared>,
    launch: Arc<Launch>,
}

impl LiveRun for PluginRun {
    fn request_stop(&self) {
        // Claimed first: a run that ends as soon as its context says so still waits for `stop` to be called.
        let claimed = self.shared.claim_stop();
        self.shared.context.request_stop();
        if !claimed {
            return;
        }
        let (shared, task) = (Arc::clone(&self.shared), self.launch.name.shared());
        let name = thread_name("stop:", &task);
        let spawned = thread::Builder::new().name(name).spawn(move || shared.call_stop(&task));
        if let Err(error) = spawned {
            // The context says it all the same.
            log::warn!(target: self.launch.name.as_str(), "stop() cannot be called: no thread: {error}");
            self.shared.stop_returned();
        }
    }

    fn force_stop(&self) -> Result<(), CannotForce> {
        Err(CannotForce)
    }
}

/// What the thread of the run, the one that calls `stop`, and the control thread share.
struct Shared {
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

impl Shared {
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
    fn call_stop(&self, task: &str) {
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
            log::error!(target: task, "{fault}");
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
}

/// What the thread of a run does.
struct Work {
    registry: Arc<Registry>,
    launch: Arc<Launch>,
    shared: Arc<Shared>,
    report: Report,
}

impl Work {
    fn run(mut self) {
        let exit = self.execute();
        self.shared.over();
        self.shared.context.end();
        self.report.ending = Ending::Told(exit);
        // Dropping the report sends it.
    }

    fn execute(&self) -> Exit {
        let instance = match self.make() {
            Ok(instance) => Arc::new(instance),
            Err(fault) => return exit_of(fault),
        };
        self.shared.made(&instance);
        let result = instance.run(&self.shared.context);
        self.shared.over();
        let stopped = self.shared.stop_fault.lock().take().map_or(Ok(()), Err);
        let instance = Arc::into_inner(instance).expect("whoever called stop has let go of the instance");
        let closed = instance.close();
        self.judge(result, stopped, closed)
    }

    fn make(&self) -> Result<TaskInstance, PluginFault> {
        let Action::Plugin { library, type_name, sha256, options, .. } = &self.launch.action else {
            return Err(PluginFault::Error("its command names no plugin".to_owned()));
        };
        let pin = sha256.map(Digest);
        let prepared = self.registry.prepare(library, pin.as_ref());
        let library = prepared.and_then(|prepared| prepared.library());
        let library = library.map_err(|error| PluginFault::Error(error.to_string()))?;
        library.new_task(type_name, InstanceSetup { name: self.launch.name.shared(), options })
    }

    /// The first panic decides, then what `run` returned.
    fn judge(
        &self,
        result: Result<i32, PluginFault>,
        stopped: Result<(), PluginFault>,
        closed: Result<(), PluginFault>,
    ) -> Exit {
        let faults = [result.clone().err(), stopped.err(), closed.err()];
        let mut panics = faults.into_iter().flatten().filter(|it| matches!(it, PluginFault::Panic(_)));
        if let Some(first) = panics.next() {
            for further in panics {
                log::error!(target: self.launch.name.as_str(), "{further}");
            }
            return exit_of(first);
        }
        match result {
            Ok(code) => Exit::Code(code),
            Err(fault) => exit_of(fault),
        }
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

fn exit_of(fault: PluginFault) -> Exit {
    match fault {
        PluginFault::Error(message) => Exit::Error(message),
        PluginFault::Panic(message) => Exit::Panic(message),
    }
}

/// The system shows the first 15 bytes of it. A thread's name holds no NUL.
fn thread_name(prefix: &str, task: &str) -> String {
    format!("{prefix}{}", task.replace('\0', "?"))
}
