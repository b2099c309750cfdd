//! A notifier as the host sees it.

use super::{FailureBox, FaultBox};
use abi_stable::{
    sabi_trait,
    std_types::{RBox, RResult},
};

/// One notifier instance.
///
/// Made by the plugin, owned by the host, which may call it on any thread, and on several at once. After a panic it is
/// spent: the host only closes it.
#[sabi_trait]
pub trait AbiNotifier: Send + Sync + 'static {
    /// Delivers one failure.
    fn notify(&self, failure: FailureBox) -> RResult<(), FaultBox>;

    /// Drops the author's value and says how that went. Dropping the object without it logs a failure instead.
    #[sabi(last_prefix_field)]
    fn close(self) -> RResult<(), FaultBox>;
}

/// An owned [`AbiNotifier`].
pub type NotifierBox = AbiNotifier_TO<RBox<()>>;
