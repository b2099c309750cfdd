//! A host in memory: it keeps what a run says.

use crate::abi::{
    self, AbiConfig, AbiConfig_TO, AbiLog, AbiLog_TO, AbiTaskContext, ConfigBox, EnvironmentEntry, FaultBox,
    LogArc, OutputStream,
};
use crate::paths;
use crate::shield;
use abi_stable::sabi_trait::TD_Opaque;
use abi_stable::std_types::{RArc, RDuration, RErr, ROk, ROption, RResult, RSlice, RStr, RVec};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Why a call failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// An error, or a panic.
    pub kind: FaultKind,
    /// As the host would report it: a panic's holds its place.
    pub message: String,
}

/// What a [`Fault`] is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FaultKind {
    /// The code under test returned an error.
    Error,
    /// It panicked.
    Panic,
}

impl Fault {
    pub(super) fn from_shield(fault: shield::Fault) -> Self {
        Self::new(fault.kind, fault.message)
    }

    pub(super) fn from_abi(fault: FaultBox) -> Self {
        Self::new(fault.kind(), fault.message().into())
    }

    fn new(kind: abi::FaultKind, message: String) -> Self {
        let kind = if kind == abi::FaultKind::PANIC { FaultKind::Panic } else { FaultKind::Error };
        Self { kind, message }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

/// One record of the `log` macros, written on a thread that was in the code under test.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogLine {
    /// How bad it is.
    pub level: log::Level,
    /// The target, by default the module.
    pub target: String,
    /// The text.
    pub message: String,
}

/// What a run has said and been told.
#[derive(Clone, Default, Debug)]
pub(super) struct Record {
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
    pub(super) log: Vec<LogLine>,
    pub(super) progress: Vec<(f64, String)>,
    pub(super) stopping: bool,
    pub(super) ended: bool,
}

/// The record, and a signal for its changes.
#[derive(Default)]
pub(super) struct Host {
    record: Mutex<Record>,
    changed: Condvar,
}

impl Host {
    pub(super) fn record(&self) -> MutexGuard<'_, Record> {
        // Nothing panics while it holds the lock.
        self.record.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub(super) fn change<R>(&self, change: impl FnOnce(&mut Record) -> R) -> R {
        let result = change(&mut self.record());
        self.changed.notify_all();
        result
    }

    /// Waits until the record satisfies `condition`, at most this long; whether it does.
    pub(super) fn wait_until(&self, at_most: Duration, condition: impl Fn(&Record) -> bool) -> bool {
        let deadline = Instant::now().checked_add(at_most);
        let mut record = self.record();
        while !condition(&record) {
            // A time that no clock reaches is waited for without a limit.
            let left = deadline.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return false;
            }
            let waited = self.changed.wait_timeout(record, left);
            record = waited.unwrap_or_else(|poisoned| poisoned.into_inner()).0;
        }
        true
    }

    pub(super) fn logger(self: &Arc<Self>) -> LogArc {
        AbiLog_TO::from_ptr(RArc::new(Logger(Arc::clone(self))), TD_Opaque)
    }

    pub(super) fn config(self: &Arc<Self>, name: &str, options: &serde_json::Value) -> ConfigBox {
        let config = Config { name: name.to_owned(), options: options.to_string(), host: Arc::clone(self) };
        AbiConfig_TO::from_value(config, TD_Opaque)
    }
}

struct Config {
    name: String,
    options: String,
    host: Arc<Host>,
}

impl AbiConfig for Config {
    fn name(&self) -> RStr<'_> {
        self.name.as_str().into()
    }

    fn options(&self) -> RStr<'_> {
        self.options.as_str().into()
    }

    fn logger(&self) -> LogArc {
        self.host.logger()
    }
}

struct Logger(Arc<Host>);

impl AbiLog for Logger {
    fn max_level(&self) -> u32 {
        log::Level::Trace as u32
    }

    fn log(&self, level: u32, target: RStr<'_>, message: RStr<'_>) {
        let levels = log::Level::iter().find(|known| *known as u32 == level);
        let line = LogLine {
            level: levels.unwrap_or(log::Level::Trace),
            target: target.into(),
            message: message.into(),
        };
        self.0.change(|record| record.log.push(line));
    }
}

/// The context of one run.
pub(super) struct Context {
    pub(super) host: Arc<Host>,
    pub(super) name: String,
    pub(super) attempt: u32,
    pub(super) run_id: String,
    pub(super) working_directory: PathBuf,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) deadline: Option<Instant>,
}

impl AbiTaskContext for Context {
    fn name(&self) -> RStr<'_> {
        self.name.as_str().into()
    }

    fn attempt(&self) -> u32 {
        self.attempt
    }

    fn run_id(&self) -> RStr<'_> {
        self.run_id.as_str().into()
    }

    fn working_directory(&self) -> RSlice<'_, u8> {
        match paths::to_bytes(&self.working_directory) {
            std::borrow::Cow::Borrowed(bytes) => bytes.into(),
            // A path of a test that is not Unicode, elsewhere than on Unix.
            std::borrow::Cow::Owned(_) => RSlice::from_slice(&[]),
        }
    }

    fn environment(&self) -> RVec<EnvironmentEntry> {
        let entry = |(name, value): (&String, &String)| EnvironmentEntry {
            name: name.as_str().into(),
            value: value.as_str().into(),
        };
        self.environment.iter().map(entry).collect()
    }

    fn time_left(&self) -> ROption<RDuration> {
        let ended = self.host.record().ended;
        let left = |deadline: Instant| deadline.saturating_duration_since(Instant::now());
        let left = if ended { Some(Duration::ZERO) } else { self.deadline.map(left) };
        left.map(RDuration::from).into()
    }

    fn write(&self, stream: OutputStream, bytes: RSlice<'_, u8>) -> RResult<(), FaultBox> {
        self.host.change(|record| {
            if record.ended {
                let fault = shield::Fault::new(abi::FaultKind::RUN_ENDED, "the run has ended");
                return RErr(fault.boxed());
            }
            let output = if stream == OutputStream::STDERR { &mut record.stderr } else { &mut record.stdout };
            output.extend_from_slice(&bytes);
            ROk(())
        })
    }

    fn progress(&self, fraction: f64, text: RStr<'_>) {
        self.host.change(|record| record.progress.push((fraction, text.into())));
    }

    fn is_stopping(&self) -> bool {
        let record = self.host.record();
        record.stopping || record.ended
    }

    fn wait_for_stop(&self, at_most: RDuration) -> bool {
        self.host.wait_until(at_most.into(), |record| record.stopping || record.ended)
    }
}
