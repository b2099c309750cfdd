//! The validator that a schema is compiled to.

use super::bounds;
use super::schema::{Document, one_line};
use boon::{CompileError, Compiler, Draft, Format, SchemaIndex, Schemas, UrlLoader, ValidationError};
use serde_json::Value;
use std::error::Error;
use std::thread::Builder;

/// Where the schema is said to be, as its parts are named by addresses.
pub(super) const ADDRESS: &str = "schema:/";

/// A schema in the form that values are held against.
pub(in crate::config) struct Validator {
    schemas: Schemas,
    index: SchemaIndex,
    /// How many of its parts may follow each other for one value.
    depth: usize,
}

/// What the validator takes of the stack for a part, at most: that of a build which is not optimised.
const FRAME: usize = 16 * 1024;
/// What is there on every thread.
const SPARE: usize = 512 * 1024;

impl Validator {
    /// The error is a fragment in one line.
    pub(super) fn new(document: &Document) -> Result<Self, String> {
        let depth = bounds::check(document)?;
        let mut compiler = Compiler::new();
        compiler.set_default_draft(Draft::V2020_12);
        compiler.use_loader(Box::new(Nothing));
        // The library knows these in every draft; those that have them take them for annotations.
        for name in ["duration", "uuid", "period"] {
            compiler.register_format(Format { name, func: |_| Ok(()) });
        }
        let mut schemas = Schemas::new();
        let added = compiler.add_resource(ADDRESS, document.root().clone());
        let compiled = match added {
            Ok(()) => compiler.compile(ADDRESS, &mut schemas),
            Err(error) => Err(error),
        };
        match compiled {
            Ok(index) => Ok(Self { schemas, index, depth }),
            Err(error) => Err(one_line(&told(&error, document).replace(ADDRESS, ""))),
        }
    }

    pub(in crate::config) fn is_valid(&self, value: &Value) -> bool {
        self.error(value).is_none()
    }

    /// Does work that holds a value against the schema, with a stack that is deep enough for it. The error is a
    /// fragment in one line.
    pub(super) fn with_stack<T: Send>(
        &self,
        value: &Value,
        work: impl FnOnce() -> T + Send,
    ) -> Result<T, String> {
        let stack = depth(value).saturating_mul(self.depth).saturating_mul(FRAME);
        if stack <= SPARE {
            return Ok(work());
        }
        let builder = Builder::new().name("options".to_owned()).stack_size(stack + SPARE);
        std::thread::scope(|scope| {
            let thread = builder
                .spawn_scoped(scope, work)
                .map_err(|error| format!("options so deep need a stack of {stack} bytes: {error}"))?;
            thread.join().map_err(|_| "the validator gave up on these options".to_owned())
        })
    }

    /// What is wrong with a value: the root of a tree of errors.
    pub(super) fn error<'e>(&'e self, value: &'e Value) -> Option<ValidationError<'e, 'e>> {
        self.schemas.validate(value, self.index).err()
    }
}

/// How many values are around the innermost one, and it.
fn depth(value: &Value) -> usize {
    let inner = match value {
        Value::Object(members) => members.values().map(depth).max(),
        Value::Array(elements) => elements.iter().map(depth).max(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    };
    inner.unwrap_or(0) + 1
}

/// Fetches nothing, neither from a network nor from a file: the default of the library reads files.
struct Nothing;

impl UrlLoader for Nothing {
    fn load(&self, _: &str) -> Result<Value, Box<dyn Error>> {
        Err("it is not in the schema, and nothing is fetched".into())
    }
}

fn told(error: &CompileError, document: &Document) -> String {
    let CompileError::ValidationError { src, .. } = error else { return format!("{error:#}") };
    // The innermost one is the one that says it.
    let mut error = src;
    while let Some(cause) = error.causes.first() {
        error = cause;
    }
    let place = error.instance_location.to_string();
    let found = document.root().pointer(&place).map(Value::to_string).unwrap_or_default();
    format!("{place} {found}: {}", error.kind)
}

#[cfg(test)]
mod tests {
    use crate::config::options::explain::faults;
    use crate::config::options::schema::OptionsSchema;

    /// As deep as a schema may be for each of many values inside each other.
    #[test]
    fn the_stack_is_enough_for_what_is_allowed() {
        let mut parts = String::new();
        for n in 0..28 {
            parts += &format!(r##""d{n}": {{ "allOf": [{{ "$ref": "#/$defs/d{}" }}] }}, "##, n + 1);
        }
        let schema = format!(
            r##"{{ "$ref": "#/$defs/d0", "$defs": {{ {parts} "d28": {{ "type": "object", "additionalProperties": {{ "$ref": "#" }} }} }} }}"##
        );
        let schema = OptionsSchema::new(&schema).expect("it keeps to the bounds");
        let deep = format!("{}1{}", r#"{ "a": "#.repeat(100), " }".repeat(100));
        let deep = serde_json::from_str(&deep).expect("it is JSON");
        assert_eq!(faults(&schema, &deep).expect("there is a stack").len(), 1);
    }
}
