//! What the contract says about the end of a host with tasks that depend on each other, as short stories.

#[allow(dead_code, reason = "what a story can tell is for several files of tests")]
#[path = "many/story.rs"]
mod story;

use bansuri_core::{Backoff, Exit, Input, Mono, OnExhausted, OnFail, Retry, Schedule, TaskPlan};
use std::time::Duration;
use story::{SECOND, Story, task, timer};

fn service(plan: TaskPlan) -> TaskPlan {
    let on_fail = OnFail::Restart(Retry {
        max_attempts: None,
        delay: Duration::from_secs(5),
        backoff: Backoff::NONE,
        on_exhausted: OnExhausted::Continue,
    });
    TaskPlan { schedule: Schedule::Service, on_fail, ..plan }
}

#[test]
fn shutdown_goes_in_waves_with_dependents_first_and_one_deadline_each() {
    let patient = |plan: TaskPlan, seconds| TaskPlan { stop_timeout: Duration::from_secs(seconds), ..plan };
    let tasks = [
        patient(service(task("db", &[])), 7),
        patient(task("migration", &["db started"]), 7),
        patient(service(task("web", &["migration"])), 1),
        patient(service(task("worker", &["db started"])), 3),
        patient(service(task("other", &[])), 5),
        timer(task("later", &["web started"]), 100),
    ];
    let mut story = Story::new(
        &tasks,
        0,
        "db PENDING at 0 (first run), migration PENDING (waiting for db to start), \
         web PENDING (waiting for migration to complete), worker PENDING (waiting for db to start), \
         other PENDING at 0 (first run), later PENDING (waiting for web to start), db starts 1.1, \
         other starts 1.1, migration PENDING at 0 (first run), worker PENDING at 0 (first run), \
         migration starts 1.1, worker starts 1.1",
    );
    let opened =
        "web PENDING at 1 (first run), web starts 1.1, later PENDING at 1 (first run), later starts 1.1";
    story.exits(1, "migration", 0, &format!("migration COMPLETED, {opened}"));
    story.exits(2, "later", 0, "later COMPLETED, later PENDING at 101 (next tick)");
    let stopped = "the host is shutting down";
    story.at(
        10,
        Input::Shutdown,
        &format!("later STOPPED ({stopped}), web is asked, worker is asked, other is asked"),
    );
    story.at(14, Input::Tick, "");
    story.exits(14, "other", 0, "other STOPPED");
    story.exits(14, "worker", 0, "worker STOPPED");
    // The longest time to stop in the wave is that of a task that has stopped already.
    assert_eq!(story.core.next_deadline(), Some(Mono::from_nanos(15 * SECOND)));
    story.at(15, Input::Tick, "web is forced");
    // What web depended on by way of another task was held up to now.
    story.exits(16, "web", 0, "web STOPPED, db is asked");
    assert!(!story.core.is_shut_down());
    assert_eq!(story.core.next_deadline(), Some(Mono::from_nanos(23 * SECOND)));
    story.exits(17, "db", 0, "db STOPPED");
    assert!(story.core.is_shut_down() && story.core.next_deadline().is_none());
}

#[test]
fn what_fails_before_its_wave_is_not_tried_again_and_a_kill_waits_for_nobody() {
    let tasks = [
        service(task("db", &[])),
        service(task("web", &["db started"])),
        service(task("x", &["db started"])),
    ];
    let begin = "db PENDING at 0 (first run), web PENDING (waiting for db to start), x PENDING (waiting for db to start), db starts 1.1, \
        web PENDING at 0 (first run), x PENDING at 0 (first run), web starts 1.1, x starts 1.1";
    let mut story = Story::new(&tasks, 0, begin);
    story.at(1, Input::Shutdown, "web is asked, x is asked");
    story.exits(2, "db", 1, "db FAILED, db STOPPED (the host is shutting down)");
    story.exits(3, "web", 0, "web STOPPED");
    story.at(4, Input::Kill, "x is forced");
    story.exits(4, "x", 0, "x STOPPED");
    assert!(story.core.is_shut_down());

    let mut story = Story::new(&tasks, 0, begin);
    story.at(1, Input::Kill, "db is forced, web is forced, x is forced");
}

#[test]
fn remains_hold_the_next_wave() {
    let tasks = [service(task("db", &[])), service(task("web", &["db started"]))];
    let begin = "db PENDING at 0 (first run), web PENDING (waiting for db to start), db starts 1.1, web PENDING at 0 (first run), web starts 1.1";
    let mut story = Story::new(&tasks, 0, begin);
    story.at(1, Input::Shutdown, "web is asked");
    let run = story.last_run("web");
    story.at(2, Input::Finished { run, exit: Exit::Code(0), remains: true }, "web STOPPED");
    story.at(11, Input::Tick, "web is forced");
    story.at(12, Input::Gone { run }, "db is asked");
}

#[test]
fn what_has_run_and_waits_in_vain_for_another_trigger_stays_as_it_ended() {
    for input in [Input::Shutdown, Input::Kill] {
        let mut story = Story::new(
            &[task("a", &[]), task("b", &["a"])],
            0,
            "a PENDING at 0 (first run), b PENDING (waiting for a to complete), a starts 1.1",
        );
        story.exits(1, "a", 0, "a COMPLETED, b PENDING at 1 (first run), b starts 1.1");
        story.exits(2, "b", 0, "b COMPLETED");
        story.at(3, input, "");
        assert!(story.core.is_shut_down());
    }
}
