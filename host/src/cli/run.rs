//! `bansuri run`: the host itself.

use super::args::{RunArgs, fail};
use super::catalog::RegistryCatalog;
use super::machine::ThisMachine;
use crate::clock::Clock;
use crate::config::{self, CheckOptions, ConfigWatch, Configuration, ReloadMode, Report};
use crate::driver::{Driver, Load, SIGNAL_KEYS, Settings, WATCH_KEY};
use crate::events::{EventSink, EventStream, HostEvent};
use crate::plugin::Registry;
use crate::records::Records;
use crate::signals::{HostSignal, Signals};
use crate::state_dir::{StateDir, StateDirError};
use crate::ticks::LastTicks;
use crate::{exit_code, logger, process};
use bansuri_core::{OnFail, Schedule};
use polling::Poller;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Arc;

/// Runs the tasks until the host ends. Returns its exit code.
pub(super) fn run(args: &RunArgs) -> i32 {
    logger::start(args.verbosity.verbose, args.verbosity.quiet);
    let poller = match Poller::new() {
        Ok(poller) => Arc::new(poller),
        Err(error) => return fail(format_args!("the host cannot be set up: poller: {error}")),
    };
    // Before the file is read, so that no change falls between.
    let watch = ConfigWatch::arm(&args.file.config, &poller, WATCH_KEY);
    let places = StateDir::places(args.state_dir.as_deref(), &args.file.config);
    let registry = Arc::new(Registry::new().with_probe(process::OWN_BINARY.into()).remembering(&places));
    let load = loading(&args.file.config, &registry);
    let Some(configuration) = told(load()) else { return exit_code::INVALID };

    // While the configuration is read, they still end the host by default: that runs code of plugins, and nothing is
    // alive yet. What follows may take as long as tasks of a dead host take to stop.
    let signals = match Signals::register(&poller, SIGNAL_KEYS) {
        Ok(signals) => signals,
        Err(error) => return fail(format_args!("the host cannot be set up: signals: {error}")),
    };
    let state_dir = match StateDir::open(args.state_dir.as_deref(), &args.file.config, &configuration.folder)
    {
        Ok(state_dir) => state_dir,
        Err(error @ StateDirError::Locked { .. }) => {
            eprintln!("bansuri: {error}");
            return exit_code::HOST_CONFLICT;
        }
        Err(error @ StateDirError::Unusable { .. }) => return fail(error),
    };
    if let Err(error) = registry.keep_in(state_dir.path()) {
        log::warn!(target: "bansuri", "state dir {:?}: plugins: {error}: their copies are kept in a temporary folder", state_dir.path());
    }
    let ticks = match LastTicks::open(state_dir.path()) {
        Ok(ticks) => ticks,
        Err(error) => return fail(format_args!("state dir {:?}: last ticks: {error}", state_dir.path())),
    };
    let sink = args.events.as_deref().map(|path| {
        if path == Path::new("-") { EventSink::Stdout } else { EventSink::File(path.to_owned()) }
    });
    let mut events = match (EventStream::open(sink.as_ref()), &sink) {
        (Ok(events), _) => events,
        (Err(error), Some(EventSink::File(path))) => {
            return fail(format_args!("events file {path:?}: {error}"));
        }
        (Err(error), Some(EventSink::Stdout) | None) => return fail(format_args!("event stream: {error}")),
    };
    if let Err(error) = process::raise_nofile() {
        log::warn!(target: "bansuri", "limit of open files: {error}: it stays as it was");
    }
    let mut heard = Vec::new();
    // Whatever a host that died left behind is ended before any task starts.
    let records = match Records::open(state_dir.path()) {
        Ok((records, leftovers)) => {
            if !leftovers.is_empty() {
                leftovers.recover(&signals.descriptors(), &mut || {
                    heard.extend(signals.take());
                    heard.iter().filter(|signal| **signal == HostSignal::Interrupt).count() > 1
                });
            }
            records
        }
        Err(error) => {
            log::error!(target: "bansuri", "live runs cannot be recorded: {error}: if this host is killed, they stay behind");
            Records::none()
        }
    };
    heard.extend(signals.take());
    if let Some(code) = ended_by(&heard) {
        log::info!(target: "bansuri", "stopped before any task was started (exit code {code})");
        return code;
    }
    announce(&configuration, &state_dir, &mut events);
    if args.exit_when_done {
        warn_of_endless_tasks(&configuration);
    }
    let settings = Settings {
        exit_when_done: args.exit_when_done,
        seed: seed(),
        clock: Clock::start(),
        poller,
        signals,
        heard,
        watch: watched(watch, &configuration),
        load,
        ticks,
        records,
    };
    let driver = match Driver::new(configuration, &registry, events, settings) {
        Ok(driver) => driver,
        Err(error) => return fail(format_args!("the host cannot be set up: {error}")),
    };
    let code = driver.run();
    registry.close();
    log::info!(target: "bansuri", "host stopped (exit code {code})");
    // Held to the end: no other host may start before this one has let go of everything.
    drop(state_dir);
    code
}

/// Says what there is to say of a configuration. Its text is not kept.
fn told(report: Report) -> Option<Configuration> {
    eprint!("{}", report.render(std::io::stderr().is_terminal()));
    report.configuration
}

/// The exit code of a host that is not to start anything after these.
fn ended_by(heard: &[HostSignal]) -> Option<i32> {
    let count = |wanted| heard.iter().filter(|signal| **signal == wanted).count();
    match (count(HostSignal::Terminate), count(HostSignal::Interrupt)) {
        (0, 0) => None,
        (_, 0 | 1) => Some(exit_code::FINE),
        (_, _) => Some(exit_code::INTERRUPTED),
    }
}

/// Reads the configuration, now and at every reload; any thread may call it.
fn loading(file: &Path, registry: &Arc<Registry>) -> Load {
    let (file, registry) = (file.to_owned(), Arc::clone(registry));
    Arc::new(move || {
        config::load(&file, &mut RegistryCatalog(&registry), &ThisMachine, CheckOptions::default())
    })
}

/// The watch, where the configuration wants one.
fn watched(watch: io::Result<ConfigWatch>, configuration: &Configuration) -> Option<ConfigWatch> {
    match (configuration.reload, watch) {
        (ReloadMode::Signal, _) => None,
        (ReloadMode::Auto, Ok(watch)) => Some(watch),
        (ReloadMode::Auto, Err(error)) => {
            log::warn!(target: "bansuri", "the configuration file cannot be watched: {error}: SIGHUP reloads it");
            None
        }
    }
}

fn announce(configuration: &Configuration, state_dir: &StateDir, events: &mut EventStream) {
    let tasks = configuration.launches.len();
    log::info!(target: "bansuri", "host started (pid {}): {tasks} tasks from {}", std::process::id(), configuration.file.display());
    events.emit(&HostEvent::HostStarted {
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION"),
        state_dir: &state_dir.path().to_string_lossy(),
    });
}

fn warn_of_endless_tasks(configuration: &Configuration) {
    let endless: Vec<&str> = configuration
        .plan
        .tasks()
        .iter()
        .filter(|task| match task.schedule {
            Schedule::Once => false,
            // A timer whose failures end it may end as well, but nobody should count on that.
            Schedule::Service => true,
            Schedule::Cron(_) | Schedule::Timer { .. } => {
                task.max_runs.is_none() && task.on_fail != OnFail::Stop
            }
        })
        .map(|task| task.name.as_str())
        .collect();
    if !endless.is_empty() {
        log::warn!(target: "bansuri", "--exit-when-done: these tasks never end: {}", endless.join(", "));
    }
}

/// Fresh for each host, so that a fleet started at once does not jitter in step.
fn seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::hash::RandomState::new().build_hasher().finish()
}
