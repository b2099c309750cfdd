//! What a part of a schema accepts, in words.

use super::schema::Document;
use serde_json::Value;

/// More than these of a kind are not listed.
const MOST: usize = 16;
/// Schemas may contain themselves.
const DEEPEST: usize = 8;

/// `a whole number, 1 or more, or text such as "10s"`. `None`: nothing that could be said in a line.
pub(super) fn expected(document: &Document, part: &Value) -> Option<String> {
    let literals = literals(document, part);
    // That nothing may be said goes without saying.
    let mut forms: Vec<String> =
        literals.iter().filter(|l| !l.is_null()).take(MOST).map(|l| l.to_string()).collect();
    for alternative in alternatives(document, part).into_iter().filter(|part| !lists_values(part)) {
        for name in types(alternative) {
            let form = form(alternative, name);
            if !form.is_empty() && !forms.contains(&form) {
                forms.push(form);
            }
        }
    }
    let is_long = forms.len() > literals.len().max(2) || forms.iter().any(|form| form.contains(", "));
    let comma = if is_long { ", or " } else { " or " };
    match forms.split_last() {
        Some((last, [])) => Some(last.clone()),
        Some((last, rest)) => Some(format!("{}{comma}{last}", rest.join(", "))),
        None => (!literals.is_empty()).then(|| "null".to_owned()),
    }
}

fn lists_values(part: &Value) -> bool {
    part.get("const").is_some() || part.get("enum").is_some()
}

/// The values that a part lists one by one, in all of its alternatives.
pub(super) fn literals<'d>(document: &'d Document, part: &'d Value) -> Vec<&'d Value> {
    let mut literals = Vec::new();
    for alternative in alternatives(document, part) {
        literals.extend(alternative.get("const"));
        literals.extend(alternative.get("enum").and_then(Value::as_array).into_iter().flatten());
    }
    literals
}

/// The parts of which one has to fit, without those that are made of others.
pub(super) fn alternatives<'d>(document: &'d Document, part: &'d Value) -> Vec<&'d Value> {
    let mut found = Vec::new();
    add_alternatives(document, part, 0, &mut found);
    found
}

fn add_alternatives<'d>(document: &'d Document, part: &'d Value, depth: usize, found: &mut Vec<&'d Value>) {
    let part = document.resolve(part);
    let branches = ["anyOf", "oneOf"].iter().find_map(|keyword| part.get(keyword)?.as_array());
    match branches {
        Some(branches) if depth < DEEPEST => {
            for branch in branches {
                add_alternatives(document, branch, depth + 1, found);
            }
        }
        Some(_) | None => found.push(part),
    }
}

/// The types that a part names; where it names none, the one that its other keywords are about.
pub(super) fn types(part: &Value) -> Vec<&str> {
    match part.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        Some(_) => Vec::new(),
        None => {
            let speaks_of = |keywords: &[&str]| keywords.iter().any(|keyword| part.get(keyword).is_some());
            let implied = [
                ("string", speaks_of(&["pattern", "minLength", "maxLength"])),
                ("number", speaks_of(&["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"])),
                ("object", speaks_of(&["properties", "required", "additionalProperties"])),
                ("array", speaks_of(&["items", "minItems", "maxItems"])),
            ];
            implied.into_iter().filter(|(_, is_implied)| *is_implied).map(|(name, _)| name).collect()
        }
    }
}

fn form(part: &Value, name: &str) -> String {
    match name {
        "integer" => format!("a whole number{}", range(part)),
        "number" => format!("a number{}", range(part)),
        "string" => format!("text{}", of_text(part)),
        "boolean" => "true or false".to_owned(),
        "array" => match part.get("minItems").and_then(Value::as_u64) {
            Some(1..) => "an array that is not empty".to_owned(),
            Some(0) | None => "an array".to_owned(),
        },
        "object" => "an object".to_owned(),
        _ => String::new(),
    }
}

fn range(part: &Value) -> String {
    let number = |keyword: &str| part.get(keyword).filter(|limit| limit.is_number());
    let whole = part.get("multipleOf").map_or_else(String::new, |of| format!(", a multiple of {of}"));
    // What a 64-bit number can hold anyway is no limit that anybody chose.
    let chosen = |limit: &&Value| limit.as_u64().is_none_or(|limit| limit < i64::MAX.unsigned_abs());
    let range = match (number("minimum"), number("maximum").filter(chosen)) {
        (Some(least), Some(most)) => format!(" from {least} to {most}"),
        (Some(least), None) => format!(", {least} or more"),
        (None, Some(most)) => format!(", {most} or less"),
        (None, None) => String::new(),
    };
    let above = number("exclusiveMinimum").map_or_else(String::new, |limit| format!(" above {limit}"));
    let below = number("exclusiveMaximum").map_or_else(String::new, |limit| format!(" below {limit}"));
    format!("{above}{below}{range}{whole}")
}

fn of_text(part: &Value) -> String {
    let examples = part.get("examples").and_then(Value::as_array);
    let examples: Vec<String> = examples.into_iter().flatten().take(MOST).map(Value::to_string).collect();
    if let Some((last, rest)) = examples.split_last() {
        return match rest {
            [] => format!(" such as {last}"),
            rest => format!(" such as {} or {last}", rest.join(", ")),
        };
    }
    if let Some(pattern) = part.get("pattern").and_then(Value::as_str) {
        return format!(" that matches {pattern}");
    }
    let length = |keyword: &str| part.get(keyword).and_then(Value::as_u64);
    match (length("minLength"), length("maxLength")) {
        (Some(1), None) => " that is not empty".to_owned(),
        (Some(least), None) => format!(" of {least} or more characters"),
        (Some(least), Some(most)) => format!(" of {least} to {most} characters"),
        (None, Some(most)) => format!(" of {most} characters at most"),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(schema: &str, words: Option<&str>) {
        let document = Document::new(schema).expect("it is JSON");
        assert_eq!(expected(&document, document.root()).as_deref(), words, "{schema}");
    }

    #[test]
    fn what_is_accepted() {
        check(r#"{ "type": "integer", "minimum": 1 }"#, Some("a whole number, 1 or more"));
        check(r#"{ "type": "integer", "minimum": 1, "maximum": 9 }"#, Some("a whole number from 1 to 9"));
        check(
            r#"{ "type": "integer", "minimum": 1, "maximum": 18446744073709551615 }"#,
            Some("a whole number, 1 or more"),
        );
        check(r#"{ "type": "number", "exclusiveMinimum": 0 }"#, Some("a number above 0"));
        check(r#"{ "type": ["string", "null"] }"#, Some("text"));
        check(r#"{ "type": "string", "minLength": 1 }"#, Some("text that is not empty"));
        check(r#"{ "type": "string", "pattern": "^a$" }"#, Some("text that matches ^a$"));
        check(r#"{ "type": "array", "minItems": 1 }"#, Some("an array that is not empty"));
        check(r#"{ "type": "string", "enum": ["a", "b", "c"] }"#, Some(r#""a", "b" or "c""#));
        check(r#"{ "oneOf": [{ "const": "a" }, { "enum": ["b", 1] }] }"#, Some(r#""a", "b" or 1"#));
        check(r#"{ "const": null }"#, Some("null"));
        check(r#"{ "pattern": "^a$" }"#, Some("text that matches ^a$"));
        check("{}", None);
        check("true", None);
        check(
            r##"{ "anyOf": [{ "$ref": "#/$defs/d" }, { "type": "null" }], "$defs": { "d": {
                "anyOf": [{ "type": "integer", "minimum": 1 }, { "type": "string", "examples": ["5s", "1m"] }] } } }"##,
            Some(r#"a whole number, 1 or more, or text such as "5s" or "1m""#),
        );
        check(
            r#"{ "anyOf": [{ "type": "boolean" }, { "enum": ["auto"] }] }"#,
            Some(r#""auto" or true or false"#),
        );
        check(r##"{ "anyOf": [{ "$ref": "#" }, { "type": "integer" }] }"##, Some("a whole number"));
    }
}
