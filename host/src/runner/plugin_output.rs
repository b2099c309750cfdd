//! Where the output of a plugin task goes.

use super::command::blameless;
use super::log_file::{LogFile, OpenedLog, open_log};
use super::pump::{Logs, PumpedLog, PumpedStream};
use super::{StartError, Tail, Tails};
use crate::launch::{ErrorSink, Launch, Sink};
use crate::tail::TailSource;
use parking_lot::Mutex;
use std::fs::File;
use std::io::{self, Write};

/// Both streams of one run. Written by the threads of the plugin; a write to a file may wait for it.
#[derive(Debug)]
pub(super) struct PluginOutput {
    stdout: Target,
    /// `None`: where standard output goes.
    stderr: Option<Target>,
}

impl PluginOutput {
    /// Opens the files of a run. Never waits, so that the control thread may call it.
    pub(super) fn open(launch: &Launch, logs: &Logs) -> Result<Self, StartError> {
        let stdout = Target::open(&launch.stdout, Own::Stdout, launch, logs)?;
        let stderr = match &launch.stderr {
            ErrorSink::Combined => None,
            // One file under both names: one target keeps what is written in order.
            ErrorSink::Separate(sink @ Sink::File(_)) if *sink == launch.stdout => None,
            ErrorSink::Separate(sink) => Some(Target::open(sink, Own::Stderr, launch, logs)?),
        };
        Ok(Self { stdout, stderr })
    }

    /// What was written up to now. What a tail holds is given once.
    pub(super) fn tails(&self) -> Tails {
        let stderr = self.stderr.as_ref().map(Target::tail).unwrap_or_default();
        Tails { stdout: self.stdout.tail(), stderr }
    }

    pub(super) fn write_stdout(&self, bytes: &[u8]) -> io::Result<()> {
        self.stdout.write(bytes)
    }

    pub(super) fn write_stderr(&self, bytes: &[u8]) -> io::Result<()> {
        self.stderr.as_ref().unwrap_or(&self.stdout).write(bytes)
    }
}

#[derive(Debug)]
enum Target {
    Tail(Mutex<Tail>),
    File {
        file: File,
        /// `None`: what is written cannot be read back.
        log: Option<LogFile>,
    },
    Pumped(Pumped),
    Ignore,
    Inherit(Own),
}

/// A stream of the host's own.
#[derive(Clone, Copy, Debug)]
enum Own {
    Stdout,
    Stderr,
}

impl Own {
    fn write(self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Own::Stdout => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(bytes)?;
                stdout.flush()
            }
            Own::Stderr => io::stderr().write_all(bytes),
        }
    }
}

impl Target {
    /// `own` is the host's stream of that name.
    fn open(sink: &Sink, own: Own, launch: &Launch, logs: &Logs) -> Result<Self, StartError> {
        Ok(match sink {
            Sink::Tail => Target::Tail(Mutex::default()),
            Sink::File(path) => {
                let OpenedLog { descriptor, file: log, .. } =
                    open_log(path, &launch.privileges).map_err(blameless)?;
                if launch.timestamps || (launch.rotate.is_some() && log.is_some()) {
                    let log = PumpedLog::new(descriptor, path, launch);
                    let (pipe, stream) = logs.open(log).map_err(blameless)?;
                    return Ok(Target::Pumped(Pumped { pipe: Mutex::new(pipe.into()), stream }));
                }
                Target::File { file: descriptor.into(), log }
            }
            Sink::Ignore => Target::Ignore,
            Sink::Inherit => Target::Inherit(own),
        })
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Target::Tail(tail) => tail.lock().push(bytes),
            // Every write appends as one: of two threads, none comes between the other's bytes.
            Target::File { file, .. } => (&*file).write_all(bytes)?,
            // A long write to a pipe comes in pieces: the lock keeps them together.
            Target::Pumped(pumped) => pumped.pipe.lock().write_all(bytes)?,
            Target::Ignore => {}
            Target::Inherit(own) => own.write(bytes)?,
        }
        Ok(())
    }

    fn tail(&self) -> TailSource {
        match self {
            Target::Tail(tail) => TailSource::Bytes(std::mem::take(&mut *tail.lock()).into_bytes()),
            Target::File { log, .. } => log.clone().map_or(TailSource::None, LogFile::end),
            Target::Pumped(Pumped { stream, .. }) => {
                stream.read_ahead();
                TailSource::Bytes(stream.take_tail())
            }
            Target::Ignore | Target::Inherit(_) => TailSource::None,
        }
    }
}

/// A log that the writer of logs writes.
#[derive(Debug)]
struct Pumped {
    /// Closed first, so that the writer finds the end of the stream.
    pipe: Mutex<File>,
    stream: PumpedStream,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::launch::Action;
    use crate::tail::TAIL_LIMIT;
    use bansuri_core::TaskName;
    use std::path::PathBuf;

    fn open(sink: &Sink) -> Result<Target, StartError> {
        let name = TaskName::new("task").unwrap();
        let launch = Launch::new(name, Action::Shell("".into()), PathBuf::from("/"));
        Target::open(sink, Own::Stdout, &launch, &Logs::default())
    }

    #[test]
    fn a_tail_is_the_end_of_what_was_written() {
        let target = open(&Sink::Tail).unwrap();
        let all: Vec<u8> = (0..200_000u32).map(|i| (i % 251) as u8).collect();
        for chunk in all.chunks(1000) {
            target.write(chunk).unwrap();
        }
        assert_eq!(target.tail(), TailSource::Bytes(all[all.len() - TAIL_LIMIT..].to_vec()));
    }

    #[test]
    fn a_file_is_appended_to_and_says_which_bytes_are_the_runs() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("log");
        std::fs::write(&path, "before\n").unwrap();
        let target = open(&Sink::File(path.clone())).unwrap();
        target.write(b"during\n").unwrap();
        let TailSource::File { path: found, start, end, .. } = target.tail() else { panic!("a file") };
        assert_eq!((found, start, end), (path.clone(), 7, 14));
        assert_eq!(std::fs::read(&path).unwrap(), b"before\nduring\n");
    }

    #[test]
    fn a_file_that_cannot_be_opened_says_why() {
        let error = open(&Sink::File("/nonexistent/log".into())).unwrap_err();
        assert_eq!(error.reason, "log file \"/nonexistent/log\": its folder \"/nonexistent\" does not exist");
        let home = tempfile::tempdir().unwrap();
        let fifo = home.path().join("fifo");
        rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR)
            .unwrap();
        let error = open(&Sink::File(fifo)).unwrap_err();
        assert!(error.reason.ends_with(": a named pipe that nobody reads"), "{}", error.reason);
    }
}
