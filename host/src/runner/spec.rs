//! The interface between the driver and whatever executes runs.

use crate::launch::Launch;
use crate::tail::TailSource;
use bansuri_core::{Exit, RunId};
use std::sync::Arc;
use std::time::Duration;

/// One run to be started.
#[derive(Clone, Debug)]
pub struct RunSpec {
    /// Stamped on everything that is said about this run.
    pub run: RunId,
    /// Counts from 1.
    pub attempt: u32,
    /// What to start.
    pub launch: Arc<Launch>,
}

/// Starts runs of one kind. Lives on the control thread and never blocks it.
pub trait TaskRunner {
    /// Starts one run. Returns at once; exactly one [`Update::Finished`] follows iff this is Ok (from the runner's own
    /// `on_ready` or through the channel it was made with), and after one with `remains`, exactly one [`Update::Gone`].
    fn start(&mut self, run: RunSpec) -> Result<Started, StartError>;
}

/// A run that was started.
pub struct Started {
    /// The handle to end it with.
    pub live: Box<dyn LiveRun>,
    /// Its process, where it is one.
    pub pid: Option<u32>,
}

/// A run that is alive, or whose group is. Dropped by the driver after `Finished` without remains, or after `Gone`.
pub trait LiveRun {
    /// Asks it to stop: the stop signal to the whole group, or `Task::stop()` on a thread of its own. Never blocks.
    fn request_stop(&self);

    /// SIGKILL to the whole group. A thread cannot be killed: it says so.
    fn force_stop(&self) -> Result<(), CannotForce>;
}

/// The run cannot be ended against its will.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CannotForce;

/// Why a run could not be started; nothing of it is left.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StartError {
    /// A lowercase fragment that names the thing: `working directory "/srv/x": no such file or directory`.
    pub reason: String,
    /// 127: program not found; 126: it may not be executed; none otherwise.
    pub code: Option<i32>,
}

/// What a runner reports of a run.
#[derive(Debug)]
pub enum Update {
    /// It ended.
    Finished(Finished),
    /// The last process of its group is gone.
    Gone(RunId),
}

/// The end of a run.
#[derive(Debug)]
pub struct Finished {
    /// Which run.
    pub run: RunId,
    /// How it ended.
    pub exit: Exit,
    /// Whether processes of its group still live.
    pub remains: bool,
    /// The end of what it wrote.
    pub tails: Tails,
    /// How long it lived, from just before it was started to the notice of its end.
    pub lived: Duration,
}

/// The last 64 KiB of each stream of one run.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tails {
    /// Standard output (with standard error in it where they are combined).
    pub stdout: TailSource,
    /// Standard error, where it is separate.
    pub stderr: TailSource,
}
