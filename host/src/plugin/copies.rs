//! Private copies of library files, under names that are never used twice: a file that is mapped must not be written to,
//! and the system's loader takes a path that it has seen for the library it has seen there.

use rustix::fs::{Mode, StatVfsMountFlags};
use rustix::rand::{GetRandomFlags, getrandom};
use std::ffi::{OsStr, OsString};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Seek};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The folder in a state dir.
const FOLDER: &str = "plugins";

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

    /// In a new folder for what is temporary.
    pub(super) fn temporary() -> io::Result<Self> {
        let mut random = [0; 8];
        getrandom(&mut random, GetRandomFlags::empty())?;
        Self::make(std::env::temp_dir().join(format!("bansuri-{:016x}", u64::from_le_bytes(random))))
    }

    fn make(folder: PathBuf) -> io::Result<Self> {
        DirBuilder::new().mode(0o700).create(&folder)?;
        Ok(Self { folder, next: AtomicU64::new(1) })
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
