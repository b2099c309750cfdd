//! The event stream of `--events`: one JSON object a line.

mod output;
mod record;
mod stream;

pub use record::HostEvent;
pub use stream::{EventSink, EventStream};
