//! What the contract says about reloads, as short stories.

#[allow(dead_code, reason = "what a story can tell is for several files of tests")]
#[path = "many/story.rs"]
mod story;

use bansuri_core::{
    Backoff, Change, Command, Effect, Exit, Input, Mono, OnExhausted, OnFail, Orchestrator, Origin, Positive,
    Reload, Retry, RunId, TaskPlan, Verdict,
};
use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;
use story::{SECOND, Story, cron, name, now, plan, task, timer};

const REMOVED: &str = "removed from the configuration";
const CHANGED: &str = "its command was changed";

fn retries(plan: TaskPlan, max_attempts: u32) -> TaskPlan {
    let on_fail = OnFail::Restart(Retry {
        max_attempts: NonZeroU32::new(max_attempts),
        delay: Duration::from_secs(5),
        backoff: Backoff::NONE,
        on_exhausted: OnExhausted::Continue,
    });
    TaskPlan { on_fail, ..plan }
}

fn timeout(plan: TaskPlan, seconds: u64) -> TaskPlan {
    TaskPlan { timeout: Positive::new(Duration::from_secs(seconds)), ..plan }
}

/// One task at second 0, with its run alive.
fn running(task: TaskPlan) -> Story {
    Story::new(&[task], 0, "a PENDING at 0 (first run), a starts 1.1")
}

#[test]
fn what_is_added_begins_and_what_is_removed_is_stopped_and_gone() {
    let mut story = running(task("a", &[]));
    let (a, run) = (story.id("a"), story.last_run("a"));
    let added = "a is asked, b PENDING at 5 (first run), b starts 1.1";
    story.reload(5, plan(&[task("b", &[])], 0), &[], added);
    assert_eq!((story.core.task_id(&name("a")), story.core.name(a)), (None, Some(&name("a"))));
    story.at(6, Input::Operator { task: a, command: Command::Trigger }, "a refused (there is no such task)");
    story.exits(7, "b", 0, "b COMPLETED");
    assert_eq!(story.core.verdict(), None);
    let finished = Input::Finished { run, exit: Exit::Code(0), remains: true };
    story.at(8, finished.clone(), "a STOPPED");
    story.at(9, Input::Gone { run }, "a is gone");
    assert_eq!((story.core.name(a), story.core.snapshot(now(0)).count()), (None, 1));
    assert_eq!(story.core.verdict(), Some(Verdict::AllCompleted));

    // Its place is taken again, and late messages do not reach who has it now.
    let both = [task("b", &[]), task("c", &[])];
    story.reload(10, plan(&both, 0), &[("b", Change::None)], "c PENDING at 10 (first run), c starts 1.1");
    let c = story.id("c");
    assert!(c.index() == a.index() && c != a);
    story.at(11, finished, "");
    story.at(11, Input::Gone { run }, "");
    story.at(11, Input::Operator { task: a, command: Command::Stop }, "a refused (there is no such task)");
    story.shows("c", "RUNNING");
}

#[test]
fn what_comes_again_before_it_is_gone_waits_for_its_last_run() {
    let mut story = running(task("a", &[]));
    let (a, run) = (story.id("a"), story.last_run("a"));
    story.reload(5, plan(&[], 0), &[], "a is asked");
    // Its run is still alive: the task has that place and that run again, and starts nothing beside it.
    story.reload(6, plan(&[task("a", &[])], 0), &[], "");
    assert_eq!(story.id("a"), a);
    assert_eq!(story.core.verdict(), None);
    let finished = Input::Finished { run, exit: Exit::Code(0), remains: true };
    story.at(7, finished, "a STOPPED, a PENDING (waiting for the remains of run 1)");
    // Once more, while processes of its group are left.
    story.reload(8, plan(&[], 0), &[], "a STOPPED (removed from the configuration)");
    story.reload(9, plan(&[task("a", &[])], 0), &[], "a PENDING (waiting for the remains of run 1)");
    story.at(10, Input::Gone { run }, "a PENDING at 10 (first run), a starts 2.1");
    story.exits(11, "a", 0, "a COMPLETED");
    assert_eq!(story.core.verdict(), Some(Verdict::AllCompleted));
}

#[test]
fn what_waits_is_removed_at_once() {
    let mut story = Story::new(
        &[timer(task("a", &[]), 10), task("b", &["a"])],
        0,
        "a PENDING at 0 (first run), b PENDING (waiting for a to complete), a starts 1.1",
    );
    story.exits(1, "a", 1, "a FAILED, a PENDING at 10 (next tick)");
    let gone = format!("a STOPPED ({REMOVED}), a is gone, b STOPPED ({REMOVED}), b is gone");
    story.reload(2, plan(&[], 0), &[], &gone);
    assert_eq!((story.core.verdict(), story.core.next_deadline()), (Some(Verdict::AllCompleted), None));
}

#[test]
fn nothing_changes_what_does_not_change() {
    let tasks = [timer(task("a", &[]), 10), task("b", &["a"])];
    let begin = "a PENDING at 0 (first run), b PENDING (waiting for a to complete), a starts 1.1";
    let mut story = Story::new(&tasks, 0, begin);
    let same = [("a", Change::None), ("b", Change::None)];
    let other_order = [tasks[1].clone(), tasks[0].clone()];
    story.reload(1, plan(&other_order, 0), &same, "");
    let ran = "a COMPLETED, a PENDING at 10 (next tick), b PENDING at 2 (first run), b starts 1.1";
    story.exits(2, "a", 0, ran);
    story.reload(3, plan(&tasks, 0), &same, "");
    story.exits(4, "b", 0, "b COMPLETED, b PENDING (waiting for a to complete)");
    story.reload(5, plan(&tasks, 0), &same, "");
    story.at(10, Input::Tick, "a starts 2.1");
}

#[test]
fn a_policy_is_taken_over_without_touching_the_live_run() {
    let mut story = running(timeout(task("a", &[]), 100));
    let codes = TaskPlan { success_codes: [3].into(), ..timeout(task("a", &[]), 30) };
    story.reload(20, plan(&[codes], 0), &[("a", Change::Policy)], "");
    assert_eq!(story.core.next_deadline(), Some(Mono::from_nanos(30 * SECOND)));
    story.exits(25, "a", 3, "a COMPLETED");

    // A timeout that has passed already is one.
    let mut story = running(task("a", &[]));
    story.reload(20, plan(&[timeout(task("a", &[]), 10)], 0), &[("a", Change::Policy)], "a is asked");
    story.exits(21, "a", 0, "a TIMED_OUT");
}

#[test]
fn a_policy_revives_nothing_and_takes_attempts_that_were_left() {
    let mut story = running(task("a", &[]));
    story.exits(1, "a", 1, "a FAILED");
    story.reload(2, plan(&[retries(task("a", &[]), 0)], 0), &[("a", Change::Policy)], "");
    assert_eq!((story.core.verdict(), story.core.next_deadline()), (Some(Verdict::SomeFailed), None));

    let mut story = running(retries(task("a", &[]), 0));
    story.exits(1, "a", 1, "a FAILED, a PENDING at 6 (retry 2)");
    story.reload(2, plan(&[retries(task("a", &[]), 2)], 0), &[("a", Change::Policy)], "");
    story.reload(
        3,
        plan(&[retries(task("a", &[]), 1)], 0),
        &[("a", Change::Policy)],
        "a FAILED (exit code 1)",
    );
    assert_eq!((story.core.verdict(), story.core.next_deadline()), (Some(Verdict::SomeFailed), None));

    let mut story = running(timer(task("a", &[]), 10));
    story.exits(1, "a", 0, "a COMPLETED, a PENDING at 10 (next tick)");
    let enough = TaskPlan { max_runs: NonZeroU64::new(1), ..timer(task("a", &[]), 10) };
    story.reload(2, plan(&[enough], 0), &[("a", Change::Policy)], "a COMPLETED (exit code 0)");
}

#[test]
fn a_schedule_only_recomputes_the_next_run() {
    let mut story = running(timer(task("a", &[]), 100));
    story.exits(1, "a", 0, "a COMPLETED, a PENDING at 100 (next tick)");
    let sooner = plan(&[timer(task("a", &[]), 10)], 0);
    story.reload(24, sooner.clone(), &[("a", Change::Schedule)], "a PENDING at 30 (next tick)");
    let once = plan(&[task("a", &[])], 0);
    story.reload(25, once, &[("a", Change::Schedule)], "a COMPLETED (exit code 0)");
    story.reload(26, sooner.clone(), &[("a", Change::Schedule)], "a PENDING at 30 (next tick)");
    story.operator(27, "a", Command::Stop, "a STOPPED (stopped by an operator)");
    story.reload(28, plan(&[timer(task("a", &[]), 5)], 0), &[("a", Change::Schedule)], "");
    story.shows("a", "STOPPED (stopped by an operator)");

    // A live run goes on, and the new schedule follows it.
    let mut story = running(timer(task("a", &[]), 100));
    story.reload(3, sooner, &[("a", Change::Schedule)], "");
    story.exits(4, "a", 0, "a COMPLETED, a PENDING at 10 (next tick)");
}

#[test]
fn a_timer_that_becomes_a_cron_expression_and_back_keeps_to_what_it_has_done() {
    let mut story = running(timer(task("a", &[]), 100));
    story.exits(1, "a", 0, "a COMPLETED, a PENDING at 100 (next tick)");
    let civil = plan(&[cron(task("a", &[]), "* * * * *")], 0);
    story.reload(10, civil, &[("a", Change::Schedule)], "a PENDING at 60 (next tick)");
    story.at(60, Input::Tick, "a starts 2.1");
    story.exits(61, "a", 0, "a COMPLETED, a PENDING at 120 (next tick)");
    let pause = plan(&[timer(task("a", &[]), 30)], 0);
    // A civil tick is no point of a grid: the interval is counted from the end of its run.
    story.reload(70, pause, &[("a", Change::Schedule)], "a PENDING at 91 (next tick)");
}

#[test]
fn what_queues_or_waits_for_others_uses_the_new_schedule() {
    let begin = "a PENDING at 0 (first run), b PENDING (waiting for a to complete), a starts 1.1";
    let mut story = Story::new(&[task("a", &[]), task("b", &["a"])], 0, begin);
    let civil = plan(&[task("a", &[]), cron(task("b", &["a"]), "* * * * *")], 0);
    story.reload(5, civil, &[("a", Change::None), ("b", Change::Schedule)], "");
    story.exits(10, "a", 0, "a COMPLETED, b PENDING at 60 (next tick)");
}

#[test]
fn another_command_stops_the_run_in_full_and_starts_anew() {
    let mut story = running(retries(task("a", &[]), 3));
    story.exits(1, "a", 1, "a FAILED, a PENDING at 6 (retry 2 of 3)");
    let same = plan(&[retries(task("a", &[]), 3)], 0);
    // What waits just uses it.
    story.reload(2, same.clone(), &[("a", Change::Command)], "");
    story.at(6, Input::Tick, "a starts 2.2");
    story.reload(7, same.clone(), &[("a", Change::Command)], "a is asked");
    story.reload(8, same.clone(), &[("a", Change::Command)], "");
    let run = story.last_run("a");
    let stopped = "a STOPPED, a PENDING (waiting for the remains of run 2)";
    story.at(9, Input::Finished { run, exit: Exit::Code(0), remains: true }, stopped);
    story.at(10, Input::Gone { run }, &format!("a PENDING at 10 ({CHANGED}), a starts 3.1"));
    story.exits(11, "a", 0, "a COMPLETED");
    story.reload(
        12,
        same.clone(),
        &[("a", Change::Command)],
        &format!("a PENDING at 12 ({CHANGED}), a starts 4.1"),
    );
    story.operator(13, "a", Command::Stop, "a is asked");
    story.reload(14, same.clone(), &[("a", Change::Command)], "");
    story.exits(15, "a", 0, "a STOPPED");
    story.reload(16, same, &[("a", Change::Command)], "");
    story.shows("a", "STOPPED (stopped by an operator)");
}

#[test]
fn another_command_reruns_what_failed() {
    let mut story = running(task("a", &[]));
    story.exits(1, "a", 1, "a FAILED");
    let again = format!("a PENDING at 2 ({CHANGED}), a starts 2.1");
    story.reload(2, plan(&[task("a", &[])], 0), &[("a", Change::Command)], &again);
}

#[test]
fn another_command_of_a_stopped_task_that_was_triggered_leaves_it_stopped() {
    let mut story = running(task("a", &[]));
    story.operator(1, "a", Command::Stop, "a is asked");
    story.exits(1, "a", 0, "a STOPPED");
    story.operator(2, "a", Command::Trigger, "a PENDING at 2 (triggered by an operator), a starts 2.1");
    story.reload(3, plan(&[task("a", &[])], 0), &[("a", Change::Command)], "a is asked");
    story.exits(4, "a", 0, "a STOPPED, a PENDING at 4 (triggered by an operator), a starts 3.1");
    story.exits(5, "a", 0, "a COMPLETED, a STOPPED (stopped by an operator)");
}

#[test]
fn dependencies_are_resolved_afresh_and_what_has_come_true_stays_true() {
    let mut story = Story::new(
        &[task("a", &[]), task("b", &["a"])],
        0,
        "a PENDING at 0 (first run), b PENDING (waiting for a to complete), a starts 1.1",
    );
    let now_c = [task("a", &[]), task("b", &["c"]), task("c", &[])];
    let moved = "b PENDING (waiting for c to complete), c PENDING at 1 (first run), c starts 1.1";
    let kept = [("a", Change::None), ("b", Change::Schedule)];
    story.reload(1, plan(&now_c, 0), &kept, moved);
    story.exits(2, "a", 0, "a COMPLETED");
    // What has completed before somebody came to depend on it has completed.
    let now_d = [task("d", &["a"]), task("a", &[]), task("b", &["c"]), task("c", &[])];
    let kept = [("a", Change::None), ("b", Change::None), ("c", Change::None)];
    story.reload(3, plan(&now_d, 0), &kept, "d PENDING at 3 (first run), d starts 1.1");
    let free = [task("d", &["a"]), task("a", &[]), task("b", &[])];
    let kept = [("a", Change::None), ("b", Change::Schedule), ("d", Change::None)];
    story.reload(4, plan(&free, 0), &kept, "c is asked, b PENDING at 4 (first run), b starts 1.1");
}

#[test]
fn a_task_that_waited_in_vain_goes_on_when_a_reload_mends_that() {
    let tasks = [task("a", &[]), task("b", &["a"])];
    let begin = "a PENDING at 0 (first run), b PENDING (waiting for a to complete), a starts 1.1";
    let mut story = Story::new(&tasks, 0, begin);
    story.exits(1, "a", 1, "a FAILED, b PENDING (dependency a failed for good)");
    let again = format!("a PENDING at 2 ({CHANGED}), b PENDING (waiting for a to complete), a starts 2.1");
    story.reload(2, plan(&tasks, 0), &[("a", Change::Command), ("b", Change::None)], &again);
    story.exits(3, "a", 0, "a COMPLETED, b PENDING at 3 (first run), b starts 1.1");
}

#[test]
fn a_host_on_its_way_down_keeps_its_plan() {
    let mut story = running(task("a", &[]));
    story.at(1, Input::Shutdown, "a is asked");
    story.reload(2, plan(&[task("b", &[])], 0), &[], "");
    assert_eq!((story.core.task_id(&name("b")), story.core.plan().tasks().len()), (None, 1));
}

#[test]
fn a_thousand_reloads_leak_nothing() {
    let mut core = Orchestrator::new(plan(&[task("stays", &[])], 2), 0);
    let mut live: Vec<RunId> = Vec::new();
    core.handle(Input::Begin, now(0));
    let mut gone = 0;
    for round in 0..1_000_u64 {
        let time = now(round * SECOND);
        let added = format!("{round}");
        let tasks = [
            timer(task("stays", &[]), 10),
            timer(task(&added, &["stays started"]), 7),
            task("waits", &[&added]),
        ];
        let plan = plan(&tasks, 2);
        let kept = Origin::Kept { task: core.task_id(&name("stays")).unwrap(), change: Change::Policy };
        let origins = vec![kept, Origin::Added, Origin::Added];
        core.handle(Input::Reload(Box::new(Reload { plan, origins })), time);
        let mut answers = Vec::new();
        loop {
            match core.poll_effect() {
                Some(Effect::Start { run, .. }) => {
                    live.push(run);
                    answers.push(Input::Started { run, pid: None });
                }
                Some(Effect::RequestStop { run }) if live.contains(&run) => {
                    live.retain(|other| *other != run);
                    answers.push(Input::Finished { run, exit: Exit::Code(0), remains: false });
                }
                Some(Effect::Removed { .. }) => gone += 1,
                Some(_) => {}
                None => match answers.pop() {
                    Some(input) => core.handle(input, time),
                    None => break,
                },
            }
        }
        assert!(core.snapshot(time).count() <= 5, "round {round}");
        assert!(core.snapshot(time).all(|(task, _)| task.index() <= 5), "round {round}");
    }
    assert!(gone >= 1_900, "{gone}");
    // What it holds does not depend on how often it was reloaded.
    assert!(format!("{core:?}").len() < 100_000);
}

#[test]
fn a_retry_that_a_new_plan_takes_leads_to_what_that_plan_has_next() {
    let triggered = retries(task("b", &["a"]), 3);
    let mut story = Story::new(
        &[task("a", &[]), triggered],
        0,
        "a PENDING at 0 (first run), b PENDING (waiting for a to complete), a starts 1.1",
    );
    story.exits(1, "a", 0, "a COMPLETED, b PENDING at 1 (first run), b starts 1.1");
    story.exits(2, "b", 0, "b COMPLETED");
    let b = story.id("b");
    let trigger = Input::Operator { task: b, command: Command::Trigger };
    story.at(3, trigger, "b PENDING at 3 (triggered by an operator), b starts 2.1");
    story.exits(4, "b", 1, "b FAILED, b PENDING at 9 (retry 2 of 3)");
    // A timer that ignores failures: no retry is left, and it does not wait for others any more.
    let timed = [task("a", &[]), timer(task("b", &["a"]), 10)];
    story.reload(
        5,
        plan(&timed, 0),
        &[("a", Change::None), ("b", Change::Schedule)],
        "b PENDING at 11 (next tick)",
    );
}
