//! The options that a configuration gives to a plugin type.

use super::explain::{Fault, Wrong, faults};
use super::layers::{self, Spot, Step};
use super::schema::OptionsSchema;
use crate::config::catalog::ResolvedType;
use crate::config::findings::{Findings, Path, Place, Shown, plain};
use crate::config::read::opening;
use jsonc_parser::ast::Value;
use jsonc_parser::common::{Range, Ranged};
use std::collections::HashMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

/// The schemas of the types that a file names, each compiled once.
#[derive(Default)]
pub(in crate::config) struct Schemas(HashMap<PathBuf, HashMap<String, Compiled>>);

/// A schema and its text: a task and a notifier of one library may have one name.
type Compiled = (Arc<str>, Option<OptionsSchema>);

/// Options, and where they come from.
pub(in crate::config) struct Given<'g, 'a> {
    /// Who gives them, and under which key: the uppermost, where several do.
    pub(in crate::config) place: Place<'g>,
    /// The objects that they are merged from, the lowest first; none: the type gets an empty object.
    pub(in crate::config) layers: &'g [(Place<'g>, &'a Value<'a>)],
    /// Where the type is named.
    pub(in crate::config) named: Range,
    /// What the type gets.
    pub(in crate::config) options: &'g serde_json::Value,
}

impl Schemas {
    /// Reports what a type will not take. A schema that cannot be used is a warning, and nothing is checked by it.
    pub(in crate::config) fn check(
        &mut self,
        resolved: &ResolvedType,
        given: &Given<'_, '_>,
        findings: &mut Findings<'_>,
    ) {
        let Some(text) = &resolved.options_schema else { return };
        let types = match self.0.get_mut(&resolved.library) {
            Some(types) => types,
            None => self.0.entry(resolved.library.clone()).or_default(),
        };
        if types.get(&resolved.type_name).is_none_or(|(of, _)| of != text) {
            let schema = OptionsSchema::new(text).map_err(|error| warn(&error, resolved, given, findings));
            types.insert(resolved.type_name.clone(), (Arc::clone(text), schema.ok()));
        }
        let Some((_, Some(schema))) = types.get(&resolved.type_name) else { return };
        match faults(schema, given.options) {
            Ok(faults) => {
                faults.iter().for_each(|fault| report(fault, &resolved.type_name, given, findings));
            }
            Err(error) => warn(&error, resolved, given, findings),
        }
    }
}

fn warn(error: &str, resolved: &ResolvedType, given: &Given<'_, '_>, findings: &mut Findings<'_>) {
    let (library, name) = (&resolved.library, &resolved.type_name);
    let message =
        format!("library {library:?}: the schema for the options of {name} cannot be used: {error}");
    let help = Some(format!("options of {name} are not checked"));
    findings.warning("options-schema", given.named, message, help);
}

fn report(fault: &Fault, type_name: &str, given: &Given<'_, '_>, findings: &mut Findings<'_>) {
    let spot = layers::find(given.layers, &fault.path);
    let Place { subject, path } = match (&fault.wrong, spot) {
        // What is missing from `defaults` as well is missing from the task.
        (Wrong::Missing(_), _) | (_, None) => given.place,
        (_, Some(spot)) => spot.options,
    };
    let place = format!("{subject}{}", written(path, &fault.path));
    let (code, span, message) = match &fault.wrong {
        Wrong::Unknown => {
            ("unknown-option", key(spot, given), format!("{place}: {type_name} has no such option"))
        }
        Wrong::Name(expected) => {
            ("invalid-option", key(spot, given), format!("{place}: as a name, expected {expected}"))
        }
        Wrong::Missing(name) => {
            let span = spot.map_or(given.named, |spot| opening(spot.value));
            ("missing-option", span, format!("{place}.{} is missing", plain(name)))
        }
        Wrong::Value { expected, is_secret } => {
            let found = match spot {
                Some(_) if *is_secret => String::new(),
                Some(spot) => format!(" {}", Shown(spot.value)),
                None => " {}".to_owned(),
            };
            let span = spot.map_or(given.named, |spot| spot.value.range());
            ("invalid-option", span, format!("{place}{found}: expected {expected}"))
        }
    };
    findings.at(subject, code, span, message, fault.help.clone());
}

fn key(spot: Option<Spot<'_, '_>>, given: &Given<'_, '_>) -> Range {
    spot.map_or(given.named, |spot| spot.key.unwrap_or_else(|| spot.value.range()))
}

/// `options.limits[1].seconds`.
fn written(options: Path<'_>, steps: &[Step]) -> String {
    let mut path = options.to_string();
    for step in steps {
        // Writing to a String cannot fail.
        let _ = match step {
            Step::Member(name) => write!(path, ".{}", plain(name)),
            Step::Element(index) => write!(path, "[{index}]"),
        };
    }
    path
}
