//! The command notifier with real processes.

use crate::support::{Post, failure, pending, recipient, task};
use bansuri::notify::{CommandNotifier, Failure, Notifier, text};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// No call of these tests may come near it.
const AMPLE: Duration = Duration::from_secs(60);

/// A folder to work in, and a script that works there.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("there is a temporary folder"))
    }

    fn failure(&self) -> Failure {
        Failure { working_directory: self.0.path().to_owned(), ..failure("backup") }
    }

    fn notify(&self, script: &str, limit: Duration) -> Result<(), String> {
        shell(script, limit).notify(&self.failure())
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.path().join(name)).expect("the script has written it")
    }

    /// Whether the process of this number, as a script wrote it to a file, lives.
    fn is_alive(&self, pid_file: &str) -> bool {
        let pid = self.read(pid_file);
        let stat = fs::read_to_string(Path::new("/proc").join(pid.trim()).join("stat")).unwrap_or_default();
        // The state follows the name in parentheses; a zombie is somebody else's to reap.
        stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
    }
}

fn command(words: &[&str], limit: Duration) -> CommandNotifier {
    CommandNotifier::new(words.iter().map(|word| (*word).to_owned()).collect(), limit)
}

fn shell(script: &str, limit: Duration) -> CommandNotifier {
    command(&["sh", "-c", script, "sh", "{task}", "{code} {outcome}", "{attempt}"], limit)
}

#[test]
fn message_words_environment_and_folder() {
    let desk = Desk::new();
    let failure = Failure {
        task: "a b".into(),
        return_code: 137,
        attempt: 2,
        stdout: b"out".to_vec(),
        stderr: b"err".to_vec(),
        ..desk.failure()
    };
    let script = "cat > message; env > environment; pwd > folder; printf '%s\\n' \"$@\" > words; ls /proc/self/fd > open";
    assert_eq!(shell(script, AMPLE).notify(&failure), Ok(()));
    assert_eq!(desk.read("message"), text(&failure));
    assert_eq!(desk.read("words"), "a b\n137 FAILED\n2\n");
    assert_eq!(Path::new(desk.read("folder").trim()), desk.0.path().canonicalize().unwrap());
    assert_eq!(desk.read("open").lines().count(), 4, "the three, and the folder that ls reads");
    let environment = desk.read("environment");
    for expect in [
        "BANSURI_TASK=a b",
        "BANSURI_CODE=137",
        "BANSURI_ATTEMPT=2",
        "BANSURI_MAX_ATTEMPTS=3",
        "BANSURI_OUTCOME=FAILED",
        "BANSURI_RUN_ID=backup#1",
        "BANSURI_HOST=host",
        "BANSURI_REASON=exit code 1",
        "BANSURI_COMMAND=exit 1",
        "BANSURI_TIMESTAMP=1970-01-01T00:00:00Z",
        "BANSURI_DESCRIPTION=",
        "BANSURI_FOLDED=0",
    ] {
        assert!(environment.lines().any(|line| line == expect), "{expect} in {environment}");
    }
    assert!(environment.lines().any(|line| line.starts_with("PATH=")), "the host's own is there too");
}

#[test]
fn how_it_failed() {
    let desk = Desk::new();
    let check = |script: &str, expect: &str| assert_eq!(desk.notify(script, AMPLE), Err(expect.to_owned()));
    check("exit 3", "exit code 3");
    check(
        "echo first >&2; echo 'mail: no such host' >&2; echo >&2; exit 3",
        "exit code 3: mail: no such host",
    );
    check("printf 'no newline\\033[1m' >&2; exit 1", "exit code 1: no newline [1m");
    check("echo out; kill -KILL $$", "killed by SIGKILL");
    let error = desk.notify("no-such-program", AMPLE).unwrap_err();
    assert!(error.starts_with("exit code 127: ") && error.contains("no-such-program"), "{error}");
}

#[test]
fn a_command_that_cannot_be_started() {
    let desk = Desk::new();
    let error = command(&["./no-such-notifier", "{task}"], AMPLE).notify(&desk.failure()).unwrap_err();
    assert!(error.contains("no-such-notifier"), "{error}");
    assert!(command(&[], AMPLE).notify(&desk.failure()).is_err());
}

#[test]
fn a_task_whose_folder_is_missing_is_told_of_too() {
    let desk = Desk::new();
    let told = desk.0.path().join("told");
    let failure = Failure { working_directory: desk.0.path().join("missing"), ..desk.failure() };
    assert_eq!(shell(&format!("pwd > {}", told.display()), AMPLE).notify(&failure), Ok(()));
    assert_eq!(desk.read("told"), "/\n");
}

#[test]
fn values_that_no_process_can_be_given_do_not_cost_the_message() {
    let desk = Desk::new();
    let failure = Failure { task: "a\0b".into(), command: "x".repeat(1 << 20), ..desk.failure() };
    assert_eq!(shell("cat > message", AMPLE).notify(&failure), Ok(()));
    assert!(desk.read("message").starts_with("task \"a\\u{0}b\" failed"));
}

#[test]
fn a_command_need_not_read_the_message() {
    let desk = Desk::new();
    let failure = Failure { stdout: vec![b'x'; 1 << 20], ..desk.failure() };
    assert_eq!(shell("exit 0", AMPLE).notify(&failure), Ok(()));
    assert_eq!(shell("exec 0<&-; echo gone on > told", AMPLE).notify(&failure), Ok(()));
    assert_eq!(desk.read("told"), "gone on\n");
    assert_eq!(shell("head -c 70000 > part; exit 0", AMPLE).notify(&failure), Ok(()));
    assert_eq!(desk.read("part").len(), 70_000);
    assert_eq!(shell("cat > all", AMPLE).notify(&failure), Ok(()));
    assert_eq!(desk.read("all"), text(&failure));
}

#[test]
fn what_it_writes_holds_nothing_up() {
    let desk = Desk::new();
    let script = "head -c 3000000 /dev/zero; head -c 3000000 /dev/zero | tr '\\0' 'x' >&2; echo >&2; echo end >&2; exit 1";
    assert_eq!(desk.notify(script, AMPLE), Err("exit code 1: end".to_owned()));
}

#[test]
fn a_command_that_hangs_is_ended_with_its_group() {
    let desk = Desk::new();
    let script = "echo $$ > leader; sleep 1000 & echo $! > child; echo stuck >&2; wait";
    // The limit is long enough for the script to get there on a busy machine.
    let limit = Duration::from_secs(1);
    assert_eq!(desk.notify(script, limit), Err("took longer than 1s: stuck".to_owned()));
    assert!(!desk.is_alive("leader") && !desk.is_alive("child"));
}

#[test]
fn a_command_that_ignores_sigterm_is_killed() {
    let desk = Desk::new();
    let script = "trap '' TERM; echo $$ > leader; while :; do sleep 1000; done";
    let begun = Instant::now();
    assert_eq!(desk.notify(script, Duration::from_millis(500)), Err("took longer than 500ms".to_owned()));
    assert!(!desk.is_alive("leader"));
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn what_works_on_in_the_background_has_its_time() {
    let desk = Desk::new();
    // As mailers do: the message is delivered after the command itself has gone.
    let script = "exec 3<&0; { cat <&3 > letter && sleep 0.2 && mv letter delivered; } & exit 0";
    assert_eq!(desk.notify(script, AMPLE), Ok(()));
    assert_eq!(desk.read("delivered"), text(&desk.failure()));
}

#[test]
fn what_is_left_behind_past_the_limit_is_killed() {
    let desk = Desk::new();
    let limit = Duration::from_secs(1);
    let error = desk.notify("sleep 1000 & echo $! > child; exit 0", limit).unwrap_err();
    assert_eq!(error, "left processes behind that took longer than 1s");
    assert!(!desk.is_alive("child"));
    let error = desk.notify("sleep 1000 & echo $! > child; exit 4", limit).unwrap_err();
    assert_eq!(error, "exit code 4");
    assert!(!desk.is_alive("child"));
}

#[test]
fn messages_of_a_task_reach_the_command_in_order() {
    let desk = Desk::new();
    let post = Post::new();
    let append = recipient("command", AMPLE, shell("echo $3 >> attempts", AMPLE));
    for attempt in 1..=10 {
        let mut message = pending("backup", attempt);
        message.failure.working_directory = desk.0.path().to_owned();
        post.notifications.send(task(0), append.clone(), message);
    }
    for _ in 0..10 {
        assert_eq!(post.next().result, Ok(()));
    }
    assert_eq!(desk.read("attempts"), (1..=10).map(|n| format!("{n}\n")).collect::<String>());
}

#[test]
fn the_end_of_the_host_kills_commands_with_their_groups() {
    let desk = Desk::new();
    let ready = desk.0.path().join("ready");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &ready,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    let post = Post::new();
    let script =
        "trap '' TERM; sleep 1000 & echo $! > child; echo $$ > leader; echo go > ready; wait; sleep 1000";
    let hang = recipient("command", AMPLE, shell(script, AMPLE));
    let mut message = pending("backup", 1);
    message.failure.working_directory = desk.0.path().to_owned();
    post.notifications.send(task(0), hang.clone(), message.clone());
    post.notifications.send(task(0), hang.clone(), message);
    // Opening it waits for the script to do the same.
    assert_eq!(fs::read_to_string(&ready).unwrap(), "go\n");
    assert!(desk.is_alive("leader") && desk.is_alive("child"));
    post.notifications.abandon();
    assert_eq!(post.next().result, Err("dropped: the host is ending".to_owned()));
    assert_eq!(post.next().result, Err("killed: the host is ending".to_owned()));
    post.wait_until_idle();
    assert!(!desk.is_alive("leader") && !desk.is_alive("child"));
    assert_eq!(hang.notifier.notify(&desk.failure()), Err("not started: the host is ending".to_owned()));
}
