//! What is known of the library that a path stands for.

use super::build::Build;
use super::error::LoadProblem;
use super::prepared::Prepared;
use super::stamp::Stamp;
use parking_lot::{Mutex, RwLock};
use std::sync::Arc;

/// One path under which a library was asked for, with the content that it is pinned to or without.
#[derive(Debug, Default)]
pub(super) struct Slot {
    /// `None`: no usable build has been found yet.
    pub(super) seen: RwLock<Option<Seen>>,
    /// Held while the file is looked at, so that one thread does; those who find what they seek need not wait.
    pub(super) looking: Mutex<()>,
}

/// What a look at a path has shown.
#[derive(Debug)]
pub(super) struct Seen {
    /// What the file was then; `None`: there was none.
    pub(super) stamp: Option<Stamp>,
    /// Whether it can be told by the stamp that the file is still the same.
    pub(super) is_settled: bool,
    /// What runs use: what the file is, or an older build if that is refused.
    pub(super) build: Arc<Build>,
}

impl Slot {
    /// The build that is ready to be loaded, if the file is what it was at the last look.
    pub(super) fn current(&self, stamp: Option<Stamp>) -> Option<Arc<Prepared>> {
        let seen = self.seen.read();
        let seen = seen.as_ref()?;
        let is_same = seen.stamp == stamp && (stamp.is_none() || seen.is_settled);
        is_same.then(|| seen.build.prepared().cloned()).flatten()
    }

    /// Takes what a look at the file has shown, where `stamp` is what it was just before. The result is what runs use
    /// from now on: an older build if the new one is refused.
    pub(super) fn take(
        &self,
        (stamp, is_settled): (Option<Stamp>, bool),
        found: Result<Arc<Build>, LoadProblem>,
    ) -> Result<Arc<Build>, LoadProblem> {
        let mut seen = self.seen.write();
        let (looked, build) = match (found, &*seen) {
            (Ok(build), _) => ((Some(build.source.stamp), build.source.is_settled), build),
            (Err(problem), None) => return Err(problem),
            // The next run looks again.
            (Err(problem), Some(seen)) if problem.is_fleeting() && stamp.is_some() => {
                return Ok(Arc::clone(&seen.build));
            }
            (Err(_), Some(seen)) => ((stamp, is_settled), Arc::clone(&seen.build)),
        };
        let before = seen.replace(Seen { stamp: looked.0, is_settled: looked.1, build: Arc::clone(&build) });
        // The last who lets go of a build removes its copy, which nobody is to wait for.
        drop(seen);
        drop(before);
        Ok(build)
    }

    /// The build that runs use.
    pub(super) fn build(&self) -> Option<Arc<Build>> {
        Some(Arc::clone(&self.seen.read().as_ref()?.build))
    }
}
