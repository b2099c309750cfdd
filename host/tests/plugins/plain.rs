//! Runs and notifications of plugins in C, well and badly behaved.

use crate::logs::logged;
use crate::support::{Bench, LONG, Lines, built_from_c, registry, text};
use bansuri::launch::{Action, ErrorSink, Isolation, Launch, PluginAction, Sink};
use bansuri::notify::{Failure, Notifier, PluginNotifier};
use bansuri::plugin::{InstanceSetup, OutputSink, Progress, RunContext, RunSetup};
use bansuri::runner::CannotForce;
use bansuri_core::{Exit, Positive, TaskName};
use log::Level;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, TryRecvError};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use std::{io, thread};

/// The misbehaving library in C.
fn library() -> &'static Path {
    static LIBRARY: LazyLock<(tempfile::TempDir, PathBuf)> = LazyLock::new(|| {
        let home = tempfile::tempdir().unwrap();
        let library = home.path().join("libplain.so");
        built_from_c("misbehaving.c", &[], &library);
        (home, library)
    });
    &LIBRARY.1
}

fn launch(name: &str, type_name: &str, environment: &[(&str, &str)]) -> Launch {
    let action = Action::from(PluginAction {
        library: library().to_owned(),
        type_name: type_name.to_owned(),
        sha256: None,
        options: json!({ "key": "ä\0" }),
        isolation: Isolation::Thread,
    });
    let mut launch = Launch::new(TaskName::new(name).unwrap(), action, "/srv/jobs".into());
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    launch.environment.extend(environment);
    launch
}

fn error(type_name: &str, environment: &[(&str, &str)]) -> String {
    match Bench::new().run(&launch(type_name, type_name, environment)).exit {
        Exit::Error(message) => message,
        other => panic!("expected an error, found {other:?}"),
    }
}

#[test]
fn a_run_sees_its_context() {
    let mut task = launch("plain echo", "Echo", &[("CODE", "-7")]);
    task.timeout = Positive::new(Duration::from_secs(3600));
    task.stderr = ErrorSink::Separate(Sink::Tail);
    let finished = Bench::new().run(&task);
    assert_eq!(finished.exit, Exit::Code(-7));
    let expected = "options {\"key\":\"ä\\u0000\"}\n\
        plain echo attempt 2 run plain echo#1\n\
        in /srv/jobs\n\
        BANSURI_ATTEMPT=2\nBANSURI_RUN=1\nBANSURI_TASK=plain echo\nCODE=-7\n\
        time left\n";
    assert_eq!(text(&finished.tails.stdout), expected);
    assert_eq!(text(&finished.tails.stderr), "to stderr\n");
    let expected = [
        (Level::Info, "plain echo"),
        (Level::Warn, "from run"),
        (Level::Warn, "in two lines"),
        (Level::Info, "from close"),
    ];
    assert_eq!(logged("plain echo"), expected.map(|(level, text)| (level, text.to_owned())));
    assert_eq!(logged("plain").first(), Some(&(Level::Info, "attached".to_owned())));

    task.timeout = None;
    let finished = Bench::new().run(&task);
    assert!(text(&finished.tails.stdout).ends_with("no timeout\n"));
}

#[test]
fn errors_are_told_in_their_words() {
    assert_eq!(error("FailsInCreate", &[]), "FailsInCreate: no disk; in slot 3");
    assert_eq!(error("FailsSilently", &[]), "create failed and did not say why");
    assert_eq!(error("FailsInRun", &[("SILENT", "1")]), "run failed and did not say why");
    assert_eq!(error("Missing", &[]), "the library exports no task type \"Missing\"");
    let flood = error("FloodsError", &[]);
    assert!(flood.starts_with("\u{fffd}xxx") && flood.chars().count() >= 256, "{flood}");
    let finished = Bench::new().run(&launch("fails", "FailsInRun", &[]));
    assert_eq!(finished.exit, Exit::Error("disk \"/srv\" is full".to_owned()));
    assert_eq!(text(&finished.tails.stdout), "about to fail\n");
}

#[test]
fn a_waiting_run_is_stopped_from_another_thread() {
    let home = tempfile::tempdir().unwrap();
    let lines = Lines::new(home.path());
    let mut task = launch("plain waits", "WaitsForStop", &[]);
    task.stdout = lines.sink();
    let mut bench = Bench::new();
    let live = bench.start(&task).unwrap();
    assert_eq!(lines.next(), "waiting");
    live.request_stop();
    assert_eq!(lines.next(), "stopping");
    assert_eq!(bench.finished().exit, Exit::Code(0));
    assert!(bench.falls_silent());
}

#[test]
fn a_run_may_be_stopped_before_it_has_begun() {
    let mut bench = Bench::new();
    for _ in 0..50 {
        let live = bench.start(&launch("plain early stop", "WaitsForStop", &[])).unwrap();
        live.request_stop();
        assert_eq!(bench.finished().exit, Exit::Code(0));
    }
}

#[test]
fn a_run_that_ignores_stop_lasts_until_its_code_has_returned() {
    let home = tempfile::tempdir().unwrap();
    let (lines, until) = (Lines::new(home.path()), home.path().join("until"));
    let mut task = launch("plain stubborn", "IgnoresStop", &[("UNTIL", until.to_str().unwrap())]);
    task.stdout = lines.sink();
    let mut bench = Bench::new();
    let live = bench.start(&task).unwrap();
    assert_eq!(lines.next(), "waiting");
    live.request_stop();
    assert_eq!(live.force_stop(), Err(CannotForce));
    assert_eq!(bench.run(&launch("plain other", "Echo", &[("CODE", "9")])).exit, Exit::Code(9));
    std::fs::write(&until, "").unwrap();
    assert_eq!(bench.finished().exit, Exit::Code(0));
}

#[test]
fn a_context_that_is_held_is_harmless_after_the_run() {
    let home = tempfile::tempdir().unwrap();
    let lines = Lines::new(home.path());
    let report = lines.path().to_str().unwrap().to_owned();
    let task = launch("plain leak", "Outlives", &[("REPORT", &report)]);
    let finished = Bench::new().run(&task);
    assert_eq!(finished.exit, Exit::Code(0));
    assert_eq!(lines.next(), "plain leak#1 stopping 1, written 2, left 0");
    assert!(logged("plain leak").contains(&(Level::Info, "still here".to_owned())));
    assert!(logged("plain").contains(&(Level::Warn, "from a thread".to_owned())));
}

#[test]
fn a_host_that_is_called_wrongly_does_not_mind() {
    let finished = Bench::new().run(&launch("plain abuse", "Abuses", &[]));
    assert_eq!(finished.exit, Exit::Code(0));
    assert_eq!(text(&finished.tails.stdout), "unknown stream\nstill here\n");
    let expected = [
        (Level::Debug, "100% \u{fffd} text"),
        (Level::Debug, "25% "),
        (Level::Info, "\u{fffd} text"),
        (Level::Error, "the plugin let go of a context that it did not hold"),
        (Level::Error, "the plugin let go of a context that it did not hold"),
    ];
    assert_eq!(logged("plain abuse"), expected.map(|(level, text)| (level, text.to_owned())));
}

#[test]
fn many_runs_at_once_each_end_once() {
    let mut bench = Bench::new();
    let codes: Vec<String> = (0..100).map(|code: i32| code.to_string()).collect();
    let live: Vec<_> = codes
        .iter()
        .map(|code| bench.start(&launch("plain many", "Echo", &[("CODE", code)])).unwrap())
        .collect();
    let mut found: Vec<_> = live
        .iter()
        .map(|_| match bench.finished().exit {
            Exit::Code(code) => code,
            other => panic!("expected a code, found {other:?}"),
        })
        .collect();
    found.sort_unstable();
    assert_eq!(found, Vec::from_iter(0..100));
    assert!(bench.falls_silent());
}

/// Tells when nobody has it any more.
struct Nowhere {
    _dropped: mpsc::Sender<()>,
}

impl OutputSink for Nowhere {
    fn stdout(&self, _: &[u8]) -> io::Result<()> {
        panic!("the host's own code panics")
    }

    fn stderr(&self, _: &[u8]) -> io::Result<()> {
        Err(io::Error::other("disk full"))
    }
}

/// A run with an output that panics, an environment that is not for C, and no runner.
/// Nothing comes from the receiver until it is freed, and then the end of the channel.
fn context(environment: &[(&str, &str)]) -> (RunContext, mpsc::Receiver<()>) {
    let (_dropped, dropped) = mpsc::channel();
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let context = RunContext::new(RunSetup {
        task: "a\0b".into(),
        attempt: 1,
        run_id: "a\0b#1".to_owned(),
        working_directory: "/".into(),
        environment: BTreeMap::from_iter(environment),
        deadline: None,
        output: Arc::new(Nowhere { _dropped }),
    });
    (context, dropped)
}

fn setup(options: &Value) -> InstanceSetup<'_> {
    InstanceSetup { name: "a\0b".into(), options }
}

#[test]
fn a_panic_of_the_host_does_not_cross_into_the_plugin() {
    let instance = registry().library(library()).unwrap().new_task("Abuses", setup(&json!({}))).unwrap();
    let (context, dropped) = context(&[]);
    // It writes where the host panics.
    let fault = instance.run(&context).unwrap_err();
    assert_eq!(fault.message(), "did not write nothing");
    assert_eq!(instance.close(), Ok(()));
    drop(context);
    assert_eq!(dropped.try_recv(), Err(TryRecvError::Disconnected));
}

#[test]
fn a_context_is_freed_by_the_last_that_holds_it() {
    let home = tempfile::tempdir().unwrap();
    let lines = Lines::new(home.path());
    let instance = registry().library(library()).unwrap().new_task("Outlives", setup(&json!({}))).unwrap();
    let (context, dropped) = context(&[("REPORT", lines.path().to_str().unwrap())]);
    assert_eq!(instance.run(&context), Ok(0));
    assert_eq!(instance.close(), Ok(()));
    // Nobody but the plugin's thread has the context now.
    assert_eq!(context.progress(), None);
    context.request_stop();
    assert_eq!(lines.next(), "a\u{fffd}b#1 stopping 1, written 1, left -1");
    assert_eq!(context.progress(), Some(Progress { fraction: 0.5, text: "late".to_owned() }));
    drop(context);
    assert_eq!(dropped.recv_timeout(LONG), Err(RecvTimeoutError::Disconnected));
}

fn notifier(type_name: &str, options: Value) -> PluginNotifier {
    PluginNotifier::new(registry(), "plain teller", library().to_owned(), type_name.to_owned(), options)
}

/// With what only texts in C have trouble with.
fn failure() -> Failure {
    let (command, stdout) = ("pg_dump\0".to_owned(), b"\0out \xff".to_vec());
    Failure { command, stdout, ..crate::notifiers::failure("first") }
}

#[test]
fn a_notifier_is_told_everything() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("told");
    let writes = notifier("Writes", json!({ "path": path }));
    thread::scope(|scope| {
        scope.spawn(|| assert_eq!(writes.notify(&failure()), Ok(())));
    });
    assert_eq!(writes.notify(&Failure { max_attempts: None, ..failure() }), Ok(()));
    let line =
        "first|pg_dump\u{fffd}|/srv|FAILED|killed by SIGKILL|nightly|first#9|db1|6 ff 0|3 err|4|1.5|137|2|";
    assert_eq!(std::fs::read_to_string(path).unwrap(), format!("{line}3\n{line}0\n"));
}

#[test]
fn a_notifier_that_fails_says_why() {
    let told = |type_name, options| notifier(type_name, options).notify(&failure());
    assert_eq!(told("Fails", json!({})), Err("nobody wants to hear of first".to_owned()));
    assert_eq!(told("Writes", json!({})), Err("options: missing path".to_owned()));
    assert_eq!(told("None", json!({})), Err("the library exports no notifier type \"None\"".to_owned()));
    assert_eq!(told("Writes", json!({ "path": "/none/x" })), Err("cannot open /none/x".to_owned()));
}
