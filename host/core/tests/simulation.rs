//! A seeded simulation of the whole orchestrator: a thousand tasks, virtual days, a world in which everything goes
//! wrong now and then, clocks that are set and that change for the summer, operators who interfere, and a shutdown. The
//! laws of the core must hold throughout.
//!
//! The seed is `BANSURI_SEED`, or a fresh one; it is printed on failure with the command that replays it.

#[path = "simulation/random.rs"]
mod random;
mod support;
#[path = "simulation/world.rs"]
mod world;

use bansuri_core::{
    Command, Effect, Event, Input, Mono, NoticeKind, NotifyMode, Now, OnExhausted, OnFail, Orchestrator,
    Plan, StateName, TaskId, TaskPlan, TimerMode,
};
use random::Random;
use std::collections::hash_map::{DefaultHasher, RandomState};
use std::fmt::Debug;
use std::hash::{BuildHasher, Hash, Hasher};
use std::num::NonZeroU32;
use support::{Checker, Options, backoff, doubling, health, notify, plan, retry, shifted};
use world::{HOUR, MILLI, MINUTE, SECOND, World};

/// The longest time a task gives its runs to stop.
const MAX_STOP_TIMEOUT: u64 = 40;

/// What happened, to see that the simulation reached everything it is for.
#[derive(Default, PartialEq, Eq, Debug)]
struct Tally {
    starts: u64,
    retries: u64,
    completed: u64,
    failed: u64,
    timed_out: u64,
    stopped: u64,
    forced: u64,
    stuck: u64,
    waits_for_remains: u64,
    ticks_skipped: u64,
    notices: u64,
    refused: u64,
    restarts: u64,
    checks: u64,
    unhealthy: u64,
    recoveries: u64,
    sent: u64,
    dropped: u64,
    remembered: u64,
    caught_up: u64,
    clock_changes: u64,
}

impl Tally {
    fn count(&mut self, effect: &Effect) {
        match effect {
            Effect::Start { attempt, .. } => {
                self.starts += 1;
                self.retries += u64::from(*attempt > 1);
            }
            Effect::RequestStop { .. } => {}
            Effect::ForceStop { .. } => self.forced += 1,
            Effect::Notify(notice) => match notice.kind {
                NoticeKind::Failure | NoticeKind::Stuck => self.notices += 1,
                NoticeKind::Recovery => self.recoveries += 1,
            },
            Effect::CheckHealth { .. } => self.checks += 1,
            Effect::SendHeld { .. } => self.sent += 1,
            Effect::DropHeld { .. } => self.dropped += 1,
            Effect::RememberTick { .. } => self.remembered += 1,
            Effect::Removed { .. } => {}
            Effect::Refused { .. } => self.refused += 1,
            Effect::Event(Event::TickSkipped { count, .. }) => self.ticks_skipped += count,
            Effect::Event(Event::TaskStuck { .. }) => self.stuck += 1,
            Effect::Event(Event::TaskState(change)) => match change.to {
                StateName::Pending => {
                    let reason = change.reason.as_deref().unwrap_or_default();
                    self.waits_for_remains += u64::from(reason.starts_with("waiting"));
                    self.restarts += u64::from(reason == "restart");
                    self.caught_up += u64::from(reason.starts_with("catching up"));
                }
                StateName::Running => {}
                StateName::Completed => self.completed += 1,
                StateName::Failed => {
                    self.failed += 1;
                    let reason = change.reason.as_deref().unwrap_or_default();
                    self.unhealthy += u64::from(reason.starts_with("unhealthy"));
                }
                StateName::TimedOut => self.timed_out += 1,
                StateName::Stopped => self.stopped += 1,
            },
        }
    }
}

/// One orchestrator, its world and its operators.
struct Simulation {
    core: Orchestrator,
    checker: Checker,
    world: World,
    random: Random,
    now: u64,
    /// How far the clock on the wall was set forwards.
    shift: i64,
    /// The latest that it ever showed.
    latest: i64,
    steps: u64,
    tally: Tally,
    log: DefaultHasher,
}

impl Simulation {
    /// `shift`: how much later it begins than other tests, in seconds.
    fn new(seed: u64, tasks: usize, shift: u64) -> Self {
        let mut random = Random::new(seed);
        let plans = (0..tasks).map(|index| random_plan(&mut random, index)).collect();
        let core = Orchestrator::new(Plan::new(plans).expect("names with numbers"), seed);
        Self {
            core,
            checker: Checker::new(tasks),
            world: World::new(random.next()),
            random,
            now: SECOND,
            shift: (shift * SECOND) as i64,
            latest: 0,
            steps: 0,
            tally: Tally::default(),
            log: DefaultHasher::new(),
        }
    }

    fn give(&mut self, input: Input) {
        let now = self.clocks();
        self.latest = self.latest.max(now.wall.as_nanos());
        let effects = self.checker.give(&mut self.core, &input, now);
        for effect in effects {
            self.tally.count(&effect);
            self.world.act(&effect, self.now);
            (self.now, format!("{effect:?}")).hash(&mut self.log);
        }
        self.steps += 1;
        if self.steps.is_multiple_of(4_096) {
            self.audit();
        }
    }

    fn audit(&self) {
        self.checker.audit(&self.core, self.clocks());
    }

    fn clocks(&self) -> Now {
        shifted(self.now, self.shift)
    }

    /// Somebody sets the clock on the wall: by seconds, or over ticks. Never so far back that times count as wrong.
    fn set_clock(&mut self) {
        let by = self.random.spread(2 * HOUR) as i64;
        let back = self.clocks().wall.as_nanos() - by > self.latest - (2 * HOUR) as i64;
        self.shift += if back && self.random.one_in(2) { -by } else { by };
        self.tally.clock_changes += 1;
        // Now and then it is told late.
        if self.random.one_in(4) {
            let pause = self.random.spread(20 * SECOND);
            self.run_until(self.now + pause);
        }
        self.give(Input::ClockChanged);
    }

    /// The next thing that happens up to `end`; false if nothing does.
    fn advance(&mut self, end: u64) -> bool {
        let due = self.core.next_deadline().map(Mono::as_nanos);
        let next = self.world.next_at();
        let Some(at) = due.into_iter().chain(next).min().filter(|at| *at <= end) else { return false };
        self.now = self.now.max(at);
        if due == Some(at) {
            self.now += self.lateness();
            self.give(Input::Tick);
        } else if let Some(input) = self.world.next_input() {
            self.give(input);
        }
        true
    }

    /// A host wakes a little late, and once in a while much too late.
    fn lateness(&mut self) -> u64 {
        match self.random.below(10_000) {
            0 => self.random.below(3 * MINUTE),
            1..5_000 => self.random.below(2 * MILLI),
            _ => 0,
        }
    }

    fn run_until(&mut self, end: u64) {
        while self.advance(end) {}
        self.now = self.now.max(end);
    }

    fn operate(&mut self) {
        let tasks = self.core.plan().tasks().len() as u64;
        let task = TaskId::new(self.random.below(tasks) as usize);
        let command = match self.random.below(8) {
            0..2 => Command::Stop,
            2..5 => Command::Start,
            5 => Command::Restart,
            _ => Command::Trigger,
        };
        self.give(Input::Operator { task, command });
    }

    /// Some virtual hours, then a shutdown, then what is left of the world.
    fn live(mut self, hours: u64) -> (Tally, u64) {
        for index in 0..self.core.plan().tasks().len() {
            if self.core.plan().tasks()[index].catch_up && self.random.one_in(2) {
                let ago = self.random.below(48 * HOUR);
                let tick = shifted(self.now, self.shift - ago as i64).wall;
                self.give(Input::LastTick { task: TaskId::new(index), tick });
            }
        }
        self.give(Input::Begin);
        let end = self.now + hours * HOUR;
        while self.now < end {
            let pause = self.random.spread(30 * SECOND);
            self.run_until(self.now + pause);
            self.operate();
            if self.random.one_in(200) {
                self.set_clock();
            }
        }
        self.shut_down();
        (self.tally, self.log.finish())
    }

    fn shut_down(&mut self) {
        self.give(Input::Shutdown);
        let asked = self.now;
        let starts = self.tally.starts;
        let impatient = self.random.one_in(2).then(|| asked + self.random.below(20 * SECOND));
        let patience = asked + (MAX_STOP_TIMEOUT + 1) * SECOND + 4 * MINUTE;
        while !self.core.is_shut_down() {
            if let Some(at) = impatient
                && at <= self.now
            {
                self.give(Input::Kill);
                self.run_until(self.now + SECOND);
                assert!(self.core.is_shut_down(), "alive a second after a kill");
                break;
            }
            assert!(self.advance(patience), "not shut down in time");
            if self.steps.is_multiple_of(64) {
                self.audit();
            }
        }
        self.audit();
        assert!(!self.world.has_mortals(), "shut down, and something that can be killed is alive");
        assert!(self.core.next_deadline().is_none() && self.core.verdict().is_some());
        for _ in 0..100 {
            self.operate();
        }
        self.run_until(self.now + 24 * HOUR);
        self.audit();
        assert_eq!(self.tally.starts, starts, "a start after shutdown");
    }
}

/// Expressions of every kind, in zones that change their clocks in other ways, or not at all.
fn random_cron(random: &mut Random) -> (&'static str, &'static str) {
    const EXPRESSIONS: [&str; 9] = [
        "*/5 * * * *",
        "* * * * *",
        "*/30 * * * * *",
        "15,45 2 * * *",
        "0,30 1 * * *",
        "0 1,13 * * *",
        "7 3 * * SUN",
        "@hourly",
        "0 0-23/2 * * *",
    ];
    const ZONES: [&str; 4] = ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata"];
    let expression = EXPRESSIONS[random.below(EXPRESSIONS.len() as u64) as usize];
    (expression, ZONES[random.below(ZONES.len() as u64) as usize])
}

fn random_notify(random: &mut Random) -> Option<bansuri_core::NotifyPlan> {
    let mode = match random.below(5) {
        0 | 1 => return None,
        2 => NotifyMode::AfterFail,
        3 => NotifyMode::AfterMany(NonZeroU32::new(1 + random.below(4) as u32)?),
        _ => NotifyMode::OnExhausted,
    };
    let after = if random.one_in(3) { 1 + random.spread(7_200) } else { 0 };
    notify(mode, random.one_in(2), after)
}

fn random_plan(random: &mut Random, index: usize) -> TaskPlan {
    let on_exhausted = if random.one_in(2) { OnExhausted::Continue } else { OnExhausted::Stop };
    let on_fail = match random.below(6) {
        0 => OnFail::Stop,
        1..3 => OnFail::Ignore,
        3 => retry(0, 1 + random.below(60), on_exhausted),
        4 => {
            let delays = doubling(60 + random.spread(600), if random.one_in(2) { 0.2 } else { 0.0 });
            backoff(random.below(6) as u32, 1 + random.below(20), on_exhausted, delays)
        }
        _ => retry(1 + random.below(4) as u32, random.spread(60), on_exhausted),
    };
    let options = Options {
        service: random.one_in(6),
        cron: random.one_in(3).then(|| random_cron(random)),
        catch_up: random.one_in(2),
        jitter: if random.one_in(4) { 1 + random.below(19) } else { 0 },
        health: if random.one_in(4) {
            health(5 + random.spread(600), 1 + random.below(3) as u32, random.spread(300))
        } else {
            None
        },
        timer: if random.one_in(6) { 0 } else { 20 + random.spread(3_600) },
        mode: if random.one_in(3) { TimerMode::FixedDelay } else { TimerMode::FixedRate },
        timeout: if random.one_in(5) { 0 } else { 1 + random.spread(1_800) },
        stop_timeout: random.spread(MAX_STOP_TIMEOUT),
        on_fail,
        max_runs: if random.one_in(10) { 1 + random.spread(100) } else { 0 },
        notify: random_notify(random),
    };
    plan(&format!("task {index}"), options)
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
            eprintln!("replay: BANSURI_SEED={seed} cargo test -p bansuri-core --test simulation");
        }
    }
}

#[test]
fn a_day_of_a_thousand_tasks_keeps_the_laws() {
    let seed = Seed::new();
    let (tally, _) = Simulation::new(seed.0, 1_200, 0).live(24);
    eprintln!("seed {}: {tally:#?}", seed.0);
    let Tally {
        starts,
        retries,
        completed,
        failed,
        timed_out,
        stopped,
        forced,
        stuck,
        waits_for_remains,
        ticks_skipped,
        notices,
        refused,
        restarts,
        checks,
        unhealthy,
        recoveries,
        sent,
        dropped,
        remembered,
        caught_up,
        clock_changes,
    } = tally;
    assert!(starts > 20_000, "{starts} starts");
    let rarer =
        [retries, completed, failed, timed_out, stopped, forced, waits_for_remains, ticks_skipped, notices];
    assert!(rarer.iter().all(|count| *count > 100), "{rarer:?}");
    let new = [restarts, checks, unhealthy, recoveries, sent, dropped, remembered];
    assert!(new.iter().all(|count| *count > 100), "{new:?}");
    let rare = [stuck, refused, caught_up, clock_changes];
    assert!(rare.iter().all(|count| *count > 10), "{rare:?}");
}

#[test]
fn days_on_which_clocks_change_keep_the_laws() {
    const DAY: u64 = 86_400;
    // From 14 November 2023, the Fridays before: New York in March, Lord Howe in April, Berlin in October, New York in
    // November 2024.
    for days in [115, 143, 346, 353] {
        let seed = Seed::new();
        let (tally, _) = Simulation::new(seed.0, 60, days * DAY).live(72);
        assert!(tally.starts > 5_000, "seed {}: {tally:?}", seed.0);
    }
}

#[test]
fn the_same_seed_gives_the_same_effects() {
    let seed = Seed::new();
    let first = Simulation::new(seed.0, 100, 0).live(6);
    assert_eq!(Simulation::new(seed.0, 100, 0).live(6), first);
    let other = Simulation::new(seed.0.wrapping_add(1), 100, 0).live(6);
    assert_ne!(other.1, first.1, "another seed is another life");
}
