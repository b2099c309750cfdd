//! Where a plugin's log records go.

use abi_stable::{
    sabi_trait,
    std_types::{RArc, RStr},
};

/// The host's log, under one name.
///
/// Made by the host and shared with the plugin for as long as either wants it, on any thread. No method panics.
#[sabi_trait]
pub trait AbiLog: Send + Sync + 'static {
    /// The most detailed level that is written: 0 none, 1 error, 2 warn, 3 info, 4 debug, 5 trace.
    fn max_level(&self) -> u32;

    /// Writes one record; level as above, target as the plugin's `log` macro gave it.
    #[sabi(last_prefix_field)]
    fn log(&self, level: u32, target: RStr<'_>, message: RStr<'_>);
}

/// A shared [`AbiLog`].
pub type LogArc = AbiLog_TO<RArc<()>>;
