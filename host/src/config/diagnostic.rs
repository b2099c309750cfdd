//! One error or warning of a configuration file.

use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// It can, but something in it is likely a mistake.
    Warning,
}

/// One finding. Field names are those of `check --format json`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// A stable word for programs: `unknown-key`, `duplicate-name`, `invalid-value`, `syntax`, …
    pub code: &'static str,
    /// A lowercase fragment that names the thing, what was found and what is valid.
    pub message: String,
    /// The file, as given.
    pub file: String,
    /// From 1; 0 where the finding has no place in the file.
    pub line: usize,
    /// In characters, from 1; 0 where the finding has no place in the file.
    pub column: usize,
    /// In characters.
    pub length: usize,
    /// What to do about it: `did you mean "timeout"?`
    pub help: Option<String>,
}
