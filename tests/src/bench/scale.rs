//! How much of everything is measured.

use std::time::Duration;

/// The sizes of a whole benchmark.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    /// Its name in the result.
    pub(super) name: &'static str,
    /// How often the limit and the host take turns.
    pub(super) rounds: usize,
    /// How often other supervisors have theirs.
    pub(super) peer_rounds: usize,
    /// Restarts, exits and plugin runs looked at in a round.
    pub(super) events: usize,
    /// Short tasks run once, in a round.
    pub(super) short_tasks: usize,
    /// Tasks that are restarted for ever, at the same time.
    pub(super) restarting: usize,
    /// Tasks that run at the same time.
    pub(super) running: usize,
    /// Tasks that wait for their time.
    pub(super) waiting: usize,
    /// How long something is watched: idleness, restarts.
    pub(super) window: Duration,
    /// How long timers are watched.
    pub(super) timer_window: Duration,
    /// How much a task writes, in MiB.
    pub(super) output: u64,
}

impl Scale {
    /// Figures to publish.
    pub(super) const FULL: Self = Self {
        name: "full",
        rounds: 5,
        peer_rounds: 2,
        events: 1000,
        short_tasks: 2000,
        restarting: 100,
        running: 1000,
        waiting: 10_000,
        window: Duration::from_secs(4),
        timer_window: Duration::from_secs(40),
        output: 1024,
    };

    /// Figures to work with.
    pub(super) const QUICK: Self = Self {
        name: "quick",
        rounds: 3,
        peer_rounds: 1,
        events: 300,
        short_tasks: 1000,
        restarting: 100,
        running: 300,
        waiting: 10_000,
        window: Duration::from_secs(2),
        timer_window: Duration::from_secs(10),
        output: 256,
    };

    /// Whether everything works: a few seconds.
    pub(super) const SMOKE: Self = Self {
        name: "smoke",
        rounds: 1,
        peer_rounds: 1,
        events: 10,
        short_tasks: 10,
        restarting: 3,
        running: 5,
        waiting: 50,
        window: Duration::from_millis(300),
        timer_window: Duration::from_secs(5),
        output: 4,
    };
}
