//! How a run ended.

use crate::signal::Signal;
use crate::success_codes::SuccessCodes;
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

impl Outcome {
    /// Of a run that ended by itself.
    pub(crate) fn by_exit(exit: &Exit, success_codes: &SuccessCodes, duration: Duration) -> Self {
        let kind = match exit {
            Exit::Code(code) if success_codes.contains(*code) => OutcomeKind::Completed,
            Exit::Code(_) | Exit::Signal(_) | Exit::NotStarted { .. } | Exit::Error(_) | Exit::Panic(_) => {
                OutcomeKind::Failed
            }
        };
        Self::judged(kind, exit, duration, exit.reason())
    }

    /// Of a run that could not be started.
    pub(crate) fn not_started(exit: &Exit) -> Self {
        Self::judged(OutcomeKind::Failed, exit, Duration::ZERO, exit.reason())
    }

    /// Of a run whose end the host brought about, whatever the exit.
    pub(crate) fn judged(kind: OutcomeKind, exit: &Exit, duration: Duration, reason: String) -> Self {
        Self { kind, exit_code: exit.code(), signal: exit.signal(), duration, reason }
    }
}

impl OutcomeKind {
    /// TIMED_OUT counts as a failure for every policy.
    pub(crate) fn is_failure(self) -> bool {
        match self {
            OutcomeKind::Failed | OutcomeKind::TimedOut => true,
            OutcomeKind::Completed | OutcomeKind::Stopped => false,
        }
    }
}

impl Exit {
    fn code(&self) -> Option<i32> {
        match self {
            Exit::Code(code) => Some(*code),
            Exit::NotStarted { code, .. } => *code,
            Exit::Signal(_) | Exit::Error(_) | Exit::Panic(_) => None,
        }
    }

    fn signal(&self) -> Option<Signal> {
        match self {
            Exit::Signal(signal) => Some(*signal),
            Exit::Code(_) | Exit::NotStarted { .. } | Exit::Error(_) | Exit::Panic(_) => None,
        }
    }

    /// In words, as a lowercase fragment: `exit code 1`, `killed by SIGSEGV`.
    pub fn reason(&self) -> String {
        match self {
            Exit::Code(code) => format!("exit code {code}"),
            Exit::Signal(signal) => format!("killed by {signal}"),
            Exit::NotStarted { reason, .. } => reason.clone(),
            Exit::Error(text) | Exit::Panic(text) => text.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exit_is_judged_by_the_success_codes() {
        let codes = SuccessCodes::from([0, 3]);
        let check = |exit: Exit, kind, code, signal, return_code, reason: &str| {
            let outcome = Outcome::by_exit(&exit, &codes, Duration::from_secs(1));
            assert_eq!((outcome.kind, outcome.exit_code, outcome.signal), (kind, code, signal), "{exit:?}");
            assert_eq!((outcome.return_code(), outcome.reason.as_str()), (return_code, reason), "{exit:?}");
        };
        let failed = OutcomeKind::Failed;
        check(Exit::Code(0), OutcomeKind::Completed, Some(0), None, 0, "exit code 0");
        check(Exit::Code(3), OutcomeKind::Completed, Some(3), None, 3, "exit code 3");
        check(Exit::Code(1), failed, Some(1), None, 1, "exit code 1");
        check(Exit::Signal(Signal::KILL), failed, None, Some(Signal::KILL), 137, "killed by SIGKILL");
        check(Exit::Error("no".to_owned()), failed, None, None, -1, "no");
        check(Exit::Panic("boom at a.rs:1".to_owned()), failed, None, None, -1, "boom at a.rs:1");
        let missing = Exit::NotStarted { reason: "no such program".to_owned(), code: Some(127) };
        check(missing, failed, Some(127), None, 127, "no such program");
    }

    #[test]
    fn a_run_that_could_not_be_started_has_failed_whatever_the_exit_says() {
        let outcome = Outcome::not_started(&Exit::Code(0));
        assert_eq!((outcome.kind, outcome.duration), (OutcomeKind::Failed, Duration::ZERO));
    }

    #[test]
    fn a_timed_out_run_has_no_return_code() {
        let outcome =
            Outcome::judged(OutcomeKind::TimedOut, &Exit::Code(4), Duration::ZERO, "late".to_owned());
        assert_eq!((outcome.exit_code, outcome.return_code()), (Some(4), -1));
    }
}
