//! Thousands of cron tasks over days on which clocks change, with reloads in between: each tick is run, once, at its
//! second, and nothing else is.

use bansuri_core::{
    Change, Cron, Effect, Exit, Input, Mono, Now, OnFail, Orchestrator, Origin, Plan, Reload, Schedule,
    TaskId, TaskName, TaskPlan, Wall, Zone,
};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

const SECOND: u64 = 1_000_000_000;
const DAY: u64 = 86_400 * SECOND;
const TASKS: usize = 3_000;

/// 2024-10-25T12:00Z: Berlin changes on the 27th, New York on 3 November; Lord Howe changed three weeks before.
const BEGIN: i64 = 1_729_857_600;

fn now(mono: u64) -> Now {
    let nanos = BEGIN * 1_000_000_000 + i64::try_from(mono).expect("days are few");
    Now { mono: Mono::from_nanos(mono), wall: Wall::from_nanos(nanos) }
}

fn expression(index: usize) -> String {
    let (minute, hour) = (index * 7 % 60, index * 5 % 24);
    match index % 6 {
        0 => format!("{minute} {hour} * * *"),
        1 => format!("{minute},{} {hour} * * *", (minute + 30) % 60),
        2 => format!("*/{} * * * *", 20 + index % 40),
        3 => format!("{minute} */{} * * *", 2 + index % 5),
        4 => format!("{minute} {hour},{} * * MON-FRI", (hour + 12) % 24),
        _ => format!("{} {minute} 1-3 * * *", index % 60),
    }
}

fn task(index: usize) -> TaskPlan {
    let zones = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"];
    let zone = Zone::named(zones[index / 6 % zones.len()]).expect("it is a zone");
    let cron = Cron::parse(&expression(index), zone).expect("it is an expression");
    let name = TaskName::new(format!("task {index}")).expect("it is a name");
    TaskPlan { schedule: Schedule::Cron(cron), on_fail: OnFail::Ignore, ..TaskPlan::new(name) }
}

/// What a task was started at, by task.
struct World {
    core: Orchestrator,
    starts: BTreeMap<TaskId, Vec<Wall>>,
    ends: BinaryHeap<Reverse<(u64, bansuri_core::RunId)>>,
}

impl World {
    fn handle(&mut self, input: Input, at: u64) {
        self.core.handle(input, now(at));
        while let Some(effect) = self.core.poll_effect() {
            if let Effect::Start { run, .. } = effect {
                self.starts.entry(run.task).or_default().push(now(at).wall);
                self.core.handle(Input::Started { run, pid: None }, now(at));
                // Shorter than any two ticks of one task lie apart.
                self.ends.push(Reverse((at + (run.number % 40) * SECOND, run)));
            }
        }
    }

    fn run_until(&mut self, from: u64, until: u64) {
        let mut at = from;
        loop {
            let deadline = self.core.next_deadline().map(Mono::as_nanos);
            let end = self.ends.peek().map(|Reverse((at, _))| *at);
            let Some(next) = [deadline, end].into_iter().flatten().min().filter(|next| *next <= until) else {
                return;
            };
            assert!(next >= at, "time goes forwards");
            at = next;
            if end == Some(at) {
                let Some(Reverse((_, run))) = self.ends.pop() else { unreachable!("it was there") };
                let exit = Exit::Code(i32::from(run.number % 7 == 0));
                self.handle(Input::Finished { run, exit, remains: false }, at);
            } else {
                self.handle(Input::Tick, at);
            }
        }
    }
}

#[test]
fn every_tick_of_thousands_of_tasks_is_run_once_across_changes_of_clocks_and_reloads() {
    let tasks: Vec<TaskPlan> = (0..TASKS).map(task).collect();
    let plan = Plan::new(tasks.clone()).expect("the plan is right");
    let mut world =
        World { core: Orchestrator::new(plan, 1), starts: BTreeMap::new(), ends: BinaryHeap::new() };
    world.handle(Input::Begin, 0);
    let days = 11;
    for day in 0..days {
        world.run_until(day * DAY, (day + 1) * DAY - 1);
        // A reload that changes how some are judged, and adds and removes one of its own, leaves every tick alone.
        let mut changed = tasks.clone();
        let mut origins: Vec<Origin> = (0..TASKS)
            .map(|index| {
                let change = if index % 3 == 0 { Change::Policy } else { Change::None };
                if change == Change::Policy {
                    changed[index].stop_timeout = Duration::from_secs(day + 1);
                }
                Origin::Kept { task: TaskId::new(index), change }
            })
            .collect();
        let name = TaskName::new(format!("of day {day}")).expect("it is a name");
        changed.push(TaskPlan::new(name));
        origins.push(Origin::Added);
        let plan = Plan::new(changed).expect("the plan is right");
        world.handle(Input::Reload(Box::new(Reload { plan, origins })), (day + 1) * DAY - 1);
    }
    let mut ticks = 0;
    for (index, task) in tasks.iter().enumerate() {
        let Schedule::Cron(cron) = &task.schedule else { unreachable!("every task has one") };
        let last = now(days * DAY - 1).wall;
        let expected: Vec<Wall> =
            std::iter::successors(cron.next_after(now(0).wall), |tick| cron.next_after(*tick))
                .take_while(|tick| *tick <= last)
                .collect();
        ticks += expected.len();
        let found = world.starts.get(&TaskId::new(index)).cloned().unwrap_or_default();
        assert!(found == expected, "task {index}: {:?}", cron.text());
    }
    assert!(ticks > 100_000, "{ticks} ticks");
}
