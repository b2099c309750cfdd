//! What the JSON Schema of `scripts.json` says of plugins: which options a type takes.

use super::catalog::PluginKind;
use super::options::OptionsSchema;
use super::schema::{has, reference};
use super::schema_kinds::spellings;
use serde_json::{Map, Value, json};

/// A type of a plugin, as a configuration names it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PluginType {
    /// What it is.
    pub kind: PluginKind,
    /// Its own name.
    pub name: String,
    /// Everything that names it in a configuration: `http-check`, `http-check:HttpCheck`.
    pub references: Vec<String>,
    /// One line for people; may be empty.
    pub description: String,
    /// A JSON Schema for its options, as text; `None`: the type publishes none.
    pub options_schema: Option<String>,
}

/// Adds the types to a schema. Returns why some of their schemas cannot be included.
pub(super) fn include(types: &[PluginType], schema: &mut Value) -> Vec<String> {
    let mut faults = Vec::new();
    let (mut tasks, mut notifiers) = (Vec::new(), Vec::new());
    for plugin in types {
        let options = options(plugin).unwrap_or_else(|error| {
            let named = plugin.references.first().map_or(&plugin.name, |reference| reference);
            faults.push(format!(
                "plugin {named:?}: the schema for the options of {} cannot be included: {error}",
                plugin.name
            ));
            None
        });
        let number = tasks.len() + notifiers.len() + 1;
        let options = options.map(|options| options.place(&format!("plugin-{number}"), schema));
        match plugin.kind {
            PluginKind::Task => tasks.push(task(plugin, options)),
            PluginKind::Notifier => notifiers.push(notifier(plugin, options)),
        }
    }
    if !tasks.is_empty() {
        schema["$defs"]["plugin-tasks"] = json!({ "allOf": tasks });
        // What `defaults` gives to all scripts, the options of each may lack.
        let rule = json!({
            "if": { "required": ["defaults"], "properties": { "defaults": has("options") } },
            "else": { "properties": { "scripts": { "items": reference("plugin-tasks") } } },
        });
        if let Some(rules) = schema["allOf"].as_array_mut() {
            rules.push(rule);
        }
    }
    if !notifiers.is_empty() {
        schema["properties"]["notifiers"]["additionalProperties"]["allOf"] = Value::Array(notifiers);
    }
    faults
}

/// The schema of a type, fit to stand in another.
struct Options {
    schema: Value,
    /// Whether a configuration may leave the options out.
    may_lack: bool,
}

fn options(plugin: &PluginType) -> Result<Option<Options>, String> {
    let Some(text) = &plugin.options_schema else { return Ok(None) };
    let OptionsSchema { document, validator } = OptionsSchema::new(text)?;
    let schema = document.root().clone();
    const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";
    match schema.get("$schema").and_then(Value::as_str) {
        Some(other) if other.trim_end_matches('#') != DRAFT => {
            Err(format!("it is of another draft than 2020-12: {other}"))
        }
        Some(_) | None => Ok(Some(Options { schema, may_lack: validator.is_valid(&json!({})) })),
    }
}

impl Options {
    /// Puts the schema among the definitions, and returns what refers to it.
    fn place(mut self, name: &str, schema: &mut Value) -> Placed {
        // A schema with an address of its own is a whole in itself; the references of any other start from the document.
        if self.schema.get("$id").is_none() {
            if let Value::Object(members) = &mut self.schema {
                members.remove("$schema");
            }
            move_references(&mut self.schema, &format!("#/$defs/{name}"));
        }
        schema["$defs"][name] = self.schema;
        Placed { schema: reference(name), may_lack: self.may_lack }
    }
}

/// Has references that start from the document start from where the schema stands now.
fn move_references(schema: &mut Value, place: &str) {
    match schema {
        Value::Object(members) => {
            for (keyword, value) in members {
                match (keyword.as_str(), value) {
                    ("$ref", Value::String(target)) => {
                        if let Some(rest) =
                            target.strip_prefix('#').filter(|rest| rest.is_empty() || rest.starts_with('/'))
                        {
                            *target = format!("{place}{rest}");
                        }
                    }
                    // Values, not schemas.
                    ("const" | "enum" | "default" | "examples", _) => {}
                    (_, value) => move_references(value, place),
                }
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(|element| move_references(element, place)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A schema among the definitions.
struct Placed {
    schema: Value,
    may_lack: bool,
}

impl Placed {
    /// The options, which null leaves out.
    fn options(&self, description: &str) -> Value {
        let mut options = match self.may_lack {
            true => json!({ "anyOf": [self.schema, { "type": "null" }] }),
            false => self.schema.clone(),
        };
        if !description.is_empty() {
            options["description"] = json!(description);
        }
        options
    }
}

/// What follows from the command of a script: it may be named flat or in its group, as its options may.
fn task(plugin: &PluginType, options: Option<Placed>) -> Value {
    let is_plugin = says(&spellings("no-interface"), &json!({ "enum": [true, "true"] }));
    let is_this = says(&["command".to_owned()], &json!({ "enum": plugin.references }));
    let mut members = Map::new();
    if !plugin.description.is_empty() {
        members.insert("command".to_owned(), json!({ "description": plugin.description }));
    }
    if let Some(options) = &options {
        members.insert("options".to_owned(), options.options(&plugin.description));
    }
    let mut all = members.clone();
    all.insert("general".to_owned(), json!({ "properties": members }));
    let mut then = json!({ "properties": all });
    if options.is_some_and(|options| !options.may_lack) {
        then["allOf"] = json!([has("options")]);
    }
    json!({ "if": { "allOf": [is_plugin, is_this] }, "then": then })
}

/// A script with one of these keys, flat or in the group `general`, and with such a value.
fn says(keys: &[String], value: &Value) -> Value {
    let mut ways = Vec::new();
    for key in keys {
        let flat = json!({ "type": "object", "required": [key], "properties": { key: value } });
        ways.push(json!({ "required": ["general"], "properties": { "general": flat } }));
        ways.push(flat);
    }
    json!({ "anyOf": ways })
}

fn notifier(plugin: &PluginType, options: Option<Placed>) -> Value {
    let mut members = Map::new();
    if !plugin.description.is_empty() {
        members.insert("plugin".to_owned(), json!({ "description": plugin.description }));
    }
    if let Some(options) = &options {
        members.insert("options".to_owned(), options.options(&plugin.description));
    }
    let mut then = json!({ "properties": members });
    if options.is_some_and(|options| !options.may_lack) {
        then["required"] = json!(["options"]);
    }
    let is_this =
        json!({ "required": ["plugin"], "properties": { "plugin": { "enum": plugin.references } } });
    json!({ "if": is_this, "then": then })
}
