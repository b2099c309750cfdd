//! What a schema must keep to, so that neither compiling it nor a value takes the host forever or off its stack.

use super::schema::Document;
use serde_json::Value;
use std::collections::HashMap;
use std::ptr::from_ref;

/// The compiler looks for each part among all of them.
const MOST_PARTS: usize = 10_000;
/// It goes through a pattern again for each class of characters in it, such as `\d`.
const LONGEST_PATTERN: usize = 1024;
const MOST_CLASSES: usize = 100;
/// Of all patterns together, in bytes.
const LONGEST_PATTERNS: usize = 16 * 1024;
/// How many parts that speak of the same value may follow each other.
const DEEPEST: usize = 64;
/// How often parts may be gone through for one value.
const HEAVIEST: usize = 10_000;

/// What it takes to hold one value against a part, without what is inside the value.
#[derive(Clone, Copy)]
struct Cost {
    depth: usize,
    weight: usize,
}

/// How many parts may follow each other for one value. The error is a fragment in one line.
pub(super) fn check(document: &Document) -> Result<usize, String> {
    let mut costs = Costs { named: HashMap::new(), document, known: HashMap::new() };
    let (mut objects, mut switches) = (Vec::new(), 0);
    let mut rest = vec![document.root()];
    while let Some(part) = rest.pop() {
        match part {
            Value::Object(members) => {
                objects.push(part);
                costs.name(part);
                rest.extend(members.values());
            }
            Value::Array(elements) => rest.extend(elements),
            Value::Bool(_) => switches += 1,
            Value::Null | Value::Number(_) | Value::String(_) => {}
        }
    }
    let parts = objects.len() + switches;
    if parts > MOST_PARTS {
        return Err(format!("it has {parts} parts, of {MOST_PARTS} at most"));
    }
    let (mut deepest, mut pattern_bytes) = (1, 0);
    for part in objects {
        pattern_bytes += patterns(part)?;
        if pattern_bytes > LONGEST_PATTERNS {
            return Err(format!("its patterns have more than {LONGEST_PATTERNS} bytes"));
        }
        deepest = deepest.max(costs.of(part, 0)?.depth);
    }
    Ok(deepest)
}

/// How long they are together.
fn patterns(part: &Value) -> Result<usize, String> {
    let names = part.get("patternProperties").and_then(Value::as_object).into_iter().flatten();
    let own = part.get("pattern").and_then(Value::as_str).into_iter();
    let mut sum = 0;
    for pattern in own.chain(names.map(|(name, _)| name.as_str())) {
        let (length, classes) = (pattern.len(), pattern.matches('\\').count());
        if length > LONGEST_PATTERN {
            return Err(format!("a pattern has {length} bytes, of {LONGEST_PATTERN} at most"));
        }
        if classes > MOST_CLASSES {
            return Err(format!("a pattern has {classes} backslashes, of {MOST_CLASSES} at most"));
        }
        sum += length;
    }
    Ok(sum)
}

struct Costs<'d> {
    /// The parts that references lead to by name.
    named: HashMap<String, &'d Value>,
    document: &'d Document,
    /// By the address of a part; `None`: it is being found out.
    known: HashMap<*const Value, Option<Cost>>,
}

impl<'d> Costs<'d> {
    fn name(&mut self, part: &'d Value) {
        for (keyword, prefix) in [("$anchor", "#"), ("$dynamicAnchor", "#"), ("$id", "")] {
            if let Some(name) = part.get(keyword).and_then(Value::as_str) {
                self.named.insert(format!("{prefix}{name}"), part);
            }
        }
    }

    fn of(&mut self, part: &'d Value, depth: usize) -> Result<Cost, String> {
        let reference = part.get("$ref").and_then(Value::as_str);
        match self.known.get(&from_ref(part)) {
            Some(Some(cost)) => return Ok(*cost),
            Some(None) => return Err(format!("its part {} leads back to itself", shown(reference))),
            None => {}
        }
        if depth == DEEPEST {
            return Err(too_deep());
        }
        self.known.insert(part, None);
        let mut cost = Cost { depth: 1, weight: 1 };
        for inner in self.beside(part)? {
            let inner = self.of(inner, depth + 1)?;
            cost.depth = cost.depth.max(inner.depth + 1);
            cost.weight = cost.weight.saturating_add(inner.weight);
        }
        if cost.depth > DEEPEST {
            return Err(too_deep());
        }
        if cost.weight > HEAVIEST {
            return Err(format!("more than {HEAVIEST} of its parts speak of one value"));
        }
        self.known.insert(part, Some(cost));
        Ok(cost)
    }

    /// The parts that the same value is held against as well.
    fn beside(&self, part: &'d Value) -> Result<Vec<&'d Value>, String> {
        let mut found = Vec::new();
        for keyword in ["$ref", "$dynamicRef", "$recursiveRef"] {
            let Some(reference) = part.get(keyword).and_then(Value::as_str) else { continue };
            let referred = self.document.named(reference).or_else(|| self.named.get(reference).copied());
            match referred {
                Some(referred) => found.push(referred),
                // The drafts' own schemas are known to the validator.
                None if reference.contains("//json-schema.org/") => {}
                None => {
                    return Err(format!("{reference:?}: it is not in the schema, and nothing is fetched"));
                }
            }
        }
        found.extend(["not", "if", "then", "else"].iter().filter_map(|keyword| part.get(keyword)));
        for keyword in ["allOf", "anyOf", "oneOf"] {
            found.extend(part.get(keyword).and_then(Value::as_array).into_iter().flatten());
        }
        for keyword in ["dependentSchemas", "dependencies"] {
            let members = part.get(keyword).and_then(Value::as_object).into_iter().flatten();
            found.extend(members.map(|(_, member)| member));
        }
        found.retain(|inner| inner.is_object());
        Ok(found)
    }
}

fn shown(reference: Option<&str>) -> String {
    reference.map_or_else(|| "made of others".to_owned(), |reference| format!("{reference:?}"))
}

fn too_deep() -> String {
    format!("more than {DEEPEST} of its parts lead from one to the next for one value")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Map, json};

    fn error(schema: &Value) -> String {
        let document = Document::new(&schema.to_string()).expect("it is JSON");
        check(&document).err().unwrap_or_default()
    }

    /// Definitions of which each is made from the next.
    fn chain(length: usize, part: impl Fn(String) -> Value) -> Value {
        let mut parts: Map<String, Value> =
            (0..length).map(|n| (format!("d{n}"), part(format!("#/$defs/d{}", n + 1)))).collect();
        parts.insert(format!("d{length}"), json!({ "type": "object" }));
        json!({ "$ref": "#/$defs/d0", "$defs": parts })
    }

    #[test]
    fn what_would_take_too_long_or_too_deep_is_refused() {
        assert_eq!(error(&chain(20, |next| json!({ "allOf": [{ "$ref": next }] }))), "");
        for (schema, part) in [
            (chain(4000, |next| json!({ "allOf": [{ "$ref": next }] })), "64"),
            (chain(5000, |next| json!({ "$ref": next })), "64"),
            (chain(20, |next| json!({ "anyOf": [{ "$ref": next }, { "$ref": next }] })), "one value"),
            (json!({ "pattern": r"\d".repeat(100_000) }), "pattern"),
            (json!({ "pattern": r"\d".repeat(200) }), "backslashes"),
            (json!({ "allOf": vec![json!({ "pattern": "a".repeat(1000) }); 20] }), "patterns"),
            (json!({ "prefixItems": vec![json!(true); 20_000] }), "parts"),
            (
                json!({ "properties": { "a": { "anyOf": [{ "$ref": "schema:/#/properties/a" }] } } }),
                "not in the schema",
            ),
            (json!({ "$defs": { "a b": { "$ref": "#/$defs/a%20b" } } }), "leads back"),
            (json!({ "$dynamicAnchor": "a", "anyOf": [{ "$dynamicRef": "#a" }] }), "leads back"),
            (json!({ "anyOf": [{ "$recursiveRef": "#" }] }), "leads back"),
            (json!({ "patternProperties": { r"\d".repeat(100_000): {} } }), "pattern"),
            (json!({ "enum": vec![json!({}); 20_000] }), "parts"),
            (json!({ "allOf": [{ "$ref": "#" }] }), "leads back"),
            (json!({ "$anchor": "a", "anyOf": [{ "$ref": "#a" }] }), "leads back"),
        ] {
            let error = error(&schema);
            assert!(error.contains(part), "{error:?}");
        }
    }

    #[test]
    fn what_contains_itself_inside_a_value_is_fine() {
        assert_eq!(error(&json!({ "properties": { "a": { "$ref": "#" } }, "items": { "$ref": "#" } })), "");
    }
}
