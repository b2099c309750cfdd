//! The host's side of the helper: starting it, and learning whether the program was executed.

use super::request::{Handover, Request};
use crate::launch::Privileges;
use crate::process::spawn::{OWN_BINARY, Spawn, SpawnError};
use crate::process::{Environment, Group, describe, inherited, pipe, retrying};
use rustix::fs::{MemfdFlags, OFlags};
use rustix::io::Errno;
use std::ffi::OsString;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// The first argument of the host's binary that makes it the helper.
pub const WORD: &str = "__exec";

/// An answer is not longer than this, so that it is written in one piece.
pub(super) const LONGEST_ANSWER: usize = 4096;

/// The host's end of the pipe on which the helper says why the program could not be executed. It is closed when the
/// program is; readable in either case.
#[derive(Debug)]
pub struct Verdict {
    pipe: OwnedFd,
}

/// What is known of a start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// Nothing yet.
    Pending,
    /// The program is being executed, or the helper was killed.
    Executed,
    /// It could not be; the helper exits now.
    Refused(SpawnError),
}

impl Spawn {
    /// Starts the program as somebody else, through `helper` (or the host's own binary), which may take its time: name
    /// services are asked. What the program cannot do (its working directory, its file) is said by the verdict. Of the
    /// environment of the program, the helper itself is given the variable of this name alone.
    ///
    /// # Errors
    /// A text holds a NUL byte, or the helper cannot be started.
    pub fn start_as(
        self,
        privileges: &Privileges,
        outputs: [Handover; 2],
        helper: Option<&Path>,
        shared: &str,
    ) -> Result<(Group, Verdict), SpawnError> {
        self.c_arguments()?;
        let Spawn { program, arguments, environment, working_directory, stdin, stdout, stderr, more } = self;
        let failed = |error: io::Error| SpawnError {
            reason: format!("command {program:?}: its helper cannot be started: {}", describe(&error)),
            code: None,
        };
        let mut own = Environment::empty();
        if let Some(value) = environment.value(shared) {
            own.set(shared, value).map_err(|reason| SpawnError { reason, code: None })?;
        }
        let request = Request {
            program: program.clone(),
            arguments,
            environment,
            working_directory,
            privileges: privileges.clone(),
            outputs,
            ignored: inherited::no_longer_ignored(),
        };
        let message = in_memory(&request.encode()).map_err(failed)?;
        let (verdict, answer) = pipe().map_err(failed)?;
        rustix::fs::fcntl_setfl(&verdict, OFlags::NONBLOCK).map_err(|error| failed(error.into()))?;
        let helper = Spawn {
            program: helper.unwrap_or(Path::new(OWN_BINARY)).into(),
            arguments: vec![OsString::from(WORD)],
            environment: own,
            working_directory: "/".into(),
            stdin,
            stdout,
            stderr,
            more,
        };
        let pid = helper.start_helper([message.as_fd(), answer.as_fd()]).map_err(failed)?;
        drop((helper, message, answer));
        let group = Group::of_child(pid).map_err(failed)?;
        Ok((group, Verdict { pipe: verdict }))
    }

    /// As it is, with two more descriptors: 3 and 4.
    fn start_helper(&self, more: [BorrowedFd<'_>; 2]) -> io::Result<libc::pid_t> {
        inherited::keep_exit_codes();
        let arguments = self.c_arguments().map_err(|_| io::ErrorKind::InvalidInput)?;
        self.execute(Path::new(&self.program), &arguments, &more)
    }
}

fn in_memory(bytes: &[u8]) -> io::Result<OwnedFd> {
    let descriptor = retrying(|| Ok(rustix::fs::memfd_create("request", MemfdFlags::CLOEXEC)?))?;
    let mut file = std::fs::File::from(descriptor);
    file.write_all(bytes)?;
    Ok(file.into())
}

impl Verdict {
    /// What is known now. Never blocks; after [`Answer::Refused`] it is not given again.
    pub fn read(&self) -> Answer {
        let mut buffer = [0; LONGEST_ANSWER];
        loop {
            return match rustix::io::read(&self.pipe, &mut buffer) {
                Ok(0) => Answer::Executed,
                Ok(length) => Answer::Refused(decode(&buffer[..length])),
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => Answer::Pending,
                // A pipe has no other errors to give; what becomes of the process will say the rest.
                Err(_) => Answer::Executed,
            };
        }
    }
}

impl AsFd for Verdict {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }
}

/// The exit code, or zero where the program is not to blame, and then the reason.
pub(super) fn encode(error: &SpawnError) -> Vec<u8> {
    let code = error.code.and_then(|code| u8::try_from(code).ok()).unwrap_or(0);
    let mut bytes = vec![code];
    let end = error.reason.floor_char_boundary(LONGEST_ANSWER - 1);
    bytes.extend_from_slice(&error.reason.as_bytes()[..end]);
    bytes
}

fn decode(bytes: &[u8]) -> SpawnError {
    let (code, reason) = bytes.split_first().map_or((0, bytes), |(code, reason)| (*code, reason));
    SpawnError {
        reason: String::from_utf8_lossy(reason).into_owned(),
        code: (code != 0).then_some(i32::from(code)),
    }
}
