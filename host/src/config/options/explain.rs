//! From a validator's errors to what is wrong with options, in the words of the other findings.

use super::layers::Step;
use super::schema::{OptionsSchema, one_line};
use super::words::{alternatives, expected, literals};
use crate::config::nearest::did_you_mean;
use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use jsonschema::paths::{Location, LocationSegment};
use serde_json::Value;

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Fault {
    /// Where it is: for a member that is missing, the object that should have it.
    pub(super) path: Vec<Step>,
    pub(super) wrong: Wrong,
    /// What helps.
    pub(super) help: Option<String>,
}

/// How it is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Wrong {
    /// A member that the schema does not know.
    Unknown,
    /// A member of this name is missing.
    Missing(String),
    /// The name of a member: what would do.
    Name(String),
    /// The value: what would do. `is_secret`: it is not to be shown.
    Value { expected: String, is_secret: bool },
}

/// Everything that is wrong with options.
pub(super) fn faults(schema: &OptionsSchema, options: &Value) -> Vec<Fault> {
    let mut faults = Vec::new();
    for error in schema.validator.iter_errors(options) {
        explain(schema, &error, &mut faults);
    }
    // A value may be wrong in several ways, and all of them say what would do.
    let mut told = Vec::with_capacity(faults.len());
    for fault in faults {
        if !told.contains(&fault) {
            told.push(fault);
        }
    }
    told
}

fn explain(schema: &OptionsSchema, error: &ValidationError<'_>, faults: &mut Vec<Fault>) {
    let part = Part::of(schema, error.evaluation_path());
    let path = steps(error.instance_path());
    match error.kind() {
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            for name in unexpected {
                faults.push(unknown(schema, &part, path.clone(), name));
            }
        }
        // What a schema of `false` says of a member.
        Kind::FalseSchema if matches!(path.last(), Some(Step::Member(_))) => {
            faults.push(Fault { path, wrong: Wrong::Unknown, help: None });
        }
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default().to_owned();
            let member = part.node.and_then(|node| member(schema, node, &name));
            let help = member.and_then(|member| schema.document.annotation(member, "description"));
            faults.push(Fault { path, wrong: Wrong::Missing(name), help: help.and_then(in_a_line) });
        }
        Kind::PropertyNames { error } => {
            let Value::String(name) = error.instance().as_ref() else { return };
            let mut path = path;
            path.push(Step::Member(name.clone()));
            let named = part.node.map(|node| node.get("propertyNames").unwrap_or(node));
            let expected = named.and_then(|node| expected(&schema.document, node));
            let wrong = Wrong::Name(expected.unwrap_or_else(|| one_line(&error.masked().to_string())));
            faults.push(Fault { path, wrong, help: None });
        }
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
            if let Some(fault) = unknown_variant(schema, error, context) {
                faults.push(fault);
            } else if let Some(errors) = nearest_branch(error, context) {
                errors.iter().for_each(|error| explain(schema, error, faults));
            } else {
                faults.push(wrong_value(schema, &part, path, error));
            }
        }
        // The pattern could not be tried: that proves nothing against the value.
        Kind::BacktrackLimitExceeded { .. } | Kind::RegexEngineFailure { .. } => {}
        _ => faults.push(wrong_value(schema, &part, path, error)),
    }
}

fn unknown(schema: &OptionsSchema, part: &Part<'_>, mut path: Vec<Step>, name: &str) -> Fault {
    let known = part.node.map(|node| member_names(schema, node)).unwrap_or_default();
    let help = did_you_mean(name, known.iter().copied()).or_else(|| match known.as_slice() {
        [] => None,
        [only] => Some(format!("valid is {only}")),
        known => Some(one_line(&format!("valid are {}", known.join(", ")))),
    });
    path.push(Step::Member(name.to_owned()));
    Fault { path, wrong: Wrong::Unknown, help }
}

fn wrong_value(
    schema: &OptionsSchema,
    part: &Part<'_>,
    path: Vec<Step>,
    error: &ValidationError<'_>,
) -> Fault {
    let document = &schema.document;
    let literals = part.node.map(|node| literals(document, node)).unwrap_or_default();
    let words: Vec<&str> = literals.iter().filter_map(|literal| literal.as_str()).collect();
    let written = error.instance().as_str();
    let help = written.and_then(|written| did_you_mean(written, words.iter().copied()));
    // What lists its values has said enough.
    let described = part.description.filter(|_| literals.is_empty()).and_then(in_a_line);
    let expected = match error.kind() {
        Kind::Not { .. } => Some("something else".to_owned()),
        Kind::OneOfMultipleValid { .. } => Some("what is valid in one way alone".to_owned()),
        Kind::Contains => Some("an array with other elements".to_owned()),
        Kind::UniqueItems => Some("an array without repetitions".to_owned()),
        Kind::MinItems { limit } => Some(format!("an array of {limit} or more")),
        Kind::MaxItems { limit } => Some(format!("an array of {limit} at most")),
        Kind::AdditionalItems { limit } => Some(format!("an array of {limit} at most")),
        Kind::MinProperties { limit } => Some(format!("an object of {limit} or more members")),
        Kind::MaxProperties { limit } => Some(format!("an object of {limit} members at most")),
        _ => part.node.and_then(|node| expected(document, node)),
    };
    let expected = expected
        .unwrap_or_else(|| format!("what the schema asks for: {}", one_line(&error.masked().to_string())));
    let is_secret = part.is_secret
        || part.node.is_some_and(|node| alternatives(document, node).into_iter().any(is_secret));
    Fault { path, wrong: Wrong::Value { expected, is_secret }, help: help.or(described) }
}

/// The errors of the alternative that was likely meant. `None`: none of them is nearer than the others, and all are to
/// be named.
fn nearest_branch<'e>(
    error: &ValidationError<'_>,
    branches: &'e [Vec<ValidationError<'static>>],
) -> Option<&'e [ValidationError<'static>]> {
    let mut ranked: Vec<_> = branches
        .iter()
        .filter(|errors| errors.iter().all(|inner| is_of_form(error, inner)))
        .map(|errors| (variant(error, errors).is_some(), errors.len(), errors.as_slice()))
        .collect();
    ranked.sort_by_key(|(is_another, count, _)| (*is_another, *count));
    match ranked.as_slice() {
        [(.., errors)] => Some(errors),
        [(is_another, count, errors), (next_is_another, next_count, _), ..]
            if (is_another, count) < (next_is_another, next_count) =>
        {
            Some(errors)
        }
        [_, _, ..] | [] => None,
    }
}

/// Whether a value is of the form that an alternative asks for, in spite of this error. Another type of value, or
/// another value of a list, was not meant; an object that lacks something may have been.
fn is_of_form(error: &ValidationError<'_>, inner: &ValidationError<'_>) -> bool {
    match inner.kind() {
        _ if inner.instance_path() != error.instance_path() => true,
        Kind::Required { .. }
        | Kind::AdditionalProperties { .. }
        | Kind::UnevaluatedProperties { .. }
        | Kind::PropertyNames { .. } => true,
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => nearest_branch(inner, context).is_some(),
        _ => false,
    }
}

/// The error that says that the value names another alternative, by a member.
fn variant<'e>(
    error: &ValidationError<'_>,
    errors: &'e [ValidationError<'static>],
) -> Option<&'e ValidationError<'static>> {
    let depth = error.instance_path().segments().count() + 1;
    errors.iter().find(|inner| {
        matches!(inner.kind(), Kind::Constant { .. } | Kind::Enum { .. })
            && inner.instance_path().segments().count() == depth
    })
}

/// A value that names an alternative which does not exist, where each of them is named by the same member.
fn unknown_variant(
    schema: &OptionsSchema,
    error: &ValidationError<'_>,
    branches: &[Vec<ValidationError<'static>>],
) -> Option<Fault> {
    let objects = branches.iter().filter(|errors| errors.iter().all(|inner| is_of_form(error, inner)));
    let variants: Vec<_> = objects.map(|errors| variant(error, errors)).collect::<Option<_>>()?;
    let (first, rest) = variants.split_first().filter(|(_, rest)| !rest.is_empty())?;
    if rest.iter().any(|other| other.instance_path() != first.instance_path()) {
        return None;
    }
    let parts = variants.iter().map(|variant| Part::of(schema, variant.evaluation_path()).node.cloned());
    // Together they are what one part with alternatives would be.
    let all = serde_json::json!({ "anyOf": parts.collect::<Option<Vec<_>>>()? });
    let part = Part { node: Some(&all), description: None, is_secret: false };
    Some(wrong_value(schema, &part, steps(first.instance_path()), first))
}

/// A part of the schema that an error is about.
struct Part<'d> {
    /// `None`: it was not found, as the schema leads to it in a way that is not followed here.
    node: Option<&'d Value>,
    /// The innermost one on the way to it.
    description: Option<&'d Value>,
    /// Whether the value is not to be shown.
    is_secret: bool,
}

impl<'d> Part<'d> {
    /// Follows the way that the validator took; its last step is the keyword.
    fn of(schema: &'d OptionsSchema, path: &Location) -> Self {
        let mut part = Part { node: Some(schema.document.root()), description: None, is_secret: false };
        let segments: Vec<_> = path.segments().collect();
        let Some((_, way)) = segments.split_last() else { return part };
        for segment in way {
            let Some(node) = part.node else { return part };
            part.node = match segment {
                LocationSegment::Property(name) if name == "$ref" => Some(schema.document.resolve(node)),
                LocationSegment::Property(name) => node.get(name.as_ref()),
                LocationSegment::Index(index) => node.get(index),
            };
            let Some(node) = part.node else { return part };
            if matches!(segment, LocationSegment::Property(name) if name == "properties") {
                // What was said so far was said of what is around it.
                part.description = None;
                part.is_secret = false;
            } else {
                part.description = node.get("description").filter(|d| d.is_string()).or(part.description);
                part.is_secret |= is_secret(node);
            }
        }
        part
    }
}

fn is_secret(part: &Value) -> bool {
    part.get("writeOnly") == Some(&Value::Bool(true))
}

/// The names that an object may have, in all of the parts that it is made of.
fn member_names<'d>(schema: &'d OptionsSchema, node: &'d Value) -> Vec<&'d str> {
    let mut names = Vec::new();
    for part in parts_of_object(schema, node) {
        let members = part.get("properties").and_then(Value::as_object).into_iter().flatten();
        names.extend(
            members.filter(|(_, member)| **member != Value::Bool(false)).map(|(name, _)| name.as_str()),
        );
    }
    names
}

fn member<'d>(schema: &'d OptionsSchema, node: &'d Value, name: &str) -> Option<&'d Value> {
    parts_of_object(schema, node).into_iter().find_map(|part| part.get("properties")?.get(name))
}

/// A node, and the parts that it is put together from.
fn parts_of_object<'d>(schema: &'d OptionsSchema, node: &'d Value) -> Vec<&'d Value> {
    let mut parts: Vec<&Value> = schema.document.chain(node).collect();
    for keyword in ["allOf", "anyOf", "oneOf"] {
        let inner = node.get(keyword).and_then(Value::as_array).into_iter().flatten();
        parts.extend(inner.flat_map(|inner| alternatives(&schema.document, inner)));
    }
    parts
}

fn steps(path: &Location) -> Vec<Step> {
    let steps = path.segments().map(|segment| match segment {
        LocationSegment::Property(name) => Step::Member(name.into_owned()),
        LocationSegment::Index(index) => Step::Element(index),
    });
    steps.collect()
}

/// The first paragraph of a description.
fn in_a_line(text: &Value) -> Option<String> {
    let text = text.as_str()?.split("\n\n").next()?;
    Some(one_line(text)).filter(|text| !text.is_empty())
}
