//! What the core is counted with, whose time is its own.

use bansuri_core::{
    Cron, Effect, Exit, Input, Mono, Now, OnFail, Orchestrator, Plan, Positive, Schedule, TaskName, TaskPlan,
    TimerMode, Wall, Zone,
};
use std::time::Duration;

/// A day in which each task has an hour or a minute of its own: how many runs.
pub(super) fn crons(tasks: usize) -> usize {
    let zone = Zone::named("Europe/Berlin").expect("it is a zone");
    let mut world = World::new((0..tasks).map(|index| {
        let expression = match index % 4 {
            0 => format!("*/{} * * * *", 5 + index % 50),
            _ => format!("{} {} * * *", index % 60, index % 24),
        };
        task(index, Schedule::Cron(Cron::parse(&expression, zone.clone()).expect("it is an expression")))
    }));
    let end = Mono::default() + Duration::from_secs(86_400);
    while world.next() < end {}
    world.runs
}

/// Tasks spread over an hour, until there were so many runs: how many.
pub(super) fn timers(tasks: usize, runs: usize) -> usize {
    let interval = Positive::new(Duration::from_secs(3_600)).expect("it is not zero");
    let schedule = Schedule::Timer { interval, mode: TimerMode::FixedRate };
    let jitter = Duration::from_secs(3_599);
    let plans = (0..tasks).map(|index| TaskPlan { jitter, ..task(index, schedule.clone()) });
    let mut world = World::new(plans);
    while world.runs < runs {
        world.next();
    }
    world.runs
}

/// A core whose runs all end at once and well.
struct World {
    core: Orchestrator,
    runs: usize,
}

impl World {
    fn new(tasks: impl Iterator<Item = TaskPlan>) -> Self {
        let plan = Plan::new(tasks.collect()).expect("the plan is right");
        let mut world = Self { core: Orchestrator::new(plan, 1), runs: 0 };
        world.handle(Input::Begin, Mono::default());
        world
    }

    fn handle(&mut self, input: Input, mono: Mono) {
        const BEGIN: i64 = 1_729_857_600_000_000_000;
        let since = i64::try_from(mono.as_nanos()).expect("days are few");
        let now = Now { mono, wall: Wall::from_nanos(BEGIN + since) };
        self.core.handle(input, now);
        while let Some(effect) = self.core.poll_effect() {
            if let Effect::Start { run, .. } = effect {
                self.runs += 1;
                self.core.handle(Input::Started { run, pid: Some(1) }, now);
                let exit = Exit::Code(0);
                self.core.handle(Input::Finished { run, exit, remains: false }, now);
            }
        }
    }

    fn next(&mut self) -> Mono {
        let due = self.core.next_deadline().expect("every task has a schedule");
        self.handle(Input::Tick, due);
        due
    }
}

fn task(index: usize, schedule: Schedule) -> TaskPlan {
    let name = TaskName::new(format!("task {index}")).expect("it is a name");
    TaskPlan { schedule, on_fail: OnFail::Ignore, ..TaskPlan::new(name) }
}
