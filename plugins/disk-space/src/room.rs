//! How much room a file system has.

use rustix::fs::{StatVfs, statvfs};
use std::io;
use std::path::Path;

/// What a file system has, and what of it is free for anybody: what only root may still use does not count, for it keeps
/// a machine alive, not its tasks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Room {
    pub(crate) bytes: u64,
    pub(crate) free_bytes: u64,
    /// 0 where the file system makes inodes as it needs them (btrfs and others).
    pub(crate) inodes: u64,
    pub(crate) free_inodes: u64,
}

/// Of the file system that the path lies on. Blocks for as long as that gives no answer, as a network's may.
pub(crate) fn room(path: &Path) -> io::Result<Room> {
    Ok(statvfs(path)?.into())
}

impl From<StatVfs> for Room {
    fn from(found: StatVfs) -> Self {
        // Some leave the size of a fragment out.
        let unit = if found.f_frsize == 0 { found.f_bsize } else { found.f_frsize };
        Self {
            bytes: found.f_blocks.saturating_mul(unit),
            free_bytes: found.f_bavail.saturating_mul(unit),
            inodes: found.f_files,
            free_inodes: found.f_favail,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_root_alone_may_use_is_not_free() {
        let found = StatVfs {
            f_bsize: 4096,
            f_frsize: 1024,
            f_blocks: 100,
            f_bfree: 30,
            f_bavail: 25,
            f_files: 10,
            f_ffree: 6,
            f_favail: 5,
            ..statvfs("/").unwrap()
        };
        let room = Room { bytes: 102_400, free_bytes: 25_600, inodes: 10, free_inodes: 5 };
        assert_eq!(Room::from(found), room);
    }
}
