//! What a notifier is given.

use abi_stable::{
    sabi_trait,
    std_types::{RBox, RDuration, ROption, RSlice, RStr},
};

/// One failure of one task.
///
/// Made by the host for one call of `notify`, owned by the plugin from then on, and dropped by it before that call
/// returns. Borrowed results live as long as the object.
#[sabi_trait]
pub trait AbiFailure: Send + Sync + 'static {
    /// The task's name.
    fn task_name(&self) -> RStr<'_>;

    /// The command as written in the configuration.
    fn command(&self) -> RStr<'_>;

    /// Absolute. The bytes of the path on Unix, UTF-8 elsewhere.
    fn working_directory(&self) -> RSlice<'_, u8>;

    /// 128 + N for signal N, -1 where the run has none.
    fn return_code(&self) -> i32;

    /// `FAILED` or `TIMED_OUT`; more words may come.
    fn outcome(&self) -> RStr<'_>;

    /// Why, in words.
    fn reason(&self) -> RStr<'_>;

    /// Counts from 1.
    fn attempt(&self) -> u32;

    /// Nothing: no limit.
    fn max_attempts(&self) -> ROption<u32>;

    /// When the run ended, since 1970-01-01T00:00:00Z.
    fn timestamp(&self) -> RDuration;

    /// The task's description; may be empty.
    fn description(&self) -> RStr<'_>;

    /// The last 64 KiB of standard output, any bytes.
    fn stdout(&self) -> RSlice<'_, u8>;

    /// The last 64 KiB of standard error, any bytes; empty where it went to standard output.
    fn stderr(&self) -> RSlice<'_, u8>;

    /// `NAME#NUMBER`.
    fn run_id(&self) -> RStr<'_>;

    /// The machine.
    fn host_name(&self) -> RStr<'_>;

    /// Later failures of the task that were folded into this one.
    #[sabi(last_prefix_field)]
    fn folded(&self) -> u64;
}

/// An owned [`AbiFailure`].
pub type FailureBox = AbiFailure_TO<RBox<()>>;
