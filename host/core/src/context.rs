//! What a step of one task is given besides its input.

use crate::dependency::Links;
use crate::effect::Effect;
use crate::id::TaskId;
use crate::input::Command;
use crate::plan::TaskPlan;
use crate::random::Random;
use crate::schedule::{Start, Tick};
use crate::slots::Slots;
use crate::time::{Mono, Now, Wall};
use std::collections::VecDeque;

/// What others may wait for in a task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Milestone {
    /// A run is RUNNING.
    Started,
    /// A run has passed a health check; told at the first pass of each run.
    Healthy,
    /// A run has completed successfully.
    Completed,
    /// Nothing follows by itself, and the last run did not succeed, or there was none.
    EndedWithoutSuccess,
}

/// What a step of a task works with.
pub(crate) struct Context<'a> {
    pub(crate) id: TaskId,
    pub(crate) plan: &'a TaskPlan,
    pub(crate) now: Now,
    pub(crate) effects: &'a mut VecDeque<Effect>,
    pub(crate) random: &'a mut Random,
    pub(crate) milestones: &'a mut Vec<(TaskId, Milestone)>,
    /// Who depends on whom.
    pub(crate) links: &'a mut Links,
    /// Who may run.
    pub(crate) slots: &'a mut Slots,
    /// Whether the host is on its way down: what would wait for another run ends.
    pub(crate) is_ending: bool,
    /// When a run that is asked to stop now is forced; `None`: as its task says.
    pub(crate) force_at: Option<Mono>,
}

impl Context<'_> {
    pub(crate) fn milestone(&mut self, milestone: Milestone) {
        self.milestones.push((self.id, milestone));
    }

    /// The start that a tick of the schedule leads to.
    pub(crate) fn scheduled(&mut self, tick: Tick) -> Start {
        Start { tick, jitter: self.random.up_to(self.plan.jitter) }
    }

    /// For the next host: this tick is not to be caught up any more.
    pub(crate) fn remember(&mut self, tick: Wall) {
        self.effects.push_back(Effect::RememberTick { task: self.id, tick });
    }

    pub(crate) fn refuse(&mut self, command: Command, reason: impl Into<String>) {
        self.effects.push_back(Effect::Refused { task: self.id, command, reason: reason.into() });
    }
}
