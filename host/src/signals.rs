//! Signals as events of the poller: signal-hook writes a byte into a socket pair, the control thread reads it.

use crate::process::Watched;
use polling::Poller;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

/// A signal the host acts upon.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HostSignal {
    /// Stop everything in order.
    Terminate,
    /// The same; the second one kills.
    Interrupt,
    /// Read the configuration again.
    Hangup,
}

/// The signals, registered with a poller.
pub struct Signals {
    sources: Vec<(HostSignal, Watched<UnixStream>)>,
    first_key: usize,
}

impl Signals {
    /// How many keys it takes.
    pub const KEYS: usize = 3;

    /// Handlers for SIGTERM, SIGINT and SIGHUP; their events arrive under `first_key` and the keys after it. Those that
    /// were ignored when the host was started (`nohup`, a background job of a script) are handled as well: they are how
    /// the host is controlled. What it starts still gets them ignored.
    pub fn register(poller: &Arc<Poller>, first_key: usize) -> io::Result<Self> {
        let mut sources = Vec::new();
        let wanted =
            [(SIGTERM, HostSignal::Terminate), (SIGINT, HostSignal::Interrupt), (SIGHUP, HostSignal::Hangup)];
        for (key, (number, signal)) in (first_key..).zip(wanted) {
            let (receiver, sender) = UnixStream::pair()?;
            receiver.set_nonblocking(true)?;
            signal_hook::low_level::pipe::register(number, sender)?;
            sources.push((signal, Watched::new(poller, key, receiver)?));
        }
        Ok(Self { sources, first_key })
    }

    /// The signals that arrived under a key, one for each time.
    pub fn on_ready(&mut self, key: usize) -> Vec<HostSignal> {
        let Some((signal, source)) =
            key.checked_sub(self.first_key).and_then(|index| self.sources.get(index))
        else {
            return Vec::new();
        };
        arrived(*signal, source)
    }

    /// All that have arrived, one for each time. For a time in which nobody waits for the poller.
    pub fn take(&self) -> Vec<HostSignal> {
        self.sources.iter().flat_map(|(signal, source)| arrived(*signal, source)).collect()
    }

    /// Readable when [`Signals::take`] has something to give.
    pub fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        self.sources.iter().map(|(_, source)| source.source().as_fd()).collect()
    }
}

fn arrived(signal: HostSignal, source: &Watched<UnixStream>) -> Vec<HostSignal> {
    match source.source().read(&mut [0; 64]) {
        Ok(count) => vec![signal; count],
        Err(_) => Vec::new(),
    }
}
