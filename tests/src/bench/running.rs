//! A supervisor that runs, and its end, whatever becomes of the measurement.

use super::clock;
use super::lab::Lab;
use super::observe::{self, Work};
use super::stamps::Stamps;
use super::supervisor::{Supervisor, Tasks};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// How long a supervisor may take for anything.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// The environment variable by which everything that was started is found again.
const MARK: &str = "BANSURI_BENCH";

/// A supervisor with its tasks. When it is dropped, both are killed.
pub(super) struct Running {
    /// What its tasks wrote down.
    pub(super) stamps: Stamps,
    /// When it was started, by [`clock::now`].
    pub(super) started: u64,
    /// The process that was started, with its standard output where that was piped.
    pub(super) child: Child,
    main: u32,
    helpers: &'static [&'static str],
    stop_signal: Signal,
    folder: TempDir,
    _memory: TempDir,
}

impl Running {
    /// Starts a supervisor with these tasks.
    pub(super) fn start(lab: &Lab, supervisor: &dyn Supervisor, tasks: &Tasks) -> io::Result<Self> {
        Self::start_with(lab, supervisor, |folder, stamps| {
            supervisor.prepare(lab, folder, &tasks.each(lab, stamps))
        })
    }

    /// Starts a supervisor with a command that is made for its folder and the file for the times.
    pub(super) fn start_with(
        lab: &Lab,
        supervisor: &dyn Supervisor,
        prepare: impl FnOnce(&Path, &Path) -> io::Result<Command>,
    ) -> io::Result<Self> {
        let (folder, memory) = (lab.place()?, lab.memory()?);
        let stamps = Stamps::new(memory.path().join("stamps"))?;
        let mut command = prepare(folder.path(), stamps.path())?;
        command.stdin(Stdio::null()).current_dir(folder.path()).env(MARK, folder.path());
        command.stderr(File::create(folder.path().join("stderr"))?);
        let started = clock::now();
        let child = command.spawn().map_err(|error| {
            io::Error::new(error.kind(), format!("{}: {error}", command.get_program().to_string_lossy()))
        })?;
        let mut running = Self {
            stamps,
            started,
            main: child.id(),
            child,
            helpers: supervisor.helpers(),
            stop_signal: supervisor.stop_signal(),
            folder,
            _memory: memory,
        };
        if let Some(file) = supervisor.pid_file(running.folder.path()) {
            running.main = pid_in(&file)?;
        }
        Ok(running)
    }

    /// Its processes: its own, and those it has for its tasks.
    pub(super) fn processes(&self) -> Vec<u32> {
        let mut all = vec![self.main];
        if !self.helpers.is_empty() {
            all.extend(observe::children(self.main, self.helpers));
        }
        all
    }

    /// What they have done so far.
    pub(super) fn work(&self) -> Work {
        observe::work(&self.processes())
    }

    /// Waits until it has nothing more to do, or for five seconds: some always have.
    pub(super) fn settle(&self) {
        let step = Duration::from_millis(200);
        let mut last = self.work().busy;
        for _ in 0..25 {
            std::thread::sleep(step);
            let now = self.work().busy;
            if now == last {
                return;
            }
            last = now;
        }
    }

    /// Stops it: how long it takes until it and all of its tasks are gone, in nanoseconds.
    pub(super) fn stop(mut self) -> io::Result<u64> {
        let tasks = self.stamps.all()?;
        let started = clock::now();
        signal(self.main, self.stop_signal);
        for process in [self.main].into_iter().chain(tasks.iter().filter(|task| task.end == 0).map(|t| t.pid))
        {
            if !observe::ended(process, PATIENCE)? {
                return Err(io::Error::other(format!("not stopped in {PATIENCE:?}")));
            }
        }
        let took = clock::now() - started;
        // Its number may be another's now; that of the child is kept for it until it is waited for.
        self.main = self.child.id();
        Ok(took)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // First the supervisor, so that it starts nothing more, then what it left.
        signal(self.main, Signal::KILL);
        let _ = self.child.kill();
        let _ = self.child.wait();
        let mark = self.folder.path();
        clock::wait(PATIENCE, || {
            let left = observe::marked_with(mark);
            left.iter().for_each(|process| signal(*process, Signal::KILL));
            left.is_empty()
        });
    }
}

fn signal(process: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(process).ok().and_then(Pid::from_raw) {
        // One that is gone needs none.
        let _ = kill_process(pid, signal);
    }
}

fn pid_in(file: &Path) -> io::Result<u32> {
    let read = || std::fs::read_to_string(file).ok()?.trim().parse().ok();
    let mut found = None;
    clock::wait(PATIENCE, || {
        found = read();
        found.is_some()
    });
    found.ok_or_else(|| io::Error::other(format!("no process number in {}", file.display())))
}
