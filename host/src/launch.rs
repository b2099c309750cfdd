//! What to start: the host's half of a task, built by `config`, used by `runner` and `notify`. Types only.

mod words;

pub use words::Words;

use crate::shared::Shared;
use bansuri_core::{Positive, Signal, TaskName};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How one task is run. Shared by its runs, never changed.
#[derive(Clone, PartialEq, Debug)]
pub struct Launch {
    /// The task's name.
    pub name: TaskName,
    /// For people; may be empty.
    pub description: String,
    /// What is run.
    pub action: Action,
    /// `LIBRARY[:Type]` as written in the configuration; `None`: the action is no plugin's.
    pub reference: Option<Box<str>>,
    /// Absolute. Log files resolve against it.
    pub working_directory: Shared<PathBuf>,
    /// Added to (and overriding) the host's own environment and that of `environment_file`.
    pub environment: Shared<BTreeMap<String, String>>,
    /// Absolute; read at every start of a run.
    pub environment_file: Option<PathBuf>,
    /// As whom and under which limits a process runs.
    pub privileges: Shared<Privileges>,
    /// How long a run may live: for the context of a plugin (`time_left`). The core enforces it.
    pub timeout: Option<Positive>,
    /// How a process is asked to stop.
    pub stop_signal: Signal,
    /// How long a process has between being asked to stop and being killed, for whoever ends it after this host. The
    /// core keeps it while the host lives.
    pub stop_timeout: Duration,
    /// Where standard output goes.
    pub stdout: Sink,
    /// Where standard error goes.
    pub stderr: ErrorSink,
    /// How log files are kept small; `None`: they are not.
    pub rotate: Option<Rotation>,
    /// Each line written to a file begins with its time.
    pub timestamps: bool,
    /// How a live run's health is checked.
    pub health: Option<Box<HealthCommand>>,
    /// Whom to tell of failures; `None`: nobody.
    pub notify: Option<NotifyTarget>,
}

impl Launch {
    /// A task with the built-in defaults for everything else.
    pub fn new(name: TaskName, action: Action, working_directory: PathBuf) -> Self {
        Self {
            name,
            description: String::new(),
            action,
            reference: None,
            working_directory: working_directory.into(),
            environment: Shared::default(),
            environment_file: None,
            privileges: Shared::default(),
            timeout: None,
            stop_signal: Signal::TERM,
            stop_timeout: Duration::from_secs(10),
            stdout: Sink::Tail,
            stderr: ErrorSink::Combined,
            rotate: None,
            timestamps: false,
            health: None,
            notify: None,
        }
    }

    /// What is run, as a line for people.
    pub fn command_text(&self) -> Cow<'_, str> {
        match (&self.action, &self.reference) {
            (Action::Shell(line), _) => Cow::Borrowed(line),
            (Action::Exec(words), _) => Cow::Owned(words.line()),
            (Action::Plugin(_), Some(reference)) => Cow::Borrowed(reference),
            (Action::Plugin(plugin), None) => {
                Cow::Owned(format!("{}:{}", plugin.library.display(), plugin.type_name))
            }
        }
    }
}

/// As whom and under which limits a process runs; the default is as the host.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Privileges {
    /// Its user; supplementary groups are those of this user.
    pub user: Option<Account>,
    /// Its group; the user's own if only a user is given.
    pub group: Option<Account>,
    /// Nice value, -20 to 19.
    pub priority: Option<i32>,
    /// File mode creation mask.
    pub umask: Option<u32>,
    /// Soft limits (and hard ones where they would be lower), by resource.
    pub limits: BTreeMap<Resource, Limit>,
}

impl Privileges {
    /// Whether nothing is different from the host.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A user or a group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Account {
    /// Looked up at every start of a run.
    Name(String),
    /// As it is.
    Id(u32),
}

/// What an rlimit limits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Resource {
    /// Open files.
    Nofile,
    /// Processes of the user.
    Nproc,
    /// Address space, in bytes.
    As,
    /// Core files, in bytes.
    Core,
    /// CPU time, in seconds.
    Cpu,
    /// Written files, in bytes.
    Fsize,
}

impl Resource {
    /// As configurations name it.
    pub fn name(self) -> &'static str {
        match self {
            Resource::Nofile => "nofile",
            Resource::Nproc => "nproc",
            Resource::As => "as",
            Resource::Core => "core",
            Resource::Cpu => "cpu",
            Resource::Fsize => "fsize",
        }
    }
}

/// How much of a resource.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Limit {
    /// So much.
    At(u64),
    /// No limit.
    Unlimited,
}

/// How log files are kept small: FILE, FILE.1 (newest) … FILE.keep.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rotation {
    /// In bytes: rotated before the line that would take the file past it.
    pub max_size: NonZeroU64,
    /// How many old files are kept.
    pub keep: u32,
    /// Old files are compressed by gzip: FILE.1.gz.
    pub compress: bool,
}

/// How a live run's health is checked; when is the core's.
#[derive(Clone, PartialEq, Debug)]
pub struct HealthCommand {
    /// [`Action::Shell`] or [`Action::Exec`]; exit code 0 is healthy.
    pub action: Action,
    /// How long one check may take.
    pub timeout: Duration,
}

/// What a run consists of.
#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    /// A line for `/bin/sh -c`, or executed directly where that means the same.
    Shell(Box<str>),
    /// A program and its arguments, executed directly.
    Exec(Words),
    /// A task type of a plugin library.
    Plugin(Box<PluginAction>),
}

// Most of what is kept of a task that runs a command is its launch: what only plugins have is elsewhere.
#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Action>() <= 24);

/// A task type of a plugin library, and what it is given.
#[derive(Clone, PartialEq, Debug)]
pub struct PluginAction {
    /// The library, absolute and resolved.
    pub library: PathBuf,
    /// The exported type.
    pub type_name: String,
    /// What the SHA-256 of the library has to be; `None`: anything.
    pub sha256: Option<[u8; 32]>,
    /// The `options` of the task, an object.
    pub options: serde_json::Value,
    /// Where it runs.
    pub isolation: Isolation,
}

impl From<PluginAction> for Action {
    fn from(plugin: PluginAction) -> Self {
        Action::Plugin(Box::new(plugin))
    }
}

/// Where a plugin's code runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Isolation {
    /// In the host, on a thread of its own.
    #[default]
    Thread,
    /// In a process of its own.
    Process,
}

/// Where an output stream goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Sink {
    /// Nowhere, but the last 64 KiB are kept.
    Tail,
    /// Appended to this file, absolute.
    File(PathBuf),
    /// Discarded; no tail.
    Ignore,
    /// The host's own stream; no tail.
    Inherit,
}

/// Where standard error goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ErrorSink {
    /// Where standard output goes, in order.
    Combined,
    /// Somewhere of its own.
    Separate(Sink),
}

/// Whom a task's failures are told to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotifyTarget {
    /// A command, split into words as a shell would; never empty.
    Command(Arc<[String]>),
    /// The notifier of this name in the configuration's `notifiers`.
    Named(String),
}
