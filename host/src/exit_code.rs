//! The exit codes of the binary.

/// All is well.
pub const FINE: i32 = 0;
/// A task failed (`--exit-when-done`), or the operation did.
pub const FAILED: i32 = 1;
/// The command line is wrong.
pub const USAGE: i32 = 2;
/// The configuration or a plugin is invalid.
pub const INVALID: i32 = 3;
/// Another host already runs on this state dir, or none runs for a client command.
pub const HOST_CONFLICT: i32 = 4;
/// A second SIGINT ended everything at once.
pub const INTERRUPTED: i32 = 130;
