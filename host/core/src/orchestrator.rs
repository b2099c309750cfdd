//! All tasks together: inputs in, effects out, and the next deadline.

use crate::context::{Context, Milestone};
use crate::effect::Effect;
use crate::id::{RunId, TaskId};
use crate::input::Input;
use crate::plan::Plan;
use crate::random::Random;
use crate::task::{Standing, Task};
use crate::time::{Mono, Now};
use crate::view::{TaskView, Verdict};
use std::collections::{BTreeSet, VecDeque};

/// All tasks of a plan and what is under way for each. A clone goes on by itself from the same point.
#[derive(Clone, Debug)]
pub struct Orchestrator {
    plan: Plan,
    /// By task id.
    tasks: Vec<Task>,
    /// The deadline of every task that has one.
    deadlines: BTreeSet<(Mono, TaskId)>,
    totals: Totals,
    effects: VecDeque<Effect>,
    random: Random,
    /// What tasks have reached in this step and nobody has looked at yet.
    milestones: Vec<(TaskId, Milestone)>,
    /// The time of the last `handle`.
    clock: Mono,
    ending: Ending,
}

/// Whether the host is on its way down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ending {
    Not,
    Asked,
    Forced,
}

/// How many tasks stand how, so that the answers about all of them cost nothing.
#[derive(Clone, Copy, Default, Debug)]
struct Totals {
    open: usize,
    completed: usize,
}

impl Totals {
    fn add(&mut self, standing: Standing) {
        self.open += usize::from(standing.open);
        self.completed += usize::from(standing.completed);
    }

    fn remove(&mut self, standing: Standing) {
        self.open -= usize::from(standing.open);
        self.completed -= usize::from(standing.completed);
    }
}

impl Orchestrator {
    /// Nothing happens before [`Input::Begin`]. The seed feeds whatever is random; schedules and delays without jitter
    /// are not.
    pub fn new(plan: Plan, seed: u64) -> Self {
        let tasks = vec![Task::new(); plan.tasks().len()];
        let mut totals = Totals::default();
        for task in &tasks {
            totals.add(task.standing());
        }
        Self {
            plan,
            tasks,
            deadlines: BTreeSet::new(),
            totals,
            effects: VecDeque::new(),
            random: Random::new(seed),
            milestones: Vec::new(),
            clock: Mono::default(),
            ending: Ending::Not,
        }
    }

    /// The plan it works from.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Takes one input, and does what is due at `now`, in the order of the deadlines. May change the answers of every
    /// other method. A `now` before that of the last call counts as that one on the monotonic clock.
    pub fn handle(&mut self, input: Input, now: Now) {
        let now = Now { mono: now.mono.max(self.clock), wall: now.wall };
        self.clock = now.mono;
        match &input {
            Input::Begin | Input::ClockChanged => self.step_all(&input, now),
            Input::Tick | Input::Reload(_) => {}
            Input::LastTick { task, .. } => {
                let task = *task;
                self.step(task, input, now);
            }
            Input::Shutdown => match self.ending {
                Ending::Not => {
                    self.ending = Ending::Asked;
                    self.step_all(&input, now);
                }
                Ending::Asked | Ending::Forced => {}
            },
            Input::Kill => {
                self.ending = Ending::Forced;
                self.step_all(&input, now);
            }
            Input::Started { run, .. }
            | Input::NotStarted { run, .. }
            | Input::Finished { run, .. }
            | Input::Gone { run }
            | Input::HealthChecked { run, .. }
            | Input::CannotForce { run } => {
                let RunId { task, .. } = *run;
                self.step(task, input, now);
            }
            Input::Operator { task, command } => {
                let refusal = match self.ending {
                    Ending::Asked | Ending::Forced => Some("the host is shutting down"),
                    Ending::Not if task.index() >= self.tasks.len() => Some("there is no such task"),
                    Ending::Not => None,
                };
                match refusal {
                    Some(reason) => {
                        let (task, command, reason) = (*task, *command, reason.to_owned());
                        self.effects.push_back(Effect::Refused { task, command, reason });
                    }
                    None => self.step(*task, input, now),
                }
            }
        }
        // Every step at its deadline moves it past `now` or takes it away, so that this ends.
        while let Some(&(due, task)) = self.deadlines.first()
            && due <= now.mono
        {
            self.step(task, Input::Tick, now);
        }
    }

    /// The next thing to be done, in order; `None` when there is nothing until the next `handle`.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When to call `handle(Input::Tick)` at the latest; `None`: not before another input. Never lies before the `now`
    /// of the last `handle`. Changes only in `handle`.
    pub fn next_deadline(&self) -> Option<Mono> {
        self.deadlines.first().map(|&(due, _)| due)
    }

    /// One task as it stands, with civil times computed from `now`.
    ///
    /// # Panics
    ///
    /// If the plan has no such task.
    pub fn view(&self, task: TaskId, now: Now) -> TaskView {
        self.tasks[task.index()].view(&self.plan.tasks()[task.index()], now)
    }

    /// All tasks as they stand, in the order of their ids, with civil times computed from `now`.
    pub fn snapshot(&self, now: Now) -> impl Iterator<Item = TaskView> {
        self.tasks.iter().zip(self.plan.tasks()).map(move |(task, plan)| task.view(plan, now))
    }

    /// `Some` once nothing will ever run again: every task has ended, is stopped, or is stuck, and no retry, tick,
    /// remains of a group or run is left to wait for.
    pub fn verdict(&self) -> Option<Verdict> {
        match (self.totals.open, self.totals.completed == self.tasks.len()) {
            (0, true) => Some(Verdict::AllCompleted),
            (0, false) => Some(Verdict::SomeFailed),
            (1.., _) => None,
        }
    }

    /// Whether the host may end: after [`Input::Shutdown`], no run is alive but stuck ones, and no group remains.
    pub fn is_shut_down(&self) -> bool {
        match self.ending {
            Ending::Not => false,
            // No task waits any more: what is open, lives.
            Ending::Asked | Ending::Forced => self.totals.open == 0,
        }
    }

    fn step_all(&mut self, input: &Input, now: Now) {
        for index in 0..self.tasks.len() {
            self.step(TaskId::new(index), input.clone(), now);
        }
    }

    /// One input to one task; a message about a task that does not exist changes nothing.
    fn step(&mut self, id: TaskId, input: Input, now: Now) {
        let Some(task) = self.tasks.get_mut(id.index()) else { return };
        let plan = &self.plan.tasks()[id.index()];
        let (standing, deadline) = (task.standing(), task.deadline());
        let (effects, random, milestones) = (&mut self.effects, &mut self.random, &mut self.milestones);
        task.handle(input, &mut Context { id, plan, now, effects, random, milestones });
        self.milestones.clear();
        self.totals.remove(standing);
        self.totals.add(task.standing());
        let after = task.deadline();
        if after != deadline {
            if let Some(due) = deadline {
                self.deadlines.remove(&(due, id));
            }
            if let Some(due) = after {
                self.deadlines.insert((due, id));
            }
        }
    }
}
