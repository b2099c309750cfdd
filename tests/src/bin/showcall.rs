//! Prints how it was called: its parent, its folder, its arguments and its environment, each ended by a NUL byte. Tests
//! compare what two ways of starting it make of the same command line.

use std::ffi::OsStr;
use std::io::{Write, stdout};
use std::os::unix::ffi::OsStrExt;

fn main() -> std::io::Result<()> {
    let parent = std::os::unix::process::parent_id().to_string();
    let folder = std::env::current_dir()?;
    let arguments: Vec<_> = std::env::args_os().collect();
    let mut environment: Vec<_> = std::env::vars_os().collect();
    environment.sort();
    let mut out = stdout().lock();
    let mut say = |parts: &[&OsStr]| -> std::io::Result<()> {
        parts.iter().try_for_each(|part| out.write_all(part.as_bytes()))?;
        out.write_all(b"\0")
    };
    say(&["parent ".as_ref(), parent.as_ref()])?;
    say(&["folder ".as_ref(), folder.as_ref()])?;
    arguments.iter().try_for_each(|argument| say(&["argument ".as_ref(), argument.as_ref()]))?;
    environment.iter().try_for_each(|(name, value)| say(&["variable ".as_ref(), name, "=".as_ref(), value]))
}
