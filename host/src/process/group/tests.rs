//! Groups by both routes, on real processes.

use super::*;
use crate::process::{Environment, Spawn, Stdio, pipe};
use std::ffi::OsString;
use std::io::Read;

const PATIENCE: Duration = Duration::from_secs(30);

fn shell(line: &str, stdout: Stdio) -> Spawn {
    Spawn {
        program: OsString::from("sh"),
        arguments: vec!["-c".into(), line.into()],
        environment: Environment::of_host(),
        working_directory: "/".into(),
        stdin: Stdio::Null,
        stdout,
        stderr: Some(Stdio::Inherit),
        more: Vec::new(),
    }
}

/// The group, and what it prints until nobody can print any more.
fn start(line: &str, route: Route) -> (Group, std::fs::File) {
    let (read, write) = pipe().unwrap();
    let spawn = shell(line, Stdio::To(write));
    let group = Group::by_route(spawn.start_unwatched().unwrap(), route).unwrap();
    (group, read.into())
}

fn first_line(mut output: &std::fs::File) -> String {
    let (mut line, mut byte) = (String::new(), [0]);
    while output.read(&mut byte).unwrap() == 1 && byte != *b"\n" {
        line.push(char::from(byte[0]));
    }
    line
}

fn on_both_routes(check: impl Fn(Route)) {
    assert_eq!(Route::detect(), Route::Pidfd, "this kernel has both");
    check(Route::Pidfd);
    check(Route::Unreaped);
}

#[test]
fn an_exit_is_given_once_and_leaves_no_zombie() {
    on_both_routes(|route| {
        let (group, _output) = start("exit 7", route);
        assert_eq!(group.wait(PATIENCE), Some(Exit::Code(7)));
        assert_eq!(group.take_exit(), None);
        assert!(group.wait_gone(PATIENCE));
        assert_eq!(group_exists(&group), Err(libc::ESRCH));
        assert_eq!(group.signal(Signal::KILL), Ok(()));
    });
}

#[test]
fn a_limit_is_kept_while_the_leader_lives() {
    on_both_routes(|route| {
        let (group, _output) = start("exec sleep 1000", route);
        assert_eq!(group.wait(Duration::from_millis(1)), None);
        assert!(!group.wait_gone(Duration::ZERO));
        group.signal(Signal::TERM).unwrap();
        assert_eq!(group.wait(PATIENCE), Some(Exit::Signal(Signal::TERM)));
        assert!(group.wait_gone(PATIENCE));
    });
}

#[test]
fn what_outlives_its_leader_is_reached() {
    on_both_routes(|route| {
        let (group, output) = start("(trap '' TERM; echo ready; exec sleep 1000) & exit 3", route);
        assert_eq!(first_line(&output), "ready");
        group.signal(Signal::TERM).unwrap();
        assert!(matches!(group.wait(PATIENCE), Some(Exit::Signal(Signal::TERM) | Exit::Code(_))));
        assert!(!group.is_empty());
        assert!(
            matches!(members::survey(&[&group])[0], Presence::Members(ref members) if members.len() == 1)
        );
        assert!(!group.wait_gone(Duration::from_millis(1)));
        group.kill().unwrap();
        assert!(group.wait_gone(PATIENCE));
        assert_eq!((&output).read(&mut [0]).unwrap(), 0, "nobody holds the pipe any more");
    });
}

#[test]
fn more_than_are_watched_at_once_are_waited_for() {
    on_both_routes(|route| {
        let (group, mut output) = start("for i in $(seq 50); do sleep 1000 & done; echo ready", route);
        assert_eq!(first_line(&output), "ready");
        assert_eq!(group.wait(PATIENCE), Some(Exit::Code(0)));
        let found = members::survey(&[&group]).pop();
        assert!(matches!(found, Some(Presence::Members(members)) if members.len() == 16));
        group.signal(Signal::TERM).unwrap();
        assert!(group.wait_gone(PATIENCE));
        assert_eq!(output.read(&mut [0]).unwrap(), 0, "nobody holds the pipe any more");
    });
}

#[test]
fn a_group_that_is_dropped_is_killed() {
    on_both_routes(|route| {
        let (group, mut output) = start("trap '' TERM; sleep 1000 & echo ready; wait", route);
        assert_eq!(first_line(&output), "ready");
        drop(group);
        assert_eq!(output.read(&mut [0]).unwrap(), 0, "nobody holds the pipe any more");
    });
}

#[test]
fn one_survey_tells_groups_apart() {
    on_both_routes(|route| {
        let (first, first_output) = start("sleep 1000 & echo ready", route);
        let (second, _) = start("exit 0", route);
        assert_eq!(first_line(&first_output), "ready");
        assert_eq!((first.wait(PATIENCE), second.wait(PATIENCE)), (Some(Exit::Code(0)), Some(Exit::Code(0))));
        let found = members::survey(&[&second, &first]);
        assert!(matches!(found[0], Presence::Gone));
        assert!(matches!(found[1], Presence::Members(_)));
    });
}

fn group_exists(group: &Group) -> Result<(), i32> {
    // SAFETY: plain system call; signal 0 only asks.
    match unsafe { libc::kill(-group.leader(), 0) } {
        0 => Ok(()),
        _ => Err(errno()),
    }
}
