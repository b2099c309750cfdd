//! A plugin in a process of its own: what the host and that process say to each other, and what the process does.

mod assignment;
mod child;
mod conversation;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod early;
mod forward;
mod frame;
mod listen;
mod report;

pub use assignment::{Assignment, InstanceAssignment, NotifierAssignment, TaskAssignment};
pub use child::{WORD, serve};
pub use conversation::{Conversation, Heard, LastWord, Speaker};
