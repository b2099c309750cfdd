//! The calls of a notifier that are under way, each of which can be told that the host is ending.

use parking_lot::Mutex;
use rustix::event::{EventfdFlags, eventfd};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

#[derive(Default)]
pub(super) struct Calls {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The host is ending.
    aborted: bool,
    /// One for each call under way: an event descriptor that tells it so.
    bells: Vec<Arc<OwnedFd>>,
}

impl Calls {
    /// Makes a call, with a descriptor that turns readable for good once the host is ending.
    pub(super) fn during(
        &self,
        call: impl FnOnce(BorrowedFd<'_>) -> Result<(), String>,
    ) -> Result<(), String> {
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .map(Arc::new)
            .map_err(|error| format!("no event descriptor for the notifier: {error}"))?;
        {
            let mut state = self.state.lock();
            if state.aborted {
                return Err("not started: the host is ending".to_owned());
            }
            state.bells.push(Arc::clone(&bell));
        }
        let result = call(bell.as_fd());
        self.state.lock().bells.retain(|other| !Arc::ptr_eq(other, &bell));
        result
    }

    /// Ends the calls under way, and keeps later ones from being made. Never blocks.
    pub(super) fn abort(&self) {
        let mut state = self.state.lock();
        state.aborted = true;
        for bell in &state.bells {
            // It fails only where it was rung before.
            let _ = rustix::io::write(bell, &1_u64.to_ne_bytes());
        }
    }
}
