//! What plugins have in common. Of options: each type is read from the configuration with an error that says what is
//! valid, and publishes a JSON Schema that takes what the reader takes. Of notifiers: what they say, and when they say it
//! again.
#![forbid(unsafe_code)]

mod facts;
mod retry;
mod secret;
mod several;
mod size;
mod span;
mod trust;

pub use facts::{facts, heading, outputs, timestamp};
pub use retry::RetryPolicy;
pub use secret::Secret;
pub use several::Several;
pub use size::{Size, human_size};
pub use span::Span;
pub use trust::Trust;
