//! Runs of plugin tasks, well and badly behaved.

use crate::support::{Bench, Lines, built, exit_of, launch, misbehaving, text};
use bansuri::launch::{Action, ErrorSink, Isolation, PluginAction, Rotation, Sink};
use bansuri::plugin::{InstanceSetup, OutputSink, Progress, RunContext, RunSetup};
use bansuri::runner::CannotForce;
use bansuri::tail::TailSource;
use bansuri_core::{Exit, Positive};
use serde_json::json;
use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

#[test]
fn the_exit_code_is_what_run_returns() {
    assert_eq!(exit_of("Exits", json!({ "code": 0 })), Exit::Code(0));
    assert_eq!(exit_of("Exits", json!({ "code": -7 })), Exit::Code(-7));
}

#[test]
fn errors_are_told_in_their_words() {
    let error = |type_name, options| match exit_of(type_name, options) {
        Exit::Error(message) => message,
        other => panic!("expected an error, found {other:?}"),
    };
    assert_eq!(error("ErrorInNew", json!({})), "no disk \"/srv\"");
    assert_eq!(error("ErrorInRun", json!({})), "disk \"/srv\" is full");
    assert_eq!(error("Exits", json!({})), "options: missing field `code`");
    assert_eq!(
        error("Exits", json!({ "code": "1" })),
        "options.code: invalid type: string \"1\", expected i32"
    );
    assert_eq!(error("Missing", json!({})), "the library exports no task type \"Missing\"");
}

#[test]
fn a_library_that_cannot_be_loaded_any_more_fails_the_run() {
    let mut task = launch("gone", "Exits", json!({}));
    task.action = Action::from(PluginAction {
        library: "/gone.so".into(),
        type_name: "Exits".to_owned(),
        sha256: None,
        options: json!({}),
        isolation: Isolation::Thread,
    });
    let exit = Bench::new().run(&task).exit;
    assert_eq!(exit, Exit::Error("library \"/gone.so\": no such file or directory".to_owned()));
}

#[test]
fn panics_fail_the_run_with_their_place_and_nothing_else() {
    let panic = |type_name| match exit_of(type_name, json!({})) {
        Exit::Panic(message) => message,
        other => panic!("expected a panic, found {other:?}"),
    };
    for (type_name, start, end) in [
        ("PanicInNew", "constructor panicked at ", ": in new"),
        ("PanicInRun", "run panicked at ", ": in run of PanicInRun"),
        ("PanicInDrop", "drop panicked at ", ": in drop"),
        ("OddPanic", "run panicked at ", ": a value that is no text"),
    ] {
        let message = panic(type_name);
        assert!(message.starts_with(start) && message.ends_with(end), "{message}");
        assert!(message.contains("src/panics.rs:"), "{message}");
    }
    assert_eq!(exit_of("Exits", json!({ "code": 4 })), Exit::Code(4));
}

#[test]
fn what_was_written_before_a_panic_is_kept() {
    let finished = Bench::new().run(&launch("early", "PanicInRun", json!({})));
    assert_eq!(text(&finished.tails.stdout), "about to panic\n");
}

#[test]
fn a_panic_in_a_thread_of_the_plugin_is_the_plugins_affair() {
    assert_eq!(exit_of("PanicInThread", json!({})), Exit::Code(3));
}

#[test]
fn a_run_sees_its_context() {
    let mut task = launch("echo of a long name", "Echo", json!({ "key": "value" }));
    *task.working_directory = "/srv/jobs".into();
    task.environment.insert("MINE".to_owned(), "1".to_owned());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("task.env");
    std::fs::write(&file, "FILE=2\nMINE=hidden\n").unwrap();
    task.environment_file = Some(file);
    task.timeout = Positive::new(Duration::from_secs(3600));
    let finished = Bench::new().run(&task);
    assert_eq!(finished.exit, Exit::Code(0));
    let expected = "options {\"key\": \"value\"}\n\
        echo of a long name attempt 2 run echo of a long name#1\n\
        in /srv/jobs\n\
        environment {\"BANSURI_ATTEMPT\": \"2\", \"BANSURI_RUN\": \"1\", \"BANSURI_TASK\": \"echo of a long name\", \
        \"FILE\": \"2\", \"MINE\": \"1\"}\n\
        timeout true\n\
        thread task:echo of a \n";
    assert_eq!(text(&finished.tails.stdout), expected);
    assert_eq!(finished.tails.stderr, TailSource::None);
}

#[test]
fn a_waiting_run_is_stopped_from_another_thread() {
    let home = tempfile::tempdir().unwrap();
    let lines = Lines::new(home.path());
    let mut task = launch("waits", "WaitsForStop", json!({}));
    task.stdout = lines.sink();
    let mut bench = Bench::new();
    let live = bench.start(&task).unwrap();
    assert_eq!(lines.next(), "waiting");
    assert_eq!(live.force_stop(), Err(CannotForce));
    live.request_stop();
    live.request_stop();
    assert_eq!(lines.next(), "stopping");
    assert_eq!(bench.finished().exit, Exit::Code(0));
    live.request_stop();
    assert!(bench.falls_silent());
}

#[test]
fn a_run_may_be_stopped_before_it_has_begun() {
    let mut bench = Bench::new();
    for _ in 0..50 {
        let live = bench.start(&launch("early stop", "WaitsForStop", json!({}))).unwrap();
        live.request_stop();
        assert_eq!(bench.finished().exit, Exit::Code(0));
    }
    assert!(bench.falls_silent());
}

#[test]
fn a_panic_in_stop_fails_the_run() {
    let home = tempfile::tempdir().unwrap();
    let lines = Lines::new(home.path());
    let mut task = launch("stop panics", "PanicInStop", json!({}));
    task.stdout = lines.sink();
    let mut bench = Bench::new();
    let live = bench.start(&task).unwrap();
    assert_eq!(lines.next(), "waiting");
    live.request_stop();
    let Exit::Panic(message) = bench.finished().exit else { panic!("expected a panic") };
    assert!(message.starts_with("stop panicked at ") && message.ends_with(": in stop"), "{message}");
}

#[test]
fn a_run_lasts_until_its_code_has_returned() {
    for type_name in ["IgnoresStop", "SlowStop"] {
        let home = tempfile::tempdir().unwrap();
        let (lines, until) = (Lines::new(home.path()), home.path().join("until"));
        let mut task = launch("stubborn", type_name, json!({ "until": until }));
        task.stdout = lines.sink();
        let mut bench = Bench::new();
        let live = bench.start(&task).unwrap();
        assert_eq!(lines.next(), "waiting");
        live.request_stop();
        assert_eq!(live.force_stop(), Err(CannotForce));
        // Other runs go on meanwhile, and end before it.
        assert_eq!(bench.run(&launch("other", "Exits", json!({ "code": 9 }))).exit, Exit::Code(9));
        std::fs::write(&until, "").unwrap();
        assert_eq!(bench.finished().exit, Exit::Code(0), "{type_name}");
        let wakes = bench.wakes();
        assert!(bench.falls_silent());
        assert_eq!(wakes.load(Ordering::SeqCst), 2);
    }
}

#[test]
fn a_context_is_harmless_after_the_run() {
    let home = tempfile::tempdir().unwrap();
    let lines = Lines::new(home.path());
    let task = launch("leaves a thread", "Outlives", json!({ "report": lines.path() }));
    assert_eq!(Bench::new().run(&task).exit, Exit::Code(0));
    assert_eq!(lines.next(), "leaves a thread#1 Err(BrokenPipe) Some(0ns)");
}

#[test]
fn a_flood_of_output_leaves_its_end() {
    let flood = launch("flood", "Floods", json!({}));
    let both = text(&Bench::new().run(&flood).tails.stdout);
    let lines: Vec<_> = both.lines().collect();
    assert_eq!((both.len(), lines.len()), (64 * 1024, 1024));
    assert_eq!(lines[1022], format!("out {:0>59}", 16383));
    assert_eq!(lines[1023], format!("err {:0>59}", 16383));

    let mut apart = flood.clone();
    apart.stderr = ErrorSink::Separate(Sink::Tail);
    let tails = Bench::new().run(&apart).tails;
    assert!(text(&tails.stdout).lines().all(|line| line.starts_with("out ")));
    assert!(text(&tails.stderr).lines().all(|line| line.starts_with("err ")));

    let mut unseen = flood;
    unseen.stdout = Sink::Ignore;
    assert_eq!(Bench::new().run(&unseen).tails.stdout, TailSource::None);
}

#[test]
fn output_to_a_rotated_log_is_written_like_a_commands() {
    let home = tempfile::tempdir().unwrap();
    let (path, pumped) = (home.path().join("plain"), home.path().join("pumped"));
    let mut flood = launch("flood", "Floods", json!({}));
    flood.stdout = Sink::File(path.clone());
    Bench::new().run(&flood);
    flood.stdout = Sink::File(pumped.clone());
    flood.rotate = Some(Rotation { max_size: (1 << 20).try_into().unwrap(), keep: 100, compress: false });
    let mut bench = Bench::new();
    let TailSource::Bytes(tail) = bench.run(&flood).tails.stdout else {
        panic!("the tail is kept in memory")
    };
    // The writer has written everything when it is gone.
    drop(bench);
    let old = |number: usize| home.path().join(format!("pumped.{number}"));
    let last = (1..).take_while(|&number| old(number).exists()).last().unwrap();
    let mut written: Vec<u8> =
        (1..=last).rev().flat_map(|number| std::fs::read(old(number)).unwrap()).collect();
    written.extend(std::fs::read(&pumped).unwrap());
    let plain = std::fs::read(&path).unwrap();
    assert!(written == plain, "{} bytes of {}", written.len(), plain.len());
    assert!(plain.ends_with(&tail) && tail.len() == 64 * 1024);
}

#[test]
fn output_to_files_is_appended_and_located() {
    let home = tempfile::tempdir().unwrap();
    let (out, err) = (home.path().join("out"), home.path().join("err"));
    std::fs::write(&out, "before\n").unwrap();
    let mut flood = launch("flood", "Floods", json!({}));
    flood.stdout = Sink::File(out.clone());
    flood.stderr = ErrorSink::Separate(Sink::File(err.clone()));
    let tails = Bench::new().run(&flood).tails;
    let place = |stream: &TailSource, of: &Path| match stream {
        TailSource::File { path, start, end, .. } if path == of => (*start, *end),
        other => panic!("expected {of:?}, found {other:?}"),
    };
    assert_eq!(place(&tails.stdout, &out), (7, 7 + (1 << 20)));
    assert_eq!(place(&tails.stderr, &err), (0, 1 << 20));
    let written = std::fs::read_to_string(&out).unwrap();
    assert_eq!(written.lines().next(), Some("before"));
    assert!(written.lines().skip(1).all(|line| line.starts_with("out ")));
}

#[test]
fn a_log_file_that_cannot_be_opened_keeps_the_run_from_starting() {
    let mut task = launch("no log", "Exits", json!({ "code": 0 }));
    task.stdout = Sink::File("/nonexistent/log".into());
    let mut bench = Bench::new();
    let Err(error) = bench.start(&task) else { panic!("it started") };
    assert_eq!(error.reason, "log file \"/nonexistent/log\": its folder \"/nonexistent\" does not exist");
    task.action = Action::Shell("true".into());
    let Err(error) = bench.start(&task) else { panic!("it started") };
    assert_eq!(error.reason, "task \"no log\": its command names no plugin");
    assert!(bench.falls_silent());
}

#[test]
fn many_runs_at_once_each_end_once() {
    let mut bench = Bench::new();
    let mut live = Vec::new();
    for code in 0..200 {
        live.push(bench.start(&launch(&format!("t{code}"), "Exits", json!({ "code": code }))).unwrap());
    }
    let mut seen = HashSet::new();
    for _ in 0..200 {
        let finished = bench.finished();
        assert_eq!(finished.exit, Exit::Code(finished.run.number as i32 - 1));
        assert!(seen.insert(finished.run));
    }
    assert!(bench.falls_silent());
}

#[test]
fn the_example_counts_files() {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join("spool")).unwrap();
    std::fs::write(home.path().join("spool/one"), "").unwrap();
    let run = |at_most: u32| {
        let mut task = launch("count", "FileCount", json!({}));
        task.action = Action::from(PluginAction {
            library: built("minimal-task").to_owned(),
            type_name: "FileCount".to_owned(),
            sha256: None,
            options: json!({ "folder": "spool", "at-most": at_most }),
            isolation: Isolation::Thread,
        });
        *task.working_directory = home.path().to_owned();
        Bench::new().run(&task)
    };
    let finished = run(1);
    assert_eq!(finished.exit, Exit::Code(0));
    let expected = format!("1 files in {}\n", home.path().join("spool").display());
    assert_eq!(text(&finished.tails.stdout), expected);
    assert_eq!(run(0).exit, Exit::Code(1));
}

struct Nowhere;

impl OutputSink for Nowhere {
    fn stdout(&self, _: &[u8]) -> io::Result<()> {
        panic!("the host's own code panics")
    }

    fn stderr(&self, _: &[u8]) -> io::Result<()> {
        Err(io::Error::other("disk full"))
    }
}

fn context(task: &str) -> RunContext {
    RunContext::new(RunSetup {
        task: task.into(),
        attempt: 1,
        run_id: format!("{task}#1"),
        working_directory: "/".into(),
        environment: BTreeMap::new(),
        deadline: None,
        output: Arc::new(Nowhere),
    })
}

#[test]
fn progress_is_kept_within_bounds() {
    let options = json!({});
    let setup = InstanceSetup { name: "progress".into(), options: &options };
    let instance = misbehaving().new_task("Progress", setup).unwrap();
    let context = context("progress");
    assert_eq!(context.progress(), None);
    assert_eq!(instance.run(&context), Ok(0));
    assert_eq!(context.progress(), Some(Progress { fraction: 1.0, text: "more than all".to_owned() }));
    assert_eq!(instance.close(), Ok(()));
}

#[test]
fn a_panic_of_the_host_does_not_cross_into_the_plugin() {
    let options = json!({});
    let setup = InstanceSetup { name: "echo".into(), options: &options };
    let instance = misbehaving().new_task("Echo", setup).unwrap();
    let fault = instance.run(&context("echo")).unwrap_err();
    assert_eq!(fault.message(), "the host could not write");
}
