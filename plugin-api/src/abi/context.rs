//! The host as a running task sees it.

use super::FaultBox;
use abi_stable::{
    sabi_trait,
    std_types::{RArc, RDuration, ROption, RResult, RSlice, RStr, RString, RVec},
    StableAbi,
};

/// One run's view of its host.
///
/// Made by the host for one run and shared with the plugin, which may keep and use it on any thread and after the run
/// has ended: from then on `is_stopping` and `wait_for_stop` are true, no time is left, and output is refused. Borrowed
/// results live as long as the caller's handle. No method panics.
#[sabi_trait]
pub trait AbiTaskContext: Send + Sync + 'static {
    /// The task's name.
    fn name(&self) -> RStr<'_>;

    /// Counts from 1; a success resets it.
    fn attempt(&self) -> u32;

    /// `NAME#NUMBER`.
    fn run_id(&self) -> RStr<'_>;

    /// Absolute. The bytes of the path on Unix, UTF-8 elsewhere.
    fn working_directory(&self) -> RSlice<'_, u8>;

    /// What a command's run would find added to the host's own environment.
    fn environment(&self) -> RVec<EnvironmentEntry>;

    /// What is left of the task's timeout, zero when it has passed; nothing without a timeout.
    fn time_left(&self) -> ROption<RDuration>;

    /// Takes all of the bytes, in the order of the calls, or says why not. May wait for the file they go to.
    fn write(&self, stream: OutputStream, bytes: RSlice<'_, u8>) -> RResult<(), FaultBox>;

    /// How far the run has come: 0 to 1, and what it is at.
    fn progress(&self, fraction: f64, text: RStr<'_>);

    /// Whether the run has been asked to stop.
    fn is_stopping(&self) -> bool;

    /// Waits until the run is asked to stop, at most this long; whether it has been.
    #[sabi(last_prefix_field)]
    fn wait_for_stop(&self, at_most: RDuration) -> bool;
}

/// A shared [`AbiTaskContext`].
pub type ContextArc = AbiTaskContext_TO<RArc<()>>;

/// Which output. An unknown number means standard output.
#[repr(transparent)]
#[derive(StableAbi, Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutputStream(u32);

impl OutputStream {
    /// Standard output.
    pub const STDOUT: Self = Self(1);
    /// Standard error.
    pub const STDERR: Self = Self(2);
}

/// One variable. A pair of texts: it will not grow.
#[repr(C)]
#[derive(StableAbi, Clone, PartialEq, Eq, Debug)]
pub struct EnvironmentEntry {
    /// Its name.
    pub name: RString,
    /// Its value.
    pub value: RString,
}
