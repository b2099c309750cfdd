//! The removal of what a plan dooms.

use crate::folder::{Folder, Identity};
use crate::options::Rule;
use crate::plan::{Reason, age, plan};
use crate::report::{Sum, file_line, folder_line, sum_line};
use crate::scan::{FoundFile, Gone, Mark, Scan, path_below, scan};
use bansuri_plugin_api::TaskContext;
use rustix::fs::{AtFlags, unlinkat};
use rustix::io::Errno;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// An empty folder that something has changed in since may be about to get its first file.
const SETTLED: i128 = 3600 * 1_000_000_000;

/// How a rule ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    Done,
    /// What failed is on standard error; the rest was done.
    Faults,
    Stopped,
}

/// One rule at work.
pub(crate) struct Sweep<'a> {
    context: &'a TaskContext,
    rule: &'a Rule,
    dry_run: bool,
    /// What earlier rules have removed, or would have.
    gone: &'a mut Gone,
    path: PathBuf,
    now: i128,
    sum: Sum,
    faulty: bool,
}

impl<'a> Sweep<'a> {
    pub(crate) fn new(context: &'a TaskContext, rule: &'a Rule, dry_run: bool, gone: &'a mut Gone) -> Self {
        // Without the dots that say nothing.
        let path = context.working_directory().join(&rule.folder).components().collect();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = i128::try_from(now.as_nanos()).unwrap_or(i128::MAX);
        Self { context, rule, dry_run, gone, path, now, sum: Sum::default(), faulty: false }
    }

    /// Does all of it. The error is one of the output, not of the files.
    pub(crate) fn run(mut self) -> io::Result<End> {
        let root = match Folder::open(&self.path) {
            Ok(root) => root,
            Err(why) => {
                self.fault(&why)?;
                return Ok(End::Faults);
            }
        };
        let context = self.context;
        let Some(mut scan) = scan(&root, &self.path, self.rule, self.gone, || context.is_stopping()) else {
            return Ok(End::Stopped);
        };
        for fault in std::mem::take(&mut scan.faults) {
            self.fault(&fault)?;
        }
        self.sum.kept_files = scan.files.len();
        self.sum.kept_bytes = scan.files.iter().fold(0, |sum, file| sum.saturating_add(file.mark.size));
        let finished = self.files(&root, &mut scan)? && self.folders(&root, &mut scan)?;
        writeln!(context.stdout(), "{}", sum_line(self.dry_run, &self.path, &self.sum))?;
        Ok(match (finished, self.faulty) {
            (false, _) => End::Stopped,
            (true, true) => End::Faults,
            (true, false) => End::Done,
        })
    }

    /// Whether it came to the end.
    fn files(&mut self, root: &Folder, scan: &mut Scan) -> io::Result<bool> {
        let mut doomed = plan(self.rule, &scan.files, self.now);
        // Folder by folder, each opened once, and the oldest first.
        doomed
            .sort_by_key(|(index, _)| (scan.files[*index].folder, scan.files[*index].mark.modified, *index));
        let mut open: Option<(usize, Result<Folder, String>)> = None;
        for (index, reason) in doomed {
            if self.context.is_stopping() {
                return Ok(false);
            }
            let file = &scan.files[index];
            let opened = match open.take() {
                Some((number, folder)) if number == file.folder => folder,
                _ => {
                    let folder = self.reopen(root, scan, file.folder);
                    if let Err(why) = &folder {
                        self.fault(why)?;
                    }
                    folder
                }
            };
            if let Ok(folder) = &opened {
                let path = scan.path(&self.path, file.folder, &file.name);
                if self.file(folder, file, &path, reason)? {
                    scan.folders[file.folder].entries -= 1;
                }
            }
            open = Some((scan.files[index].folder, opened));
        }
        Ok(true)
    }

    /// A folder that was looked through, if it is still the same.
    fn reopen(&self, root: &Folder, scan: &Scan, number: usize) -> Result<Folder, String> {
        let found = &scan.folders[number];
        let path = path_below(&self.path, &found.parts);
        let folder = root.open_below(&found.parts).map_err(|error| format!("{path:?}: {error}"))?;
        if folder.identity() == found.identity {
            Ok(folder)
        } else {
            Err(format!("{path:?}: another folder has taken its place"))
        }
    }

    /// Whether it is gone.
    fn file(&mut self, folder: &Folder, file: &FoundFile, path: &Path, reason: Reason) -> io::Result<bool> {
        match folder.stat_of(&file.name) {
            Ok(stat) if Mark::of(&stat) == file.mark => {}
            Ok(_) => {
                writeln!(self.context.stdout(), "left {path:?}: it has changed meanwhile")?;
                return Ok(false);
            }
            Err(Errno::NOENT) => {
                self.count(file);
                return Ok(true);
            }
            Err(error) => {
                self.fault(&format!("{path:?}: {error}"))?;
                return Ok(false);
            }
        }
        if !self.dry_run
            && let Err(error) = unlinkat(&folder.descriptor, &file.name, AtFlags::empty())
            && error != Errno::NOENT
        {
            self.fault(&format!("{path:?}: {error}"))?;
            return Ok(false);
        }
        self.gone.add(folder.identity(), file.name.clone());
        self.count(file);
        self.sum.files += 1;
        self.sum.bytes = self.sum.bytes.saturating_add(file.mark.size);
        let age = age(file, self.now);
        writeln!(self.context.stdout(), "{}", file_line(self.dry_run, path, file.mark.size, age, reason))?;
        Ok(true)
    }

    fn count(&mut self, file: &FoundFile) {
        self.sum.kept_files -= 1;
        self.sum.kept_bytes = self.sum.kept_bytes.saturating_sub(file.mark.size);
    }

    /// Whether it came to the end.
    fn folders(&mut self, root: &Folder, scan: &mut Scan) -> io::Result<bool> {
        if !self.rule.remove_empty_folders {
            return Ok(true);
        }
        // The deepest first: they may be all that is in the others. The first of all is the rule's own, which stays.
        let mut numbers: Vec<usize> = (1..scan.folders.len()).collect();
        numbers.sort_by_key(|number| std::cmp::Reverse(scan.folders[*number].parts.len()));
        for number in numbers {
            if self.context.is_stopping() {
                return Ok(false);
            }
            self.folder(root, scan, number)?;
        }
        Ok(true)
    }

    fn folder(&mut self, root: &Folder, scan: &mut Scan, number: usize) -> io::Result<()> {
        let found = &scan.folders[number];
        let Some(name) = found.parts.last() else { return Ok(()) };
        let settled = self.gone.has_lost(found.identity) || self.now - found.modified > SETTLED;
        // A folder on which something is mounted cannot go.
        let mounted = !found.identity.is_beside(scan.folders[found.parent].identity);
        if found.entries > 0 || !settled || mounted {
            return Ok(());
        }
        let path = path_below(&self.path, &found.parts);
        if !self.dry_run {
            let removed = self.reopen(root, scan, found.parent).and_then(|parent| {
                match parent.stat_of(name) {
                    Ok(stat) if Identity::of(&stat) == found.identity => {}
                    Ok(_) | Err(Errno::NOENT) => return Ok(false),
                    Err(error) => return Err(format!("{path:?}: {error}")),
                }
                match unlinkat(&parent.descriptor, name, AtFlags::REMOVEDIR) {
                    Ok(()) => Ok(true),
                    // Somebody has put something into it.
                    Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOENT) => Ok(false),
                    Err(error) => Err(format!("{path:?}: {error}")),
                }
            });
            match removed {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(why) => return self.fault(&why),
            }
        }
        let (parent, name) = (found.parent, name.clone());
        self.gone.add(scan.folders[parent].identity, name);
        scan.folders[parent].entries -= 1;
        self.sum.folders += 1;
        writeln!(self.context.stdout(), "{}", folder_line(self.dry_run, &path))
    }

    fn fault(&mut self, why: &str) -> io::Result<()> {
        self.faulty = true;
        writeln!(self.context.stderr(), "{why}")
    }
}
