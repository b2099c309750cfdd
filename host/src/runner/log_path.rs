//! The way to a log file, for a host that is root: it writes where the path says, and not where somebody else has
//! pointed the path to.
//!
//! The path is walked folder by folder. A folder is safe while nobody but root can have changed what is in it: it belongs
//! to root, neither its group nor others may write to it, and the folder it was found in is safe. (A folder of root's in
//! a sticky one of root's, such as `/tmp`, is safe too: nobody else can put another in its place.) A link in a safe
//! folder is followed, and what it says is walked in the same way. Everywhere else links are refused, the last part of
//! the path included, and so is a file with further names, which may be another's under a name of the task's; and the file
//! must belong to root or to the task's user.

use super::log_file::{Found, LOG_FLAGS, LOG_MODE};
use crate::process::retrying;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

/// As many links are followed as the kernel would.
const MOST_LINKS: usize = 40;

/// How often a file that comes and goes is tried to be opened or made.
const TRIES: usize = 16;

const PROC_SUPER_MAGIC: u64 = 0x9fa0;

/// Why a log is not opened.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The system says no.
    System(Errno),
    /// It is not safe, for this reason.
    Unsafe(String),
}

impl From<Errno> for Refusal {
    fn from(error: Errno) -> Self {
        Refusal::System(error)
    }
}

/// A folder on the way.
struct Folder {
    descriptor: OwnedFd,
    /// For messages.
    path: PathBuf,
    safe: bool,
    /// It is sticky and root's: what is root's in it stays where it is.
    sticky: bool,
}

/// Opens a log, or makes it. `path` is absolute.
pub(super) fn open_guarded(path: &Path) -> Result<Found, Refusal> {
    let mut left = parts(path);
    let mut folder = Folder::root()?;
    let mut links = 0;
    while let Some(name) = left.pop_front() {
        let next = if left.is_empty() { folder.open_last(&name)? } else { folder.enter(&name)? };
        match next {
            Step::Folder(next) => folder = next,
            Step::Last(found) => return Ok(found),
            Step::Link(target) => {
                links += 1;
                if links > MOST_LINKS {
                    return Err(Errno::LOOP.into());
                }
                if target.is_absolute() {
                    folder = Folder::root()?;
                }
                let mut parts = parts(&target);
                parts.append(&mut left);
                left = parts;
            }
        }
    }
    Err(Errno::ISDIR.into())
}

enum Step {
    Folder(Folder),
    Link(PathBuf),
    Last(Found),
}

fn parts(path: &Path) -> VecDeque<OsString> {
    let named = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    });
    let mut parts: VecDeque<OsString> = named.collect();
    if path.as_os_str().as_bytes().ends_with(b"/") {
        // What ends so is a folder; the system will say that it is none to write to.
        parts.push_back(".".into());
    }
    parts
}

impl Folder {
    fn root() -> Result<Self, Refusal> {
        let descriptor = open(CWD, OsStr::new("/"), OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC)?;
        let stat = rustix::fs::fstat(&descriptor)?;
        Ok(Self { descriptor, path: "/".into(), safe: is_roots_alone(&stat), sticky: is_sticky(&stat) })
    }

    /// Goes into the folder of this name, or finds a link that may be followed.
    fn enter(&self, name: &OsStr) -> Result<Step, Refusal> {
        let descriptor = open(&self.descriptor, name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC)?;
        let stat = rustix::fs::fstat(&descriptor)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                let stays = self.safe || (self.sticky && stat.st_uid == 0);
                let safe = stays && is_roots_alone(&stat);
                let sticky = stays && is_sticky(&stat);
                Ok(Step::Folder(Folder { descriptor, path: self.path.join(name), safe, sticky }))
            }
            FileType::Symlink => self.follow(name),
            FileType::RegularFile
            | FileType::Fifo
            | FileType::Socket
            | FileType::CharacterDevice
            | FileType::BlockDevice
            | FileType::Unknown => Err(Errno::NOTDIR.into()),
        }
    }

    /// Opens the file of this name, makes it, or finds a link that may be followed.
    fn open_last(&self, name: &OsStr) -> Result<Step, Refusal> {
        for _ in 0..TRIES {
            // Without O_CREAT at first: a system that protects files in sticky folders refuses those of others with it.
            match open(&self.descriptor, name, LOG_FLAGS | OFlags::NOFOLLOW) {
                Ok(descriptor) => return self.judge(descriptor, name).map(Step::Last),
                Err(Errno::LOOP) if self.is_link(name) => return self.follow_last(name),
                Err(Errno::NOENT) => {}
                Err(error) => return Err(error.into()),
            }
            match open(&self.descriptor, name, LOG_FLAGS | OFlags::CREATE | OFlags::EXCL) {
                Ok(descriptor) => {
                    return Ok(Step::Last(Found { descriptor, created: true, owner_in_question: None }));
                }
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Refusal::Unsafe("comes and goes while it is opened".into()))
    }

    fn judge(&self, descriptor: OwnedFd, name: &OsStr) -> Result<Found, Refusal> {
        let stat = rustix::fs::fstat(&descriptor)?;
        let mut found = Found { descriptor, created: false, owner_in_question: None };
        if self.safe {
            return Ok(found);
        }
        if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile && stat.st_nlink > 1 {
            let reason =
                format!("{:?} has further names, in a folder that others may write to", self.path.join(name));
            return Err(Refusal::Unsafe(reason));
        }
        found.owner_in_question = (stat.st_uid != 0).then_some(stat.st_uid);
        Ok(found)
    }

    fn is_link(&self, name: &OsStr) -> bool {
        rustix::fs::statat(&self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW)
            .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Symlink)
    }

    /// Where the link of this name points to.
    fn follow(&self, name: &OsStr) -> Result<Step, Refusal> {
        if !self.safe {
            let link = self.path.join(name);
            return Err(Refusal::Unsafe(format!("{link:?} is a link, in a folder that others may write to")));
        }
        let target = rustix::fs::readlinkat(&self.descriptor, name, Vec::new())?;
        Ok(Step::Link(OsString::from_vec(target.into_bytes()).into()))
    }

    /// As [`Folder::follow`], but for links that stand for an open file (`/dev/stdout` leads to one): what they say is
    /// no path.
    fn follow_last(&self, name: &OsStr) -> Result<Step, Refusal> {
        let system = rustix::fs::fstatfs(&self.descriptor)?;
        if self.path.starts_with("/proc") && u64::try_from(system.f_type) == Ok(PROC_SUPER_MAGIC) {
            let descriptor = open(&self.descriptor, name, LOG_FLAGS)?;
            return Ok(Step::Last(Found { descriptor, created: false, owner_in_question: None }));
        }
        self.follow(name)
    }
}

/// Whether nobody but root may put something into this folder, or take it away.
fn is_roots_alone(stat: &Stat) -> bool {
    stat.st_uid == 0 && stat.st_mode & 0o022 == 0
}

fn is_sticky(stat: &Stat) -> bool {
    stat.st_uid == 0 && stat.st_mode & 0o1000 != 0
}

fn open(folder: impl AsFd, name: &OsStr, flags: OFlags) -> Result<OwnedFd, Errno> {
    let mode = if flags.contains(OFlags::CREATE) { LOG_MODE } else { Mode::empty() };
    retrying(|| Ok(rustix::fs::openat(&folder, name, flags, mode)?))
        .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
}
