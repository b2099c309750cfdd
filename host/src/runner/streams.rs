//! Where the output of a run goes: what its process is given, and what the host keeps.

use super::output::{LogFile, open_log};
use super::pump::{Logs, PumpedLog, PumpedStream};
use crate::launch::{ErrorSink, Launch, Sink};
use crate::process::{self, Stdio};
use rustix::fs::OFlags;
use std::os::fd::OwnedFd;

/// The child's side of its output, before it is started.
pub(super) struct Streams {
    pub(super) stdout: Stdio,
    pub(super) stderr: Option<Stdio>,
    pub(super) captures: [Planned; 2],
}

/// The host's side.
pub(super) enum Planned {
    None,
    File(LogFile),
    Pipe(OwnedFd),
    Pumped(PumpedStream),
}

impl Streams {
    /// Opens everything.
    ///
    /// # Errors
    /// A lowercase fragment that names the file.
    pub(super) fn open(launch: &Launch, logs: &Logs) -> Result<Self, String> {
        let (stdout, first) = open(&launch.stdout, launch, logs)?;
        let (stderr, second) = match &launch.stderr {
            ErrorSink::Combined => (None, Planned::None),
            // One file under both names: one descriptor keeps what is written in order.
            ErrorSink::Separate(Sink::File(path)) if launch.stdout == Sink::File(path.clone()) => {
                (None, Planned::None)
            }
            ErrorSink::Separate(sink) => {
                let (stdio, planned) = open(sink, launch, logs)?;
                (Some(stdio), planned)
            }
        };
        Ok(Self { stdout, stderr, captures: [first, second] })
    }
}

fn open(sink: &Sink, launch: &Launch, logs: &Logs) -> Result<(Stdio, Planned), String> {
    match sink {
        Sink::Tail => {
            let made = process::pipe().and_then(|(read, write)| {
                rustix::fs::fcntl_setfl(&read, OFlags::NONBLOCK)?;
                Ok((read, write))
            });
            let (read, write) = made.map_err(|error| {
                format!("cannot make a pipe for its output: {}", process::describe(&error))
            })?;
            Ok((Stdio::To(write), Planned::Pipe(read)))
        }
        Sink::File(path) => {
            let (descriptor, file) = open_log(path)?;
            if launch.timestamps || (launch.rotate.is_some() && file.is_some()) {
                let (write, stream) = logs.open(PumpedLog::new(descriptor, path, launch))?;
                return Ok((Stdio::To(write), Planned::Pumped(stream)));
            }
            Ok((Stdio::To(descriptor), file.map_or(Planned::None, Planned::File)))
        }
        Sink::Ignore => Ok((Stdio::Null, Planned::None)),
        Sink::Inherit => Ok((Stdio::Inherit, Planned::None)),
    }
}
