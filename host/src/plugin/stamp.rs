//! By what one sees that a file has changed, without reading it.

use serde::{Deserialize, Serialize};
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Longer than the clock that stamps files takes for a step (10 ms where the kernel ticks slowest): a file that was
/// stamped less than this ago may be written to once more and bear the same stamp.
const CLOCK_STEP: Duration = Duration::from_millis(50);

/// What a file was at one moment. The device is left out: it has another number after a boot.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Stamp {
    inode: u64,
    size: u64,
    /// Seconds and nanoseconds since 1970, when its content was changed: anybody can set it back.
    modified: (i64, i64),
    /// The same for whatever of it was changed, its rights too: nobody can.
    changed: (i64, i64),
}

impl Stamp {
    /// Of the file under this path, at the end of all links. One system call.
    pub(super) fn of_path(path: &Path) -> io::Result<Self> {
        Ok(Self::of(&std::fs::metadata(path)?))
    }

    /// Of what is asked for, and whether no later write can leave it as it is.
    pub(super) fn settled(metadata: impl FnOnce() -> io::Result<Metadata>) -> io::Result<(Self, bool)> {
        // Asked for before: the file is at least as old as that.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let stamp = Self::of(&metadata()?);
        Ok((stamp, stamp.is_settled(now)))
    }

    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// A stamp from the future is another clock's, and says nothing of when a write would get the same.
    fn is_settled(&self, now: Duration) -> bool {
        let nanos = |(seconds, nanos): (i64, i64)| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
        let age = i128::try_from(now.as_nanos()).unwrap_or(i128::MAX) - nanos(self.changed);
        age.unsigned_abs() > CLOCK_STEP.as_nanos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_shows() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("file");
        std::fs::write(&path, "one").unwrap();
        let first = Stamp::of_path(&path).unwrap();
        assert_eq!(Stamp::of_path(&path).unwrap(), first);
        std::fs::write(&path, "three").unwrap();
        let longer = Stamp::of_path(&path).unwrap();
        assert_ne!(longer, first);
        let other = home.path().join("other");
        std::fs::write(&other, "seven").unwrap();
        std::fs::rename(&other, &path).unwrap();
        assert_ne!(Stamp::of_path(&path).unwrap(), longer);
        assert!(Stamp::of_path(&other).is_err());
    }

    #[test]
    fn a_stamp_is_settled_once_the_clock_has_moved_on() {
        let at = |changed| Stamp { inode: 1, size: 1, modified: (0, 0), changed };
        let now = Duration::from_secs(1_000);
        assert!(!at((1_000, 0)).is_settled(now));
        assert!(!at((999, 960_000_000)).is_settled(now));
        assert!(at((999, 940_000_000)).is_settled(now));
        assert!(at((2_000, 0)).is_settled(now));
    }
}
