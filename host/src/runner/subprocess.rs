//! Runs commands as processes: started, watched and ended on the control thread, which never waits for one.

use super::command::{Begun, Commands, Program, blameless, unable};
use super::keys::Keys;
use super::log_file::LogFile;
use super::output::{OutputPipe, Pumped, Scratch};
use super::pump::{Logs, PumpedStream};
use super::streams::{Planned, Streams};
use super::{CannotForce, Finished, LiveRun, RunSpec, StartError, Started, Tails, TaskRunner, Update};
use crate::launch::Launch;
use crate::process::{self, Answer, Group, Presence, SpawnError, Verdict, Watched};
use crate::records::{About, Kind, Record, Records};
use crate::tail::TailSource;
use bansuri_core::{Exit, RunId, Signal};
use polling::Poller;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Executes [`Action::Shell`](crate::launch::Action::Shell) and [`Action::Exec`](crate::launch::Action::Exec).
///
/// The owner of the poller calls [`SubprocessRunner::on_ready`] for each event of a key at or above the base, and then,
/// when the events of that wake-up are through, [`SubprocessRunner::poll_update`] until it gives `None`. A running task
/// costs a pidfd and one pipe for each stream whose tail is kept; no thread.
///
/// Dropping the runner kills what it runs.
#[derive(Debug)]
pub struct SubprocessRunner {
    poller: Arc<Poller>,
    commands: Commands,
    /// What a key of the poller stands for.
    watches: Keys<Watch>,
    /// The runs whose group is not gone. Their keys are no poller's.
    runs: Keys<Run>,
    /// Runs whose leader has exited and whose group may have others.
    doubtful: Vec<usize>,
    /// Runs that were signalled after their leader had exited, told by their handles.
    signalled: Rc<RefCell<Vec<usize>>>,
    updates: VecDeque<Update>,
    scratch: Scratch,
    logs: Logs,
    records: Records,
}

/// What is readable, and of which run.
#[derive(Clone, Copy, Debug)]
enum Watch {
    Leader { run: usize },
    Output { run: usize, stream: usize },
    Member { run: usize },
    Verdict { run: usize },
}

#[derive(Debug)]
struct Run {
    id: RunId,
    group: Rc<Group>,
    started: Instant,
    /// Standard output and standard error.
    streams: [Capture; 2],
    start: Start,
    phase: Phase,
    record: Record,
}

/// Whether the program of a run is executed.
#[derive(Debug)]
enum Start {
    /// It is, as far as anybody knows.
    Executed,
    /// The helper has not said yet.
    Pending { key: usize, verdict: Watched<Verdict> },
    /// It cannot be; the helper exits.
    Refused(Box<SpawnError>),
}

/// Where what is written to one stream is found.
#[derive(Debug)]
enum Capture {
    None,
    File(Box<LogFile>),
    Pipe {
        key: usize,
        pipe: Box<OutputPipe>,
    },
    /// The writer of logs has the pipe.
    Pumped(PumpedStream),
    /// The pipe had no more writers; this is its end.
    Ended(Vec<u8>),
}

#[derive(Debug)]
enum Phase {
    /// The leader lives.
    Led { key: usize, _pidfd: Watched<Rc<Group>> },
    /// The leader has exited, and whether others are left is not known yet.
    Doubtful { exit: Exit, lived: Duration },
    /// Its end was reported, and these are being waited for, or others if there are none here.
    Remains { members: Vec<(usize, Watched<OwnedFd>)> },
}

impl SubprocessRunner {
    /// Registers with this poller, by keys at or above `base` (which is small). The host's environment is read now.
    pub fn new(poller: Arc<Poller>, base: usize) -> Self {
        Self {
            poller,
            commands: Commands::new(None),
            watches: Keys::new(base),
            runs: Keys::new(0),
            doubtful: Vec::new(),
            signalled: Rc::default(),
            updates: VecDeque::new(),
            scratch: Scratch::default(),
            logs: Logs::default(),
            records: Records::none(),
        }
    }

    /// Has tasks with privileges of their own started by this binary instead of the host's: for a process that is not
    /// the host's binary.
    pub fn with_helper(mut self, binary: PathBuf) -> Self {
        self.commands = Commands::new(Some(binary));
        self
    }

    /// Has these write logs that are rotated or whose lines begin with their time.
    #[must_use]
    pub fn with_logs(mut self, logs: Logs) -> Self {
        self.logs = logs;
        self
    }

    /// Has these remember what is alive, for the host after this one.
    #[must_use]
    pub fn with_records(mut self, records: Records) -> Self {
        self.records = records;
        self
    }

    /// Takes note of an event. Work is bounded, and an event for a key that is no longer in use does nothing.
    pub fn on_ready(&mut self, key: usize) {
        match self.watches.value(key).copied() {
            Some(Watch::Leader { run }) => self.leader_ready(run),
            Some(Watch::Output { run, stream }) => self.output_ready(run, stream),
            Some(Watch::Member { run }) => self.member_ready(run, key),
            Some(Watch::Verdict { run }) => self.verdict_ready(run),
            None => {}
        }
    }

    /// The next thing to be known of a run. `None`: nothing until another event.
    pub fn poll_update(&mut self) -> Option<Update> {
        for key in self.signalled.take() {
            let is_watched =
                |run: &Run| matches!(&run.phase, Phase::Remains { members } if !members.is_empty());
            if self.runs.value(key).is_some_and(is_watched) && !self.doubtful.contains(&key) {
                self.doubtful.push(key);
            }
        }
        if !self.doubtful.is_empty() {
            self.survey();
        }
        self.updates.pop_front()
    }

    /// Runs whose group is not gone.
    pub fn live(&self) -> usize {
        self.runs.len()
    }

    fn verdict_ready(&mut self, key: usize) {
        let Some(Run { start, .. }) = self.runs.value_mut(key) else { return };
        let Start::Pending { key, verdict } = &*start else { return };
        let said = match verdict.source().read() {
            Answer::Pending => return,
            Answer::Executed => Start::Executed,
            Answer::Refused(error) => Start::Refused(Box::new(error)),
        };
        self.watches.remove(*key);
        *start = said;
    }

    fn leader_ready(&mut self, key: usize) {
        let Some(run) = self.runs.value_mut(key) else { return };
        let Some(exit) = run.group.take_exit() else { return };
        let lived = run.started.elapsed();
        self.verdict_ready(key);
        let Some(run) = self.runs.value_mut(key) else { return };
        let exit = match std::mem::replace(&mut run.start, Start::Executed) {
            Start::Executed => exit,
            Start::Pending { key, .. } => {
                self.watches.remove(key);
                exit
            }
            Start::Refused(error) => {
                let SpawnError { reason, code } = *error;
                Exit::NotStarted { reason, code }
            }
        };
        if let Phase::Led { key, .. } = std::mem::replace(&mut run.phase, Phase::Doubtful { exit, lived }) {
            self.watches.remove(key);
        }
        for capture in &mut run.streams {
            match capture {
                Capture::Pipe { pipe, .. } => pipe.drain(&mut self.scratch),
                Capture::Pumped(stream) => stream.read_ahead(),
                Capture::None | Capture::File(_) | Capture::Ended(_) => {}
            }
        }
        self.doubtful.push(key);
    }

    fn output_ready(&mut self, run: usize, stream: usize) {
        let Some(run) = self.runs.value_mut(run) else { return };
        let capture = &mut run.streams[stream];
        let Capture::Pipe { pipe, .. } = capture else { return };
        if pipe.pump(&mut self.scratch) == Pumped::Ended {
            let tail = pipe.take_tail();
            if let Capture::Pipe { key, pipe } = std::mem::replace(capture, Capture::Ended(tail)) {
                pipe.close(&mut self.scratch);
                self.watches.remove(key);
            }
        }
    }

    fn member_ready(&mut self, run: usize, watch: usize) {
        self.watches.remove(watch);
        if let Some(Run { phase: Phase::Remains { members }, .. }) = self.runs.value_mut(run) {
            members.retain(|(key, _)| *key != watch);
            if members.is_empty() {
                self.doubtful.push(run);
            }
        }
    }

    /// Finds out about all groups in doubt at once.
    fn survey(&mut self) {
        let doubtful = std::mem::take(&mut self.doubtful);
        let groups: Vec<(usize, Rc<Group>)> = doubtful
            .into_iter()
            .filter_map(|key| Some((key, Rc::clone(&self.runs.value(key)?.group))))
            .collect();
        let surveyed = process::survey(&groups.iter().map(|(_, group)| &**group).collect::<Vec<_>>());
        for ((key, _), presence) in groups.into_iter().zip(surveyed) {
            let remains = match presence {
                Presence::Gone => None,
                Presence::Members(members) => Some(self.watch_members(key, members)),
            };
            self.settle(key, remains);
        }
    }

    fn watch_members(&mut self, run: usize, members: Vec<OwnedFd>) -> Vec<(usize, Watched<OwnedFd>)> {
        let mut watched = Vec::with_capacity(members.len());
        for member in members {
            let key = self.watches.insert(Watch::Member { run });
            match Watched::new(&self.poller, key, member) {
                Ok(member) => watched.push((key, member)),
                Err(_) => {
                    self.watches.remove(key);
                }
            }
        }
        if watched.is_empty() {
            // The system is out of watches or descriptors: the next wake-up, whatever it is for, tries again.
            self.doubtful.push(run);
        }
        watched
    }

    /// Reports what a survey found: the end of the run if it was not reported, and whether its group is gone.
    fn settle(&mut self, key: usize, remains: Option<Vec<(usize, Watched<OwnedFd>)>>) {
        let Some(run) = self.runs.value_mut(key) else { return };
        let gone = remains.is_none();
        let phase = Phase::Remains { members: remains.unwrap_or_default() };
        match std::mem::replace(&mut run.phase, phase) {
            Phase::Doubtful { exit, lived } => {
                let [stdout, stderr] = run.streams.each_mut().map(Capture::take_stream);
                let tails = Tails { stdout, stderr };
                let finished = Finished { run: run.id, exit, remains: !gone, tails, lived };
                self.updates.push_back(Update::Finished(finished));
            }
            Phase::Remains { members } => {
                for (key, _) in &members {
                    self.watches.remove(*key);
                }
                if gone {
                    self.updates.push_back(Update::Gone(run.id));
                }
            }
            Phase::Led { .. } => unreachable!("a run is in doubt only after its leader has exited"),
        }
        if gone {
            self.forget(key);
        }
    }

    fn forget(&mut self, key: usize) {
        let Some(run) = self.runs.remove(key) else { return };
        run.record.ended();
        for capture in run.streams {
            if let Capture::Pipe { key, pipe } = capture {
                pipe.close(&mut self.scratch);
                self.watches.remove(key);
            }
        }
        if let Start::Pending { key, .. } = run.start {
            self.watches.remove(key);
        }
        let watched = match run.phase {
            Phase::Led { key, .. } => vec![key],
            Phase::Doubtful { .. } => Vec::new(),
            Phase::Remains { members } => members.iter().map(|(key, _)| *key).collect(),
        };
        for key in watched {
            self.watches.remove(key);
        }
    }

    /// Starts a run, or what belongs to one.
    pub(super) fn start_program(
        &mut self,
        run: RunId,
        kind: Kind,
        launch: &Launch,
        program: Program,
    ) -> Result<Started, StartError> {
        let mut environment = self.commands.environment(&program)?;
        let Streams { outputs, captures } = Streams::open(launch, &self.logs).map_err(blameless)?;
        let record = self.records.starting(&About {
            kind,
            task: launch.name.as_str(),
            run: run.number,
            stop_signal: launch.stop_signal,
            stop_timeout: launch.stop_timeout,
        });
        if let Some((name, value)) = record.variable() {
            environment.set(name, value).map_err(blameless)?;
        }
        let started = Instant::now();
        let Begun { group, verdict } = match self.commands.start(launch, program, environment, outputs) {
            Ok(begun) => begun,
            Err(error) => {
                record.ended();
                return Err(error);
            }
        };
        record.started(group.pid());
        let group = Rc::new(group);
        let key = self
            .adopt(run, started, Rc::clone(&group), verdict, captures, record)
            .map_err(|error| unable("watch the process", &error))?;
        let pid = group.pid();
        let signalled = Rc::clone(&self.signalled);
        let poller = Arc::clone(&self.poller);
        let live = LiveGroup { group, stop_signal: launch.stop_signal, key, signalled, poller };
        Ok(Started { live: Box::new(live), pid: Some(pid) })
    }

    /// Puts a process that was started under watch.
    fn adopt(
        &mut self,
        id: RunId,
        started: Instant,
        group: Rc<Group>,
        verdict: Option<Verdict>,
        plan: [Planned; 2],
        record: Record,
    ) -> io::Result<usize> {
        // The place is taken first, so that watches can name their run.
        let key = self.runs.insert(Run {
            id,
            group: Rc::clone(&group),
            started,
            streams: [Capture::None, Capture::None],
            start: Start::Executed,
            phase: Phase::Remains { members: Vec::new() },
            record,
        });
        self.watch(key, group, verdict, plan).inspect_err(|_| self.forget(key))?;
        Ok(key)
    }

    fn watch(
        &mut self,
        run: usize,
        group: Rc<Group>,
        verdict: Option<Verdict>,
        plan: [Planned; 2],
    ) -> io::Result<()> {
        let leader = self.watches.insert(Watch::Leader { run });
        let pidfd = Watched::new(&self.poller, leader, group).inspect_err(|_| {
            self.watches.remove(leader);
        })?;
        let entry = self.runs.value_mut(run).expect("the run was put there by the caller");
        entry.phase = Phase::Led { key: leader, _pidfd: pidfd };
        if let Some(verdict) = verdict {
            let key = self.watches.insert(Watch::Verdict { run });
            let verdict = Watched::new(&self.poller, key, verdict).inspect_err(|_| {
                self.watches.remove(key);
            })?;
            entry.start = Start::Pending { key, verdict };
        }
        for (stream, planned) in plan.into_iter().enumerate() {
            entry.streams[stream] = match planned {
                Planned::None => Capture::None,
                Planned::File(file) => Capture::File(Box::new(file)),
                Planned::Pumped(stream) => Capture::Pumped(stream),
                Planned::Pipe(pipe) => {
                    let key = self.watches.insert(Watch::Output { run, stream });
                    let pipe = Watched::new(&self.poller, key, pipe).inspect_err(|_| {
                        self.watches.remove(key);
                    })?;
                    Capture::Pipe { key, pipe: Box::new(OutputPipe::new(pipe)) }
                }
            };
        }
        Ok(())
    }
}

impl Drop for SubprocessRunner {
    fn drop(&mut self) {
        for run in self.runs.values() {
            // Who may not be killed outlives the host.
            let _ = run.group.kill();
        }
    }
}

impl TaskRunner for SubprocessRunner {
    fn start(&mut self, run: RunSpec) -> Result<Started, StartError> {
        let program = Program::of_command(&run.launch, run.run, Some(run.attempt))?;
        self.start_program(run.run, Kind::Run, &run.launch, program)
    }
}

impl Capture {
    /// What is to be reported; a pipe stays, and what comes through it is thrown away.
    fn take_stream(&mut self) -> TailSource {
        match self {
            Capture::None => TailSource::None,
            Capture::Pipe { pipe, .. } => TailSource::Bytes(pipe.take_tail()),
            Capture::Pumped(stream) => TailSource::Bytes(stream.take_tail()),
            Capture::Ended(tail) => TailSource::Bytes(std::mem::take(tail)),
            Capture::File(_) => match std::mem::replace(self, Capture::None) {
                Capture::File(file) => file.end(),
                Capture::None | Capture::Pipe { .. } | Capture::Pumped(_) | Capture::Ended(_) => {
                    TailSource::None
                }
            },
        }
    }
}

/// The driver's handle of a run. It may be dropped at any time: the runner keeps what it needs.
struct LiveGroup {
    group: Rc<Group>,
    stop_signal: Signal,
    key: usize,
    signalled: Rc<RefCell<Vec<usize>>>,
    poller: Arc<Poller>,
}

impl LiveGroup {
    /// Has the runner look again who is left: a member may have left the group, and there is no event for that.
    fn look_again(&self) {
        if self.group.leader_exited() {
            self.signalled.borrow_mut().push(self.key);
            // A wake-up that fails leaves the look to the next one.
            let _ = self.poller.notify();
        }
    }
}

impl LiveRun for LiveGroup {
    fn request_stop(&self) {
        // Who may not be signalled will be seen to live on, and force_stop says so.
        let _ = self.group.signal(self.stop_signal);
        // A process that is stopped could not react.
        if let Some(resume) = Signal::from_number(libc::SIGCONT) {
            let _ = self.group.signal(resume);
        }
        self.look_again();
    }

    fn force_stop(&self) -> Result<(), CannotForce> {
        let killed = self.group.kill();
        self.look_again();
        killed.map_err(|process::NotPermitted| CannotForce)
    }
}
