//! Folders, opened so that nobody can make a run look or remove elsewhere: no link is followed, and what was looked at is
//! known again.

use rustix::fs::{AtFlags, CWD, Mode, OFlags, Stat, fstat, openat, readlinkat, statat};
use rustix::io::Errno;
use std::ffi::OsString;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

const FLAGS: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// An open folder.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) descriptor: OwnedFd,
    pub(crate) stat: Stat,
}

impl Folder {
    fn new(descriptor: OwnedFd) -> Result<Self, Errno> {
        let stat = fstat(&descriptor)?;
        Ok(Self { descriptor, stat })
    }

    /// A folder of an absolute path, none of whose parts is a link: who may write to a folder on the way could point a
    /// link of theirs to files that they may not touch themselves.
    pub(crate) fn open(path: &Path) -> Result<Self, String> {
        let failed = |at: &Path, error: Errno| format!("{at:?}: {error}");
        let mut at = PathBuf::from("/");
        let mut parts = path.components().filter_map(|part| match part {
            Component::Normal(name) => Some(name),
            Component::ParentDir => Some("..".as_ref()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
        });
        let mut last = parts.next_back();
        let first = if last.is_some() { OFlags::PATH } else { OFlags::RDONLY };
        let mut folder =
            openat(CWD, &at, FLAGS | first, Mode::empty()).map_err(|error| failed(&at, error))?;
        // All but the last need not be readable.
        for (part, how) in
            parts.map(|part| (part, OFlags::PATH)).chain(last.take().map(|part| (part, OFlags::RDONLY)))
        {
            at.push(part);
            folder = openat(&folder, part, FLAGS | how, Mode::empty()).map_err(|error| {
                match readlinkat(&folder, part, Vec::new()) {
                    Ok(target) => {
                        let target = std::ffi::OsStr::from_bytes(target.as_bytes());
                        format!(
                            "{at:?} is a link to {target:?}, which is not followed: name the folder itself"
                        )
                    }
                    Err(_) => failed(&at, error),
                }
            })?;
        }
        Self::new(folder).map_err(|error| failed(path, error))
    }

    /// A folder below.
    pub(crate) fn open_below(&self, parts: &[OsString]) -> Result<Self, Errno> {
        let mut folder = openat(&self.descriptor, ".", FLAGS, Mode::empty())?;
        for part in parts {
            folder = openat(&folder, part, FLAGS, Mode::empty())?;
        }
        Self::new(folder)
    }

    /// What a name in it stands for; of a link, the link itself.
    pub(crate) fn stat_of(&self, name: impl rustix::path::Arg) -> Result<Stat, Errno> {
        statat(self.descriptor.as_fd(), name, AtFlags::SYMLINK_NOFOLLOW)
    }

    pub(crate) fn identity(&self) -> Identity {
        Identity::of(&self.stat)
    }
}

/// What tells one file or folder from another.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    pub(crate) fn of(stat: &Stat) -> Self {
        Self { device: stat.st_dev, inode: stat.st_ino }
    }

    /// Whether both lie on one file system.
    pub(crate) fn is_beside(self, other: Self) -> bool {
        self.device == other.device
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn no_link_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap();
        fs::create_dir_all(path.join("a/b")).unwrap();
        symlink("a", path.join("link")).unwrap();
        fs::write(path.join("file"), "").unwrap();

        assert!(Folder::open(&path.join("a/b")).is_ok());
        assert!(Folder::open(&path.join("a/./b/..")).is_ok());
        assert!(Folder::open(Path::new("/")).is_ok());
        let advice = "is a link to \"a\", which is not followed: name the folder itself";
        let link = path.join("link");
        assert_eq!(Folder::open(&link).unwrap_err(), format!("{link:?} {advice}"));
        assert_eq!(Folder::open(&path.join("link/b")).unwrap_err(), format!("{link:?} {advice}"));
        assert!(
            Folder::open(&path.join("file")).unwrap_err().ends_with("file\": Not a directory (os error 20)")
        );
        assert!(
            Folder::open(&path.join("gone/b")).unwrap_err().contains("gone\": No such file or directory")
        );

        let root = Folder::open(&path).unwrap();
        let below = |parts: &[&str]| root.open_below(&parts.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(
            below(&["a", "b"]).unwrap().identity(),
            Folder::open(&path.join("a/b")).unwrap().identity()
        );
        assert!(below(&["link"]).is_err() && below(&["link", "b"]).is_err());
    }
}
