//! What a library says about one type it exports.

use abi_stable::{
    sabi_trait,
    std_types::{RBox, ROption, RStr, RString},
    StableAbi,
};

/// One exported type.
///
/// Made by the plugin, owned by the host, used on any thread.
#[sabi_trait]
pub trait AbiExport: Send + Sync + 'static {
    /// What it is.
    fn kind(&self) -> ExportKind;

    /// The type's name: what follows the colon in `LIBRARY:Type`.
    fn name(&self) -> RStr<'_>;

    /// One line for people; may be empty.
    fn description(&self) -> RStr<'_>;

    /// A JSON Schema for the options, where the type has one.
    #[sabi(last_prefix_field)]
    fn options_schema(&self) -> ROption<RString>;
}

/// An owned [`AbiExport`].
pub type ExportBox = AbiExport_TO<RBox<()>>;

/// What an exported type is. A host ignores types of a kind it does not know.
#[repr(transparent)]
#[derive(StableAbi, Clone, Copy, PartialEq, Eq, Debug)]
pub struct ExportKind(u32);

impl ExportKind {
    /// A task.
    pub const TASK: Self = Self(1);
    /// A notifier.
    pub const NOTIFIER: Self = Self(2);
}
