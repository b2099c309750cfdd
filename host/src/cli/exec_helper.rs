//! The private word by which the host executes its own binary again, to start a task under another user or other limits.

use crate::process;

/// Whether this process was started as that helper.
pub(super) fn is_asked_for() -> bool {
    std::env::args_os().nth(1).is_some_and(|word| word == process::HELPER_WORD)
}

/// Becomes the task's program, or tells the host why not.
pub(super) fn run() -> ! {
    process::become_program()
}
