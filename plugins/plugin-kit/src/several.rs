//! One of something, or a list.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;

/// At least one: written as itself, or as a list that is not empty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Several<T>(Vec<T>);

impl<T> Several<T> {
    /// In the order in which they are written.
    pub fn all(&self) -> &[T] {
        &self.0
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Several<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Read as JSON first: an untagged enum would answer with a word of its own instead of what is wrong inside.
        let items = match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::Array(items) if items.is_empty() => {
                return Err(D::Error::custom("an empty list, expected at least one"));
            }
            serde_json::Value::Array(items) => items,
            one => vec![one],
        };
        let items = items.into_iter().map(|item| serde_json::from_value(item).map_err(D::Error::custom));
        items.collect::<Result<_, _>>().map(Self)
    }
}

impl<T: JsonSchema> JsonSchema for Several<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Several_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let item = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [item, { "type": "array", "items": item, "minItems": 1 }] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Size;

    #[test]
    fn one_or_a_list() {
        for (json, expect) in [
            ("1", Ok(vec![1])),
            ("[1, \"2K\"]", Ok(vec![1, 2048])),
            ("[]", Err("an empty list, expected at least one")),
            ("[1, \"x\"]", Err("\"x\": expected a size such as 4096, 64K, 1M or 5G")),
            ("\"x\"", Err("\"x\": expected a size such as 4096, 64K, 1M or 5G")),
            ("[[1]]", Err("expected a size such as 4096, 64K, 1M or 5G")),
        ] {
            let read = bansuri_plugin_test::read::<Several<Size>>(&json.parse().unwrap());
            let sizes = read.map(|sizes| sizes.all().iter().map(|size| size.bytes()).collect::<Vec<_>>());
            assert_eq!(sizes, expect.map_err(str::to_owned), "{json}");
        }
    }
}
