//! What a run inherits is what it would have inherited without the host.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use bansuri::launch::ErrorSink;
use bansuri::launch::Sink;
use bansuri::process::{self, Environment, Spawn, Stdio};
use bansuri_core::Exit;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use support::{Bench, PATIENCE, exec};

/// Shows dispositions, mask and limit. Not by a shell, which changes its mask.
const LOOK: [&str; 5] =
    ["grep", "-hE", "Sig(Blk|Ign|Cgt)|Max open files", "/proc/self/status", "/proc/self/limits"];
const RESULT: &str = "BANSURI_TEST_RESULT";

/// Starts this test binary again by `prefix`, as a host, and compares what its run sees with what the same command
/// sees under the prefix alone.
fn compare(prefix: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let result = folder.path().join("result");
    let own = std::env::current_exe().unwrap();
    let by_host = format!("{prefix} \"$0\" --exact --ignored --test-threads 1 as_a_host");
    let (exit, printed) = run(&["-c", &by_host, own.to_str().unwrap()], Some(&result));
    assert_eq!(exit, Some(Exit::Code(0)), "{printed}");
    let direct = format!("{prefix} \"$0\" \"$@\"");
    let (exit, direct) = run(&[&["-c", &direct], &LOOK[..]].concat(), None);
    assert_eq!(exit, Some(Exit::Code(0)));
    assert_eq!(std::fs::read_to_string(result).unwrap(), direct, "{prefix}");
    direct
}

/// Not by std, whose processes ignore two signals that ours do not.
fn run(arguments: &[&str], result: Option<&Path>) -> (Option<Exit>, String) {
    let (read, write) = process::pipe().unwrap();
    let mut environment = Environment::of_host();
    if let Some(result) = result {
        environment.set(RESULT, result).unwrap();
    }
    let spawn = Spawn {
        program: "/bin/sh".into(),
        arguments: arguments.iter().map(Into::into).collect(),
        environment,
        working_directory: "/".into(),
        stdin: Stdio::Null,
        stdout: Stdio::To(write),
        stderr: None,
        more: Vec::new(),
    };
    let group = spawn.start().unwrap();
    let mut printed = String::new();
    File::from(read).read_to_string(&mut printed).unwrap();
    (group.wait(PATIENCE), printed)
}

#[test]
#[ignore = "run by the other tests, in a process that was prepared for it"]
fn as_a_host() {
    let Some(result) = std::env::var_os(RESULT) else { return };
    let raised = process::raise_nofile().unwrap();
    assert!(raised >= process::inherited_nofile().0);
    // As the host does.
    for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP] {
        signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false))).unwrap();
    }
    let held: Vec<File> = (0..400).map(|_| File::open("/dev/null").unwrap()).collect();

    // Somebody opens files all the time, while the limit goes down and up for each spawn.
    let done = AtomicBool::new(false);
    let seen = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                process::retrying(|| File::open("/dev/null")).unwrap();
            }
        });
        let _done = SetWhenDropped(&done);
        let mut bench = Bench::new();
        let seen = bench.output(exec(&LOOK));
        for _ in 0..20 {
            assert_eq!(bench.output(exec(&LOOK)), seen);
            bench.run(exec(&["/bin/true"]));
        }
        // The program's own name and its errors survive the detour by a shell.
        let mut task = exec(&["sh", "-c", "echo $0 $1", "name", "a b"]);
        task.stderr = ErrorSink::Separate(Sink::Tail);
        assert_eq!(bench.output(task), "name a b\n");
        assert_eq!(bench.try_start(exec(&["/no/such/program"])).err().unwrap().code, Some(127));
        seen
    });
    drop(held);
    std::fs::write(result, seen).unwrap();
}

/// Ends the other thread after a failed assertion too.
struct SetWhenDropped<'a>(&'a AtomicBool);

impl Drop for SetWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn sigpipe_is_not_ignored_though_the_runtime_ignores_it() {
    let seen = compare("env --default-signal=PIPE,HUP,INT,QUIT,CHLD");
    let ignored = seen.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
    assert_eq!(u64::from_str_radix(ignored.trim(), 16).unwrap() & (1 << (libc::SIGPIPE - 1)), 0);
}

#[test]
fn ignored_signals_stay_ignored() {
    let seen = compare("env --ignore-signal=PIPE,USR1,QUIT");
    let ignored = seen.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
    let ignored = u64::from_str_radix(ignored.trim(), 16).unwrap();
    for signal in [libc::SIGPIPE, libc::SIGUSR1, libc::SIGQUIT] {
        assert_ne!(ignored & (1 << (signal - 1)), 0);
    }
}

#[test]
fn ignored_signals_that_the_host_handles_stay_ignored() {
    compare("nohup env --ignore-signal=INT");
    compare("env --ignore-signal=HUP,TERM");
}

#[test]
fn an_ignored_sigchld_loses_no_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let result = folder.path().join("result");
    let own = std::env::current_exe().unwrap();
    let by_host = "exec env --ignore-signal=CHLD \"$0\" --exact --ignored --test-threads 1 as_a_host";
    let (exit, printed) = run(&["-c", by_host, own.to_str().unwrap()], Some(&result));
    assert_eq!(exit, Some(Exit::Code(0)), "{printed}");
    assert!(result.exists());
}

#[test]
fn blocked_signals_stay_blocked() {
    let seen = compare("env --block-signal=USR2,ALRM");
    assert!(seen.contains("SigBlk:\t0000000000002800"), "{seen}");
}

#[test]
fn the_limit_of_open_files_is_the_inherited_one() {
    let seen = compare("ulimit -Sn 300; exec");
    let limit = seen.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    assert_eq!(limit.split_whitespace().next(), Some("300"), "the soft one");
    compare("ulimit -Sn 300; exec nohup");
}
