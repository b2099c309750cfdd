//! The laws of several tasks over every history of inputs up to some length: dependencies, slots and reloads in all
//! combinations with what runs and operators do.
//!
//! Two histories that lead to the same state have the same future, so that each state is gone on from only once.

#[path = "many/referee.rs"]
mod referee;
#[allow(dead_code, reason = "what a story can tell is for several files of tests")]
#[path = "many/story.rs"]
mod story;

use bansuri_core::{
    Backoff, Change, Command, Effect, Exit, Input, OnExhausted, OnFail, Orchestrator, Origin, Reload, Retry,
    RunId, Schedule, TaskPlan,
};
use referee::Referee;
use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::fmt::Write;
use std::hash::Hasher;
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;
use story::{SECOND, name, now, plan, task, timer};

/// What can happen next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    ToDeadline,
    Success(&'static str),
    Failure(&'static str),
    /// A failure that leaves something behind.
    Leaves(&'static str),
    Gone(&'static str),
    CannotForce(&'static str),
    Operator(&'static str, Command),
    /// The other plan, or back; tasks that both have change so.
    Reload(Change),
    /// The end of a run that a task had whose place may be taken by now.
    Late,
    Shutdown,
    Kill,
}

#[derive(Clone)]
struct Node {
    core: Orchestrator,
    referee: Referee,
    seconds: u64,
    /// Which of the two plans it has.
    plan: usize,
    first_run: Option<RunId>,
    history: Vec<Step>,
}

struct Scene {
    plans: [Vec<TaskPlan>; 2],
    max_running: u32,
    steps: Vec<Step>,
}

impl Node {
    fn new(scene: &Scene) -> Self {
        let core = Orchestrator::new(plan(&scene.plans[0], scene.max_running), 0);
        let referee = Referee::new(&core);
        let mut node = Self { core, referee, seconds: 0, plan: 0, first_run: None, history: Vec::new() };
        node.give(&Input::Begin);
        node
    }

    fn take(&mut self, step: Step, scene: &Scene) {
        self.history.push(step);
        let Some(input) = self.input(step, scene) else { return };
        self.give(&input);
        self.referee.audit(&self.core, now(self.seconds * SECOND));
    }

    fn give(&mut self, input: &Input) {
        let effects = self.referee.give(&mut self.core, input, now(self.seconds * SECOND));
        for effect in effects {
            if let Effect::Start { run, .. } = effect {
                self.first_run.get_or_insert(run);
                self.give(&Input::Started { run, pid: None });
            }
        }
    }

    fn input(&mut self, step: Step, scene: &Scene) -> Option<Input> {
        let at = now(self.seconds * SECOND);
        let id = |task| self.core.task_id(&name(task));
        let run =
            |task| id(task).and_then(|task| Some(RunId { task, number: self.core.view(task, at).run? }));
        let ends = |task, code, remains| {
            run(task).map(|run| Input::Finished { run, exit: Exit::Code(code), remains })
        };
        match step {
            Step::ToDeadline => {
                let due = self.core.next_deadline()?;
                self.seconds = due.as_nanos() / SECOND;
                Some(Input::Tick)
            }
            Step::Success(task) => ends(task, 0, false),
            Step::Failure(task) => ends(task, 1, false),
            Step::Leaves(task) => ends(task, 1, true),
            Step::Gone(task) => run(task).map(|run| Input::Gone { run }),
            Step::CannotForce(task) => run(task).map(|run| Input::CannotForce { run }),
            Step::Operator(task, command) => id(task).map(|task| Input::Operator { task, command }),
            Step::Reload(change) => {
                self.plan = 1 - self.plan;
                let plan = plan(&scene.plans[self.plan], scene.max_running);
                let origins = plan
                    .tasks()
                    .iter()
                    .map(|task| match self.core.task_id(&task.name) {
                        Some(id) if change == Change::None && self.core.task_plan(id) != Some(task) => {
                            Origin::Kept { task: id, change: Change::Schedule }
                        }
                        Some(task) => Origin::Kept { task, change },
                        None => Origin::Added,
                    })
                    .collect();
                Some(Input::Reload(Box::new(Reload { plan, origins })))
            }
            Step::Late => {
                self.first_run.map(|run| Input::Finished { run, exit: Exit::Code(0), remains: false })
            }
            Step::Shutdown => Some(Input::Shutdown),
            Step::Kill => Some(Input::Kill),
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
        write!(sink, "{:?}{}{}{:?}", self.core, self.seconds, self.plan, self.first_run)
            .expect("a hasher takes all");
        sink.0.finish()
    }
}

/// Goes through every history of up to `length` steps after the beginning.
fn every_history(label: &str, scene: &Scene, length: usize) {
    let first = Node::new(scene);
    let mut seen = HashSet::from([first.key()]);
    let mut frontier = vec![first];
    for level in 1..=length {
        let mut next = Vec::new();
        for node in &frontier {
            for &step in &scene.steps {
                let mut after = node.clone();
                if let Err(panic) = catch_unwind(AssertUnwindSafe(|| after.take(step, scene))) {
                    eprintln!("{label}: {:?}", after.history);
                    resume_unwind(panic);
                }
                if level < length && seen.insert(after.key()) {
                    next.push(after);
                }
            }
        }
        frontier = next;
    }
    eprintln!("{label}: {} states gone on from", seen.len());
}

fn retries(plan: TaskPlan, max_attempts: u32, delay: u64) -> TaskPlan {
    let on_fail = OnFail::Restart(Retry {
        max_attempts: NonZeroU32::new(max_attempts),
        delay: Duration::from_secs(delay),
        backoff: Backoff::NONE,
        on_exhausted: OnExhausted::Continue,
    });
    TaskPlan { on_fail, ..plan }
}

fn service(plan: TaskPlan) -> TaskPlan {
    TaskPlan { schedule: Schedule::Service, ..retries(plan, 2, 3) }
}

const COMMANDS: [Command; 4] = [Command::Stop, Command::Start, Command::Restart, Command::Trigger];

fn steps(tasks: &[&'static str], changes: &[Change]) -> Vec<Step> {
    let mut steps = vec![Step::ToDeadline, Step::Late, Step::Shutdown, Step::Kill];
    for &task in tasks {
        steps.extend([Step::Success(task), Step::Failure(task), Step::Leaves(task)]);
        steps.extend([Step::Gone(task), Step::CannotForce(task)]);
        steps.extend(COMMANDS.map(|command| Step::Operator(task, command)));
    }
    steps.extend(changes.iter().map(|change| Step::Reload(*change)));
    steps
}

#[test]
fn a_trigger_and_its_source() {
    let tasks = vec![timer(task("a", &[]), 10), retries(task("b", &["a"]), 2, 5)];
    let scene = Scene {
        plans: [tasks.clone(), tasks],
        max_running: 0,
        steps: steps(&["a", "b"], &[Change::Command, Change::Policy]),
    };
    every_history("trigger", &scene, 5);
}

#[test]
fn a_gate_before_a_service_before_a_timer() {
    let tasks = vec![task("a", &[]), service(task("b", &["a"])), timer(task("c", &["b started"]), 7)];
    let mut steps = steps(&["a", "b"], &[]);
    steps.extend([Step::Success("c"), Step::Operator("c", Command::Trigger)]);
    every_history("gates", &Scene { plans: [tasks.clone(), tasks], max_running: 0, steps }, 5);
}

#[test]
fn one_slot_for_three() {
    let tasks = vec![timer(task("a", &[]), 10), retries(task("b", &[]), 2, 0), task("c", &["b"])];
    let mut steps = steps(&["a", "b"], &[]);
    steps.extend([Step::Success("c"), Step::Operator("c", Command::Restart)]);
    every_history("slot", &Scene { plans: [tasks.clone(), tasks], max_running: 1, steps }, 5);
}

#[test]
fn tasks_that_come_and_go() {
    let scene = Scene {
        plans: [
            vec![task("a", &[]), retries(task("b", &["a"]), 2, 5)],
            vec![task("b", &["c"]), timer(task("c", &[]), 10)],
        ],
        max_running: 0,
        steps: steps(&["a", "b", "c"], &[Change::Policy, Change::Schedule, Change::Command]),
    };
    every_history("come and go", &scene, 4);
}

#[test]
fn reloads_with_one_slot_and_other_schedules() {
    let scene = Scene {
        plans: [
            vec![timer(task("a", &[]), 10), retries(task("b", &["a started"]), 3, 5)],
            vec![task("a", &["b"]), service(task("c", &["b"])), retries(task("b", &[]), 1, 5)],
        ],
        max_running: 1,
        steps: steps(&["a", "b"], &[Change::Schedule, Change::Command]),
    };
    every_history("one slot, other schedules", &scene, 5);
}
