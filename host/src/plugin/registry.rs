//! The libraries of one host.

use super::build::{Build, Builder};
use super::digest::Digest;
use super::elf;
use super::error::{LoadProblem, PluginError};
use super::library::{ExportKind, Library};
use super::manifest::Manifest;
use super::news::{Bulletin, News};
use super::prepared::Prepared;
use super::reference::{Reference, SearchPath};
use super::slot::Slot;
use super::source::Source;
use super::stamp::Stamp;
use super::trust;
use crate::process::describe;
use parking_lot::{Mutex, RwLock};
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How often a file is looked at anew that changes while it is.
const LOOKS: usize = 3;

/// Finds libraries, tries them, and has their builds ready to be loaded. Shared by all threads of a host.
///
/// A library whose file has changed is a new build: it is tried when a run next asks for it, and takes the place of the
/// build before. What was made of that goes on as it is.
#[derive(Default)]
pub struct Registry {
    search_path: SearchPath,
    builder: Builder,
    bulletin: Bulletin,
    slots: RwLock<Slots>,
    /// The newest build of each file, by its canonical path; locked while that is tried.
    shelves: Mutex<HashMap<PathBuf, Shelf>>,
}

/// By the content that was asked for and by every absolute path under which it was.
type Slots = HashMap<Option<Digest>, HashMap<PathBuf, Arc<Slot>>>;

type Shelf = Arc<Mutex<Option<Arc<Build>>>>;

/// What a reference stands for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Resolved {
    /// The library, absolute.
    pub library: PathBuf,
    /// The type in it.
    pub type_name: String,
    /// A JSON Schema for its options, as text; `None`: the type publishes none.
    pub options_schema: Option<Arc<str>>,
    /// What makes the library less than trustworthy, and where it will not run: a lowercase fragment each.
    pub warnings: Vec<String>,
}

impl Registry {
    /// Looks for bare names where this process looks for them.
    pub fn new() -> Self {
        Self::with_search_path(SearchPath::of_process())
    }

    /// Looks for bare names in these folders.
    pub fn with_search_path(search_path: SearchPath) -> Self {
        Self { search_path, ..Self::default() }
    }

    /// Has children of the host's binary, which is this one, try libraries: what crashes, hangs or exits when it is
    /// loaded does no harm then. Without, they are tried by being loaded into this process.
    #[must_use]
    pub fn with_probe(mut self, program: PathBuf) -> Self {
        self.builder = Builder::trying_with(program);
        self
    }

    /// Knows what hosts before this one have kept in the first of these state dirs that is there.
    #[must_use]
    pub fn remembering(mut self, state_dirs: &[PathBuf]) -> Self {
        if let Some(state_dir) = state_dirs.iter().find(|folder| folder.is_dir()) {
            self.builder.remember(state_dir);
        }
        self
    }

    /// Finds the type of this kind that `LIBRARY[:Type]` names, and tries its library. Relative paths resolve against
    /// `folder`, which is absolute; bare names are looked for in `search_paths` first. With `pin`, its content has to be
    /// that.
    pub fn resolve(
        &self,
        kind: ExportKind,
        reference: &str,
        folder: &Path,
        search_paths: &[PathBuf],
        pin: Option<&Digest>,
    ) -> Result<Resolved, PluginError> {
        let parsed = Reference::parse(reference)?;
        let path = parsed.file(folder, search_paths, &self.search_path)?;
        let (build, warnings) = self.look_afresh(&path, pin)?;
        let library = &build.manifest;
        let exported: Vec<String> = library.names(kind).map(str::to_owned).collect();
        let resolved = |path: PathBuf, type_name: String| {
            let mut exports = library.exports().iter();
            let export = exports.find(|export| export.kind == kind && export.name == type_name);
            let options_schema = export.and_then(|export| export.options_schema.as_deref().map(Arc::from));
            let faults = warnings.iter().cloned().chain(self.must_isolate(&path));
            let warnings = faults.map(|fault| format!("library {path:?}: {fault}")).collect();
            Resolved { library: path, type_name, options_schema, warnings }
        };
        match parsed.type_name {
            Some(name) if exported.iter().any(|known| known == name) => Ok(resolved(path, name.to_owned())),
            Some(name) => Err(PluginError::UnknownType {
                of_other_kind: library.names(kind.other()).any(|other| other == name),
                library: path,
                kind,
                type_name: name.to_owned(),
                exported,
            }),
            None => match <[String; 1]>::try_from(exported) {
                Ok([only]) => Ok(resolved(path, only)),
                Err(exported) => Err(PluginError::Unnamed {
                    library: path,
                    kind,
                    reference: parsed.library.to_owned(),
                    exported,
                }),
            },
        }
    }

    /// Finds and tries the library a bare name or a path stands for, whatever it exports. A type that follows is ignored.
    pub fn find(&self, reference: &str, folder: &Path) -> Result<Arc<Manifest>, PluginError> {
        let path = Reference::parse(reference)?.file(folder, &[], &self.search_path)?;
        Ok(Arc::clone(&self.look_afresh(&path, None)?.0.manifest))
    }

    /// The newest usable build of the library of this absolute path, ready to be loaded but not loaded: if the file has
    /// changed and its new build is refused, the one before. With `pin`, a build of that content and no other.
    ///
    /// The first call for a file, and the first after it has changed, copies and tries it; all others cost one system
    /// call. Blocks meanwhile, and so do others who ask for the same file.
    pub fn prepare(&self, path: &Path, pin: Option<&Digest>) -> Result<Arc<Prepared>, PluginError> {
        let slot = self.slot(path, pin)?;
        match slot.current(Stamp::of_path(path).ok()) {
            Some(prepared) => Ok(prepared),
            None => self
                .newest(path, pin, &slot)
                .map_err(|problem| PluginError::Load { library: path.to_owned(), problem }),
        }
    }

    /// What [`Registry::prepare`] gives, if the file has not changed since it was last looked at. Costs one system call and
    /// waits for nobody.
    pub fn ready(&self, path: &Path, pin: Option<&Digest>) -> Option<Arc<Prepared>> {
        let slot = Arc::clone(self.slots.read().get(&pin.copied())?.get(path)?);
        slot.current(Stamp::of_path(path).ok())
    }

    /// The library of this absolute path, loaded into this process.
    pub fn library(&self, path: &Path) -> Result<Arc<Library>, PluginError> {
        self.prepare(path, None)?.library()
    }

    /// Keeps private copies in a state dir that is locked for this process, from now on and until [`Registry::close`].
    /// What was found before is copied there now, so that a run is of what was checked, whatever becomes of the file.
    /// What was loaded when the last host died is logged.
    ///
    /// # Errors
    /// Libraries cannot be copied there, or not be loaded from there; copies are made in a temporary folder then.
    pub fn keep_in(&self, state_dir: &Path) -> io::Result<()> {
        let kept = self.builder.keep_in(state_dir);
        let slots: Vec<_> = {
            let slots = self.slots.read();
            let all = slots.iter().flat_map(|(pin, slots)| slots.iter().map(move |it| (*pin, it)));
            all.map(|(pin, (path, slot))| (pin, path.clone(), Arc::clone(slot))).collect()
        };
        for (pin, path, slot) in slots {
            if slot.build().is_some()
                && let Err(problem) = self.newest(&path, pin.as_ref(), &slot)
            {
                log::error!(target: "bansuri", "{}", PluginError::Load { library: path, problem });
            }
        }
        kept
    }

    /// Removes the private copies; the process comes to a clean end. Libraries that are loaded stay, no other is loaded
    /// after.
    pub fn close(&self) {
        self.builder.close();
    }

    /// Has this called, on any thread, when there is news of libraries.
    pub fn wake_with(&self, wake: Arc<dyn Fn() + Send + Sync>) {
        self.bulletin.wake_with(wake);
    }

    /// What runs use from now on, of each library of which that has changed since the last time.
    pub fn take_news(&self) -> Vec<News> {
        self.bulletin.take()
    }

    /// Why the newest usable build of the library of this path is not to be loaded into a host; `None`: it may be, or
    /// nobody has asked for it yet.
    pub fn must_isolate(&self, path: &Path) -> Option<String> {
        let slots = self.slots.read();
        let builds = slots.values().filter_map(|slots| slots.get(path)?.build());
        let reason =
            |build: Arc<Build>| self.builder.suspects().reason(&build.source.path, &build.source.stamp);
        builds.into_iter().find_map(reason)
    }

    /// Looks at a file that may have changed.
    fn newest(&self, path: &Path, pin: Option<&Digest>, slot: &Slot) -> Result<Arc<Prepared>, LoadProblem> {
        let _looking = slot.looking.lock();
        // Another thread may have looked while this one waited.
        if let Some(prepared) = slot.current(Stamp::of_path(path).ok()) {
            return Ok(prepared);
        }
        let before = stamp_before(path);
        let found = self.look(path, pin, true).map(|(build, _)| build);
        let refused = found.as_ref().err().cloned();
        let build = self.take(slot, pin, before, found)?;
        // One that was only looked at is of no use where its file cannot be copied now.
        build.prepared().cloned().ok_or(refused.unwrap_or(LoadProblem::Changing))
    }

    /// Looks at a file whatever was found before: what is wrong with a library may lie elsewhere than in its file. A new
    /// build that is refused is an error here. With the build comes what makes it less than trustworthy.
    fn look_afresh(
        &self,
        path: &Path,
        pin: Option<&Digest>,
    ) -> Result<(Arc<Build>, Vec<String>), PluginError> {
        let slot = self.slot(path, pin)?;
        let _looking = slot.looking.lock();
        let before = stamp_before(path);
        let found = self.look(path, pin, self.builder.keeps());
        let build = found.as_ref().map(|(build, _)| Arc::clone(build)).map_err(Clone::clone);
        let taken = self.take(&slot, pin, before, build);
        match (found, taken) {
            (Ok((_, warnings)), Ok(build)) => Ok((build, warnings)),
            (Err(problem), _) | (Ok(_), Err(problem)) => {
                Err(PluginError::Load { library: path.to_owned(), problem })
            }
        }
    }

    /// Takes what a look has shown, and tells of it.
    fn take(
        &self,
        slot: &Slot,
        pin: Option<&Digest>,
        before: (Option<Stamp>, bool),
        found: Result<Arc<Build>, LoadProblem>,
    ) -> Result<Arc<Build>, LoadProblem> {
        let refused = found.as_ref().err().cloned();
        let build = slot.take(before, found)?;
        match refused {
            // Nothing can be said of it yet.
            Some(LoadProblem::Changing) => {}
            // No run goes on with it.
            Some(_) if build.prepared().is_none() => {}
            refused => self.bulletin.tell(&build.manifest, refused.map(|problem| problem.to_string()), pin),
        }
        Ok(build)
    }

    /// The build of what the file is now, ready to be loaded if `keep`, and what makes it less than trustworthy.
    fn look(
        &self,
        path: &Path,
        pin: Option<&Digest>,
        keep: bool,
    ) -> Result<(Arc<Build>, Vec<String>), LoadProblem> {
        let canonical = path.canonicalize().map_err(|error| LoadProblem::Unreadable(describe(&error)))?;
        let shelf = Arc::clone(self.shelves.lock().entry(canonical.clone()).or_default());
        let mut newest = shelf.lock();
        for _ in 0..LOOKS {
            let source = Source::open(&canonical)?;
            let found = judge(path, &source)
                .and_then(|warnings| Ok((self.builder.build(source, newest.as_ref(), pin, keep)?, warnings)));
            match found {
                Err(LoadProblem::Changing) => {}
                Err(problem) => return Err(problem),
                Ok((build, warnings)) => return Ok((Arc::clone(newest.insert(build)), warnings)),
            }
        }
        Err(LoadProblem::Changing)
    }

    fn slot(&self, path: &Path, pin: Option<&Digest>) -> Result<Arc<Slot>, PluginError> {
        if let Some(slot) = self.slots.read().get(&pin.copied()).and_then(|slots| slots.get(path)) {
            return Ok(Arc::clone(slot));
        }
        if !path.is_absolute() {
            let problem = LoadProblem::Relative;
            return Err(PluginError::Load { library: path.to_owned(), problem });
        }
        let mut slots = self.slots.write();
        Ok(Arc::clone(slots.entry(pin.copied()).or_default().entry(path.to_owned()).or_default()))
    }
}

/// What makes the file at the end of this path less than trustworthy.
fn judge(path: &Path, source: &Source) -> Result<Vec<String>, LoadProblem> {
    let way = trust::way(path).map_err(|error| LoadProblem::Unreadable(describe(&error)))?;
    if way.file != Some(source.identity) {
        return Err(LoadProblem::Changing);
    }
    let mut warnings = way.faults;
    if !warnings.is_empty() && trust::is_strict() {
        return Err(LoadProblem::Untrusted(warnings.join("; ")));
    }
    if elf::names_origin(&source.file) {
        let why = "it looks for others beside its own file ($ORIGIN), and so it is loaded from there and not from a \
                   private copy: nobody may write to it while a host runs";
        warnings.push(why.to_owned());
    }
    Ok(warnings)
}

/// What the file is, and whether that can be told from what it is later.
fn stamp_before(path: &Path) -> (Option<Stamp>, bool) {
    match Stamp::settled(|| std::fs::metadata(path)) {
        Ok((stamp, is_settled)) => (Some(stamp), is_settled),
        Err(_) => (None, false),
    }
}
