//! What a step of one task is given besides its input.

use crate::effect::Effect;
use crate::id::TaskId;
use crate::input::Command;
use crate::plan::TaskPlan;
use crate::time::Now;
use std::collections::VecDeque;

/// What a step of a task works with.
pub(crate) struct Context<'a> {
    pub(crate) id: TaskId,
    pub(crate) plan: &'a TaskPlan,
    pub(crate) now: Now,
    pub(crate) effects: &'a mut VecDeque<Effect>,
}

impl Context<'_> {
    pub(crate) fn refuse(&mut self, command: Command, reason: impl Into<String>) {
        self.effects.push_back(Effect::Refused { task: self.id, command, reason: reason.into() });
    }
}
