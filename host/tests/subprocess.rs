//! The subprocess runner on real processes.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use bansuri::launch::{ErrorSink, Sink};
use bansuri::runner::StartError;
use bansuri::tail::{TAIL_LIMIT, TailSource};
use bansuri_core::{Exit, Signal};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use support::{Bench, bytes, exec, file_text, launch, lives, shell, text};

fn refusal(bench: &mut Bench, launch: bansuri::launch::Launch) -> StartError {
    bench.try_start(launch).err().expect("it cannot be started")
}

fn script(folder: &Path, name: &str, content: &str, mode: u32) -> String {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    path.to_str().unwrap().into()
}

#[test]
fn exit_codes_and_signals_are_reported() {
    let mut bench = Bench::new();
    for code in [0, 1, 77, 255] {
        let finished = bench.run(shell(&format!("exit {code}")));
        assert_eq!(finished.exit, Exit::Code(code));
        assert!(!finished.remains);
        assert!(!finished.lived.is_zero());
    }
    assert_eq!(bench.run(exec(&["/bin/true"])).exit, Exit::Code(0));
    assert_eq!(bench.run(exec(&["false"])).exit, Exit::Code(1), "looked up in PATH");
    assert_eq!(bench.run(shell("kill -SEGV $$")).exit, Exit::Signal("SEGV".parse().unwrap()));
    assert_eq!(bench.run(shell("kill -KILL $$")).exit, Exit::Signal(Signal::KILL));
    assert_eq!(bench.run(shell("-no-such-option")).exit, Exit::Code(127), "the line is not an option");
    assert_eq!(bench.runner.live(), 0);
}

#[test]
fn what_cannot_be_started_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let mut bench = Bench::new();

    let error = refusal(&mut bench, exec(&["no-such-program-here", "x"]));
    assert_eq!(error.reason, "command \"no-such-program-here\": not found in PATH");
    assert_eq!(error.code, Some(127));
    let error = refusal(&mut bench, exec(&["/no/such/program"]));
    assert_eq!(error.reason, "command \"/no/such/program\": no such file or directory");
    assert_eq!(error.code, Some(127));
    assert_eq!(bench.run(shell("no-such-program-here")).exit, Exit::Code(127), "as the shell has it");

    let plain = script(folder.path(), "plain", "exit 3", 0o644);
    let error = refusal(&mut bench, exec(&[&plain]));
    assert_eq!(
        error,
        StartError { reason: format!("command {plain:?}: permission denied"), code: Some(126) }
    );
    let mut found = exec(&["plain"]);
    found.environment.insert("PATH".into(), folder.path().to_str().unwrap().into());
    assert_eq!(refusal(&mut bench, found).code, Some(126), "found in PATH and not executable");
    assert_eq!(refusal(&mut bench, exec(&["/tmp"])).reason, "command \"/tmp\": is a directory");

    let orphan = script(folder.path(), "orphan", "#!/no/such/interpreter -x\n", 0o755);
    let error = refusal(&mut bench, exec(&[&orphan]));
    assert_eq!(
        error.reason,
        format!("command {orphan:?}: its interpreter \"/no/such/interpreter\" was not found")
    );
    assert_eq!(error.code, Some(126));
    let binary = script(folder.path(), "binary", "\u{1}\0\0\0\0", 0o755);
    assert_eq!(refusal(&mut bench, exec(&[&binary])).code, Some(126));

    let mut nowhere = exec(&["/bin/true"]);
    *nowhere.working_directory = at("missing").into();
    let error = refusal(&mut bench, nowhere);
    assert_eq!(error.reason, format!("working directory {:?}: no such file or directory", at("missing")));
    assert_eq!(error.code, None);
    let mut in_file = shell("true");
    *in_file.working_directory = plain.into();
    assert!(refusal(&mut bench, in_file).reason.ends_with(": not a directory"));

    let error = refusal(&mut bench, shell("echo b\0c"));
    assert_eq!(error.reason, "command \"/bin/sh\": argument 2 holds a NUL byte");
    let mut value = exec(&["/bin/true"]);
    value.environment.insert("X".into(), "a\0".into());
    assert_eq!(refusal(&mut bench, value).reason, "environment variable \"X\": holds a NUL byte");

    let long = "x".repeat(3 << 20);
    let error = refusal(&mut bench, exec(&["/bin/echo", &long]));
    assert_eq!(error.reason, "command \"/bin/echo\": argument list too long");
    assert_eq!(bench.runner.live(), 0);
}

#[test]
fn a_log_that_cannot_be_opened_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = Bench::new();
    let mut reason = |path: &Path| {
        let mut task = exec(&["/bin/true"]);
        task.stdout = Sink::File(path.into());
        refusal(&mut bench, task).reason
    };
    let missing = folder.path().join("missing");
    let inside = missing.join("log");
    assert_eq!(reason(&inside), format!("log file {inside:?}: its folder {missing:?} does not exist"));
    assert_eq!(reason(folder.path()), format!("log file {:?}: is a directory", folder.path()));
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let inside = file.join("log");
    assert_eq!(reason(&inside), format!("log file {inside:?}: {file:?} is not a directory"));
    let fifo = folder.path().join("fifo");
    rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, 0o600.into()).unwrap();
    assert_eq!(reason(&fifo), format!("log file {fifo:?}: a named pipe that nobody reads"));
}

#[test]
fn streams_go_where_they_are_sent() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    let line = "echo out; echo err >&2; echo out2";
    let mut bench = Bench::new();

    let tails = bench.run(shell(line)).tails;
    assert_eq!(text(&tails.stdout), "out\nerr\nout2\n", "combined, in order");
    assert_eq!(tails.stderr, TailSource::None);

    let mut task = shell(line);
    task.stderr = ErrorSink::Separate(Sink::Tail);
    let tails = bench.run(task.clone()).tails;
    assert_eq!((text(&tails.stdout), text(&tails.stderr)), ("out\nout2\n".into(), "err\n".into()));

    std::fs::write(&one, "before\n").unwrap();
    task.stdout = Sink::File(one.clone());
    let tails = bench.run(task.clone()).tails;
    assert_eq!((file_text(&tails.stdout), text(&tails.stderr)), ("out\nout2\n".into(), "err\n".into()));
    task.stderr = ErrorSink::Separate(Sink::File(two.clone()));
    let tails = bench.run(task.clone()).tails;
    assert_eq!((file_text(&tails.stdout), file_text(&tails.stderr)), ("out\nout2\n".into(), "err\n".into()));
    assert_eq!(std::fs::read_to_string(&one).unwrap(), "before\nout\nout2\nout\nout2\n", "appended");

    for combined in [ErrorSink::Combined, ErrorSink::Separate(Sink::File(one.clone()))] {
        task.stderr = combined;
        let tails = bench.run(task.clone()).tails;
        assert_eq!(file_text(&tails.stdout), "out\nerr\nout2\n");
        assert_eq!(tails.stderr, TailSource::None);
    }

    task.stdout = Sink::Ignore;
    task.stderr = ErrorSink::Separate(Sink::Tail);
    let tails = bench.run(task.clone()).tails;
    assert_eq!((&tails.stdout, text(&tails.stderr)), (&TailSource::None, "err\n".into()));
    task.stderr = ErrorSink::Combined;
    assert_eq!(bench.run(task).tails, Default::default());

    let mut device = shell("echo gone; test ! -t 1");
    device.stdout = Sink::File("/dev/null".into());
    assert_eq!(bench.run(device).tails, Default::default(), "no file to read back");
}

#[test]
fn a_long_output_keeps_its_end() {
    let mut bench = Bench::new();
    let finished = bench.run(shell("seq 1 40000"));
    let all: String = (1..=40000).map(|n| format!("{n}\n")).collect();
    assert!(all.len() > 200_000);
    assert_eq!(finished.exit, Exit::Code(0));
    assert_eq!(bytes(&finished.tails.stdout), &all.as_bytes()[all.len() - TAIL_LIMIT..]);
}

#[test]
fn a_gibibyte_of_output_neither_blocks_the_task_nor_grows_the_host() {
    let mut bench = Bench::new();
    bench.run(shell("head -c 4M /dev/zero"));
    let before = resident_kib();
    let finished = bench.run(shell("head -c 1G /dev/zero; echo end"));
    assert_eq!(finished.exit, Exit::Code(0));
    assert_eq!(bytes(&finished.tails.stdout).len(), TAIL_LIMIT);
    assert!(bytes(&finished.tails.stdout).ends_with(b"\0end\n"));
    // Other tests of this process run at the same time; 1 GiB would be 1,048,576.
    assert!(resident_kib() < before + 65_536, "{before} KiB before, {} after", resident_kib());
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn the_environment_and_the_working_directory_are_the_tasks() {
    let folder = tempfile::tempdir().unwrap();
    script(
        folder.path(),
        "here",
        "#!/bin/sh\necho $(pwd) $0 $GREETING $BANSURI_TASK $BANSURI_RUN $BANSURI_ATTEMPT",
        0o755,
    );
    let mut bench = Bench::new();
    let mut task = exec(&["./here"]);
    *task.working_directory = folder.path().into();
    task.environment.insert("GREETING".into(), "hello".into());
    task.environment.insert("BANSURI_TASK".into(), "not this".into());
    let path = folder.path().display();
    assert_eq!(bench.output(task.clone()), format!("{path} ./here hello task 1 2\n"));
    task.action = bansuri::launch::Action::Exec(bansuri::launch::Words::new(["here"]).unwrap());
    task.environment.insert("PATH".into(), "/no/such/folder:.:/bin:/usr/bin".into());
    assert_eq!(
        bench.output(task),
        format!("{path} {path}/./here hello task 2 2\n"),
        "the PATH is the task's"
    );
    assert_eq!(bench.output(shell("cat; echo end")), "end\n", "standard input is empty");
    assert_eq!(
        bench.output(exec(&["/bin/sh", "-c", "echo \"$PATH\""])),
        format!("{}\n", std::env::var("PATH").unwrap())
    );
}

#[test]
fn a_script_without_an_interpreter_is_the_shells() {
    let folder = tempfile::tempdir().unwrap();
    let path = script(folder.path(), "bare", "echo \"$0 $1 $2\"; exit 4\n", 0o755);
    let finished = Bench::new().run(exec(&[&path, "a b", "c"]));
    assert_eq!(finished.exit, Exit::Code(4));
    assert_eq!(text(&finished.tails.stdout), format!("{path} a b c\n"));
}

#[test]
fn no_descriptor_leaks_into_a_run() {
    // As a careless plugin would.
    let (leaky, _end) = rustix::pipe::pipe().unwrap();
    assert!(!rustix::io::fcntl_getfd(&leaky).unwrap().contains(rustix::io::FdFlags::CLOEXEC));
    let mut bench = Bench::new();
    let mut task = shell("ls /proc/self/fd");
    task.stderr = ErrorSink::Separate(Sink::Tail);
    // `ls` opens the folder it lists.
    assert_eq!(bench.output(task), "0\n1\n2\n3\n");
}

#[test]
fn the_whole_group_is_stopped() {
    let mut bench = Bench::new();
    let alive = bench.start(shell("sleep 1000 & sleep 1000 & echo $! >&2; wait"));
    alive.live.request_stop();
    let finished = bench.finished();
    assert_eq!(finished.exit, Exit::Signal(Signal::TERM));
    if finished.remains {
        bench.gone();
    }
    assert_eq!(bench.runner.live(), 0);
    assert!(!lives(alive.pid));
    alive.live.request_stop();
    assert_eq!(alive.live.force_stop(), Ok(()), "nobody is left, and that is no error");
}

#[test]
fn a_launch_for_plugins_is_refused() {
    let action = bansuri::launch::Action::from(bansuri::launch::PluginAction {
        library: "/lib/x.so".into(),
        type_name: "X".into(),
        sha256: None,
        options: serde_json::json!({}),
        isolation: bansuri::launch::Isolation::Thread,
    });
    assert_eq!(refusal(&mut Bench::new(), launch(action)).code, None);
}
