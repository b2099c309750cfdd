//! The host's side of a running plugin task.

use super::guard::guarded;
use bansuri_plugin_api::abi::abi_stable::sabi_trait::TD_Opaque;
use bansuri_plugin_api::abi::abi_stable::std_types::{
    RArc, RDuration, RErr, ROk, ROption, RResult, RSlice, RStr, RString, RVec,
};
use bansuri_plugin_api::abi::{
    AbiFault, AbiFault_TO, AbiTaskContext, AbiTaskContext_TO, ContextArc, EnvironmentEntry, FaultBox,
    FaultKind, OutputStream,
};
use bansuri_plugin_api::paths;
use parking_lot::{Condvar, Mutex};
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Takes what a run writes. Called on any thread of the plugin, on several at once; may wait for a file.
pub trait OutputSink: Send + Sync {
    /// Takes all of the bytes of standard output.
    fn stdout(&self, bytes: &[u8]) -> io::Result<()>;

    /// Takes all of the bytes of standard error.
    fn stderr(&self, bytes: &[u8]) -> io::Result<()>;
}

/// What a run is told of itself.
pub struct RunSetup {
    /// The task's name.
    pub task: Arc<str>,
    /// Counts from 1.
    pub attempt: u32,
    /// `NAME#NUMBER`.
    pub run_id: String,
    /// Absolute.
    pub working_directory: PathBuf,
    /// What a command's run would find added to the host's own environment.
    pub environment: BTreeMap<String, String>,
    /// When the run's timeout has passed; `None`: it has none.
    pub deadline: Option<Instant>,
    /// Where its output goes.
    pub output: Arc<dyn OutputSink>,
}

/// How far a run says it has come.
#[derive(Clone, PartialEq, Debug)]
pub struct Progress {
    /// From 0 to 1.
    pub fraction: f64,
    /// What it is at.
    pub text: String,
}

/// One run as its plugin sees it, and the host's handle to it. A clone is the same run.
#[derive(Clone)]
pub struct RunContext {
    run: Arc<Run>,
}

struct Run {
    task: Arc<str>,
    attempt: u32,
    run_id: String,
    working_directory: Vec<u8>,
    environment: BTreeMap<String, String>,
    deadline: Option<Instant>,
    state: Mutex<State>,
    /// Notified when `State::stopping` turns true.
    stopped: Condvar,
}

struct State {
    /// Stays true once it is; the end of the run sets it as well.
    stopping: bool,
    /// `None` after the end of the run.
    output: Option<Arc<dyn OutputSink>>,
    /// `None` until the run says so.
    progress: Option<Progress>,
}

impl RunContext {
    /// For a run that is about to start.
    pub fn new(setup: RunSetup) -> Self {
        let state = State { stopping: false, output: Some(setup.output), progress: None };
        Self {
            run: Arc::new(Run {
                task: setup.task,
                attempt: setup.attempt,
                run_id: setup.run_id,
                working_directory: paths::to_bytes(&setup.working_directory).into_owned(),
                environment: setup.environment,
                deadline: setup.deadline,
                state: Mutex::new(state),
                stopped: Condvar::new(),
            }),
        }
    }

    /// Makes `is_stopping` true and ends every `wait_for_stop`. Never blocks.
    pub fn request_stop(&self) {
        self.run.state.lock().stopping = true;
        self.run.stopped.notify_all();
    }

    /// Marks the run as ended: whatever thread still holds the context is told to stop, and its output is refused.
    pub fn end(&self) {
        let output = {
            let mut state = self.run.state.lock();
            state.stopping = true;
            state.output.take()
        };
        self.run.stopped.notify_all();
        // Closes files, which is not to be done under the lock.
        drop(output);
    }

    /// What the run last said of its progress.
    pub fn progress(&self) -> Option<Progress> {
        self.run.state.lock().progress.clone()
    }

    /// The task's name.
    pub(super) fn task(&self) -> &str {
        &self.run.task
    }

    /// The same run, to be handed to a plugin.
    pub(super) fn shared(&self) -> ContextArc {
        AbiTaskContext_TO::from_ptr(RArc::new(self.clone()), TD_Opaque)
    }
}

impl AbiTaskContext for RunContext {
    fn name(&self) -> RStr<'_> {
        RStr::from_str(&self.run.task)
    }

    fn attempt(&self) -> u32 {
        self.run.attempt
    }

    fn run_id(&self) -> RStr<'_> {
        self.run.run_id.as_str().into()
    }

    fn working_directory(&self) -> RSlice<'_, u8> {
        self.run.working_directory.as_slice().into()
    }

    fn environment(&self) -> RVec<EnvironmentEntry> {
        guarded(RVec::new(), || {
            let entry = |(name, value): (&String, &String)| EnvironmentEntry {
                name: name.as_str().into(),
                value: value.as_str().into(),
            };
            self.run.environment.iter().map(entry).collect()
        })
    }

    fn time_left(&self) -> ROption<RDuration> {
        guarded(ROption::RNone, || {
            if self.run.state.lock().output.is_none() {
                return ROption::RSome(Duration::ZERO.into());
            }
            let left = |deadline: Instant| deadline.saturating_duration_since(Instant::now());
            self.run.deadline.map(|deadline| RDuration::from(left(deadline))).into()
        })
    }

    fn write(&self, stream: OutputStream, bytes: RSlice<'_, u8>) -> RResult<(), FaultBox> {
        let panicked = || OutputFault::boxed(FaultKind::ERROR, "the host could not write");
        guarded(None, || {
            // Writing may wait for a file: not under the lock, which `request_stop` needs.
            let Some(output) = self.run.state.lock().output.clone() else {
                return Some(RErr(OutputFault::boxed(FaultKind::RUN_ENDED, "the run has ended")));
            };
            let written = if stream == OutputStream::STDERR {
                output.stderr(bytes.as_slice())
            } else {
                output.stdout(bytes.as_slice())
            };
            Some(match written {
                Ok(()) => ROk(()),
                Err(error) => RErr(OutputFault::boxed(FaultKind::ERROR, &error.to_string())),
            })
        })
        .unwrap_or_else(|| RErr(panicked()))
    }

    fn progress(&self, fraction: f64, text: RStr<'_>) {
        guarded((), || {
            // What is no number has come nowhere.
            let fraction = if fraction.is_nan() { 0.0 } else { fraction.clamp(0.0, 1.0) };
            log::debug!(target: &self.run.task, "{:.0}% {text}", fraction * 100.0);
            let mut state = self.run.state.lock();
            if state.output.is_some() {
                state.progress = Some(Progress { fraction, text: text.into() });
            }
        });
    }

    fn is_stopping(&self) -> bool {
        guarded(true, || self.run.state.lock().stopping)
    }

    fn wait_for_stop(&self, at_most: RDuration) -> bool {
        guarded(true, || {
            let mut state = self.run.state.lock();
            match Instant::now().checked_add(at_most.into()) {
                Some(deadline) => {
                    let stopped = &self.run.stopped;
                    stopped.wait_while_until(&mut state, |state| !state.stopping, deadline);
                }
                // A time that no clock reaches.
                None => self.run.stopped.wait_while(&mut state, |state| !state.stopping),
            }
            state.stopping
        })
    }
}

/// Why output was refused.
struct OutputFault {
    kind: FaultKind,
    message: RString,
}

impl OutputFault {
    fn boxed(kind: FaultKind, message: &str) -> FaultBox {
        AbiFault_TO::from_value(Self { kind, message: message.into() }, TD_Opaque)
    }
}

impl AbiFault for OutputFault {
    fn kind(&self) -> FaultKind {
        self.kind
    }

    fn message(&self) -> RStr<'_> {
        self.message.as_rstr()
    }
}
