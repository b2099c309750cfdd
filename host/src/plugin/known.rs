//! What came of trying libraries, kept in the state dir for the next host and for `check`.

use super::keepsake;
use super::probe::Answer;
use super::stamp::Stamp;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// The file in the state dir.
const FILE: &str = "plugins.json";

/// Answers by libraries, of this host and of those before it.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Where they are kept; `None`: nowhere.
    path: Option<PathBuf>,
    entries: BTreeMap<PathBuf, Entry>,
    /// A failure to write was told.
    failed: bool,
}

#[derive(Debug)]
struct Entry {
    stamp: Stamp,
    answer: Answer,
    /// Whether this host has asked for it; others are forgotten.
    is_used: bool,
}

/// What the file holds.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    host: HostBuild,
    libraries: Vec<KeptLibrary>,
}

/// Another host may judge otherwise.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct HostBuild {
    version: String,
    binary: Stamp,
}

#[derive(Debug, Serialize, Deserialize)]
struct KeptLibrary {
    /// Canonical.
    path: PathBuf,
    stamp: Stamp,
    answer: Answer,
}

impl Known {
    /// What hosts of this build have kept in the state dir. Rubbish is nothing.
    pub(super) fn read(state_dir: &Path, program: &Path) -> Self {
        let kept: Option<Kept> = keepsake::read(&state_dir.join(FILE));
        let libraries = match (kept, HostBuild::of(program)) {
            (Some(kept), Ok(host)) if kept.host == host => kept.libraries,
            (Some(_) | None, Ok(_) | Err(_)) => Vec::new(),
        };
        let entry = |it: KeptLibrary| (it.path, Entry { stamp: it.stamp, answer: it.answer, is_used: false });
        let entries = libraries.into_iter().map(entry).collect();
        Self(Mutex::new(State { entries, ..State::default() }))
    }

    /// Keeps them in a state dir that is locked for this process, from now on.
    pub(super) fn keep_in(&self, state_dir: &Path, program: &Path) {
        let mut state = self.0.lock();
        state.path = Some(state_dir.join(FILE));
        state.entries.retain(|_, entry| entry.is_used);
        state.write(program);
    }

    /// What came of trying this library.
    pub(super) fn get(&self, path: &Path, stamp: &Stamp) -> Option<Answer> {
        let mut state = self.0.lock();
        let entry = state.entries.get_mut(path).filter(|entry| entry.stamp == *stamp)?;
        entry.is_used = true;
        Some(entry.answer.clone())
    }

    /// Takes down what came of trying a library that is told by its stamp from every later one.
    pub(super) fn put(&self, path: &Path, stamp: Stamp, answer: &Answer, program: &Path) {
        let mut state = self.0.lock();
        state.entries.insert(path.to_owned(), Entry { stamp, answer: answer.clone(), is_used: true });
        state.write(program);
    }
}

impl State {
    fn write(&mut self, program: &Path) {
        let Some(path) = &self.path else { return };
        let library = |(path, entry): (&PathBuf, &Entry)| KeptLibrary {
            path: path.clone(),
            stamp: entry.stamp,
            answer: entry.answer.clone(),
        };
        // What cannot be written as JSON is tried again by the next host.
        let names = self.entries.iter().filter(|(path, _)| path.to_str().is_some());
        let libraries = names.map(library).collect();
        let written =
            HostBuild::of(program).and_then(|host| keepsake::write(path, &Kept { host, libraries }));
        if let Err(error) = &written
            && !self.failed
        {
            log::warn!(target: "bansuri", "{}: {error}: the next host tries all libraries again", path.display());
        }
        self.failed = written.is_err();
    }
}

impl HostBuild {
    fn of(program: &Path) -> io::Result<Self> {
        Ok(Self { version: env!("CARGO_PKG_VERSION").to_owned(), binary: Stamp::of_path(program)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::LoadProblem;

    fn answer(version: &str) -> Answer {
        Answer::Loaded { api_version: version.to_owned(), exports: Vec::new() }
    }

    #[test]
    fn answers_outlive_the_host_for_the_same_file_and_the_same_host() {
        let home = tempfile::tempdir().unwrap();
        let (program, library) = (home.path().join("bansuri"), home.path().join("lib.so"));
        std::fs::write(&program, "x").unwrap();
        std::fs::write(&library, "x").unwrap();
        let stamp = Stamp::of_path(&library).unwrap();
        let other = Stamp::of_path(&program).unwrap();
        let known = Known::default();
        known.put(&library, stamp, &answer("1"), &program);
        assert_eq!(known.get(&library, &stamp), Some(answer("1")));
        known.keep_in(home.path(), &program);
        let refused = Answer::Refused(LoadProblem::Ends { how: "exit code 3".into(), words: "ö\n".into() });
        known.put(Path::new("/other.so"), other, &refused, &program);

        let next = Known::read(home.path(), &program);
        assert_eq!(next.get(&library, &stamp), Some(answer("1")));
        assert_eq!(next.get(&library, &other), None);
        // What this one did not ask for is forgotten.
        next.keep_in(home.path(), &program);
        assert_eq!(Known::read(home.path(), &program).get(Path::new("/other.so"), &other), None);
        assert!(Known::read(home.path(), &program).get(&library, &stamp).is_some());
        std::fs::write(&program, "another build").unwrap();
        assert_eq!(Known::read(home.path(), &program).get(&library, &stamp), None);
    }

    #[test]
    fn rubbish_and_others_files_are_nothing() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        let (program, file) = (home.path().join("bansuri"), home.path().join(FILE));
        std::fs::write(&program, "x").unwrap();
        let stamp = Stamp::of_path(&program).unwrap();
        Known::default().keep_in(home.path(), &program);
        let known = Known::read(home.path(), &program);
        known.keep_in(home.path(), &program);
        known.put(Path::new("/lib.so"), stamp, &answer("1"), &program);
        let found = || Known::read(home.path(), &program).get(Path::new("/lib.so"), &stamp).is_some();
        assert!(found());
        let whole = std::fs::read(&file).unwrap();
        for cut in 0..whole.len() {
            std::fs::write(&file, &whole[..cut]).unwrap();
            assert!(!found());
        }
        std::fs::write(&file, &whole).unwrap();
        assert!(found());
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o666)).unwrap();
        assert!(!found());
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        let elsewhere = home.path().join("elsewhere");
        std::fs::rename(&file, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &file).unwrap();
        assert!(!found(), "a link is not followed");
        known.put(Path::new("/lib.so"), stamp, &answer("1"), &program);
        assert!(found());
        assert_eq!(std::fs::read(&elsewhere).unwrap(), whole);
    }
}
