//! The private word by which the host executes its own binary again, to run a plugin in a process of its own.

use crate::plugin;

/// Whether this process was started as such a child.
pub(super) fn is_asked_for() -> bool {
    std::env::args_os().nth(1).is_some_and(|word| word == plugin::CHILD_WORD)
}

/// Runs the plugin, or tells the host why not.
pub(super) fn run() -> ! {
    plugin::serve_as_child()
}
