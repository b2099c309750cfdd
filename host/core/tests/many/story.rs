//! Several tasks, told about by name: what is given, and what comes out.

use bansuri_core::{
    Change, Command, Condition, Dependency, Effect, Event, Exit, Input, Mono, Now, OnFail, Orchestrator,
    Origin, Plan, Positive, Reload, RunId, Schedule, StateName, TaskId, TaskName, TaskPlan, TimerMode, Wall,
};
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::time::Duration;

pub(crate) const SECOND: u64 = 1_000_000_000;

pub(crate) fn now(nanos: u64) -> Now {
    Now { mono: Mono::from_nanos(nanos), wall: Wall::from_nanos(nanos as i64) }
}

pub(crate) fn name(text: &str) -> TaskName {
    TaskName::new(text).expect("tests name their tasks")
}

/// A task that runs once and depends on others: `"a"`, `"a started"`, `"a healthy"`.
pub(crate) fn task(task: &str, depends_on: &[&str]) -> TaskPlan {
    let depends_on = depends_on
        .iter()
        .map(|text| {
            let (task, condition) = match text.split_once(' ') {
                None => (*text, Condition::Completed),
                Some((task, "started")) => (task, Condition::Started),
                Some((task, "healthy")) => (task, Condition::Healthy),
                Some(other) => panic!("not a condition: {other:?}"),
            };
            Dependency { task: name(task), condition }
        })
        .collect();
    TaskPlan { depends_on, ..TaskPlan::new(name(task)) }
}

/// The same with a timer, in seconds.
pub(crate) fn timer(plan: TaskPlan, interval: u64) -> TaskPlan {
    let interval = Positive::new(Duration::from_secs(interval)).expect("no timer of zero");
    let schedule = Schedule::Timer { interval, mode: TimerMode::FixedRate };
    TaskPlan { schedule, on_fail: OnFail::Ignore, ..plan }
}

pub(crate) fn plan(tasks: &[TaskPlan], max_running: u32) -> Plan {
    Plan::new(tasks.to_vec())
        .unwrap_or_else(|error| panic!("{error}"))
        .with_max_running(NonZeroU32::new(max_running))
}

/// An orchestrator whose starts are answered at once, with times in seconds.
pub(crate) struct Story {
    pub(crate) core: Orchestrator,
    names: HashMap<TaskId, String>,
}

impl Story {
    /// Begins at second 0.
    pub(crate) fn new(tasks: &[TaskPlan], max_running: u32, expect: &str) -> Self {
        let core = Orchestrator::new(plan(tasks, max_running), 0);
        let mut story = Self { core, names: HashMap::new() };
        story.at(0, Input::Begin, expect);
        story
    }

    #[track_caller]
    pub(crate) fn at(&mut self, second: u64, input: Input, expect: &str) {
        let shown = self.give(second, input.clone());
        assert_eq!(shown.join(", "), expect, "at {second}: {input:?}");
    }

    #[track_caller]
    pub(crate) fn exits(&mut self, second: u64, task: &str, code: i32, expect: &str) {
        let input = Input::Finished { run: self.last_run(task), exit: Exit::Code(code), remains: false };
        self.at(second, input, expect);
    }

    #[track_caller]
    pub(crate) fn operator(&mut self, second: u64, task: &str, command: Command, expect: &str) {
        let task = self.id(task);
        self.at(second, Input::Operator { task, command }, expect);
    }

    /// Tasks of the plan that are named here come from where they are, with this change; others are added.
    #[track_caller]
    pub(crate) fn reload(&mut self, second: u64, plan: Plan, changes: &[(&str, Change)], expect: &str) {
        let origins = plan
            .tasks()
            .iter()
            .map(|task| {
                let change = changes.iter().find(|(name, _)| *name == task.name.as_str());
                change.map_or(Origin::Added, |(name, change)| Origin::Kept {
                    task: self.id(name),
                    change: *change,
                })
            })
            .collect();
        self.at(second, Input::Reload(Box::new(Reload { plan, origins })), expect);
    }

    #[track_caller]
    pub(crate) fn id(&self, task: &str) -> TaskId {
        self.core.task_id(&name(task)).expect("the task is in the plan")
    }

    #[track_caller]
    pub(crate) fn last_run(&self, task: &str) -> RunId {
        let task = self.id(task);
        RunId { task, number: self.core.view(task, now(0)).run.expect("it has run") }
    }

    /// Its state, and why.
    #[track_caller]
    pub(crate) fn shows(&self, task: &str, expect: &str) {
        let view = self.core.view(self.id(task), now(0));
        let reason = view.reason.map_or(String::new(), |reason| format!(" ({reason})"));
        assert_eq!(format!("{}{reason}", view.state), expect);
    }

    fn give(&mut self, second: u64, input: Input) -> Vec<String> {
        self.core.handle(input, now(second * SECOND));
        let mut shown = Vec::new();
        while let Some(effect) = self.core.poll_effect() {
            shown.extend(self.shown(&effect));
            if let Effect::Start { run, .. } = effect {
                self.core.handle(Input::Started { run, pid: None }, now(second * SECOND));
            }
        }
        shown
    }

    fn named(&mut self, task: TaskId) -> &str {
        if let Some(name) = self.core.name(task) {
            self.names.insert(task, name.to_string());
        }
        self.names.get(&task).map_or("nobody", String::as_str)
    }

    /// In words; that a run is alive goes without saying.
    fn shown(&mut self, effect: &Effect) -> Option<String> {
        Some(match effect {
            Effect::Start { run, attempt } => {
                format!("{} starts {}.{attempt}", self.named(run.task), run.number)
            }
            Effect::RequestStop { run } => format!("{} is asked", self.named(run.task)),
            Effect::ForceStop { run } => format!("{} is forced", self.named(run.task)),
            Effect::Removed { task } => format!("{} is gone", self.named(*task)),
            Effect::CheckHealth { run } => format!("{} is checked", self.named(run.task)),
            Effect::Event(Event::TaskState(change)) if change.to == StateName::Running => return None,
            Effect::Event(Event::TaskState(change)) => {
                let next = change
                    .next_run
                    .map_or(String::new(), |next| format!(" at {}", next.as_nanos() as u64 / SECOND));
                let reason = match (&change.reason, change.duration) {
                    (Some(reason), None) => format!(" ({reason})"),
                    (Some(_), Some(_)) | (None, _) => String::new(),
                };
                format!("{} {}{next}{reason}", self.named(change.task), change.to)
            }
            Effect::Event(Event::TickSkipped { task, count, due, reason }) => {
                let due = due.as_nanos() as u64 / SECOND;
                format!("{} skipped {count} from {due} ({reason})", self.named(*task))
            }
            Effect::Event(Event::TaskStuck { task, .. }) => format!("{} is stuck", self.named(*task)),
            Effect::Refused { task, reason, .. } => format!("{} refused ({reason})", self.named(*task)),
            Effect::RememberTick { .. }
            | Effect::SendHeld { .. }
            | Effect::DropHeld { .. }
            | Effect::Notify(_) => return None,
        })
    }
}
