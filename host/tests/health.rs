//! The health checker on real processes.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use bansuri::launch::{Account, Action, HealthCommand, Launch, Words};
use bansuri::runner::{HealthChecker, HealthUpdate};
use bansuri_core::{RunId, TaskId};
use polling::{Events, Poller};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::{PATIENCE, lives, shell};

struct Ward {
    poller: Arc<Poller>,
    checker: HealthChecker,
}

fn run(number: u64) -> RunId {
    RunId { task: TaskId::new(3), number }
}

fn checked(line: &str) -> Launch {
    let action = Action::Shell(line.into());
    Launch { health: Some(Box::new(HealthCommand { action, timeout: PATIENCE })), ..shell("sleep 1000") }
}

fn within(limit: Duration, mut launch: Launch) -> Launch {
    launch.health.as_mut().unwrap().timeout = limit;
    launch
}

impl Ward {
    fn new() -> Self {
        let poller = Arc::new(Poller::new().unwrap());
        let checker = HealthChecker::new(Arc::clone(&poller), 1 << 20)
            .with_helper(env!("CARGO_BIN_EXE_bansuri").into());
        Self { poller, checker }
    }

    /// Hands events on until `done` gives something.
    fn until<T>(&mut self, mut done: impl FnMut(&mut HealthChecker) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        let mut events = Events::new();
        loop {
            if let Some(result) = done(&mut self.checker) {
                return result;
            }
            assert!(Instant::now() < deadline, "nothing happens");
            events.clear();
            self.poller.wait(&mut events, Some(PATIENCE)).unwrap();
            for event in events.iter() {
                self.checker.on_ready(event.key);
            }
        }
    }

    fn update(&mut self) -> HealthUpdate {
        self.until(HealthChecker::poll_update)
    }

    fn problem(&mut self, launch: &Launch) -> Option<String> {
        self.checker.start(run(1), launch).unwrap();
        let HealthUpdate { run: whose, problem } = self.update();
        assert_eq!(whose, run(1));
        self.gone();
        problem
    }

    fn gone(&mut self) {
        self.until(|checker| {
            assert_eq!(checker.poll_update(), None);
            checker.all_gone().then_some(())
        });
    }
}

/// The number in a file, once it is there.
fn pid_in(path: &Path) -> u32 {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match std::fs::read_to_string(path) {
            Ok(text) if text.ends_with('\n') => return text.trim().parse().unwrap(),
            _ => assert!(Instant::now() < deadline, "no number in {path:?}"),
        }
        std::thread::yield_now();
    }
}

#[test]
fn a_check_says_what_is_wrong() {
    let mut ward = Ward::new();
    assert!(ward.checker.all_gone());
    assert_eq!(ward.problem(&checked("echo fine")), None);
    assert_eq!(ward.problem(&checked("exit 3")).unwrap(), "exit code 3");
    assert_eq!(ward.problem(&checked("echo one; echo two; exit 1")).unwrap(), "exit code 1: two");
    assert_eq!(ward.problem(&checked("echo out; echo err >&2; exit 1")).unwrap(), "exit code 1: err");
    assert_eq!(ward.problem(&checked("kill -SEGV $$")).unwrap(), "killed by SIGSEGV");
    let long = ward.problem(&checked("printf '%01000d' 7; exit 1")).unwrap();
    assert_eq!(long.len(), "exit code 1: ".len() + 200);
}

#[test]
fn a_check_that_cannot_be_started_is_a_problem() {
    let mut ward = Ward::new();
    let mut launch = checked("");
    launch.health.as_mut().unwrap().action = Action::Exec(Words::new(["/no/such/check"]).unwrap());
    let error = ward.checker.start(run(1), &launch).unwrap_err();
    assert_eq!(error, "command \"/no/such/check\": no such file or directory");
    launch.privileges.umask = Some(0o022);
    assert_eq!(ward.problem(&launch).unwrap(), error, "through the helper as well");
    launch.health = None;
    assert_eq!(ward.checker.start(run(1), &launch), Err("the task has no health check".into()));
    assert!(ward.checker.all_gone());
}

#[test]
fn a_check_is_run_as_the_task_is() {
    let folder = tempfile::tempdir().unwrap();
    let env_file = folder.path().join("task.env");
    std::fs::write(&env_file, "FROM_FILE=file\n").unwrap();
    let mut ward = Ward::new();
    let mut launch = checked("echo $FROM_FILE $OWN $BANSURI_TASK $BANSURI_RUN $(pwd) $(umask); exit 1");
    launch.environment_file = Some(env_file);
    launch.environment.insert("OWN".into(), "own".into());
    *launch.working_directory = "/usr".into();
    launch.privileges.umask = Some(0o077);
    assert_eq!(ward.problem(&launch).unwrap(), "exit code 1: file own task 1 /usr 0077");
    if !rustix::process::geteuid().is_root() {
        eprintln!("a_check_is_run_as_the_task_is: skipped in part: only root can become another user");
        return;
    }
    launch.privileges.user = Some(Account::Name("nobody".into()));
    launch.environment_file = None;
    launch.health.as_mut().unwrap().action = Action::Shell("echo $USER $(id -un); exit 1".into());
    assert_eq!(ward.problem(&launch).unwrap(), "exit code 1: nobody nobody");
}

#[test]
fn a_check_that_takes_too_long_ends_with_its_group() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pid");
    let line = format!("sleep 1000 & echo $! > {}; trap '' TERM; wait", file.display());
    let mut ward = Ward::new();
    ward.checker.start(run(1), &within(Duration::from_secs(1), checked(&line))).unwrap();
    ward.checker.start(run(2), &checked("exit 1")).unwrap();
    let child = pid_in(&file);
    assert!(lives(child));
    let mut found = [ward.update(), ward.update()];
    found.sort_by_key(|update| update.run.number);
    assert_eq!(found[0].problem.as_deref(), Some("took longer than 1s"));
    assert_eq!(found[1].problem.as_deref(), Some("exit code 1"));
    ward.gone();
    assert!(!lives(child));
}

#[test]
fn what_a_check_leaves_behind_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pid");
    let line = format!("sleep 1000 & echo $! > {}", file.display());
    let mut ward = Ward::new();
    assert_eq!(ward.problem(&checked(&line)), None);
    assert!(!lives(pid_in(&file)));
}

#[test]
fn a_check_that_is_cancelled_answers_nothing() {
    let mut ward = Ward::new();
    ward.checker.start(run(1), &checked("exec sleep 1000")).unwrap();
    assert_eq!(ward.checker.start(run(1), &checked("true")), Err("the last check is not gone yet".into()));
    assert!(!ward.checker.all_gone());
    ward.checker.cancel(run(1));
    ward.checker.cancel(run(9));
    ward.gone();
    for number in 1..=3 {
        ward.checker.start(run(number), &checked("exec sleep 1000")).unwrap();
    }
    ward.checker.cancel_all();
    ward.gone();
    assert_eq!(ward.problem(&checked("true")), None, "and the next one is as good as the first");
}

#[test]
fn a_checker_that_is_dropped_kills_its_checks() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pid");
    let mut ward = Ward::new();
    ward.checker.start(run(1), &checked(&format!("echo $$ > {}; sleep 1000", file.display()))).unwrap();
    let pid = pid_in(&file);
    drop(ward);
    assert!(!lives(pid));
}
