//! Notifiers that plugins export, each call in a process of its own.

use super::calls::Calls;
use super::exchange::{Ending, Exchange};
use super::plugin::record;
use super::{Failure, Notifier, recorded};
use crate::plugin::{
    Assignment, CHILD_WORD, Conversation, Digest, InstanceAssignment, LastWord, NotifierAssignment, Prepared,
    Registry, Speaker,
};
use crate::process::{Environment, Group, OWN_BINARY, Spawn, Stdio, pipe};
use crate::records::Records;
use bansuri_core::Exit;
use std::ffi::OsString;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A notifier type of a library. Each failure is delivered by a process of the host's own binary, which loads the library,
/// makes an instance, calls it and ends: whatever becomes of one call, nothing of it is left for the next.
pub struct IsolatedNotifier {
    registry: Arc<Registry>,
    name: Arc<str>,
    library: PathBuf,
    type_name: String,
    /// `None`: any content will do.
    pin: Option<Digest>,
    options: serde_json::Value,
    limit: Duration,
    records: Records,
    calls: Calls,
    /// `None`: the host's own.
    binary: Option<PathBuf>,
}

impl IsolatedNotifier {
    /// The notifier of this name in the configuration. The library's path is absolute. A call that takes longer than
    /// `limit` is ended by SIGTERM, and 2 s later by SIGKILL.
    pub fn new(
        registry: Arc<Registry>,
        name: impl Into<Arc<str>>,
        library: PathBuf,
        type_name: String,
        options: serde_json::Value,
        limit: Duration,
    ) -> Self {
        let (name, records, calls) = (name.into(), Records::none(), Calls::default());
        Self { registry, name, library, type_name, pin: None, options, limit, records, calls, binary: None }
    }

    /// As [`PluginNotifier::pinned_to`](super::PluginNotifier::pinned_to).
    #[must_use]
    pub fn pinned_to(self, sha256: Option<[u8; 32]>) -> Self {
        Self { pin: sha256.map(Digest), ..self }
    }

    /// Has its processes remembered while they live, for the host after this one.
    #[must_use]
    pub fn with_records(self, records: Records) -> Self {
        Self { records, ..self }
    }

    /// Has its processes execute this binary instead of the host's: for a process that is not the host's binary.
    #[must_use]
    pub fn with_binary(self, binary: PathBuf) -> Self {
        Self { binary: Some(binary), ..self }
    }

    fn run(&self, failure: &Failure, bell: BorrowedFd<'_>) -> Result<(), String> {
        let deadline = Instant::now() + self.limit;
        let no_stream = |error| format!("no stream to the notifier's process: {error}");
        let (conversation, stream) = Conversation::open(Arc::clone(&self.name)).map_err(no_stream)?;
        let prepared =
            self.registry.prepare(&self.library, self.pin.as_ref()).map_err(|error| error.to_string())?;
        prepared.hand_over(&conversation.speaker());
        let words = Speaker::words(&self.assignment(failure, &prepared)).ok_or("its options are too long")?;
        let (stderr, their_stderr) = pipe().map_err(no_stream)?;
        let spawn = Spawn {
            program: self.binary.as_deref().unwrap_or(Path::new(OWN_BINARY)).into(),
            arguments: vec![CHILD_WORD.into(), OsString::from(&*self.name)],
            environment: Environment::of_host(),
            // As on a thread: relative paths in its options mean the same.
            working_directory: std::env::current_dir().unwrap_or_else(|_| "/".into()),
            stdin: Stdio::Null,
            stdout: Stdio::Null,
            stderr: Some(Stdio::To(their_stderr)),
            more: vec![stream],
        };
        recorded::during(spawn, &self.records, failure, self.limit, |group| {
            Call { group, stderr, conversation, words: &words }.finish(deadline, self.limit, bell)
        })
    }

    fn assignment(&self, failure: &Failure, prepared: &Prepared) -> Assignment {
        Assignment::Notifier(NotifierAssignment {
            instance: InstanceAssignment {
                library: self.library.clone(),
                place: prepared.place_for_others(),
                type_name: self.type_name.clone(),
                name: self.name.to_string(),
                options: self.options.to_string(),
                level: log::max_level(),
            },
            failure: record(failure),
            limit: self.limit,
        })
    }
}

impl Notifier for IsolatedNotifier {
    fn notify(&self, failure: &Failure) -> Result<(), String> {
        self.calls.during(|bell| self.run(failure, bell))
    }

    fn keeps_its_limit(&self) -> bool {
        true
    }

    fn abort(&self) {
        self.calls.abort();
    }
}

/// One call under way.
struct Call<'a> {
    group: Group,
    stderr: OwnedFd,
    conversation: Conversation,
    /// What the process is to be told.
    words: &'a [u8],
}

impl Call<'_> {
    /// Blocks until the group is gone, by itself or by force.
    fn finish(self, deadline: Instant, limit: Duration, bell: BorrowedFd<'_>) -> Result<(), String> {
        let Self { group, stderr, mut conversation, words } = self;
        let no_stream = |error| format!("no stream to the notifier's process: {error}");
        let to_it = conversation.speaker().descriptor().map_err(no_stream)?;
        // A group that is dropped is killed.
        let exchange = Exchange::new(group, to_it, stderr, words, bell).map_err(no_stream)?;
        let mut exchange = exchange.with_conversation(&mut conversation);
        let ending = exchange.finish(deadline);
        let verdict = match &ending {
            Ending::Exited(Exit::Code(code)) => {
                Err(exchange.because(&format!("the plugin ended its process with exit code {code}")))
            }
            other => exchange.verdict(other, limit),
        };
        drop(exchange);
        match (conversation.finish(), &ending) {
            // What it said at last counts, not what became of its process after that.
            (LastWord::Said(Ok(_)), Ending::Exited(_)) => Ok(()),
            (LastWord::Said(Err(fault)), _) => Err(fault.to_string()),
            (LastWord::Said(Ok(_)) | LastWord::Unsaid | LastWord::Unheard, _) => verdict,
        }
    }
}
