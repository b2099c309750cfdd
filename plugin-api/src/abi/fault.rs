//! Why a call across the boundary failed.

use abi_stable::{
    sabi_trait,
    std_types::{RBox, RStr},
    StableAbi,
};

/// A failed call.
///
/// Made by the side that was called, owned by the caller, used on any thread.
#[sabi_trait]
pub trait AbiFault: Send + Sync + 'static {
    /// What went wrong.
    fn kind(&self) -> FaultKind;

    /// In words.
    #[sabi(last_prefix_field)]
    fn message(&self) -> RStr<'_>;
}

/// An owned [`AbiFault`].
pub type FaultBox = AbiFault_TO<RBox<()>>;

/// What went wrong. An unknown number is an error.
#[repr(transparent)]
#[derive(StableAbi, Clone, Copy, PartialEq, Eq, Debug)]
pub struct FaultKind(u32);

impl FaultKind {
    /// The code that was called returned an error.
    pub const ERROR: Self = Self(1);
    /// It panicked; the object it belongs to is spent.
    pub const PANIC: Self = Self(2);
    /// The library exports no type of that name and kind.
    pub const UNKNOWN_TYPE: Self = Self(3);
    /// Output came after the end of the run.
    pub const RUN_ENDED: Self = Self(4);
}
