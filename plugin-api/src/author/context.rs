//! A running task's view of its host.

use super::TaskOutput;
use crate::abi::{ContextArc, OutputStream};
use crate::paths;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// One run, as its task sees it.
///
/// A clone is the same run, and may be handed to threads of your own. A thread that outlives the run does no harm:
/// after the end [`is_stopping`](Self::is_stopping) is true, no time is left, and writes fail with
/// [`BrokenPipe`](std::io::ErrorKind::BrokenPipe).
#[derive(Clone)]
pub struct TaskContext {
    shared: Arc<Shared>,
}

struct Shared {
    host: ContextArc,
    /// Copied from the host when first asked for.
    environment: OnceLock<BTreeMap<String, String>>,
}

impl TaskContext {
    pub(crate) fn new(host: ContextArc) -> Self {
        Self { shared: Arc::new(Shared { host, environment: OnceLock::new() }) }
    }

    pub(super) fn host(&self) -> &ContextArc {
        &self.shared.host
    }

    /// The task's name.
    pub fn name(&self) -> &str {
        self.host().name().as_str()
    }

    /// Which execution in a row this is: counts from 1, and a success resets it.
    pub fn attempt(&self) -> u32 {
        self.host().attempt()
    }

    /// `NAME#NUMBER`, unique in the life of the host.
    pub fn run_id(&self) -> &str {
        self.host().run_id().as_str()
    }

    /// The task's working directory, absolute. The process of the host is somewhere else: resolve relative paths
    /// against this one.
    pub fn working_directory(&self) -> &Path {
        paths::from_bytes(self.host().working_directory().as_slice())
    }

    /// The task's `environment`, and `BANSURI_TASK`, `BANSURI_RUN` and `BANSURI_ATTEMPT`: what a command would find
    /// added to the environment of the host.
    pub fn environment(&self) -> &BTreeMap<String, String> {
        self.shared.environment.get_or_init(|| {
            let entries = self.host().environment();
            entries.into_iter().map(|entry| (entry.name.into_string(), entry.value.into_string())).collect()
        })
    }

    /// What is left of the task's timeout, zero when it has passed; `None` for a task without one.
    pub fn time_left(&self) -> Option<Duration> {
        self.host().time_left().map(Duration::from).into_option()
    }

    /// Where standard output goes. `print!` writes to the host's own instead.
    pub fn stdout(&self) -> TaskOutput {
        TaskOutput::new(self.clone(), OutputStream::STDOUT)
    }

    /// Where standard error goes: by default to the same place as standard output, in order.
    pub fn stderr(&self) -> TaskOutput {
        TaskOutput::new(self.clone(), OutputStream::STDERR)
    }

    /// Says how far the run has come, from 0 to 1, and what it is at.
    pub fn progress(&self, fraction: f64, text: &str) {
        self.host().progress(fraction, text.into());
    }

    /// Whether the run has been asked to stop.
    pub fn is_stopping(&self) -> bool {
        self.host().is_stopping()
    }

    /// Waits until the run is asked to stop, at most this long, and says whether it has been. The way to pause:
    /// `while !context.wait_for_stop(interval) { … }`.
    pub fn wait_for_stop(&self, at_most: Duration) -> bool {
        self.host().wait_for_stop(at_most.into())
    }
}

impl fmt::Debug for TaskContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskContext").field("run_id", &self.run_id()).finish_non_exhaustive()
    }
}
