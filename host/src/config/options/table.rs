//! The options of a type, for people.

use super::schema::{Document, OptionsSchema, one_line};
use super::words::{alternatives, literals, types};
use serde_json::Value;

/// What is known of one option. All of it is text of the plugin's author, each in one line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OptionRow {
    /// Its name; dots lead into objects: `limits.cpu`.
    pub name: String,
    /// What it may be: `string`, `integer or string`, `"json", "slack"`.
    pub kind: String,
    /// As a configuration would write it; `None`: the schema names none.
    pub default: Option<String>,
    /// Whether it has to be given, in its object.
    pub required: bool,
    /// What it is for; may be empty.
    pub description: String,
}

/// The options that a schema describes: those that have to be given first, then by name, and those of an inner object
/// after the object. The error is a fragment in one line.
pub fn option_rows(schema: &str) -> Result<Vec<OptionRow>, String> {
    let OptionsSchema { document, .. } = OptionsSchema::new(schema)?;
    let mut rows = Vec::new();
    add_members(&document, document.root(), "", &mut rows);
    Ok(rows)
}

/// How deep objects and arrays are looked into: schemas may contain themselves.
const DEEPEST: usize = 3;

fn add_members(document: &Document, object: &Value, prefix: &str, rows: &mut Vec<OptionRow>) {
    let object = document.resolve(object);
    let is_required = |name: &str| {
        let required = object.get("required").and_then(Value::as_array);
        required.is_some_and(|names| names.iter().any(|known| known.as_str() == Some(name)))
    };
    let members = object.get("properties").and_then(Value::as_object).into_iter().flatten();
    let mut members: Vec<_> = members.filter(|(_, member)| **member != Value::Bool(false)).collect();
    members.sort_by_key(|(name, _)| !is_required(name));
    for (name, member) in members {
        let path = format!("{prefix}{name}");
        let description =
            document.annotation(member, "description").and_then(Value::as_str).unwrap_or_default();
        rows.push(OptionRow {
            name: one_line(&path),
            kind: one_line(&kind(document, member, 0)),
            default: document
                .annotation(member, "default")
                .filter(|value| !value.is_null())
                .map(Value::to_string),
            required: is_required(name),
            description: one_line(description),
        });
        if prefix.matches('.').count() < DEEPEST {
            for inner in alternatives(document, member) {
                add_members(document, inner, &format!("{path}."), rows);
            }
        }
    }
}

fn kind(document: &Document, part: &Value, depth: usize) -> String {
    let mut kinds: Vec<String> = Vec::new();
    for literal in literals(document, part).into_iter().filter(|literal| !literal.is_null()) {
        kinds.push(literal.to_string());
    }
    for alternative in alternatives(document, part) {
        if alternative.get("const").is_some() || alternative.get("enum").is_some() {
            continue;
        }
        for name in types(alternative).into_iter().filter(|name| *name != "null") {
            let kind = match (name, alternative.get("items")) {
                ("array", Some(items)) if depth < DEEPEST => {
                    format!("array of {}", kind(document, items, depth + 1))
                }
                (name, _) => name.to_owned(),
            };
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
    }
    if kinds.is_empty() { "any".to_owned() } else { kinds.join(" | ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_has_a_row() {
        let rows = option_rows(
            r##"{ "type": "object", "required": ["url"], "properties": {
                "url": { "type": "string", "description": "what is\n  asked" },
                "wait": { "$ref": "#/$defs/span", "default": "10s", "description": "how long" },
                "codes": { "type": "array", "items": { "type": ["integer", "string"] } },
                "shape": { "oneOf": [{ "const": "a" }, { "const": "b" }], "default": null },
                "limits": { "type": ["object", "null"], "required": ["cpu"],
                            "properties": { "cpu": {}, "never": false } } },
              "$defs": { "span": { "anyOf": [{ "type": "integer" }, { "type": "string" }], "description": "a span" } } }"##,
        );
        let shown: Vec<String> = rows
            .expect("it is a schema")
            .iter()
            .map(|row| {
                let default = row.default.as_deref().unwrap_or("-");
                format!("{} | {} | {default} | {} | {}", row.name, row.kind, row.required, row.description)
            })
            .collect();
        assert_eq!(
            shown,
            [
                "url | string | - | true | what is asked",
                "codes | array of integer | string | - | false | ",
                "limits | object | - | false | ",
                "limits.cpu | any | - | true | ",
                "shape | \"a\" | \"b\" | - | false | ",
                "wait | integer | string | \"10s\" | false | how long",
            ]
        );
    }

    #[test]
    fn a_schema_within_itself_ends() {
        let rows = option_rows(r##"{ "properties": { "a": { "$ref": "#" } } }"##).expect("it is a schema");
        assert_eq!(rows.len(), 4, "{rows:?}");
        assert!(option_rows("true").is_ok_and(|rows| rows.is_empty()));
        assert!(
            option_rows(
                r##"{ "properties": { "a": { "items": { "$ref": "#/properties/a" }, "type": "array" } } }"##
            )
            .is_ok()
        );
        assert!(option_rows("{").is_err());
    }
}
