//! What is there.

use crate::folder::{Folder, Identity};
use crate::options::Rule;
use rustix::fs::{Dir, FileType, Stat};
use rustix::io::Errno;
use std::collections::{HashSet, VecDeque};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// How deep folders may lie in each other: nobody can make a run walk without end.
const DEEPEST: usize = 100;

/// A file that a rule speaks of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct FoundFile {
    /// An index in [`Scan::folders`].
    pub(crate) folder: usize,
    pub(crate) name: OsString,
    /// Which pattern it belongs to.
    pub(crate) pattern: usize,
    pub(crate) mark: Mark,
}

/// What a file looked like. One that looks otherwise later is another, or has been written to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Mark {
    identity: Identity,
    pub(crate) size: u64,
    /// Nanoseconds from 1970, when it was last written to.
    pub(crate) modified: i128,
}

impl Mark {
    pub(crate) fn of(stat: &Stat) -> Self {
        Self {
            identity: Identity::of(stat),
            size: u64::try_from(stat.st_size).unwrap_or(0),
            modified: modified(stat),
        }
    }
}

/// When something was last written to, in nanoseconds from 1970.
fn modified(stat: &Stat) -> i128 {
    i128::from(stat.st_mtime) * 1_000_000_000 + i128::from(stat.st_mtime_nsec)
}

/// A folder that was looked through.
#[derive(Clone, Debug)]
pub(crate) struct FoundFolder {
    /// The way to it from the rule's folder, which is the first of all and has none.
    pub(crate) parts: Vec<OsString>,
    /// The folder it lies in; the first lies in none, and this is itself.
    pub(crate) parent: usize,
    pub(crate) identity: Identity,
    /// As of files.
    pub(crate) modified: i128,
    /// How many names it held.
    pub(crate) entries: usize,
}

/// All that was found.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    pub(crate) folders: Vec<FoundFolder>,
    pub(crate) files: Vec<FoundFile>,
    /// What could not be looked at, and why.
    pub(crate) faults: Vec<String>,
}

impl Scan {
    /// The path of a name in one of the folders.
    pub(crate) fn path(&self, root: &Path, folder: usize, name: &OsStr) -> PathBuf {
        path_below(root, &self.folders[folder].parts).join(name)
    }
}

pub(crate) fn path_below(root: &Path, parts: &[OsString]) -> PathBuf {
    parts.iter().fold(root.to_owned(), |path, part| path.join(part))
}

/// What is spoken of as gone, though a dry run has left it there.
#[derive(Debug, Default)]
pub(crate) struct Gone {
    /// Folders, and names in them.
    names: HashSet<(Identity, OsString)>,
    folders: HashSet<Identity>,
}

impl Gone {
    pub(crate) fn add(&mut self, folder: Identity, name: OsString) {
        self.folders.insert(folder);
        self.names.insert((folder, name));
    }

    /// Whether this run has taken something out of the folder.
    pub(crate) fn has_lost(&self, folder: Identity) -> bool {
        self.folders.contains(&folder)
    }

    fn contains(&self, folder: Identity, name: &OsStr) -> bool {
        self.has_lost(folder) && self.names.contains(&(folder, name.to_owned()))
    }
}

/// Looks through the folder of a rule, and those below if the rule says so. `None`: it was stopped.
pub(crate) fn scan(
    root: &Folder,
    path: &Path,
    rule: &Rule,
    gone: &Gone,
    stopping: impl Fn() -> bool,
) -> Option<Scan> {
    let mut scan = Scan::default();
    let mut left = VecDeque::from([(0, Vec::new())]);
    while let Some((parent, parts)) = left.pop_front() {
        let here = path_below(path, &parts);
        let mut looked = Look { scan: &mut scan, root, rule, gone, stopping: &stopping, path: &here };
        match looked.through(parent, parts) {
            Ok(Some(below)) => {
                let parent = scan.folders.len() - 1;
                left.extend(below.into_iter().map(|way| (parent, way)));
            }
            Ok(None) => return None,
            // It went while the others were looked through.
            Err(Errno::NOENT) if here != path => {}
            Err(error) => scan.faults.push(format!("{here:?}: {error}")),
        }
    }
    Some(scan)
}

/// One folder being looked through.
struct Look<'a> {
    scan: &'a mut Scan,
    root: &'a Folder,
    rule: &'a Rule,
    gone: &'a Gone,
    stopping: &'a dyn Fn() -> bool,
    path: &'a Path,
}

impl Look<'_> {
    /// Says which folders to look through next; `None`: it was stopped.
    fn through(&mut self, parent: usize, parts: Vec<OsString>) -> Result<Option<Vec<Vec<OsString>>>, Errno> {
        let folder = self.root.open_below(&parts)?;
        let index = self.scan.folders.len();
        let identity = folder.identity();
        let (mut entries, mut below) = (0, Vec::new());
        for entry in Dir::read_from(&folder.descriptor)? {
            if (self.stopping)() {
                return Ok(None);
            }
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." || self.gone.contains(identity, name) {
                continue;
            }
            let stat = match folder.stat_of(name) {
                Ok(stat) => stat,
                Err(Errno::NOENT) => continue,
                Err(error) => {
                    self.scan.faults.push(format!("{:?}: {error}", self.path.join(name)));
                    entries += 1;
                    continue;
                }
            };
            entries += 1;
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::RegularFile => {
                    if let Some(pattern) = self.rule.pattern_of(name) {
                        let (name, mark) = (name.to_owned(), Mark::of(&stat));
                        self.scan.files.push(FoundFile { folder: index, name, pattern, mark });
                    }
                }
                FileType::Directory if self.is_entered(&stat) => {
                    let mut way = parts.clone();
                    way.push(name.to_owned());
                    if way.len() > DEEPEST {
                        self.scan
                            .faults
                            .push(format!("{:?}: deeper than {DEEPEST} folders", self.path.join(name)));
                    } else {
                        below.push(way);
                    }
                }
                // Links, devices, sockets and pipes are nobody's backups.
                _ => {}
            }
        }
        let modified = modified(&folder.stat);
        self.scan.folders.push(FoundFolder { parts, parent, identity, modified, entries });
        Ok(Some(below))
    }

    fn is_entered(&self, stat: &Stat) -> bool {
        self.rule.recursive && (self.rule.cross_file_systems || stat.st_dev == self.root.stat.st_dev)
    }
}
