//! The JSON Schema that a type publishes for its options.

use super::validator::Validator;
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// How many references are followed: a schema that is only shown may have a ring.
const LONGEST_CHAIN: usize = 32;

/// A schema that was understood.
pub(in crate::config) struct OptionsSchema {
    pub(in crate::config) document: Document,
    pub(in crate::config) validator: Validator,
}

impl OptionsSchema {
    /// Compiles the text of a schema. What it refers to must be in it: nothing is fetched from anywhere. The error is a
    /// fragment in one line.
    pub(in crate::config) fn new(text: &str) -> Result<Self, String> {
        let document = Document::new(text)?;
        let validator = Validator::new(&document)?;
        Ok(Self { document, validator })
    }
}

/// A schema as a document whose parts refer to each other.
pub(in crate::config) struct Document(Value);

impl Document {
    pub(super) fn new(text: &str) -> Result<Self, String> {
        let value = serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))?;
        Ok(Self(value))
    }

    pub(in crate::config) fn root(&self) -> &Value {
        &self.0
    }

    /// What a part stands for: the part that it refers to, if it refers to one.
    pub(super) fn resolve<'d>(&'d self, part: &'d Value) -> &'d Value {
        self.chain(part).last().unwrap_or(part)
    }

    /// A part, what it refers to, what that refers to, and so on.
    pub(super) fn chain<'d>(&'d self, part: &'d Value) -> impl Iterator<Item = &'d Value> {
        std::iter::successors(Some(part), |part| self.referred(part)).take(LONGEST_CHAIN)
    }

    /// What is said of a part: by itself, or by what it refers to.
    pub(super) fn annotation<'d>(&'d self, part: &'d Value, keyword: &str) -> Option<&'d Value> {
        self.chain(part).find_map(|part| part.get(keyword))
    }

    pub(super) fn referred<'d>(&'d self, part: &Value) -> Option<&'d Value> {
        self.named(part.get("$ref")?.as_str()?)
    }

    /// The part that a reference into this document leads to, as in an address: `#/$defs/a%20b`.
    pub(super) fn named(&self, reference: &str) -> Option<&Value> {
        let pointer = percent_decode_str(reference.strip_prefix('#')?).decode_utf8().ok()?;
        self.0.pointer(&pointer)
    }
}

/// The text of others in one line, without what a terminal would obey, and not longer than a line can bear.
pub(super) fn one_line(text: &str) -> String {
    const LONGEST: usize = 240;
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ").replace(char::is_control, "");
    match text.char_indices().nth(LONGEST) {
        None => text,
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        OptionsSchema::new(text).err().unwrap_or_default()
    }

    #[test]
    fn what_is_no_schema_is_one_line() {
        for (text, part) in [
            ("{", "it is no JSON"),
            (r#"{ "type": "text" }"#, "text"),
            (r#"{ "properties": { "a": { "minimum": "1" } } }"#, "\"1\""),
            (r#"{ "pattern": "(" }"#, "("),
            (r##"{ "$ref": "#" }"##, "leads back to itself"),
            (
                r##"{ "$ref": "#/$defs/a", "$defs": { "a": { "$ref": "#/$defs/b" }, "b": { "$ref": "#/$defs/a" } } }"##,
                "leads back",
            ),
            (r##"{ "$ref": "#/$defs/missing" }"##, "missing"),
            (r#"{ "$schema": "https://example.com/other" }"#, "example.com"),
        ] {
            let error = error(text);
            assert!(error.contains(part) && !error.contains('\n'), "{text}: {error:?}");
        }
        let error = error(r#"{ "properties": { "a": { "pattern": "^(?!x)" } } }"#);
        assert!(error.contains("^(?!x)") && error.contains("look-around"), "{error:?}");
    }

    /// Neither by network nor from a file.
    #[test]
    fn nothing_is_fetched() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("part.json");
        std::fs::write(&file, "true").expect("written");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("it can be asked");
        let port = listener.local_addr().expect("it is bound").port();
        for reference in [format!("file://{}", file.display()), format!("http://127.0.0.1:{port}/part.json")]
        {
            let error = error(&format!(r#"{{ "$ref": "{reference}" }}"#));
            assert!(error.contains(&reference), "{error:?}");
        }
        assert!(listener.accept().is_err(), "nobody asked");
    }
}
