//! The private word by which the host executes its own binary again, to try a plugin library.

use crate::plugin;

/// Whether this process was started to try one.
pub(super) fn is_asked_for() -> bool {
    std::env::args_os().nth(1).is_some_and(|word| word == plugin::PROBE_WORD)
}

/// Tells the host what the library exports.
pub(super) fn run() -> ! {
    plugin::answer_probe()
}
