//! The laws of several tasks together, checked from outside: what is known of every task from inputs and effects
//! alone, and what every step must agree with.

use bansuri_core::{
    Change, Command, Condition, Effect, Event, Input, Mono, Now, Orchestrator, Origin, Plan, RunId, Schedule,
    StateName, TaskId, TaskName, TaskPlan,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Where the last run of a task is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Run {
    Over,
    Alive,
    Remains,
    Stuck,
}

/// Why a task was last PENDING, where that says what must be true of others at its start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Pending {
    Begin,
    AllCompleted,
    Waits,
    Trigger,
    Retry,
    Other,
}

#[derive(Clone, Debug)]
struct Known {
    plan: TaskPlan,
    is_leaving: bool,
    run: Run,
    is_forced: bool,
    number: u64,
    /// When its last run was RUNNING first.
    since: Mono,
    /// Its last run was asked to stop: what a check says of it means nothing.
    is_asked: bool,
    shown: Option<StateName>,
    pending: Pending,
    /// Since when it queues for a slot, by the count of such events.
    queued: Option<u64>,
    started: bool,
    healthy: bool,
    completed: bool,
    /// When it completed last, by the count of all such things and of starts; 0 is never.
    completed_at: u64,
    /// When it last started in a way that surely takes in what has completed.
    seen: u64,
    /// The same, at its last that perhaps did: a retry may be one of a triggered run, which takes nothing in.
    perhaps_seen: u64,
}

/// Knows every task, and the laws.
#[derive(Clone, Debug)]
pub(crate) struct Referee {
    tasks: BTreeMap<TaskId, Known>,
    names: HashMap<TaskName, TaskId>,
    limit: Option<usize>,
    ever: BTreeSet<TaskId>,
    queued: u64,
    count: u64,
    is_shutting: bool,
    is_killed: bool,
    /// The time of the last input.
    now: Mono,
    /// The run of which the last input said that it is not healthy.
    unhealthy: Option<RunId>,
}

impl Known {
    fn new(plan: &TaskPlan) -> Self {
        Self {
            plan: plan.clone(),
            is_leaving: false,
            run: Run::Over,
            is_forced: false,
            number: 0,
            since: Mono::default(),
            is_asked: false,
            shown: None,
            pending: Pending::Other,
            queued: None,
            started: false,
            healthy: false,
            completed: false,
            completed_at: 0,
            seen: 0,
            perhaps_seen: 0,
        }
    }

    fn takes_slot(&self) -> bool {
        self.plan.schedule != Schedule::Service
    }

    /// Something lives that the host has not given up.
    fn is_up(&self) -> bool {
        matches!(self.run, Run::Alive | Run::Remains)
    }
}

impl Referee {
    pub(crate) fn new(core: &Orchestrator) -> Self {
        let mut referee = Self {
            tasks: BTreeMap::new(),
            names: HashMap::new(),
            limit: None,
            ever: BTreeSet::new(),
            queued: 0,
            count: 0,
            is_shutting: false,
            is_killed: false,
            now: Mono::default(),
            unhealthy: None,
        };
        referee.take_plan(core.plan(), &vec![Origin::Added; core.plan().tasks().len()], core);
        referee
    }

    /// Gives one input and checks what comes out. Panics where a law is broken.
    pub(crate) fn give(&mut self, core: &mut Orchestrator, input: &Input, now: Now) -> Vec<Effect> {
        self.now = now.mono;
        self.unhealthy = match input {
            Input::HealthChecked { run, problem: Some(_) } => Some(*run),
            _ => None,
        };
        let means_something = self.take_in(input);
        let due = core.next_deadline().is_some_and(|due| due <= now.mono);
        core.handle(input.clone(), now);
        if let Input::Reload(reload) = input
            && !self.is_shutting
        {
            self.take_plan(&reload.plan, &reload.origins, core);
        }
        let effects: Vec<Effect> = std::iter::from_fn(|| core.poll_effect()).collect();
        assert!(means_something || due || effects.is_empty(), "effects of nothing: {effects:?}");
        for effect in &effects {
            self.take_out(effect, core);
        }
        assert!(core.next_deadline().is_none_or(|due| due > now.mono), "something due was left undone");
        effects
    }

    fn take_plan(&mut self, plan: &Plan, origins: &[Origin], core: &Orchestrator) {
        self.limit = plan.max_running().map(|limit| limit.get() as usize);
        self.names.clear();
        let mut staying = BTreeSet::new();
        for (task, origin) in plan.tasks().iter().zip(origins) {
            let id = core.task_id(&task.name).expect("a task of the plan has an id");
            self.names.insert(task.name.clone(), id);
            staying.insert(id);
            match origin {
                Origin::Kept { task: from, change } => {
                    assert_eq!(*from, id, "a task that stays keeps its id");
                    let known = self.tasks.get_mut(&id).expect("what stays was there");
                    assert!(*change != Change::None || known.plan == *task);
                    known.plan = task.clone();
                }
                Origin::Added => {
                    let left = self.tasks.iter().find(|(_, it)| it.is_leaving && it.plan.name == task.name);
                    // Of one that comes again, what is alive is still that: it has its run, and nothing else.
                    let known = match left {
                        Some((before, known)) => {
                            assert_eq!(*before, id, "what is left of a task goes on beside it");
                            let Known { run, is_forced, number, since, is_asked, shown, .. } = *known;
                            Known { run, is_forced, number, since, is_asked, shown, ..Known::new(task) }
                        }
                        None => {
                            assert!(self.ever.insert(id), "an id was given twice");
                            Known::new(task)
                        }
                    };
                    self.tasks.insert(id, known);
                }
            }
        }
        for (id, known) in &mut self.tasks {
            known.is_leaving |= !staying.contains(id);
        }
    }

    /// Books what an input says of the world; false if it must change nothing.
    fn take_in(&mut self, input: &Input) -> bool {
        let mut last = match about(input) {
            Some(run) => self.tasks.get_mut(&run.task).filter(|known| known.number == run.number),
            None => None,
        };
        match input {
            Input::Started { .. } => last.is_some(),
            Input::NotStarted { .. } => {
                last.filter(|known| known.run == Run::Alive).map(|known| known.run = Run::Over).is_some()
            }
            Input::Finished { remains, .. } => last
                .filter(|known| matches!(known.run, Run::Alive | Run::Stuck))
                .map(|known| known.run = if *remains { Run::Remains } else { Run::Over })
                .is_some(),
            Input::Gone { .. } => {
                last.filter(|known| known.run == Run::Remains).map(|known| known.run = Run::Over).is_some()
            }
            Input::CannotForce { .. } => match &mut last {
                Some(known) if known.run == Run::Remains && known.is_forced => {
                    known.run = Run::Over;
                    true
                }
                Some(_) => true,
                None => false,
            },
            Input::HealthChecked { problem, .. } => match &mut last {
                Some(known) => {
                    let counts = known.shown == Some(StateName::Running) && !known.is_asked;
                    known.healthy |= problem.is_none() && counts;
                    true
                }
                None => false,
            },
            Input::Shutdown => {
                self.is_shutting = true;
                true
            }
            Input::Kill => {
                (self.is_shutting, self.is_killed) = (true, true);
                true
            }
            Input::Begin
            | Input::Tick
            | Input::LastTick { .. }
            | Input::ClockChanged
            | Input::Reload(_)
            | Input::Operator { .. } => true,
        }
    }

    fn take_out(&mut self, effect: &Effect, core: &Orchestrator) {
        match effect {
            Effect::Start { run, .. } => self.start(*run),
            Effect::RequestStop { run } => self.request_stop(*run),
            Effect::ForceStop { run } => {
                let known = self.tasks.get_mut(&run.task).expect("only what is there is forced");
                assert_eq!(known.number, run.number);
                known.is_forced = true;
            }
            Effect::CheckHealth { run } => assert_eq!(self.tasks[&run.task].number, run.number),
            Effect::Event(Event::TaskState(change)) => {
                let known = self.tasks.get_mut(&change.task).expect("an event of a task that is there");
                assert_eq!(change.from, known.shown, "events form a chain: {change:?}");
                if change.to == StateName::Running && change.from != Some(StateName::Running) {
                    known.since = self.now;
                }
                known.shown = Some(change.to);
                known.queued = None;
                match (change.to, change.reason.as_deref()) {
                    (StateName::Running, reason) => {
                        known.started = true;
                        if reason.is_some_and(|reason| reason.starts_with("stuck")) {
                            known.run = Run::Stuck;
                        }
                    }
                    (StateName::Completed, _) if change.duration.is_some() => {
                        known.completed = true;
                        self.count += 1;
                        known.completed_at = self.count;
                    }
                    (StateName::Pending, Some("waiting for a free slot")) => {
                        self.queued += 1;
                        known.queued = Some(self.queued);
                    }
                    (StateName::Pending, Some(reason)) => known.pending = pending(reason),
                    (StateName::Pending, None) => panic!("PENDING without a reason: {change:?}"),
                    (
                        StateName::Completed | StateName::Failed | StateName::TimedOut | StateName::Stopped,
                        _,
                    ) => {}
                }
            }
            Effect::Removed { task } => {
                let known = self.tasks.remove(task).expect("a task is gone once");
                assert!(known.is_leaving && known.run == Run::Over, "gone too early: {known:?}");
                assert!(core.name(*task).is_none());
            }
            Effect::Refused { task, command, .. } => {
                let gone = self.tasks.get(task).is_none_or(|known| known.is_leaving);
                let known = self.tasks.get(task);
                let busy = known.is_some_and(|known| known.run != Run::Over);
                let stopped = known.is_some_and(|known| known.shown == Some(StateName::Stopped));
                let fine = *command == Command::Stop && stopped;
                assert!(self.is_shutting || gone || busy || fine, "refused: {command:?} {known:?}");
            }
            Effect::Event(Event::TickSkipped { .. } | Event::TaskStuck { .. })
            | Effect::RememberTick { .. }
            | Effect::SendHeld { .. }
            | Effect::DropHeld { .. }
            | Effect::Notify(_) => {}
        }
    }

    fn start(&mut self, run: RunId) {
        assert!(!self.is_shutting, "a start after shutdown");
        let known = &self.tasks[&run.task];
        assert!(!known.is_leaving, "a removed task starts: {known:?}");
        assert!(known.run == Run::Over && known.shown == Some(StateName::Pending), "{known:?}");
        assert_eq!(run.number, known.number + 1);
        match known.pending {
            Pending::Begin => assert!(self.gate_is_open(known), "before its condition: {known:?}"),
            Pending::AllCompleted => {
                assert!(self.is_triggered(known, known.seen), "before its trigger: {known:?}")
            }
            Pending::Waits => panic!("a start of what waits: {known:?}"),
            Pending::Trigger | Pending::Retry | Pending::Other => {}
        }
        if known.takes_slot() {
            let taken =
                self.tasks.values().filter(|known| known.takes_slot() && known.run != Run::Over).count();
            assert!(self.limit.is_none_or(|limit| taken < limit), "{taken} slots are taken: {known:?}");
            let ahead = self.tasks.values().filter_map(|other| other.queued).min();
            assert!(ahead.is_none() || known.queued == ahead, "not its turn: {known:?}");
        }
        self.count += 1;
        let known = self.tasks.get_mut(&run.task).expect("looked at above");
        (known.run, known.number, known.queued) = (Run::Alive, run.number, None);
        (known.is_forced, known.is_asked) = (false, false);
        match known.pending {
            Pending::Begin | Pending::AllCompleted | Pending::Other => {
                (known.seen, known.perhaps_seen) = (self.count, self.count);
            }
            Pending::Retry => known.perhaps_seen = self.count,
            Pending::Trigger | Pending::Waits => {}
        }
    }

    fn request_stop(&mut self, run: RunId) {
        let known = self.tasks.get_mut(&run.task).expect("only what is there is asked");
        assert_eq!(known.number, run.number);
        known.is_asked = true;
        let known = &self.tasks[&run.task];
        // Its own timeout and its own health end a run in a shutdown too.
        let outlived =
            known.plan.timeout.is_some_and(|limit| self.now.since(known.since) >= limit.duration());
        let by_itself = outlived || self.unhealthy == Some(run);
        if self.is_shutting && !by_itself && !known.is_leaving && known.run == Run::Alive {
            let above = self.all_above(&known.plan.name);
            let up = above.iter().map(|name| &self.tasks[&self.names[name]]).find(|above| above.is_up());
            assert!(up.is_none(), "asked before a dependent was down: {known:?} {up:?}");
        }
    }

    /// The tasks that depend on one, directly or not.
    fn all_above(&self, name: &TaskName) -> BTreeSet<TaskName> {
        let mut above = BTreeSet::new();
        let mut next = vec![name.clone()];
        while let Some(name) = next.pop() {
            for id in self.names.values() {
                let plan = &self.tasks[id].plan;
                if plan.depends_on.iter().any(|on| on.task == name) && above.insert(plan.name.clone()) {
                    next.push(plan.name.clone());
                }
            }
        }
        above
    }

    fn gate_is_open(&self, known: &Known) -> bool {
        known.plan.depends_on.iter().all(|on| {
            let other = &self.tasks[&self.names[&on.task]];
            match on.condition {
                Condition::Completed => other.completed,
                Condition::Started => other.started,
                Condition::Healthy => other.healthy,
            }
        })
    }

    fn is_triggered(&self, known: &Known, seen: u64) -> bool {
        known.plan.depends_on.iter().all(|on| self.tasks[&self.names[&on.task]].completed_at > seen)
    }

    /// What must hold for all tasks between two steps; costs as much as there are tasks and dependencies.
    pub(crate) fn audit(&self, core: &Orchestrator, now: Now) {
        let taken = self.tasks.values().filter(|known| known.takes_slot() && known.run != Run::Over).count();
        let mut waits = 0;
        let mut up = 0;
        for (id, view) in core.snapshot(now) {
            waits += 1;
            let known = &self.tasks[&id];
            up += usize::from(known.is_up());
            assert_eq!(Some(view.state), known.shown.or(Some(StateName::Pending)));
            assert!(!known.is_leaving || known.run != Run::Over, "nothing is left of it: {known:?}");
            assert!(!self.is_shutting || known.run == Run::Alive || view.state != StateName::Pending);
            if known.queued.is_some() {
                assert!(self.limit.is_some_and(|limit| taken >= limit), "queues for nothing: {known:?}");
            }
            let held = known.run == Run::Over
                && view.state == StateName::Pending
                && known.pending == Pending::Waits
                && known.queued.is_none()
                && known.shown.is_some();
            if held {
                let open = self.gate_is_open(known);
                let on: Vec<_> =
                    known.plan.depends_on.iter().map(|on| &self.tasks[&self.names[&on.task]]).collect();
                assert!(
                    !open || (known.plan.is_triggered() && !self.is_triggered(known, known.perhaps_seen)),
                    "{known:?} waits ({:?}), but not for {on:?}",
                    view.reason
                );
            }
        }
        assert_eq!(waits, self.tasks.len(), "as many are shown as there are");
        match core.verdict() {
            Some(_) => assert!(core.next_deadline().is_none() && up == 0, "done too early: {self:?}"),
            None => assert!(
                core.next_deadline().is_some()
                    || up > 0
                    || self.tasks.values().any(|known| known.shown.is_none()),
                "never done: {self:?}"
            ),
        }
        assert_eq!(core.is_shut_down(), self.is_shutting && up == 0);
        assert!(!self.is_killed || core.next_deadline().is_none(), "nothing is waited for after a kill");
    }
}

/// The one run an input is about.
fn about(input: &Input) -> Option<RunId> {
    match input {
        Input::Started { run, .. }
        | Input::NotStarted { run, .. }
        | Input::Finished { run, .. }
        | Input::Gone { run }
        | Input::CannotForce { run }
        | Input::HealthChecked { run, .. } => Some(*run),
        Input::Begin
        | Input::Tick
        | Input::LastTick { .. }
        | Input::ClockChanged
        | Input::Reload(_)
        | Input::Operator { .. }
        | Input::Shutdown
        | Input::Kill => None,
    }
}

fn pending(reason: &str) -> Pending {
    match reason {
        "first run" | "started by an operator" | "its command was changed" => Pending::Begin,
        "every dependency has completed" => Pending::AllCompleted,
        "triggered by an operator" => Pending::Trigger,
        _ if reason.starts_with("retry ") => Pending::Retry,
        _ if reason.starts_with("waiting for the remains") => Pending::Other,
        _ if reason.starts_with("waiting for ") || reason.starts_with("dependency ") => Pending::Waits,
        _ => Pending::Other,
    }
}
