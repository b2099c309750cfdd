//! What a notifier is.

use super::{FailureInfo, NotifierConfig, NotifyError};

/// A notifier type. The host keeps an instance for as long as it can be used.
///
/// A panic in any of these functions, or in `Drop`, is a failed notification; the host goes on with a new instance.
pub trait Notifier: Sized + Send + Sync + 'static {
    /// Makes the instance.
    fn new(config: &NotifierConfig) -> Result<Self, NotifyError>;

    /// Delivers one failure. Called on threads of the host's notifier pool, for several tasks at once, and at most once
    /// at a time for one task. An error is logged and counted, nothing else.
    fn notify(&self, failure: &FailureInfo) -> Result<(), NotifyError>;

    /// One line for people, shown by `bansuri plugin inspect`.
    fn description() -> &'static str {
        ""
    }

    /// A JSON Schema for the options, as text.
    fn options_schema() -> Option<String> {
        None
    }
}
