//! Ending what hosts that died left behind.

use super::leftovers::{Leftover, Leftovers};
use crate::process::{
    Member, NotPermitted, Stranger, boot_ticks, find_strangers, survey_strangers, wait_readable,
};
use bansuri_core::Signal;
use std::collections::BTreeSet;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

/// How long a killed group may take to be gone; only the kernel can hold it longer.
const KILL_LIMIT: Duration = Duration::from_secs(5);

/// As many members of a group are watched at once: when all of those are gone, the rest are looked for.
const WATCHED: usize = 16;

/// Looks in a row for those who were started while their group was asked.
const ROUNDS: usize = 4;

/// What became of what was left behind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RecoverySummary {
    /// Groups that were alive and are gone, the killed ones included.
    pub ended: usize,
    /// Groups that had to be killed.
    pub killed: usize,
    /// What could not be ended, and stays recorded for the next host.
    pub left: usize,
}

impl Leftovers {
    /// Ends every group that is still alive: the stop signal to all of them at once, SIGKILL to those that live past
    /// their own stop timeout. Everything is logged, and the records of what is gone are removed.
    ///
    /// Blocks until all are gone, woken by their ends alone; at most for the longest of the timeouts and 5 seconds. A
    /// host that is killed meanwhile leaves the records to the next one. Whether to kill them all at once instead is
    /// asked of `hurry`, at the start and whenever one of `bells` has become readable.
    pub fn recover(self, bells: &[BorrowedFd<'_>], hurry: &mut dyn FnMut() -> bool) -> RecoverySummary {
        let (mut left, mut unfound) = (BTreeSet::new(), 0);
        let mut endings = Vec::new();
        let traces: Vec<_> = self.entries.iter().map(|entry| entry.trace.clone()).collect();
        for (entry, found) in self.entries.iter().zip(find_strangers(&traces)) {
            match found {
                Ok(groups) => endings.extend(groups.into_iter().map(|group| Ending::of(entry, group))),
                Err(error) => {
                    log::error!(target: &entry.task, "{}: cannot be looked for: {error}", words(entry));
                    left.insert(entry.file);
                    unfound += 1;
                }
            }
        }
        end(&mut endings, bells, hurry);
        left.extend(
            endings.iter().filter(|ending| ending.phase == Phase::Left).map(|ending| ending.entry.file),
        );
        for (_, file) in self.files.iter().enumerate().filter(|(number, _)| !left.contains(number)) {
            if let Err(error) = std::fs::remove_file(file) {
                log::warn!(target: "bansuri", "{}: {error}", file.display());
            }
        }
        let count = |holds: fn(&Ending<'_>) -> bool| endings.iter().filter(|ending| holds(ending)).count();
        RecoverySummary {
            ended: count(|ending| ending.phase == Phase::Gone && ending.was_seen),
            killed: count(|ending| ending.phase == Phase::Gone && ending.was_killed),
            left: unfound + count(|ending| ending.phase == Phase::Left),
        }
    }
}

/// A group on its way to its end.
struct Ending<'a> {
    entry: &'a Leftover,
    group: Stranger,
    phase: Phase,
    /// It had living members.
    was_seen: bool,
    was_killed: bool,
    /// Who was asked, up to which time (in ticks since boot), where they had to be asked one by one.
    asked: Option<(u64, BTreeSet<u32>)>,
    /// Some may not have been asked yet.
    is_unsettled: bool,
    /// Some of its living members; none: it is to be looked at.
    watched: Vec<Member>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// Nothing is known but its number.
    Found,
    /// It got the stop signal.
    Asked { until: Instant },
    /// Whatever is found of it is killed.
    Killed { until: Instant },
    /// Nobody lives.
    Gone,
    /// It cannot be ended, or must not.
    Left,
    /// This host is one of it.
    Own,
}

fn end(endings: &mut [Ending<'_>], bells: &[BorrowedFd<'_>], hurry: &mut dyn FnMut() -> bool) {
    let mut in_a_hurry = false;
    loop {
        in_a_hurry = in_a_hurry || hurry();
        let now = Instant::now();
        endings.iter_mut().for_each(|ending| ending.expire(now));
        look(endings);
        if in_a_hurry {
            let asked = endings.iter_mut().filter(|ending| matches!(ending.phase, Phase::Asked { .. }));
            if asked.map(|ending| ending.kill(now)).count() > 0 {
                continue;
            }
        }
        let Some(deadline) = endings.iter().filter_map(Ending::deadline).min() else { return };
        let members = endings.iter().flat_map(|ending| &ending.watched).map(AsFd::as_fd);
        let watched: Vec<_> = members.chain(bells.iter().copied()).collect();
        wait_readable(&watched, deadline.saturating_duration_since(Instant::now()));
        for ending in endings.iter_mut() {
            ending.watched.retain(|member| !member.has_exited());
        }
    }
}

/// Looks at all groups of whose members none is watched, and does with them what is due.
fn look(endings: &mut [Ending<'_>]) {
    for _ in 0..ROUNDS {
        let mut doubtful: Vec<_> = endings.iter_mut().filter(|ending| ending.is_doubtful()).collect();
        if doubtful.is_empty() {
            return;
        }
        let surveyed = survey_strangers(&doubtful.iter().map(|ending| &ending.group).collect::<Vec<_>>());
        for (ending, members) in doubtful.iter_mut().zip(surveyed) {
            ending.attend(members);
        }
    }
}

impl<'a> Ending<'a> {
    fn of(entry: &'a Leftover, group: Stranger) -> Self {
        let phase = if group.is_own() { Phase::Own } else { Phase::Found };
        if phase == Phase::Own {
            log::warn!(target: &entry.task, "{}: this host was started by it: it is left alone", words(entry));
        }
        Self {
            entry,
            group,
            phase,
            was_seen: false,
            was_killed: false,
            asked: None,
            is_unsettled: false,
            watched: Vec::new(),
        }
    }

    fn is_alive(&self) -> bool {
        match self.phase {
            Phase::Found | Phase::Asked { .. } | Phase::Killed { .. } => true,
            Phase::Gone | Phase::Left | Phase::Own => false,
        }
    }

    /// Whether it is to be looked at.
    fn is_doubtful(&self) -> bool {
        self.is_alive() && (self.watched.is_empty() || self.is_unsettled)
    }

    /// When it has had its time. `None`: it has come to its end.
    fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Asked { until } | Phase::Killed { until } => Some(until),
            Phase::Found | Phase::Gone | Phase::Left | Phase::Own => None,
        }
    }

    fn expire(&mut self, now: Instant) {
        match self.phase {
            Phase::Asked { until } if until <= now => {
                log::warn!(
                    target: &self.entry.task,
                    "{}: ignores {}: it is killed",
                    words(self.entry),
                    self.entry.stop_signal
                );
                self.kill(now);
            }
            Phase::Killed { until } if until <= now => self.leave("cannot be killed"),
            Phase::Asked { .. }
            | Phase::Killed { .. }
            | Phase::Found
            | Phase::Gone
            | Phase::Left
            | Phase::Own => {}
        }
    }

    fn kill(&mut self, now: Instant) {
        self.phase = Phase::Killed { until: now + KILL_LIMIT };
        self.was_killed = true;
        // So that they are looked for, and signalled.
        self.watched.clear();
        self.is_unsettled = false;
    }

    /// With its living members as they are now.
    fn attend(&mut self, members: Vec<Member>) {
        if members.is_empty() {
            if self.was_seen {
                log::info!(target: &self.entry.task, "{}: gone", words(self.entry));
            }
            self.phase = Phase::Gone;
            return;
        }
        let signalled = match self.phase {
            Phase::Found => {
                self.was_seen = true;
                log::warn!(
                    target: &self.entry.task,
                    "{}: still alive (process group {}): it is stopped",
                    words(self.entry),
                    self.group.number()
                );
                self.phase = Phase::Asked { until: later(Instant::now(), self.entry.stop_timeout) };
                self.ask(&members)
            }
            Phase::Killed { .. } => self.group.signal(Signal::KILL, &members),
            Phase::Asked { .. } => self.ask_newcomers(&members),
            Phase::Gone | Phase::Left | Phase::Own => Ok(()),
        };
        if signalled == Err(NotPermitted) {
            return self.leave("may not be signalled by this host");
        }
        self.watched = members;
        self.watched.truncate(WATCHED);
    }

    fn ask(&mut self, members: &[Member]) -> Result<(), NotPermitted> {
        let sent = self.send_stop(members);
        if !self.group.is_reached_at_once() {
            self.asked = Some((boot_ticks(), members.iter().map(Member::pid).collect()));
            self.is_unsettled = true;
        }
        sent
    }

    /// Those who were started while the others were being asked are asked too. Who is younger is not: a process that
    /// ends in order may need children for it.
    fn ask_newcomers(&mut self, members: &[Member]) -> Result<(), NotPermitted> {
        self.is_unsettled = false;
        let Some((until, asked)) = &mut self.asked else { return Ok(()) };
        let newcomers = members.iter().filter(|one| one.started() <= *until && asked.insert(one.pid()));
        let newcomers: Vec<&Member> = newcomers.collect();
        if newcomers.is_empty() {
            return Ok(());
        }
        self.is_unsettled = true;
        self.send_stop(newcomers)
    }

    fn send_stop<'m>(
        &self,
        members: impl IntoIterator<Item = &'m Member> + Clone,
    ) -> Result<(), NotPermitted> {
        let sent = self.group.signal(self.entry.stop_signal, members.clone());
        // A process that is stopped could not react.
        if let Some(resume) = "CONT".parse().ok().filter(|_| sent.is_ok()) {
            let _ = self.group.signal(resume, members);
        }
        sent
    }

    fn leave(&mut self, why: &str) {
        log::error!(
            target: &self.entry.task,
            "{}: {why}: it lives on (process group {})",
            words(self.entry),
            self.group.number()
        );
        self.phase = Phase::Left;
        self.watched.clear();
    }
}

/// `run 3 of a host that died`.
fn words(entry: &Leftover) -> String {
    match entry.kind {
        super::Kind::Run => format!("run {} of a host that died", entry.run),
        super::Kind::HealthCheck | super::Kind::Notification => {
            format!("{} of run {} of a host that died", entry.kind.words(), entry.run)
        }
    }
}

/// A century if the sum is past what the clock can say.
fn later(now: Instant, by: Duration) -> Instant {
    now.checked_add(by).unwrap_or(now + Duration::from_secs(100 * 365 * 86_400))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::{Place, Trace};
    use crate::records::Kind;

    /// As /proc shows it (proc_pid_stat(5)).
    fn own_group() -> u32 {
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
        let fields = stat.rsplit_once(')').unwrap().1;
        fields.split_whitespace().nth(2).unwrap().parse().unwrap()
    }

    #[test]
    fn a_host_that_was_started_by_what_is_left_does_not_end_itself() {
        // 0 where the leader of its group is in another namespace: a host's group is then nobody's number.
        let own = own_group();
        let trace =
            Trace { pid: Some(own), born: 0..=u64::MAX, session: Place::session(), mark: b"no=mark".into() };
        let entry = Leftover {
            kind: Kind::Run,
            task: "upgrade".into(),
            run: 1,
            stop_signal: Signal::TERM,
            stop_timeout: Duration::ZERO,
            trace,
            file: 0,
        };
        let leftovers = Leftovers { entries: vec![entry], files: Vec::new() };
        assert_eq!(leftovers.recover(&[], &mut || false), RecoverySummary::default());
    }
}
