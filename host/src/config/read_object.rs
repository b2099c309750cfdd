//! Values that are objects, merged key by key from `defaults` and the task.

use super::findings::{Findings, Place, Subject, quoted};
use super::keys::Field;
use super::members::members;
use super::nearest::did_you_mean;
use super::read::{Misfit, is_null, opening, read, reject};
use super::typed::{Merged, Typed};
use jsonc_parser::ast::{Object, Value};
use serde_json::Map;
use std::collections::BTreeMap;

/// Reads the object that the layers make together.
pub(super) fn object<'a>(
    what: Merged,
    layers: &[(Subject<'_>, &'a Value<'a>)],
    place: &Place<'_>,
    findings: &mut Findings<'_>,
) -> Typed<'a> {
    let mut objects = Vec::with_capacity(layers.len());
    for (subject, value) in layers {
        match value.as_object() {
            Some(object) => objects.push((*subject, object)),
            None => {
                return reject(
                    Misfit::new("an object"),
                    value,
                    &Place { subject: *subject, ..*place },
                    findings,
                );
            }
        }
    }
    match what {
        Merged::Environment => environment(&objects, place, findings),
        Merged::Options => options(&objects, place, findings),
        Merged::Fields(table) => {
            let missing_at = layers.last().map(|(_, value)| opening(*value));
            let read = fields(table, &objects, place, findings);
            // What `defaults` leaves out, the scripts may add.
            let is_complete = place.subject != Subject::Defaults;
            if let (true, Some(span), Typed::Fields(read)) = (is_complete, missing_at, &read) {
                for field in table.iter().filter(|field| field.required) {
                    if !read.iter().any(|(name, _)| *name == field.name) {
                        let message = format!("{place}.{} is missing", field.name);
                        findings.at(place.subject, "missing-key", span, message, None);
                        return Typed::Broken;
                    }
                }
            }
            read
        }
    }
}

fn fields<'a>(
    table: &'static [Field],
    objects: &[(Subject<'_>, &'a Object<'a>)],
    place: &Place<'_>,
    findings: &mut Findings<'_>,
) -> Typed<'a> {
    let mut values: Vec<Option<(Subject<'_>, &'a Value<'a>)>> = vec![None; table.len()];
    for (subject, object) in objects {
        for member in members(object, true, *subject, findings) {
            match table.iter().position(|field| field.name == member.name) {
                Some(index) => values[index] = Some((*subject, member.value)),
                None => {
                    let place = place.field(*subject, member.written);
                    let help = did_you_mean(&member.name, table.iter().map(|field| field.name));
                    findings.unknown_key(*subject, member.key, format!("{place}: unknown key"), help);
                }
            }
        }
    }
    let mut read_fields = Vec::new();
    for (field, value) in table.iter().zip(values) {
        let Some((subject, value)) = value.filter(|(_, value)| !is_null(value)) else { continue };
        if let Some(value) = read(field.kind, value, &place.field(subject, field.name), findings) {
            read_fields.push((field.name, value));
        }
    }
    if read_fields.iter().any(|(_, value)| *value == Typed::Broken) {
        return Typed::Broken;
    }
    Typed::Fields(read_fields)
}

fn environment<'a>(
    objects: &[(Subject<'_>, &'a Object<'a>)],
    place: &Place<'_>,
    findings: &mut Findings<'_>,
) -> Typed<'a> {
    let mut environment = BTreeMap::new();
    let mut is_broken = false;
    for (subject, object) in objects {
        for member in members(object, false, *subject, findings) {
            let place = place.field(*subject, member.written);
            if member.written.is_empty() || member.written.contains(['=', '\0']) {
                let message = format!("{place}: {} cannot be the name of a variable", quoted(member.written));
                findings.at(*subject, "invalid-value", member.key, message, None);
                is_broken = true;
                continue;
            }
            let value = match member.value {
                Value::StringLit(text) if !text.value.contains('\0') => text.value.to_string(),
                Value::NumberLit(number) => number.value.to_owned(),
                Value::BooleanLit(boolean) => boolean.value.to_string(),
                Value::NullKeyword(_) => {
                    environment.remove(member.written);
                    continue;
                }
                Value::StringLit(_) | Value::Object(_) | Value::Array(_) => {
                    let expected = match member.value.as_string_lit() {
                        Some(_) => "text without a NUL character",
                        None => "text, a number or a boolean",
                    };
                    reject(Misfit::new(expected), member.value, &place, findings);
                    is_broken = true;
                    continue;
                }
            };
            environment.insert(member.written.to_owned(), value);
        }
    }
    if is_broken { Typed::Broken } else { Typed::Environment(environment) }
}

fn options<'a>(
    objects: &[(Subject<'_>, &'a Object<'a>)],
    place: &Place<'_>,
    findings: &mut Findings<'_>,
) -> Typed<'a> {
    let mut merged = Map::new();
    for (subject, object) in objects {
        match json_object(object, &Place { subject: *subject, ..*place }, findings) {
            Some(layer) => lay_over(&mut merged, layer),
            None => return Typed::Broken,
        }
    }
    Typed::Json(serde_json::Value::Object(merged))
}

/// Objects are merged key by key, everything else is replaced. A null is a value of the plugin's and stays.
fn lay_over(under: &mut Map<String, serde_json::Value>, over: Map<String, serde_json::Value>) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(serde_json::Value::Object(under)), serde_json::Value::Object(over)) => {
                lay_over(under, over)
            }
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

fn json_object(
    object: &Object<'_>,
    place: &Place<'_>,
    findings: &mut Findings<'_>,
) -> Option<Map<String, serde_json::Value>> {
    let mut map = Map::new();
    let mut is_whole = true;
    for member in members(object, false, place.subject, findings) {
        match json(member.value, &place.field(place.subject, member.written), findings) {
            Some(value) => {
                map.insert(member.written.to_owned(), value);
            }
            None => is_whole = false,
        }
    }
    is_whole.then_some(map)
}

/// Any value as it is; `None` if it was rejected.
pub(super) fn json(
    value: &Value<'_>,
    place: &Place<'_>,
    findings: &mut Findings<'_>,
) -> Option<serde_json::Value> {
    Some(match value {
        Value::NullKeyword(_) => serde_json::Value::Null,
        Value::BooleanLit(boolean) => serde_json::Value::Bool(boolean.value),
        Value::StringLit(text) => serde_json::Value::String(text.value.to_string()),
        Value::NumberLit(number) => match number.value.parse::<serde_json::Number>() {
            Ok(number) => serde_json::Value::Number(number),
            Err(_) => {
                reject(Misfit::new("a number that a double can hold"), value, place, findings);
                return None;
            }
        },
        Value::Array(array) => {
            let mut elements = Vec::with_capacity(array.elements.len());
            for (index, element) in array.elements.iter().enumerate() {
                elements.push(json(element, &place.index(index), findings));
            }
            serde_json::Value::Array(elements.into_iter().collect::<Option<_>>()?)
        }
        Value::Object(object) => serde_json::Value::Object(json_object(object, place, findings)?),
    })
}
