//! The state dir: where a host keeps what must survive it, and the lock that lets one host at a time work on it.

use rustix::fs::{FlockOperation, OFlags, flock};
use std::fmt;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The folder beside the configuration.
const BESIDE: &str = ".bansuri";

/// The variable that names another; the arguments of `run` have its value.
pub const STATE_DIR_VARIABLE: &str = "BANSURI_STATE_DIR";

/// How long the lock of a host that has died may still be held: a child that it was starting has the descriptor until
/// it executes its program, and there is no event for that.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);

/// How often such a lock is tried meanwhile.
const LOCK_RETRY: Duration = Duration::from_millis(5);

/// A state dir that is locked for this process for as long as this lives.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    _lock: File,
}

/// Why a state dir cannot be used.
#[derive(Debug)]
pub enum StateDirError {
    /// Another host works on it.
    Locked {
        /// The folder.
        path: PathBuf,
        /// The other host, where it could be read.
        pid: Option<u32>,
    },
    /// It cannot be made, or written to.
    Unusable {
        /// The folder.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

impl fmt::Display for StateDirError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StateDirError::Locked { path, pid: Some(pid) } => {
                write!(f, "state dir {path:?}: another host (pid {pid}) already runs on it")
            }
            StateDirError::Locked { path, pid: None } => {
                write!(f, "state dir {path:?}: another host already runs on it")
            }
            StateDirError::Unusable { path, error } => write!(f, "state dir {path:?}: {error}"),
        }
    }
}

impl std::error::Error for StateDirError {}

impl StateDir {
    /// Locks the state dir: `explicit` if given, else `.bansuri` in the configuration's folder, else, where that cannot
    /// be written, a folder of the user's (which is logged).
    pub fn open(
        explicit: Option<&Path>,
        config_file: &Path,
        config_folder: &Path,
    ) -> Result<Self, StateDirError> {
        if let Some(path) = explicit {
            return Self::lock(&absolute(path));
        }
        match Self::lock(&config_folder.join(BESIDE)) {
            Err(StateDirError::Unusable { path, error }) if is_unwritable(&error) => {
                let Some(fallback) = fallback(&absolute(config_file)) else {
                    return Err(StateDirError::Unusable { path, error });
                };
                log::info!(target: "bansuri", "state dir {path:?}: {error}: {fallback:?} is used");
                Self::lock(&fallback)
            }
            result => result,
        }
    }

    /// Where [`StateDir::open`] would look for one, in this order, without making any.
    pub fn places(explicit: Option<&Path>, config_file: &Path) -> Vec<PathBuf> {
        let config_file = absolute(config_file);
        match explicit {
            Some(path) => vec![absolute(path)],
            None => {
                let beside = config_file.parent().map(|folder| folder.join(BESIDE));
                beside.into_iter().chain(fallback(&config_file)).collect()
            }
        }
    }

    /// The folder, absolute.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn lock(path: &Path) -> Result<Self, StateDirError> {
        let unusable = |error| StateDirError::Unusable { path: path.to_owned(), error };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(unusable)?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            // In a folder that others may write to, the way to another file.
            .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
            .open(path.join("lock"))
            .map_err(unusable)?;
        let deadline = Instant::now() + LOCK_PATIENCE;
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => break,
                Err(rustix::io::Errno::WOULDBLOCK) => {}
                Err(errno) => return Err(unusable(errno.into())),
            }
            let mut text = String::new();
            let read = file.rewind().and_then(|()| file.read_to_string(&mut text));
            let pid = read.ok().and_then(|_| text.trim().parse().ok());
            if pid.is_none_or(is_alive) || Instant::now() >= deadline {
                return Err(StateDirError::Locked { path: path.to_owned(), pid });
            }
            std::thread::sleep(LOCK_RETRY);
        }
        let written = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        written.map_err(unusable)?;
        Ok(Self { path: path.to_owned(), _lock: file })
    }
}

/// Whether there is a process of this number that is no zombie.
fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

fn is_unwritable(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

/// `$XDG_STATE_HOME/bansuri/<hash of the config path>`; for root below `/var/lib`.
fn fallback(config_file: &Path) -> Option<PathBuf> {
    let base = if rustix::process::geteuid().is_root() {
        PathBuf::from("/var/lib")
    } else {
        std::env::var_os("XDG_STATE_HOME")
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
            .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state")))?
    };
    Some(base.join("bansuri").join(format!("{:016x}", fnv1a(config_file.as_os_str().as_encoded_bytes()))))
}

/// FNV-1a, 64 bits: the same folder for the same path in every release, which the hashers of std do not promise.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_beside_the_configuration_and_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::open(None, &dir.path().join("scripts.json"), dir.path()).unwrap();
        assert_eq!(state.path(), dir.path().join(".bansuri"));
        assert_eq!(std::fs::metadata(state.path()).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_second_host_is_told_the_first_ones_pid_and_may_follow_it() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("scripts.json");
        let first = StateDir::open(Some(dir.path()), &file, dir.path()).unwrap();
        let error = StateDir::open(Some(dir.path()), &file, dir.path()).unwrap_err();
        assert!(
            matches!(error, StateDirError::Locked { pid: Some(pid), .. } if pid == std::process::id()),
            "{error}"
        );
        drop(first);
        StateDir::open(Some(dir.path()), &file, dir.path()).unwrap();
    }

    #[test]
    fn the_lock_of_a_dead_host_is_waited_for_while_a_child_of_its_has_it() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("scripts.json");
        let mut dead = std::process::Command::new("true").spawn().unwrap();
        std::fs::write(dir.path().join("lock"), format!("{}\n", dead.id())).unwrap();
        let lock = File::open(dir.path().join("lock")).unwrap();
        flock(&lock, FlockOperation::LockExclusive).unwrap();
        dead.wait().unwrap();
        let held = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(100));
            drop(lock);
        });
        StateDir::open(Some(dir.path()), &file, dir.path()).unwrap();
        held.join().unwrap();
    }

    #[test]
    fn a_lock_that_is_a_link_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let other = dir.path().join("other");
        std::fs::write(&other, "precious").unwrap();
        std::os::unix::fs::symlink(&other, dir.path().join("lock")).unwrap();
        let file = dir.path().join("scripts.json");
        let error = StateDir::open(Some(dir.path()), &file, dir.path()).unwrap_err();
        assert!(matches!(error, StateDirError::Unusable { .. }), "{error}");
        assert_eq!(std::fs::read(&other).unwrap(), b"precious");
    }

    #[test]
    fn a_file_in_its_place_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("state");
        std::fs::write(&file, "").unwrap();
        let error = StateDir::open(Some(&file), &file, dir.path()).unwrap_err();
        assert!(error.to_string().starts_with(&format!("state dir {file:?}: ")), "{error}");
    }
}
