//! Process groups that are no children of this process: those a host that died left behind.
//!
//! A number is never trusted. A group is known to be the one that is meant while something holds its number: its
//! leader, told by the time of its start; the kernel's own handle of the group, which a pidfd of the leader is; or a
//! member whose environment bears the mark that the group was started with. Members are signalled through pidfds that
//! were opened before that was made sure of.

use super::NotPermitted;
use super::group::{PIDFD_SIGNAL_PROCESS_GROUP, Route, send_by_pidfd};
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
    route: Route,
    trace: Trace,
}

/// A living process of a group. Its pidfd (what `as_fd` gives) becomes readable when it has exited.
#[derive(Debug)]
pub struct Member {
    pid: libc::pid_t,
    started: u64,
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

    /// Whether a signal reaches all of it at once, and not one by one: then somebody may be started in between.
    pub fn is_reached_at_once(&self) -> bool {
        self.leader.is_some() && self.route == Route::Pidfd
    }

    /// Sends the signal to the group, or at least to these members of it, which a survey has just found.
    ///
    /// # Errors
    /// None of them may be signalled.
    pub fn signal<'a>(
        &self,
        signal: Signal,
        members: impl IntoIterator<Item = &'a Member>,
    ) -> Result<(), NotPermitted> {
        if self.is_own() {
            return Err(NotPermitted);
        }
        let number = signal.number();
        match self.send_to_group(number) {
            Some(Ok(())) => return Ok(()),
            Some(Err(libc::EPERM)) => return Err(NotPermitted),
            // Nobody is left in it but in another group, or the members have to be reached one by one.
            Some(Err(_)) | None => {}
        }
        let sent: Vec<_> =
            members.into_iter().map(|member| send_by_pidfd(member.pidfd.as_fd(), number, 0)).collect();
        if !sent.is_empty() && sent.iter().all(|result| *result == Err(libc::EPERM)) {
            return Err(NotPermitted);
        }
        Ok(())
    }

    fn by_pid(pid: u32, trace: &Trace) -> io::Result<Option<Self>> {
        let group =
            |number, leader| Some(Self { number, leader, route: Route::of_system(), trace: trace.clone() });
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
        let group = |number| Self { number, leader: None, route: Route::of_system(), trace: trace.clone() };
        groups.into_iter().map(group).collect()
    }

    /// By the kernel's handle of the group. `None`: there is none here.
    fn send_to_group(&self, signal: i32) -> Option<Result<(), i32>> {
        let leader = self.leader.as_ref().filter(|_| self.route == Route::Pidfd)?;
        Some(send_by_pidfd(leader.as_fd(), signal, PIDFD_SIGNAL_PROCESS_GROUP))
    }

    fn send_to_leader(&self, signal: i32) -> Option<Result<(), i32>> {
        Some(send_by_pidfd(self.leader.as_ref()?.as_fd(), signal, 0))
    }

    /// Whether the kernel says that nobody is left, not even a zombie.
    fn is_known_empty(&self) -> bool {
        self.send_to_group(0) == Some(Err(libc::ESRCH)) && self.send_to_leader(0) == Some(Err(libc::ESRCH))
    }

    fn members(&self, everybody: &[Row]) -> Vec<Member> {
        let mut opened = Vec::new();
        for row in everybody.iter().filter(|row| row.group == self.number && self.trace.fits(row)) {
            // One that cannot be opened has gone.
            let Some(pidfd) = table::pid(row.pid).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok())
            else {
                continue;
            };
            opened.push(Member { pid: row.pid, started: row.started, pidfd });
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

    /// Whether the number cannot have been another group's since the leader was found: the group has members, or the
    /// leader is not reaped.
    fn is_held_by_leader(&self) -> bool {
        [self.send_to_group(0), self.send_to_leader(0)]
            .into_iter()
            .flatten()
            .any(|sent| matches!(sent, Ok(()) | Err(libc::EPERM)))
    }

    /// The leader, if it lives and has moved to another group.
    fn leader_elsewhere(&self, members: &[Member]) -> Option<Member> {
        let leader = self.leader.as_ref().filter(|leader| !has_exited(leader))?;
        let is_there = members.iter().any(|member| member.pid == self.number);
        // Without a copy the group could still be signalled; it is found again by the next survey.
        (!is_there).then(|| leader.try_clone().ok())?.map(|pidfd| Member {
            pid: self.number,
            started: *self.trace.born.end(),
            pidfd,
        })
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

    /// When it was started, in ticks since boot.
    pub fn started(&self) -> u64 {
        self.started
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

#[cfg(test)]
mod tests {
    use super::super::{Environment, Group, Place, Spawn, Stdio, boot_ticks, pipe, wait_readable};
    use super::*;
    use std::fs::File;
    use std::io::Read;
    use std::time::Duration;

    const PATIENCE: Duration = Duration::from_secs(60);

    /// A group of a shell that runs this line and says a byte on standard output when it is ready.
    fn start(line: &str, mark: &str) -> (Group, Trace) {
        let (mut ready, stdout) = pipe().map(|(read, write)| (File::from(read), write)).unwrap();
        let mut environment = Environment::of_host();
        environment.set("STRANGER", mark).unwrap();
        let before = boot_ticks();
        let spawn = Spawn {
            program: "/bin/sh".into(),
            arguments: vec!["-c".into(), line.into()],
            environment,
            working_directory: "/".into(),
            stdin: Stdio::Null,
            stdout: Stdio::To(stdout),
            stderr: Some(Stdio::Inherit),
            more: Vec::new(),
        };
        let group = spawn.start().unwrap();
        let born = before..=boot_ticks();
        ready.read_exact(&mut [0]).unwrap();
        let mark = format!("STRANGER={mark}").into_bytes();
        let trace = Trace { pid: Some(group.pid()), born, session: Place::session(), mark };
        (group, trace)
    }

    /// By this route, and with the trace changed.
    fn find(trace: &Trace, route: Route) -> Stranger {
        let mut found = find_strangers(std::slice::from_ref(trace)).pop().unwrap().unwrap();
        Stranger { route, ..found.pop().expect("the group is found") }
    }

    fn survey(group: &Stranger) -> Vec<Member> {
        survey_strangers(&[group]).pop().unwrap()
    }

    const LED: &str = "sleep 1000 & printf x; wait";
    const LEADERLESS: &str = "sh -c 'printf x; while :; do sleep 1000; done' & exit 0";

    #[test]
    fn a_group_is_ended_by_either_route_with_and_without_its_leader() {
        for route in [Route::of_system(), Route::Unreaped] {
            for line in [LED, LEADERLESS] {
                let (group, trace) = start(line, "a");
                if line == LEADERLESS {
                    assert!(group.wait(PATIENCE).is_some());
                }
                let stranger = find(&trace, route);
                let mut members = survey(&stranger);
                assert!(!members.is_empty(), "{route:?} {line}");
                // Again if it is reached one by one, and one of them has started another meanwhile.
                while !members.is_empty() {
                    assert_eq!(stranger.signal(Signal::KILL, &members), Ok(()));
                    for member in &members {
                        assert!(wait_readable(&[member.as_fd()], PATIENCE));
                    }
                    members = survey(&stranger);
                }
                assert!(group.wait_gone(PATIENCE), "{route:?} {line}");
                assert!(survey(&stranger).is_empty());
            }
        }
    }

    #[test]
    fn a_leader_that_is_reaped_after_it_was_found_still_names_its_group() {
        let (group, trace) = start("sh -c 'while :; do sleep 1000; done' & printf x; wait", "other");
        let trace = Trace { mark: b"STRANGER=unknown".into(), ..trace };
        let by_handle = find(&trace, Route::of_system());
        let by_leader = find(&trace, Route::Unreaped);
        assert!(!survey(&by_leader).is_empty(), "the leader is there");
        rustix::process::kill_process(table::pid(group.leader()).unwrap(), rustix::process::Signal::KILL)
            .unwrap();
        assert!(group.wait(PATIENCE).is_some());
        let expect = by_handle.route == Route::Pidfd;
        assert_eq!(!survey(&by_handle).is_empty(), expect, "the kernel's handle of the group is enough");
        assert!(survey(&by_leader).is_empty(), "nothing proves whose group it is");
    }

    #[test]
    fn whoever_differs_in_one_thing_is_another() {
        let (group, trace) = start(LED, "b");
        let later = Trace { born: boot_ticks() + 1..=u64::MAX, ..trace.clone() };
        let earlier = Trace { born: 0..=trace.born.start() - 1, ..trace.clone() };
        let none = Trace { pid: Some(u32::MAX), ..trace.clone() };
        for other in [later, earlier, none] {
            assert!(find_strangers(&[other]).pop().unwrap().unwrap().is_empty());
        }
        let unnamed = Trace { pid: None, ..trace };
        assert_eq!(find(&unnamed, Route::of_system()).number(), group.pid());
        for other in [
            Trace { session: unnamed.session + 1, ..unnamed.clone() },
            Trace { mark: b"STRANGER=bb".into(), ..unnamed.clone() },
            Trace { born: boot_ticks() + 1..=u64::MAX, ..unnamed.clone() },
        ] {
            assert!(find_strangers(&[other]).pop().unwrap().unwrap().is_empty());
        }
    }
}
