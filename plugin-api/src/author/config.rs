//! What constructors are given.

use super::options::{self, OptionsError};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The configuration of a task instance.
#[derive(Clone, Debug)]
pub struct TaskConfig {
    name: String,
    options: Value,
}

/// The configuration of a notifier instance.
#[derive(Clone, Debug)]
pub struct NotifierConfig {
    name: String,
    options: Value,
}

impl TaskConfig {
    pub(crate) fn from_json(name: &str, options: &str) -> Result<Self, OptionsError> {
        Ok(Self { name: name.to_owned(), options: options::parse(options)? })
    }

    /// The task's name in `scripts.json`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The task's `options` as a type of yours; an empty object where there are none. The error names the field.
    pub fn options<T: DeserializeOwned>(&self) -> Result<T, OptionsError> {
        options::read(&self.options)
    }
}

impl NotifierConfig {
    pub(crate) fn from_json(name: &str, options: &str) -> Result<Self, OptionsError> {
        Ok(Self { name: name.to_owned(), options: options::parse(options)? })
    }

    /// The notifier's name in `scripts.json`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The notifier's `options` as a type of yours; an empty object where there are none. The error names the field.
    pub fn options<T: DeserializeOwned>(&self) -> Result<T, OptionsError> {
        options::read(&self.options)
    }
}
