//! What is different in a configuration that was read again.

use super::model::Configuration;
use crate::launch::{Launch, NotifyTarget};
use bansuri_core::{Change, Origin, Plan, Reload, TaskId, TaskName, TaskPlan};
use std::cell::OnceCell;
use std::collections::HashMap;

/// A configuration as it follows another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigDiff {
    /// For the core.
    pub reload: Reload,
    /// Names of tasks that were not there before, in the order of the new file.
    pub added: Vec<String>,
    /// Names of tasks that are gone, in the order of the old file.
    pub removed: Vec<String>,
    /// Names of tasks in which anything is different, in the order of the new file.
    pub changed: Vec<String>,
}

/// Compares two configurations, task by task, by name. `ids` says which task of the core has a name; one it does not
/// know is new to it.
pub fn diff(
    old: &Configuration,
    new: &Configuration,
    ids: impl Fn(&TaskName) -> Option<TaskId>,
) -> ConfigDiff {
    let before = Places::of(&old.plan);
    let (mut added, mut changed) = (Vec::new(), Vec::new());
    let mut origins = Vec::with_capacity(new.plan.tasks().len());
    for (at, task) in new.plan.tasks().iter().enumerate() {
        let kept = before.find(&task.name, at).and_then(|old_at| Some((old_at, ids(&task.name)?)));
        let Some((old_at, id)) = kept else {
            added.push(task.name.to_string());
            origins.push(Origin::Added);
            continue;
        };
        let change = in_plan(&old.plan.tasks()[old_at], task)
            .max(in_launch(&old.launches[old_at], &new.launches[at]))
            .max(in_notifier(old, new, &new.launches[at]));
        if change != Change::None {
            changed.push(task.name.to_string());
        }
        origins.push(Origin::Kept { task: id, change });
    }
    let after = Places::of(&new.plan);
    let names = old.plan.tasks().iter().map(|task| &task.name).enumerate();
    let gone = names.filter(|(at, name)| after.find(name, *at).is_none());
    let removed = gone.map(|(_, name)| name.to_string()).collect();
    ConfigDiff { reload: Reload { plan: new.plan.clone(), origins }, added, removed, changed }
}

/// Where each name is in a plan.
struct Places<'p> {
    tasks: &'p [TaskPlan],
    /// Made when a name is not where it was expected: most tasks keep their places.
    by_name: OnceCell<HashMap<&'p TaskName, usize>>,
}

impl<'p> Places<'p> {
    fn of(plan: &'p Plan) -> Self {
        Self { tasks: plan.tasks(), by_name: OnceCell::new() }
    }

    /// The place of a name, which is probably `at` this one.
    fn find(&self, name: &TaskName, at: usize) -> Option<usize> {
        if self.tasks.get(at).is_some_and(|task| task.name == *name) {
            return Some(at);
        }
        let places = || self.tasks.iter().enumerate().map(|(at, task)| (&task.name, at)).collect();
        self.by_name.get_or_init(places).get(name).copied()
    }
}

fn weigh(is_same: bool, change: Change) -> Change {
    if is_same { Change::None } else { change }
}

// Both comparisons name every field, so that a new one cannot be forgotten.

fn in_plan(old: &TaskPlan, new: &TaskPlan) -> Change {
    let TaskPlan {
        name: _,
        schedule,
        timeout,
        stop_timeout,
        on_fail,
        max_runs,
        success_codes,
        jitter,
        catch_up,
        depends_on,
        health,
        notify,
    } = old;
    let when = *schedule == new.schedule
        && *jitter == new.jitter
        && *catch_up == new.catch_up
        && *depends_on == new.depends_on;
    let policy = *timeout == new.timeout
        && *stop_timeout == new.stop_timeout
        && *on_fail == new.on_fail
        && *max_runs == new.max_runs
        && *success_codes == new.success_codes
        && *health == new.health
        && *notify == new.notify;
    weigh(when, Change::Schedule).max(weigh(policy, Change::Policy))
}

fn in_launch(old: &Launch, new: &Launch) -> Change {
    let Launch {
        name: _,
        description,
        action,
        reference,
        working_directory,
        environment,
        environment_file,
        privileges,
        timeout,
        stop_signal,
        stop_timeout,
        stdout,
        stderr,
        rotate,
        timestamps,
        health,
        notify,
    } = old;
    let command = *action == new.action
        && *working_directory == new.working_directory
        && *environment == new.environment
        && *environment_file == new.environment_file
        && *privileges == new.privileges
        && *stdout == new.stdout
        && *stderr == new.stderr
        && *rotate == new.rotate
        && *timestamps == new.timestamps;
    let policy = *description == new.description
        && *reference == new.reference
        && *timeout == new.timeout
        && *stop_signal == new.stop_signal
        && *stop_timeout == new.stop_timeout
        && *health == new.health
        && *notify == new.notify;
    weigh(command, Change::Command).max(weigh(policy, Change::Policy))
}

/// Who is told may have changed behind the name.
fn in_notifier(old: &Configuration, new: &Configuration, launch: &Launch) -> Change {
    let Some(NotifyTarget::Named(name)) = &launch.notify else { return Change::None };
    weigh(old.notifiers.get(name) == new.notifiers.get(name), Change::Policy)
}
