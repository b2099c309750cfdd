//! What the contract says about tasks that run at civil times, as short stories. Second 0 is 13 minutes and 20 seconds
//! past the hour (22:13:20 UTC): every ten minutes is second 400, 1000, 1600, …

mod support;

use bansuri_core::{Command, Input, OnExhausted, OnFail, TaskId, Wall};
use support::story::{SECOND, Story, exits, operator};
use support::{Options, now, retry};

const DONE: &str = "RUNNING>COMPLETED (exit code 0)";

/// At 00, 10, 20 … minutes of each hour, as civil times.
fn tens() -> Options {
    let cron = Some(("0,10,20,30,40,50 0-23 * * *", "UTC"));
    Options { cron, on_fail: OnFail::Ignore, ..Options::default() }
}

fn begun(options: Options) -> Story {
    Story::begins(options, "->PENDING at 400 (next tick)")
}

#[test]
fn it_waits_for_its_first_tick_and_then_for_the_next() {
    let mut story = begun(tens());
    assert_eq!(story.due_at(), Some(400));
    story.at(399, Input::Tick, "");
    story.at(400, Input::Tick, "start 1.1");
    story.started(400, 1);
    story.at(401, exits(1, 0), &format!("{DONE}, COMPLETED>PENDING at 1000 (next tick)"));
    story.at(1000, Input::Tick, "start 2.1");
}

#[test]
fn ticks_in_a_run_and_its_retries_are_skipped_in_one_event() {
    let on_fail = retry(2, 100, OnExhausted::Continue);
    let mut story = begun(Options { on_fail, notify: None, ..tens() });
    story.at(400, Input::Tick, "start 1.1");
    story.started(400, 1);
    story.at(950, exits(1, 1), "RUNNING>FAILED (exit code 1), FAILED>PENDING at 1050 (retry 2 of 2)");
    story.at(1050, Input::Tick, "start 2.2");
    story.started(1050, 2);
    let skipped = "skipped 2 from 1000 (run 2 and those it retried were under way)";
    story.at(1700, exits(2, 0), &format!("{DONE}, {skipped}, COMPLETED>PENDING at 2200 (next tick)"));
}

#[test]
fn operators_wait_for_the_next_tick_or_have_a_run_now() {
    let mut story = begun(tens());
    story.at(10, operator(Command::Stop), "PENDING>STOPPED (stopped by an operator)");
    story.at(410, operator(Command::Start), "STOPPED>PENDING at 1000 (next tick)");
    story.at(500, operator(Command::Trigger), "PENDING>PENDING at 500 (triggered by an operator), start 1.1");
    story.started(500, 1);
    story.at(501, exits(1, 0), &format!("{DONE}, COMPLETED>PENDING at 1000 (next tick)"));
    let restarted = "PENDING>PENDING at 600 (restarted by an operator), start 2.1";
    story.at(600, operator(Command::Restart), restarted);
    story.started(600, 2);
    story.at(601, exits(2, 0), &format!("{DONE}, COMPLETED>PENDING at 1000 (next tick)"));
}

#[test]
fn a_clock_set_forwards_brings_the_next_tick_from_then_on() {
    let mut story = begun(tens());
    // From second 100 to 3000 of civil time, over five ticks.
    let skipped = "skipped 5 from 400 (the clock was set past them)";
    story.clock_set(100, 2_900, &format!("{skipped}, PENDING>PENDING at 3400 (next tick)"));
    assert_eq!(story.due_at(), Some(500));
    // Not over a tick: it only comes sooner.
    story.clock_set(200, 50, "");
    assert_eq!(story.due_at(), Some(450));
    story.at(450, Input::Tick, "start 1.1");
}

#[test]
fn a_tick_that_the_clock_was_set_just_past_is_late() {
    let mut story = begun(tens());
    story.clock_set(399, 2, "start 1.1");
    story.started(399, 1);
    story.at(400, exits(1, 0), &format!("{DONE}, COMPLETED>PENDING at 1000 (next tick)"));
}

#[test]
fn a_clock_set_back_repeats_no_tick() {
    let mut story = begun(tens());
    story.at(400, Input::Tick, "start 1.1");
    story.started(400, 1);
    story.at(401, exits(1, 0), &format!("{DONE}, COMPLETED>PENDING at 1000 (next tick)"));
    story.clock_set(410, -300, "");
    assert_eq!(story.due_at(), Some(1300));
    // It was hours ahead: what it showed then means nothing.
    let hours = -4 * 3_600;
    story.clock_set(420, hours, &format!("PENDING>PENDING at {} (next tick)", hours + 400));
}

#[test]
fn a_clock_set_back_unnoticed_lets_nothing_start_early() {
    let mut story = begun(tens());
    story.clock_set_unnoticed(-30);
    story.at(400, Input::Tick, "");
    assert_eq!(story.due_at(), Some(430));
    story.at(430, Input::Tick, "start 1.1");
}

#[test]
fn intervals_timeouts_and_delays_take_no_notice_of_the_clock() {
    let on_fail = retry(0, 50, OnExhausted::Continue);
    let mut story =
        Story::new(Options { timer: 100, timeout: 30, on_fail, notify: None, ..Options::default() });
    story.clock_set(0, 5_000, "");
    story.started(0, 1);
    story.clock_set(10, -9_000, "");
    assert_eq!(story.due_at(), Some(30));
    story.at(20, exits(1, 1), "RUNNING>FAILED (exit code 1), FAILED>PENDING at -3930 (retry 2)");
    story.clock_set(30, 100_000, "");
    assert_eq!(story.due_at(), Some(70));
}

#[test]
fn a_clock_set_forwards_in_a_run_skips_what_it_was_set_past() {
    let mut story = begun(tens());
    story.at(400, Input::Tick, "start 1.1");
    story.started(400, 1);
    story.clock_set(410, 1_300, "");
    let skipped = "skipped 2 from 1000 (run 1 was under way)";
    story.at(420, exits(1, 0), &format!("{DONE}, {skipped}, COMPLETED>PENDING at 2200 (next tick)"));
}

fn civil(second: i64) -> Wall {
    Wall::from_nanos(now(0).wall.as_nanos() + second * SECOND as i64)
}

fn last_tick(second: i64) -> Input {
    Input::LastTick { task: TaskId::new(0), tick: civil(second) }
}

#[test]
fn a_tick_missed_without_a_host_is_caught_up_once() {
    let mut story = Story::before(Options { catch_up: true, ..tens() });
    story.at(0, last_tick(-2_000), "");
    let why = "catching up the tick of 2023-11-14T22:10:00Z";
    story.at(0, Input::Begin, &format!("->PENDING at 0 ({why}), remember -200, start 1.1"));
    story.started(0, 1);
    story.at(1, exits(1, 0), &format!("{DONE}, COMPLETED>PENDING at 400 (next tick)"));
    story.at(400, Input::Tick, "remember 400, start 2.1");
}

#[test]
fn nothing_is_caught_up_where_nothing_was_missed() {
    let mut story = Story::before(Options { catch_up: true, ..tens() });
    story.at(0, last_tick(-200), "");
    story.at(0, Input::Begin, "->PENDING at 400 (next tick)");

    // Nobody knows what was missed; from now on they do.
    Story::begins(Options { catch_up: true, ..tens() }, "remember 0, ->PENDING at 400 (next tick)");

    let mut story = Story::before(tens());
    story.at(0, last_tick(-2_000), "");
    story.at(0, Input::Begin, "->PENDING at 400 (next tick)");
}

#[test]
fn ticks_that_were_skipped_are_not_caught_up_by_the_next_host() {
    let mut story =
        Story::begins(Options { catch_up: true, ..tens() }, "remember 0, ->PENDING at 400 (next tick)");
    story.at(400, Input::Tick, "remember 400, start 1.1");
    story.started(400, 1);
    let skipped = "skipped 1 from 1000 (run 1 was under way), remember 1000";
    story.at(1100, exits(1, 0), &format!("{DONE}, {skipped}, COMPLETED>PENDING at 1600 (next tick)"));
}

#[test]
fn more_ticks_than_are_counted_are_said_to_be_more() {
    let cron = Some(("* * * * * *", "UTC"));
    let options = Options { cron, on_fail: OnFail::Ignore, ..Options::default() };
    let mut story = Story::begins(options, "->PENDING at 1 (next tick)");
    let skipped = "skipped 1000 from 1 (the clock was set past them; 1000 or more)";
    story.clock_set(0, 100_000, &format!("{skipped}, PENDING>PENDING at 100000 (next tick), start 1.1"));
}

#[test]
fn a_day_in_berlin_has_its_own_length_when_the_clock_changes_there() {
    // Noon on the last Saturday of October, and on the Sunday after.
    let cron = Some(("0 12 * * *", "Europe/Berlin"));
    let options = Options { cron, on_fail: OnFail::Ignore, ..Options::default() };
    let mut story = Story::begins(options, "->PENDING at 46000 (next tick)");
    let saturday = 46_000 + 346 * 86_400 - 3_600;
    story.clock_set(
        0,
        saturday - 100,
        &format!(
            "skipped 346 from 46000 (the clock was set past them), PENDING>PENDING at {saturday} (next tick)"
        ),
    );
    story.at(100, Input::Tick, "start 1.1");
    story.started(100, 1);
    let sunday = saturday + 25 * 3_600;
    story.at(101, exits(1, 0), &format!("{DONE}, COMPLETED>PENDING at {sunday} (next tick)"));
}
