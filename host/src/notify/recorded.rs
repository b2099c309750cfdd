//! Processes of notifiers, which are remembered while they live.

use crate::notify::Failure;
use crate::process::{Group, Spawn};
use crate::records::{About, Kind, Records};
use bansuri_core::Signal;
use std::time::Duration;

/// How long a process that outlived its host has to stop before it is killed.
const LEFT_BEHIND: Duration = Duration::from_secs(2);

/// Starts a process for this failure and has `talk` talk to it until its group is gone. `limit`: how long it may take.
pub(super) fn during(
    mut spawn: Spawn,
    records: &Records,
    failure: &Failure,
    limit: Duration,
    talk: impl FnOnce(Group) -> Result<(), String>,
) -> Result<(), String> {
    let record = records.starting(&About {
        kind: Kind::Notification,
        task: &failure.task,
        run: 0,
        stop_signal: Signal::TERM,
        stop_timeout: limit.min(LEFT_BEHIND),
    });
    if let Some((name, value)) = record.variable() {
        spawn.environment.set(name, value)?;
    }
    let result = spawn.start().map_err(|error| error.reason).and_then(|group| {
        record.started(group.pid());
        talk(group)
    });
    record.ended();
    result
}
