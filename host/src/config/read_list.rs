//! Values that are lists: commands, exit codes, paths, dependencies.

use super::findings::{Findings, Place, quoted};
use super::members::members;
use super::nearest::did_you_mean;
use super::read::{Misfit, alternatives, integer, path, reject, text};
use super::typed::{Dependency, Kind, Typed};
use bansuri_core::Condition;
use jsonc_parser::ast::Value;
use jsonc_parser::common::Ranged;
use std::collections::BTreeSet;

/// A command: a line or an array of words, or (`Kind::Words`) a line that is split into words here.
pub(super) fn words<'a>(
    kind: Kind,
    value: &'a Value<'a>,
    place: &Place<'_>,
    findings: &mut Findings<'_>,
) -> Typed<'a> {
    let is_split = matches!(kind, Kind::Words);
    let expected = || match is_split {
        true => Misfit::new("a command"),
        false => Misfit::new("a command, or an array of a program and its arguments"),
    };
    match value {
        Value::StringLit(_) => match text(value) {
            Err(misfit) => reject(misfit, value, place, findings),
            Ok(line) if line.trim().is_empty() => reject(expected(), value, place, findings),
            Ok(line) if is_split => match shlex::split(line) {
                Some(words) if words.first().is_some_and(|program| !program.is_empty()) => {
                    Typed::Words(words)
                }
                Some(_) => reject(expected(), value, place, findings),
                None => {
                    let misfit = Misfit::new("a command whose quotes are closed");
                    reject(misfit, value, place, findings)
                }
            },
            Ok(line) => Typed::Text(line),
        },
        Value::Array(array) if !is_split && !array.elements.is_empty() => {
            let mut words = Vec::with_capacity(array.elements.len());
            for (index, element) in array.elements.iter().enumerate() {
                let word = text(element).and_then(|word| match word {
                    "" if index == 0 => Err(Misfit::new("a program")),
                    word => Ok(word),
                });
                match word {
                    Ok(word) => words.push(word.to_owned()),
                    Err(misfit) => {
                        reject(misfit, element, &place.index(index), findings);
                    }
                }
            }
            if words.len() == array.elements.len() { Typed::Words(words) } else { Typed::Broken }
        }
        Value::Array(_)
        | Value::NumberLit(_)
        | Value::BooleanLit(_)
        | Value::Object(_)
        | Value::NullKeyword(_) => reject(expected(), value, place, findings),
    }
}

/// Exit codes that count as success.
pub(super) fn codes<'a>(value: &'a Value<'a>, place: &Place<'_>, findings: &mut Findings<'_>) -> Typed<'a> {
    let Some(array) = value.as_array().filter(|array| !array.elements.is_empty()) else {
        let help =
            integer(value, i32::MIN.into(), i32::MAX.into()).ok().map(|code| format!("write [{code}]"));
        let misfit = Misfit::new("an array of exit codes, such as [0, 2]").help(help);
        return reject(misfit, value, place, findings);
    };
    let mut codes = BTreeSet::new();
    let mut is_broken = false;
    for (index, element) in array.elements.iter().enumerate() {
        match integer(element, i32::MIN.into(), i32::MAX.into()) {
            Ok(code) => {
                codes.insert(i32::try_from(code).expect("within the bounds just given"));
            }
            Err(_) => {
                reject(Misfit::new("an exit code such as 0"), element, &place.index(index), findings);
                is_broken = true;
            }
        }
    }
    if is_broken { Typed::Broken } else { Typed::Codes(codes) }
}

/// Folders, as written.
pub(super) fn paths<'a>(value: &'a Value<'a>, place: &Place<'_>, findings: &mut Findings<'_>) -> Typed<'a> {
    let Some(array) = value.as_array() else {
        return reject(Misfit::new("an array of folders"), value, place, findings);
    };
    let mut paths = Vec::with_capacity(array.elements.len());
    for (index, element) in array.elements.iter().enumerate() {
        match path(element) {
            Ok(path) => paths.push(path),
            Err(misfit) => {
                reject(misfit, element, &place.index(index), findings);
            }
        }
    }
    if paths.len() == array.elements.len() { Typed::Paths(paths) } else { Typed::Broken }
}

/// What may be waited for.
pub(super) const CONDITIONS: &[&str] = &["completed", "started", "healthy"];

/// An array of names and of objects, or one object. A name alone waits for success.
pub(super) fn dependencies<'a>(
    value: &'a Value<'a>,
    place: &Place<'_>,
    findings: &mut Findings<'_>,
) -> Typed<'a> {
    let mut list = Vec::new();
    let is_whole = match value {
        Value::Object(_) => conditions(value, place, &mut list, findings),
        Value::Array(array) => {
            let mut is_whole = true;
            for (index, element) in array.elements.iter().enumerate() {
                let place = place.index(index);
                is_whole &= match element {
                    Value::StringLit(name) => {
                        let condition = Condition::Completed;
                        list.push(Dependency { name: &name.value, condition, span: name.range });
                        true
                    }
                    Value::Object(_) => conditions(element, &place, &mut list, findings),
                    Value::Array(_) | Value::NumberLit(_) | Value::BooleanLit(_) | Value::NullKeyword(_) => {
                        reject(
                            Misfit::new("a task's name or { name: condition }"),
                            element,
                            &place,
                            findings,
                        );
                        false
                    }
                };
            }
            is_whole
        }
        Value::StringLit(_) | Value::NumberLit(_) | Value::BooleanLit(_) | Value::NullKeyword(_) => {
            let help = value.as_string_lit().map(|name| format!("write [{}]", quoted(&name.value)));
            reject(Misfit::new("an array of tasks' names").help(help), value, place, findings);
            false
        }
    };
    if is_whole { Typed::Dependencies(list) } else { Typed::Broken }
}

fn conditions<'a>(
    value: &'a Value<'a>,
    place: &Place<'_>,
    list: &mut Vec<Dependency<'a>>,
    findings: &mut Findings<'_>,
) -> bool {
    let Some(object) = value.as_object() else { return false };
    let mut is_whole = true;
    for member in members(object, false, place.subject, findings) {
        let place = place.field(place.subject, member.written);
        let condition = member.value.as_string_lit().and_then(|text| match &*text.value {
            "completed" => Some(Condition::Completed),
            "started" => Some(Condition::Started),
            "healthy" => Some(Condition::Healthy),
            _ => None,
        });
        match condition {
            Some(condition) => {
                list.push(Dependency { name: member.written, condition, span: member.key.range() })
            }
            None => {
                let help = member
                    .value
                    .as_string_lit()
                    .and_then(|text| did_you_mean(&text.value, CONDITIONS.iter().copied()));
                reject(Misfit::new(alternatives(CONDITIONS)).help(help), member.value, &place, findings);
                is_whole = false;
            }
        }
    }
    is_whole
}
