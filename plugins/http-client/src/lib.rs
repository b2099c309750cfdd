//! What the HTTP plugins share: the options that a request needs, a client made from them, and errors in words.
#![forbid(unsafe_code)]

mod client;
mod explain;
mod headers;
mod url;

pub use client::Client;
pub use explain::explain;
pub use headers::Headers;
pub use ureq;
pub use url::Url;
