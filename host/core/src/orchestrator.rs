//! All tasks together: inputs in, effects out, and the next deadline.

mod place;
mod reload;
mod shutdown;

use crate::context::{Context, Milestone};
use crate::dependency::Links;
use crate::effect::Effect;
use crate::id::{RunId, TaskId};
use crate::input::{Command, Input};
use crate::plan::{Plan, TaskName, TaskPlan};
use crate::random::Random;
use crate::slots::Slots;
use crate::task::Task;
use crate::time::{Mono, Now};
use crate::view::{TaskView, Verdict};
use place::{Place, Role, Totals};
use shutdown::Waves;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::mem;

/// So many effects fit without asking for memory.
const EFFECTS_KEPT: usize = 64;

/// All tasks of a plan and what is under way for each. A clone goes on by itself from the same point.
#[derive(Clone, Debug)]
pub struct Orchestrator {
    plan: Plan,
    /// By the index of the task's id.
    places: Vec<Place>,
    /// Ids for places that nobody has.
    free: Vec<TaskId>,
    /// The tasks of the plan.
    names: HashMap<TaskName, TaskId>,
    links: Links,
    slots: Slots,
    /// The deadline of every task that has one.
    deadlines: BTreeSet<(Mono, TaskId)>,
    totals: Totals,
    effects: VecDeque<Effect>,
    random: Random,
    /// What tasks have reached in this step and nobody has looked at yet.
    milestones: Vec<(TaskId, Milestone)>,
    /// Tasks whose dependencies have changed and that have not been told.
    affected: VecDeque<TaskId>,
    /// The time of the last `handle`.
    clock: Mono,
    has_begun: bool,
    ending: Ending,
}

/// Whether the host is on its way down.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Ending {
    Not,
    Asked(Waves),
    Forced,
}

impl Ending {
    fn is_ending(&self) -> bool {
        match self {
            Ending::Not => false,
            Ending::Asked(_) | Ending::Forced => true,
        }
    }
}

impl Orchestrator {
    /// Nothing happens before [`Input::Begin`]. The seed feeds whatever is random; schedules and delays without jitter
    /// are not.
    pub fn new(plan: Plan, seed: u64) -> Self {
        let mut core = Self {
            slots: Slots::new(plan.max_running()),
            names: HashMap::with_capacity(plan.tasks().len()),
            places: Vec::with_capacity(plan.tasks().len()),
            plan,
            free: Vec::new(),
            links: Links::default(),
            deadlines: BTreeSet::new(),
            totals: Totals::default(),
            effects: VecDeque::new(),
            random: Random::new(seed),
            milestones: Vec::new(),
            affected: VecDeque::new(),
            clock: Mono::default(),
            has_begun: false,
            ending: Ending::Not,
        };
        for index in 0..core.plan.tasks().len() {
            core.occupy(index);
        }
        core.relink(&BTreeSet::new());
        core
    }

    /// The plan it works from.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The task of the plan that has this name.
    pub fn task_id(&self, name: &TaskName) -> Option<TaskId> {
        self.names.get(name).copied()
    }

    /// What the plan says about a task; of one that a reload removed, what the last plan with it said, until nothing
    /// is left of it. `None`: there is no such task.
    pub fn task_plan(&self, task: TaskId) -> Option<&TaskPlan> {
        self.place(task)?.role.plan(&self.plan)
    }

    /// The name of a task, which may be one that a reload removed and that is not gone yet. `None`: there is no such
    /// task.
    pub fn name(&self, task: TaskId) -> Option<&TaskName> {
        self.task_plan(task).map(|plan| &plan.name)
    }

    /// Takes one input, and does what is due at `now`, in the order of the deadlines. May change the answers of every
    /// other method. A `now` before that of the last call counts as that one on the monotonic clock.
    pub fn handle(&mut self, input: Input, now: Now) {
        let now = Now { mono: now.mono.max(self.clock), wall: now.wall };
        self.clock = now.mono;
        match input {
            Input::Begin => self.begin(now),
            Input::Tick => {}
            Input::ClockChanged => self.step_all(&Input::ClockChanged, now),
            Input::LastTick { task, .. } => self.give(task, input, now),
            Input::Shutdown => self.shut_down(now),
            Input::Kill => {
                self.ending = Ending::Forced;
                self.step_all(&Input::Kill, now);
            }
            Input::Started { run, .. }
            | Input::NotStarted { run, .. }
            | Input::Finished { run, .. }
            | Input::Gone { run }
            | Input::HealthChecked { run, .. }
            | Input::CannotForce { run } => {
                let RunId { task, .. } = run;
                self.give(task, input, now);
            }
            Input::Operator { task, command } => self.operate(task, command, now),
            Input::Reload(reload) => self.reload(*reload, now),
        }
        self.settle(now);
    }

    /// The next thing to be done, in order; `None` when there is nothing until the next `handle`.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        let effect = self.effects.pop_front();
        if effect.is_none() {
            // What thousands of tasks wanted done at once is not kept room for until the next time.
            self.effects.shrink_to(EFFECTS_KEPT);
        }
        effect
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
    /// If there is no such task.
    pub fn view(&self, task: TaskId, now: Now) -> TaskView {
        let place = self.place(task).expect("the task is there");
        self.view_of(place, now).expect("a place with an id of its own is taken")
    }

    /// All tasks as they stand, in the order of their places, with civil times computed from `now`. One that a reload
    /// removed is among them until nothing is left of it.
    pub fn snapshot(&self, now: Now) -> impl Iterator<Item = (TaskId, TaskView)> {
        self.places.iter().filter_map(move |place| Some((place.id, self.view_of(place, now)?)))
    }

    /// `Some` once nothing will ever run again by itself: every task has ended, is stopped, is stuck, or waits in vain
    /// for others, and no retry, tick, remains of a group or run is left to wait for.
    pub fn verdict(&self) -> Option<Verdict> {
        // Who waits for a slot that a stuck run has, waits in vain.
        let lost = if self.slots.are_lost(self.totals.stuck) { self.slots.waiting() } else { 0 };
        match (self.totals.open - lost, self.totals.completed == self.totals.tasks) {
            (0, true) => Some(Verdict::AllCompleted),
            (0, false) => Some(Verdict::SomeFailed),
            (1.., _) => None,
        }
    }

    /// Whether the host may end: after [`Input::Shutdown`], no run is alive but stuck ones, and no group remains.
    pub fn is_shut_down(&self) -> bool {
        // No task waits any more: what is open, lives.
        self.ending.is_ending() && self.totals.open == 0
    }

    fn begin(&mut self, now: Now) {
        self.has_begun = true;
        // A task is told what it waits for once that has begun.
        for id in self.in_order() {
            self.give(id, Input::Begin, now);
        }
    }

    fn operate(&mut self, task: TaskId, command: Command, now: Now) {
        let refusal = if self.ending.is_ending() {
            "the host is shutting down"
        } else if !self.place(task).is_some_and(|place| place.role.is_current()) {
            "there is no such task"
        } else {
            return self.give(task, Input::Operator { task, command }, now);
        };
        self.effects.push_back(Effect::Refused { task, command, reason: refusal.to_owned() });
    }

    /// Does whatever follows from what has happened, and what is due. Each part of it leaves less to do: a task that
    /// was told has nothing new, one that has its slot does not queue, one that was due is so later or never.
    fn settle(&mut self, now: Now) {
        loop {
            if let Some(task) = self.affected.pop_front() {
                self.step(task, now, |task, cx| task.reconsider(false, cx));
            } else if let Some(task) = self.slots.next() {
                self.step(task, now, Task::take_slot);
            } else if let Some(&(due, task)) = self.deadlines.first()
                && due <= now.mono
            {
                self.give(task, Input::Tick, now);
            } else if !self.next_wave(now) {
                break;
            }
        }
    }

    fn step_all(&mut self, input: &Input, now: Now) {
        for index in 0..self.places.len() {
            self.give(self.places[index].id, input.clone(), now);
        }
    }

    /// One input to one task; a message about a task that does not exist changes nothing.
    fn give(&mut self, id: TaskId, input: Input, now: Now) {
        self.step(id, now, |task, cx| task.handle(input, cx));
    }

    /// One step of one task, and what it means for the others.
    fn step(&mut self, id: TaskId, now: Now, act: impl FnOnce(&mut Task, &mut Context<'_>)) {
        self.step_until(id, now, None, act);
    }

    fn step_until(
        &mut self,
        id: TaskId,
        now: Now,
        force_at: Option<Mono>,
        act: impl FnOnce(&mut Task, &mut Context<'_>),
    ) {
        let Some(place) = self.places.get_mut(id.index()).filter(|place| place.id == id) else { return };
        let Some(plan) = place.role.plan(&self.plan) else { return };
        let (effects, random, milestones) = (&mut self.effects, &mut self.random, &mut self.milestones);
        let (links, slots, is_ending) = (&mut self.links, &mut self.slots, self.ending.is_ending());
        let mut cx =
            Context { id, plan, now, effects, random, milestones, links, slots, is_ending, force_at };
        act(&mut place.task, &mut cx);
        self.follow_up(id);
    }

    /// Books what a step has made of a task.
    fn follow_up(&mut self, id: TaskId) {
        for (task, milestone) in self.milestones.drain(..) {
            self.links.reach(task, milestone, &mut self.affected);
        }
        let place = &mut self.places[id.index()];
        let Some(plan) = place.role.plan(&self.plan) else { return };
        let task = &place.task;
        let (fate, is_up, is_stuck) = (task.fate(id, &self.links), task.is_up(), task.is_stuck());

        let holds_slot = is_up && plan.takes_slot();
        match (mem::replace(&mut place.booked.holds_slot, holds_slot), holds_slot) {
            (false, true) => self.slots.take(),
            (true, false) => self.slots.give_back(),
            (false, false) | (true, true) => {}
        }
        let ticket = task.ticket();
        let ticket_before = mem::replace(&mut place.booked.ticket, ticket);
        if let Some(before) = ticket_before.filter(|_| ticket_before != ticket) {
            self.slots.leave(before);
        }
        let deadline = task.deadline();
        let deadline_before = mem::replace(&mut place.booked.deadline, deadline);
        if deadline != deadline_before {
            if let Some(due) = deadline_before {
                self.deadlines.remove(&(due, id));
            }
            if let Some(due) = deadline {
                self.deadlines.insert((due, id));
            }
        }
        let standing = place.standing(is_stuck && holds_slot);
        self.totals.replace(&mut place.booked.standing, standing);

        let is_gone = !place.role.is_current() && task.is_over();
        if place.role.is_current() {
            self.links.settle(id, fate, &mut self.affected);
        }
        if let Ending::Asked(waves) = &mut self.ending
            && (!is_up || is_stuck)
        {
            waves.is_down(id, &self.links);
        }
        if is_gone {
            self.vacate(id);
            self.effects.push_back(Effect::Removed { task: id });
        }
    }

    fn place(&self, task: TaskId) -> Option<&Place> {
        self.places.get(task.index()).filter(|place| place.id == task && !place.role.is_vacant())
    }

    fn view_of(&self, place: &Place, now: Now) -> Option<TaskView> {
        let plan = place.role.plan(&self.plan)?;
        Some(place.task.view(place.id, plan, &self.links, now))
    }

    /// The tasks of the plan, each after all it depends on.
    fn in_order(&self) -> Vec<TaskId> {
        self.plan.order().map(|index| self.names[&self.plan.tasks()[index].name]).collect()
    }

    /// Gives a task of the plan that is new a place.
    fn occupy(&mut self, index: usize) -> TaskId {
        let id = self.free.pop().unwrap_or_else(|| TaskId::new(self.places.len()));
        let place = Place::new(id, Role::Current(index));
        self.totals.add(place.booked.standing);
        if id.index() < self.places.len() {
            self.places[id.index()] = place;
        } else {
            self.places.push(place);
        }
        self.names.insert(self.plan.tasks()[index].name.clone(), id);
        id
    }

    /// Takes back the place of a task of which nothing is left.
    fn vacate(&mut self, id: TaskId) {
        let place = &mut self.places[id.index()];
        self.totals.remove(place.booked.standing);
        let next = id.successor();
        *place = Place::new(next, Role::Vacant);
        self.free.push(next);
    }

    /// Resolves the dependencies of all tasks of the plan afresh.
    fn relink(&mut self, added: &BTreeSet<TaskId>) {
        let ids = self.in_order();
        let (names, plan, places) = (&self.names, &self.plan, &self.places);
        let tasks = ids.iter().map(|id| {
            let plan = places[id.index()].role.plan(plan).expect("a task of the plan has one");
            (*id, plan, added.contains(id))
        });
        self.links.relink(places.len(), tasks, |name| names[name]);
    }
}
