//! A log and its old files: FILE, FILE.1 (newest) … FILE.keep.

use crate::launch::Rotation;
use crate::process::retrying;
use parking_lot::{Mutex, MutexGuard};
use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, OFlags, ResolveFlags, Stat, Uid};
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// The next FILE is made under this name before anything is moved, so that a failure moves nothing.
const FRESH: &str = ".bansuri-new";
/// What is being compressed grows under this name.
const PART: &str = ".bansuri-gz";
const GZ: &str = ".gz";

/// The names of a log. Renaming is done under a lock, by the writer and by the compressor.
#[derive(Debug)]
pub(super) struct Chain {
    folder: PathBuf,
    name: OsString,
    names: Mutex<()>,
}

/// The folder of a chain whose names do not change while this lives.
pub(super) struct Names<'a> {
    folder: OwnedFd,
    name: &'a OsStr,
    _held: MutexGuard<'a, ()>,
}

/// Device and inode.
pub(super) type Identity = (u64, u64);

pub(super) fn identity(stat: &Stat) -> Identity {
    (stat.st_dev, stat.st_ino)
}

impl Chain {
    /// The names of what was opened as `path`. The folder is where the file is, whatever has become of the links that
    /// led there; the file may bear a number by now.
    pub(super) fn of(file: BorrowedFd<'_>, path: &Path) -> Self {
        use std::os::fd::AsRawFd;
        let opened = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()));
        let real = opened.ok().filter(|real| real.is_absolute()).unwrap_or_else(|| path.to_owned());
        let folder = real.parent().unwrap_or(Path::new("/")).to_owned();
        let linked = path.is_symlink().then(|| std::fs::canonicalize(path).ok()).flatten();
        let name = linked.as_deref().unwrap_or(path).file_name().unwrap_or_default().to_owned();
        Self { folder, name, names: Mutex::new(()) }
    }

    /// What now goes by the name of `file`, where that is another: this one was rotated, or somebody has moved it.
    pub(super) fn current(&self, file: BorrowedFd<'_>) -> io::Result<Option<OwnedFd>> {
        let stat = rustix::fs::fstat(file)?;
        let names = self.names()?;
        if names.identity("") == Some(identity(&stat)) {
            return Ok(None);
        }
        names.open(&stat).map(Some)
    }

    /// Whether it goes by the same names.
    pub(super) fn same_names(&self, other: &Self) -> bool {
        self.folder == other.folder && self.name == other.name
    }

    /// Opens the folder, in whose way there must be no link by now, and holds the names.
    pub(super) fn names(&self) -> io::Result<Names<'_>> {
        let held = self.names.lock();
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let open = || {
            rustix::fs::openat2(CWD, &self.folder, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS)
                .map_err(io::Error::from)
        };
        Ok(Names { folder: retrying(open)?, name: &self.name, _held: held })
    }

    /// Moves FILE, which is `old`, out of the way, and gives the FILE that is now to be written. Where somebody else
    /// has moved `old` away, nothing is moved.
    pub(super) fn rotate(&self, old: BorrowedFd<'_>, rotation: Rotation) -> io::Result<OwnedFd> {
        let names = self.names()?;
        let stat = rustix::fs::fstat(old)?;
        if names.identity("") != Some(identity(&stat)) {
            return names.open(&stat);
        }
        let fresh = names.create(FRESH, &stat)?;
        let moved = names.shift(rotation.keep).and_then(|()| Ok(names.rename(FRESH, "")?));
        if moved.is_err() {
            // It stays empty and is replaced the next time.
            let _ = names.remove(FRESH);
        }
        moved.map(|()| fresh)
    }
}

impl Names<'_> {
    /// Makes room for FILE: the oldest goes, the others move on by one.
    fn shift(&self, keep: u32) -> io::Result<()> {
        if keep == 0 {
            // What is renamed to FILE replaces it.
            return Ok(());
        }
        // Where a number is missing, those behind it need not move.
        let free = (1..keep).find(|&number| !self.has(number));
        let last = free.unwrap_or(keep);
        self.remove(&plain(last))?;
        self.remove(&packed(last))?;
        for number in (1..last).rev() {
            self.rename_if_there(&plain(number), &plain(number + 1))?;
            self.rename_if_there(&packed(number), &packed(number + 1))?;
        }
        Ok(self.rename("", &plain(1))?)
    }

    /// The newest old file that is not compressed, and its number.
    pub(super) fn next_plain(&self, keep: u32) -> io::Result<Option<OwnedFd>> {
        for number in 1..=keep {
            if self.identity(&plain(number)).is_none() {
                if !self.has(number) {
                    return Ok(None);
                }
                continue;
            }
            if self.identity(&packed(number)).is_some() {
                // A compressed file takes its name when it is whole: the host that made it did not come to remove this.
                self.remove(&plain(number))?;
                continue;
            }
            let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
            return self.open_at(&plain(number), flags, Mode::empty()).map(Some);
        }
        Ok(None)
    }

    /// A new file for what is being compressed.
    pub(super) fn create_part(&self, like: &Stat) -> io::Result<OwnedFd> {
        self.create(PART, like)
    }

    /// Puts the compressed file in the place of the plain one, wherever that is now.
    pub(super) fn replace(&self, compressed: Identity, keep: u32) -> io::Result<()> {
        for number in 1..=keep {
            if self.identity(&plain(number)) == Some(compressed) {
                self.rename(PART, &packed(number))?;
                return self.remove(&plain(number));
            }
        }
        self.remove_part()
    }

    pub(super) fn remove_part(&self) -> io::Result<()> {
        self.remove(PART)
    }

    fn has(&self, number: u32) -> bool {
        self.identity(&plain(number)).is_some() || self.identity(&packed(number)).is_some()
    }

    fn identity(&self, suffix: &str) -> Option<Identity> {
        let stat = rustix::fs::statat(&self.folder, self.with(suffix), AtFlags::SYMLINK_NOFOLLOW).ok()?;
        Some(identity(&stat))
    }

    /// FILE as somebody else left it, or a new one.
    fn open(&self, like: &Stat) -> io::Result<OwnedFd> {
        let flags = OFlags::APPEND | OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        match self.open_at("", flags, Mode::empty()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.create("", like),
            Err(error) => Err(error),
            Ok(file) => {
                // Whoever may write to the folder is not to make the host write elsewhere: a link is refused above, a
                // second name of another's file here.
                let stat = rustix::fs::fstat(&file)?;
                let regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
                if regular && stat.st_nlink == 1 && stat.st_uid == like.st_uid {
                    Ok(file)
                } else {
                    Err(io::Error::other("another file has come into its place"))
                }
            }
        }
    }

    /// A file that was not there, of the same owner and mode as another.
    fn create(&self, suffix: &str, like: &Stat) -> io::Result<OwnedFd> {
        if !suffix.is_empty() {
            self.remove(suffix)?;
        }
        let flags = OFlags::APPEND | OFlags::WRONLY | OFlags::CLOEXEC | OFlags::CREATE | OFlags::EXCL;
        let file = self.open_at(suffix, flags, Mode::from_raw_mode(0o600))?;
        // Who is not root may give nothing away; the mode is for those who have the file.
        let _ = rustix::fs::fchown(&file, Some(Uid::from_raw(like.st_uid)), Some(Gid::from_raw(like.st_gid)));
        rustix::fs::fchmod(&file, Mode::from_raw_mode(like.st_mode & 0o777))?;
        Ok(file)
    }

    fn open_at(&self, suffix: &str, flags: OFlags, mode: Mode) -> io::Result<OwnedFd> {
        let name = self.with(suffix);
        retrying(|| Ok(rustix::fs::openat(&self.folder, &name, flags, mode)?))
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), Errno> {
        rustix::fs::renameat(&self.folder, self.with(from), &self.folder, self.with(to))
    }

    fn rename_if_there(&self, from: &str, to: &str) -> io::Result<()> {
        absent_is_fine(self.rename(from, to))
    }

    fn remove(&self, suffix: &str) -> io::Result<()> {
        absent_is_fine(rustix::fs::unlinkat(self.folder.as_fd(), self.with(suffix), AtFlags::empty()))
    }

    fn with(&self, suffix: &str) -> OsString {
        let mut name = self.name.to_owned();
        name.push(suffix);
        name
    }
}

fn plain(number: u32) -> String {
    format!(".{number}")
}

fn packed(number: u32) -> String {
    format!(".{number}{GZ}")
}

fn absent_is_fine(result: Result<(), Errno>) -> io::Result<()> {
    match result {
        Err(Errno::NOENT) => Ok(()),
        result => Ok(result?),
    }
}
