//! From a task's settings to what the core and the runners need of it.

use super::catalog::{NamedType, PluginCatalog, PluginKind};
use super::findings::{Findings, Path as KeyPath, Place, Shown, quoted};
use super::folders;
use super::keys::Key;
use super::machine::Asked;
use super::options::{Given, Schemas};
use super::plan::plan;
use super::privileges::privileges;
use super::settings::Settings;
use super::typed::Typed;
use super::zone::SystemZone;
use crate::launch::{
    Action, ErrorSink, HealthCommand, Isolation, Launch, NotifyTarget, PluginAction, Privileges, Rotation,
    Sink, Words,
};
use crate::shared::Shared;
use bansuri_core::{Signal, TaskName, TaskPlan};
use jsonc_parser::common::Ranged;
use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What tasks are built from besides their settings.
pub(super) struct Surroundings<'c> {
    /// The folder of the file, absolute.
    pub(super) folder: &'c Path,
    pub(super) search_paths: &'c [PathBuf],
    pub(super) catalog: &'c mut dyn PluginCatalog,
    pub(super) schemas: Schemas,
    pub(super) machine: Asked<'c>,
    pub(super) system_zone: SystemZone,
    /// What the task before had.
    pub(super) last: Last,
}

/// What tasks in a row often have in common.
#[derive(Default)]
pub(super) struct Last {
    working_directory: Option<Shared<PathBuf>>,
    environment: Option<Shared<BTreeMap<String, String>>>,
    privileges: Option<Shared<Privileges>>,
}

/// Both halves of a task. `None`: something it cannot do without was rejected.
pub(super) fn build(
    settings: &Settings<'_>,
    notify: Option<NotifyTarget>,
    surroundings: &mut Surroundings<'_>,
    findings: &mut Findings<'_>,
) -> Option<(TaskPlan, Launch)> {
    let action = action(settings, surroundings, findings);
    let privileges = match settings.boolean(Key::NoInterface) && isolation(settings) == Isolation::Thread {
        // They cannot apply, which has been said.
        true => Privileges::default(),
        false => privileges(settings, &mut surroundings.machine, findings),
    };
    let environment_file = environment_file(settings, surroundings, findings);
    let name = TaskName::new(settings.text(Key::Name)?)?;
    let (action, reference) = action?;
    let working_directory = match settings.text(Key::WorkingDirectory) {
        Some(path) => resolve(surroundings.folder, Path::new(path)),
        None => surroundings.folder.to_owned(),
    };
    let environment = match settings.value(Key::Environment) {
        Some(Typed::Environment(environment)) => environment.clone(),
        Some(_) | None => Default::default(),
    };
    let stdout = match settings.value(Key::Stdout) {
        Some(Typed::Sink(sink)) => absolute(sink, &working_directory),
        Some(_) | None => Sink::Tail,
    };
    let stderr = match settings.value(Key::Stderr) {
        Some(Typed::Sink(sink)) => match absolute(sink, &working_directory) {
            // Two descriptors of one file would have no order between them.
            file @ Sink::File(_) if file == stdout => ErrorSink::Combined,
            sink => ErrorSink::Separate(sink),
        },
        Some(_) | None => ErrorSink::Combined,
    };
    folders::check(settings, &working_directory, &stdout, &stderr, surroundings, findings);
    let plan = plan(settings, name.clone(), notify.is_some(), &mut surroundings.system_zone, findings);
    let launch = Launch {
        name,
        description: settings.text(Key::Description).unwrap_or_default().to_owned(),
        action,
        reference,
        working_directory: Shared::with_last(working_directory, &mut surroundings.last.working_directory),
        environment: Shared::with_last(environment, &mut surroundings.last.environment),
        timeout: plan.timeout,
        stop_timeout: plan.stop_timeout,
        stop_signal: match settings.value(Key::StopSignal) {
            Some(Typed::Signal(signal)) => *signal,
            Some(_) | None => Signal::TERM,
        },
        stdout,
        stderr,
        environment_file,
        privileges: Shared::with_last(privileges, &mut surroundings.last.privileges),
        rotate: rotation(settings),
        timestamps: settings.boolean(Key::Timestamps),
        health: health(settings).map(Box::new),
        notify,
    };
    Some((plan, launch))
}

/// A path as seen from a folder, without `.` in it.
pub(super) fn resolve(folder: &Path, path: &Path) -> PathBuf {
    folder.join(path).components().collect()
}

fn absolute(sink: &Sink, working_directory: &Path) -> Sink {
    match sink {
        Sink::File(path) => Sink::File(resolve(working_directory, path)),
        Sink::Tail | Sink::Ignore | Sink::Inherit => sink.clone(),
    }
}

fn action(
    settings: &Settings<'_>,
    surroundings: &mut Surroundings<'_>,
    findings: &mut Findings<'_>,
) -> Option<(Action, Option<Box<str>>)> {
    let Some(written) = settings.stated(Key::Command) else {
        let message = format!("{}command is missing", settings.subject);
        findings.error("missing-key", settings.opening, message, None);
        return None;
    };
    if settings.is_broken(Key::NoInterface) {
        return None;
    }
    let is_plugin = settings.boolean(Key::NoInterface);
    if let Some(Typed::Words(words)) = settings.value(Key::Command) {
        if !is_plugin {
            return Some((Action::Exec(Words::new(words)?), None));
        }
        let subject = settings.owner(Key::Command);
        let found = Shown(written.value);
        let message = format!(
            "{subject}command {found}: expected \"LIBRARY\" or \"LIBRARY:Type\", as no-interface is true"
        );
        findings.at(subject, "conflict", written.value.range(), message, None);
        return None;
    }
    let text = settings.text(Key::Command)?;
    if !is_plugin {
        return Some((Action::Shell(text.into()), None));
    }
    let Surroundings { folder, search_paths, catalog, schemas, .. } = surroundings;
    let sha256 = match settings.value(Key::Sha256) {
        Some(Typed::Sha256(sha256)) => Some(*sha256),
        // Nothing is to be tried that may be another than the pinned one.
        Some(_) => return None,
        None => None,
    };
    let (kind, pin) = (PluginKind::Task, sha256.as_ref());
    match catalog.resolve(&NamedType { kind, reference: text, folder, search_paths, sha256: pin }) {
        Ok(resolved) => {
            let subject = settings.owner(Key::Command);
            for warning in &resolved.warnings {
                let message = format!("{subject}command {}: {warning}", quoted(text));
                findings.shared_warning(subject, "plugin", written.value.range(), message);
            }
            let options = match settings.value(Key::Options) {
                Some(Typed::Json(options)) => options.clone(),
                Some(_) | None => serde_json::Value::Object(serde_json::Map::new()),
            };
            if !settings.is_broken(Key::Options) {
                let path = settings.stated(Key::Options).map(|written| written.path);
                let place = Place::new(settings.subject, path.unwrap_or(KeyPath::Flat(Key::Options.info())));
                let layers = settings.option_layers();
                let named = written.value.range();
                schemas.check(
                    &resolved,
                    &Given { place, layers: &layers, named, options: &options },
                    findings,
                );
            }
            let (library, type_name) = (resolved.library, resolved.type_name);
            let isolation = isolation(settings);
            let plugin = PluginAction { library, type_name, sha256, options, isolation };
            Some((plugin.into(), Some(text.into())))
        }
        Err(error) => {
            let subject = settings.owner(Key::Command);
            let message = format!("{subject}command {}: {error}", quoted(text));
            findings.at(subject, "plugin", written.value.range(), message, None);
            None
        }
    }
}

/// Where the task's code runs, if it is a plugin's.
fn isolation(settings: &Settings<'_>) -> Isolation {
    match settings.word(Key::Isolation) {
        Some("process") => Isolation::Process,
        Some(_) | None => Isolation::Thread,
    }
}

/// Absolute. Only a warning if it is not there: it is read at each start of a run, and may be written until then.
fn environment_file(
    settings: &Settings<'_>,
    surroundings: &mut Surroundings<'_>,
    findings: &mut Findings<'_>,
) -> Option<PathBuf> {
    let file = resolve(surroundings.folder, Path::new(settings.text(Key::EnvironmentFile)?));
    if let Some(problem) = surroundings.machine.environment_file_problem(&file)
        && let Some(written) = settings.stated(Key::EnvironmentFile)
    {
        let subject = settings.owner(Key::EnvironmentFile);
        let message = format!("{subject}{} {}: {problem}", written.path, Shown(written.value));
        findings.shared_warning(subject, "environment-file", written.value.range(), message);
    }
    Some(file)
}

fn rotation(settings: &Settings<'_>) -> Option<Rotation> {
    const MAX_SIZE: NonZeroU64 = NonZeroU64::new(10 << 20).expect("it is not zero");
    const KEEP: u32 = 5;
    let read @ Typed::Fields(_) = settings.value(Key::Rotate)? else { return None };
    let number = |name: &str| match read.field(name) {
        Some(Typed::Integer(number)) => Some(number.unsigned_abs()),
        Some(_) | None => None,
    };
    Some(Rotation {
        max_size: number("max-size").and_then(NonZeroU64::new).unwrap_or(MAX_SIZE),
        keep: number("keep").and_then(|keep| u32::try_from(keep).ok()).unwrap_or(KEEP),
        compress: read.field("compress") == Some(&Typed::Boolean(true)),
    })
}

fn health(settings: &Settings<'_>) -> Option<HealthCommand> {
    const TIMEOUT: Duration = Duration::from_secs(30);
    let read @ Typed::Fields(_) = settings.value(Key::HealthCheck)? else { return None };
    let action = match read.field("command")? {
        Typed::Text(line) => Action::Shell((*line).into()),
        Typed::Words(words) => Action::Exec(Words::new(words)?),
        _ => return None,
    };
    let timeout = match read.field("timeout") {
        Some(Typed::Duration(timeout)) => *timeout,
        Some(_) | None => TIMEOUT,
    };
    Some(HealthCommand { action, timeout })
}
