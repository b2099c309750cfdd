//! The place of a task: who has it, and what has been booked of it elsewhere.

use crate::id::TaskId;
use crate::plan::{Plan, TaskPlan};
use crate::slots::Ticket;
use crate::task::{Standing, Task};
use crate::time::Mono;

/// A place and the task that has it.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Of the task, or of the next where nobody has it.
    pub(super) id: TaskId,
    pub(super) role: Role,
    pub(super) task: Task,
    pub(super) booked: Booked,
}

/// Who has a place.
#[derive(Clone, Debug)]
pub(super) enum Role {
    /// Nobody.
    Vacant,
    /// The task at this place of the plan.
    Current(usize),
    /// A task that a reload removed and that is not gone yet.
    Leaving(Box<TaskPlan>),
}

/// What is counted, queued or listed of a task, to be taken back when it changes.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Booked {
    pub(super) standing: Counted,
    pub(super) deadline: Option<Mono>,
    pub(super) ticket: Option<Ticket>,
    pub(super) holds_slot: bool,
}

/// What the totals count of a task.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Counted {
    is_task: bool,
    open: bool,
    completed: bool,
    stuck: bool,
}

/// How many tasks stand how, so that the answers about all of them cost nothing.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Totals {
    /// Those of the plan.
    pub(super) tasks: usize,
    pub(super) open: usize,
    /// Those of the plan that have completed.
    pub(super) completed: usize,
    /// Those that are stuck and hold a slot.
    pub(super) stuck: usize,
}

impl Place {
    pub(super) fn new(id: TaskId, role: Role) -> Self {
        let mut place = Self { id, role, task: Task::new(), booked: Booked::default() };
        if !place.role.is_vacant() {
            place.booked.standing = place.standing(false);
        }
        place
    }

    pub(super) fn standing(&self, stuck: bool) -> Counted {
        let Standing { open, completed } = self.task.standing();
        let is_task = self.role.is_current();
        Counted { is_task, open, completed: completed && is_task, stuck }
    }
}

impl Role {
    /// What the plan says about the task; `None`: there is none.
    pub(super) fn plan<'a>(&'a self, plan: &'a Plan) -> Option<&'a TaskPlan> {
        match self {
            Role::Vacant => None,
            Role::Current(index) => Some(&plan.tasks()[*index]),
            Role::Leaving(plan) => Some(plan),
        }
    }

    pub(super) fn is_current(&self) -> bool {
        matches!(self, Role::Current(_))
    }

    pub(super) fn is_vacant(&self) -> bool {
        matches!(self, Role::Vacant)
    }
}

impl Totals {
    pub(super) fn add(&mut self, counted: Counted) {
        self.tasks += usize::from(counted.is_task);
        self.open += usize::from(counted.open);
        self.completed += usize::from(counted.completed);
        self.stuck += usize::from(counted.stuck);
    }

    pub(super) fn remove(&mut self, counted: Counted) {
        self.tasks -= usize::from(counted.is_task);
        self.open -= usize::from(counted.open);
        self.completed -= usize::from(counted.completed);
        self.stuck -= usize::from(counted.stuck);
    }

    pub(super) fn replace(&mut self, booked: &mut Counted, counted: Counted) {
        self.remove(*booked);
        self.add(counted);
        *booked = counted;
    }
}
