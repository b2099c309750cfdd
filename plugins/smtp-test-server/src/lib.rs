//! A small SMTP server on loopback, with STARTTLS, TLS from the start or none, with AUTH PLAIN and LOGIN, whose answers a
//! test may change.
#![forbid(unsafe_code)]

mod base64;
mod mail;
mod server;
mod session;
mod stream;

pub use bansuri_http_test_server::Authority;
pub use mail::Mail;
pub use server::{Encryption, Server, Settings};
pub use session::Answer;
