//! The ear of a child: its host asks it to stop, a signal does, or the host is gone.

use crate::process;
use rustix::event::{PollFd, PollFlags, poll};
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// What a child is told by signals. Made before author's code runs, so that no signal comes too early.
pub(super) struct StopSignal(UnixStream);

impl StopSignal {
    /// Takes this signal for a request to stop; one that cannot be taken so does what it always does.
    pub(super) fn take(number: i32) -> io::Result<Self> {
        let (here, there) = UnixStream::pair()?;
        here.set_nonblocking(true)?;
        if !signal_hook::consts::FORBIDDEN.contains(&number) {
            signal_hook::low_level::pipe::register(number, there)?;
        }
        Ok(Self(here))
    }
}

/// Calls `on_stop` whenever the child is to stop. Once the host is gone, the child and its group have so much time left.
/// The end of the child's work ends its process, and this with it.
pub(super) fn listen(
    host: &UnixStream,
    mut signal: Option<StopSignal>,
    grace: Duration,
    on_stop: impl Fn(),
) -> ! {
    let mut asked = false;
    loop {
        // A host that has hung up would be readable for good.
        let wanted = if asked { PollFlags::empty() } else { PollFlags::IN | PollFlags::RDHUP };
        let host = PollFd::new(host, wanted);
        let mut polled = [host.clone(), host];
        if let Some(StopSignal(signal)) = &signal {
            polled[1] = PollFd::new(signal, PollFlags::IN);
        }
        if poll(&mut polled, None).is_err() {
            // An interruption, or no memory for it.
            continue;
        }
        let [said, signalled] = polled.map(|polled| polled.revents());
        if signalled.contains(PollFlags::NVAL) {
            // The plugin has closed it: it would be ready for good, and is not there to be closed again.
            std::mem::forget(signal.take());
        }
        if let Some(StopSignal(signal)) = &signal {
            // How often it came does not matter.
            let _ = (&mut &*signal).read(&mut [0; 64]);
        }
        asked |= !said.is_empty();
        on_stop();
        // What the plugin has closed is as good as gone: the host could not be told how its work has ended.
        if said.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
            std::thread::sleep(grace);
            process::kill_own_group();
        }
    }
}
