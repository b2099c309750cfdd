//! The part of a schema that an error is about.

use super::layers::Step;
use super::schema::Document;
use super::validator::ADDRESS;
use percent_encoding::percent_decode_str;
use serde_json::Value;

#[derive(Clone)]
pub(super) struct Part<'d> {
    /// `None`: it was not found, as the schema leads to it in a way that is not followed here.
    pub(super) node: Option<&'d Value>,
    /// The innermost one on the way to it.
    pub(super) description: Option<&'d Value>,
    /// Whether the value is not to be shown.
    pub(super) is_secret: bool,
    /// Where the values lie that it is about; `None`: every member or element.
    values: Vec<Option<String>>,
    /// The keyword, if names follow it that are not keywords.
    names_of: Option<String>,
    /// The names that lead to it from the root.
    way: Vec<String>,
}

impl<'d> Part<'d> {
    pub(super) fn root(document: &'d Document) -> Self {
        Self::of(document.root())
    }

    /// A part that nothing is known about but itself.
    pub(super) fn of(node: &'d Value) -> Self {
        let description = node.get("description").filter(|text| text.is_string());
        let (values, way) = (Vec::new(), Vec::new());
        Self { node: Some(node), description, is_secret: is_secret(node), values, names_of: None, way }
    }

    /// The part at an address that the validator came to from here.
    pub(super) fn to(&self, document: &'d Document, address: &str) -> Self {
        let Some(way) = way(address) else { return Self { node: None, ..self.clone() } };
        let mut part = self.clone();
        match way.strip_prefix(self.way.as_slice()) {
            Some(further) => further.iter().for_each(|name| part.enter(name)),
            None => {
                let root = Some(document.root());
                let node = way.iter().fold(root, |node, name| node.and_then(|node| inside(node, name)));
                part.arrive(node);
            }
        }
        Self { way, names_of: None, ..part }
    }

    /// The part that it is written in.
    pub(super) fn around(&self, document: &'d Document) -> Option<&'d Value> {
        let (_, way) = self.way.split_last()?;
        way.iter().try_fold(document.root(), |node, name| inside(node, name))
    }

    /// The keyword, or the name under it, that it is written at.
    pub(super) fn name(&self) -> Option<&str> {
        self.way.last().map(String::as_str)
    }

    fn enter(&mut self, name: &str) {
        let node = self.node.and_then(|node| inside(node, name));
        match (self.names_of.take().as_deref(), name) {
            (Some("properties" | "prefixItems"), name) => self.values.push(Some(name.to_owned())),
            (Some("patternProperties"), _)
            | (None, "additionalProperties" | "unevaluatedProperties" | "items" | "unevaluatedItems") => {
                self.values.push(None);
            }
            (None, "properties") => {
                // What was said so far was said of what is around it. What is inside a secret is one.
                self.description = None;
                self.names_of = Some(name.to_owned());
                self.node = node;
                return;
            }
            (None, "patternProperties" | "prefixItems" | "$defs" | "definitions" | "dependentSchemas") => {
                self.names_of = Some(name.to_owned());
            }
            (Some(_) | None, _) => {}
        }
        self.arrive(node);
    }

    /// The objects that it is about and that have a member of this name.
    pub(super) fn objects_with(&self, name: &str, options: &Value) -> Vec<Vec<Step>> {
        let mut found = vec![(Vec::new(), options)];
        for step in &self.values {
            let inner = found.iter().flat_map(|(path, value)| children(path, value, step.as_deref()));
            found = inner.collect();
        }
        let with = found.into_iter().filter(|(_, value)| value.get(name).is_some());
        with.map(|(path, _)| path).collect()
    }

    fn arrive(&mut self, node: Option<&'d Value>) {
        self.node = node;
        let Some(node) = node else { return };
        self.description = node.get("description").filter(|text| text.is_string()).or(self.description);
        self.is_secret |= is_secret(node);
    }
}

pub(super) fn is_secret(part: &Value) -> bool {
    part.get("writeOnly") == Some(&Value::Bool(true))
}

fn children<'v>(path: &[Step], value: &'v Value, name: Option<&str>) -> Vec<(Vec<Step>, &'v Value)> {
    let reached = |step: Step, value| ([path, &[step]].concat(), value);
    match value {
        Value::Object(members) => {
            let named = members.iter().filter(|(key, _)| name.is_none_or(|name| *key == name));
            named.map(|(key, value)| reached(Step::Member(key.clone()), value)).collect()
        }
        Value::Array(elements) => {
            let index: Option<usize> = name.and_then(|name| name.parse().ok());
            let numbered =
                elements.iter().enumerate().filter(|(at, _)| index.is_none_or(|index| *at == index));
            numbered.map(|(at, value)| reached(Step::Element(at), value)).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

fn inside<'d>(node: &'d Value, name: &str) -> Option<&'d Value> {
    match node {
        Value::Array(elements) => elements.get(name.parse::<usize>().ok()?),
        node => node.get(name),
    }
}

/// The names in an address, if it is one in the schema.
fn way(address: &str) -> Option<Vec<String>> {
    let (_, pointer) = address.strip_prefix(ADDRESS)?.split_once('#')?;
    let names = pointer.split('/').skip(1);
    let decoded = names.map(|name| percent_decode_str(name).decode_utf8_lossy());
    Some(decoded.map(|name| name.replace("~1", "/").replace("~0", "~")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_it_is_written() {
        let names = way("schema:/#/properties/a%20b~1c%25~0/anyOf/1").expect("it is inside");
        assert_eq!(names, ["properties", "a b/c%~", "anyOf", "1"]);
        assert_eq!(way("schema:/#").expect("it is the root"), [""; 0]);
        assert_eq!(way("https://json-schema.org/draft/2020-12/schema#"), None);
    }
}
