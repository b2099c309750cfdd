//! The control thread: sole owner of the core, the poller and the deadlines. It sleeps until the next deadline or
//! message, hands what happened to the core, and does what the core says.

mod notices;
mod reload;
mod report;

pub use reload::Load;

use crate::clock::Clock;
use crate::clock_watch::ClockWatch;
use crate::config::{ConfigWatch, Configuration};
use crate::events::{EventStream, HostEvent};
use crate::exit_code;
use crate::launch::{Action, Isolation, Launch};
use crate::plugin::Registry;
use crate::process;
use crate::records::Records;
use crate::runner::{
    HealthChecker, HealthUpdate, IsolatedRunner, LiveRun, Logs, PluginRunner, RunSpec, SubprocessRunner,
    TaskRunner, Update,
};
use crate::signals::{HostSignal, Signals};
use crate::ticks::LastTicks;
use bansuri_core::{Effect, Exit, Input, Mono, Orchestrator, RunId, TaskId, Verdict};
use crossbeam::channel::{Receiver, bounded};
use notices::Notices;
use polling::{Events, Poller};
use reload::Reloader;
use report::Reporter;
use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// The first of the keys under which whoever registers signals has their events reported.
pub const SIGNAL_KEYS: usize = 0;
const CLOCK_KEY: usize = SIGNAL_KEYS + Signals::KEYS;
/// The key under which whoever arms the watch of the configuration file has its events reported.
pub const WATCH_KEY: usize = CLOCK_KEY + 1;
const SUBPROCESS_KEYS: usize = WATCH_KEY + 1;
/// Beyond every place that a process has in this poller.
const ISOLATED_KEYS: usize = 1 << (usize::BITS / 2 - 2);
const HEALTH_KEYS: usize = 1 << (usize::BITS / 2 - 1);

/// How many runs are started before the poller is asked again: tasks that restart without a delay must not keep
/// signals and exits waiting.
const STARTS_AT_ONCE: usize = 64;

/// How long queued notifications may take, all together, once every run has ended.
const NOTIFICATION_LIMIT: Duration = Duration::from_secs(30);

/// How long killed runs may take to be gone after a second SIGINT; only the kernel can hold them longer.
const KILL_LIMIT: Duration = Duration::from_secs(5);

/// How many reports of plugin threads may wait for the control thread, which takes them all whenever it wakes.
const UPDATES: usize = 128;

/// What a host is started with.
pub struct Settings {
    /// End when nothing will ever run again.
    pub exit_when_done: bool,
    /// For whatever is random.
    pub seed: u64,
    /// The host's clocks.
    pub clock: Clock,
    /// Where sources are watched; the signals and the watch of the configuration file are among them already.
    pub poller: Arc<Poller>,
    /// The signals that the host acts upon.
    pub signals: Signals,
    /// Those that have arrived before now.
    pub heard: Vec<HostSignal>,
    /// Tells when the configuration file has changed; `None`: it is read again on SIGHUP only.
    pub watch: Option<ConfigWatch>,
    /// Reads the configuration again.
    pub load: Load,
    /// The ticks that earlier hosts took of tasks that catch up.
    pub ticks: LastTicks,
    /// Where what is alive is remembered.
    pub records: Records,
}

/// A host at work. Made and used on the control thread.
pub struct Driver {
    core: Orchestrator,
    clock: Clock,
    poller: Arc<Poller>,
    signals: Signals,
    /// Signals that arrived before the host ran.
    heard: Vec<HostSignal>,
    clock_watch: ClockWatch,
    watch: Option<ConfigWatch>,
    subprocess: SubprocessRunner,
    plugin: PluginRunner,
    isolated: IsolatedRunner,
    health: HealthChecker,
    updates: Receiver<Update>,
    registry: Arc<Registry>,
    configuration: Configuration,
    reloader: Reloader,
    ticks: LastTicks,
    /// By the tasks' places; `None`: nobody is there.
    launches: Vec<Option<Arc<Launch>>>,
    live: HashMap<RunId, Box<dyn LiveRun>>,
    notices: Notices,
    reporter: Reporter,
    exit_when_done: bool,
    interrupts: u32,
    phase: Phase,
    /// A configuration was taken over, and what that took besides what is kept is still the process's.
    is_untidy: bool,
}

/// How far the host is on its way from start to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// Tasks run.
    Running,
    /// Everything is being stopped.
    Stopping { code: i32 },
    /// Everything is being killed.
    Killing { until: Mono },
    /// All runs have ended; queued notifications are sent.
    Notifying { code: i32, until: Mono },
    /// Notifications were given up; what they started is going.
    Abandoning { code: i32, until: Mono },
    /// Nothing is left to do.
    Ended { code: i32 },
}

impl Driver {
    /// Sets everything up; nothing runs yet.
    pub fn new(
        configuration: Configuration,
        registry: &Arc<Registry>,
        events: EventStream,
        settings: Settings,
    ) -> io::Result<Self> {
        let Settings { exit_when_done, seed, clock, poller, signals, heard, watch, load, ticks, records } =
            settings;
        let clock_watch = ClockWatch::arm(&clock, &poller, CLOCK_KEY)?;
        let (sender, updates) = bounded(UPDATES);
        let waker: Arc<dyn Fn() + Send + Sync> = {
            let poller = Arc::clone(&poller);
            Arc::new(move || {
                // It fails only when the poller is gone, and with it whoever waits.
                let _ = poller.notify();
            })
        };
        let logs = Logs::default();
        let (wake_of_notices, wake_of_libraries) = (Arc::clone(&waker), Arc::clone(&waker));
        let mut driver = Self {
            core: Orchestrator::new(configuration.plan.clone(), seed),
            signals,
            heard,
            clock_watch,
            watch,
            subprocess: SubprocessRunner::new(Arc::clone(&poller), SUBPROCESS_KEYS)
                .with_logs(logs.clone())
                .with_records(records.clone()),
            plugin: PluginRunner::new(Arc::clone(registry), sender, Arc::clone(&waker))
                .with_logs(logs.clone()),
            isolated: IsolatedRunner::new(Arc::clone(registry), Arc::clone(&poller), ISOLATED_KEYS)
                .with_logs(logs)
                .with_records(records.clone()),
            health: HealthChecker::new(Arc::clone(&poller), HEALTH_KEYS).with_records(records.clone()),
            updates,
            reloader: Reloader::new(load, waker),
            ticks,
            launches: Vec::new(),
            live: HashMap::new(),
            notices: Notices::new(registry, records, move || wake_of_notices()),
            reporter: Reporter::new(events),
            registry: Arc::clone(registry),
            configuration,
            clock,
            poller,
            exit_when_done,
            interrupts: 0,
            phase: Phase::Running,
            is_untidy: true,
        };
        driver.reporter.libraries(registry);
        registry.wake_with(wake_of_libraries);
        driver.reporter.emit(&HostEvent::ConfigLoaded {
            file: &driver.configuration.file.to_string_lossy(),
            tasks: driver.configuration.launches.len(),
        });
        driver.assign();
        Ok(driver)
    }

    /// Runs the tasks until the host is to end. Returns the exit code.
    pub fn run(mut self) -> i32 {
        self.recall_ticks();
        self.input(Input::Begin);
        for signal in std::mem::take(&mut self.heard) {
            self.signal(signal);
        }
        let mut events = Events::new();
        let code = loop {
            let more = self.dispatch();
            if !more && self.advance() {
                continue;
            }
            if let Phase::Ended { code } = self.phase {
                break code;
            }
            if !more && std::mem::take(&mut self.is_untidy) {
                process::give_memory_back();
            }
            let timeout = if more { Some(Duration::ZERO) } else { self.timeout() };
            events.clear();
            if let Err(error) = self.poller.wait(&mut events, timeout)
                && error.kind() != io::ErrorKind::Interrupted
            {
                log::error!(target: "bansuri", "poller: {error}: every run is killed");
                self.input(Input::Kill);
                self.dispatch();
                break exit_code::FAILED;
            }
            self.collect(&events);
        };
        self.reporter.close(&HostEvent::HostStopped { exit_code: code });
        code
    }

    fn input(&mut self, input: Input) {
        self.core.handle(input, self.clock.now());
    }

    /// Does what the core wants done. True if it stopped before everything was.
    fn dispatch(&mut self) -> bool {
        let mut starts = 0;
        while starts < STARTS_AT_ONCE {
            let Some(effect) = self.core.poll_effect() else {
                // What a notice needs of a run has been taken by now.
                self.notices.forget_tails();
                return false;
            };
            match effect {
                Effect::Start { run, attempt } => {
                    starts += 1;
                    self.start(run, attempt);
                }
                Effect::RequestStop { run } => {
                    if let Some(live) = self.live.get(&run) {
                        live.request_stop();
                    }
                }
                Effect::ForceStop { run } => {
                    if self.live.get(&run).is_some_and(|live| live.force_stop().is_err()) {
                        self.input(Input::CannotForce { run });
                    }
                }
                Effect::CheckHealth { run } => self.check_health(run),
                Effect::RememberTick { task, tick } => {
                    self.ticks.remember(self.launch(task).name.as_str(), tick);
                }
                Effect::Removed { task } => {
                    self.notices.drop_held(task);
                    self.launches[task.index()] = None;
                }
                Effect::Notify(notice) => {
                    let launch = self.launch(notice.run.task);
                    self.notices.send(&launch, notice, self.clock.now().wall);
                }
                Effect::SendHeld { task } => self.notices.send_held(task),
                Effect::DropHeld { task } => self.notices.drop_held(task),
                Effect::Event(event) => self.reporter.report(&event),
                Effect::Refused { task, command, reason } => self.reporter.refused(task, command, &reason),
            }
        }
        true
    }

    fn start(&mut self, run: RunId, attempt: u32) {
        let launch = self.launch(run.task);
        let runner: &mut dyn TaskRunner = match &launch.action {
            Action::Shell(_) | Action::Exec(_) => &mut self.subprocess,
            Action::Plugin(plugin) => match plugin.isolation {
                Isolation::Process => &mut self.isolated,
                Isolation::Thread if self.registry.must_isolate(&plugin.library).is_some() => {
                    &mut self.isolated
                }
                Isolation::Thread => &mut self.plugin,
            },
        };
        match runner.start(RunSpec { run, attempt, launch }) {
            Ok(started) => {
                self.live.insert(run, started.live);
                self.input(Input::Started { run, pid: started.pid });
            }
            Err(error) => {
                let exit = Exit::NotStarted { reason: error.reason, code: error.code };
                self.input(Input::NotStarted { run, exit });
            }
        }
    }

    fn check_health(&mut self, run: RunId) {
        let launch = self.launch(run.task);
        if let Err(problem) = self.health.start(run, &launch) {
            self.input(Input::HealthChecked { run, problem: Some(problem) });
        }
    }

    /// How a task that the core speaks of is run.
    fn launch(&self, task: TaskId) -> Arc<Launch> {
        let launch = self.launches.get(task.index()).and_then(Option::as_ref);
        Arc::clone(launch.expect("the core speaks of no task after it has said that it is removed"))
    }

    /// How long the poller may sleep; `None`: until something happens.
    fn timeout(&self) -> Option<Duration> {
        let own = match self.phase {
            Phase::Killing { until } | Phase::Notifying { until, .. } | Phase::Abandoning { until, .. } => {
                Some(until)
            }
            Phase::Running | Phase::Stopping { .. } | Phase::Ended { .. } => None,
        };
        let watch = self.watch.as_ref().and_then(ConfigWatch::deadline).map(|at| self.clock.mono_at(at));
        let deadline = [own, self.core.next_deadline(), watch].into_iter().flatten().min()?;
        Some(self.clock.until(deadline))
    }

    /// Hands everything that has happened to the core.
    fn collect(&mut self, events: &Events) {
        for event in events.iter() {
            match event.key {
                CLOCK_KEY => {
                    if self.clock_watch.on_ready() {
                        log::info!(target: "bansuri", "the system clock was set: next runs are computed afresh");
                        self.input(Input::ClockChanged);
                    }
                }
                WATCH_KEY => self.watch_ready(),
                key if key < CLOCK_KEY => {
                    for signal in self.signals.on_ready(key) {
                        self.signal(signal);
                    }
                }
                key => {
                    // Each knows its own keys.
                    self.subprocess.on_ready(key);
                    self.isolated.on_ready(key);
                    self.health.on_ready(key);
                }
            }
        }
        if self.watch.as_mut().is_some_and(ConfigWatch::take_change) {
            self.request_reload("the configuration file has changed");
        }
        if let Some(report) = self.reloader.poll() {
            self.reloaded(report);
        }
        self.reporter.libraries(&self.registry);
        while let Some(update) = self.subprocess.poll_update() {
            self.update(update);
        }
        while let Some(update) = self.isolated.poll_update() {
            self.update(update);
        }
        while let Ok(update) = self.updates.try_recv() {
            self.update(update);
        }
        // After the ends of runs: the health of one that has ended is of no interest.
        while let Some(HealthUpdate { run, problem }) = self.health.poll_update() {
            self.input(Input::HealthChecked { run, problem });
        }
        self.notices.collect(&mut self.reporter);
        if self.core.next_deadline().is_some_and(|deadline| deadline <= self.clock.now().mono) {
            self.input(Input::Tick);
        }
    }

    fn update(&mut self, update: Update) {
        match update {
            Update::Finished(finished) => {
                let run = finished.run;
                self.health.cancel(run);
                if !finished.remains {
                    self.live.remove(&run);
                }
                if self.launch(run.task).notify.is_some() {
                    self.notices.keep_tails(run, finished.tails);
                }
                self.input(Input::Finished { run, exit: finished.exit, remains: finished.remains });
            }
            Update::Gone(run) => {
                self.live.remove(&run);
                self.input(Input::Gone { run });
            }
        }
    }

    fn signal(&mut self, signal: HostSignal) {
        match signal {
            HostSignal::Terminate => self.stop("SIGTERM"),
            HostSignal::Interrupt => {
                self.interrupts += 1;
                if self.interrupts == 1 {
                    self.stop("SIGINT");
                } else {
                    self.kill();
                }
            }
            HostSignal::Hangup => self.request_reload("SIGHUP"),
        }
    }

    fn stop(&mut self, why: &str) {
        if self.phase == Phase::Running {
            log::info!(target: "bansuri", "{why}: every task is stopped");
            self.enter_stopping(exit_code::FINE);
        }
    }

    fn enter_stopping(&mut self, code: i32) {
        self.phase = Phase::Stopping { code };
        self.input(Input::Shutdown);
    }

    fn kill(&mut self) {
        log::warn!(target: "bansuri", "second SIGINT: every run is killed");
        self.phase = Phase::Killing { until: self.clock.now().mono + KILL_LIMIT };
        self.notices.abandon();
        self.health.cancel_all();
        self.input(Input::Shutdown);
        self.input(Input::Kill);
    }

    /// Goes on to the next phase once this one is over. True if it did.
    fn advance(&mut self) -> bool {
        let now = self.clock.now().mono;
        match self.phase {
            Phase::Running => {
                let Some(verdict) = self.core.verdict().filter(|_| self.exit_when_done) else { return false };
                self.enter_stopping(match verdict {
                    Verdict::AllCompleted => exit_code::FINE,
                    Verdict::SomeFailed => exit_code::FAILED,
                });
                true
            }
            Phase::Stopping { code } => {
                if !self.core.is_shut_down() {
                    return false;
                }
                self.health.cancel_all();
                if !self.health.all_gone() {
                    return false;
                }
                self.phase = Phase::Notifying { code, until: now + NOTIFICATION_LIMIT };
                true
            }
            Phase::Notifying { code, until } => {
                if self.notices.is_idle() {
                    self.phase = Phase::Ended { code };
                } else if now >= until {
                    self.notices.abandon();
                    self.phase = Phase::Abandoning { code, until: now + KILL_LIMIT };
                } else {
                    return false;
                }
                true
            }
            Phase::Killing { until } => {
                if !(self.core.is_shut_down() && self.health.all_gone()) && now < until {
                    return false;
                }
                self.phase = Phase::Abandoning { code: exit_code::INTERRUPTED, until };
                true
            }
            Phase::Abandoning { code, until } => {
                if !self.notices.is_idle() && now < until {
                    return false;
                }
                self.phase = Phase::Ended { code };
                true
            }
            Phase::Ended { .. } => false,
        }
    }
}
