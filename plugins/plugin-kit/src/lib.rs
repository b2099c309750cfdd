//! What the options of plugins have in common. Each type is read from the configuration with an error that says what is
//! valid, and publishes a JSON Schema that takes what the reader takes.
#![forbid(unsafe_code)]

mod secret;
mod several;
mod size;
mod span;

pub use secret::Secret;
pub use several::Several;
pub use size::{Size, human_size};
pub use span::Span;
