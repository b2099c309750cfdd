//! Where the output of a run goes: what its process is given, and what the host keeps.

use super::command::Outputs;
use super::log_file::{LogFile, OpenedLog, open_log};
use super::pump::{Logs, PumpedLog, PumpedStream};
use crate::launch::{ErrorSink, Launch, Sink};
use crate::process::{self, Handover, Stdio};
use rustix::fs::OFlags;
use std::os::fd::OwnedFd;

/// The child's side of its output, before it is started.
pub(super) struct Streams {
    pub(super) outputs: Outputs,
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
        let (stdout, hand_stdout, first) = open(&launch.stdout, launch, logs)?;
        let (stderr, hand_stderr, second) = match &launch.stderr {
            ErrorSink::Combined => (None, Handover::default(), Planned::None),
            // One file under both names: one descriptor keeps what is written in order.
            ErrorSink::Separate(Sink::File(path)) if launch.stdout == Sink::File(path.clone()) => {
                (None, Handover::default(), Planned::None)
            }
            ErrorSink::Separate(sink) => {
                let (stdio, handover, planned) = open(sink, launch, logs)?;
                (Some(stdio), handover, planned)
            }
        };
        let outputs = Outputs { stdout, stderr, handovers: [hand_stdout, hand_stderr] };
        Ok(Self { outputs, captures: [first, second] })
    }
}

fn open(sink: &Sink, launch: &Launch, logs: &Logs) -> Result<(Stdio, Handover, Planned), String> {
    match sink {
        Sink::Tail => {
            let made = process::pipe().and_then(|(read, write)| {
                rustix::fs::fcntl_setfl(&read, OFlags::NONBLOCK)?;
                Ok((read, write))
            });
            let (read, write) = made.map_err(|error| {
                format!("cannot make a pipe for its output: {}", process::describe(&error))
            })?;
            Ok((Stdio::To(write), Handover::GIVEN, Planned::Pipe(read)))
        }
        Sink::File(path) => {
            let OpenedLog { descriptor, file, handover } = open_log(path, &launch.privileges)?;
            if launch.timestamps || (launch.rotate.is_some() && file.is_some()) {
                let (write, stream) = logs.open(PumpedLog::new(descriptor, path, launch))?;
                // The pipe is the run's, the log stays with the host, which writes it.
                let handover = Handover { give: true, ..handover };
                return Ok((Stdio::To(write), handover, Planned::Pumped(stream)));
            }
            Ok((Stdio::To(descriptor), handover, file.map_or(Planned::None, Planned::File)))
        }
        Sink::Ignore => Ok((Stdio::Null, Handover::default(), Planned::None)),
        Sink::Inherit => Ok((Stdio::Inherit, Handover::default(), Planned::None)),
    }
}
