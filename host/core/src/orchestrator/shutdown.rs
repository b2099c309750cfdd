//! Shutdown in waves: a task is asked to stop when all that depend on it are down.

use super::{Ending, Orchestrator};
use crate::dependency::Links;
use crate::id::TaskId;
use crate::input::Input;
use crate::task::Task;
use crate::time::Now;
use std::mem;

/// How far a shutdown has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Waves {
    /// By place: how many dependencies lead to it from tasks that are not done with.
    above: Vec<usize>,
    /// By place: nothing of it is alive, and nothing of those that depend on it.
    done: Vec<bool>,
    /// Tasks whose dependents are done with, and that have not been looked at.
    next: Vec<TaskId>,
}

impl Waves {
    fn new(ids: impl Iterator<Item = TaskId>, places: usize, links: &Links) -> Self {
        let mut waves = Self { above: vec![0; places], done: vec![false; places], next: Vec::new() };
        for id in ids {
            waves.above[id.index()] = links.dependents(id);
            if waves.above[id.index()] == 0 {
                waves.next.push(id);
            }
        }
        waves
    }

    /// Nothing of the task is alive any more.
    pub(super) fn is_down(&mut self, id: TaskId, links: &Links) {
        if self.above[id.index()] == 0 && !mem::replace(&mut self.done[id.index()], true) {
            for dependency in links.dependencies(id) {
                let above = &mut self.above[dependency.index()];
                *above -= 1;
                if *above == 0 {
                    self.next.push(dependency);
                }
            }
        }
    }
}

impl Orchestrator {
    pub(super) fn shut_down(&mut self, now: Now) {
        if self.ending.is_ending() {
            return;
        }
        let present = || self.places.iter().filter(|place| !place.role.is_vacant());
        let waves = Waves::new(present().map(|place| place.id), self.places.len(), &self.links);
        // Whoever waits does so no longer; what lives is asked wave by wave.
        let waiting: Vec<TaskId> =
            present().filter(|place| !place.task.has_run_under_way()).map(|place| place.id).collect();
        let all: Vec<TaskId> = present().map(|place| place.id).collect();
        self.ending = Ending::Asked(waves);
        // Who is held back from is told while there still is a host.
        for id in all {
            self.step(id, now, Task::send_held);
        }
        for id in waiting {
            self.give(id, Input::Shutdown, now);
        }
    }

    /// Asks the tasks to stop whose dependents are all down, with one deadline. False if there are none.
    pub(super) fn next_wave(&mut self, now: Now) -> bool {
        let Ending::Asked(waves) = &mut self.ending else { return false };
        let mut wave = Vec::new();
        while let Some(id) = waves.next.pop() {
            let task = &self.places[id.index()].task;
            if task.is_up() && !task.is_stuck() {
                wave.push(id);
            } else {
                waves.is_down(id, &self.links);
            }
        }
        wave.retain(|id| self.places[id.index()].task.has_run_under_way());
        wave.sort_unstable();
        let patience = wave.iter().filter_map(|id| self.task_plan(*id)).map(|plan| plan.stop_timeout).max();
        let Some(patience) = patience else { return false };
        for &id in &wave {
            self.step_until(id, now, Some(now.mono + patience), |task, cx| task.handle(Input::Shutdown, cx));
        }
        true
    }
}
