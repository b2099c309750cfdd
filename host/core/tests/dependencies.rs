//! What the contract says about tasks that depend on each other, as short stories.

#[allow(dead_code, reason = "what a story can tell is for several files of tests")]
#[path = "many/story.rs"]
mod story;

use bansuri_core::{
    Backoff, Command, Condition, Dependency, Exit, HealthPlan, Input, Mono, OnExhausted, OnFail,
    Orchestrator, Plan, PlanError, Positive, Retry, Schedule, TaskPlan, Verdict,
};
use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;
use story::{SECOND, Story, name, now, task, timer};

fn service(plan: TaskPlan) -> TaskPlan {
    TaskPlan { schedule: Schedule::Service, on_fail: retries(0), ..plan }
}

fn checked(plan: TaskPlan) -> TaskPlan {
    let health = HealthPlan {
        interval: Positive::new(Duration::from_secs(5)).expect("not zero"),
        retries: NonZeroU32::MIN,
        start_period: Duration::ZERO,
    };
    TaskPlan { health: Some(health), ..plan }
}

/// 5 s apart; 0 is no limit.
fn retries(max_attempts: u32) -> OnFail {
    OnFail::Restart(Retry {
        max_attempts: NonZeroU32::new(max_attempts),
        delay: Duration::from_secs(5),
        backoff: Backoff::NONE,
        on_exhausted: OnExhausted::Continue,
    })
}

fn ignores(plan: TaskPlan) -> TaskPlan {
    TaskPlan { on_fail: OnFail::Ignore, ..plan }
}

#[test]
fn a_wrong_plan_cannot_be_built() {
    let check = |tasks: &[TaskPlan], expect: &str| {
        assert_eq!(Plan::new(tasks.to_vec()).unwrap_err().to_string(), expect);
    };
    check(&[task("a", &[]), task("a", &[])], "two tasks are named \"a\"");
    check(&[task("a", &["b"])], "task \"a\" depends on \"b\", which does not exist");
    check(&[task("a", &["a"])], "tasks depend on each other: a → a");
    check(
        &[task("z", &["a"]), task("a", &["b"]), task("b", &["c started"]), task("c", &["a"])],
        "tasks depend on each other: a → b → c → a",
    );
    check(
        &[service(task("db", &[])), task("a", &["db"])],
        "task \"a\" waits for \"db\" to complete, which is a service: valid are \"started\" and \"healthy\"",
    );
    check(
        &[task("db", &[]), task("a", &["db healthy"])],
        "task \"a\" waits for \"db\" to be healthy, which has no health check",
    );
    let cycle = Plan::new(vec![task("a", &["b"]), task("b", &["a"])]).unwrap_err();
    assert_eq!(cycle, PlanError::Cycle(vec![name("a"), name("b"), name("a")]));
    Plan::new(vec![checked(service(task("db", &[]))), task("a", &["db healthy", "db started"])]).unwrap();
}

#[test]
fn which_tasks_are_triggered() {
    assert!(task("a", &["b"]).is_triggered());
    assert!(!task("a", &[]).is_triggered());
    assert!(!task("a", &["b", "c started"]).is_triggered());
    assert!(!timer(task("a", &["b"]), 5).is_triggered());
    assert!(!service(task("a", &["b"])).is_triggered());
}

#[test]
fn a_chain_runs_in_order_however_it_is_written_and_ends_completed() {
    let tasks = [task("c", &["b"]), task("b", &["a"]), task("a", &[])];
    let begin = "a PENDING at 0 (first run), b PENDING (waiting for a to complete), c PENDING (waiting for b to complete), a starts 1.1";
    let mut story = Story::new(&tasks, 0, begin);
    assert_eq!(story.core.verdict(), None);
    story.exits(3, "a", 0, "a COMPLETED, b PENDING at 3 (first run), b starts 1.1");
    story.exits(5, "b", 0, "b COMPLETED, c PENDING at 5 (first run), c starts 1.1");
    assert_eq!(story.core.verdict(), None);
    story.exits(6, "c", 0, "c COMPLETED");
    story.shows("b", "COMPLETED (exit code 0)");
    assert_eq!(story.core.verdict(), Some(Verdict::AllCompleted));
}

#[test]
fn a_triggered_task_runs_each_time_all_have_completed() {
    let tasks = [timer(task("a", &[]), 10), timer(task("b", &[]), 20), ignores(task("c", &["a", "b"]))];
    let begin = "a PENDING at 0 (first run), b PENDING at 0 (first run), c PENDING (waiting for a, b to complete), a starts 1.1, b starts 1.1";
    let mut story = Story::new(&tasks, 0, begin);
    story.exits(1, "a", 0, "a COMPLETED, a PENDING at 10 (next tick), c PENDING (waiting for b to complete)");
    story.exits(
        2,
        "b",
        0,
        "b COMPLETED, b PENDING at 20 (next tick), c PENDING at 2 (first run), c starts 1.1",
    );
    story.exits(3, "c", 1, "c FAILED, c PENDING (waiting for a, b to complete)");
    story.at(10, Input::Tick, "a starts 2.1");
    story.exits(
        11,
        "a",
        0,
        "a COMPLETED, a PENDING at 20 (next tick), c PENDING (waiting for b to complete)",
    );
    story.at(20, Input::Tick, "a starts 3.1, b starts 2.1");
    // A second completion of one does not count for the other.
    story.exits(21, "a", 0, "a COMPLETED, a PENDING at 30 (next tick)");
    let again = "every dependency has completed";
    story.exits(
        22,
        "b",
        0,
        &format!("b COMPLETED, b PENDING at 40 (next tick), c PENDING at 22 ({again}), c starts 2.1"),
    );
}

#[test]
fn triggers_during_a_run_and_its_retries_fold_into_one() {
    let mut c = task("c", &["a"]);
    c.on_fail = retries(2);
    let mut story = Story::new(
        &[timer(task("a", &[]), 10), c],
        0,
        "a PENDING at 0 (first run), c PENDING (waiting for a to complete), a starts 1.1",
    );
    story.exits(
        1,
        "a",
        0,
        "a COMPLETED, a PENDING at 10 (next tick), c PENDING at 1 (first run), c starts 1.1",
    );
    story.at(10, Input::Tick, "a starts 2.1");
    story.exits(11, "a", 0, "a COMPLETED, a PENDING at 20 (next tick)");
    story.at(20, Input::Tick, "a starts 3.1");
    story.exits(21, "a", 0, "a COMPLETED, a PENDING at 30 (next tick)");
    let again = "c PENDING at 22 (every dependency has completed), c starts 2.1";
    story.exits(22, "c", 0, &format!("c COMPLETED, {again}"));
    story.exits(23, "c", 0, "c COMPLETED, c PENDING (waiting for a to complete)");
    story.at(30, Input::Tick, "a starts 4.1");
    let again = "c PENDING at 31 (every dependency has completed), c starts 3.1";
    story.exits(31, "a", 0, &format!("a COMPLETED, a PENDING at 40 (next tick), {again}"));
    // Exhausted, it waits for its next trigger, with attempt 1.
    story.exits(32, "c", 1, "c FAILED, c PENDING at 37 (retry 2 of 2)");
    story.at(37, Input::Tick, "c starts 4.2");
    story.exits(38, "c", 1, "c FAILED, c PENDING (waiting for a to complete)");
    assert_eq!(story.core.view(story.id("c"), now(0)).attempt, 1);
}

#[test]
fn policy_ends_a_triggered_task() {
    let mut story = Story::new(
        &[timer(task("a", &[]), 10), task("c", &["a"])],
        0,
        "a PENDING at 0 (first run), c PENDING (waiting for a to complete), a starts 1.1",
    );
    story.exits(
        1,
        "a",
        0,
        "a COMPLETED, a PENDING at 10 (next tick), c PENDING at 1 (first run), c starts 1.1",
    );
    story.exits(2, "c", 1, "c FAILED");
    story.at(10, Input::Tick, "a starts 2.1");
    story.exits(11, "a", 0, "a COMPLETED, a PENDING at 20 (next tick)");
    story.shows("c", "FAILED (exit code 1)");
}

#[test]
fn a_triggered_task_that_no_dependency_will_trigger_again_is_done() {
    let a = TaskPlan { max_runs: NonZeroU64::new(2), ..timer(task("a", &[]), 10) };
    let mut story = Story::new(
        &[a, ignores(task("c", &["a"]))],
        0,
        "a PENDING at 0 (first run), c PENDING (waiting for a to complete), a starts 1.1",
    );
    story.exits(
        1,
        "a",
        0,
        "a COMPLETED, a PENDING at 10 (next tick), c PENDING at 1 (first run), c starts 1.1",
    );
    story.at(10, Input::Tick, "a starts 2.1");
    // One trigger is left: it is not done yet.
    story.exits(11, "a", 0, "a COMPLETED");
    assert_eq!(story.core.verdict(), None);
    story.exits(12, "c", 1, "c FAILED, c PENDING at 12 (every dependency has completed), c starts 2.1");
    story.exits(13, "c", 0, "c COMPLETED");
    assert_eq!((story.core.verdict(), story.core.next_deadline()), (Some(Verdict::AllCompleted), None));
    // An operator may give it another one.
    story.operator(
        20,
        "a",
        Command::Start,
        "a PENDING at 20 (started by an operator), c PENDING (waiting for a to complete), a starts 3.1",
    );
    assert_eq!(story.core.verdict(), None);
    let again = "c PENDING at 21 (every dependency has completed), c starts 3.1";
    story.exits(21, "a", 0, &format!("a COMPLETED, a PENDING at 30 (next tick), {again}"));
}

#[test]
fn a_gate_opens_once_for_good() {
    let tasks = [
        timer(task("web", &["db healthy", "cache"]), 10),
        checked(service(task("db", &[]))),
        ignores(task("cache", &["db started"])),
    ];
    let begin = "db PENDING at 0 (first run), cache PENDING (waiting for db to start), \
        web PENDING (waiting for db to be healthy, cache to complete), db starts 1.1, \
        cache PENDING at 0 (first run), cache starts 1.1";
    let mut story = Story::new(&tasks, 0, begin);
    story.exits(2, "cache", 0, "cache COMPLETED, web PENDING (waiting for db to be healthy)");
    story.at(5, Input::Tick, "db is checked");
    let healthy = Input::HealthChecked { run: story.last_run("db"), problem: None };
    story.at(7, healthy, "web PENDING at 7 (first run), web starts 1.1");
    story.exits(8, "web", 0, "web COMPLETED, web PENDING at 17 (next tick)");
    story.operator(9, "db", Command::Stop, "db is asked");
    story.exits(9, "db", 0, "db STOPPED");
    story.at(17, Input::Tick, "web starts 2.1");
}

#[test]
fn who_waits_in_vain_says_so_is_done_and_goes_on_when_that_is_mended() {
    let tasks = [task("a", &[]), timer(task("b", &["a"]), 10), task("c", &["b"])];
    let begin = "a PENDING at 0 (first run), b PENDING (waiting for a to complete), c PENDING (waiting for b to complete), a starts 1.1";
    let mut story = Story::new(&tasks, 0, begin);
    story.exits(
        1,
        "a",
        1,
        "a FAILED, b PENDING (dependency a failed for good), c PENDING (dependency b will never run)",
    );
    story.shows("b", "PENDING (dependency a failed for good)");
    assert_eq!((story.core.verdict(), story.core.next_deadline()), (Some(Verdict::SomeFailed), None));
    story.operator(
        100,
        "a",
        Command::Trigger,
        "a PENDING at 100 (triggered by an operator), b PENDING (waiting for a to complete), c PENDING (waiting for b to complete), a starts 2.1",
    );
    story.exits(101, "a", 0, "a COMPLETED, b PENDING at 101 (first run), b starts 1.1");
    assert_eq!(story.core.verdict(), None);
    // Nothing was made up for.
    story.exits(
        102,
        "b",
        0,
        "b COMPLETED, b PENDING at 111 (next tick), c PENDING at 102 (first run), c starts 1.1",
    );
}

#[test]
fn reasons_name_how_a_dependency_ended() {
    let mut a = task("a", &[]);
    a.timeout = Positive::new(Duration::from_secs(5));
    let begin = "a PENDING at 0 (first run), b PENDING (waiting for a to complete), a starts 1.1";
    let mut story = Story::new(&[a.clone(), task("b", &["a"])], 0, begin);
    story.at(5, Input::Tick, "a is asked");
    story.exits(6, "a", 0, "a TIMED_OUT, b PENDING (dependency a timed out for good)");

    let mut story = Story::new(&[a, task("b", &["a"])], 0, begin);
    story.operator(1, "a", Command::Stop, "a is asked");
    story.exits(1, "a", 0, "a STOPPED, b PENDING (dependency a was stopped)");
    assert_eq!(story.core.verdict(), Some(Verdict::SomeFailed));
}

#[test]
fn a_triggered_task_that_failed_and_will_not_be_triggered_again_has_failed_for_good() {
    let tasks = [task("a", &[]), ignores(task("b", &["a"])), task("c", &["b"])];
    let begin = "a PENDING at 0 (first run), b PENDING (waiting for a to complete), c PENDING (waiting for b to complete), a starts 1.1";
    let mut story = Story::new(&tasks, 0, begin);
    story.exits(1, "a", 0, "a COMPLETED, b PENDING at 1 (first run), b starts 1.1");
    story.exits(2, "b", 1, "b FAILED, c PENDING (dependency b failed for good)");
    story.shows("b", "FAILED (exit code 1)");
    assert_eq!(story.core.verdict(), Some(Verdict::SomeFailed));
    let again =
        "b PENDING at 3 (started by an operator), c PENDING (waiting for b to complete), b starts 2.1";
    story.operator(3, "b", Command::Start, again);
    story.exits(4, "b", 0, "b COMPLETED, c PENDING at 4 (first run), c starts 1.1");
}

#[test]
fn operators_and_held_tasks() {
    let tasks = [task("a", &[]), timer(task("b", &["a"]), 10)];
    let begin = "a PENDING at 0 (first run), b PENDING (waiting for a to complete), a starts 1.1";
    let mut story = Story::new(&tasks, 0, begin);
    let waits = "waiting for a to complete";
    story.operator(1, "b", Command::Start, &format!("b PENDING ({waits})"));
    story.operator(2, "b", Command::Trigger, "b PENDING at 2 (triggered by an operator), b starts 1.1");
    story.exits(3, "b", 0, &format!("b COMPLETED, b PENDING ({waits})"));
    story.operator(4, "b", Command::Stop, "b STOPPED (stopped by an operator)");
    story.exits(5, "a", 0, "a COMPLETED");
    story.shows("b", "STOPPED (stopped by an operator)");
    story.operator(6, "b", Command::Start, "b PENDING at 6 (started by an operator), b starts 2.1");
}

#[test]
fn a_trigger_takes_nothing_from_what_has_completed() {
    let tasks = [task("a", &[]), task("b", &[]), task("c", &["a", "b"])];
    let begin = "a PENDING at 0 (first run), b PENDING at 0 (first run), c PENDING (waiting for a, b to complete), a starts 1.1, b starts 1.1";
    let mut story = Story::new(&tasks, 0, begin);
    story.exits(1, "a", 0, "a COMPLETED, c PENDING (waiting for b to complete)");
    story.operator(2, "c", Command::Trigger, "c PENDING at 2 (triggered by an operator), c starts 1.1");
    story.exits(3, "c", 0, "c COMPLETED, c PENDING (waiting for b to complete)");
    story.exits(4, "b", 0, "b COMPLETED, c PENDING at 4 (first run), c starts 2.1");
    story.exits(5, "c", 0, "c COMPLETED");
    assert_eq!(story.core.verdict(), Some(Verdict::AllCompleted));
}

#[test]
fn a_restart_is_one_run_now_whatever_it_waits_for() {
    let begin = "a PENDING at 0 (first run), b PENDING (waiting for a to complete), a starts 1.1";
    let mut story = Story::new(&[task("a", &[]), timer(task("b", &["a"]), 10)], 0, begin);
    story.operator(2, "b", Command::Restart, "b PENDING at 2 (restarted by an operator), b starts 1.1");
    story.exits(3, "b", 0, "b COMPLETED, b PENDING at 12 (next tick)");
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
fn many_tasks_that_wait_for_one_and_one_that_waits_for_many_cost_little() {
    // Would take hours if a step cost as much as there are tasks, or as they have dependencies.
    const MANY: usize = 100_000;
    let mut tasks = vec![task("first", &[])];
    tasks.extend((0..MANY).map(|index| task(&format!("{index}"), &["first"])));
    let names: Vec<String> = (0..MANY).map(|index| format!("{index}")).collect();
    let mut last = task("last", &[]);
    last.depends_on =
        names.iter().map(|other| Dependency { task: name(other), condition: Condition::Completed }).collect();
    tasks.push(last);
    let mut core = Orchestrator::new(Plan::new(tasks).unwrap(), 0);
    let mut input = Some(Input::Begin);
    let mut inputs = std::collections::VecDeque::new();
    while let Some(next) = input.take().or_else(|| inputs.pop_front()) {
        core.handle(next, now(0));
        while let Some(effect) = core.poll_effect() {
            if let bansuri_core::Effect::Start { run, .. } = effect {
                inputs.push_back(Input::Started { run, pid: None });
                inputs.push_back(Input::Finished { run, exit: Exit::Code(0), remains: false });
            }
        }
    }
    assert_eq!(core.verdict(), Some(Verdict::AllCompleted));
    let last = core.view(core.task_id(&name("last")).unwrap(), now(0));
    assert_eq!(last.run, Some(1));
}

#[test]
fn a_chain_as_long_as_there_are_tasks_is_carried() {
    const MANY: usize = 100_000;
    let mut tasks = vec![task("0", &[])];
    tasks.extend((1..MANY).map(|index| task(&format!("{index}"), &[&format!("{}", index - 1)])));
    let mut core = Orchestrator::new(Plan::new(tasks).unwrap(), 0);
    core.handle(Input::Begin, now(0));
    let first = core.task_id(&name("0")).unwrap();
    let run = bansuri_core::RunId { task: first, number: 1 };
    core.handle(Input::Started { run, pid: None }, now(0));
    assert_eq!(core.verdict(), None);
    core.handle(Input::Finished { run, exit: Exit::Code(1), remains: false }, now(0));
    assert_eq!(core.verdict(), Some(Verdict::SomeFailed));
    core.handle(Input::Shutdown, now(SECOND));
    assert!(core.is_shut_down());
}
