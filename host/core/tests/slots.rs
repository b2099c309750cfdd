//! What the contract says about the limit of runs that are alive at once, as short stories.

#[allow(dead_code, reason = "what a story can tell is for several files of tests")]
#[path = "many/story.rs"]
mod story;

use bansuri_core::{
    Backoff, Change, Command, Exit, Input, OnExhausted, OnFail, Positive, Retry, Schedule, TaskPlan,
    TimerMode, Verdict,
};
use std::num::NonZeroU32;
use std::time::Duration;
use story::{Story, plan, task, timer};

const QUEUES: &str = "waiting for a free slot";

fn retries(plan: TaskPlan, max_attempts: u32) -> TaskPlan {
    let on_fail = OnFail::Restart(Retry {
        max_attempts: NonZeroU32::new(max_attempts),
        delay: Duration::from_secs(5),
        backoff: Backoff::NONE,
        on_exhausted: OnExhausted::Continue,
    });
    TaskPlan { on_fail, ..plan }
}

#[test]
fn runs_beyond_the_limit_wait_and_come_in_the_order_they_came() {
    let tasks = [task("a", &[]), task("b", &[]), task("c", &[])];
    let first = "a PENDING at 0 (first run), b PENDING at 0 (first run), c PENDING at 0 (first run)";
    let begin = format!("{first}, a starts 1.1, b PENDING ({QUEUES}), c PENDING ({QUEUES})");
    let mut story = Story::new(&tasks, 1, &begin);
    story.shows("b", &format!("PENDING ({QUEUES})"));
    assert_eq!((story.core.verdict(), story.core.next_deadline()), (None, None));
    story.exits(1, "a", 0, "a COMPLETED, b starts 1.1");
    // Who comes back queues behind those that wait.
    story.operator(
        2,
        "a",
        Command::Start,
        &format!("a PENDING at 2 (started by an operator), a PENDING ({QUEUES})"),
    );
    story.exits(3, "b", 0, "b COMPLETED, c starts 1.1");
    story.exits(4, "c", 0, "c COMPLETED, a starts 2.1");
    story.exits(5, "a", 0, "a COMPLETED");
    assert_eq!(story.core.verdict(), Some(Verdict::AllCompleted));
}

#[test]
fn services_take_no_slot_and_a_retry_wait_gives_it_up() {
    let service = retries(task("s", &[]), 0);
    let service = TaskPlan { schedule: Schedule::Service, ..service };
    let tasks = [service, retries(task("a", &[]), 2), task("b", &[])];
    let begin = format!(
        "s PENDING at 0 (first run), a PENDING at 0 (first run), b PENDING at 0 (first run), s starts 1.1, a starts 1.1, b PENDING ({QUEUES})"
    );
    let mut story = Story::new(&tasks, 1, &begin);
    story.exits(1, "a", 1, "a FAILED, a PENDING at 6 (retry 2 of 2), b starts 1.1");
    story.at(6, Input::Tick, &format!("a PENDING ({QUEUES})"));
    story.exits(7, "b", 0, "b COMPLETED, a starts 2.2");
}

#[test]
fn ticks_in_the_queue_are_skipped_in_one_event_and_the_grid_stays() {
    let tasks = [task("long", &[]), timer(task("t", &[]), 10)];
    let first = "long PENDING at 0 (first run), t PENDING at 0 (first run)";
    let mut story = Story::new(&tasks, 1, &format!("{first}, long starts 1.1, t PENDING ({QUEUES})"));
    story.exits(3, "long", 0, "long COMPLETED, t starts 1.1");
    story.exits(4, "t", 0, "t COMPLETED, t PENDING at 10 (next tick)");
    let triggered = "long PENDING at 9 (triggered by an operator), long starts 2.1";
    story.operator(9, "long", Command::Trigger, triggered);
    story.at(10, Input::Tick, &format!("t PENDING ({QUEUES})"));
    story.exits(35, "long", 0, &format!("long COMPLETED, t skipped 2 from 20 ({QUEUES}), t starts 2.1"));
    story.exits(36, "t", 0, "t COMPLETED, t PENDING at 40 (next tick)");
}

#[test]
fn the_first_start_of_a_timer_that_queued_is_late_and_nothing_is_made_up_for() {
    let tasks = [task("long", &[]), timer(task("t", &[]), 10)];
    let first = "long PENDING at 0 (first run), t PENDING at 0 (first run)";
    let mut story = Story::new(&tasks, 1, &format!("{first}, long starts 1.1, t PENDING ({QUEUES})"));
    story.exits(25, "long", 0, &format!("long COMPLETED, t skipped 2 from 10 ({QUEUES}), t starts 1.1"));
    story.exits(26, "t", 0, "t COMPLETED, t PENDING at 30 (next tick)");
}

#[test]
fn a_pause_counts_from_the_end_of_a_run_that_queued() {
    let schedule = Schedule::Timer {
        interval: Positive::new(Duration::from_secs(10)).unwrap(),
        mode: TimerMode::FixedDelay,
    };
    let tasks = [task("long", &[]), TaskPlan { schedule, ..task("t", &[]) }];
    let first = "long PENDING at 0 (first run), t PENDING at 0 (first run)";
    let mut story = Story::new(&tasks, 1, &format!("{first}, long starts 1.1, t PENDING ({QUEUES})"));
    story.exits(25, "long", 0, "long COMPLETED, t starts 1.1");
    story.exits(26, "t", 0, "t COMPLETED, t PENDING at 36 (next tick)");
}

#[test]
fn what_is_left_of_a_run_keeps_its_slot() {
    let tasks = [task("a", &[]), task("b", &[])];
    let first = "a PENDING at 0 (first run), b PENDING at 0 (first run)";
    let mut story = Story::new(&tasks, 1, &format!("{first}, a starts 1.1, b PENDING ({QUEUES})"));
    let run = story.last_run("a");
    story.at(1, Input::Finished { run, exit: Exit::Code(0), remains: true }, "a COMPLETED, a is asked");
    story.at(11, Input::Tick, "a is forced");
    story.at(12, Input::Gone { run }, "b starts 1.1");
}

#[test]
fn who_queues_can_be_stopped_and_a_trigger_of_it_changes_nothing() {
    let tasks = [task("a", &[]), task("b", &[]), task("c", &[])];
    let first = "a PENDING at 0 (first run), b PENDING at 0 (first run), c PENDING at 0 (first run)";
    let mut story =
        Story::new(&tasks, 1, &format!("{first}, a starts 1.1, b PENDING ({QUEUES}), c PENDING ({QUEUES})"));
    story.operator(1, "b", Command::Trigger, "");
    story.operator(2, "b", Command::Stop, "b STOPPED (stopped by an operator)");
    story.exits(3, "a", 0, "a COMPLETED, c starts 1.1");
    let down = "the host is shutting down";
    story.operator(
        4,
        "a",
        Command::Trigger,
        &format!("a PENDING at 4 (triggered by an operator), a PENDING ({QUEUES})"),
    );
    story.at(5, Input::Shutdown, &format!("a STOPPED ({down}), c is asked"));
    story.exits(6, "c", 0, "c STOPPED");
    assert!(story.core.is_shut_down());
}

#[test]
fn a_reload_changes_the_limit() {
    let tasks = [task("a", &[]), task("b", &[]), task("c", &[])];
    let first = "a PENDING at 0 (first run), b PENDING at 0 (first run), c PENDING at 0 (first run)";
    let mut story =
        Story::new(&tasks, 1, &format!("{first}, a starts 1.1, b PENDING ({QUEUES}), c PENDING ({QUEUES})"));
    let same = [("a", Change::None), ("b", Change::None), ("c", Change::None)];
    story.reload(1, plan(&tasks, 2), &same, "b starts 1.1");
    story.reload(2, plan(&tasks, 1), &same, "");
    story.exits(3, "a", 0, "a COMPLETED");
    story.reload(4, plan(&tasks, 0), &same, "c starts 1.1");
}

#[test]
fn a_slot_that_a_stuck_run_has_does_not_keep_the_host_from_being_done() {
    let tasks = [task("a", &[]), task("b", &[])];
    let first = "a PENDING at 0 (first run), b PENDING at 0 (first run)";
    let mut story = Story::new(&tasks, 1, &format!("{first}, a starts 1.1, b PENDING ({QUEUES})"));
    let run = story.last_run("a");
    story.operator(1, "a", Command::Stop, "a is asked");
    story.at(11, Input::Tick, "a is forced");
    story.at(11, Input::CannotForce { run }, "a is stuck");
    assert_eq!(story.core.verdict(), Some(Verdict::SomeFailed));
    story.exits(20, "a", 0, "a TIMED_OUT, a STOPPED (stopped by an operator), b starts 1.1");
}
