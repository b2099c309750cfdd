//! One file a measurement.

mod exit_event;
mod idle;
mod output;
mod plugin;
mod respawn;
mod restart;
mod spawn;
mod tasks;
mod timer;
mod waiting;

pub(super) use tasks::memory_without_tasks;

use super::measurement::Measurement;

/// All of them, in the order of the table.
pub(super) const ALL: &[Measurement] = &[
    restart::RESTART,
    exit_event::EXIT_EVENT,
    spawn::SPAWN,
    respawn::RESPAWN,
    tasks::TASKS,
    waiting::WAITING,
    idle::IDLE,
    timer::TIMER,
    output::OUTPUT,
    plugin::PLUGIN,
];
