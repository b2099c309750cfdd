//! The laws of the core over every history of inputs up to some length.
//!
//! Two histories that lead to the same state have the same future, so that each state is gone on from only once: that
//! leaves nothing out, and makes long histories cheap.

mod support;

use bansuri_core::{
    Command, Effect, Exit, Input, NotifyMode, Now, OnExhausted, OnFail, Orchestrator, Plan, RunId, Schedule,
    TaskId, TaskPlan, TimerMode,
};
use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::fmt::Write;
use std::hash::Hasher;
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use support::{Checker, Options, backoff, doubling, health, notify, plan, retry, shifted};

const SECOND: u64 = 1_000_000_000;

/// What can happen next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    /// Time passes to the next deadline.
    ToDeadline,
    /// A little time passes.
    Short,
    /// Much time passes, and the host is late for everything.
    Long,
    BeginAgain,
    Started,
    NotStarted,
    Success,
    Failure,
    FailureThatRemains,
    Gone,
    CannotForce,
    /// The same, about the run before.
    StaleStarted,
    StaleFinished,
    StaleGone,
    /// About a run that was never asked for.
    FutureFinished,
    Operator(Command),
    Shutdown,
    Kill,
    Healthy,
    Unhealthy,
    ClockForwards,
    ClockBack,
    /// Nobody says so.
    ClockBackUnnoticed,
}

const ANY: [Step; 21] = [
    Step::ToDeadline,
    Step::Short,
    Step::Long,
    Step::BeginAgain,
    Step::Started,
    Step::NotStarted,
    Step::Success,
    Step::Failure,
    Step::FailureThatRemains,
    Step::Gone,
    Step::CannotForce,
    Step::StaleStarted,
    Step::StaleFinished,
    Step::StaleGone,
    Step::FutureFinished,
    Step::Operator(Command::Stop),
    Step::Operator(Command::Start),
    Step::Operator(Command::Restart),
    Step::Operator(Command::Trigger),
    Step::Shutdown,
    Step::Kill,
];

/// What can happen besides where health is checked.
const HEALTH: [Step; 2] = [Step::Healthy, Step::Unhealthy];

/// What can happen besides where ticks are in civil time.
const CLOCK: [Step; 3] = [Step::ClockForwards, Step::ClockBack, Step::ClockBackUnnoticed];

/// Everything that can happen to a task.
fn steps(task: &TaskPlan) -> Vec<Step> {
    let mut steps = ANY.to_vec();
    if task.health.is_some() {
        steps.extend(HEALTH);
    }
    if let Schedule::Cron(_) = task.schedule {
        steps.extend(CLOCK);
    }
    steps
}

/// Whether the world answers [`Effect::Start`] by itself, as a driver does, or whenever it likes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum World {
    Proper,
    Arbitrary,
}

#[derive(Clone)]
struct Node {
    core: Orchestrator,
    checker: Checker,
    nanos: u64,
    /// How far the clock on the wall was set forwards.
    shift: i64,
    history: Vec<Step>,
}

impl Node {
    fn new(task: TaskPlan) -> Self {
        let core = Orchestrator::new(Plan::new(vec![task]).expect("one name"), 0);
        Self { core, checker: Checker::new(1), nanos: SECOND, shift: 0, history: Vec::new() }
    }

    fn take(&mut self, step: Step, world: World) {
        self.history.push(step);
        let input = self.input(step);
        self.give(&input, world);
        self.checker.audit(&self.core, self.now());
    }

    fn now(&self) -> Now {
        shifted(self.nanos, self.shift)
    }

    fn give(&mut self, input: &Input, world: World) {
        let effects = self.checker.give(&mut self.core, input, shifted(self.nanos, self.shift));
        for effect in effects {
            if let (World::Proper, Effect::Start { run, .. }) = (world, effect) {
                self.give(&Input::Started { run, pid: Some(1) }, world);
            }
        }
    }

    fn input(&mut self, step: Step) -> Input {
        let task = TaskId::new(0);
        let last = self.core.view(task, self.now()).run.unwrap_or(0);
        let run = RunId { task, number: last };
        let before = RunId { task, number: last.saturating_sub(1) };
        let finished = |run, code, remains| Input::Finished { run, exit: Exit::Code(code), remains };
        match step {
            Step::ToDeadline => {
                self.nanos = self.core.next_deadline().map_or(self.nanos, |due| due.as_nanos());
                Input::Tick
            }
            Step::Short => {
                self.nanos += SECOND;
                Input::Tick
            }
            Step::Long => {
                self.nanos += 1_000 * SECOND;
                Input::Tick
            }
            Step::BeginAgain => Input::Begin,
            Step::Started => Input::Started { run, pid: Some(1) },
            Step::NotStarted => {
                Input::NotStarted { run, exit: Exit::NotStarted { reason: "none".to_owned(), code: None } }
            }
            Step::Success => finished(run, 0, false),
            Step::Failure => finished(run, 1, false),
            Step::FailureThatRemains => finished(run, 1, true),
            Step::Gone => Input::Gone { run },
            Step::CannotForce => Input::CannotForce { run },
            Step::StaleStarted => Input::Started { run: before, pid: Some(1) },
            Step::StaleFinished => finished(before, 0, false),
            Step::StaleGone => Input::Gone { run: before },
            Step::FutureFinished => finished(RunId { task, number: last + 1 }, 0, false),
            Step::Operator(command) => Input::Operator { task, command },
            Step::Shutdown => Input::Shutdown,
            Step::Kill => Input::Kill,
            Step::Healthy => Input::HealthChecked { run, problem: None },
            Step::Unhealthy => Input::HealthChecked { run, problem: Some("no answer".to_owned()) },
            Step::ClockForwards => {
                self.shift += 700 * SECOND as i64;
                Input::ClockChanged
            }
            Step::ClockBack => {
                self.shift -= 700 * SECOND as i64;
                Input::ClockChanged
            }
            Step::ClockBackUnnoticed => {
                self.shift -= 700 * SECOND as i64;
                Input::Tick
            }
        }
    }

    fn key(&self) -> u64 {
        struct Sink(DefaultHasher);
        impl Write for Sink {
            fn write_str(&mut self, text: &str) -> std::fmt::Result {
                self.0.write(text.as_bytes());
                Ok(())
            }
        }
        let mut sink = Sink(DefaultHasher::new());
        write!(sink, "{:?}{:?}{:?}", self.core, self.checker, (self.nanos, self.shift))
            .expect("a hasher takes everything");
        sink.0.finish()
    }
}

/// Goes through every history of up to `length` steps after the beginning.
fn every_history(name: &str, options: Options, world: World, length: usize) {
    let task = plan(name, options);
    let steps = steps(&task);
    let mut first = Node::new(task);
    first.give(&Input::Begin, world);
    let mut seen = HashSet::from([first.key()]);
    let mut frontier = vec![first];
    for level in 1..=length {
        let mut next = Vec::new();
        for node in &frontier {
            for &step in &steps {
                let mut after = node.clone();
                if let Err(panic) = catch_unwind(AssertUnwindSafe(|| after.take(step, world))) {
                    eprintln!("{name}, {world:?} world: {:?}", after.history);
                    resume_unwind(panic);
                }
                // Nothing is gone on from at the last level.
                if level < length && seen.insert(after.key()) {
                    next.push(after);
                }
            }
        }
        frontier = next;
    }
    eprintln!("{name}, {world:?} world: {} states gone on from", seen.len());
}

fn both_worlds(name: &str, options: Options) {
    every_history(name, options.clone(), World::Proper, 6);
    every_history(name, options, World::Arbitrary, 6);
}

/// The same for plans with which more can happen.
fn both_rich_worlds(name: &str, options: Options) {
    every_history(name, options.clone(), World::Proper, 5);
    every_history(name, options, World::Arbitrary, 5);
}

#[test]
fn once() {
    both_worlds("once", Options { timeout: 30, ..Options::default() });
}

#[test]
fn once_with_retries_at_once_and_no_time_to_stop() {
    let on_fail = retry(2, 0, OnExhausted::Continue);
    both_worlds("eager", Options { on_fail, timeout: 3, stop_timeout: 0, ..Options::default() });
}

#[test]
fn once_with_endless_retries() {
    both_worlds("endless", Options { on_fail: retry(0, 5, OnExhausted::Stop), ..Options::default() });
}

#[test]
fn fixed_rate_that_ignores_failures() {
    let on_fail = OnFail::Ignore;
    both_worlds("rate", Options { timer: 7, on_fail, timeout: 20, max_runs: 2, ..Options::default() });
}

#[test]
fn fixed_rate_with_retries_that_ends_when_they_are_exhausted() {
    let on_fail = retry(2, 5, OnExhausted::Stop);
    both_worlds("exhausted", Options { timer: 7, on_fail, notify: None, ..Options::default() });
}

#[test]
fn fixed_rate_with_retries_that_goes_on() {
    let on_fail = retry(3, 2, OnExhausted::Continue);
    both_worlds("going on", Options { timer: 3, on_fail, timeout: 4, ..Options::default() });
}

#[test]
fn fixed_delay_with_retries() {
    let on_fail = retry(2, 1, OnExhausted::Continue);
    let mode = TimerMode::FixedDelay;
    both_worlds("delay", Options { timer: 5, mode, on_fail, timeout: 30, ..Options::default() });
}

#[test]
fn fixed_delay_that_stops_at_a_failure() {
    let mode = TimerMode::FixedDelay;
    both_worlds("stopping", Options { timer: 5, mode, max_runs: 1, ..Options::default() });
}

#[test]
fn a_service_whose_delay_grows_and_whose_health_is_checked() {
    let on_fail = backoff(3, 5, OnExhausted::Continue, doubling(15, 0.0));
    let options = Options { service: true, on_fail, health: health(4, 2, 3), ..Options::default() };
    both_rich_worlds("service", options);
}

#[test]
fn a_service_without_a_limit_that_tells_of_recoveries() {
    let on_fail = backoff(0, 5, OnExhausted::Continue, doubling(15, 0.5));
    let notify = notify(NotifyMode::AfterMany(NonZeroU32::new(2).expect("2")), true, 20);
    both_rich_worlds("told", Options { service: true, on_fail, notify, ..Options::default() });
}

#[test]
fn civil_ticks_with_retries_and_a_clock_that_is_set() {
    let on_fail = retry(2, 400, OnExhausted::Continue);
    let cron = Some(("0,10,20,30,40,50 0-23 * * *", "UTC"));
    both_rich_worlds("cron", Options { cron, on_fail, timeout: 900, catch_up: true, ..Options::default() });
}

#[test]
fn civil_ticks_with_jitter_that_tell_of_exhaustion() {
    let on_fail = retry(2, 5, OnExhausted::Continue);
    let cron = Some(("0,10,20,30,40,50 0-23 * * *", "UTC"));
    let notify = notify(NotifyMode::OnExhausted, true, 0);
    both_rich_worlds("jitter", Options { cron, on_fail, jitter: 60, notify, ..Options::default() });
}

#[test]
fn a_timer_with_jitter_that_holds_back_what_it_tells() {
    let notify = notify(NotifyMode::AfterFail, true, 12);
    let on_fail = OnFail::Ignore;
    both_worlds("held", Options { timer: 7, jitter: 3, on_fail, notify, ..Options::default() });
}

#[test]
fn a_health_check_of_a_task_that_runs_once() {
    let on_fail = retry(2, 1, OnExhausted::Stop);
    let options = Options { timeout: 30, on_fail, health: health(10, 1, 0), ..Options::default() };
    both_rich_worlds("checked", options);
}
