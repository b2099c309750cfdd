//! Looking at a supervisor's processes from outside, through /proc.

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use rustix::time::Timespec;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// What all threads of some processes have done so far.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Work {
    pub(super) threads: usize,
    /// How often they went to sleep: each had been woken for something.
    pub(super) sleeps: u64,
    /// Time on a processor, in nanoseconds.
    pub(super) busy: u64,
}

/// What these processes have done so far.
pub(super) fn work(processes: &[u32]) -> Work {
    let mut work = Work::default();
    for process in processes {
        for thread in fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten() {
            let read = |name: &str| fs::read_to_string(thread.path().join(name)).unwrap_or_default();
            work.threads += 1;
            work.sleeps += field(&read("status"), "voluntary_ctxt_switches:");
            work.busy += field(&read("schedstat"), "");
        }
    }
    work
}

/// The memory that is these processes' own, and their part of what they share, in KiB.
pub(super) fn memory(processes: &[u32]) -> io::Result<f64> {
    let mut sum = 0;
    for process in processes {
        sum += field(&fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?, "Pss:");
    }
    Ok(sum as f64)
}

/// The number after this word at the beginning of a line.
fn field(text: &str, word: &str) -> u64 {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(word));
    lines.next().and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

/// A process's children with one of these names.
pub(super) fn children(process: u32, names: &[&str]) -> Vec<u32> {
    let of = |pid: &u32| {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (head, fields) = text.rsplit_once(") ")?;
        let is_child = fields.split(' ').nth(1)?.parse() == Ok(process);
        (is_child && names.contains(&head.split_once('(')?.1)).then_some(())
    };
    processes().filter(|pid| of(pid).is_some()).collect()
}

/// Every process there is.
fn processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The live processes that have this folder in their environment, their arguments or as their program: whatever was
/// started for it, and nothing else, whoever is its parent.
pub(super) fn marked_with(folder: &Path) -> Vec<u32> {
    let mark = folder.as_os_str().as_bytes();
    let names = |pid: u32, file: &str| {
        let bytes = fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
        bytes.windows(mark.len()).any(|window| window == mark)
    };
    let own = std::process::id();
    let mut found: Vec<u32> = processes().filter(|pid| *pid != own).collect();
    found.retain(|pid| (names(*pid, "environ") || names(*pid, "cmdline")) && crate::is_alive(*pid));
    found
}

/// Waits for the end of a process, which need not be a child: whether it came in time.
pub(super) fn ended(process: u32, patience: Duration) -> io::Result<bool> {
    let Some(pid) = i32::try_from(process).ok().and_then(Pid::from_raw) else { return Ok(true) };
    let Ok(descriptor) = pidfd_open(pid, PidfdFlags::empty()) else { return Ok(true) };
    let limit = Timespec::try_from(patience).map_err(io::Error::other)?;
    Ok(poll(&mut [PollFd::new(&descriptor, PollFlags::IN)], Some(&limit))? == 1)
}
