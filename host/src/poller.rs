//! A source that is watched by the poller for exactly as long as it is open.

use polling::{Event, PollMode, Poller};
use std::io;
use std::ops::{Deref, DerefMut};
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;

/// Owns a source and its registration: dropping it takes the source out of the poller before it is closed, which is
/// what makes the registration sound.
#[derive(Debug)]
pub struct Watched<T: AsFd> {
    source: T,
    poller: Arc<Poller>,
}

impl<T: AsFd> Watched<T> {
    /// Reports under `key` for as long as the source is readable (level-triggered).
    pub fn readable(poller: &Arc<Poller>, source: T, key: usize) -> io::Result<Self> {
        // SAFETY: the source is owned by the value made here, whose drop deletes it from the poller first; where adding
        // fails, nothing was registered.
        unsafe { poller.add_with_mode(source.as_fd().as_raw_fd(), Event::readable(key), PollMode::Level)? };
        Ok(Self { source, poller: Arc::clone(poller) })
    }
}

impl<T: AsFd> Deref for Watched<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.source
    }
}

impl<T: AsFd> DerefMut for Watched<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.source
    }
}

impl<T: AsFd> Drop for Watched<T> {
    fn drop(&mut self) {
        // Deleting can only fail for a source that is not registered, and then there is nothing to undo.
        let _ = self.poller.delete(self.source.as_fd());
    }
}
