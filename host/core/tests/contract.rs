//! What the contract says about single tasks, as short stories: what is given, and what comes out.

mod support;

use bansuri_core::{
    Command, Effect, Exit, Input, Mono, OnExhausted, OnFail, Orchestrator, Plan, RunId, Signal, TaskId,
    TimerMode, Verdict,
};
use support::story::{SECOND, Story, exits, id, leaves_remains, operator, shown};
use support::{Options, now, plan, retry};

const ENDED_1: &str = "RUNNING>FAILED (exit code 1), notify exit code 1";
const DONE: &str = "RUNNING>COMPLETED (exit code 0)";

#[test]
fn attempts_run_out_and_a_task_without_a_schedule_ends_failed() {
    let mut story = Story::new(Options { on_fail: retry(2, 5, OnExhausted::Continue), ..Options::default() });
    story.started(0, 1);
    story.at(3, exits(1, 1), &format!("{ENDED_1}, FAILED>PENDING at 8 (retry 2 of 2)"));
    assert_eq!((story.due_at(), story.core.verdict()), (Some(8), None));
    story.at(8, Input::Tick, "start 2.2");
    story.started(8, 2);
    story.at(9, exits(2, 1), ENDED_1);
    assert_eq!((story.due_at(), story.core.verdict()), (None, Some(Verdict::SomeFailed)));
}

#[test]
fn a_retry_that_succeeds_ends_completed_and_the_next_tick_is_a_first_attempt() {
    let on_fail = retry(0, 0, OnExhausted::Stop);
    let mut story = Story::new(Options { timer: 10, on_fail, max_runs: 2, ..Options::default() });
    story.started(0, 1);
    story.at(1, exits(1, 1), &format!("{ENDED_1}, FAILED>PENDING at 1 (retry 2), start 2.2"));
    story.started(1, 2);
    story.at(2, exits(2, 0), &format!("{DONE}, COMPLETED>PENDING at 10 (next tick)"));
    story.at(10, Input::Tick, "start 3.1");
    story.started(10, 3);
    story.at(11, exits(3, 0), DONE);
    assert_eq!((story.due_at(), story.core.verdict()), (None, Some(Verdict::AllCompleted)));
}

#[test]
fn ticks_in_a_run_and_its_retries_are_skipped_in_one_event() {
    let on_fail = retry(2, 15, OnExhausted::Continue);
    let mut story = Story::new(Options { timer: 10, on_fail, notify: None, ..Options::default() });
    story.started(0, 1);
    story.at(12, exits(1, 1), "RUNNING>FAILED (exit code 1), FAILED>PENDING at 27 (retry 2 of 2)");
    story.at(27, Input::Tick, "start 2.2");
    story.started(27, 2);
    let skipped = "skipped 3 from 10 (run 2 and those it retried were under way)";
    story.at(
        31,
        exits(2, 1),
        &format!("RUNNING>FAILED (exit code 1), {skipped}, FAILED>PENDING at 40 (next tick)"),
    );
    assert_eq!(story.due_at(), Some(40));
}

#[test]
fn a_run_that_ends_on_a_tick_skips_nothing() {
    let mut story = Story::new(Options { timer: 10, ..Options::default() });
    story.started(0, 1);
    story.at(10, exits(1, 0), &format!("{DONE}, COMPLETED>PENDING at 10 (next tick), start 2.1"));
}

#[test]
fn a_fixed_delay_counts_from_the_end_of_the_retries() {
    let on_fail = retry(2, 1, OnExhausted::Continue);
    let mode = TimerMode::FixedDelay;
    let mut story = Story::new(Options { timer: 10, mode, on_fail, ..Options::default() });
    story.started(0, 1);
    story.at(25, exits(1, 1), &format!("{ENDED_1}, FAILED>PENDING at 26 (retry 2 of 2)"));
    story.at(26, Input::Tick, "start 2.2");
    story.started(26, 2);
    story.at(30, exits(2, 1), &format!("{ENDED_1}, FAILED>PENDING at 40 (next tick)"));
}

#[test]
fn a_failure_that_stops_takes_the_schedule_with_it_and_one_that_is_ignored_does_not() {
    let mut story = Story::new(Options { timer: 10, ..Options::default() });
    story.started(0, 1);
    story.at(1, exits(1, 1), ENDED_1);
    assert_eq!(story.due_at(), None);

    let mut story =
        Story::new(Options { timer: 10, on_fail: OnFail::Ignore, max_runs: 1, ..Options::default() });
    story.started(0, 1);
    story.at(1, exits(1, 1), &format!("{ENDED_1}, FAILED>PENDING at 10 (next tick)"));
}

#[test]
fn exhausted_attempts_can_end_a_schedule() {
    let mut story =
        Story::new(Options { timer: 10, on_fail: retry(1, 1, OnExhausted::Stop), ..Options::default() });
    story.started(0, 1);
    story.at(1, exits(1, 1), ENDED_1);
    assert_eq!(story.core.verdict(), Some(Verdict::SomeFailed));
}

#[test]
fn a_run_that_outlives_its_timeout_is_asked_then_forced_then_timed_out() {
    let mut story = Story::new(Options { timeout: 30, stop_timeout: 10, ..Options::default() });
    story.started(2, 1);
    story.at(32, Input::Tick, "ask 1");
    story.at(42, Input::Tick, "force 1");
    let killed = Input::Finished { run: id(1), exit: Exit::Signal(Signal::KILL), remains: false };
    let reason = "outlived its timeout of 30s";
    story.at(42, killed, &format!("RUNNING>TIMED_OUT ({reason}), notify {reason}"));
}

#[test]
fn without_time_to_stop_a_run_is_forced_in_the_moment_it_is_asked() {
    let mut story = Story::new(Options { stop_timeout: 0, ..Options::default() });
    story.started(0, 1);
    story.at(1, operator(Command::Stop), "ask 1, force 1");
}

#[test]
fn the_next_start_waits_for_the_remains_and_their_ticks_are_skipped() {
    let mut story = Story::new(Options { timer: 10, stop_timeout: 15, ..Options::default() });
    story.started(0, 1);
    story.at(
        1,
        leaves_remains(1, 0),
        &format!("{DONE}, ask 1, COMPLETED>PENDING (waiting for the remains of run 1)"),
    );
    story.at(16, Input::Tick, "force 1");
    let skipped = "skipped 2 from 10 (the remains of run 1 were alive)";
    story.at(21, Input::Gone { run: id(1) }, &format!("{skipped}, PENDING>PENDING at 30 (next tick)"));
}

#[test]
fn a_task_with_remains_has_ended_but_is_not_over() {
    let mut story = Story::new(Options::default());
    story.started(0, 1);
    story.at(1, leaves_remains(1, 0), &format!("{DONE}, ask 1"));
    assert_eq!(story.core.verdict(), None);
    story.at(11, Input::Tick, "force 1");
    story.at(11, Input::CannotForce { run: id(1) }, "");
    assert_eq!(story.core.verdict(), Some(Verdict::AllCompleted));
}

#[test]
fn a_trigger_goes_back_to_the_former_wait() {
    let on_fail = retry(2, 2, OnExhausted::Continue);
    let mut story = Story::new(Options { timer: 10, on_fail, ..Options::default() });
    story.started(0, 1);
    story.at(1, exits(1, 0), &format!("{DONE}, COMPLETED>PENDING at 10 (next tick)"));
    let triggered = "PENDING>PENDING at 3 (triggered by an operator), start 2.1";
    story.at(3, operator(Command::Trigger), triggered);
    story.at(3, operator(Command::Trigger), "refused: run 2 is alive");
    story.started(3, 2);
    story.at(4, exits(2, 1), &format!("{ENDED_1}, FAILED>PENDING at 6 (retry 2 of 2)"));
    story.at(6, Input::Tick, "start 3.2");
    story.started(6, 3);
    story.at(7, exits(3, 0), &format!("{DONE}, COMPLETED>PENDING at 10 (next tick)"));
}

#[test]
fn a_trigger_between_retries_leaves_the_retry_as_it_was() {
    let mut story = Story::new(Options { on_fail: retry(3, 20, OnExhausted::Stop), ..Options::default() });
    story.started(0, 1);
    story.at(1, exits(1, 1), &format!("{ENDED_1}, FAILED>PENDING at 21 (retry 2 of 3)"));
    story.at(2, operator(Command::Trigger), "PENDING>PENDING at 2 (triggered by an operator), start 2.1");
    story.started(2, 2);
    story.at(3, exits(2, 0), &format!("{DONE}, COMPLETED>PENDING at 21 (retry 2 of 3)"));
    story.at(21, Input::Tick, "start 3.2");
}

#[test]
fn a_tick_in_a_triggered_run_is_skipped_and_a_pause_is_counted_afresh() {
    for (mode, expect) in [
        (
            TimerMode::FixedRate,
            "skipped 1 from 10 (run 2 was under way), COMPLETED>PENDING at 20 (next tick)",
        ),
        (TimerMode::FixedDelay, "COMPLETED>PENDING at 23 (next tick)"),
    ] {
        let mut story = Story::new(Options { timer: 10, mode, ..Options::default() });
        story.started(0, 1);
        story.at(0, exits(1, 0), &format!("{DONE}, COMPLETED>PENDING at 10 (next tick)"));
        story.at(8, operator(Command::Trigger), "PENDING>PENDING at 8 (triggered by an operator), start 2.1");
        story.started(8, 2);
        story.at(13, exits(2, 0), &format!("{DONE}, {expect}"));
    }
}

#[test]
fn a_triggered_run_of_a_stopped_task_leaves_it_stopped_however_it_ends() {
    for code in [0, 1] {
        let mut story = Story::new(Options { timer: 10, notify: None, ..Options::default() });
        story.started(0, 1);
        story.at(1, operator(Command::Stop), "ask 1");
        story.at(2, exits(1, 0), "RUNNING>STOPPED (stopped by an operator)");
        assert_eq!(story.core.verdict(), Some(Verdict::SomeFailed));
        story.at(3, operator(Command::Trigger), "STOPPED>PENDING at 3 (triggered by an operator), start 2.1");
        story.started(3, 2);
        let name = if code == 0 { "COMPLETED" } else { "FAILED" };
        story.at(
            4,
            exits(2, code),
            &format!("RUNNING>{name} (exit code {code}), {name}>STOPPED (stopped by an operator)"),
        );
        assert_eq!(story.due_at(), None);
    }
}

#[test]
fn a_restart_moves_the_grid_to_its_own_start() {
    let mut story = Story::new(Options { timer: 10, ..Options::default() });
    story.started(0, 1);
    story.at(3, operator(Command::Restart), "ask 1");
    let restarted = "restarted by an operator";
    let stopped = format!("RUNNING>STOPPED ({restarted}), STOPPED>PENDING at 4 ({restarted}), start 2.1");
    story.at(4, exits(1, 0), &stopped);
    story.started(4, 2);
    story.at(5, exits(2, 0), &format!("{DONE}, COMPLETED>PENDING at 14 (next tick)"));
    story.at(6, operator(Command::Stop), "PENDING>STOPPED (stopped by an operator)");
    story.at(7, operator(Command::Start), "STOPPED>PENDING at 7 (started by an operator), start 3.1");
}

#[test]
fn a_stuck_run_is_told_once_blocks_nothing_else_and_is_timed_out_when_it_returns() {
    let on_fail = retry(2, 5, OnExhausted::Stop);
    let mut story = Story::new(Options { timeout: 30, stop_timeout: 10, on_fail, ..Options::default() });
    story.started(0, 1);
    story.at(30, Input::Tick, "ask 1");
    story.at(40, Input::Tick, "force 1");
    let stuck = "stuck: ignored stop";
    let told = format!("RUNNING>RUNNING ({stuck}), stuck 1, notify {stuck}");
    story.at(40, Input::CannotForce { run: id(1) }, &told);
    assert_eq!(story.core.verdict(), Some(Verdict::SomeFailed));
    story.at(50, operator(Command::Restart), &format!("refused: {stuck}"));
    let late = "ignored stop past its stop-timeout of 10s";
    story.at(90, exits(1, 0), &format!("RUNNING>TIMED_OUT ({late}), TIMED_OUT>PENDING at 95 (retry 2 of 2)"));
    assert_eq!(story.core.verdict(), None);
}

#[test]
fn a_shutdown_stops_a_run_that_is_still_being_started() {
    let mut story = Story::new(Options::default());
    story.at(1, Input::Shutdown, "");
    assert!(!story.core.is_shut_down());
    story.at(2, Input::Started { run: id(1), pid: Some(5) }, "PENDING>RUNNING, ask 1");
    story.at(3, Input::Kill, "force 1");
    story.at(3, exits(1, 0), "RUNNING>STOPPED (the host is shutting down)");
    assert!(story.core.is_shut_down());
    story.at(4, operator(Command::Start), "refused: the host is shutting down");
}

#[test]
fn any_input_brings_about_what_is_due_and_a_clock_that_goes_back_counts_as_standing_still() {
    let tasks = vec![
        plan("a", Options { timer: 10, ..Options::default() }),
        plan("b", Options { timeout: 5, ..Options::default() }),
    ];
    let mut core = Orchestrator::new(Plan::new(tasks).expect("two names"), 0);
    let run = |task, number| RunId { task: TaskId::new(task), number };
    let mut give = |input, second| {
        core.handle(input, now(second * SECOND));
        let effects: Vec<Effect> = std::iter::from_fn(|| core.poll_effect()).collect();
        (effects, core.next_deadline())
    };
    let (effects, _) = give(Input::Begin, 0);
    let shown: Vec<String> = effects.iter().map(shown).collect();
    assert_eq!(
        shown.join(", "),
        "->PENDING at 0 (first run), ->PENDING at 0 (first run), start 1.1, start 1.1"
    );
    give(Input::Started { run: run(1, 1), pid: None }, 2);
    let (effects, deadline) = give(Input::Started { run: run(0, 1), pid: None }, 8);
    assert_eq!(effects.last(), Some(&Effect::RequestStop { run: run(1, 1) }));
    assert_eq!(deadline, Some(Mono::from_nanos(18 * SECOND)));
    let (_, deadline) = give(Input::Finished { run: run(0, 1), exit: Exit::Code(0), remains: false }, 1);
    assert_eq!(deadline, Some(Mono::from_nanos(10 * SECOND)));
}

#[test]
fn no_tasks_have_all_completed() {
    let core = Orchestrator::new(Plan::default(), 0);
    assert_eq!((core.verdict(), core.next_deadline()), (Some(Verdict::AllCompleted), None));
}

#[test]
fn a_hundred_thousand_tasks_are_carried() {
    // Would take hours if a step cost as much as there are tasks.
    let tasks = (0..100_000)
        .map(|index| plan(&format!("{index}"), Options { timer: 3_600 + index, ..Options::default() }))
        .collect();
    let mut core = Orchestrator::new(Plan::new(tasks).expect("names with numbers"), 0);
    core.handle(Input::Begin, now(0));
    let mut starts = 0;
    let mut after_starts = Vec::new();
    while let Some(effect) = core.poll_effect() {
        if let Effect::Start { run, .. } = effect {
            starts += 1;
            after_starts.push(run);
        }
    }
    assert_eq!(starts, 100_000);
    for run in after_starts {
        core.handle(Input::Started { run, pid: None }, now(SECOND));
        core.handle(Input::Finished { run, exit: Exit::Code(0), remains: false }, now(2 * SECOND));
    }
    assert_eq!(core.next_deadline(), Some(Mono::from_nanos(3_600 * SECOND)));
    assert_eq!(core.snapshot(now(2 * SECOND)).filter(|(_, view)| view.next_run.is_some()).count(), 100_000);
    core.handle(Input::Shutdown, now(3 * SECOND));
    assert!(core.is_shut_down() && core.next_deadline().is_none());
}
