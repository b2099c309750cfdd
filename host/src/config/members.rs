//! The members of an object, each once.

use super::findings::{Findings, Subject, quoted};
use jsonc_parser::ast::{Object, Value};
use jsonc_parser::common::{Range, Ranged};
use std::borrow::Cow;
use std::collections::HashMap;

/// One key and its value.
pub(super) struct Member<'a> {
    /// The name as Bansuri spells it: with `-` where the object is its own.
    pub(super) name: Cow<'a, str>,
    /// As in the file.
    pub(super) written: &'a str,
    pub(super) key: Range,
    pub(super) value: &'a Value<'a>,
}

/// The members in the order of the file. A name that was there before is reported and left out; with `is_ours`, `-` and
/// `_` are one.
pub(super) fn members<'a>(
    object: &'a Object<'a>,
    is_ours: bool,
    subject: Subject<'_>,
    findings: &mut Findings<'_>,
) -> Vec<Member<'a>> {
    /// Below this, looking through the list is faster than hashing.
    const FEW: usize = 24;
    let mut members: Vec<Member<'a>> = Vec::with_capacity(object.properties.len());
    let mut places: HashMap<Cow<'a, str>, usize> = HashMap::new();
    for property in &object.properties {
        let written = property.name.as_str();
        let name = match is_ours {
            true if written.contains('_') => Cow::Owned(written.replace('_', "-")),
            true | false => Cow::Borrowed(written),
        };
        let first = if object.properties.len() <= FEW {
            members.iter().position(|member| member.name == name)
        } else {
            let next = members.len();
            let place = *places.entry(name.clone()).or_insert(next);
            (place != next).then_some(place)
        };
        let key = property.name.range();
        match first {
            Some(first) => {
                duplicate(written, key, members[first].written, members[first].key, subject, findings)
            }
            None => members.push(Member { name, written, key, value: &property.value }),
        }
    }
    members
}

/// Reports a key that was written before, maybe in other letters.
pub(super) fn duplicate(
    written: &str,
    key: Range,
    first: &str,
    first_key: Range,
    subject: Subject<'_>,
    findings: &mut Findings<'_>,
) {
    let line = findings.line(first_key.start);
    let spelled = if first == written { String::new() } else { format!(" as {}", quoted(first)) };
    let message = format!("{subject}key {} is written twice, first on line {line}{spelled}", quoted(written));
    findings.at(subject, "duplicate-key", key, message, None);
}
