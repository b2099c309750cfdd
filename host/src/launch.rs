//! What to start: the host's half of a task, built by `config`, used by `runner` and `notify`. Types only.

use bansuri_core::{Positive, Signal, TaskName};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// How one task is run. Shared by its runs, never changed.
#[derive(Clone, PartialEq, Debug)]
pub struct Launch {
    /// The task's name.
    pub name: TaskName,
    /// For people; may be empty.
    pub description: String,
    /// What is run.
    pub action: Action,
    /// As written in the configuration, for messages: the command line, or `LIBRARY:Type`.
    pub command_text: String,
    /// Absolute. Log files resolve against it.
    pub working_directory: PathBuf,
    /// Added to (and overriding) the host's own environment.
    pub environment: BTreeMap<String, String>,
    /// How long a run may live: for the context of a plugin (`time_left`). The core enforces it.
    pub timeout: Option<Positive>,
    /// How a process is asked to stop.
    pub stop_signal: Signal,
    /// Where standard output goes.
    pub stdout: Sink,
    /// Where standard error goes.
    pub stderr: ErrorSink,
    /// Whom to tell of failures; `None`: nobody.
    pub notify: Option<NotifyTarget>,
}

/// What a run consists of.
#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    /// A line for `/bin/sh -c`.
    Shell(String),
    /// A program and its arguments, never empty, executed directly.
    Exec(Vec<String>),
    /// A task type of a plugin library.
    Plugin {
        /// The library, absolute and resolved.
        library: PathBuf,
        /// The exported type.
        type_name: String,
        /// The `options` of the task, an object.
        options: serde_json::Value,
    },
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
