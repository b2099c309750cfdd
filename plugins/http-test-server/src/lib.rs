//! A small HTTP/1.1 server on loopback, with or without TLS, whose answers are what a test wants. One request for each
//! connection.
#![forbid(unsafe_code)]

mod authority;
mod server;
mod wire;

pub use authority::Authority;
pub use server::Server;
pub use wire::{Reply, Request};
