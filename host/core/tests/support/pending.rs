//! What a task was last PENDING for, as its reason says.

/// What a task was last PENDING for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pending {
    Begin,
    CatchUp,
    Tick,
    Retry,
    /// Of a service that did not fail.
    Restart,
    Trigger,
    Remains,
}

impl Pending {
    pub(super) fn of(reason: &str) -> Self {
        match reason.split(' ').next() {
            Some("first" | "started" | "restarted") => Pending::Begin,
            Some("catching") => Pending::CatchUp,
            Some("triggered") => Pending::Trigger,
            Some("next") => Pending::Tick,
            Some("retry") => Pending::Retry,
            Some("restart") => Pending::Restart,
            Some("waiting") => Pending::Remains,
            Some(_) | None => panic!("an unknown reason: {reason:?}"),
        }
    }
}
