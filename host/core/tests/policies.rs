//! What the contract says about services, retries, health and who is told, as short stories.

mod support;

use bansuri_core::{Command, Exit, Input, NotifyMode, OnExhausted, OnFail, Verdict};
use std::num::NonZeroU32;
use support::story::{Story, checked, exits, id, operator};
use support::{Options, backoff, doubling, health, notify, retry};

const FAILED: &str = "RUNNING>FAILED (exit code 1)";
const DONE: &str = "RUNNING>COMPLETED (exit code 0)";

fn service(max_attempts: u32) -> Options {
    let on_fail = backoff(max_attempts, 5, OnExhausted::Continue, doubling(30, 0.0));
    Options { service: true, on_fail, notify: None, ..Options::default() }
}

#[test]
fn a_service_runs_again_after_every_exit_and_its_delay_grows() {
    let mut story = Story::new(service(0));
    story.started(0, 1);
    story.at(1, exits(1, 0), &format!("{DONE}, COMPLETED>PENDING at 6 (restart)"));
    story.at(6, Input::Tick, "start 2.1");
    story.started(6, 2);
    story.at(7, exits(2, 1), &format!("{FAILED}, FAILED>PENDING at 17 (retry 2)"));
    story.at(17, Input::Tick, "start 3.2");
    story.started(17, 3);
    story.at(18, exits(3, 1), &format!("{FAILED}, FAILED>PENDING at 38 (retry 3)"));
    story.at(38, Input::Tick, "start 4.3");
    story.started(38, 4);
    story.at(39, exits(4, 0), &format!("{DONE}, COMPLETED>PENDING at 69 (restart)"));
    assert_eq!(story.core.verdict(), None);
}

#[test]
fn a_service_that_fails_too_often_in_a_row_ends_failed() {
    let mut story = Story::new(service(2));
    story.started(0, 1);
    story.at(1, exits(1, 1), &format!("{FAILED}, FAILED>PENDING at 6 (retry 2 of 2)"));
    story.at(6, Input::Tick, "start 2.2");
    story.started(6, 2);
    story.at(7, exits(2, 1), FAILED);
    assert_eq!((story.due_at(), story.core.verdict()), (None, Some(Verdict::SomeFailed)));
    story.at(8, operator(Command::Start), "FAILED>PENDING at 8 (started by an operator), start 3.1");
}

#[test]
fn a_service_that_lived_longer_than_the_longest_delay_starts_again_from_the_first() {
    let mut story = Story::new(service(3));
    story.started(0, 1);
    story.at(1, exits(1, 1), &format!("{FAILED}, FAILED>PENDING at 6 (retry 2 of 3)"));
    story.at(6, Input::Tick, "start 2.2");
    story.started(6, 2);
    story.at(7, exits(2, 1), &format!("{FAILED}, FAILED>PENDING at 17 (retry 3 of 3)"));
    story.at(17, Input::Tick, "start 3.3");
    story.started(17, 3);
    // It lived for 31 s, so that this is the first failure in a row, and the first delay.
    story.at(48, exits(3, 1), &format!("{FAILED}, FAILED>PENDING at 53 (retry 2 of 3)"));
}

#[test]
fn a_triggered_run_of_a_waiting_service_goes_back_to_the_wait() {
    let mut story = Story::new(service(0));
    story.started(0, 1);
    story.at(1, exits(1, 0), &format!("{DONE}, COMPLETED>PENDING at 6 (restart)"));
    story.at(2, operator(Command::Trigger), "PENDING>PENDING at 2 (triggered by an operator), start 2.1");
    story.started(2, 2);
    story.at(3, exits(2, 0), &format!("{DONE}, COMPLETED>PENDING at 6 (restart)"));
}

#[test]
fn the_delay_of_a_task_grows_with_its_retries_and_starts_afresh_with_the_next_tick() {
    let on_fail = backoff(0, 2, OnExhausted::Continue, doubling(300, 0.0));
    let mut story = Story::new(Options { timer: 100, on_fail, notify: None, ..Options::default() });
    story.started(0, 1);
    story.at(0, exits(1, 1), &format!("{FAILED}, FAILED>PENDING at 2 (retry 2)"));
    story.at(2, Input::Tick, "start 2.2");
    story.started(2, 2);
    story.at(2, exits(2, 1), &format!("{FAILED}, FAILED>PENDING at 6 (retry 3)"));
    story.at(6, Input::Tick, "start 3.3");
    story.started(6, 3);
    story.at(6, exits(3, 0), &format!("{DONE}, COMPLETED>PENDING at 100 (next tick)"));
    story.at(100, Input::Tick, "start 4.1");
    story.started(100, 4);
    story.at(100, exits(4, 1), &format!("{FAILED}, FAILED>PENDING at 102 (retry 2)"));
}

#[test]
fn an_unhealthy_run_is_ended_and_has_failed() {
    let on_fail = retry(2, 1, OnExhausted::Stop);
    let options = Options { on_fail, health: health(10, 2, 0), notify: None, ..Options::default() };
    let mut story = Story::new(options);
    story.started(0, 1);
    story.at(10, Input::Tick, "check 1");
    story.at(13, checked(1, Some("exit code 1")), "");
    story.at(23, Input::Tick, "check 1");
    story.at(23, checked(1, None), "");
    story.at(33, Input::Tick, "check 1");
    story.at(33, checked(1, Some("exit code 1")), "");
    story.at(43, Input::Tick, "check 1");
    story.at(44, checked(1, Some("no answer in 1s")), "ask 1");
    story.at(45, checked(1, Some("late")), "");
    let reason = "unhealthy: no answer in 1s";
    let ended = format!("RUNNING>FAILED ({reason}), FAILED>PENDING at 47 (retry 2 of 2)");
    story.at(46, exits(1, 0), &ended);
    story.at(47, checked(1, None), "start 2.2");
}

#[test]
fn an_answer_about_a_former_run_says_nothing_about_this_one() {
    let options = Options { health: health(10, 1, 0), timer: 20, ..Options::default() };
    let mut story = Story::new(options);
    story.started(0, 1);
    story.at(10, Input::Tick, "check 1");
    story.at(12, exits(1, 0), &format!("{DONE}, COMPLETED>PENDING at 20 (next tick)"));
    story.at(20, Input::Tick, "start 2.1");
    story.started(20, 2);
    story.at(30, Input::Tick, "check 2");
    story.at(31, checked(1, Some("it is gone")), "");
    story.at(31, checked(2, None), "");
    assert_eq!(story.due_at(), Some(41));
}

#[test]
fn somebody_is_told_once_in_a_streak_and_of_its_end() {
    let mode = NotifyMode::AfterMany(NonZeroU32::new(2).expect("two"));
    let on_fail = OnFail::Ignore;
    let options = Options { timer: 10, on_fail, notify: notify(mode, true, 0), ..Options::default() };
    let mut story = Story::new(options);
    let told = format!("{FAILED}, notify exit code 1");
    let recovered = format!("{DONE}, recovery exit code 0");
    let stories = [(1, FAILED), (1, &told), (1, FAILED), (0, &recovered), (0, DONE), (1, FAILED), (0, DONE)];
    for (index, (code, expect)) in (0..).zip(stories) {
        story.started(10 * index, index + 1);
        let name = if code == 0 { "COMPLETED" } else { "FAILED" };
        let next = 10 * (index + 1);
        let expect = format!("{expect}, {name}>PENDING at {next} (next tick)");
        story.at(10 * index + 1, exits(index + 1, code), &expect);
        story.at(next, Input::Tick, &format!("start {}.1", index + 2));
    }
}

#[test]
fn somebody_is_told_when_no_attempt_is_left() {
    let on_fail = retry(2, 1, OnExhausted::Continue);
    let notify = notify(NotifyMode::OnExhausted, false, 0);
    let mut story = Story::new(Options { timer: 10, on_fail, notify, ..Options::default() });
    story.started(0, 1);
    story.at(1, exits(1, 1), &format!("{FAILED}, FAILED>PENDING at 2 (retry 2 of 2)"));
    story.at(2, Input::Tick, "start 2.2");
    story.started(2, 2);
    story.at(3, exits(2, 1), &format!("{FAILED}, notify exit code 1, FAILED>PENDING at 10 (next tick)"));
}

#[test]
fn what_is_held_back_is_told_in_time_or_not_at_all() {
    let held = || Options {
        timer: 10,
        on_fail: OnFail::Ignore,
        notify: notify(NotifyMode::AfterFail, true, 15),
        ..Options::default()
    };
    let first = format!("{FAILED}, hold exit code 1, FAILED>PENDING at 10 (next tick)");
    let mut story = Story::new(held());
    story.started(0, 1);
    story.at(1, exits(1, 1), &first);
    story.at(10, Input::Tick, "start 2.1");
    story.started(10, 2);
    story.at(11, exits(2, 0), &format!("{DONE}, drop held, COMPLETED>PENDING at 20 (next tick)"));

    let mut story = Story::new(held());
    story.started(0, 1);
    story.at(1, exits(1, 1), &first);
    story.at(10, Input::Tick, "start 2.1");
    story.started(10, 2);
    story.at(16, Input::Tick, "send held");
    story.at(17, exits(2, 0), &format!("{DONE}, recovery exit code 0, COMPLETED>PENDING at 20 (next tick)"));

    let mut story = Story::new(held());
    story.started(0, 1);
    story.at(1, exits(1, 1), &first);
    story.at(2, Input::Shutdown, "send held, PENDING>STOPPED (the host is shutting down)");
}

#[test]
fn a_failure_that_ends_the_task_is_not_held_back() {
    let notify = notify(NotifyMode::AfterFail, false, 60);
    let on_fail = retry(2, 1, OnExhausted::Stop);
    let mut story = Story::new(Options { on_fail, notify, ..Options::default() });
    story.started(0, 1);
    story.at(1, exits(1, 1), &format!("{FAILED}, hold exit code 1, FAILED>PENDING at 2 (retry 2 of 2)"));
    story.at(2, Input::Tick, "start 2.2");
    story.started(2, 2);
    story.at(3, exits(2, 1), &format!("{FAILED}, send held, notify exit code 1"));
    assert_eq!(story.due_at(), None);
}

#[test]
fn somebody_is_told_of_a_stuck_run_at_once_in_every_mode() {
    let notify = notify(NotifyMode::OnExhausted, true, 60);
    let on_fail = retry(0, 1, OnExhausted::Stop);
    let options = Options { timeout: 5, stop_timeout: 5, on_fail, notify, ..Options::default() };
    let mut story = Story::new(options);
    story.started(0, 1);
    story.at(5, Input::Tick, "ask 1");
    story.at(10, Input::Tick, "force 1");
    let stuck = "stuck: ignored stop";
    let told = format!("RUNNING>RUNNING ({stuck}), stuck 1, notify {stuck}");
    story.at(10, Input::CannotForce { run: id(1) }, &told);
    let late = "ignored stop past its stop-timeout of 5s";
    let error = Input::Finished { run: id(1), exit: Exit::Code(0), remains: false };
    story.at(20, error, &format!("RUNNING>TIMED_OUT ({late}), TIMED_OUT>PENDING at 21 (retry 2)"));
    story.at(21, Input::Tick, "start 2.2");
    story.started(21, 2);
    story.at(22, exits(2, 0), &format!("{DONE}, recovery exit code 0"));
}
