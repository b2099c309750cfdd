//! Runs plugin tasks, each run in a process of its own: the host's own binary, executed again with a private word.

use super::command::{Program, ProgramFile, blameless, of_task, unable};
use super::keys::Keys;
use super::plugin::exit_of;
use super::pump::Logs;
use super::{
    CannotForce, Finished, LiveRun, RunSpec, StartError, Started, SubprocessRunner, TaskRunner, Update,
};
use crate::launch::{Action, Launch, Resource};
use crate::plugin::{
    Assignment, CHILD_WORD, Conversation, Digest, Heard, InstanceAssignment, LastWord, Prepared, Registry,
    Speaker, TaskAssignment, thread_name,
};
use crate::process::{Watched, monotonic};
use crate::records::{Kind, Records};
use bansuri_core::{Exit, RunId};
use polling::Poller;
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// Beyond every place that a stream to a child has in the poller.
const PROCESS_KEYS: usize = 1 << (usize::BITS / 2 - 3);

/// Signals that a process brings upon itself.
const ALONE: [i32; 3] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGABRT];

/// Starts runs of plugin tasks as processes. To its [`SubprocessRunner`] they are processes like any others; what comes
/// beside that is a stream to each, on which it is told what to do and says how it went.
///
/// Events and updates as with a [`SubprocessRunner`].
pub struct IsolatedRunner {
    runner: SubprocessRunner,
    registry: Arc<Registry>,
    poller: Arc<Poller>,
    /// The runs whose process lives.
    children: Keys<Child>,
    keys: HashMap<RunId, usize>,
}

struct Child {
    conversation: Conversation,
    /// Those of its task that it may have come up against at once, by name.
    limits: Vec<&'static str>,
    /// `None`: it says no more.
    watch: Option<Watched<Arc<UnixStream>>>,
}

impl IsolatedRunner {
    /// Registers with this poller by keys at or above `base` that no [`SubprocessRunner`] with a base far below it, and
    /// none far above, ever uses.
    pub fn new(registry: Arc<Registry>, poller: Arc<Poller>, base: usize) -> Self {
        let runner = SubprocessRunner::new(Arc::clone(&poller), base + PROCESS_KEYS);
        Self { runner, registry, poller, children: Keys::new(base), keys: HashMap::new() }
    }

    /// As [`SubprocessRunner::with_helper`], and for the processes themselves.
    pub fn with_helper(mut self, binary: PathBuf) -> Self {
        self.runner = self.runner.with_helper(binary);
        self
    }

    /// As [`SubprocessRunner::with_logs`].
    #[must_use]
    pub fn with_logs(mut self, logs: Logs) -> Self {
        self.runner = self.runner.with_logs(logs);
        self
    }

    /// As [`SubprocessRunner::with_records`].
    #[must_use]
    pub fn with_records(mut self, records: Records) -> Self {
        self.runner = self.runner.with_records(records);
        self
    }

    /// Takes note of an event. Work is bounded, and an event for a key that is not its own does nothing.
    pub fn on_ready(&mut self, key: usize) {
        match self.children.value_mut(key) {
            Some(child) => {
                if child.conversation.hear() == Heard::End {
                    child.watch = None;
                }
            }
            None => self.runner.on_ready(key),
        }
    }

    /// The next thing to be known of a run. `None`: nothing until another event.
    pub fn poll_update(&mut self) -> Option<Update> {
        Some(match self.runner.poll_update()? {
            Update::Finished(finished) => {
                let child = self.keys.remove(&finished.run).and_then(|key| self.children.remove(key));
                let exit = match child {
                    Some(Child { conversation, limits, .. }) => {
                        judge(finished.exit, conversation.finish(), &limits)
                    }
                    None => finished.exit,
                };
                Update::Finished(Finished { exit, ..finished })
            }
            update @ Update::Gone(_) => update,
        })
    }

    /// Has the process told what to do: now if its library is as it was, and else by a thread, which looks at it first.
    fn brief(
        &self,
        speaker: Speaker,
        run: &RunSpec,
        variables: BTreeMap<String, String>,
    ) -> Result<(), StartError> {
        let Action::Plugin(plugin) = &run.launch.action else { return Ok(()) };
        let (run_id, attempt) = (run.run, run.attempt);
        let deadline = run.launch.timeout.and_then(|timeout| monotonic().checked_add(timeout.duration()));
        let pin = plugin.sha256.map(Digest);
        if let Some(prepared) = self.registry.ready(&plugin.library, pin.as_ref()) {
            prepared.hand_over(&speaker);
            let assignment = assignment(&run.launch, &prepared, run_id, attempt, variables, deadline);
            let words = Speaker::words(&assignment).unwrap_or_default();
            let said = speaker.begin(&words);
            // Only long options do not go at once.
            return match words.get(said..) {
                Some([]) | None => Ok(()),
                Some(rest) => {
                    let rest = rest.to_vec();
                    on_thread(&run.launch, move || speaker.say(&rest))
                }
            };
        }
        let (registry, launch) = (Arc::clone(&self.registry), Arc::clone(&run.launch));
        let library = plugin.library.clone();
        on_thread(&run.launch, move || match registry.prepare(&library, pin.as_ref()) {
            Ok(prepared) => {
                prepared.hand_over(&speaker);
                speaker.assign(&assignment(&launch, &prepared, run_id, attempt, variables, deadline));
            }
            Err(error) => {
                speaker.hand_over(None);
                speaker.assign(&Assignment::Refused(error.to_string()));
            }
        })
    }
}

fn on_thread(launch: &Launch, body: impl FnOnce() + Send + 'static) -> Result<(), StartError> {
    let name = thread_name("start:", launch.name.as_str());
    let spawned = thread::Builder::new().name(name).spawn(body);
    spawned.map(drop).map_err(|error| unable("start a thread", &error))
}

impl TaskRunner for IsolatedRunner {
    fn start(&mut self, run: RunSpec) -> Result<Started, StartError> {
        let RunSpec { run: id, attempt, ref launch } = run;
        let Action::Plugin(_) = &launch.action else {
            let reason = format!("task {:?}: its command names no plugin", launch.name.as_str());
            return Err(blameless(reason));
        };
        let variables = of_task(launch, id, Some(attempt))?;
        let no_stream = |error| unable("make a stream to its process", &error);
        let (conversation, stream) = Conversation::open(launch.name.shared()).map_err(no_stream)?;
        let speaker = conversation.speaker();
        let program = Program {
            file: ProgramFile::Host { arguments: vec![CHILD_WORD.into(), presentable(launch.name.as_str())] },
            variables: variables.clone(),
            more: vec![stream],
        };
        let watched = conversation.stream();
        let limits = launch.privileges.limits.keys().filter(|it| is_felt_at_once(**it)).map(|it| it.name());
        let limits = limits.collect();
        let key = self.children.insert(Child { conversation, limits, watch: None });
        let started = Watched::new(&self.poller, key, watched).map_err(no_stream).and_then(|watch| {
            if let Some(child) = self.children.value_mut(key) {
                child.watch = Some(watch);
            }
            self.brief(speaker.clone(), &run, variables)?;
            self.runner.start_program(id, Kind::Run, launch, program)
        });
        match started {
            Ok(Started { live, pid }) => {
                self.keys.insert(id, key);
                Ok(Started { live: Box::new(LiveChild { live, speaker }), pid })
            }
            Err(error) => {
                self.children.remove(key);
                Err(error)
            }
        }
    }
}

/// The driver's handle of a run.
struct LiveChild {
    live: Box<dyn LiveRun>,
    speaker: Speaker,
}

impl LiveRun for LiveChild {
    fn request_stop(&self) {
        // The task is asked either way; what else is in its group, by the signal alone.
        self.speaker.hang_up();
        self.live.request_stop();
    }

    fn force_stop(&self) -> Result<(), CannotForce> {
        self.live.force_stop()
    }
}

fn assignment(
    launch: &Launch,
    prepared: &Prepared,
    run: RunId,
    attempt: u32,
    environment: BTreeMap<String, String>,
    deadline: Option<Duration>,
) -> Assignment {
    let Action::Plugin(plugin) = &launch.action else {
        return Assignment::Refused("its command names no plugin".to_owned());
    };
    let name = launch.name.as_str();
    Assignment::Task(TaskAssignment {
        instance: InstanceAssignment {
            library: plugin.library.clone(),
            place: prepared.place_for_others(),
            type_name: plugin.type_name.clone(),
            name: name.to_owned(),
            options: plugin.options.to_string(),
            level: log::max_level(),
        },
        attempt,
        run_id: format!("{name}#{}", run.number),
        working_directory: launch.working_directory.to_path_buf(),
        environment,
        deadline,
        stop_signal: launch.stop_signal.number(),
        stop_timeout: launch.stop_timeout,
    })
}

/// How the run ended. What the process said at last counts: what became of it after that is no affair of the task.
fn judge(exit: Exit, said: LastWord, limits: &[&str]) -> Exit {
    match (said, exit) {
        (LastWord::Said(said), _) => exit_of(said),
        // Zero is no success either: `run` has not returned.
        (LastWord::Unsaid, Exit::Code(code)) => {
            Exit::Error(format!("the plugin ended its process with exit code {code}"))
        }
        (LastWord::Unheard, Exit::Code(code)) => never_began(&format!("exit code {code}"), limits),
        (LastWord::Unheard, Exit::Signal(signal)) if ALONE.contains(&signal.number()) => {
            never_began(&format!("killed by {signal}"), limits)
        }
        (
            LastWord::Unsaid | LastWord::Unheard,
            exit @ (Exit::Signal(_) | Exit::NotStarted { .. } | Exit::Error(_) | Exit::Panic(_)),
        ) => exit,
    }
}

/// Whether a process can come up against this limit before it has done anything.
fn is_felt_at_once(resource: Resource) -> bool {
    match resource {
        Resource::As | Resource::Nofile | Resource::Cpu => true,
        Resource::Nproc | Resource::Core | Resource::Fsize => false,
    }
}

/// What the system's loader and the host's own code say goes to the run's standard error.
fn never_began(how: &str, limits: &[&str]) -> Exit {
    let advice = match limits {
        [] => String::new(),
        limits => format!("; its limits may be too low: {}", limits.join(", ")),
    };
    Exit::Error(format!("its process ended before it could load the plugin: {how}{advice}"))
}

/// An argument holds no NUL.
fn presentable(name: &str) -> OsString {
    name.replace('\0', "?").into()
}
