//! Who is left of a group whose leader has exited.

use super::{Group, retrying};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, WaitId, WaitIdOptions, pidfd_open, waitid};
use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::os::fd::{AsFd, OwnedFd};

/// As many members are watched at once: when all of those are gone, the rest are looked for.
const WATCHED: usize = 16;

/// Surveys in one call: enough to see that the zombies that are left do not change.
const ROUNDS: usize = 4;

/// Numbers are below this where /proc does not say otherwise.
const PID_LIMIT: libc::pid_t = 1 << 22;

/// What a survey found of one group.
#[derive(Debug)]
pub enum Presence {
    /// Nobody lives. Zombies that are others' to reap may be left.
    Gone,
    /// These live, or did a moment ago: pidfds of some of them. When all are readable, the group is to be surveyed
    /// again; and whenever it was signalled, because nothing tells of a member that left it (by setsid, say). Empty if
    /// the system is out of descriptors: then to be surveyed again before long.
    Members(Vec<OwnedFd>),
}

/// Looks for the living of groups whose leaders have exited (see [`Group::take_exit`]). One pass over the process
/// table serves all, and there is none for groups that are found empty at once.
///
/// Zombies that the host is the parent of (as pid 1, or a subreaper) are reaped. Members of a group that was killed
/// are killed again: they came after.
pub fn survey(groups: &[&Group]) -> Vec<Presence> {
    let mut found: Vec<Option<Presence>> = groups.iter().map(|_| None).collect();
    let mut zombies: Vec<Option<BTreeSet<libc::pid_t>>> = vec![None; groups.len()];
    for round in 1..=ROUNDS {
        let mut doubtful = HashMap::new();
        for (index, group) in groups.iter().enumerate() {
            if found[index].is_none() && group.is_empty() {
                found[index] = Some(Presence::Gone);
            } else if found[index].is_none() {
                doubtful.insert(group.leader(), index);
            }
        }
        if doubtful.is_empty() {
            break;
        }
        // Somebody is there whom /proc never shows: it may hide what belongs to others, or not be mounted.
        let hidden = round == ROUNDS && doubtful.values().any(|&index| zombies[index].is_none());
        let mut sightings = look(&doubtful, if hidden { (1..pid_limit()).collect() } else { listed() });
        for &index in doubtful.values() {
            let group = groups[index];
            let mut seen = match sightings.remove(&index) {
                Some(seen) => seen,
                None if round < ROUNDS => continue,
                None => BTreeSet::new(),
            };
            if group.keeps_leader() {
                seen.remove(&group.leader());
            }
            let Sorted { living, unwatchable } = sort(&seen);
            let settled = zombies[index].as_ref() == Some(&seen) || (seen.is_empty() && hidden);
            if !living.is_empty() || unwatchable {
                group.kill_again();
                found[index] = Some(Presence::Members(living));
            } else if settled {
                group.finish();
                found[index] = Some(Presence::Gone);
            } else if round == ROUNDS {
                // They die as fast as they are looked for. The leader's pidfd is readable, and brings the next survey.
                group.kill_again();
                found[index] =
                    Some(Presence::Members(group.as_fd().try_clone_to_owned().into_iter().collect()));
            } else {
                zombies[index] = Some(seen);
            }
        }
    }
    found.into_iter().map(|presence| presence.expect("the last round decides")).collect()
}

/// Which of these processes belong to which of the groups.
fn look(
    groups: &HashMap<libc::pid_t, usize>,
    processes: Vec<libc::pid_t>,
) -> HashMap<usize, BTreeSet<libc::pid_t>> {
    let mut sightings: HashMap<usize, BTreeSet<libc::pid_t>> = HashMap::new();
    for pid in processes {
        if let Some(&index) = groups.get(&group_of(pid)) {
            sightings.entry(index).or_default().insert(pid);
        }
    }
    sightings
}

struct Sorted {
    /// Of `WATCHED` at most.
    living: Vec<OwnedFd>,
    /// There is one of which nothing is known, for lack of descriptors.
    unwatchable: bool,
}

/// Opens the pidfds of processes.
fn sort(members: &BTreeSet<libc::pid_t>) -> Sorted {
    let mut sorted = Sorted { living: Vec::new(), unwatchable: false };
    for pid in members.iter().filter_map(|&pid| Pid::from_raw(pid)) {
        // Whom the number means by now matters to nobody: the pidfd is only watched, and brings at worst a survey more.
        match retrying(|| Ok(pidfd_open(pid, PidfdFlags::empty())?)) {
            Ok(pidfd) if has_exited(&pidfd) => {
                // Fails if the zombie is another's child: then it is not the host's to reap.
                let _ = waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
            }
            Ok(pidfd) => sorted.living.push(pidfd),
            Err(error) => {
                let code = error.raw_os_error();
                sorted.unwatchable |= matches!(code, Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM));
            }
        }
        if sorted.living.len() == WATCHED {
            break;
        }
    }
    sorted
}

fn has_exited(pidfd: &OwnedFd) -> bool {
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut [PollFd::new(pidfd, PollFlags::IN)], Some(&now)).is_ok_and(|ready| ready > 0)
}

/// The group of a process; 0 or less if there is none.
fn group_of(pid: libc::pid_t) -> libc::pid_t {
    // SAFETY: plain system call, without pointers.
    unsafe { libc::getpgid(pid) }
}

/// The processes that /proc shows; none where it is not mounted.
fn listed() -> Vec<libc::pid_t> {
    let Ok(folder) = fs::read_dir("/proc") else { return Vec::new() };
    folder.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

fn pid_limit() -> libc::pid_t {
    let text = fs::read_to_string("/proc/sys/kernel/pid_max").unwrap_or_default();
    text.trim().parse().unwrap_or(PID_LIMIT)
}
