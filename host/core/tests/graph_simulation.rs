//! A seeded simulation of many tasks that depend on each other, share slots, and come, change and go by reloads, with
//! operators who interfere and a shutdown at the end. The laws of several tasks must hold throughout.
//!
//! The seed is `BANSURI_SEED`, or a fresh one; it is printed on failure with the command that replays it.

#[path = "simulation/random.rs"]
mod random;
#[path = "many/referee.rs"]
mod referee;
#[path = "many/world.rs"]
mod world;

use bansuri_core::{
    Backoff, Change, Command, Condition, Dependency, Effect, Event, Growth, HealthPlan, Input, Mono, Now,
    OnExhausted, OnFail, Orchestrator, Origin, Plan, Positive, Reload, Retry, Schedule, StateName, TaskName,
    TaskPlan, TimerMode, Wall,
};
use random::Random;
use referee::Referee;
use std::collections::hash_map::{DefaultHasher, RandomState};
use std::fmt::Debug;
use std::hash::{BuildHasher, Hash, Hasher};
use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;
use world::World;

const SECOND: u64 = 1_000_000_000;
const HOUR: u64 = 3_600 * SECOND;

/// What happened, to see that the simulation reached everything it is for.
#[derive(Default, PartialEq, Eq, Debug)]
struct Tally {
    starts: u64,
    triggered: u64,
    gated: u64,
    in_vain: u64,
    queued: u64,
    changed: u64,
    removed: u64,
    skipped: u64,
    refused: u64,
}

impl Tally {
    fn count(&mut self, effect: &Effect) {
        match effect {
            Effect::Start { .. } => self.starts += 1,
            Effect::Removed { .. } => self.removed += 1,
            Effect::Refused { .. } => self.refused += 1,
            Effect::Event(Event::TickSkipped { .. }) => self.skipped += 1,
            Effect::Event(Event::TaskState(change)) if change.to == StateName::Pending => {
                let reason = change.reason.as_deref().unwrap_or_default();
                self.triggered += u64::from(reason == "every dependency has completed");
                self.queued += u64::from(reason == "waiting for a free slot");
                self.gated += u64::from(reason.starts_with("waiting for task"));
                self.in_vain += u64::from(reason.starts_with("dependency"));
                self.changed += u64::from(reason == "its command was changed");
            }
            Effect::RequestStop { .. }
            | Effect::ForceStop { .. }
            | Effect::CheckHealth { .. }
            | Effect::RememberTick { .. }
            | Effect::SendHeld { .. }
            | Effect::DropHeld { .. }
            | Effect::Notify(_)
            | Effect::Event(Event::TaskState(_) | Event::TaskStuck { .. }) => {}
        }
    }
}

/// One orchestrator, its world, its operators and its configuration.
struct Simulation {
    core: Orchestrator,
    referee: Referee,
    world: World,
    random: Random,
    tasks: Vec<TaskPlan>,
    names: u64,
    now: u64,
    steps: u64,
    tally: Tally,
    log: DefaultHasher,
}

fn at(nanos: u64) -> Now {
    Now { mono: Mono::from_nanos(nanos), wall: Wall::from_nanos(nanos as i64) }
}

impl Simulation {
    fn new(seed: u64, tasks: usize) -> Self {
        let mut random = Random::new(seed);
        let (mut plans, mut names) = (Vec::new(), 0);
        for _ in 0..tasks {
            let plan = random_task(&mut random, &plans, &mut names);
            plans.push(plan);
        }
        let core = Orchestrator::new(plan_of(&plans, 10), seed);
        Self {
            referee: Referee::new(&core),
            core,
            world: World::new(random.next()),
            random,
            tasks: plans,
            names,
            now: SECOND,
            steps: 0,
            tally: Tally::default(),
            log: DefaultHasher::new(),
        }
    }

    fn give(&mut self, input: Input) {
        let mut next = vec![input];
        while let Some(input) = next.pop() {
            for effect in self.referee.give(&mut self.core, &input, at(self.now)) {
                self.tally.count(&effect);
                (self.now, format!("{effect:?}")).hash(&mut self.log);
                next.extend(self.world.act(&effect, self.now));
            }
        }
        self.steps += 1;
        if self.steps.is_multiple_of(256) {
            self.referee.audit(&self.core, at(self.now));
        }
    }

    /// The next thing that happens up to `end`; false if nothing does.
    fn advance(&mut self, end: u64) -> bool {
        let due = self.core.next_deadline().map(Mono::as_nanos);
        let next = self.world.next_at();
        let Some(at) = due.into_iter().chain(next).min().filter(|at| *at <= end) else { return false };
        self.now = self.now.max(at);
        if due == Some(at) {
            self.give(Input::Tick);
        } else if let Some(input) = self.world.next_input() {
            self.give(input);
        }
        true
    }

    fn live(mut self, hours: u64) -> (Tally, u64) {
        self.give(Input::Begin);
        let end = self.now + hours * HOUR;
        while self.now < end {
            let pause = self.now + self.random.spread(240 * SECOND);
            while self.advance(pause) {}
            self.now = self.now.max(pause);
            if self.random.one_in(8) {
                self.reload();
            } else {
                self.operate();
            }
        }
        self.shut_down();
        (self.tally, self.log.finish())
    }

    fn operate(&mut self) {
        let index = self.random.below(self.tasks.len() as u64) as usize;
        let task = self.core.task_id(&self.tasks[index].name).expect("it is in the plan");
        let command = match self.random.below(8) {
            0 => Command::Stop,
            1..5 => Command::Start,
            5 => Command::Restart,
            _ => Command::Trigger,
        };
        self.give(Input::Operator { task, command });
    }

    /// Some tasks go, some come, some change.
    fn reload(&mut self) {
        let before = self.tasks.clone();
        for _ in 0..self.random.below(6).min(self.tasks.len() as u64 - 10) {
            let gone = self.tasks.remove(self.random.below(self.tasks.len() as u64) as usize);
            for task in &mut self.tasks {
                task.depends_on.retain(|on| on.task != gone.name);
            }
        }
        for _ in 0..self.random.below(6) {
            let index = self.random.below(self.tasks.len() as u64) as usize;
            let other = random_task(&mut self.random, &self.tasks[..index], &mut self.names);
            let task = &mut self.tasks[index];
            match self.random.below(4) {
                0 => (task.timeout, task.on_fail) = (other.timeout, other.on_fail),
                // Others may rely on what it is.
                1 if task.schedule != Schedule::Service && other.schedule != Schedule::Service => {
                    (task.schedule, task.on_fail) = (other.schedule, other.on_fail);
                }
                2 => task.depends_on = other.depends_on,
                _ => {}
            }
        }
        for _ in 0..self.random.below(6) {
            let task = random_task(&mut self.random, &self.tasks, &mut self.names);
            self.tasks.push(task);
        }
        let touched = self.random.below(self.tasks.len() as u64) as usize;
        let origins =
            (0..self.tasks.len()).map(|index| self.origin(index, index == touched, &before)).collect();
        let plan = plan_of(&self.tasks, self.random.below(30) as u32);
        self.give(Input::Reload(Box::new(Reload { plan, origins })));
        self.referee.audit(&self.core, at(self.now));
    }

    fn origin(&self, index: usize, is_touched: bool, before: &[TaskPlan]) -> Origin {
        let task = &self.tasks[index];
        let Some(was) = before.iter().find(|was| was.name == task.name) else { return Origin::Added };
        let id = self.core.task_id(&task.name).expect("it was in the plan");
        let change = if is_touched {
            Change::Command
        } else if was.schedule != task.schedule || was.depends_on != task.depends_on {
            Change::Schedule
        } else if was != task {
            Change::Policy
        } else {
            Change::None
        };
        Origin::Kept { task: id, change }
    }

    fn shut_down(&mut self) {
        self.give(Input::Shutdown);
        let impatient = self.random.one_in(2).then(|| self.now + self.random.below(20 * SECOND));
        let patience = self.now + HOUR;
        while !self.core.is_shut_down() {
            if impatient.is_some_and(|at| at <= self.now) {
                self.give(Input::Kill);
                while self.advance(self.now + SECOND) {}
                assert!(self.core.is_shut_down(), "alive after a kill");
            } else {
                assert!(self.advance(patience), "not shut down in time");
            }
            self.referee.audit(&self.core, at(self.now));
        }
        assert!(self.core.next_deadline().is_none() && self.core.verdict().is_some());
        for _ in 0..50 {
            self.operate();
        }
        while self.advance(self.now + 24 * HOUR) {}
        self.referee.audit(&self.core, at(self.now));
    }
}

fn plan_of(tasks: &[TaskPlan], max_running: u32) -> Plan {
    let plan = Plan::new(tasks.to_vec()).unwrap_or_else(|error| panic!("{error}"));
    plan.with_max_running(NonZeroU32::new(max_running))
}

fn seconds(random: &mut Random, limit: u64) -> Duration {
    Duration::from_secs(1 + random.spread(limit))
}

/// One that depends on some of the others.
fn random_task(random: &mut Random, others: &[TaskPlan], names: &mut u64) -> TaskPlan {
    *names += 1;
    let name = TaskName::new(format!("task {names}")).expect("not empty");
    let mode = if random.one_in(3) { TimerMode::FixedDelay } else { TimerMode::FixedRate };
    let schedule = match random.below(10) {
        0..4 => Schedule::Once,
        4 => Schedule::Service,
        _ => {
            let interval = Positive::new(Duration::from_secs(60 + random.spread(3_600))).expect("not zero");
            Schedule::Timer { interval, mode }
        }
    };
    let retry = Retry {
        max_attempts: NonZeroU32::new(random.below(5) as u32),
        delay: Duration::from_secs(random.spread(60)),
        backoff: Backoff { growth: Growth::Exponential { factor: 2.0 }, ..Backoff::NONE },
        on_exhausted: if random.one_in(4) { OnExhausted::Stop } else { OnExhausted::Continue },
    };
    let on_fail = match (&schedule, random.below(4)) {
        (Schedule::Service, _) | (_, 0..2) => OnFail::Restart(retry),
        (Schedule::Once | Schedule::Timer { .. } | Schedule::Cron(_), 2) if random.one_in(3) => OnFail::Stop,
        (Schedule::Once | Schedule::Timer { .. } | Schedule::Cron(_), _) => OnFail::Ignore,
    };
    let health = HealthPlan {
        interval: Positive::new(seconds(random, 600)).expect("not zero"),
        retries: NonZeroU32::new(2).expect("not zero"),
        start_period: Duration::ZERO,
    };
    let wanted = if others.is_empty() || random.one_in(3) { 0 } else { 1 + random.below(3) };
    let depends_on = (0..wanted)
        .map(|_| {
            let other = &others[random.below(others.len() as u64) as usize];
            let condition = match (&other.schedule, other.health.is_some(), random.below(3)) {
                (_, true, 0) => Condition::Healthy,
                (Schedule::Service, _, _) | (_, _, 1) if random.one_in(2) => Condition::Started,
                (Schedule::Service, ..) => Condition::Started,
                (Schedule::Once | Schedule::Timer { .. } | Schedule::Cron(_), ..) => Condition::Completed,
            };
            Dependency { task: other.name.clone(), condition }
        })
        .collect();
    TaskPlan {
        timeout: Positive::new(seconds(random, 1_200)).filter(|_| random.one_in(3)),
        stop_timeout: Duration::from_secs(random.spread(40)),
        on_fail,
        max_runs: NonZeroU64::new(1 + random.below(20))
            .filter(|_| schedule != Schedule::Service && random.one_in(6)),
        depends_on,
        health: random.one_in(3).then_some(health),
        schedule,
        ..TaskPlan::new(name)
    }
}

/// The seed of a test, printed with what replays it if the test fails.
struct Seed(u64);

impl Seed {
    fn new() -> Self {
        match std::env::var("BANSURI_SEED") {
            Ok(text) => Self(text.parse().expect("BANSURI_SEED is a number")),
            Err(_) => Self(RandomState::new().build_hasher().finish()),
        }
    }
}

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self(seed) = self;
            eprintln!("replay: BANSURI_SEED={seed} cargo test -p bansuri-core --test graph_simulation");
        }
    }
}

#[test]
fn days_of_tasks_that_depend_on_each_other_keep_the_laws() {
    let seed = Seed::new();
    let (tally, _) = Simulation::new(seed.0, 150).live(20);
    eprintln!("seed {}: {tally:#?}", seed.0);
    let Tally { starts, triggered, gated, in_vain, queued, changed, removed, skipped, refused } = tally;
    assert!(starts > 2_000, "{starts} starts");
    let rarer = [triggered, gated, in_vain, queued, changed, removed, skipped, refused];
    assert!(rarer.iter().all(|count| *count > 10), "{rarer:?}");
}

#[test]
fn the_same_seed_gives_the_same_effects() {
    let seed = Seed::new();
    let first = Simulation::new(seed.0, 40).live(6);
    assert_eq!(Simulation::new(seed.0, 40).live(6), first);
}
