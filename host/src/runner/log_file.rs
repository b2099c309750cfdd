//! Log files that are handed to a run.
use super::log_path::{Refusal, open_guarded};
use crate::launch::Privileges;
use crate::process::{Handover, describe, retrying};
use crate::tail::TailSource;
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// A log file as a run found it. The descriptor is the run's alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    identity: (u64, u64),
    start: u64,
}

/// A log to append to.
#[derive(Debug)]
pub(super) struct OpenedLog {
    pub(super) descriptor: OwnedFd,
    /// `None`: what is written cannot be read back (a terminal, a named pipe).
    pub(super) file: Option<LogFile>,
    /// What is left to be done where the task has a user, whose number only the helper finds out.
    pub(super) handover: Handover,
}

/// A descriptor to write to a log with, and how it came to be.
pub(super) struct Found {
    pub(super) descriptor: OwnedFd,
    /// It was not there before.
    pub(super) created: bool,
    /// Its owner, who must be the task's user: others could have put it there.
    pub(super) owner_in_question: Option<u32>,
}

/// Flags by which a log is opened: O_NONBLOCK because opening a named pipe that nobody reads would block.
pub(super) const LOG_FLAGS: OFlags =
    OFlags::APPEND.union(OFlags::WRONLY).union(OFlags::CLOEXEC).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

/// Of a log that is made: what the mask leaves.
pub(super) const LOG_MODE: Mode = Mode::from_raw_mode(0o666);

/// Opens a log to append to, made if it is not there. Never blocks but on the file system.
///
/// A host that is root must not be made to write where a task, or whoever else may write to a folder, could not: see
/// [`open_guarded`]. Any other host writes with no more rights than its tasks have.
///
/// # Errors
/// A lowercase fragment that names the file, and its folder if that is what is missing.
pub(super) fn open_log(path: &Path, privileges: &Privileges) -> Result<OpenedLog, String> {
    let explain = |error: Errno| format!("log file {path:?}: {}", reason(error, path));
    let found = match rustix::process::geteuid().is_root() {
        true => open_guarded(path).map_err(|refusal| match refusal {
            Refusal::System(error) => explain(error),
            Refusal::Unsafe(reason) => format!("log file {path:?}: {reason}"),
        })?,
        false => open_plain(path).map_err(explain)?,
    };
    let Found { descriptor, created, owner_in_question } = found;
    // The run is not to meet EAGAIN: it is the only one to use what was opened.
    rustix::fs::fcntl_setfl(&descriptor, OFlags::APPEND).map_err(explain)?;
    let stat = rustix::fs::fstat(&descriptor).map_err(explain)?;
    let mut handover = Handover { give: created && privileges.user.is_some(), owned: None };
    match owner_in_question {
        Some(owner) if privileges.user.is_some() => handover.owned = Some((path.to_owned(), owner)),
        Some(owner) => {
            return Err(format!(
                "log file {path:?}: belongs to user {owner}, in a folder that others may write to"
            ));
        }
        None => {}
    }
    let regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    let file = regular.then(|| LogFile {
        path: path.to_owned(),
        identity: (stat.st_dev, stat.st_ino),
        start: u64::try_from(stat.st_size).unwrap_or(0),
    });
    Ok(OpenedLog { descriptor, file, handover })
}

fn open_plain(path: &Path) -> Result<Found, Errno> {
    let open = || Ok(rustix::fs::open(path, LOG_FLAGS | OFlags::CREATE, LOG_MODE)?);
    let descriptor = retrying(open).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
    Ok(Found { descriptor, created: false, owner_in_question: None })
}

impl LogFile {
    /// What the run wrote, at its end: up to where the file reaches now.
    pub(super) fn end(self) -> TailSource {
        let LogFile { path, identity, start } = self;
        let found = rustix::fs::stat(&path).ok().filter(|stat| (stat.st_dev, stat.st_ino) == identity);
        // A file that was moved away has kept its bytes where nobody can say.
        let end = found.map_or(start, |stat| u64::try_from(stat.st_size).unwrap_or(0));
        // One that is shorter than it was has been truncated since: all that is in it was written after.
        let start = if end < start { 0 } else { start };
        TailSource::File { path, identity, start, end }
    }
}

fn reason(error: Errno, path: &Path) -> String {
    let kind = rustix::fs::stat(path).map(|stat| FileType::from_raw_mode(stat.st_mode)).ok();
    match (error, kind) {
        (Errno::NXIO, Some(FileType::Fifo)) => "a named pipe that nobody reads".into(),
        (Errno::NXIO, Some(FileType::Socket)) => "a socket, not a file".into(),
        (Errno::ISDIR, _) => "is a directory".into(),
        (Errno::NOENT | Errno::NOTDIR, None) => match path.parent().filter(|folder| !folder.is_dir()) {
            Some(folder) if folder.exists() => format!("{folder:?} is not a directory"),
            Some(folder) => format!("its folder {folder:?} does not exist"),
            None => describe(&error.into()),
        },
        (error, _) => describe(&error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(path: &Path) -> Result<OpenedLog, String> {
        open_log(path, &Privileges::default())
    }

    #[test]
    fn a_file_that_was_truncated_or_moved_has_only_what_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::fs::write(&path, "0123456789").unwrap();
        let span = |file: LogFile| match file.end() {
            TailSource::File { start, end, .. } => (start, end),
            other => panic!("no file: {other:?}"),
        };
        let OpenedLog { descriptor: _descriptor, file, .. } = open(&path).unwrap();
        let file = file.unwrap();
        std::fs::write(&path, "0123456789abc").unwrap();
        assert_eq!(span(file.clone()), (10, 13));
        std::fs::write(&path, "new").unwrap();
        assert_eq!(span(file.clone()), (0, 3));
        std::fs::rename(&path, folder.path().join("log.1")).unwrap();
        assert_eq!(span(file.clone()), (10, 10));
        std::fs::write(&path, "another file of that name").unwrap();
        assert_eq!(span(file), (10, 10));
    }

    #[test]
    fn what_a_run_gets_blocks_as_it_expects() {
        let folder = tempfile::tempdir().unwrap();
        let opened = open(&folder.path().join("log")).unwrap();
        let flags = rustix::fs::fcntl_getfl(&opened.descriptor).unwrap();
        assert!(flags.contains(OFlags::APPEND) && !flags.contains(OFlags::NONBLOCK));
    }
}
