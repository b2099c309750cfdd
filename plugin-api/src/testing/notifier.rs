//! Notifications without a host.

use super::host::{Fault, Host, LogLine};
use crate::abi::{AbiFailure_TO, NotifierBox};
use crate::author::{FailureInfo, Notifier};
use crate::{adapter, log_forwarder, shield};
use abi_stable::sabi_trait::TD_Opaque;
use serde::Serialize;
use std::marker::PhantomData;
use std::sync::Arc;

/// A notifier that is about to be made, named `test` and without options unless told otherwise.
#[derive(Clone, Debug)]
pub struct NotifierTest<N> {
    name: String,
    options: serde_json::Value,
    notifier: PhantomData<fn() -> N>,
}

impl<N: Notifier> Default for NotifierTest<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<N: Notifier> NotifierTest<N> {
    /// An `N`.
    pub fn new() -> Self {
        let options = serde_json::Value::Object(serde_json::Map::new());
        Self { name: "test".to_owned(), options, notifier: PhantomData }
    }

    /// The notifier's name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// What the constructor reads, `serde_json::json!({ … })` or any type that serializes.
    ///
    /// # Panics
    ///
    /// If they cannot be written as JSON.
    pub fn options(mut self, options: impl Serialize) -> Self {
        self.options = serde_json::to_value(options).expect("options of a test can be written as JSON");
        self
    }

    /// Calls its constructor.
    pub fn start(self) -> Result<StartedNotifier, Fault> {
        shield::install_hook();
        log_forwarder::install();
        let host = Arc::new(Host::default());
        let notifier = adapter::new_notifier::<N>(host.config(&self.name, &self.options));
        Ok(StartedNotifier { notifier: notifier.map_err(Fault::from_shield)?, host })
    }
}

/// A notifier instance.
pub struct StartedNotifier {
    notifier: NotifierBox,
    host: Arc<Host>,
}

impl StartedNotifier {
    /// Delivers one failure, on this thread.
    pub fn notify(&self, failure: &FailureInfo) -> Result<(), Fault> {
        let failure = AbiFailure_TO::from_value(failure.clone(), TD_Opaque);
        self.notifier.notify(failure).into_result().map_err(Fault::from_abi)
    }

    /// What it logged on the threads it was called on, up to now.
    pub fn log(&self) -> Vec<LogLine> {
        self.host.record().log.clone()
    }

    /// Drops the instance, and says how that went.
    pub fn close(self) -> Result<(), Fault> {
        self.notifier.close().into_result().map_err(Fault::from_abi)
    }
}
