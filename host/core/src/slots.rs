//! Slots: how many runs may be alive at once, and who is next.

use crate::id::TaskId;
use std::collections::BTreeMap;
use std::num::NonZeroU32;

/// A place in the queue: the lower is served first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Ticket(u64);

/// The slots of all tasks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slots {
    /// `None`: there are as many as anybody wants.
    limit: Option<NonZeroU32>,
    taken: usize,
    queue: BTreeMap<Ticket, TaskId>,
    last: u64,
}

impl Slots {
    pub(crate) fn new(limit: Option<NonZeroU32>) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Runs that are alive beyond a lower limit live on.
    pub(crate) fn set_limit(&mut self, limit: Option<NonZeroU32>) {
        self.limit = limit;
    }

    /// Whether who comes now may have a slot: not before those that wait.
    pub(crate) fn is_free(&self) -> bool {
        self.queue.is_empty() && self.has_room()
    }

    fn has_room(&self) -> bool {
        self.limit.is_none_or(|limit| self.taken < limit.get() as usize)
    }

    /// Puts a task at the end of the queue.
    pub(crate) fn wait(&mut self, task: TaskId) -> Ticket {
        self.last += 1;
        self.queue.insert(Ticket(self.last), task);
        Ticket(self.last)
    }

    /// Takes a task out of the queue.
    pub(crate) fn leave(&mut self, ticket: Ticket) {
        self.queue.remove(&ticket);
        if self.queue.is_empty() {
            self.last = 0;
        }
    }

    /// Who may have a slot now.
    pub(crate) fn next(&self) -> Option<TaskId> {
        self.queue.first_key_value().filter(|_| self.has_room()).map(|(_, task)| *task)
    }

    pub(crate) fn take(&mut self) {
        self.taken += 1;
    }

    pub(crate) fn give_back(&mut self) {
        self.taken -= 1;
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Whether nobody who waits will get one while this many of the slots do not come back.
    pub(crate) fn are_lost(&self, stuck: usize) -> bool {
        self.limit.is_some_and(|limit| stuck >= limit.get() as usize)
    }
}
