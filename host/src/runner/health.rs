//! Health checks of live runs: when is the core's to say; here each is one short command.

use super::command::Program;
use super::{Finished, LiveRun, StartError, Started, SubprocessRunner, Tails, Update};
use crate::launch::{ErrorSink, HealthCommand, Launch, Sink};
use crate::process::{Watched, describe, retrying};
use crate::records::{Kind, Records};
use crate::tail::TailSource;
use bansuri_core::{Exit, RunId};
use polling::Poller;
use rustix::io::Errno;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// So much of the last line of a check goes into the problem, in characters.
const LONGEST_LINE: usize = 200;

/// Runs the health checks of live runs as processes: with the task's user, environment and working directory, each in a
/// group of its own. Lives on the control thread and never blocks it.
///
/// Events of its keys go to [`HealthChecker::on_ready`]; then [`HealthChecker::poll_update`] is asked until it gives
/// `None`. It keeps its time limits by a timer of its own in the poller. Dropping it kills what it runs.
pub struct HealthChecker {
    runner: SubprocessRunner,
    poller: Arc<Poller>,
    /// Made for the first check.
    timer: Option<Watched<OwnedFd>>,
    timer_key: usize,
    checks: HashMap<RunId, Check>,
    updates: VecDeque<HealthUpdate>,
}

/// The end of a check.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HealthUpdate {
    /// Whose health was checked.
    pub run: RunId,
    /// `None`: healthy. Otherwise why not, as a lowercase fragment.
    pub problem: Option<String>,
}

/// A check whose group is not gone.
struct Check {
    live: Box<dyn LiveRun>,
    limit: Duration,
    /// `None`: it was answered, or nobody wants to know any more.
    deadline: Option<Instant>,
}

impl HealthChecker {
    /// Registers with this poller by keys that a [`SubprocessRunner`] with a base far below `base` never uses: where
    /// both are in one poller, every event may be handed to both.
    pub fn new(poller: Arc<Poller>, base: usize) -> Self {
        let runner = SubprocessRunner::new(Arc::clone(&poller), base + 1);
        let (checks, updates) = (HashMap::new(), VecDeque::new());
        Self { runner, poller, timer: None, timer_key: base, checks, updates }
    }

    /// Has its checks remembered while they live, for the host after this one.
    #[must_use]
    pub fn with_records(mut self, records: Records) -> Self {
        self.runner = self.runner.with_records(records);
        self
    }

    /// As [`SubprocessRunner::with_helper`].
    pub fn with_helper(mut self, binary: PathBuf) -> Self {
        self.runner = self.runner.with_helper(binary);
        self
    }

    /// Starts the check of a run; exactly one [`HealthUpdate`] follows iff this is Ok and the check is not cancelled.
    ///
    /// # Errors
    /// A lowercase fragment: the check cannot be started. It counts as a problem.
    pub fn start(&mut self, run: RunId, launch: &Launch) -> Result<(), String> {
        let Some(health) = &launch.health else { return Err("the task has no health check".into()) };
        if self.checks.contains_key(&run) {
            return Err("the last check is not gone yet".into());
        }
        let no_timer = |error: io::Error| format!("its limit cannot be watched: {}", describe(&error));
        self.ensure_timer().map_err(no_timer)?;
        let launch = command(launch, health);
        let started = Program::of_command(&launch, run, None)
            .and_then(|program| self.runner.start_program(run, Kind::HealthCheck, &launch, program));
        let Started { live, .. } = started.map_err(|StartError { reason, .. }| reason)?;
        let limit = health.timeout;
        // A limit beyond all time is none.
        let deadline = Instant::now().checked_add(limit);
        self.checks.insert(run, Check { live, limit, deadline });
        self.set_timer();
        Ok(())
    }

    /// Nobody wants to know any more: kills the check of this run, if there is one.
    pub fn cancel(&mut self, run: RunId) {
        if let Some(check) = self.checks.get_mut(&run) {
            check.deadline = None;
            kill(&*check.live);
        }
        self.updates.retain(|update| update.run != run);
    }

    /// Cancels every check: the host ends.
    pub fn cancel_all(&mut self) {
        for check in self.checks.values_mut() {
            check.deadline = None;
            kill(&*check.live);
        }
        self.updates.clear();
    }

    /// Whether no process of any check is left.
    pub fn all_gone(&self) -> bool {
        self.checks.is_empty()
    }

    /// Takes note of an event. One for a key that is not its own does nothing.
    pub fn on_ready(&mut self, key: usize) {
        if key != self.timer_key {
            self.runner.on_ready(key);
            return;
        }
        if let Some(timer) = &self.timer {
            // How often it went off; what is overdue is looked for below.
            let _ = rustix::io::read(timer.source(), &mut [0; 8]);
        }
        let now = Instant::now();
        for (run, check) in &mut self.checks {
            if check.deadline.is_some_and(|deadline| deadline <= now) {
                check.deadline = None;
                kill(&*check.live);
                let problem = Some(format!("took longer than {:?}", check.limit));
                self.updates.push_back(HealthUpdate { run: *run, problem });
            }
        }
        self.set_timer();
    }

    /// The next answer. `None`: nothing until another event.
    pub fn poll_update(&mut self) -> Option<HealthUpdate> {
        while let Some(update) = self.runner.poll_update() {
            match update {
                Update::Finished(finished) => self.finished(finished),
                Update::Gone(run) => {
                    self.checks.remove(&run);
                }
            }
        }
        self.updates.pop_front()
    }

    fn finished(&mut self, finished: Finished) {
        let Finished { run, exit, remains, tails, .. } = finished;
        let Some(check) = self.checks.get_mut(&run) else { return };
        let wanted = check.deadline.take().is_some();
        if remains {
            // What it leaves behind is of no use to anybody.
            kill(&*check.live);
        } else {
            self.checks.remove(&run);
        }
        if wanted {
            self.updates.push_back(HealthUpdate { run, problem: problem(&exit, &tails) });
        }
    }

    fn ensure_timer(&mut self) -> io::Result<()> {
        if self.timer.is_none() {
            let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
            let timer = retrying(|| Ok(timerfd_create(TimerfdClockId::Monotonic, flags)?))?;
            self.timer = Some(Watched::new(&self.poller, self.timer_key, timer)?);
        }
        Ok(())
    }

    /// Sets the timer to the first deadline. One that has become too early costs one wake-up, no more.
    fn set_timer(&self) {
        let Some(timer) = &self.timer else { return };
        let first = self.checks.values().filter_map(|check| check.deadline).min();
        let left = first.map(|first| first.saturating_duration_since(Instant::now()));
        // All zero switches the timer off: what is due now is due in a nanosecond.
        let left = left.map_or(Duration::ZERO, |left| left.max(Duration::from_nanos(1)));
        let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
        let it_value = Timespec::try_from(left).unwrap_or(Timespec { tv_sec: i64::MAX, tv_nsec: 0 });
        let setting = Itimerspec { it_interval: zero, it_value };
        let set: Result<_, Errno> =
            timerfd_settime(timer.source(), TimerfdTimerFlags::empty(), &setting).map(drop);
        set.expect("a timer takes any time that is not negative");
    }
}

/// What is run for a check: as the task is run, but for the command and what becomes of its output.
fn command(launch: &Launch, health: &HealthCommand) -> Launch {
    Launch {
        environment: launch.environment.clone(),
        environment_file: launch.environment_file.clone(),
        privileges: launch.privileges.clone(),
        stdout: Sink::Tail,
        stderr: ErrorSink::Separate(Sink::Tail),
        ..Launch::new(launch.name.clone(), health.action.clone(), launch.working_directory.to_path_buf())
    }
}

fn kill(live: &dyn LiveRun) {
    // Who may not be killed is waited for.
    let _ = live.force_stop();
}

/// Why an exit means that the run is not healthy; with the last thing the check said.
fn problem(exit: &Exit, tails: &Tails) -> Option<String> {
    let what = match exit {
        Exit::Code(0) => return None,
        Exit::Code(code) => format!("exit code {code}"),
        Exit::Signal(signal) => format!("killed by {signal}"),
        Exit::NotStarted { reason, .. } => return Some(reason.clone()),
        Exit::Error(text) | Exit::Panic(text) => text.clone(),
    };
    let said = last_line(&tails.stderr).or_else(|| last_line(&tails.stdout));
    Some(said.map_or_else(|| what.clone(), |line| format!("{what}: {line}")))
}

/// The last line that is not blank, without control characters.
fn last_line(stream: &TailSource) -> Option<String> {
    let TailSource::Bytes(bytes) = stream else { return None };
    let text = String::from_utf8_lossy(bytes);
    let line = text.lines().map(str::trim).rfind(|line| !line.is_empty())?;
    Some(line.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_LINE).collect())
}
