//! Notice of a configuration file that changed on disk, as events of the poller.
//!
//! What is watched (inotify(7)) are the things themselves along the way to the file: every folder, every symbolic link
//! and the file. A thing that is moved, deleted or replaced tells so, and then the way is walked again. The entries of
//! a folder are watched only while what comes next is missing: log files that are written beside the configuration
//! wake nobody.

use crate::process::{Watched, retrying};
use polling::Poller;
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;
use std::collections::{BTreeMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long nothing may have happened to the file before its change is reported: half-written files are not read.
pub const STILLNESS: Duration = Duration::from_millis(200);

/// Links in one path, as the kernel counts them.
const MOST_LINKS: usize = 40;

/// Walks in a row that find another way than the one before.
const MOST_WALKS: usize = 16;

/// Whatever can happen to a place in the file system that makes it another thing.
const REPLACED: WatchFlags = WatchFlags::MOVE_SELF.union(WatchFlags::DELETE_SELF);

/// Watches one file, by its name: whatever is found under it. File systems of other machines (NFS) tell nothing of
/// changes that are made there.
///
/// Used by one thread. After each event of its key, and when the deadline has come, the owner asks for the change.
#[derive(Debug)]
pub struct ConfigWatch {
    /// Absolute.
    path: PathBuf,
    inotify: Watched<OwnedFd>,
    /// What each watch is on.
    watches: BTreeMap<i32, Role>,
    /// The file when the last change was reported, or at the start; `None`: there was none.
    reported: Option<Fingerprint>,
    change: Option<Change>,
}

/// What a watch is for.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Role {
    /// A folder or a link on the way.
    Way,
    /// The file.
    File,
    /// The folder in which this name is missing, or cannot be read.
    Missing { name: OsString },
}

/// By what a file is told from another, or from an earlier state of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Fingerprint {
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
}

/// Something happened that is not reported yet.
#[derive(Clone, Copy, Debug)]
struct Change {
    last: Instant,
    /// The file was written to, whatever its fingerprint says: its times have only so many digits.
    written: bool,
}

/// A thing on the way.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Step {
    path: PathBuf,
    role: Role,
    identity: (u64, u64),
    is_link: bool,
}

impl ConfigWatch {
    /// Watches from now on: armed before the file is read, no change is missed. Events arrive under `key`.
    ///
    /// # Errors
    /// The system has no more watches or descriptors, or does not let the file or a folder be watched.
    pub fn arm(path: &Path, poller: &Arc<Poller>, key: usize) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        let inotify = retrying(|| Ok(inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?))?;
        let inotify = Watched::new(poller, key, inotify)?;
        let watches = BTreeMap::new();
        let mut watch = Self { path, inotify, watches, reported: None, change: None };
        watch.rearm()?;
        watch.change = None;
        watch.reported = fingerprint(&watch.path);
        Ok(watch)
    }

    /// Takes note of an event.
    ///
    /// # Errors
    /// As [`ConfigWatch::arm`]: from now on changes may be missed.
    pub fn on_ready(&mut self) -> io::Result<()> {
        let (mut replaced, mut written) = (false, false);
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut events = inotify::Reader::new(self.inotify.source(), &mut buffer);
        loop {
            let event = match events.next() {
                Ok(event) => event,
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            };
            let flags = event.events();
            if flags.contains(ReadFlags::QUEUE_OVERFLOW) {
                (replaced, written) = (true, true);
                continue;
            }
            // An event of a watch that is no more, or the notice of its end.
            let Some(role) = self.watches.get(&event.wd()).filter(|_| !flags.contains(ReadFlags::IGNORED))
            else {
                continue;
            };
            match role {
                Role::Way => replaced = true,
                Role::File => {
                    written |= flags.intersects(ReadFlags::MODIFY | ReadFlags::CLOSE_WRITE);
                    // Its count of links is an attribute: a file that was replaced may live on under another name.
                    replaced |=
                        flags.intersects(ReadFlags::ATTRIB | ReadFlags::MOVE_SELF | ReadFlags::DELETE_SELF);
                }
                Role::Missing { name } => {
                    let named = event.file_name().map(|entry| OsStr::from_bytes(entry.to_bytes()));
                    // Without a name it is about the folder itself.
                    replaced |= named.is_none_or(|entry| entry == name);
                }
            }
        }
        if replaced || written {
            let written = written || self.change.is_some_and(|change| change.written);
            self.change = Some(Change { last: Instant::now(), written });
        }
        if replaced { self.rearm() } else { Ok(()) }
    }

    /// When [`ConfigWatch::take_change`] is to be asked, if nothing more happens before. `None`: nothing has happened.
    /// Changes with [`ConfigWatch::on_ready`] and [`ConfigWatch::take_change`].
    pub fn deadline(&self) -> Option<Instant> {
        Some(self.change?.last + STILLNESS)
    }

    /// Whether the file is another than it was, and has been still for long enough: then it is to be read. True once
    /// for a change. A file that is gone is a change too.
    pub fn take_change(&mut self) -> bool {
        if self.deadline().is_none_or(|deadline| Instant::now() < deadline) {
            return false;
        }
        let written = self.change.take().is_some_and(|change| change.written);
        let found = fingerprint(&self.path);
        let changed = written || found != self.reported;
        self.reported = found;
        changed
    }

    /// Watches what lies on the way now, until two walks in a row find the same.
    fn rearm(&mut self) -> io::Result<()> {
        let mut steps = walk(&self.path)?;
        for _ in 0..MOST_WALKS {
            self.watch(&steps)?;
            let again = walk(&self.path)?;
            if again == steps {
                break;
            }
            // What was found in between may have been there for a moment only.
            self.change = Some(Change { last: Instant::now(), written: true });
            steps = again;
        }
        Ok(())
    }

    /// Puts watches on these and takes away all others.
    fn watch(&mut self, steps: &[Step]) -> io::Result<()> {
        let mut watches = BTreeMap::new();
        for step in steps {
            let mut flags = step.role.flags();
            if step.is_link {
                // One that is replaced has a name less; it is deleted only when nobody uses it any more.
                flags |= WatchFlags::DONT_FOLLOW | WatchFlags::ATTRIB;
            }
            match inotify::add_watch(self.inotify.source(), &step.path, flags) {
                Ok(watch) => {
                    watches.insert(watch, step.role.clone());
                }
                // It went away between the walk and now: the next walk finds another way.
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {}
                // A folder that may be passed through but not read is seldom replaced.
                Err(Errno::ACCESS | Errno::PERM) if step.role == Role::Way => {}
                // It may become readable, and its folder tells when.
                Err(Errno::ACCESS | Errno::PERM) if step.role == Role::File => {
                    let (Some(folder), Some(name)) = (step.path.parent(), step.path.file_name()) else {
                        continue;
                    };
                    let role = Role::Missing { name: name.to_owned() };
                    watches.insert(inotify::add_watch(self.inotify.source(), folder, role.flags())?, role);
                }
                Err(error) => return Err(io::Error::from(error)),
            }
        }
        for old in self.watches.keys().filter(|old| !watches.contains_key(old)) {
            // It fails for a watch that ended with what it was on.
            let _ = inotify::remove_watch(self.inotify.source(), *old);
        }
        self.watches = watches;
        Ok(())
    }
}

impl Role {
    fn flags(&self) -> WatchFlags {
        match self {
            Role::Way => REPLACED,
            Role::File => REPLACED | WatchFlags::ATTRIB | WatchFlags::MODIFY | WatchFlags::CLOSE_WRITE,
            Role::Missing { .. } => REPLACED | WatchFlags::CREATE | WatchFlags::MOVED_TO | WatchFlags::ATTRIB,
        }
    }
}

/// Everything on the way to a file, which is the last if it is there.
fn walk(path: &Path) -> io::Result<Vec<Step>> {
    let (mut steps, mut links) = (Vec::new(), 0);
    // Without links, so that `..` is the folder above.
    let mut at = PathBuf::from("/");
    let mut ahead: VecDeque<OsString> = VecDeque::new();
    push_front(&mut ahead, path);
    while let Some(name) = ahead.pop_front() {
        if name == ".." {
            at.pop();
            continue;
        }
        let next = at.join(&name);
        let metadata = match fs::symlink_metadata(&next) {
            Ok(metadata) => Some(metadata),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                None
            }
            Err(error) => return Err(error),
        };
        let Some(metadata) = metadata.filter(|found| ahead.is_empty() || !found.is_file()) else {
            missing_in(&mut steps, &at, name);
            break;
        };
        let identity = (metadata.dev(), metadata.ino());
        let is_link = metadata.is_symlink();
        let is_last = ahead.is_empty() && !is_link && !metadata.is_dir();
        let role = if is_last { Role::File } else { Role::Way };
        steps.push(Step { path: next.clone(), role, identity, is_link });
        if is_link {
            links += 1;
            if links > MOST_LINKS {
                break;
            }
            let Ok(target) = fs::read_link(&next) else { break };
            if target.is_absolute() {
                at = PathBuf::from("/");
            }
            push_front(&mut ahead, &target);
        } else {
            at = next;
        }
    }
    Ok(steps)
}

/// The folder may be a step already: one watch is enough, and this one tells more.
fn missing_in(steps: &mut Vec<Step>, folder: &Path, name: OsString) {
    let identity = fs::metadata(folder).map_or((0, 0), |metadata| (metadata.dev(), metadata.ino()));
    steps.push(Step { path: folder.to_owned(), role: Role::Missing { name }, identity, is_link: false });
}

fn push_front(ahead: &mut VecDeque<OsString>, path: &Path) {
    for component in path.components().rev() {
        match component {
            Component::Normal(name) => ahead.push_front(name.to_owned()),
            Component::ParentDir => ahead.push_front("..".into()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
}

fn fingerprint(path: &Path) -> Option<Fingerprint> {
    let metadata = fs::metadata(path).ok()?;
    Some(Fingerprint {
        device: metadata.dev(),
        inode: metadata.ino(),
        length: metadata.len(),
        modified: (metadata.mtime(), metadata.mtime_nsec()),
    })
}
