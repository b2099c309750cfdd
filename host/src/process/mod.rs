//! Starting processes and ending their groups. A leaf: anybody may use it, and it knows nothing of tasks
//! but the types that say what to start.
//!
//! Linux with glibc: pidfds (5.4; group signals through them from 6.9), posix_spawn with a working directory and
//! closefrom (glibc 2.34). Another platform gets siblings of these files behind the same items.

mod accounts;
mod channel;
mod descriptors;
mod environment;
mod group;
mod helper;
mod inherited;
mod members;
mod memory;
mod moment;
mod own;
mod program;
mod spawn;
mod stranger;
mod strings;
mod table;
mod thread;
mod watched;

pub use accounts::{
    User, group_by_name, group_exists, group_names, groups_of, user_by_id, user_by_name, user_exists,
    user_names,
};
pub use channel::{channel, receive_with, send_with};
pub use descriptors::{handed_down, pipe, retrying};
pub use environment::Environment;
pub use group::{Group, NotPermitted, wait_readable};
pub use helper::{Answer, Handover, Verdict, WORD as HELPER_WORD, become_program};
pub use inherited::{
    inherited_nofile, inherited_signal_mask, keep_sigpipe_to_itself, raise_nofile, was_ignored,
};
pub use members::{Presence, survey};
pub use memory::give_memory_back;
pub use moment::monotonic;
pub use own::{exit_now, flush_c_output, kill_own_group, name_process};
pub use program::{describe, is_executable};
pub use spawn::{FIRST_MORE, OWN_BINARY, Spawn, SpawnError, Stdio};
pub use stranger::{Member, Stranger, Trace, find_strangers, survey_strangers};
pub use table::{Place, boot_ticks, start_of};
pub use thread::start_thread;
pub use watched::Watched;
