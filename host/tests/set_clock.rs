//! The driver under a clock that is set by hand: what follows civil time is computed afresh at once, and nothing else is
//! touched.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use bansuri::clock::{Clock, SettableWall};
use bansuri::config::{Configuration, ReloadMode, Report};
use bansuri::driver::{Driver, SIGNAL_KEYS, Settings};
use bansuri::events::{EventSink, EventStream};
use bansuri::launch::{Action, Launch, Words};
use bansuri::plugin::Registry;
use bansuri::records::Records;
use bansuri::signals::Signals;
use bansuri::ticks::LastTicks;
use bansuri_core::{Cron, OnFail, Plan, Positive, Schedule, TaskName, TaskPlan, TimerMode, Wall, Zone};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::num::NonZeroU64;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// 2026-01-10T00:00:00Z.
const MIDNIGHT: i64 = 1_768_003_200;

fn at(seconds: f64) -> Wall {
    Wall::from_nanos(MIDNIGHT * 1_000_000_000 + (seconds * 1e9) as i64)
}

fn task(name: &str, schedule: Schedule, max_runs: u64) -> TaskPlan {
    TaskPlan {
        schedule,
        on_fail: OnFail::Ignore,
        max_runs: NonZeroU64::new(max_runs),
        ..TaskPlan::new(TaskName::new(name).unwrap())
    }
}

fn configuration(folder: &Path) -> Configuration {
    let cron = |text| Schedule::Cron(Cron::parse(text, Zone::UTC).unwrap());
    let interval = Positive::new(Duration::from_millis(50)).unwrap();
    let tasks = vec![
        task("timer", Schedule::Timer { interval, mode: TimerMode::FixedRate }, 0),
        task("at three", cron("0 3 * * *"), 1),
        task("at one", cron("0 1 * * *"), 0),
    ];
    let launch = |task: &TaskPlan| {
        let action = Action::Exec(Words::new(["true"]).unwrap());
        Arc::new(Launch::new(task.name.clone(), action, folder.to_owned()))
    };
    Configuration {
        file: folder.join("scripts.json"),
        folder: folder.to_owned(),
        launches: tasks.iter().map(launch).collect(),
        plan: Plan::new(tasks).unwrap(),
        notifiers: BTreeMap::new(),
        reload: ReloadMode::Signal,
    }
}

/// The host's events as they come.
struct Events(BufReader<std::fs::File>);

impl Events {
    fn next(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the host has ended");
            let event: Value = serde_json::from_str(&line).unwrap();
            if wanted(&event) {
                return event;
            }
        }
    }
}

#[test]
fn next_runs_are_computed_afresh_and_intervals_are_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("events");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let wall = SettableWall::starting_at(at(0.0));
    let (home, clock, path) = (folder.path().to_owned(), wall.clone(), fifo.clone());
    let host = std::thread::spawn(move || {
        let events = EventStream::open(Some(&EventSink::File(path))).unwrap();
        let poller = Arc::new(polling::Poller::new().unwrap());
        let settings = Settings {
            signals: Signals::register(&poller, SIGNAL_KEYS).unwrap(),
            heard: Vec::new(),
            exit_when_done: false,
            seed: 1,
            clock: Clock::with_wall(clock),
            poller,
            watch: None,
            load: Arc::new(|| -> Report { unreachable!("nobody asks for a reload") }),
            ticks: LastTicks::open(&home).unwrap(),
            records: Records::none(),
        };
        let registry = Arc::new(Registry::new());
        Driver::new(configuration(&home), &registry, events, settings).unwrap().run()
    });
    let mut events = Events(BufReader::new(std::fs::File::open(&fifo).unwrap()));
    let is = |event: &Value, task: &str, to: &str| event["task"] == task && event["to"] == to;

    let pending = events.next(|event| is(event, "at three", "PENDING"));
    assert_eq!(pending["next_run"], "2026-01-10T03:00:00.000000Z");
    events.next(|event| is(event, "timer", "COMPLETED"));

    // Forwards, to just before three: the tick of one o'clock is skipped, that of three comes when it is three.
    let set = Instant::now();
    wall.set(at(3.0 * 3600.0 - 0.3));
    let skipped = events.next(|event| event["event"] == "tick-skipped" && event["task"] == "at one");
    assert_eq!(skipped["due"], "2026-01-10T01:00:00.000000Z");
    let tomorrow = events.next(|event| is(event, "at one", "PENDING"));
    assert_eq!(tomorrow["next_run"], "2026-01-11T01:00:00.000000Z");
    events.next(|event| is(event, "at three", "RUNNING"));
    assert!(set.elapsed() >= Duration::from_millis(295), "not before it is three");
    events.next(|event| is(event, "at three", "COMPLETED"));

    // Backwards by a day: the next run is that much nearer in civil time, and none is repeated at once.
    wall.set(at(-3600.0 * 12.0));
    let again = events.next(|event| is(event, "at one", "PENDING"));
    assert_eq!(again["next_run"], "2026-01-10T01:00:00.000000Z");

    // The timer goes on all the while, at its own pace.
    let first = events.next(|event| is(event, "timer", "RUNNING"))["run"].as_u64().unwrap();
    let begin = Instant::now();
    events.next(|event| is(event, "timer", "RUNNING") && event["run"].as_u64() == Some(first + 4));
    assert!(begin.elapsed() >= Duration::from_millis(150), "no burst: {:?}", begin.elapsed());

    rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TERM).unwrap();
    events.next(|event| event["event"] == "host-stopped");
    assert_eq!(host.join().unwrap(), 0);
}
