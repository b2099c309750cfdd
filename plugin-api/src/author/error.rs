//! What author's code returns when it cannot do its work.

use std::error::Error;
use std::fmt;

/// Why a task could not be made or run. `?` turns any error into one.
pub struct TaskError(String);

/// Why a notifier could not be made, or a failure not be delivered. `?` turns any error into one.
pub struct NotifyError(String);

impl TaskError {
    /// With this reason: best a lowercase fragment that names the thing, `disk "/srv": 2% free, expected 10%`.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl NotifyError {
    /// With this reason: best a lowercase fragment that names the thing, `pager "ops": no such channel`.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

// Neither implements `Error`: the conversion from every error would overlap with the one from itself.
impl<E: Error> From<E> for TaskError {
    fn from(error: E) -> Self {
        Self(with_causes(&error))
    }
}

impl<E: Error> From<E> for NotifyError {
    fn from(error: E) -> Self {
        Self(with_causes(&error))
    }
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for NotifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaskError({:?})", self.0)
    }
}

impl fmt::Debug for NotifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NotifyError({:?})", self.0)
    }
}

/// `error: cause: cause`. Many errors print their cause themselves: what has been said is not said twice.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.ends_with(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Layer(&'static str, Option<Box<Layer>>);

    impl fmt::Display for Layer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Layer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|layer| layer as _)
        }
    }

    #[test]
    fn question_mark_takes_any_error_and_keeps_its_causes() {
        fn fails() -> Result<(), TaskError> {
            Err(Layer("request failed", Some(Box::new(Layer("connection refused", None)))))?;
            Ok(())
        }
        assert_eq!(fails().unwrap_err().to_string(), "request failed: connection refused");
    }

    #[test]
    fn a_cause_that_the_error_prints_itself_is_said_once() {
        let error = Layer("request failed: refused", Some(Box::new(Layer("refused", None))));
        assert_eq!(NotifyError::from(error).to_string(), "request failed: refused");
    }
}
