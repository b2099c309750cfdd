//! Which processes are alive for this host, written down so that the next host can end what this one left behind. A
//! leaf: whoever starts processes may use it.

mod layout;
mod leftovers;
mod live;
mod recovery;

pub use layout::{Kind, NAME_BYTES};
pub use leftovers::{Leftover, Leftovers};
pub use live::{About, MARK, Record, Records};
pub use recovery::RecoverySummary;
