//! Steps of the orchestrator with a hundred to a hundred thousand tasks: logarithmic at most.

use bansuri_core::{
    Effect, Exit, Input, Mono, Now, OnFail, Orchestrator, Plan, Positive, RunId, Schedule, TaskId, TaskName,
    TaskPlan, TimerMode, Wall,
};
use divan::{Bencher, black_box};
use std::time::Duration;

const TASKS: [usize; 4] = [100, 1_000, 10_000, 100_000];

/// Tasks that all wait, each for another time of the hour.
struct World {
    core: Orchestrator,
    now: Mono,
}

impl World {
    fn new(tasks: usize) -> Self {
        let task = |index: usize| {
            let interval = Positive::new(Duration::from_secs(3_600)).expect("it is not zero");
            let name = TaskName::new(format!("task {index}")).expect("it is a name");
            let schedule = Schedule::Timer { interval, mode: TimerMode::FixedRate };
            // Spread over the hour, as tasks of people are.
            TaskPlan {
                schedule,
                jitter: Duration::from_secs(3_599),
                on_fail: OnFail::Ignore,
                ..TaskPlan::new(name)
            }
        };
        let plan = Plan::new((0..tasks).map(task).collect()).expect("the plan is right");
        let mut world = Self { core: Orchestrator::new(plan, 1), now: Mono::default() };
        world.handle(Input::Begin);
        world.started();
        world
    }

    fn handle(&mut self, input: Input) {
        let wall = i64::try_from(self.now.as_nanos()).expect("the time is short");
        self.core.handle(input, Now { mono: self.now, wall: Wall::from_nanos(wall) });
    }

    /// The runs that were asked for.
    fn started(&mut self) -> Vec<RunId> {
        let effects = std::iter::from_fn(|| self.core.poll_effect());
        effects
            .filter_map(|effect| match effect {
                Effect::Start { run, .. } => Some(run),
                _ => None,
            })
            .collect()
    }

    /// One run from its tick to its end.
    fn cycle(&mut self) {
        self.now = self.core.next_deadline().expect("every task has a timer");
        self.handle(Input::Tick);
        for run in self.started() {
            self.handle(Input::Started { run, pid: Some(1) });
            self.handle(Input::Finished { run, exit: Exit::Code(0), remains: false });
            black_box(self.started());
        }
    }
}

/// A tick, a start, an end, and their effects.
#[divan::bench(args = TASKS)]
fn one_run(bencher: Bencher<'_, '_>, tasks: usize) {
    let mut world = World::new(tasks);
    bencher.bench_local(|| world.cycle());
}

/// A message about a run that is long gone.
#[divan::bench(args = TASKS)]
fn stale_message(bencher: Bencher<'_, '_>, tasks: usize) {
    let mut world = World::new(tasks);
    let run = RunId { task: TaskId::new(tasks / 2), number: 7 };
    bencher.bench_local(|| world.handle(Input::Gone { run }));
}

#[divan::bench(args = TASKS)]
fn next_deadline(bencher: Bencher<'_, '_>, tasks: usize) {
    let world = World::new(tasks);
    bencher.bench_local(|| black_box(&world.core).next_deadline());
}
