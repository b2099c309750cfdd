//! What a constructor is given.

use super::LogArc;
use abi_stable::{
    sabi_trait,
    std_types::{RBox, RStr},
};

/// The configuration of one instance.
///
/// Made by the host for one constructor call, owned by the plugin from then on, and dropped by it before that call
/// returns. Used on the constructor's thread alone.
#[sabi_trait]
pub trait AbiConfig: Send + Sync + 'static {
    /// The task's or notifier's name in `scripts.json`.
    fn name(&self) -> RStr<'_>;

    /// The options, as one JSON object.
    fn options(&self) -> RStr<'_>;

    /// Where log records of this instance go, for as long as it lives.
    #[sabi(last_prefix_field)]
    fn logger(&self) -> LogArc;
}

/// An owned [`AbiConfig`].
pub type ConfigBox = AbiConfig_TO<RBox<()>>;
