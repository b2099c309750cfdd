//! Private copies of library files, under names that are never used twice: a file that is mapped must not be written to,
//! and the system's loader takes a path that it has seen for the library it has seen there.

use super::trust;
use crate::process::{Place, start_of};
use rustix::fs::{Mode, StatVfsMountFlags};
use rustix::process::geteuid;
use rustix::rand::{GetRandomFlags, getrandom};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Seek};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The folder in a state dir.
const FOLDER: &str = "plugins";

/// What the names of temporary folders begin with.
const PREFIX: &str = "bansuri-";

/// A folder of copies, which is this process's alone. It is removed when this is dropped, or by the next host.
#[derive(Debug)]
pub(super) struct Copies {
    folder: PathBuf,
    next: AtomicU64,
}

/// A copy, which nobody changes. Its file is removed when this is dropped; what was loaded from it stays.
#[derive(Debug)]
pub(super) struct PrivateCopy {
    path: PathBuf,
    file: File,
    /// Not removed before what is in it.
    _folder: Arc<Copies>,
}

impl Copies {
    /// In a state dir that is locked for this process. What a dead host left is removed.
    pub(super) fn in_state_dir(state_dir: &Path) -> io::Result<Self> {
        let folder = state_dir.join(FOLDER);
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        Self::make(folder)
    }

    /// In a new folder for what is temporary. What processes left there that were killed is removed.
    pub(super) fn temporary() -> io::Result<Self> {
        let parent = std::env::temp_dir();
        let owner = Owner::this();
        if let Some(owner) = &owner {
            remove_leftovers(&parent, owner);
        }
        let mut random = [0; 8];
        getrandom(&mut random, GetRandomFlags::empty())?;
        let owner = owner.map(|owner| owner.to_string()).unwrap_or_default();
        Self::make(parent.join(format!("{PREFIX}{owner}-{:016x}", u64::from_le_bytes(random))))
    }

    fn make(folder: PathBuf) -> io::Result<Self> {
        DirBuilder::new().mode(0o700).create(&folder)?;
        let copies = Self { folder, next: AtomicU64::new(1) };
        // Who can put another folder in its place decides what is loaded from it.
        let faults = if trust::is_strict() { trust::way(&copies.folder)?.faults } else { Vec::new() };
        match faults.first() {
            Some(fault) => Err(io::Error::other(fault.clone())),
            None => Ok(copies),
        }
    }

    /// Absolute.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Removes the folder with all copies. What was loaded from them stays.
    pub(super) fn remove(&self) {
        // What stays in a state dir is removed by the next host.
        let _ = std::fs::remove_dir_all(&self.folder);
    }

    /// Whether libraries can be loaded from here: a file system may be mounted so that they cannot.
    pub(super) fn are_loadable(&self) -> bool {
        rustix::fs::statvfs(&self.folder)
            .map_or(true, |system| !system.f_flag.contains(StatVfsMountFlags::NOEXEC))
    }

    /// Copies a file as it is now, from its first byte.
    pub(super) fn copy(self: &Arc<Self>, source: &File, name: &OsStr) -> io::Result<PrivateCopy> {
        let mut unique = OsString::from(format!("{}-", self.next.fetch_add(1, Ordering::Relaxed)));
        unique.push(name);
        let path = self.folder.join(unique);
        let mut target = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        let filled = fill(source, &mut target).and_then(|()| File::open(&path));
        match filled {
            Ok(file) => Ok(PrivateCopy { path, file, _folder: Arc::clone(self) }),
            Err(error) => {
                // One that stays is removed with the folder.
                let _ = std::fs::remove_file(&path);
                Err(error)
            }
        }
    }
}

/// The process that a temporary folder is of, as the folder's name says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Owner {
    /// The namespace of process numbers.
    namespace: u64,
    pid: u32,
    /// In ticks since boot.
    started: u64,
}

impl Owner {
    /// `None`: there is no /proc to tell.
    fn this() -> Option<Self> {
        let pid = std::process::id();
        Some(Self { namespace: Place::here().ok()?.namespace, pid, started: start_of(pid)? })
    }

    fn parse(name: &str) -> Option<Self> {
        let mut parts = name.strip_prefix(PREFIX)?.split('-');
        Some(Self {
            namespace: parts.next()?.parse().ok()?,
            pid: parts.next()?.parse().ok()?,
            started: parts.next()?.parse().ok()?,
        })
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.namespace, self.pid, self.started)
    }
}

/// Removes this user's temporary folders of processes that are certain to be dead.
fn remove_leftovers(parent: &Path, this: &Owner) {
    let entries = std::fs::read_dir(parent).into_iter().flatten().filter_map(Result::ok);
    for entry in entries {
        let Some(owner) = entry.file_name().to_str().and_then(Owner::parse) else { continue };
        let is_dead = owner.namespace == this.namespace && start_of(owner.pid) != Some(owner.started);
        let is_ours = entry.metadata().is_ok_and(|it| it.is_dir() && it.uid() == geteuid().as_raw());
        if is_dead && is_ours {
            // One that stays is tried by the next who needs such a folder.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// Readable for everybody who is handed the descriptor: the folder keeps all others out.
fn fill(mut source: &File, target: &mut File) -> io::Result<()> {
    source.rewind()?;
    io::copy(&mut source, target)?;
    Ok(rustix::fs::fchmod(target, Mode::from_raw_mode(0o644))?)
}

impl PrivateCopy {
    /// Absolute.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Open for reading.
    pub(super) fn file(&self) -> &File {
        &self.file
    }
}

impl Drop for PrivateCopy {
    fn drop(&mut self) {
        // One that stays is removed with the folder.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Drop for Copies {
    fn drop(&mut self) {
        self.remove();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temporary_folders_of_the_dead_are_removed() {
        let parent = tempfile::tempdir().unwrap();
        let this = Owner::this().unwrap();
        let folder = |owner: Owner| {
            let path = parent.path().join(format!("{PREFIX}{owner}-0123"));
            std::fs::create_dir(&path).unwrap();
            std::fs::write(path.join("1-lib.so"), "").unwrap();
            path
        };
        let dead = folder(Owner { started: this.started + 1, ..this });
        let elsewhere = folder(Owner { namespace: this.namespace + 1, started: this.started + 1, ..this });
        let others = [folder(this), elsewhere, parent.path().join("bansuri-notes")];
        std::fs::create_dir(&others[2]).unwrap();
        remove_leftovers(parent.path(), &this);
        assert!(!dead.exists());
        assert!(others.iter().all(|path| path.exists()));
    }

    #[test]
    fn a_folder_goes_with_what_is_in_it() {
        let state = tempfile::tempdir().unwrap();
        let source = tempfile::tempfile().unwrap();
        let copies = Arc::new(Copies::in_state_dir(state.path()).unwrap());
        let first = copies.copy(&source, OsStr::new("lib.so")).unwrap();
        let second = copies.copy(&source, OsStr::new("lib.so")).unwrap();
        assert_ne!(first.path(), second.path());
        let (path, folder) = (first.path().to_owned(), state.path().join(FOLDER));
        drop(first);
        assert!(!path.exists());
        drop(copies);
        assert!(second.path().exists());
        drop(second);
        assert!(!folder.exists());
        assert!(Copies::temporary().unwrap().are_loadable());
    }

    #[test]
    fn a_link_in_the_place_of_the_folder_is_not_followed() {
        let (state, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(other.path().join("precious"), "").unwrap();
        std::os::unix::fs::symlink(other.path(), state.path().join(FOLDER)).unwrap();
        drop(Copies::in_state_dir(state.path()).unwrap());
        assert!(other.path().join("precious").exists());
    }
}
