//! What has become of libraries, for whoever tells people and programs of it.

use super::digest::Digest;
use super::manifest::Manifest;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// A library that runs use from now on.
#[derive(Clone, Debug)]
pub struct News {
    /// Its build.
    pub manifest: Arc<Manifest>,
    /// Why a newer build has not taken the place of this one, a lowercase fragment; `None`: this is the newest.
    pub refused: Option<String>,
}

/// News that wait to be taken: of each library the last.
#[derive(Default)]
pub(super) struct Bulletin(Mutex<State>);

/// A library, and the content that it is pinned to.
type About = (PathBuf, Option<Digest>);

#[derive(Default)]
struct State {
    told: BTreeMap<About, News>,
    waiting: BTreeMap<About, News>,
    wake: Option<Arc<dyn Fn() + Send + Sync>>,
}

impl Bulletin {
    /// Has this called, on any thread, when there is news.
    pub(super) fn wake_with(&self, wake: Arc<dyn Fn() + Send + Sync>) {
        self.0.lock().wake = Some(wake);
    }

    /// Runs use this build, of a library that may be pinned. What is no news is not told again.
    pub(super) fn tell(&self, manifest: &Arc<Manifest>, refused: Option<String>, pin: Option<&Digest>) {
        let about = (manifest.path().to_owned(), pin.copied());
        let mut state = self.0.lock();
        let is_old = |news: &News| Arc::ptr_eq(&news.manifest, manifest) && news.refused == refused;
        if state.told.get(&about).is_some_and(is_old) {
            return;
        }
        let news = News { manifest: Arc::clone(manifest), refused };
        state.told.insert(about.clone(), news.clone());
        state.waiting.insert(about, news);
        let wake = state.wake.clone();
        drop(state);
        if let Some(wake) = wake {
            wake();
        }
    }

    /// Everything that has been told since the last time, in the order of the files' names.
    pub(super) fn take(&self) -> Vec<News> {
        std::mem::take(&mut self.0.lock().waiting).into_values().collect()
    }
}

impl fmt::Debug for Bulletin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bulletin").field("waiting", &self.0.lock().waiting).finish_non_exhaustive()
    }
}
