//! What a kind of value looks like, in the words of JSON Schema.
//!
//! A pattern says as much as it can without refusing what the checker takes: how large a number in quotes may be, or
//! what a cron expression's fields may hold, is left to the checker. Patterns are written so that they mean the same in
//! JavaScript and in other dialects.

use super::keys::Field;
use super::notifiers::RESERVED;
use super::read_list::CONDITIONS;
use super::typed::{Kind, Merged};
use bansuri_core::Signal;
use serde_json::{Map, Value, json};

/// Text that an operating system can take.
const TEXT: &str = r"^[^\x00]*$";
const NOT_EMPTY: &str = r"^[^\x00]+$";
const NOT_BLANK: &str = r"^[^\x00]*[^\s\x00][^\x00]*$";
const NAME: &str = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$";
const DURATION: &str =
    "0*[0-9]{1,10}|(0*[0-9]{1,13}ms|0*[0-9]{1,10}s|0*[0-9]{1,9}m|0*[0-9]{1,7}h|0*[0-9]{1,6}d)+";
const DECIMAL: &str = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?";
const SIZE: &str = "[0-9]+[KMGkmg]?";
const CRON_FIELD: &str = "[0-9A-Za-z*/,#?-]+";
/// In whole seconds.
const LONGEST: i64 = i64::MAX / 1_000_000_000;

/// Values of a kind; null is not among them, unless it means something else than that nothing is said.
pub(super) fn of_kind(kind: Kind) -> Value {
    match kind {
        Kind::Name => text(NAME),
        Kind::Text => text(TEXT),
        Kind::Path => text(NOT_EMPTY),
        Kind::Words => text(NOT_BLANK),
        Kind::Boolean => json!({ "enum": [true, false, "true", "false"] }),
        Kind::Integer { min, max } => integer(min, max),
        Kind::Fraction => json!({
            "type": ["number", "string"], "minimum": 0, "maximum": 1, "pattern": whole(DECIMAL),
        }),
        Kind::Step => json!({
            "type": ["number", "string"], "minimum": 0, "pattern": whole(&format!("{DECIMAL}|{DURATION}")),
        }),
        Kind::Word(words) => {
            let spelled = words.iter().flat_map(|word| spellings(word)).collect::<Vec<_>>();
            json!({ "enum": spelled })
        }
        Kind::Duration => duration(0, DURATION),
        Kind::Positive => positive(DURATION, "[1-9]"),
        Kind::Timeout => positive(&format!("none|{DURATION}"), "[1-9]|^none$"),
        Kind::Interval => duration(0, &format!("none|{DURATION}")),
        Kind::Size => json!({
            "type": ["integer", "string"], "minimum": 1, "maximum": i64::MAX,
            "pattern": whole(SIZE), "allOf": [{ "pattern": "[1-9]" }],
        }),
        Kind::Limit => json!({
            "type": ["integer", "string"], "minimum": 0, "maximum": i64::MAX,
            "pattern": whole(&format!("{SIZE}|unlimited")),
        }),
        Kind::Umask => text("^0*[0-7]{1,3}$"),
        Kind::Sha256 => text("^[0-9A-Fa-f]{64}$"),
        Kind::Signal => json!({
            "type": ["integer", "string"], "minimum": 1, "maximum": 64, "pattern": signals(),
        }),
        Kind::Account => json!({
            "type": ["integer", "string"], "minimum": 0, "maximum": u32::MAX - 1,
            "pattern": r"^[^\s:\x00-\x1f\x7f-\x9f]+$",
        }),
        Kind::Cron => text(&format!(r"^\s*(@[A-Za-z]+|{CRON_FIELD}(\s+{CRON_FIELD}){{4,5}})\s*$")),
        Kind::Timezone => text("^[A-Za-z0-9/_+-]+$"),
        // What it may be depends on the scheduler beside it.
        Kind::Params => json!({}),
        Kind::Command => json!({
            "type": ["string", "array"], "pattern": NOT_BLANK, "minItems": 1,
            "prefixItems": [text(NOT_EMPTY)], "items": text(TEXT),
        }),
        Kind::Paths => json!({ "type": "array", "items": text(NOT_EMPTY) }),
        Kind::Codes => json!({
            "type": "array", "minItems": 1, "items": integer(i32::MIN.into(), i32::MAX.into()),
        }),
        Kind::Dependencies => {
            let condition = json!({ "enum": CONDITIONS });
            json!({
                "type": ["array", "object"], "additionalProperties": condition,
                "items": { "type": ["string", "object"], "additionalProperties": condition },
            })
        }
        Kind::Stdout => sink(&["ignore", "inherit"], "^(combined$|\\$\\$)"),
        Kind::Stderr => sink(&["combined", "$$combined", "ignore", "inherit"], "^\\$\\$"),
        Kind::Merged(Merged::Environment) => json!({
            "type": "object", "propertyNames": { "pattern": r"^[^=\x00]+$" },
            "additionalProperties": { "type": ["string", "number", "boolean", "null"], "pattern": TEXT },
        }),
        Kind::Merged(Merged::Options) => json!({ "type": "object" }),
        Kind::Merged(Merged::Fields(table)) => fields(table, false),
    }
}

/// An object of these fields; where it is complete, no `defaults` can add what it lacks.
pub(super) fn fields(table: &[Field], is_complete: bool) -> Value {
    let mut properties = Properties::default();
    for field in table {
        let value = of_kind(field.kind);
        let mut value = if field.required { value } else { or_null(value) };
        value["description"] = json!(field.description);
        properties.add(field.name, value);
    }
    let mut object = properties.into_object(json!("object"));
    if is_complete {
        let required: Vec<_> = table.iter().filter(|field| field.required).map(|field| field.name).collect();
        object["required"] = json!(required);
    }
    object
}

/// The file's `notifiers`, with one schema for each.
pub(super) fn notifiers(one: &Value) -> Value {
    json!({
        "type": "object", "additionalProperties": one,
        "propertyNames": { "pattern": r"^[^\x00-\x1f\x7f-\x9f]+$", "not": { "enum": RESERVED } },
    })
}

/// The same, or null.
pub(super) fn or_null(mut schema: Value) -> Value {
    if let Some(words) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        words.push(Value::Null);
        return schema;
    }
    match schema.get_mut("type") {
        Some(Value::Array(types)) => types.push(json!("null")),
        Some(one) => *one = json!([one.clone(), "null"]),
        // Null was among its values before.
        None => {}
    }
    schema
}

/// The members of one of Bansuri's own objects, each with `-` for completion and in its other spellings.
#[derive(Default)]
pub(super) struct Properties {
    named: Map<String, Value>,
    patterns: Map<String, Value>,
}

impl Properties {
    pub(super) fn add(&mut self, name: &str, schema: Value) {
        let others: Vec<String> = spellings(name).into_iter().skip(1).collect();
        if !others.is_empty() {
            self.patterns.insert(whole(&others.join("|")), schema.clone());
        }
        self.named.insert(name.to_owned(), schema);
    }

    pub(super) fn into_object(self, types: Value) -> Value {
        let mut object = json!({ "type": types, "properties": self.named });
        if !self.patterns.is_empty() {
            object["patternProperties"] = Value::Object(self.patterns);
        }
        object
    }
}

/// A name with `-`, and with `_` in its place wherever it may be.
pub(super) fn spellings(name: &str) -> Vec<String> {
    let mut spelled = vec![String::new()];
    for part in name.split_inclusive('-') {
        let (word, is_last) = match part.strip_suffix('-') {
            Some(word) => (word, false),
            None => (part, true),
        };
        let separators: &[&str] = if is_last { &[""] } else { &["-", "_"] };
        spelled = spelled
            .iter()
            .flat_map(|before| separators.iter().map(move |separator| format!("{before}{word}{separator}")))
            .collect();
    }
    spelled
}

fn whole(pattern: &str) -> String {
    format!("^({pattern})$")
}

fn text(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": pattern })
}

fn integer(min: i64, max: i64) -> Value {
    let pattern = match min {
        ..0 => "^-?[0-9]+$",
        0 => "^(-?0+|[0-9]+)$",
        1.. => "^0*[1-9][0-9]*$",
    };
    json!({ "type": ["integer", "string"], "minimum": min, "maximum": max, "pattern": pattern })
}

fn duration(min: i64, pattern: &str) -> Value {
    json!({ "type": ["integer", "string"], "minimum": min, "maximum": LONGEST, "pattern": whole(pattern) })
}

fn positive(pattern: &str, not_zero: &str) -> Value {
    let mut schema = duration(1, pattern);
    schema["allOf"] = json!([{ "pattern": not_zero }]);
    schema
}

/// Where output goes: null is a place of its own.
fn sink(words: &[&str], no_path: &str) -> Value {
    let mut values: Vec<Value> = words.iter().map(|word| json!(word)).collect();
    values.push(Value::Null);
    json!({ "anyOf": [
        { "enum": values },
        { "type": "string", "pattern": NOT_EMPTY, "not": { "pattern": no_path } },
    ] })
}

/// Names in either case, with or without `SIG`, and numbers.
fn signals() -> String {
    let in_either_case = |name: &str| {
        let letters = name.chars().map(|c| match c.is_ascii_alphabetic() {
            true => format!("[{c}{}]", c.to_ascii_lowercase()),
            false => c.to_string(),
        });
        letters.collect::<String>()
    };
    let names: Vec<String> = Signal::names().iter().map(|name| in_either_case(name)).collect();
    whole(&format!("[+]?0*([1-9]|[1-5][0-9]|6[0-4])|([Ss][Ii][Gg])?({})", names.join("|")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_every_mix_of_both_separators() {
        assert_eq!(spellings("name"), ["name"]);
        assert_eq!(spellings("a-b-c"), ["a-b-c", "a-b_c", "a_b-c", "a_b_c"]);
    }

    #[test]
    fn null_is_added_to_types_and_words() {
        assert_eq!(or_null(json!({ "type": "object" })), json!({ "type": ["object", "null"] }));
        assert_eq!(or_null(json!({ "enum": ["a"] })), json!({ "enum": ["a", null] }));
        assert_eq!(or_null(json!({ "type": ["a", "b"] })), json!({ "type": ["a", "b", "null"] }));
    }
}
