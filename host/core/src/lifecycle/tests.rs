//! Every state with every input, as a table that is read by people: `table.txt`.

use super::*;
use crate::cron::{Cron, Zone};
use crate::dependency::Links;
use crate::effect::Effect;
use crate::event::Event;
use crate::id::{RunId, TaskId};
use crate::outcome::Exit;
use crate::plan::{
    Backoff, HealthPlan, NotifyMode, NotifyPlan, OnExhausted, OnFail, Positive, Retry, Schedule, TaskName,
    TaskPlan, TimerMode,
};
use crate::random::Random;
use crate::slots::Slots;
use crate::time::{Mono, Now, Wall};
use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::time::Duration;

/// A timer of 100 s with a timeout of 30 s, 10 s to stop, three attempts 5 s apart, and a check after 20 s.
fn plan() -> TaskPlan {
    TaskPlan {
        schedule: Schedule::Timer {
            interval: Positive::new(Duration::from_secs(100)).unwrap(),
            mode: TimerMode::FixedRate,
        },
        timeout: Positive::new(Duration::from_secs(30)),
        stop_timeout: Duration::from_secs(10),
        on_fail: OnFail::Restart(Retry {
            max_attempts: NonZeroU32::new(3),
            delay: Duration::from_secs(5),
            backoff: Backoff::NONE,
            on_exhausted: OnExhausted::Continue,
        }),
        health: Some(HealthPlan {
            interval: Positive::new(Duration::from_secs(20)).unwrap(),
            retries: NonZeroU32::MIN,
            start_period: Duration::ZERO,
        }),
        notify: Some(NotifyPlan { mode: NotifyMode::AfterFail, recovery: true, after: None }),
        ..TaskPlan::new(TaskName::new("t").unwrap())
    }
}

/// One task, the time in seconds, and what it did last.
#[derive(Clone)]
struct Scene {
    task: Task,
    plan: TaskPlan,
    now: u64,
}

impl Scene {
    fn give(&mut self, now: u64, input: Input) -> String {
        self.now = now;
        let (mut effects, mut milestones) = (VecDeque::new(), Vec::new());
        let nanos = now * 1_000_000_000;
        let now = Now { mono: Mono::from_nanos(nanos), wall: Wall::default() + Duration::from_secs(now) };
        let mut cx = Context {
            id: TaskId::new(0),
            plan: &self.plan,
            now,
            effects: &mut effects,
            random: &mut Random::new(0),
            milestones: &mut milestones,
            links: &mut Links::default(),
            slots: &mut Slots::default(),
            is_ending: false,
            force_at: None,
        };
        self.task.handle(input, &mut cx);
        let milestones = milestones.iter().map(|(_, milestone)| format!("[{milestone:?}]"));
        effects.iter().map(shown_effect).chain(milestones).collect::<Vec<_>>().join(", ")
    }
}

fn run(number: u64) -> RunId {
    RunId { task: TaskId::new(0), number }
}

fn operator(command: Command) -> Input {
    Input::Operator { task: TaskId::new(0), command }
}

fn started(number: u64) -> Input {
    Input::Started { run: run(number), pid: Some(7) }
}

fn finished(number: u64, code: i32, remains: bool) -> Input {
    Input::Finished { run: run(number), exit: Exit::Code(code), remains }
}

fn health(number: u64, passed: bool) -> Input {
    Input::HealthChecked { run: run(number), problem: (!passed).then(|| "no answer".to_owned()) }
}

fn not_started(number: u64) -> Input {
    let reason = "no such program".to_owned();
    Input::NotStarted { run: run(number), exit: Exit::NotStarted { reason, code: Some(127) } }
}

/// The states by the shortest history that leads to each.
fn states() -> Vec<(&'static str, Vec<(u64, Input)>)> {
    use Command::{Restart, Stop, Trigger};
    let before_1970 = Wall::from_nanos(-60_000_000_001);
    let starting = vec![(0, Input::Begin), (0, Input::Tick)];
    let after = |before: &[(u64, Input)], more: &[(u64, Input)]| [before, more].concat();
    let running = after(&starting, &[(0, started(1))]);
    let checking = after(&running, &[(20, Input::Tick)]);
    let timed_out = after(&running, &[(30, Input::Tick)]);
    let forced = after(&timed_out, &[(40, Input::Tick)]);
    let stopping = after(&running, &[(1, operator(Stop))]);
    let waiting = after(&running, &[(2, finished(1, 0, false))]);
    let retrying = after(&running, &[(2, finished(1, 1, false))]);
    let stopped = after(&stopping, &[(2, finished(1, 0, false))]);
    let clearing = after(&running, &[(2, finished(1, 0, true))]);
    vec![
        ("new", vec![]),
        ("waiting to begin", vec![(0, Input::Begin)]),
        ("waiting for a tick", waiting.clone()),
        ("waiting for a retry", retrying.clone()),
        ("waiting for a triggered run", after(&waiting, &[(3, operator(Trigger))])),
        (
            "waiting for a retry of a triggered run",
            after(
                &waiting,
                &[(3, operator(Trigger)), (3, Input::Tick), (3, started(2)), (4, finished(2, 1, false))],
            ),
        ),
        ("starting", starting.clone()),
        ("starting, to be stopped", after(&starting, &[(0, operator(Stop))])),
        ("starting, to be restarted", after(&starting, &[(0, operator(Restart))])),
        ("starting at shutdown", after(&starting, &[(0, Input::Shutdown)])),
        ("starting at kill", after(&starting, &[(0, Input::Kill)])),
        ("running", running.clone()),
        ("running, being checked", checking.clone()),
        ("running, unhealthy", after(&checking, &[(21, health(1, false))])),
        ("running, timed out", timed_out.clone()),
        ("running, timed out, then stopped", after(&timed_out, &[(31, operator(Stop))])),
        ("running, timed out and forced", forced.clone()),
        ("running, being stopped", stopping),
        ("running, being restarted", after(&running, &[(1, operator(Restart))])),
        ("running, at shutdown", after(&running, &[(1, Input::Shutdown)])),
        ("running, triggered", after(&stopped, &[(3, operator(Trigger)), (3, Input::Tick), (3, started(2))])),
        ("stuck", after(&forced, &[(40, Input::CannotForce { run: run(1) })])),
        (
            "stuck, then stopped",
            after(&forced, &[(40, Input::CannotForce { run: run(1) }), (41, operator(Stop))]),
        ),
        ("clearing before a tick", clearing.clone()),
        ("clearing, forced", after(&clearing, &[(12, Input::Tick)])),
        ("clearing, then nothing", after(&clearing, &[(3, operator(Stop))])),
        ("service, waiting for a restart", after(&running, &[(2, finished(1, 0, false))])),
        ("service, waiting after a failure", after(&running, &[(2, finished(1, 1, false))])),
        ("cron, new", vec![]),
        ("cron, waiting for a tick", vec![(0, Input::Begin)]),
        (
            "cron, to catch up",
            vec![(0, Input::LastTick { task: TaskId::new(0), tick: before_1970 }), (0, Input::Begin)],
        ),
        ("cron, timed out", vec![(0, Input::Begin), (60, Input::Tick), (60, started(1)), (119, Input::Tick)]),
        ("holding back, waiting for a retry", retrying.clone()),
        ("completed", vec![]),
        ("stopped", stopped),
    ]
}

/// Every input, about the task's last run.
fn inputs(last: u64) -> Vec<(&'static str, Input)> {
    vec![
        ("begin", Input::Begin),
        ("started", started(last)),
        ("not started", not_started(last)),
        ("finished, success", finished(last, 0, false)),
        ("finished, failure", finished(last, 1, false)),
        ("finished, remains", finished(last, 1, true)),
        ("gone", Input::Gone { run: run(last) }),
        ("healthy", health(last, true)),
        ("not healthy", health(last, false)),
        ("clock changed", Input::ClockChanged),
        ("cannot force", Input::CannotForce { run: run(last) }),
        ("stop", operator(Command::Stop)),
        ("start", operator(Command::Start)),
        ("restart", operator(Command::Restart)),
        ("trigger", operator(Command::Trigger)),
        ("shutdown", Input::Shutdown),
        ("kill", Input::Kill),
    ]
}

fn shown_effect(effect: &Effect) -> String {
    match effect {
        Effect::Start { run, attempt } => format!("start run {} attempt {attempt}", run.number),
        Effect::RequestStop { run } => format!("request stop {}", run.number),
        Effect::ForceStop { run } => format!("force stop {}", run.number),
        Effect::CheckHealth { run } => format!("check health {}", run.number),
        Effect::Notify(notice) => format!("notify {:?} {:?}", notice.kind, notice.outcome.kind),
        Effect::SendHeld { .. } => "send held".to_owned(),
        Effect::DropHeld { .. } => "drop held".to_owned(),
        Effect::RememberTick { tick, .. } => format!("remember {tick}"),
        Effect::Removed { .. } => "removed".to_owned(),
        Effect::Event(Event::TaskState(change)) => {
            let from = change.from.map_or("-", crate::StateName::as_str);
            let reason = change.reason.as_deref().map_or(String::new(), |reason| format!(" ({reason})"));
            format!("{from}>{}{reason}", change.to)
        }
        Effect::Event(Event::TickSkipped { count, .. }) => format!("skipped {count}"),
        Effect::Event(Event::TaskStuck { .. }) => "task stuck".to_owned(),
        Effect::Refused { reason, .. } => format!("refused: {reason}"),
    }
}

fn shown_force(force: Force) -> String {
    match force {
        Force::At(at) => format!("force at {}", at.as_nanos() / 1_000_000_000),
        Force::Sent => "forced".to_owned(),
    }
}

fn shown_cause(cause: Cause) -> String {
    match cause {
        Cause::Timeout { order: None, .. } => "timeout".to_owned(),
        Cause::Timeout { order: Some(order), .. } => format!("timeout then {order:?}"),
        Cause::Unhealthy { order: None } => "bad health".to_owned(),
        Cause::Unhealthy { order: Some(order) } => format!("bad health then {order:?}"),
        Cause::Order(order) => format!("{order:?}"),
    }
}

fn shown_state(state: &State) -> String {
    match state {
        State::New => "new".to_owned(),
        State::Waiting { wait, due } => {
            format!("waiting until {} ({})", due.at.as_nanos() / 1_000_000_000, wait.reason(Some(3)))
        }
        State::Held { wait, hold } => format!("held by {hold:?} ({})", wait.reason(Some(3))),
        State::Starting { order: None, .. } => "starting".to_owned(),
        State::Starting { order: Some(order), .. } => format!("starting then {order:?}"),
        State::Running(Running { phase: Phase::Free { health, .. }, .. }) => match health.is_healthy() {
            Some(_) => "running, healthy".to_owned(),
            None => "running".to_owned(),
        },
        State::Running(Running { phase: Phase::Stopping { cause, force }, .. }) => {
            format!("stopping for {}, {}", shown_cause(*cause), shown_force(*force))
        }
        State::Stuck { cause, .. } => format!("stuck after {}", shown_cause(*cause)),
        State::Clearing { force, then: Then::Wait(wait) } => {
            format!("clearing, {}, then {}", shown_force(*force), wait.reason(Some(3)))
        }
        State::Clearing { force, then: Then::End(end) } => {
            format!("clearing, {}, then {end:?}", shown_force(*force))
        }
        State::Ended(end) => format!("ended {end:?}"),
    }
}

fn scene(name: &str, history: &[(u64, Input)]) -> Scene {
    let mut plan = plan();
    match name.split(',').next() {
        Some("completed") => plan.schedule = Schedule::Once,
        Some("service") => plan.schedule = Schedule::Service,
        Some("cron") => {
            let zone = Zone::named("UTC").unwrap();
            plan.schedule = Schedule::Cron(Cron::parse("* * * * *", zone).unwrap());
            plan.catch_up = true;
        }
        Some("holding back") => plan.notify.as_mut().unwrap().after = Positive::new(Duration::from_secs(3)),
        Some(_) | None => {}
    }
    let mut scene = Scene { task: Task::new(), plan, now: 0 };
    let once = [(0, Input::Begin), (0, Input::Tick), (0, started(1)), (2, finished(1, 0, false))];
    let history = if name == "completed" { &once } else { history };
    for (now, input) in history {
        scene.give(*now, input.clone());
    }
    scene
}

fn row(label: &str, before: &Scene, now: u64, input: Input) -> String {
    let mut scene = before.clone();
    let effects = scene.give(now, input);
    let after = if scene.task.state == before.task.state {
        "same".to_owned()
    } else {
        shown_state(&scene.task.state)
    };
    let effects = if effects.is_empty() { String::new() } else { format!(" | {effects}") };
    format!("  {label}: {after}{effects}\n")
}

#[test]
fn every_pair_of_state_and_input_does_what_the_table_says() {
    let mut table = String::new();
    for (name, history) in states() {
        let before = scene(name, &history);
        table += &format!("{name} = {}\n", shown_state(&before.task.state));
        table += &row("tick", &before, before.now, Input::Tick);
        if let Some(due) = before.task.deadline() {
            table += &row("tick when due", &before, due.as_nanos() / 1_000_000_000, Input::Tick);
        }
        for (label, input) in inputs(before.task.run) {
            table += &row(label, &before, before.now + 1, input);
        }
    }
    let expect = include_str!("table.txt");
    for (line, (found, expected)) in table.lines().zip(expect.lines()).enumerate() {
        assert_eq!(found, expected, "line {} of the table; all of it:\n{table}", line + 1);
    }
    assert_eq!(table.lines().count(), expect.lines().count(), "all of the table:\n{table}");
}

#[test]
fn a_message_about_another_run_changes_nothing_in_any_state() {
    for (name, history) in states() {
        let before = scene(name, &history);
        for stale in [before.task.run + 1, before.task.run.wrapping_sub(1)] {
            for (label, input) in inputs(stale) {
                let about_a_run = match input {
                    Input::Started { .. }
                    | Input::NotStarted { .. }
                    | Input::Finished { .. }
                    | Input::Gone { .. }
                    | Input::HealthChecked { .. }
                    | Input::CannotForce { .. } => true,
                    Input::Begin
                    | Input::Tick
                    | Input::LastTick { .. }
                    | Input::ClockChanged
                    | Input::Operator { .. }
                    | Input::Reload(_)
                    | Input::Shutdown
                    | Input::Kill => false,
                };
                if about_a_run {
                    assert_eq!(
                        row(label, &before, before.now + 1, input),
                        format!("  {label}: same\n"),
                        "{name}"
                    );
                }
            }
        }
    }
}
