//! The JSON Schema of `scripts.json`, for editors, from the table that the checker reads by.

use super::keys::{GROUPS, Key, KeyInfo, NOTIFIER, NOTIFY_GROUP, PLUGINS, ROOT, TABLE};
use super::reference::default_json;
use super::schema_kinds::{Properties, fields, notifiers, of_kind, or_null, spellings};
use super::schema_plugins::{self, PluginType};
use super::slots::{Entry, entries};
use super::typed::{Kind, Merged};
use serde_json::{Map, Value, json};

/// The schema (draft 2020-12), as JSON on several lines.
///
/// What it refuses, the checker refuses as well. The checker finds more: conflicts, names that do not exist, a key that is
/// written twice. Unknown keys are left to its warnings, as those of later versions must not make a file invalid.
pub fn json_schema() -> String {
    json_schema_with(&[]).0
}

/// The same schema with what is known of these types: the options of a task or notifier that names one of them are
/// described and checked by the type's own schema. With it come fragments, one for each schema that cannot be included.
pub fn json_schema_with(types: &[PluginType]) -> (String, Vec<String>) {
    let mut schema = root();
    schema["$defs"] = Value::Object(definitions());
    let faults = schema_plugins::include(types, &mut schema);
    (format!("{schema:#}\n"), faults)
}

pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

fn root() -> Value {
    let mut properties = Properties::default();
    for root in ROOT {
        let schema = match (root.name, root.kind) {
            (_, Some(kind)) => or_null(of_kind(kind)),
            ("defaults", None) => reference("defaults"),
            ("notify-command", None) => or_null(of_kind(Kind::Words)),
            ("notifiers", None) => or_null(notifiers(&fields(NOTIFIER, true))),
            ("plugins", None) => or_null(fields(PLUGINS, true)),
            ("scripts", None) => json!({ "type": "array", "items": reference("script") }),
            (name, None) => unreachable!("the root key {name} has neither a kind nor a reader"),
        };
        properties.add(root.name, described(schema, root.description));
    }
    let mut schema = properties.into_object(json!("object"));
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("Bansuri's scripts.json");
    schema["required"] = json!(["scripts"]);
    // What `defaults` gives to all scripts, each may lack.
    schema["allOf"] = json!([
        {
            "if": { "required": ["defaults"], "properties": { "defaults": has("command") } },
            "else": { "properties": { "scripts": { "items": has("command") } } },
        },
        {
            "if": { "not": { "required": ["defaults"] } },
            "then": { "properties": { "scripts": { "items": reference("whole-objects") } } },
        },
    ]);
    schema
}

/// An object with a key of the group `general`.
pub(super) fn has(key: &str) -> Value {
    json!({ "type": "object", "anyOf": [
        { "required": [key] },
        { "required": ["general"], "properties": { "general": { "type": "object", "required": [key] } } },
    ] })
}

fn described(mut schema: Value, description: &str) -> Value {
    schema["description"] = json!(description);
    schema
}

fn definitions() -> Map<String, Value> {
    let mut definitions = Map::new();
    for info in TABLE {
        let schema = match info.key {
            // Who takes them back has none.
            Key::Name | Key::Command => of_kind(info.kind),
            _ => or_null(of_kind(info.kind)),
        };
        let mut schema = described(schema, info.description);
        if let Some(default) = default_json(info) {
            schema["default"] = default;
        }
        definitions.insert(name_of(info).to_owned(), schema);
    }
    for is_default in [false, true] {
        let script: &'static [&'static str] = &[];
        for group in std::iter::once(script).chain(GROUPS.iter().copied()) {
            definitions.insert(name_of_object(group, is_default), object(group, is_default));
        }
    }
    definitions.insert("whole-objects".to_owned(), whole_objects());
    definitions
}

fn name_of(info: &KeyInfo) -> &'static str {
    info.flat.unwrap_or(info.grouped)
}

fn name_of_object(group: &[&str], is_default: bool) -> String {
    let whole = if is_default { "defaults" } else { "script" };
    std::iter::once(whole).chain(group.iter().copied()).collect::<Vec<_>>().join(".")
}

/// A script, `defaults`, or a group of one of them.
fn object(group: &'static [&'static str], is_default: bool) -> Value {
    let mut properties = Properties::default();
    for (name, entry) in entries(group) {
        let schema = match entry {
            Entry::Key(info, _) if is_default && info.key == Key::Name => json!(false),
            Entry::Key(info, _) if is_default && info.key == Key::Command => {
                json!({ "anyOf": [reference(name_of(info)), { "type": "null" }] })
            }
            Entry::Key(info, _) => reference(name_of(info)),
            Entry::Group(inner) => reference(&name_of_object(inner, is_default)),
        };
        properties.add(name, schema);
    }
    let types = match group {
        [] if !is_default => json!("object"),
        // The handler may stand in place of its group.
        group if group == NOTIFY_GROUP => json!(["object", "string", "null"]),
        _ => json!(["object", "null"]),
    };
    let mut object = properties.into_object(types);
    if group.is_empty() && !is_default {
        object["anyOf"] = has("name")["anyOf"].clone();
    }
    if entries(group).iter().any(|(_, entry)| matches!(entry, Entry::Key(info, _) if info.key == Key::Params))
    {
        object["allOf"] = json!([
            scheduled("timer", Kind::Interval, is_default),
            scheduled("cron", Kind::Cron, is_default),
        ]);
    }
    object
}

/// What `params` is with a scheduler. In `defaults` it may be left to the scripts.
fn scheduled(scheduler: &str, params: Kind, is_default: bool) -> Value {
    let mut then = json!({ "properties": { "params": or_null(of_kind(params)) } });
    if !is_default {
        then["required"] = json!(["params"]);
    }
    let is_it = json!({ "required": ["scheduler"], "properties": { "scheduler": { "const": scheduler } } });
    json!({ "if": is_it, "then": then })
}

/// A script whose objects have all they must have, with no `defaults` to complete them.
fn whole_objects() -> Value {
    let (mut script, mut groups) = (Map::new(), Map::new());
    for info in TABLE {
        let Kind::Merged(Merged::Fields(table)) = info.kind else { continue };
        let required: Vec<_> = table.iter().filter(|field| field.required).map(|field| field.name).collect();
        let (Some(flat), [group, ..], false) = (info.flat, info.group, required.is_empty()) else { continue };
        let names = [flat, info.grouped].into_iter().flat_map(spellings).collect::<Vec<_>>().join("|");
        let key = json!({ format!("^({names})$"): { "required": required } });
        let in_group = format!("^({})$", spellings(group).join("|"));
        groups.insert(in_group, json!({ "patternProperties": key }));
        if let Value::Object(key) = key {
            script.extend(key);
        }
    }
    script.extend(groups);
    json!({ "patternProperties": script })
}
