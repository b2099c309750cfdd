//! Whom failures are told to.

use super::catalog::{NamedType, PluginCatalog, PluginKind};
use super::findings::{Findings, Path, Place, Subject, quoted};
use super::keys::{Key, NOTIFIER};
use super::members::members;
use super::model::NotifierSpec;
use super::nearest::did_you_mean;
use super::options::{Given, Schemas};
use super::read::read;
use super::settings::{Defaults, Settings};
use super::slots::Written;
use super::typed::{Kind, Merged, Typed};
use crate::launch::{Isolation, NotifyTarget};
use jsonc_parser::ast::{Object, Value};
use jsonc_parser::common::Ranged;
use std::collections::BTreeMap;
use std::path::{self, PathBuf};
use std::sync::Arc;
use std::time::Duration;

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// Words of `notify` that are no notifier's name.
pub(super) const RESERVED: [&str; 3] = ["none", "command", "mail"];

/// Everybody who can be told.
pub(super) struct Notifiers<'a> {
    specs: BTreeMap<String, NotifierSpec>,
    /// Those that are named, usable or not.
    names: Vec<&'a str>,
    command: Option<RootCommand<'a>>,
    /// The one of `defaults`, as long as no task used it.
    unused_default: Option<jsonc_parser::common::Range>,
}

/// A `notify-command` that tasks share.
struct RootCommand<'a> {
    written: Written<'a>,
    /// `None`: it was rejected.
    words: Option<Arc<[String]>>,
    is_used: bool,
}

impl<'a> Notifiers<'a> {
    pub(super) fn none() -> Self {
        Self { specs: BTreeMap::new(), names: Vec::new(), command: None, unused_default: None }
    }

    /// Reads the file's `notifiers`.
    pub(super) fn read(
        &mut self,
        object: &'a Object<'a>,
        folder: &path::Path,
        search_paths: &[PathBuf],
        catalog: &mut dyn PluginCatalog,
        schemas: &mut Schemas,
        findings: &mut Findings<'_>,
    ) {
        for member in members(object, false, Subject::Root, findings) {
            let name = member.written;
            let subject = Subject::Notifier(name);
            if RESERVED.contains(&name) || name.is_empty() || name.contains(char::is_control) {
                let message = format!("{subject}this name cannot be given to a notifier");
                let help =
                    RESERVED.contains(&name).then(|| format!("\"notify\": {} means itself", quoted(name)));
                findings.error("invalid-value", member.key, message, help);
                continue;
            }
            self.names.push(name);
            let place = Place::new(Subject::Root, Path::Word("notifiers"));
            let place = place.field(Subject::Root, name);
            let Some(read @ Typed::Fields(_)) =
                read(Kind::Merged(Merged::Fields(NOTIFIER)), member.value, &place, findings)
            else {
                continue;
            };
            let Some(Typed::Text(reference)) = read.field("plugin") else { continue };
            let sha256 = match read.field("sha256") {
                Some(Typed::Sha256(sha256)) => Some(*sha256),
                // Nothing is to be tried that may be another than the pinned one.
                Some(_) => continue,
                None => None,
            };
            let written = |name: &str| Some(&member.value.as_object()?.get(name)?.value);
            let named = written("plugin").map_or(member.key, Ranged::range);
            let (kind, pin) = (PluginKind::Notifier, sha256.as_ref());
            match catalog.resolve(&NamedType { kind, reference, folder, search_paths, sha256: pin }) {
                Err(error) => {
                    let message = format!("{subject}plugin {}: {error}", quoted(reference));
                    findings.error("plugin", named, message, None);
                }
                Ok(resolved) => {
                    for warning in &resolved.warnings {
                        let message = format!("{subject}plugin {}: {warning}", quoted(reference));
                        findings.warning("plugin", named, message, None);
                    }
                    let options = match read.field("options") {
                        Some(Typed::Json(options)) => options.clone(),
                        Some(_) | None => serde_json::Value::Object(serde_json::Map::new()),
                    };
                    let layer = written("options").filter(|value| value.as_object().is_some());
                    let place = Place::new(subject, Path::Word("options"));
                    let layers: Vec<_> = layer.map(|value| (place, value)).into_iter().collect();
                    let given = Given { place, layers: &layers, named, options: &options };
                    schemas.check(&resolved, &given, findings);
                    let timeout = match read.field("timeout") {
                        Some(Typed::Duration(timeout)) => *timeout,
                        Some(_) | None => DEFAULT_TIMEOUT,
                    };
                    let isolation = match read.field("isolation") {
                        Some(Typed::Word("process")) => Isolation::Process,
                        Some(_) | None => Isolation::Thread,
                    };
                    let (library, type_name) = (resolved.library, resolved.type_name);
                    self.specs.insert(
                        name.to_owned(),
                        NotifierSpec { library, type_name, sha256, options, timeout, isolation },
                    );
                }
            }
        }
    }

    /// Reads the file's `notify-command`.
    pub(super) fn set_command(
        &mut self,
        key: jsonc_parser::common::Range,
        name: &'a str,
        value: &'a Value<'a>,
        findings: &mut Findings<'_>,
    ) {
        let path = Path::Flat(Key::NotifyCommand.info());
        let words = match read(Kind::Words, value, &Place::new(Subject::Root, path), findings) {
            Some(Typed::Words(words)) => Some(words.into()),
            Some(_) | None => None,
        };
        let written = Written { key, name, value, path, is_inherited: false };
        self.command = Some(RootCommand { written, words, is_used: false });
    }

    /// Remembers the `notify-command` of `defaults` until a task uses it.
    pub(super) fn expect_use_of_default(&mut self, defaults: &Defaults<'a>) {
        self.unused_default = defaults.stated(Key::NotifyCommand).map(|written| written.key);
    }

    /// Whom this task's failures are told to.
    pub(super) fn target(
        &mut self,
        settings: &Settings<'a>,
        findings: &mut Findings<'_>,
    ) -> Option<NotifyTarget> {
        let subject = settings.subject;
        let is_silent = settings.is_broken(Key::NotifyEnabled) || !settings.boolean(Key::NotifyEnabled);
        let handler = match settings.value(Key::Notify) {
            Some(Typed::Text(handler)) => *handler,
            Some(_) => return None,
            None => {
                if let Some(enabled) =
                    settings.stated(Key::NotifyEnabled).filter(|e| !is_silent && !e.is_inherited)
                {
                    let message = format!("{subject}notify is enabled, and nobody is named to be told");
                    let help = Some("name a \"handler\": \"command\" or a notifier".to_owned());
                    findings.error("missing-key", enabled.key, message, help);
                }
                "none"
            }
        };
        match handler {
            "none" => {
                self.warn_of_own_command(settings, findings);
                None
            }
            "command" | "mail" => {
                let command = self.command(handler, is_silent, settings, findings);
                command.filter(|_| !is_silent).map(NotifyTarget::Command)
            }
            name => {
                self.warn_of_own_command(settings, findings);
                if !self.names.contains(&name) {
                    let written = settings.stated(Key::Notify)?;
                    let subject = settings.owner(Key::Notify);
                    let message = format!("{subject}notify {}: there is no such notifier", quoted(name));
                    let words = self.names.iter().copied().chain(RESERVED);
                    let help = did_you_mean(name, words)
                        .or_else(|| Some("\"none\", \"command\" or a name of \"notifiers\"".to_owned()));
                    findings.at(subject, "unknown-notifier", written.value.range(), message, help);
                    return None;
                }
                (!is_silent).then(|| NotifyTarget::Named(name.to_owned()))
            }
        }
    }

    /// The task's own command, or the file's.
    fn command(
        &mut self,
        handler: &str,
        is_silent: bool,
        settings: &Settings<'a>,
        findings: &mut Findings<'_>,
    ) -> Option<Arc<[String]>> {
        match settings.value(Key::NotifyCommand) {
            Some(Typed::Words(words)) => {
                if settings.owner(Key::NotifyCommand) == Subject::Defaults {
                    self.unused_default = None;
                }
                return Some(words.as_slice().into());
            }
            Some(_) => return None,
            None => {}
        }
        if let Some(command) = &mut self.command {
            command.is_used = true;
            return command.words.clone();
        }
        // Who is not told needs no command to be told by.
        let written = settings.stated(Key::Notify).filter(|_| !is_silent)?;
        let subject = settings.owner(Key::Notify);
        let message = format!("{subject}notify {}: there is no notify-command", quoted(handler));
        let help = Some("add \"notify-command\" to the task or to the file".to_owned());
        findings.at(subject, "missing-key", written.value.range(), message, help);
        None
    }

    fn warn_of_own_command(&self, settings: &Settings<'a>, findings: &mut Findings<'_>) {
        if let Some(written) = settings.stated(Key::NotifyCommand).filter(|written| !written.is_inherited) {
            let message = format!("{}{} is not used", settings.subject, written.path);
            let help = Some("add \"notify\": \"command\"".to_owned());
            findings.warning("unused", written.key, message, help);
        }
    }

    /// Warns of a command that nobody uses, and hands over the notifiers.
    pub(super) fn finish(self, findings: &mut Findings<'_>) -> BTreeMap<String, NotifierSpec> {
        if let Some(command) = self.command.filter(|command| !command.is_used && command.words.is_some()) {
            let help = Some("a task uses it with \"notify\": \"command\"".to_owned());
            findings.warning(
                "unused",
                command.written.key,
                "notify-command: no task uses it".to_owned(),
                help,
            );
        }
        if let Some(key) = self.unused_default {
            let message = "defaults: notify-command: no task uses it".to_owned();
            findings.warning("unused", key, message, None);
        }
        self.specs
    }
}
