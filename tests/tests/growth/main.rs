//! What plugin-api may become without breaking a plugin or a host, by the rules of plugin-api/ABI.md: plugins built with
//! an older and with a newer one in today's host, and a fingerprint, so that nobody changes what crosses unaware.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod copy;
mod fingerprint;
mod frozen;
mod grown;
