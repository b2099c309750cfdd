//! Names of things that live in the core.

/// A task of the plan. Given once in the life of a host and never reused, so that a late message cannot reach another
/// task.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TaskId(u32);

impl TaskId {
    /// The task at this place of the plan (from 0).
    pub fn new(index: usize) -> Self {
        Self(u32::try_from(index).expect("a plan holds fewer than 2^32 tasks"))
    }

    /// The place of the task in the plan (from 0).
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One run of one task. Every message about a run carries it; a message about an older run changes nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RunId {
    /// The task that runs.
    pub task: TaskId,
    /// Counts the task's runs from 1; a run that could not be started takes a number as well.
    pub number: u64,
}
