//! The child's side: it loads the library and writes what that exports.

use super::answer::Answer;
use crate::plugin::loader;
use crate::process::exit_now;
use rustix::process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit};
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// The first argument of the host's binary that makes it the child; the library's path follows.
pub const WORD: &str = "__probe";

/// Writes the answer to standard output, and ends the process without the library's destructors.
pub fn answer_probe() -> ! {
    let Some(library) = std::env::args_os().nth(2) else { exit_now(2) };
    match write_answer(Path::new(&library)) {
        Ok(()) => exit_now(0),
        Err(error) => {
            eprintln!("the answer cannot be written: {error}");
            exit_now(1)
        }
    }
}

fn write_answer(library: &Path) -> io::Result<()> {
    // Nobody is left to end this process if its library hangs and the host has gone.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // A crash is expected here, and says what it has to say without a dump of its memory.
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    // What the library prints goes where what it complains of goes: standard output is for the answer.
    let mut answer = File::from(rustix::io::fcntl_dupfd_cloexec(io::stdout(), 3)?);
    rustix::stdio::dup2_stdout(io::stderr())?;
    let loaded = Answer::of(loader::load(library, library));
    answer.write_all(&serde_json::to_vec(&loaded)?)
}
