//! Who depends on whom: what is checked of a plan, and what has come true of it since.

use crate::context::Milestone;
use crate::id::TaskId;
use crate::plan::{Condition, PlanError, Schedule, TaskName, TaskPlan};
use crate::state::Hope;
use std::collections::HashMap;
use std::mem;

/// The places of the tasks, each after all it depends on and otherwise as they are; or what is wrong with them.
pub(crate) fn order(tasks: &[TaskPlan]) -> Result<Vec<usize>, PlanError> {
    let mut places = HashMap::with_capacity(tasks.len());
    for (place, task) in tasks.iter().enumerate() {
        if places.insert(&task.name, place).is_some() {
            return Err(PlanError::DuplicateName(task.name.clone()));
        }
    }
    let mut edges = Vec::with_capacity(tasks.len());
    for task in tasks {
        let mut of_task = Vec::with_capacity(task.depends_on.len());
        for dependency in &task.depends_on {
            let names = || (task.name.clone(), dependency.task.clone());
            let Some(&place) = places.get(&dependency.task) else {
                let (task, dependency) = names();
                return Err(PlanError::UnknownDependency { task, dependency });
            };
            let other: &TaskPlan = &tasks[place];
            match dependency.condition {
                Condition::Completed if other.schedule == Schedule::Service => {
                    let (task, dependency) = names();
                    return Err(PlanError::CompletedService { task, dependency });
                }
                Condition::Healthy if other.health.is_none() => {
                    let (task, dependency) = names();
                    return Err(PlanError::HealthyUnchecked { task, dependency });
                }
                Condition::Completed | Condition::Started | Condition::Healthy => of_task.push(place),
            }
        }
        edges.push(of_task);
    }
    sorted(&edges)
        .map_err(|cycle| PlanError::Cycle(cycle.into_iter().map(|place| tasks[place].name.clone()).collect()))
}

/// How far the search has come with a place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Unseen,
    OnPath,
    Done,
}

/// Every place after those its edges lead to; or a cycle, whose first place is named again at its end.
fn sorted(edges: &[Vec<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    let mut marks = vec![Mark::Unseen; edges.len()];
    let mut order = Vec::with_capacity(edges.len());
    // Chains may be as long as there are tasks: the path is kept here and not on the stack.
    let mut path: Vec<(usize, usize)> = Vec::new();
    for root in 0..edges.len() {
        if marks[root] == Mark::Unseen {
            marks[root] = Mark::OnPath;
            path.push((root, 0));
        }
        while let Some((place, next)) = path.last_mut() {
            let Some(&target) = edges[*place].get(*next) else {
                marks[*place] = Mark::Done;
                order.push(*place);
                path.pop();
                continue;
            };
            *next += 1;
            match marks[target] {
                Mark::Unseen => {
                    marks[target] = Mark::OnPath;
                    path.push((target, 0));
                }
                Mark::OnPath => {
                    let on_path = path.iter().map(|&(place, _)| place);
                    return Err(on_path.skip_while(|&place| place != target).chain([target]).collect());
                }
                Mark::Done => {}
            }
        }
    }
    Ok(order)
}

/// What a task has ever reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Reached {
    started: bool,
    healthy: bool,
    completed: bool,
}

impl Reached {
    fn meets(self, condition: Condition) -> bool {
        match condition {
            Condition::Started => self.started,
            Condition::Healthy => self.healthy,
            Condition::Completed => self.completed,
        }
    }
}

/// Why a task will never run again by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    /// Its last run completed.
    Completed,
    /// Its last run failed.
    Failed,
    /// Its last run timed out.
    TimedOut,
    /// It was stopped.
    Stopped,
    /// Its run cannot be ended.
    Stuck,
    /// What it waits for will not come true.
    Blocked,
}

/// What a task that waits for others waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Need {
    /// Each condition to have been met once.
    Gate,
    /// Each dependency to have completed since the last start.
    Trigger,
}

/// One dependency of one task.
#[derive(Clone, Copy, Debug)]
struct Edge {
    on: TaskId,
    condition: Condition,
    /// The condition has been met once.
    met: bool,
    /// It has completed since the last start of the dependent.
    fresh: bool,
    /// What it depends on will not run again by itself.
    dead: bool,
}

/// How many of a task's edges stand how, so that no step has to look at all of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Counts {
    open: usize,
    /// Of those, edges that will not close.
    dead: usize,
}

impl Counts {
    fn add(&mut self, open: bool, dead: bool) {
        self.open += usize::from(open);
        self.dead += usize::from(open && dead);
    }

    fn remove(&mut self, open: bool, dead: bool) {
        self.open -= usize::from(open);
        self.dead -= usize::from(open && dead);
    }
}

#[derive(Clone, Debug, Default)]
struct Node {
    name: Option<TaskName>,
    edges: Vec<Edge>,
    gate: Counts,
    trigger: Counts,
    /// Who depends on it, and by which of its edges.
    dependents: Vec<(TaskId, usize)>,
    reached: Reached,
    fate: Option<Fate>,
    /// When it started by itself for the last time, by the count of all such things; 0 is never.
    started_at: u64,
    /// When it completed for the last time, by the same.
    completed_at: u64,
}

impl Node {
    fn change(&mut self, index: usize, change: impl FnOnce(&mut Edge)) {
        let edge = &mut self.edges[index];
        self.gate.remove(!edge.met, edge.dead);
        self.trigger.remove(!edge.fresh, edge.dead);
        change(edge);
        self.gate.add(!edge.met, edge.dead);
        self.trigger.add(!edge.fresh, edge.dead);
    }

    fn counts(&self, need: Need) -> Counts {
        match need {
            Need::Gate => self.gate,
            Need::Trigger => self.trigger,
        }
    }
}

impl Edge {
    fn is_open(&self, need: Need) -> bool {
        match need {
            Need::Gate => !self.met,
            Need::Trigger => !self.fresh,
        }
    }
}

/// The dependencies of all tasks, by their places. A task of which it knows nothing depends on nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Links {
    nodes: Vec<Node>,
    /// Starts and completions so far.
    count: u64,
}

/// More dependencies than these are not named one by one.
const NAMED: usize = 8;

impl Links {
    /// The dependencies of these tasks, each given after those it depends on. What is known of a task that was there
    /// before stays known.
    pub(crate) fn relink<'a>(
        &mut self,
        places: usize,
        tasks: impl Iterator<Item = (TaskId, &'a TaskPlan, bool)>,
        find: impl Fn(&TaskName) -> TaskId,
    ) {
        let mut before = mem::take(&mut self.nodes);
        self.nodes.resize_with(places, Node::default);
        for (id, plan, is_new) in tasks {
            let old = if is_new { None } else { before.get_mut(id.index()).map(mem::take) };
            let old = old.unwrap_or_default();
            let node = &mut self.nodes[id.index()];
            (node.name, node.reached, node.fate) = (Some(plan.name.clone()), old.reached, old.fate);
            (node.started_at, node.completed_at) = (old.started_at, old.completed_at);
            for dependency in &plan.depends_on {
                let on = find(&dependency.task);
                let (node, other) = (&self.nodes[id.index()], &self.nodes[on.index()]);
                let edge = Edge {
                    on,
                    condition: dependency.condition,
                    met: other.reached.meets(dependency.condition),
                    fresh: other.completed_at > node.started_at,
                    dead: other.fate.is_some(),
                };
                let node = &mut self.nodes[id.index()];
                node.gate.add(!edge.met, edge.dead);
                node.trigger.add(!edge.fresh, edge.dead);
                let index = node.edges.len();
                node.edges.push(edge);
                self.nodes[on.index()].dependents.push((id, index));
            }
        }
    }

    /// Whether nothing is left to wait for.
    pub(crate) fn is_met(&self, task: TaskId, need: Need) -> bool {
        self.counts(task, need).open == 0
    }

    /// Whether what it waits for will not come true by itself.
    pub(crate) fn is_blocked(&self, task: TaskId, need: Need) -> bool {
        self.counts(task, need).dead > 0
    }

    /// How much is left to wait for.
    pub(crate) fn hope(&self, task: TaskId, need: Need) -> Hope {
        match self.counts(task, need) {
            Counts { open, dead: 0 } => Hope::Left(open),
            Counts { open: _, dead: 1.. } => Hope::None,
        }
    }

    fn counts(&self, task: TaskId, need: Need) -> Counts {
        self.nodes.get(task.index()).map_or(Counts::default(), |node| node.counts(need))
    }

    /// Forgets which dependencies have completed: the task starts.
    pub(crate) fn start(&mut self, task: TaskId) {
        let Some(node) = self.nodes.get_mut(task.index()) else { return };
        self.count += 1;
        node.started_at = self.count;
        if node.trigger.open < node.edges.len() {
            for index in 0..node.edges.len() {
                node.change(index, |edge| edge.fresh = false);
            }
        }
    }

    /// Books what a task has reached, and adds the tasks this makes a difference to.
    pub(crate) fn reach(&mut self, task: TaskId, milestone: Milestone, affected: &mut impl Extend<TaskId>) {
        let node = &mut self.nodes[task.index()];
        let (condition, before) = (milestone.condition(), node.reached);
        match condition {
            Some(Condition::Started) => node.reached.started = true,
            Some(Condition::Healthy) => node.reached.healthy = true,
            Some(Condition::Completed) => {
                self.count += 1;
                (node.reached.completed, node.completed_at) = (true, self.count);
            }
            None => return,
        }
        // Only what completes can make a difference more than once.
        if node.reached == before && condition != Some(Condition::Completed) {
            return;
        }
        self.tell(task, affected, |edge| {
            let was = (edge.met, edge.fresh);
            edge.met |= Some(edge.condition) == condition;
            edge.fresh |= condition == Some(Condition::Completed);
            was != (edge.met, edge.fresh)
        });
    }

    /// Books whether a task will ever run again by itself, and adds the tasks this makes a difference to.
    pub(crate) fn settle(&mut self, task: TaskId, fate: Option<Fate>, affected: &mut impl Extend<TaskId>) {
        let Some(node) = self.nodes.get_mut(task.index()) else { return };
        if mem::replace(&mut node.fate, fate) != fate {
            self.tell(task, affected, |edge| mem::replace(&mut edge.dead, fate.is_some()) != edge.dead);
        }
    }

    /// Changes the edges of all dependents of a task, and adds those whose edge did change.
    fn tell(
        &mut self,
        task: TaskId,
        affected: &mut impl Extend<TaskId>,
        mut change: impl FnMut(&mut Edge) -> bool,
    ) {
        let dependents = mem::take(&mut self.nodes[task.index()].dependents);
        for &(dependent, index) in &dependents {
            let mut differs = false;
            self.nodes[dependent.index()].change(index, |edge| differs = change(edge));
            if differs {
                affected.extend([dependent]);
            }
        }
        self.nodes[task.index()].dependents = dependents;
    }

    /// What a task waits for, in words: `waiting for db to be healthy, cache, queue to complete`; or why it waits in
    /// vain.
    pub(crate) fn reason(&self, task: TaskId, need: Need) -> String {
        let node = &self.nodes[task.index()];
        let open = || node.edges.iter().filter(|edge| edge.is_open(need));
        if let Some(dead) = open().find(|edge| edge.dead) {
            return self.vain(dead);
        }
        let mut parts = Vec::new();
        let mut left = NAMED;
        for (condition, verb) in [
            (Condition::Started, "to start"),
            (Condition::Healthy, "to be healthy"),
            (Condition::Completed, "to complete"),
        ] {
            let names: Vec<&str> = open()
                .filter(|edge| edge.condition == condition)
                .take(left)
                .map(|edge| self.name(edge.on))
                .collect();
            left -= names.len();
            if !names.is_empty() {
                parts.push(format!("{} {verb}", names.join(", ")));
            }
        }
        let more = match node.counts(need).open.saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!("waiting for {}{more}", parts.join(", "))
    }

    fn vain(&self, edge: &Edge) -> String {
        let name = self.name(edge.on);
        match (self.nodes[edge.on.index()].fate, edge.condition) {
            (Some(Fate::Failed), _) => format!("dependency {name} failed for good"),
            (Some(Fate::TimedOut), _) => format!("dependency {name} timed out for good"),
            (Some(Fate::Stopped), _) => format!("dependency {name} was stopped"),
            (Some(Fate::Stuck), _) => format!("dependency {name} is stuck"),
            (Some(Fate::Blocked), _) => format!("dependency {name} will never run"),
            (Some(Fate::Completed), Condition::Healthy) => format!("dependency {name} was never healthy"),
            (
                Some(Fate::Completed) | None,
                Condition::Healthy | Condition::Started | Condition::Completed,
            ) => {
                format!("dependency {name} will not run again")
            }
        }
    }

    fn name(&self, task: TaskId) -> &str {
        self.nodes[task.index()].name.as_ref().map_or("", TaskName::as_str)
    }

    /// The tasks a task depends on.
    pub(crate) fn dependencies(&self, task: TaskId) -> impl Iterator<Item = TaskId> {
        self.nodes.get(task.index()).into_iter().flat_map(|node| node.edges.iter().map(|edge| edge.on))
    }

    /// How many dependencies of other tasks lead to a task.
    pub(crate) fn dependents(&self, task: TaskId) -> usize {
        self.nodes.get(task.index()).map_or(0, |node| node.dependents.len())
    }
}

impl Milestone {
    /// The condition it meets.
    fn condition(self) -> Option<Condition> {
        match self {
            Milestone::Started => Some(Condition::Started),
            Milestone::Healthy => Some(Condition::Healthy),
            Milestone::Completed => Some(Condition::Completed),
            Milestone::EndedWithoutSuccess => None,
        }
    }
}
