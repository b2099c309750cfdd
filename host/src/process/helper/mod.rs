//! Starting a program as somebody else or under other limits, without a fork of the host: the host's own binary is
//! executed again with a private word ([`WORD`]), becomes what it was asked to, and executes the program in its place.

mod become_program;
mod identity;
mod limits;
mod request;
mod start;

pub use become_program::become_program;
pub use request::Handover;
pub use start::{Answer, Verdict, WORD};
