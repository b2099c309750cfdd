//! What went wrong with a mail, in words.

use lettre::transport::smtp::Error;
use std::error::Error as _;
use std::io::{self, ErrorKind};
use std::time::Duration;

/// What is shown of a server's answer, in characters.
const SHOWN: usize = 300;

/// One line for people, a lowercase fragment that does not name the server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Fault {
    pub(crate) why: String,
    /// It may go better another time.
    pub(crate) passing: bool,
}

impl Fault {
    pub(crate) fn lasting(why: impl Into<String>) -> Self {
        Self { why: why.into(), passing: false }
    }

    /// At this step of the conversation; the first has no name. `timeout` is the limit of the step.
    pub(crate) fn at(step: &str, error: &Error, timeout: Duration) -> Self {
        let (why, passing) = if let Some(code) = error.status() {
            (one_line(&format!("{code} {}", source_text(error))), error.is_transient())
        } else if let Some(error) = io_error(error) {
            explain(error, timeout)
        } else if source_text(error) == "incomplete response" {
            ("connection closed".to_owned(), true)
        } else {
            (one_line(&source_text(error)), false)
        };
        let why = if step.is_empty() { why } else { format!("{step}: {why}") };
        Self { why, passing }
    }
}

fn source_text(error: &Error) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}

fn io_error(error: &Error) -> Option<&io::Error> {
    error.source()?.downcast_ref()
}

/// With whether it may go better another time: a certificate will not be another in a second.
fn explain(error: &io::Error, timeout: Duration) -> (String, bool) {
    let why = match error.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => format!("no answer within {timeout:?}"),
        ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof => {
            "connection closed".to_owned()
        }
        _ => one_line(&error.to_string()),
    };
    (why, error.kind() != ErrorKind::InvalidData)
}

fn one_line(text: &str) -> String {
    let line = text.trim().chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c });
    line.collect::<String>().trim_end().to_owned()
}
