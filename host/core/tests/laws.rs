//! The laws of the core over every history of inputs up to some length.
//!
//! Two histories that lead to the same state have the same future, so that each state is gone on from only once: that
//! leaves nothing out, and makes long histories cheap.

mod support;

use bansuri_core::{
    Command, Effect, Exit, Input, OnExhausted, OnFail, Orchestrator, Plan, RunId, TaskId, TaskPlan, TimerMode,
};
use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::fmt::Write;
use std::hash::Hasher;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use support::{Checker, Options, now, plan, retry};

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
    history: Vec<Step>,
}

impl Node {
    fn new(task: TaskPlan) -> Self {
        let core = Orchestrator::new(Plan::new(vec![task]).expect("one name"), 0);
        Self { core, checker: Checker::new(1), nanos: SECOND, history: Vec::new() }
    }

    fn take(&mut self, step: Step, world: World) {
        self.history.push(step);
        let input = self.input(step);
        self.give(&input, world);
        self.checker.audit(&self.core, now(self.nanos));
    }

    fn give(&mut self, input: &Input, world: World) {
        let effects = self.checker.give(&mut self.core, input, now(self.nanos));
        for effect in effects {
            if let (World::Proper, Effect::Start { run, .. }) = (world, effect) {
                self.give(&Input::Started { run, pid: Some(1) }, world);
            }
        }
    }

    fn input(&mut self, step: Step) -> Input {
        let task = TaskId::new(0);
        let last = self.core.view(task, now(self.nanos)).run.unwrap_or(0);
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
        write!(sink, "{:?}{:?}{}", self.core, self.checker, self.nanos).expect("a hasher takes everything");
        sink.0.finish()
    }
}

/// Goes through every history of up to `length` steps after the beginning.
fn every_history(name: &str, options: Options, world: World, length: usize) {
    let mut first = Node::new(plan(name, options));
    first.give(&Input::Begin, world);
    let mut seen = HashSet::from([first.key()]);
    let mut frontier = vec![first];
    for level in 1..=length {
        let mut next = Vec::new();
        for node in &frontier {
            for step in ANY {
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

const LENGTH: usize = 6;

fn both_worlds(name: &str, options: Options) {
    every_history(name, options.clone(), World::Proper, LENGTH);
    every_history(name, options, World::Arbitrary, LENGTH);
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
