//! The process table, as /proc shows it, and what numbers in it mean.

use super::moment;
use rustix::process::Pid;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;

/// Where process numbers mean something: in one boot of one system, and one namespace of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// Another after each boot: 36 characters.
    pub boot: String,
    /// The namespace of process numbers.
    pub namespace: u64,
}

impl Place {
    /// Where this process is.
    ///
    /// # Errors
    /// /proc is not mounted.
    pub fn here() -> io::Result<Self> {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned();
        Ok(Self { boot, namespace: fs::metadata("/proc/self/ns/pid")?.ino() })
    }

    /// The session of this process; 0 if its leader is in another namespace.
    pub fn session() -> u32 {
        // SAFETY: plain system call, without pointers. rustix takes the 0 of a leader elsewhere for impossible.
        u32::try_from(unsafe { libc::getsid(0) }).unwrap_or(0)
    }
}

/// Time since boot in the unit of start times in /proc: a process that is started now has this one, or a later one.
pub fn boot_ticks() -> u64 {
    // SAFETY: plain system call, without pointers.
    let ticks_a_second = u128::try_from(unsafe { libc::sysconf(libc::_SC_CLK_TCK) }).unwrap_or(100).max(1);
    let tick = 1_000_000_000 / ticks_a_second;
    u64::try_from(moment::since_boot().as_nanos() / tick.max(1)).unwrap_or(0)
}

/// When this process was started, in ticks since boot. `None`: there is none of this number.
pub fn start_of(number: u32) -> Option<u64> {
    Some(row(libc::pid_t::try_from(number).ok()?)?.started)
}

/// A process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Row {
    pub(super) pid: libc::pid_t,
    pub(super) group: libc::pid_t,
    pub(super) session: u32,
    /// In ticks since boot.
    pub(super) started: u64,
}

/// Everybody who can be seen.
pub(super) fn rows() -> Vec<Row> {
    let Ok(folder) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = folder.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter_map(row).collect()
}

/// One of them. Of a number that is taken again in between, either is told.
pub(super) fn row(pid: libc::pid_t) -> Option<Row> {
    parse(pid, &fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Whether this entry (`NAME=value`) is in the environment that the process was given at its last exec. False where
/// that may not be read, and where the process has overwritten it.
pub(super) fn was_given(pid: libc::pid_t, entry: &[u8]) -> bool {
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(|each| each == entry)
}

/// The number of a process as rustix wants it.
pub(super) fn pid(number: libc::pid_t) -> Option<Pid> {
    Pid::from_raw(number).filter(|_| number > 0)
}

/// See proc_pid_stat(5). The name in parentheses may hold anything, so that the fields are those after the last one.
fn parse(pid: libc::pid_t, stat: &str) -> Option<Row> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    Some(Row {
        pid,
        group: fields.get(2)?.parse().ok()?,
        session: fields.get(3)?.parse().ok()?,
        started: fields.get(19)?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_parentheses_and_spaces_deceives_nobody() {
        let stat = "7 (a) S 1 2 3) S 1 5 6 0 -1 4194560 106 0 0 0 0 0 0 0 20 0 1 0 77123 2543616 179 18446744073709551615 1 1";
        assert_eq!(parse(7, stat), Some(Row { pid: 7, group: 5, session: 6, started: 77_123 }));
        assert_eq!(parse(7, "7 (sh) S 1 5"), None);
        assert_eq!(parse(7, ""), None);
    }

    #[test]
    fn a_process_started_now_is_as_old_as_the_ticks_say() {
        let before = boot_ticks();
        let mut child = std::process::Command::new("sleep").arg("1000").env("MARK", "a b").spawn().unwrap();
        let after = boot_ticks();
        let number = libc::pid_t::try_from(child.id()).unwrap();
        let row = row(number).unwrap();
        assert!((before..=after).contains(&row.started), "{before} {row:?} {after}");
        assert!(rows().contains(&row));
        // `spawn` returns when the program is being executed, which is a moment before its strings are in place.
        while fs::read(format!("/proc/{number}/cmdline")).unwrap().is_empty() {
            std::thread::yield_now();
        }
        assert_eq!(row.session, Place::session());
        assert!(was_given(number, b"MARK=a b"));
        assert!(!was_given(number, b"MARK=a") && !was_given(number, b"MARK=a b c"));
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// As in a container that is entered from outside: the leaders of the session and of the group have no number here.
    #[test]
    fn a_session_whose_leader_is_in_another_namespace_is_none() {
        let Ok(own) = std::env::current_exe() else { return };
        let outcome = std::process::Command::new("unshare")
            .args(["--pid", "--fork", "--mount-proc"])
            .arg(own)
            .args(["--exact", "process::table::tests::a_process_started_now_is_as_old_as_the_ticks_say"])
            .output();
        // Only root may make namespaces everywhere; CI is.
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let outcome = outcome.unwrap();
        let said = String::from_utf8_lossy(&outcome.stdout);
        assert!(outcome.status.success() && said.contains("1 passed"), "{said}");
    }
}
