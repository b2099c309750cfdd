//! Standard output and error of a run.

use super::TaskContext;
use crate::abi::{FaultKind, OutputStream};
use abi_stable::std_types::{RErr, ROk};
use std::fmt;
use std::io;

/// One output stream of a run. Its bytes are treated as a command's are: kept as a tail, appended to the log file, or
/// dropped, as the configuration says. What one `write!` or `writeln!` writes stays together. Nothing is buffered.
#[derive(Clone, Debug)]
pub struct TaskOutput {
    context: TaskContext,
    stream: OutputStream,
}

impl TaskOutput {
    pub(super) fn new(context: TaskContext, stream: OutputStream) -> Self {
        Self { context, stream }
    }
}

impl io::Write for TaskOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.context.host().write(self.stream, bytes.into()) {
            ROk(()) => Ok(bytes.len()),
            RErr(fault) => {
                let kind = match fault.kind() {
                    FaultKind::RUN_ENDED => io::ErrorKind::BrokenPipe,
                    _ => io::ErrorKind::Other,
                };
                Err(io::Error::new(kind, fault.message().as_str()))
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// The default would make a call for each piece of the format, and pieces of other threads would come between.
    fn write_fmt(&mut self, arguments: fmt::Arguments<'_>) -> io::Result<()> {
        match arguments.as_str() {
            Some(text) => self.write_all(text.as_bytes()),
            None => self.write_all(arguments.to_string().as_bytes()),
        }
    }
}
