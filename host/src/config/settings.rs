//! The values of one task, read, with `defaults` under them.

use super::findings::{Findings, Path, Place, Subject};
use super::keys::{Key, KeyInfo, TABLE};
use super::read::{is_null, read};
use super::read_object::object;
use super::schedule;
use super::slots::{Slots, Written, collect};
use super::typed::{Kind, Typed};
use jsonc_parser::ast::{Object, Value};
use jsonc_parser::common::Range;
use std::time::Duration;

/// The `defaults` of a file.
pub(super) struct Defaults<'a> {
    slots: Slots<'a>,
    /// The same with the schedule in its flat keys.
    resolved: Slots<'a>,
    values: Vec<Option<Typed<'a>>>,
    /// Where plugin tasks run of which neither they nor `defaults` say so.
    isolation: Option<&'static str>,
}

impl<'a> Defaults<'a> {
    /// Reads all of it, so that what is wrong is found even if no script uses it.
    pub(super) fn read(object: Option<&'a Object<'a>>, findings: &mut Findings<'_>) -> Self {
        let subject = Subject::Defaults;
        let slots = match object {
            Some(object) => collect(object, subject, findings),
            None => Slots::empty(),
        };
        if let Some(name) = slots.of(Key::Name) {
            let message = format!("{subject}name cannot be shared, every script has its own");
            findings.error("conflict", name.key, message, None);
        }
        let mut resolved = slots.clone();
        schedule::resolve(&mut resolved, subject, findings);
        let values =
            TABLE.iter().map(|info| read_one(info, resolved.of(info.key)?, subject, findings)).collect();
        Self { slots, resolved, values, isolation: None }
    }

    /// With the file's own word on where plugin tasks run.
    pub(super) fn with_isolation(self, isolation: Option<&'static str>) -> Self {
        Self { isolation, ..self }
    }

    /// The key as it was written, unless it was written as null.
    pub(super) fn stated(&self, key: Key) -> Option<&Written<'a>> {
        self.slots.of(key).filter(|written| !is_null(written.value))
    }
}

/// The settings of one task.
pub(super) struct Settings<'a> {
    pub(super) subject: Subject<'a>,
    /// The beginning of the task in the file.
    pub(super) opening: Range,
    slots: Slots<'a>,
    values: Vec<Option<Typed<'a>>>,
    /// What `defaults` says of the options.
    shared_options: Option<Written<'a>>,
}

impl<'a> Settings<'a> {
    /// Reads every key the script or `defaults` names.
    pub(super) fn read(
        mut own: Slots<'a>,
        opening: Range,
        defaults: &Defaults<'a>,
        subject: Subject<'a>,
        findings: &mut Findings<'_>,
    ) -> Self {
        schedule::inherit(&mut own, &defaults.slots, &defaults.resolved);
        schedule::resolve(&mut own, subject, findings);
        let is_told_anew = own.of(Key::Notify).is_some_and(|notify| matches!(notify.path, Path::Flat(_)));
        let mut values = Vec::with_capacity(TABLE.len());
        for info in TABLE {
            let inherited = match info.key {
                Key::Scheduler | Key::Params | Key::Timer | Key::ScheduleCron | Key::Service => None,
                // Who says `"notify": "command"` wants to be told, whatever `defaults` enables.
                Key::NotifyEnabled if is_told_anew => None,
                key => defaults.slots.of(key),
            };
            let mine = own.of(info.key).copied();
            if mine.is_none() {
                own.set(info.key, inherited.copied());
            }
            let value = match (mine, inherited) {
                (mine, Some(theirs)) if is_merged(info.kind, mine.as_ref(), theirs) => {
                    merged(info.kind, mine.as_ref(), theirs, subject, findings)
                }
                (Some(mine), _) => {
                    let subject = if mine.is_inherited { Subject::Defaults } else { subject };
                    read_one(info, &mine, subject, findings)
                }
                (None, Some(_)) => defaults.values[info.key as usize].clone(),
                (None, None) => None,
            };
            values.push(match info.key {
                Key::Isolation => value.or(defaults.isolation.map(Typed::Word)),
                _ => value,
            });
        }
        let shared_options = defaults.slots.of(Key::Options).copied();
        Self { subject, opening, slots: own, values, shared_options }
    }

    /// The objects that the options are merged from, the lowest first.
    pub(super) fn option_layers(&self) -> Vec<(Place<'a>, &'a Value<'a>)> {
        let Some(written) = self.stated(Key::Options) else { return Vec::new() };
        let own = (!written.is_inherited).then_some((self.subject, written));
        let shared = self.shared_options.as_ref().map(|shared| (Subject::Defaults, shared));
        let objects =
            shared.into_iter().chain(own).filter(|(_, written)| written.value.as_object().is_some());
        objects.map(|(subject, written)| (Place::new(subject, written.path), written.value)).collect()
    }

    /// The key as it was written, unless it was written as null.
    pub(super) fn stated(&self, key: Key) -> Option<&Written<'a>> {
        self.slots.of(key).filter(|written| !is_null(written.value))
    }

    /// Forgets what was said of a key.
    pub(super) fn forget(&mut self, key: Key) {
        self.slots.take(key);
        self.values[key as usize] = None;
    }

    /// The value that was written and says something.
    pub(super) fn value(&self, key: Key) -> Option<&Typed<'a>> {
        self.values[key as usize].as_ref()
    }

    /// Whether the value was rejected, so that nothing can be concluded from it.
    pub(super) fn is_broken(&self, key: Key) -> bool {
        self.value(key) == Some(&Typed::Broken)
    }

    /// The owner of what was written: the task, or `defaults`.
    pub(super) fn owner(&self, key: Key) -> Subject<'a> {
        match self.slots.of(key) {
            Some(written) if written.is_inherited => Subject::Defaults,
            Some(_) | None => self.subject,
        }
    }

    pub(super) fn boolean(&self, key: Key) -> bool {
        matches!(self.value_or_default(key), Some(Typed::Boolean(true)))
    }

    /// A number; one that was rejected counts as 0.
    pub(super) fn integer(&self, key: Key) -> i64 {
        match self.value_or_default(key) {
            Some(Typed::Integer(number)) => *number,
            Some(_) | None => 0,
        }
    }

    pub(super) fn duration(&self, key: Key) -> Option<Duration> {
        match self.value_or_default(key) {
            Some(Typed::Duration(duration)) => Some(*duration),
            Some(_) | None => None,
        }
    }

    pub(super) fn word(&self, key: Key) -> Option<&'static str> {
        match self.value_or_default(key) {
            Some(Typed::Word(word)) => Some(word),
            Some(_) | None => None,
        }
    }

    pub(super) fn text(&self, key: Key) -> Option<&'a str> {
        match self.value_or_default(key) {
            Some(Typed::Text(text)) => Some(text),
            Some(_) | None => None,
        }
    }

    pub(super) fn value_or_default(&self, key: Key) -> Option<&Typed<'a>> {
        self.value(key).or(key.info().default.as_ref())
    }
}

fn read_one<'a>(
    info: &'static KeyInfo,
    written: &Written<'a>,
    subject: Subject<'_>,
    findings: &mut Findings<'_>,
) -> Option<Typed<'a>> {
    // Standard error is the one key for which null is a value: its default is another.
    if is_null(written.value) && !matches!(info.kind, Kind::Stderr) {
        return None;
    }
    read(info.kind, written.value, &Place::new(subject, written.path), findings)
}

/// Whether a value is made of what `defaults` and maybe the script say together.
fn is_merged(kind: Kind, mine: Option<&Written<'_>>, theirs: &Written<'_>) -> bool {
    matches!(kind, Kind::Merged(_))
        && theirs.value.as_object().is_some()
        && mine.is_none_or(|mine| mine.value.as_object().is_some())
}

fn merged<'a>(
    kind: Kind,
    mine: Option<&Written<'a>>,
    theirs: &Written<'a>,
    subject: Subject<'_>,
    findings: &mut Findings<'_>,
) -> Option<Typed<'a>> {
    let Kind::Merged(what) = kind else { return None };
    let mut layers = vec![(Subject::Defaults, theirs.value)];
    layers.extend(mine.map(|mine| (subject, mine.value)));
    let path = mine.map_or(theirs.path, |mine| mine.path);
    Some(object(what, &layers, &Place::new(subject, path), findings))
}
