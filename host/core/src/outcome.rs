//! How a run ended.

use crate::signal::Signal;
use std::time::Duration;

/// What a runner saw at the end of a run, before the core judged it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Exit {
    /// It ended by itself with this code.
    Code(i32),
    /// A signal ended it.
    Signal(Signal),
    /// It never ran: the program, its working directory or its log file could not be used. The code is what a shell
    /// would have given: 127 not found, 126 not executable, `None` otherwise.
    NotStarted {
        /// Why, as a lowercase fragment.
        reason: String,
        /// 127, 126, or none.
        code: Option<i32>,
    },
    /// A plugin returned an error, or its constructor did.
    Error(String),
    /// A plugin panicked; the text holds the message and the place.
    Panic(String),
}

/// The four ways a run can end.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum OutcomeKind {
    /// Exited with a success code.
    Completed,
    /// Any other exit, a signal, could not start, plugin error or panic.
    Failed,
    /// Ended by the host because it outlived its timeout, or ignored `stop` until it was stuck.
    TimedOut,
    /// Ended by an operator, by removal from the configuration or by shutdown.
    Stopped,
}

/// The judged end of a run. Every started run gets exactly one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// Which of the four.
    pub kind: OutcomeKind,
    /// The exit code, where the run had one.
    pub exit_code: Option<i32>,
    /// The signal that ended it, where one did.
    pub signal: Option<Signal>,
    /// How long it ran; zero for a run that could not be started.
    pub duration: Duration,
    /// In words, as a lowercase fragment: `exit code 1`, `killed by SIGSEGV`, `outlived its timeout of 10s`.
    pub reason: String,
}

impl Outcome {
    /// What shells and people call the return code: the exit code, 128 + N for signal N, and -1 where the run has none
    /// (timed out, could not start, plugin error or panic).
    pub fn return_code(&self) -> i32 {
        if self.kind == OutcomeKind::TimedOut {
            return -1;
        }
        match (self.exit_code, self.signal) {
            (Some(code), _) => code,
            (None, Some(signal)) => 128 + signal.number(),
            (None, None) => -1,
        }
    }
}
