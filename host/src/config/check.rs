//! From the text of a file to a configuration, or to everything that is wrong with it.

use super::catalog::{PluginCatalog, Remembering};
use super::conflicts::{self, Rhythm};
use super::dependency::{self, Node};
use super::diagnostic::Diagnostic;
use super::findings::{Findings, Path as KeyPath, Place, Shown, Subject, plain, quoted};
use super::keys::{Key, PLUGINS, ROOT, TABLE};
use super::log_files;
use super::machine::{Asked, Machine};
use super::members::{Member, members};
use super::model::{Configuration, ReloadMode};
use super::nearest::did_you_mean;
use super::notifiers::Notifiers;
use super::options::Schemas;
use super::read::{is_null, opening, read};
use super::settings::{Defaults, Settings};
use super::slots::collect;
use super::syntax::{self, SyntaxError};
use super::task::{Last, Surroundings, build, resolve};
use super::typed::{Kind, Merged, Typed};
use super::zone::SystemZone;
use bansuri_core::Plan;
use jsonc_parser::ast::{Array, Object, Value};
use jsonc_parser::common::{Range, Ranged};
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How strictly a file is checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CheckOptions {
    /// Unknown keys are errors, not warnings.
    pub strict: bool,
}

/// Checks the text of a configuration, given as bytes. `file` is how findings name it, and `folder` (absolute) is where relative paths
/// start.
///
/// With a configuration come its warnings, without one all errors and warnings; both in the order of the file.
pub fn check_text(
    bytes: &[u8],
    file: &Path,
    folder: &Path,
    catalog: &mut dyn PluginCatalog,
    machine: &dyn Machine,
    options: CheckOptions,
) -> Result<(Configuration, Vec<Diagnostic>), Vec<Diagnostic>> {
    let (mut findings, value) = parsed(bytes, file, options)?;
    let Some(root) = root_object(&value, &mut findings) else { return Err(findings.into_list()) };
    let catalog = &mut Remembering::new(catalog);
    let machine = Asked::new(machine);
    let schemas = Schemas::default();
    let checker = Checker { file, folder, catalog, schemas, machine, findings: &mut findings };
    let configuration = checker.root(root);
    match configuration {
        Some(configuration) if !findings.has_errors() => Ok((configuration, findings.into_list())),
        Some(_) | None => Err(findings.into_list()),
    }
}

/// The `plugins.search-paths` of the text of a configuration, absolute, or what is wrong with them.
pub(super) fn search_paths(
    bytes: &[u8],
    file: &Path,
    folder: &Path,
) -> Result<Vec<PathBuf>, Vec<Diagnostic>> {
    let (mut findings, value) = parsed(bytes, file, CheckOptions::default())?;
    let Some(root) = root_object(&value, &mut findings) else { return Err(findings.into_list()) };
    let members = members(root, true, Subject::Root, &mut findings);
    let member = members.iter().find(|member| member.name == "plugins" && !is_null(member.value));
    let paths = member.map(|member| plugins(member, folder, &mut findings)).unwrap_or_default();
    if findings.has_errors() { Err(findings.into_list()) } else { Ok(paths.search_paths) }
}

/// The syntax tree of the text, and what collects the findings about it.
fn parsed<'t>(
    bytes: &'t [u8],
    file: &Path,
    options: CheckOptions,
) -> Result<(Findings<'t>, Value<'t>), Vec<Diagnostic>> {
    let name = file.to_string_lossy();
    let text = match syntax::decode(bytes) {
        Ok(text) => text,
        Err((valid, at)) => {
            let mut findings = Findings::new(&name, valid, options.strict);
            let message = "the file is not UTF-8 text from here on".to_owned();
            let is_utf_16 = bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF");
            let help = is_utf_16.then(|| "it looks like UTF-16, save it as UTF-8".to_owned());
            findings.error("syntax", Range::new(at, at), message, help);
            return Err(findings.into_list());
        }
    };
    let mut findings = Findings::new(&name, text, options.strict);
    match syntax::parse(text) {
        Ok(value) => Ok((findings, value)),
        Err(SyntaxError { span, message, help }) => {
            findings.error("syntax", span, message, help);
            Err(findings.into_list())
        }
    }
}

fn root_object<'a>(value: &'a Value<'a>, findings: &mut Findings<'_>) -> Option<&'a Object<'a>> {
    let root = value.as_object();
    if root.is_none() {
        let message = format!("expected an object {{ \"scripts\": […] }}, found {}", Shown(value));
        findings.error("invalid-value", opening(value), message, None);
    }
    root
}

/// The root keys that are plain values.
#[derive(Default)]
struct RootValues {
    max_running: Option<NonZeroU32>,
    reload: ReloadMode,
}

/// The file's `plugins`.
#[derive(Default)]
struct PluginPlaces {
    /// Absolute.
    search_paths: Vec<PathBuf>,
    /// Where plugin tasks run that do not say so themselves; `None`: nothing is said.
    isolation: Option<&'static str>,
}

struct Checker<'c, 't> {
    file: &'c Path,
    folder: &'c Path,
    catalog: &'c mut dyn PluginCatalog,
    schemas: Schemas,
    machine: Asked<'c>,
    findings: &'c mut Findings<'t>,
}

impl Checker<'_, '_> {
    fn root<'a>(mut self, root: &'a Object<'a>) -> Option<Configuration> {
        let members = self.root_members(root);
        let member = |name: &str| members.iter().find(|member| member.name == name && !is_null(member.value));
        let values = self.root_values(&members);
        let PluginPlaces { search_paths, isolation } =
            member("plugins").map(|member| plugins(member, self.folder, self.findings)).unwrap_or_default();
        let mut notifiers = Notifiers::none();
        if let Some(command) = member("notify-command") {
            notifiers.set_command(command.key, command.written, command.value, self.findings);
        }
        if let Some(object) = member("notifiers").and_then(|member| self.object(member)) {
            let schemas = &mut self.schemas;
            notifiers.read(object, self.folder, &search_paths, self.catalog, schemas, self.findings);
        }
        let defaults = member("defaults").and_then(|member| self.object(member));
        let defaults = Defaults::read(defaults, self.findings).with_isolation(isolation);
        notifiers.expect_use_of_default(&defaults);
        let Some(scripts) = member("scripts") else {
            self.findings.error("missing-key", opening(root), "scripts is missing".to_owned(), None);
            return None;
        };
        let Some(scripts) = scripts.value.as_array() else {
            let place = Place::new(Subject::Root, KeyPath::Word("scripts"));
            self.findings.unexpected(&place, scripts.value, "an array of tasks", None);
            return None;
        };
        self.scripts(scripts, &defaults, &search_paths, notifiers, values)
    }

    fn scripts<'a>(
        self,
        scripts: &'a Array<'a>,
        defaults: &Defaults<'a>,
        search_paths: &[PathBuf],
        mut notifiers: Notifiers<'a>,
        values: RootValues,
    ) -> Option<Configuration> {
        let mut names = Names::default();
        let mut nodes = Vec::with_capacity(scripts.elements.len());
        let mut plans = Vec::with_capacity(scripts.elements.len());
        let mut launches = Vec::with_capacity(scripts.elements.len());
        let mut rotates = Vec::with_capacity(scripts.elements.len());
        let mut surroundings = Surroundings {
            folder: self.folder,
            search_paths,
            catalog: self.catalog,
            schemas: self.schemas,
            machine: self.machine,
            system_zone: SystemZone::default(),
            last: Last::default(),
        };
        for (index, value) in scripts.elements.iter().enumerate() {
            let Some(settings) = settings_of(index, value, defaults, &mut names, self.findings) else {
                continue;
            };
            let notify = notifiers.target(&settings, self.findings);
            if let Some((plan, launch)) = build(&settings, notify, &mut surroundings, self.findings) {
                plans.push(plan);
                launches.push(Arc::new(launch));
                rotates.push(settings.stated(Key::Rotate).map(|written| written.key));
            }
            if let Subject::Task(name) = settings.subject {
                nodes.push(node(name, &settings));
            }
        }
        dependency::check(&nodes, self.findings);
        log_files::check(&launches, &rotates, self.findings);
        let notifiers = notifiers.finish(self.findings);
        if self.findings.has_errors() {
            return None;
        }
        let RootValues { max_running, reload } = values;
        let plan = Plan::new(plans).expect("every name was seen once").with_max_running(max_running);
        let (file, folder) = (self.file.to_owned(), self.folder.to_owned());
        Some(Configuration { file, folder, plan, launches, notifiers, reload })
    }

    fn root_members<'a>(&mut self, root: &'a Object<'a>) -> Vec<Member<'a>> {
        let members = members(root, true, Subject::Root, self.findings);
        for member in &members {
            if ROOT.iter().any(|root| root.name == member.name) {
                continue;
            }
            let is_task_key = TABLE.iter().any(|info| info.flat == Some(&*member.name));
            let help = match is_task_key {
                true => Some("it belongs in a script or in \"defaults\"".to_owned()),
                false => did_you_mean(&member.name, ROOT.iter().map(|root| root.name)),
            };
            self.findings.unknown_key(
                Subject::Root,
                member.key,
                format!("{}: unknown key", plain(member.written)),
                help,
            );
        }
        members
    }

    /// Reads those root keys that are plain values.
    fn root_values(&mut self, members: &[Member<'_>]) -> RootValues {
        let mut values = RootValues::default();
        for root in ROOT {
            let (name, Some(kind)) = (root.name, root.kind) else { continue };
            let Some(member) = members.iter().find(|m| m.name == name && !is_null(m.value)) else {
                continue;
            };
            let place = Place::new(Subject::Root, KeyPath::Word(name));
            let value = read(kind, member.value, &place, self.findings);
            match (name, value) {
                ("max-running", Some(Typed::Integer(number))) => {
                    values.max_running = u32::try_from(number).ok().and_then(NonZeroU32::new);
                }
                ("reload", Some(Typed::Word("signal"))) => values.reload = ReloadMode::Signal,
                (_, _) => {}
            }
        }
        values
    }

    fn object<'a>(&mut self, member: &Member<'a>) -> Option<&'a Object<'a>> {
        let object = member.value.as_object();
        if object.is_none() {
            let place = Place::new(Subject::Root, KeyPath::Word(member.written));
            self.findings.unexpected(&place, member.value, "an object", None);
        }
        object
    }
}

/// The search paths, absolute.
fn plugins(member: &Member<'_>, folder: &Path, findings: &mut Findings<'_>) -> PluginPlaces {
    let place = Place::new(Subject::Root, KeyPath::Word("plugins"));
    let Some(plugins) = read(Kind::Merged(Merged::Fields(PLUGINS)), member.value, &place, findings) else {
        return PluginPlaces::default();
    };
    let search_paths = match plugins.field("search-paths") {
        Some(Typed::Paths(paths)) => paths.iter().map(|path| resolve(folder, Path::new(path))).collect(),
        Some(_) | None => Vec::new(),
    };
    let isolation = match plugins.field("isolation") {
        Some(Typed::Word(word)) => Some(*word),
        Some(_) | None => None,
    };
    PluginPlaces { search_paths, isolation }
}

/// Reads one script and checks it for itself.
fn settings_of<'a>(
    index: usize,
    value: &'a Value<'a>,
    defaults: &Defaults<'a>,
    names: &mut Names<'a>,
    findings: &mut Findings<'_>,
) -> Option<Settings<'a>> {
    let Some(object) = value.as_object() else {
        let path = KeyPath::Word("scripts");
        let place = Place::new(Subject::Root, path);
        findings.unexpected(&place.index(index), value, "an object", None);
        return None;
    };
    let subject = match name_of(object) {
        Some(name) => Subject::Task(name),
        None => Subject::Unnamed(index),
    };
    let slots = collect(object, subject, findings);
    let mut settings = Settings::read(slots, opening(object), defaults, subject, findings);
    match (settings.stated(Key::Name), settings.value(Key::Name)) {
        (Some(written), Some(Typed::Text(name))) => names.take(name, written.value.range(), findings),
        (None, _) => {
            let message = format!("{subject}name is missing");
            findings.error("missing-key", settings.opening, message, None);
        }
        (Some(_), _) => {}
    }
    conflicts::check(&mut settings, findings);
    Some(settings)
}

/// The name of a script, found before anything is read so that every finding can say it.
fn name_of<'a>(script: &'a Object<'a>) -> Option<&'a str> {
    let string = |object: &'a Object<'a>| Some(&*object.get_string("name")?.value);
    let name = string(script).or_else(|| string(script.get_object("general")?));
    name.filter(|name| !name.trim().is_empty())
}

/// The names that tasks have taken, and where.
#[derive(Default)]
struct Names<'a>(HashMap<&'a str, Range>);

impl<'a> Names<'a> {
    fn take(&mut self, name: &'a str, span: Range, findings: &mut Findings<'_>) {
        match self.0.get(name) {
            None => {
                self.0.insert(name, span);
            }
            Some(first) => {
                let line = findings.line(first.start);
                let message = format!("two tasks are named {}, the first on line {line}", quoted(name));
                findings.error("duplicate-name", span, message, None);
            }
        }
    }
}

fn node<'a>(name: &'a str, settings: &Settings<'a>) -> Node<'a> {
    let waits_for = match settings.value(Key::DependsOn) {
        Some(Typed::Dependencies(list)) => list.clone(),
        Some(_) | None => Vec::new(),
    };
    Node {
        name,
        is_service: Rhythm::of(settings) == Rhythm::Service,
        has_health_check: settings.value(Key::HealthCheck).is_some(),
        waits_for,
    }
}
