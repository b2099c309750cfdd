//! The keys of one script, brought from flat and grouped spellings into one row.

use super::findings::{Findings, Path, Shown, Subject, plain, quoted};
use super::keys::{GROUPS, Key, KeyInfo, NOTIFY_GROUP, TABLE};
use super::members::{Member, duplicate, members};
use super::nearest::did_you_mean;
use jsonc_parser::ast::{Object, Value};
use jsonc_parser::common::{Range, Ranged};
use std::collections::HashMap;
use std::sync::LazyLock;

/// A key as it was written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written<'a> {
    /// The key's place and its own last word.
    pub(super) key: Range,
    pub(super) name: &'a str,
    pub(super) value: &'a Value<'a>,
    /// How messages name it.
    pub(super) path: Path<'static>,
    /// Whether `defaults` said it.
    pub(super) is_inherited: bool,
}

/// What a script says of each key, by the key's number.
#[derive(Clone, Debug)]
pub(super) struct Slots<'a> {
    slots: Vec<Option<Written<'a>>>,
}

impl<'a> Slots<'a> {
    pub(super) fn empty() -> Self {
        Self { slots: vec![None; TABLE.len()] }
    }

    pub(super) fn of(&self, key: Key) -> Option<&Written<'a>> {
        self.slots[key as usize].as_ref()
    }

    pub(super) fn set(&mut self, key: Key, written: Option<Written<'a>>) {
        self.slots[key as usize] = written;
    }

    pub(super) fn take(&mut self, key: Key) -> Option<Written<'a>> {
        self.slots[key as usize].take()
    }
}

/// What a name in an object of a script is.
#[derive(Clone, Copy)]
pub(super) enum Entry {
    Key(&'static KeyInfo, Path<'static>),
    Group(&'static [&'static str]),
}

/// The names that an object of a script may have, by the object's group; the script itself is the empty one.
static NAMES: LazyLock<HashMap<&'static [&'static str], HashMap<&'static str, Entry>>> =
    LazyLock::new(|| {
        let script: &'static [&'static str] = &[];
        let objects = std::iter::once(script).chain(GROUPS.iter().copied());
        objects.map(|group| (group, entries(group).into_iter().collect())).collect()
    });

/// The names in an object of a script, those of groups last: one of them (`notify`) is a key's too.
pub(super) fn entries(group: &'static [&'static str]) -> Vec<(&'static str, Entry)> {
    let mut entries = Vec::new();
    for info in TABLE {
        // Written with its flat name inside its own group, a key cannot be misunderstood.
        let is_here = group.is_empty() || (group.len() == 1 && info.group.starts_with(group));
        if let Some(flat) = info.flat.filter(|_| is_here) {
            entries.push((flat, Entry::Key(info, Path::Flat(info))));
        }
        if info.group == group && !info.grouped.is_empty() {
            entries.push((info.grouped, Entry::Key(info, Path::Grouped(info))));
        }
    }
    for inner in GROUPS {
        let (name, outer) = inner.split_last().expect("a group has a name");
        // The inner groups may stand in a script as its flat keys do.
        if group.is_empty() || outer == group {
            entries.push((name, Entry::Group(inner)));
        }
    }
    entries
}

/// Reads the names of a script; values are left as they are.
pub(super) fn collect<'a>(
    object: &'a Object<'a>,
    subject: Subject<'_>,
    findings: &mut Findings<'_>,
) -> Slots<'a> {
    let mut slots = Slots::empty();
    let mut resets = Vec::new();
    collect_group(object, &[], subject, &mut slots, &mut resets, findings);
    for (group, written) in resets {
        reset(group, written, &mut slots);
    }
    slots
}

fn collect_group<'a>(
    object: &'a Object<'a>,
    group: &'static [&'static str],
    subject: Subject<'_>,
    slots: &mut Slots<'a>,
    resets: &mut Vec<(&'static [&'static str], Written<'a>)>,
    findings: &mut Findings<'_>,
) {
    let names = &NAMES[group];
    for member in members(object, true, subject, findings) {
        match names.get(&*member.name) {
            Some(Entry::Key(info, path)) => insert(info, *path, &member, subject, slots, findings),
            Some(Entry::Group(inner)) => match member.value {
                Value::Object(object) => collect_group(object, inner, subject, slots, resets, findings),
                Value::NullKeyword(_) => {
                    let (key, name, value) = (member.key, member.written, member.value);
                    let is_inherited = subject == Subject::Defaults;
                    let path = Path::Word(inner[inner.len() - 1]);
                    resets.push((inner, Written { key, name, value, path, is_inherited }));
                }
                Value::StringLit(_) if *inner == NOTIFY_GROUP => {
                    let info = Key::Notify.info();
                    insert(info, Path::Flat(info), &member, subject, slots, findings);
                }
                Value::StringLit(_) | Value::NumberLit(_) | Value::BooleanLit(_) | Value::Array(_) => {
                    let expected =
                        if *inner == NOTIFY_GROUP { "a notifier's name or an object" } else { "an object" };
                    let message =
                        format!("{subject}{} {}: expected {expected}", inner.join("."), Shown(member.value));
                    findings.at(subject, "invalid-value", member.value.range(), message, None);
                }
            },
            None => unknown(group, &member, subject, findings),
        }
    }
}

fn insert<'a>(
    info: &'static KeyInfo,
    path: Path<'static>,
    member: &Member<'a>,
    subject: Subject<'_>,
    slots: &mut Slots<'a>,
    findings: &mut Findings<'_>,
) {
    let is_inherited = subject == Subject::Defaults;
    let written = Written { key: member.key, name: member.written, value: member.value, path, is_inherited };
    match slots.of(info.key) {
        Some(first) => duplicate(member.written, member.key, first.name, first.key, subject, findings),
        None => slots.set(info.key, Some(written)),
    }
}

/// A null in place of a group takes all of it that is not written beside it back to the built-in defaults.
fn reset<'a>(group: &'static [&'static str], written: Written<'a>, slots: &mut Slots<'a>) {
    for info in TABLE.iter().filter(|info| info.group.starts_with(group)) {
        if slots.of(info.key).is_none() {
            slots.set(info.key, Some(written));
        }
    }
}

fn unknown(
    group: &'static [&'static str],
    member: &Member<'_>,
    subject: Subject<'_>,
    findings: &mut Findings<'_>,
) {
    let mut path = group.join(".");
    if !path.is_empty() {
        path.push('.');
    }
    let message = format!("{subject}{path}{}: unknown key", plain(member.written));
    let help = findings.hint(group, &member.name, || hint(group, &member.name));
    findings.unknown_key(subject, member.key, message, help);
}

fn hint(group: &'static [&'static str], name: &str) -> Option<String> {
    // A key that exists elsewhere was put in the wrong place rather than misspelt.
    let is_name = |info: &&KeyInfo| [info.flat.unwrap_or_default(), info.grouped].contains(&name);
    if let Some(info) = TABLE.iter().filter(|_| !name.is_empty()).find(is_name) {
        return Some(match info.grouped {
            "" => "it stands in the script itself".to_owned(),
            _ => format!("it belongs in {}", quoted(&info.group.join("."))),
        });
    }
    // In the order of the table, so that of two words as near the same one is always named.
    let flat = TABLE.iter().filter_map(|info| info.flat);
    let grouped = TABLE.iter().filter(|info| info.group == group).map(|info| info.grouped);
    let groups = GROUPS.iter().filter_map(|group| group.last().copied());
    let known = |name: &&str| NAMES[group].contains_key(name);
    did_you_mean(name, grouped.chain(flat).chain(groups).filter(known))
}
