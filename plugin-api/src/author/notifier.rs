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

    /// A JSON Schema for the options, as text. `bansuri check` finds with it what is wrong in a configuration before
    /// anything runs, `bansuri plugin inspect` shows it as a table, and `bansuri schema --plugins` gives it to editors.
    ///
    /// With the `schemars` crate (1.x) it is derived from the type that reads the options. Doc comments on its fields
    /// become the descriptions that people are shown:
    ///
    /// ```ignore
    /// #[derive(serde::Deserialize, schemars::JsonSchema)]
    /// #[serde(deny_unknown_fields)]
    /// struct Options { /* … */ }
    ///
    /// fn options_schema() -> Option<String> {
    ///     Some(schemars::schema_for!(Options).to_value().to_string())
    /// }
    /// ```
    ///
    /// It should refuse nothing that the constructor takes: what it refuses makes the configuration invalid. What it
    /// refers to has to be in it (nothing is fetched), `examples` are shown where a value is wrong, and a value marked
    /// `writeOnly` is not repeated in messages.
    fn options_schema() -> Option<String> {
        None
    }
}
