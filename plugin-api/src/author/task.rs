//! What a task is.

use super::{TaskConfig, TaskContext, TaskError};

/// A task type. The host makes a fresh instance for every run, and drops it when the run has ended.
///
/// A panic in any of these functions, or in `Drop`, makes the run FAILED with its message and place; the host goes on.
pub trait Task: Sized + Send + Sync + 'static {
    /// Makes the instance for one run, on that run's thread. An error makes the run FAILED with this reason.
    fn new(config: &TaskConfig) -> Result<Self, TaskError>;

    /// Does the work, on a thread of its own, and returns the exit code: 0 is success unless the configuration's
    /// `success-codes` say otherwise. It should come to an end soon once [`TaskContext::is_stopping`] turns true: a
    /// thread cannot be killed.
    fn run(&self, context: &TaskContext) -> Result<i32, TaskError>;

    /// Called at most once, from another thread, when the run has to end: just after [`TaskContext::is_stopping`] turned
    /// true, and perhaps when `run` has begun not yet, or returned already. Needed only by a `run` that waits for
    /// something else than its context. The run lasts until this has returned as well.
    fn stop(&self) {}

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
