//! Another plan takes the place of this one.

use super::{Orchestrator, Place, Role};
use crate::id::TaskId;
use crate::input::{Change, Input, Origin, Reload};
use crate::plan::{Plan, TaskName};
use crate::task::Task;
use crate::time::Now;
use std::collections::{BTreeMap, BTreeSet};
use std::mem;

/// A task that stays.
struct Kept {
    change: Change,
    /// Its place in the plan before.
    was: usize,
}

impl Orchestrator {
    /// Stops what is removed, changes what stays, and begins what is added, in this order. A host that is on its way
    /// down keeps its plan.
    ///
    /// # Panics
    ///
    /// If there is not one origin for each task of the plan.
    pub(super) fn reload(&mut self, reload: Reload, now: Now) {
        let Reload { plan, origins } = reload;
        assert_eq!(plan.tasks().len(), origins.len(), "each task of a plan has an origin");
        if self.ending.is_ending() {
            return;
        }
        self.slots.set_limit(plan.max_running());
        let before = mem::replace(&mut self.plan, plan);

        let leaving = self.leaving();
        let mut kept = BTreeMap::new();
        let mut added = Vec::new();
        for (index, origin) in origins.into_iter().enumerate() {
            match self.keep(index, origin) {
                Some((id, task)) => _ = kept.insert(id, task),
                None => added.push(index),
            }
        }
        let removed = self.leave(&kept, &before);
        self.names.clear();
        for (id, place) in kept.keys().map(|id| (*id, &self.places[id.index()])) {
            let plan = place.role.plan(&self.plan).expect("a task that stays is in the plan");
            self.names.insert(plan.name.clone(), id);
        }
        let (mut begins, mut again) = (BTreeSet::new(), BTreeSet::new());
        for index in added {
            match leaving.get(&self.plan.tasks()[index].name) {
                Some(id) => {
                    self.readmit(*id, index);
                    again.insert(*id);
                }
                None => _ = begins.insert(self.occupy(index)),
            }
        }
        self.relink(&begins.union(&again).copied().collect());

        for id in removed {
            self.step(id, now, Task::remove);
        }
        for (id, Kept { change, was }) in kept {
            let before = &before.tasks()[was];
            let other = self.task_plan(id).is_some_and(|plan| plan.depends_on != before.depends_on);
            self.step(id, now, |task, cx| {
                task.take_over(before, change, cx);
                task.reconsider(other, cx);
            });
        }
        for id in again {
            self.step(id, now, Task::come_again);
        }
        if self.has_begun {
            for id in self.in_order().into_iter().filter(|id| begins.contains(id)) {
                self.give(id, Input::Begin, now);
            }
        }
    }

    /// The tasks that earlier reloads removed and of which something is left. Two of one name are not left at once.
    fn leaving(&self) -> BTreeMap<TaskName, TaskId> {
        let name = |place: &Place| match &place.role {
            Role::Leaving(plan) => Some((plan.name.clone(), place.id)),
            Role::Current(_) | Role::Vacant => None,
        };
        self.places.iter().filter_map(name).collect()
    }

    /// Gives a task that was on its way out this place of the plan.
    fn readmit(&mut self, id: TaskId, index: usize) {
        self.places[id.index()].role = Role::Current(index);
        self.names.insert(self.plan.tasks()[index].name.clone(), id);
    }

    /// Finds the task that stays as this one of the plan; `None`: it is new.
    fn keep(&mut self, index: usize, origin: Origin) -> Option<(TaskId, Kept)> {
        let (id, change) = match origin {
            Origin::Added => return None,
            Origin::Kept { task, change } => (task, change),
        };
        let place = self.places.get_mut(id.index()).filter(|place| place.id == id)?;
        let was = match place.role {
            Role::Current(was) => was,
            Role::Leaving(_) | Role::Vacant => return None,
        };
        place.role = Role::Current(index);
        Some((id, Kept { change, was }))
    }

    /// Gives the tasks that the plan no longer has what the plan before said of them.
    fn leave(&mut self, kept: &BTreeMap<TaskId, Kept>, before: &Plan) -> Vec<TaskId> {
        let mut removed = Vec::new();
        for place in &mut self.places {
            if let Role::Current(was) = place.role
                && !kept.contains_key(&place.id)
            {
                place.role = Role::Leaving(Box::new(before.tasks()[was].clone()));
                removed.push(place.id);
            }
        }
        removed
    }
}
