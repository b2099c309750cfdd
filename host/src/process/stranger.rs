//! Process groups that are no children of this process: those a host that died left behind.
//!
//! A number is never trusted. A group is known to be the one that is meant while something holds its number: its
//! leader, told by the time of its start; the kernel's own handle of the group, which a pidfd of the leader is; or a
//! member whose environment bears the mark that the group was started with. Members are signalled through pidfds that
//! were opened before that was made sure of.

use super::NotPermitted;
use super::group::{PIDFD_SIGNAL_PROCESS_GROUP, send_by_pidfd};
use super::members::{group_of, has_exited};
use super::table::{self, Row};
use bansuri_core::Signal;
use rustix::process::{PidfdFlags, pidfd_open};
use std::collections::BTreeSet;
use std::io;
use std::ops::RangeInclusive;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// What is known of a process that was started as the leader of a group of its own, at this [`Place`](super::Place).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trace {
    /// `None`: whether it was started at all is not known.
    pub pid: Option<u32>,
    /// When it was started, in ticks since boot (see [`boot_ticks`](super::boot_ticks)).
    pub born: RangeInclusive<u64>,
    /// The session it was started in: its group cannot leave it.
    pub session: u32,
    /// An entry `NAME=value` of its environment that no other had.
    pub mark: Vec<u8>,
}

/// A group that may still have members.
#[derive(Debug)]
pub struct Stranger {
    number: libc::pid_t,
    /// A pidfd of the leader, which was there and was the right one.
    leader: Option<OwnedFd>,
    trace: Trace,
}

/// A living process of a group. Its pidfd (what `as_fd` gives) becomes readable when it has exited.
#[derive(Debug)]
pub struct Member {
    pid: libc::pid_t,
    pidfd: OwnedFd,
}

/// The groups of these traces that may have members, each list in the place of its trace. There can be several only
/// where no pid is known, and none that this process itself belongs to.
///
/// # Errors
/// For each trace: what keeps its group from being looked for.
pub fn find_strangers(traces: &[Trace]) -> Vec<io::Result<Vec<Stranger>>> {
    let everybody = if traces.iter().any(|trace| trace.pid.is_none()) { table::rows() } else { Vec::new() };
    let find = |trace: &Trace| match trace.pid {
        Some(pid) => Ok(Stranger::by_pid(pid, trace)?.into_iter().collect()),
        None => Ok(Stranger::by_mark(trace, &everybody)),
    };
    traces.iter().map(find).collect()
}

/// The living members of these groups, each list in the place of its group. One pass over the process table serves all
/// groups that cannot be seen to be empty without one. An empty list: the group is gone, or nobody in it can be proven
/// to belong to it.
pub fn survey_strangers(groups: &[&Stranger]) -> Vec<Vec<Member>> {
    let doubtful: Vec<bool> = groups.iter().map(|group| !group.is_known_empty()).collect();
    let everybody = if doubtful.contains(&true) { table::rows() } else { Vec::new() };
    let members = |(group, doubtful): (&&Stranger, &bool)| {
        if *doubtful { group.members(&everybody) } else { Vec::new() }
    };
    groups.iter().zip(&doubtful).map(members).collect()
}

impl Stranger {
    /// The number of the group, for people.
    pub fn number(&self) -> u32 {
        self.number.unsigned_abs()
    }

    /// Whether this process is one of the group.
    pub fn is_own(&self) -> bool {
        group_of(0) == self.number
    }

    /// Sends the signal to the group, or at least to these members of it, which a survey has just found.
    ///
    /// # Errors
    /// None of them may be signalled.
    pub fn signal(&self, signal: Signal, members: &[Member]) -> Result<(), NotPermitted> {
        if self.is_own() {
            return Err(NotPermitted);
        }
        let number = signal.number();
        if let Some(leader) = &self.leader {
            match send_by_pidfd(leader.as_fd(), number, PIDFD_SIGNAL_PROCESS_GROUP) {
                Ok(()) => return Ok(()),
                // A leader that moved to another group is its run all the same. Others may be left to a kernel that
                // knows no such flag.
                Err(libc::ESRCH | libc::EINVAL) => {
                    let _ = send_by_pidfd(leader.as_fd(), number, 0);
                }
                Err(libc::EPERM) => return Err(NotPermitted),
                Err(_) => {}
            }
        }
        let sent: Vec<_> =
            members.iter().map(|member| send_by_pidfd(member.pidfd.as_fd(), number, 0)).collect();
        if !sent.is_empty() && sent.iter().all(|result| *result == Err(libc::EPERM)) {
            return Err(NotPermitted);
        }
        Ok(())
    }

    fn by_pid(pid: u32, trace: &Trace) -> io::Result<Option<Self>> {
        let group = |number, leader| Some(Self { number, leader, trace: trace.clone() });
        let Ok(number) = libc::pid_t::try_from(pid) else { return Ok(None) };
        let Some(pid) = table::pid(number) else { return Ok(None) };
        let opened = pidfd_open(pid, PidfdFlags::empty());
        match (opened, table::row(number)) {
            // The number has been free since, and so there was nobody in the group of that number.
            (_, Some(row)) if !trace.born.contains(&row.started) => Ok(None),
            // The row is the right one's, and so is the pidfd if that is still there: nobody else could have been
            // before it.
            (Ok(pidfd), Some(_)) => Ok(group(number, Some(pidfd))),
            (Ok(_) | Err(rustix::io::Errno::SRCH), None) => Ok(group(number, None)),
            // It ended, or is ending, and its row was the last that was seen of it.
            (Err(rustix::io::Errno::SRCH), Some(_)) => Ok(group(number, None)),
            // The number is a thread's now.
            (Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOENT), _) => Ok(None),
            (Err(error), _) => Err(error.into()),
        }
    }

    fn by_mark(trace: &Trace, everybody: &[Row]) -> Vec<Self> {
        let groups: BTreeSet<libc::pid_t> = everybody
            .iter()
            .filter(|row| trace.fits(row) && table::was_given(row.pid, &trace.mark))
            .map(|row| row.group)
            .collect();
        groups.into_iter().map(|number| Self { number, leader: None, trace: trace.clone() }).collect()
    }

    /// Whether the kernel says that nobody is left, not even a zombie.
    fn is_known_empty(&self) -> bool {
        let Some(leader) = &self.leader else { return false };
        send_by_pidfd(leader.as_fd(), 0, PIDFD_SIGNAL_PROCESS_GROUP) == Err(libc::ESRCH)
            && send_by_pidfd(leader.as_fd(), 0, 0) == Err(libc::ESRCH)
    }

    fn members(&self, everybody: &[Row]) -> Vec<Member> {
        let mut opened = Vec::new();
        for row in everybody.iter().filter(|row| row.group == self.number && self.trace.fits(row)) {
            // One that cannot be opened has gone.
            let Some(pidfd) = table::pid(row.pid).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok())
            else {
                continue;
            };
            opened.push(Member { pid: row.pid, pidfd });
        }
        opened.retain(|member| !has_exited(&member.pidfd));
        let witness = opened.iter().position(|member| table::was_given(member.pid, &self.trace.mark));
        // Looked at after they were opened, and before the proof: what has this number now is what is proven.
        let belongs: Vec<bool> = opened.iter().map(|member| group_of(member.pid) == self.number).collect();
        let proven = self.is_held_by_leader()
            || witness.is_some_and(|place| belongs[place] && !has_exited(&opened[place].pidfd));
        if !proven {
            opened.clear();
        }
        let mut belongs = belongs.into_iter();
        opened.retain(|_| belongs.next() == Some(true));
        if let Some(leader) = self.leader_elsewhere(&opened) {
            opened.push(leader);
        }
        opened
    }

    /// Whether the number cannot have been another group's since the leader was found.
    fn is_held_by_leader(&self) -> bool {
        self.leader.as_ref().is_some_and(|leader| {
            send_by_pidfd(leader.as_fd(), 0, PIDFD_SIGNAL_PROCESS_GROUP)
                .is_ok_or(libc::EPERM)
                // An unreaped leader holds its number.
                || send_by_pidfd(leader.as_fd(), 0, 0).is_ok_or(libc::EPERM)
        })
    }

    /// The leader, if it lives and has moved to another group.
    fn leader_elsewhere(&self, members: &[Member]) -> Option<Member> {
        let leader = self.leader.as_ref().filter(|leader| !has_exited(leader))?;
        let is_there = members.iter().any(|member| member.pid == self.number);
        // Without a copy the group could still be signalled; it is found again by the next survey.
        (!is_there).then(|| leader.try_clone().ok())?.map(|pidfd| Member { pid: self.number, pidfd })
    }
}

impl Trace {
    /// Whether it may be of the group: children are no older than who started them.
    fn fits(&self, row: &Row) -> bool {
        row.session == self.session && row.started >= *self.born.start()
    }
}

impl Member {
    /// For telling members apart that are alive at the same time.
    pub fn pid(&self) -> u32 {
        self.pid.unsigned_abs()
    }

    /// Whether it has exited; it may be a zombie still.
    pub fn has_exited(&self) -> bool {
        has_exited(&self.pidfd)
    }
}

impl AsFd for Member {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

trait Sent {
    fn is_ok_or(self, error: i32) -> bool;
}

impl Sent for Result<(), i32> {
    fn is_ok_or(self, error: i32) -> bool {
        self.is_ok() || self == Err(error)
    }
}
