//! A benchmark that is interrupted leaves nothing running.

use super::observe;
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::low_level::pipe;
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

/// On SIGINT or SIGTERM, kills whatever was started for the first of these folders, removes them all and exits.
pub(super) fn clean_up(folders: Vec<PathBuf>) -> io::Result<()> {
    let (mut signalled, signal) = UnixStream::pair()?;
    pipe::register(SIGTERM, signal.try_clone()?)?;
    pipe::register(SIGINT, signal)?;
    std::thread::Builder::new().name("interrupt".into()).spawn(move || {
        if signalled.read_exact(&mut [0]).is_ok() {
            kill_marked(&folders);
            std::process::exit(130);
        }
    })?;
    Ok(())
}

fn kill_marked(folders: &[PathBuf]) {
    // What is killed last may have been started while the first were.
    while let Some(marked) = folders.first().map(|f| observe::marked_with(f)).filter(|m| !m.is_empty()) {
        for pid in marked.iter().filter_map(|pid| Pid::from_raw(i32::try_from(*pid).ok()?)) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
    folders.iter().for_each(|folder| _ = std::fs::remove_dir_all(folder));
}
