//! A subprocess runner with a loop around it, as the driver has one.
#![allow(dead_code, reason = "each test crate uses a part")]

use bansuri::launch::{Action, Launch, Words};
use bansuri::runner::{Finished, LiveRun, RunSpec, StartError, SubprocessRunner, TaskRunner, Update};
use bansuri::tail::TailSource;
use bansuri_core::{RunId, TaskId, TaskName};
use polling::{Events, Poller};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Far more than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Bench {
    pub(crate) poller: Arc<Poller>,
    pub(crate) runner: SubprocessRunner,
    events: Events,
    runs: u64,
}

pub(crate) struct Alive {
    pub(crate) id: RunId,
    pub(crate) pid: u32,
    pub(crate) live: Box<dyn LiveRun>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let poller = Arc::new(Poller::new().unwrap());
        let runner =
            SubprocessRunner::new(Arc::clone(&poller), 100).with_helper(env!("CARGO_BIN_EXE_bansuri").into());
        Self { poller, runner, events: Events::new(), runs: 0 }
    }

    pub(crate) fn try_start(&mut self, launch: Launch) -> Result<Alive, StartError> {
        self.runs += 1;
        let id = RunId { task: TaskId::new(0), number: self.runs };
        let started = self.runner.start(RunSpec { run: id, attempt: 2, launch: Arc::new(launch) })?;
        Ok(Alive { id, pid: started.pid.expect("a process"), live: started.live })
    }

    pub(crate) fn start(&mut self, launch: Launch) -> Alive {
        self.try_start(launch).unwrap()
    }

    /// What happens within the time given, if anything does.
    pub(crate) fn update_within(&mut self, limit: Duration) -> Option<Update> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(update) = self.runner.poll_update() {
                return Some(update);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            self.events.clear();
            self.poller.wait(&mut self.events, Some(left)).unwrap();
            for event in self.events.iter() {
                self.runner.on_ready(event.key);
            }
        }
    }

    pub(crate) fn update(&mut self) -> Update {
        self.update_within(PATIENCE).expect("something happens")
    }

    pub(crate) fn finished(&mut self) -> Finished {
        match self.update() {
            Update::Finished(finished) => finished,
            Update::Gone(run) => panic!("{run:?} is gone without its end"),
        }
    }

    pub(crate) fn gone(&mut self) -> RunId {
        match self.update() {
            Update::Gone(run) => run,
            Update::Finished(finished) => panic!("another end: {finished:?}"),
        }
    }

    /// Runs to the end, the group's too.
    pub(crate) fn run(&mut self, launch: Launch) -> Finished {
        let alive = self.start(launch);
        let finished = self.finished();
        assert_eq!(finished.run, alive.id);
        if finished.remains {
            assert_eq!(self.gone(), alive.id);
        }
        finished
    }

    /// What it prints.
    pub(crate) fn output(&mut self, launch: Launch) -> String {
        text(&self.run(launch).tails.stdout)
    }
}

/// A task that keeps the tail of both streams in one.
pub(crate) fn launch(action: Action) -> Launch {
    Launch::new(TaskName::new("task").unwrap(), action, PathBuf::from("/"))
}

pub(crate) fn shell(line: &str) -> Launch {
    launch(Action::Shell(line.into()))
}

pub(crate) fn exec(words: &[&str]) -> Launch {
    launch(Action::Exec(Words::new(words).expect("they are words")))
}

pub(crate) fn bytes(stream: &TailSource) -> &[u8] {
    match stream {
        TailSource::Bytes(bytes) => bytes,
        other => panic!("no bytes: {other:?}"),
    }
}

pub(crate) fn text(stream: &TailSource) -> String {
    String::from_utf8(bytes(stream).to_vec()).unwrap()
}

/// What the run wrote to its file.
pub(crate) fn file_text(stream: &TailSource) -> String {
    match stream {
        TailSource::File { path, start, end, .. } => {
            let all = std::fs::read(path).unwrap();
            String::from_utf8(all[*start as usize..*end as usize].to_vec()).unwrap()
        }
        other => panic!("no file: {other:?}"),
    }
}

/// Whether a process of this number is there and is no zombie.
pub(crate) fn lives(pid: u32) -> bool {
    state(pid).is_some_and(|state| state != 'Z' && state != 'X')
}

/// The letter of its state in /proc.
pub(crate) fn state(pid: u32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.trim_start().chars().next()
}

/// Children of this process, zombies included.
pub(crate) fn children() -> Vec<u32> {
    let mut found = Vec::new();
    for thread in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        let listed = std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        found.extend(listed.split_whitespace().map(|pid| pid.parse::<u32>().unwrap()));
    }
    found
}
