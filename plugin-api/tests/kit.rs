//! The author's view: everything here uses what a plugin crate can use, through the testing kit.
#![allow(missing_docs)]

use bansuri_plugin_api::testing::{Failure, FaultKind, LogLine, NotifierTest, TaskTest};
use bansuri_plugin_api::{
    export_plugin, FailureInfo, Notifier, NotifierConfig, NotifyError, Task, TaskConfig, TaskContext,
    TaskError,
};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, UNIX_EPOCH};

/// Long enough for any machine; no passing test waits for it.
const LONG: Duration = Duration::from_secs(60);

/// Says what it sees.
struct Echo {
    name: String,
}

impl Task for Echo {
    fn new(config: &TaskConfig) -> Result<Self, TaskError> {
        Ok(Self { name: config.name().to_owned() })
    }

    fn run(&self, context: &TaskContext) -> Result<i32, TaskError> {
        assert_eq!(self.name, context.name());
        let mut out = context.stdout();
        writeln!(out, "{} {} {}", context.name(), context.attempt(), context.run_id())?;
        writeln!(out, "{}", context.working_directory().display())?;
        writeln!(out, "{:?}", context.environment())?;
        let left = context.time_left();
        writeln!(
            out,
            "{:?}",
            left.map(|left| left > Duration::from_secs(3000) && left <= Duration::from_secs(3600))
        )?;
        write!(context.stderr(), "err")?;
        context.progress(0.5, "half");
        log::info!(target: "echo", "logged {}", 1);
        Ok(7)
    }
}

/// Misbehaves as its options say.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bad {
    #[serde(rename = "where")]
    place: String,
}

struct PanicsAgain;

impl Drop for PanicsAgain {
    fn drop(&mut self) {
        panic!("the payload");
    }
}

impl Task for Bad {
    fn new(config: &TaskConfig) -> Result<Self, TaskError> {
        let bad: Self = config.options()?;
        match bad.place.as_str() {
            "new" => panic!("in {}", "new"),
            "new-error" => Err(TaskError::new("no such disk")),
            _ => Ok(bad),
        }
    }

    fn run(&self, context: &TaskContext) -> Result<i32, TaskError> {
        match self.place.as_str() {
            "run" => panic!("in run"),
            "payload" => std::panic::panic_any(PanicsAgain),
            "error" => {
                std::fs::read("/nonexistent/file")?;
                Ok(0)
            }
            "stop" => {
                writeln!(context.stdout(), "waiting")?;
                Ok(if context.wait_for_stop(LONG) { 0 } else { 1 })
            }
            _ => Ok(0),
        }
    }

    fn stop(&self) {
        assert_ne!(self.place, "stop", "in stop");
    }
}

impl Drop for Bad {
    fn drop(&mut self) {
        if self.place == "drop" {
            panic!("in drop");
        }
    }
}

struct Teller {
    prefix: String,
}

impl Notifier for Teller {
    fn new(config: &NotifierConfig) -> Result<Self, NotifyError> {
        Ok(Self {
            prefix: config.options::<BTreeMap<String, String>>()?.remove("prefix").unwrap_or_default(),
        })
    }

    fn notify(&self, failure: &FailureInfo) -> Result<(), NotifyError> {
        log::warn!(target: "teller", "{}{}", self.prefix, failure.task_name());
        match failure.return_code() {
            -1 => panic!("lost"),
            1 => Err(NotifyError::new("refused")),
            _ => Ok(()),
        }
    }
}

export_plugin! { notifiers: [self::Teller], tasks: [Echo, crate::Bad,] }

fn bad(place: &str) -> TaskTest<Bad> {
    TaskTest::new().options(json!({ "where": place }))
}

#[test]
fn a_run_sees_its_context_and_is_heard() {
    let run = TaskTest::<Echo>::new()
        .name("echo")
        .attempt(3)
        .environment("KEY", "value")
        .working_directory("/srv/jobs")
        .timeout(Duration::from_secs(3600))
        .run();
    assert_eq!(run.result, Ok(7));
    assert_eq!(run.stdout_text(), "echo 3 echo#1\n/srv/jobs\n{\"KEY\": \"value\"}\nSome(true)\n");
    assert_eq!(run.stderr, b"err");
    assert_eq!(run.progress, [(0.5, "half".to_owned())]);
    let line = LogLine { level: log::Level::Info, target: "echo".into(), message: "logged 1".into() };
    assert_eq!(run.log, [line]);
}

#[test]
fn errors_keep_their_words() {
    let fault = bad("new-error").run().result.unwrap_err();
    assert_eq!((fault.kind, fault.message.as_str()), (FaultKind::Error, "no such disk"));
    let fault = bad("error").run().result.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Error);
    assert!(fault.message.starts_with("No such file or directory"), "{}", fault.message);
    let fault = TaskTest::<Bad>::new().options(json!({ "place": 1 })).run().result.unwrap_err();
    assert_eq!(fault.message, "options.place: unknown field `place`, expected `where`");
}

#[test]
fn panics_are_caught_wherever_they_happen_and_name_their_place() {
    for (place, expected) in [
        ("new", ("constructor panicked at ", ": in new")),
        ("run", ("run panicked at ", ": in run")),
        ("payload", ("run panicked at ", ": a value that is no text")),
        ("drop", ("drop panicked at ", ": in drop")),
    ] {
        let fault = bad(place).run().result.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Panic, "{place}");
        let (start, end) = expected;
        assert!(fault.message.starts_with(start) && fault.message.ends_with(end), "{}", fault.message);
        assert!(fault.message.contains("kit.rs:"), "{}", fault.message);
    }
}

#[test]
fn a_panic_in_stop_does_not_end_the_run() {
    let run = bad("stop").start();
    assert!(run.wait_for_stdout("waiting", LONG));
    let fault = run.stop().unwrap_err();
    assert_eq!(fault.kind, FaultKind::Panic);
    assert!(fault.message.contains("in stop"), "{fault}");
    assert_eq!(run.wait().result, Ok(0));
}

/// Hands its context to a thread that outlives the run.
struct Leaves {
    context: mpsc::Sender<TaskContext>,
}

thread_local! {
    static LEFT_BEHIND: std::cell::RefCell<Option<mpsc::Sender<TaskContext>>> = const { std::cell::RefCell::new(None) };
}

impl Task for Leaves {
    fn new(_: &TaskConfig) -> Result<Self, TaskError> {
        let context = LEFT_BEHIND.with(|sender| sender.borrow_mut().take());
        Ok(Self { context: context.ok_or_else(|| TaskError::new("no test waits"))? })
    }

    fn run(&self, context: &TaskContext) -> Result<i32, TaskError> {
        self.context.send(context.clone())?;
        Ok(0)
    }
}

#[test]
fn a_context_is_harmless_after_the_run() {
    let (sender, receiver) = mpsc::channel();
    LEFT_BEHIND.with(|slot| *slot.borrow_mut() = Some(sender));
    let run = TaskTest::<Leaves>::new().run();
    assert_eq!(run.result, Ok(0));
    let context = receiver.recv().unwrap();
    assert!(context.is_stopping());
    assert!(context.wait_for_stop(LONG));
    assert_eq!(context.time_left(), Some(Duration::ZERO));
    assert_eq!(writeln!(context.stdout(), "late").unwrap_err().kind(), ErrorKind::BrokenPipe);
    context.progress(1.0, "late");
    assert_eq!(context.name(), "test");
}

#[test]
fn a_notifier_is_told_and_may_fail() {
    let teller = NotifierTest::<Teller>::new().options(json!({ "prefix": ">" })).start().unwrap();
    assert_eq!(teller.notify(&Failure::of("a").return_code(3).build()), Ok(()));
    assert_eq!(teller.notify(&Failure::of("b").build()).unwrap_err().message, "refused");
    let fault = teller.notify(&Failure::of("c").timed_out_after(5).build()).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Panic);
    let told: Vec<_> = teller.log().into_iter().map(|line| line.message).collect();
    assert_eq!(told, [">a", ">b", ">c"]);
    assert_eq!(teller.close(), Ok(()));
    let fault = NotifierTest::<Teller>::new().options(json!({ "prefix": 1 })).start().err().unwrap();
    assert_eq!(fault.message, "options.prefix: invalid type: integer `1`, expected a string");
}

/// Checks that everything survives the way through the boundary.
struct Same;

fn everything() -> FailureInfo {
    Failure::of("backup")
        .command("pg_dump")
        .working_directory("/srv")
        .return_code(137)
        .reason("killed by SIGKILL")
        .attempt(2, Some(3))
        .timestamp(UNIX_EPOCH + Duration::new(1, 5))
        .description("nightly")
        .stdout(b"out \xff".to_vec())
        .stderr(b"err".to_vec())
        .run_id("backup#9")
        .host_name("db1")
        .folded(4)
        .build()
}

impl Notifier for Same {
    fn new(_: &NotifierConfig) -> Result<Self, NotifyError> {
        Ok(Self)
    }

    fn notify(&self, failure: &FailureInfo) -> Result<(), NotifyError> {
        assert_eq!(failure, &everything());
        Ok(())
    }
}

#[test]
fn a_failure_arrives_whole() {
    assert_eq!(NotifierTest::<Same>::new().start().unwrap().notify(&everything()), Ok(()));
    let failure = everything();
    assert_eq!(failure.stdout(), "out \u{fffd}");
    assert_eq!(failure.stdout_bytes(), b"out \xff");
    assert_eq!(failure.working_directory(), Path::new("/srv"));
    assert_eq!(failure.max_attempts(), Some(3));
}
