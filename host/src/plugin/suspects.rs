//! Libraries that were loaded when a host died without a clean end. After two such deaths a library is not loaded into
//! a host again until its file changes.

use super::keepsake;
use super::stamp::Stamp;
use crate::process::{Place, start_of};
use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The file in the state dir.
const FILE: &str = "suspects.json";

/// So many deaths are no accident.
const TOO_MANY: u32 = 2;

/// Who is suspected, and what this host has loaded itself.
#[derive(Debug, Default)]
pub(super) struct Suspects {
    state: Mutex<State>,
    /// As they are in the state, for those who must not wait while that is written.
    deaths: RwLock<Vec<Deaths>>,
}

#[derive(Debug, Default)]
struct State {
    /// Where they are kept; `None`: nowhere.
    path: Option<PathBuf>,
    kept: Kept,
    /// A failure to write was told.
    failed: bool,
}

/// What the file holds. It is not written by a host that loads nothing and has nothing to tell: replacing a file makes
/// the end of a host wait for the disk.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
struct Kept {
    /// The host that wrote it; `None`: it had a clean end.
    host: Option<Life>,
    /// What that has loaded.
    loaded: Vec<Loaded>,
    deaths: Vec<Deaths>,
}

/// A process that no other is taken for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Life {
    boot: String,
    namespace: u64,
    pid: u32,
    /// In ticks since boot.
    started: u64,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Loaded {
    /// Canonical.
    path: PathBuf,
    stamp: Stamp,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Deaths {
    library: Loaded,
    count: u32,
}

impl Suspects {
    /// Whom hosts before this one have left under suspicion. Rubbish is nobody.
    pub(super) fn read(state_dir: &Path) -> Self {
        let mut kept: Kept = keepsake::read(&state_dir.join(FILE)).unwrap_or_default();
        // One that lives has not died of anything.
        if kept.host.as_ref().is_some_and(|host| !host.may_live()) {
            kept.count();
        }
        let deaths = RwLock::new(kept.deaths.clone());
        Self { state: Mutex::new(State { kept, ..State::default() }), deaths }
    }

    /// Keeps them in a state dir that is locked for this process, from now on: the host before is dead. What is known
    /// of its end is logged.
    pub(super) fn keep_in(&self, state_dir: &Path) {
        let path = state_dir.join(FILE);
        let mut kept: Kept = keepsake::read(&path).unwrap_or_default();
        let before = kept.clone();
        for death in kept.count() {
            death.log();
        }
        kept.deaths
            .retain(|death| Stamp::of_path(&death.library.path).is_ok_and(|now| now == death.library.stamp));
        let is_told = kept == before;
        kept.host = Life::own();
        *self.deaths.write() = kept.deaths.clone();
        let mut state = self.state.lock();
        *state = State { path: Some(path), kept, failed: false };
        // Who has loaded nothing need not be named: nobody is suspected for its death.
        if !is_told {
            state.write();
        }
    }

    /// This library is about to be loaded into this process.
    pub(super) fn loading(&self, path: &Path, stamp: Stamp) {
        let mut state = self.state.lock();
        state.kept.loaded.push(Loaded { path: path.to_owned(), stamp });
        state.write();
    }

    /// This process comes to a clean end.
    pub(super) fn close(&self) {
        let mut state = self.state.lock();
        state.kept.host = None;
        if !std::mem::take(&mut state.kept.loaded).is_empty() {
            state.write();
        }
    }

    /// Why this library is not to be loaded into a host; `None`: it may be. Never waits for a disk.
    pub(super) fn reason(&self, path: &Path, stamp: &Stamp) -> Option<String> {
        let deaths = self.deaths.read();
        let death = deaths.iter().find(|death| death.library.is(path, stamp))?;
        (death.count >= TOO_MANY).then(|| {
            let times = death.count;
            format!("it was loaded when the host died without a clean end, {times} times: it runs in processes of its own until its file changes")
        })
    }
}

impl Kept {
    /// Counts the death of the host that wrote this, which is known to be dead. The result are those who were loaded.
    fn count(&mut self) -> Vec<Deaths> {
        let (Some(host), loaded) = (self.host.take(), std::mem::take(&mut self.loaded)) else {
            return Vec::new();
        };
        // What died with the whole system died of that.
        if Place::here().is_ok_and(|here| here.boot != host.boot) {
            return Vec::new();
        }
        let mut named: Vec<Deaths> = Vec::new();
        for library in loaded {
            if named.iter().any(|death| death.library == library) {
                continue;
            }
            let before =
                self.deaths.iter().find(|death| death.library == library).map_or(0, |death| death.count);
            self.deaths.retain(|death| death.library.path != library.path);
            named.push(Deaths { library, count: before + 1 });
        }
        self.deaths.extend(named.iter().cloned());
        named
    }
}

impl Loaded {
    fn is(&self, path: &Path, stamp: &Stamp) -> bool {
        self.path == path && self.stamp == *stamp
    }
}

impl Deaths {
    fn log(&self) {
        let (library, count) = (self.library.path.display(), self.count);
        let then = match count {
            ..TOO_MANY => "once more, and its tasks run in processes of their own",
            TOO_MANY.. => "its tasks run in processes of their own until its file changes",
        };
        let times = if count == 1 { "once".to_owned() } else { format!("{count} times") };
        log::warn!(target: "bansuri", "plugin {library} was loaded when the last host died without a clean end ({times}): {then}");
    }
}

impl Life {
    /// Of this process. `None`: there is no /proc to tell.
    fn own() -> Option<Self> {
        let Place { boot, namespace } = Place::here().ok()?;
        let pid = std::process::id();
        Some(Self { boot, namespace, pid, started: start_of(pid)? })
    }

    /// False only for one that is certain to be dead.
    fn may_live(&self) -> bool {
        let Ok(here) = Place::here() else { return true };
        here.boot == self.boot
            && (here.namespace != self.namespace || start_of(self.pid) == Some(self.started))
    }
}

impl State {
    fn write(&mut self) {
        let Some(path) = &self.path else { return };
        let written = keepsake::write(path, &self.kept);
        if let Err(error) = &written
            && !self.failed
        {
            log::warn!(target: "bansuri", "{}: {error}: the next host cannot tell what was loaded if this one dies", path.display());
        }
        self.failed = written.is_err();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Home {
        folder: tempfile::TempDir,
        library: PathBuf,
    }

    impl Home {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let library = folder.path().join("lib.so");
            std::fs::write(&library, "x").unwrap();
            Self { folder, library }
        }

        fn stamp(&self) -> Stamp {
            Stamp::of_path(&self.library).unwrap()
        }

        /// A host that loads the library; what it leaves is as if it had died.
        fn host(&self) -> Suspects {
            let suspects = Suspects::read(self.folder.path());
            suspects.keep_in(self.folder.path());
            suspects.loading(&self.library, self.stamp());
            suspects
        }

        fn is_suspect(&self, suspects: &Suspects) -> bool {
            suspects.reason(&self.library, &self.stamp()).is_some()
        }
    }

    #[test]
    fn two_deaths_with_the_same_file_are_too_many() {
        let home = Home::new();
        let first = home.host();
        assert!(!home.is_suspect(&first));
        assert!(!home.is_suspect(&home.host()));
        let third = home.host();
        assert!(home.is_suspect(&third));
        let why = "it was loaded when the host died without a clean end, 2 times: it runs in processes of its own until its \
                   file changes";
        assert_eq!(third.reason(&home.library, &home.stamp()).as_deref(), Some(why));
        third.close();
        let fourth = home.host();
        assert!(home.is_suspect(&fourth), "a clean end acquits nobody");
        fourth.close();
        std::fs::write(&home.library, "a new build").unwrap();
        let fifth = home.host();
        assert!(!home.is_suspect(&fifth));
        drop(fifth);
        assert!(!home.is_suspect(&home.host()), "that was the first with the new build");
    }

    #[test]
    fn a_clean_end_and_the_end_of_the_system_are_no_deaths() {
        let home = Home::new();
        for _ in 0..3 {
            home.host().close();
        }
        assert!(!home.is_suspect(&home.host()));
        for _ in 0..3 {
            let host = home.host();
            let mut state = host.state.lock();
            state.kept.host.as_mut().unwrap().boot = "another".to_owned();
            state.write();
        }
        // The first host of these found the one that had just died.
        assert_eq!(Suspects::read(home.folder.path()).state.lock().kept.deaths[0].count, 1);
    }

    #[test]
    fn a_host_that_loads_nothing_writes_nothing() {
        let home = Home::new();
        let file = home.folder.path().join(FILE);
        let loads_nothing = || {
            let suspects = Suspects::read(home.folder.path());
            suspects.keep_in(home.folder.path());
            suspects
        };
        drop(loads_nothing());
        loads_nothing().close();
        assert!(!file.exists());
        for _ in 0..3 {
            drop(home.host());
        }
        loads_nothing().close();
        let after = loads_nothing();
        assert!(home.is_suspect(&after), "what is not written again is not forgotten");
        // What is loaded after a clean end is written down, and is nobody's fault.
        after.close();
        after.loading(&home.library, home.stamp());
        assert!(home.is_suspect(&Suspects::read(home.folder.path())));
        assert_eq!(Suspects::read(home.folder.path()).state.lock().kept.deaths[0].count, 3);
    }

    #[test]
    fn a_host_that_lives_has_not_died() {
        let home = Home::new();
        drop(home.host());
        let host = home.host();
        let deaths = || Suspects::read(home.folder.path()).state.lock().kept.deaths[0].count;
        assert_eq!(deaths(), 1);
        let mut state = host.state.lock();
        state.kept.host.as_mut().unwrap().started += 1;
        state.write();
        assert_eq!(deaths(), 2, "somebody else has its pid");
    }

    #[test]
    fn rubbish_suspects_nobody() {
        let home = Home::new();
        for rubbish in ["", "{", "[]", "{\"host\":null}"] {
            std::fs::write(home.folder.path().join(FILE), rubbish).unwrap();
            assert!(!home.is_suspect(&home.host()));
            home.host().close();
        }
    }
}
