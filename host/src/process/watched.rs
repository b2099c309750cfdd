//! A descriptor in a poller.

use polling::{Event, PollMode, Poller};
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;

/// Something that a poller watches (level-triggered) for as long as this lives.
#[derive(Debug)]
pub struct Watched<T: AsFd> {
    source: T,
    poller: Arc<Poller>,
}

impl<T: AsFd> Watched<T> {
    /// Watches `source`: an event of this key comes whenever it is readable or has ended.
    ///
    /// # Errors
    /// What the poller says: `usize::MAX` is no key, and the system may be out of memory or watches.
    pub fn new(poller: &Arc<Poller>, key: usize, source: T) -> io::Result<Self> {
        Self::for_event(poller, Event::readable(key), source)
    }

    /// Watches `source`: an event of this key comes whenever it can be written to or nobody reads it any more.
    ///
    /// # Errors
    /// As [`Watched::new`].
    pub fn for_writing(poller: &Arc<Poller>, key: usize, source: T) -> io::Result<Self> {
        Self::for_event(poller, Event::writable(key), source)
    }

    fn for_event(poller: &Arc<Poller>, event: Event, source: T) -> io::Result<Self> {
        let descriptor = source.as_fd().as_raw_fd();
        // SAFETY: the poller asks that a source is deleted before it is closed. `source` is owned by the value that
        // is made here, is never lent mutably, and `drop` deletes it before its own fields are dropped.
        unsafe { poller.add_with_mode(descriptor, event, PollMode::Level)? };
        Ok(Self { source, poller: Arc::clone(poller) })
    }

    /// What is watched.
    pub fn source(&self) -> &T {
        &self.source
    }
}

impl<T: AsFd> Drop for Watched<T> {
    fn drop(&mut self) {
        // Closing takes a descriptor out of epoll as well, so that a failure here is none.
        let _ = self.poller.delete(self.source.as_fd());
    }
}
