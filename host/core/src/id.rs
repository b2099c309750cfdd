//! Names of things that live in the core.

/// A task, from its start to its removal. A place in the plan may be taken by another task after a reload; the
/// generation tells them apart, so that a late message cannot reach another task.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TaskId {
    index: u32,
    generation: u32,
}

impl TaskId {
    /// The task at this place (from 0) of the first plan.
    pub fn new(index: usize) -> Self {
        Self { index: u32::try_from(index).expect("a plan holds fewer than 2^32 tasks"), generation: 0 }
    }

    /// The place of the task (from 0); a removed task's is taken again.
    pub fn index(self) -> usize {
        self.index as usize
    }

    /// The id of the next task at this place.
    pub(crate) fn successor(self) -> Self {
        Self { generation: self.generation + 1, ..self }
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
