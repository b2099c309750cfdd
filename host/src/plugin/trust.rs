//! Whether nobody but root and the host's own user can decide what a library does: its file, and every folder on the
//! way to it, links included.

use rustix::process::geteuid;
use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// As many links as the system itself follows.
const MOST_LINKS: usize = 40;

// Bits of a mode (inode(7)).
const STICKY: u32 = 0o1000;
const GROUP_WRITES: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;

/// What a look at the way to a file or folder has shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Way {
    /// What others can do, a lowercase fragment each: `folder "/x" may be written to by group 100 (mode 0775)`.
    pub(super) faults: Vec<String>,
    /// The device and the number of the file at its end; `None`: there is a folder.
    pub(super) file: Option<(u64, u64)>,
}

/// Whether this host is one that is not to load what others can change.
pub(super) fn is_strict() -> bool {
    geteuid().is_root()
}

/// Goes the way of an absolute path.
///
/// # Errors
/// A part of it is not there, or cannot be seen.
pub(super) fn way(path: &Path) -> io::Result<Way> {
    Walk { us: geteuid().as_raw(), folders: Vec::new(), faults: Vec::new() }.go(path)
}

struct Walk {
    us: u32,
    /// From the root to where the walk is, without links.
    folders: Vec<(PathBuf, Metadata)>,
    faults: Vec<String>,
}

impl Walk {
    fn go(mut self, path: &Path) -> io::Result<Way> {
        let mut todo: VecDeque<Step> = steps(path).collect();
        let (mut links, mut end) = (0, None);
        while let Some(step) = todo.pop_front() {
            let name = match step {
                Step::Root => {
                    self.folders.clear();
                    self.enter(PathBuf::from("/"), Path::new("/").symlink_metadata()?);
                    continue;
                }
                Step::Up => {
                    // Above the root is the root.
                    if self.folders.len() > 1 {
                        self.folders.pop();
                    }
                    continue;
                }
                Step::Down(name) => name,
            };
            let next = self.folders.last().map_or(Path::new("/"), |(path, _)| path).join(name);
            let found = next.symlink_metadata()?;
            let is_link = found.is_symlink();
            self.judge_entry(&next, &found, is_link);
            if is_link {
                links += 1;
                if links > MOST_LINKS {
                    return Err(rustix::io::Errno::LOOP.into());
                }
                for step in steps(&next.read_link()?).rev() {
                    todo.push_front(step);
                }
            } else if found.is_dir() {
                self.enter(next, found);
            } else {
                self.judge_rights("file", &next, &found);
                end = Some((found.dev(), found.ino()));
            }
        }
        Ok(Way { faults: self.faults, file: end })
    }

    fn enter(&mut self, path: PathBuf, folder: Metadata) {
        // Who may not remove others' files from a sticky folder may still put his own there: that is seen by their owners.
        if folder.mode() & STICKY == 0 {
            self.judge_rights("folder", &path, &folder);
        }
        self.folders.push((path, folder));
    }

    /// The owner of a link matters only where anybody may put one.
    fn judge_entry(&mut self, path: &Path, entry: &Metadata, is_link: bool) {
        let in_shared = self.folders.last().is_some_and(|(_, folder)| is_written_by_others(folder));
        if is_link && !in_shared || entry.uid() == 0 || entry.uid() == self.us {
            return;
        }
        let kind = match (is_link, entry.is_dir()) {
            (true, _) => "link",
            (false, true) => "folder",
            (false, false) => "file",
        };
        self.fault(format!("{kind} {path:?} belongs to user {}", entry.uid()));
    }

    fn judge_rights(&mut self, kind: &str, path: &Path, found: &Metadata) {
        let mode = found.mode() & 0o7777;
        let who = match (mode & OTHERS_WRITE != 0, mode & GROUP_WRITES != 0) {
            (true, _) => "everybody".to_owned(),
            (false, true) => format!("group {}", found.gid()),
            (false, false) => return,
        };
        self.fault(format!("{kind} {path:?} may be written to by {who} (mode {mode:04o})"));
    }

    /// A link may lead through a folder twice.
    fn fault(&mut self, fault: String) {
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }
}

fn is_written_by_others(folder: &Metadata) -> bool {
    folder.mode() & (GROUP_WRITES | OTHERS_WRITE) != 0
}

enum Step {
    Root,
    Up,
    Down(OsString),
}

fn steps(path: &Path) -> impl DoubleEndedIterator<Item = Step> {
    path.components().filter_map(|component| match component {
        Component::RootDir => Some(Step::Root),
        Component::ParentDir => Some(Step::Up),
        Component::Normal(name) => Some(Step::Down(name.to_owned())),
        Component::CurDir | Component::Prefix(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{Permissions, create_dir, set_permissions, write};
    use std::os::unix::fs::{PermissionsExt, chown, symlink};

    struct Home(tempfile::TempDir);

    impl Home {
        /// Without links in its path, so that faults can be compared.
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().canonicalize().unwrap().join(name)
        }

        fn folder(&self, name: &str, mode: u32) -> PathBuf {
            let path = self.path(name);
            create_dir(&path).unwrap();
            set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            path
        }

        fn file(&self, name: &str, mode: u32) -> PathBuf {
            let path = self.path(name);
            write(&path, "x").unwrap();
            set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            path
        }

        /// What is wrong below this folder; what lies above it is as the system has it.
        fn faults(&self, path: &Path) -> Vec<String> {
            let above: Vec<_> = way(&self.file("above", 0o600)).unwrap().faults;
            way(path).unwrap().faults.into_iter().filter(|fault| !above.contains(fault)).collect()
        }
    }

    #[test]
    fn what_others_can_write_to_is_a_fault() {
        let home = Home::new();
        home.folder("private", 0o755);
        let file = home.file("private/lib.so", 0o644);
        assert_eq!(home.faults(&file), Vec::<String>::new());
        let (file, group) = (home.file("group.so", 0o664), rustix::process::getegid().as_raw());
        let expect = format!("file {file:?} may be written to by group {group} (mode 0664)");
        assert_eq!(home.faults(&file), [expect]);
        let folder = home.folder("open", 0o777);
        let file = home.file("open/lib.so", 0o646);
        let expect = [
            format!("folder {folder:?} may be written to by everybody (mode 0777)"),
            format!("file {file:?} may be written to by everybody (mode 0646)"),
        ];
        assert_eq!(home.faults(&file), expect);
    }

    #[test]
    fn folders_of_links_are_on_the_way_too() {
        let home = Home::new();
        let open = home.folder("open", 0o777);
        home.folder("closed", 0o755);
        let file = home.file("closed/lib.so", 0o644);
        // open/inner → ../closed, link.so → open/inner/lib.so
        symlink("../closed", home.path("open/inner")).unwrap();
        symlink(home.path("open/inner/lib.so"), home.path("link.so")).unwrap();
        let expect = format!("folder {open:?} may be written to by everybody (mode 0777)");
        assert_eq!(home.faults(&home.path("link.so")), [expect]);
        let found = way(&home.path("link.so")).unwrap().file;
        let metadata = file.metadata().unwrap();
        assert_eq!(found, Some((metadata.dev(), metadata.ino())));
        symlink("loop.so", home.path("loop.so")).unwrap();
        assert!(way(&home.path("loop.so")).is_err());
        assert!(way(&home.path("none.so")).is_err());
        assert_eq!(way(&open).unwrap().file, None);
    }

    #[test]
    fn in_a_sticky_folder_the_owner_of_what_comes_next_decides() {
        let home = Home::new();
        home.folder("tmp", 0o1777);
        let file = home.file("tmp/lib.so", 0o644);
        assert_eq!(home.faults(&file), Vec::<String>::new());
        let link = home.path("tmp/link.so");
        symlink("lib.so", &link).unwrap();
        assert_eq!(home.faults(&link), Vec::<String>::new());
        if !is_strict() {
            return;
        }
        // As root, things can be given to others.
        rustix::fs::chownat(
            rustix::fs::CWD,
            &link,
            Some(rustix::fs::Uid::from_raw(4_321)),
            None,
            rustix::fs::AtFlags::SYMLINK_NOFOLLOW,
        )
        .unwrap();
        assert_eq!(home.faults(&link), [format!("link {link:?} belongs to user 4321")]);
        chown(&file, Some(4_321), None).unwrap();
        assert_eq!(home.faults(&file), [format!("file {file:?} belongs to user 4321")]);
        let folder = home.folder("tmp/theirs", 0o755);
        chown(&folder, Some(4_321), None).unwrap();
        let file = home.file("tmp/theirs/lib.so", 0o644);
        assert_eq!(home.faults(&file), [format!("folder {folder:?} belongs to user 4321")]);
    }
}
