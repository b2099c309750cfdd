//! From a validator's errors to what is wrong with options, in the words of the other findings.

use super::layers::Step;
use super::part::{Part, is_secret};
use super::schema::{OptionsSchema, one_line};
use super::words::{alternatives, expected, literals};
use crate::config::nearest::did_you_mean;
use boon::{ErrorKind as Kind, InstanceLocation, InstanceToken, ValidationError};
use serde_json::Value;

/// Nobody reads more than these.
const MOST: usize = 1_000;

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

/// Everything that is wrong with options. The error says why they cannot be checked, in one line.
pub(super) fn faults(schema: &OptionsSchema, options: &Value) -> Result<Vec<Fault>, String> {
    schema.validator.with_stack(options, || found(schema, options))
}

fn found(schema: &OptionsSchema, options: &Value) -> Vec<Fault> {
    let Some(error) = schema.validator.error(options) else { return Vec::new() };
    let mut faults = Vec::new();
    for found in Found::all(schema, options, &error, &Part::root(&schema.document)) {
        explain(schema, &found, &mut faults);
        if faults.len() >= MOST {
            break;
        }
    }
    faults.truncate(MOST);
    // A value may be wrong in several ways, and all of them say what would do.
    let mut told = Vec::with_capacity(faults.len());
    for fault in faults {
        if !told.contains(&fault) {
            told.push(fault);
        }
    }
    told
}

/// An error that says something by itself, and what it is about.
struct Found<'e> {
    error: &'e ValidationError<'e, 'e>,
    part: Part<'e>,
    options: &'e Value,
}

impl<'e> Found<'e> {
    /// The errors that an error is made of.
    fn all(
        schema: &'e OptionsSchema,
        options: &'e Value,
        error: &'e ValidationError<'e, 'e>,
        from: &Part<'e>,
    ) -> Vec<Self> {
        let part = from.to(&schema.document, error.schema_url);
        let part = match &error.kind {
            Kind::Schema { .. } | Kind::Group | Kind::AllOf => part,
            Kind::Reference { url, .. } => part.to(&schema.document, url),
            // The other one proves nothing against the value: decimal fractions are not exact.
            Kind::MultipleOf { got, want } if is_multiple(got.as_f64(), want.as_f64()) => return Vec::new(),
            // It is the schema that is wrong.
            Kind::RefCycle { .. } => return Vec::new(),
            _ => return vec![Self { error, part, options }],
        };
        error.causes.iter().flat_map(|cause| Self::all(schema, options, cause, &part)).collect()
    }

    /// The errors of each alternative, where none fits.
    fn branches(&self, schema: &'e OptionsSchema) -> Option<Vec<Vec<Self>>> {
        let (Kind::AnyOf | Kind::OneOf(None)) = self.error.kind else { return None };
        let branch = |cause| Self::all(schema, self.options, cause, &self.part);
        Some(self.error.causes.iter().map(branch).collect())
    }

    fn place(&self) -> String {
        self.error.instance_location.to_string()
    }

    fn depth(&self) -> usize {
        self.error.instance_location.tokens.len()
    }
}

fn is_multiple(value: Option<f64>, of: Option<f64>) -> bool {
    let (Some(value), Some(of)) = (value, of) else { return false };
    let times = value / of;
    (times - times.round()).abs() <= times.abs() * 4.0 * f64::EPSILON
}

fn explain(schema: &OptionsSchema, found: &Found<'_>, faults: &mut Vec<Fault>) {
    let part = &found.part;
    let mut path = steps(&found.error.instance_location);
    match &found.error.kind {
        Kind::AdditionalProperties { got } => {
            for name in got {
                faults.push(unknown(schema, part.node, path.clone(), name));
            }
        }
        // What a schema of `false` says of a member, and of an element.
        Kind::FalseSchema => match path.pop() {
            Some(Step::Member(name)) if part.name() == Some("unevaluatedProperties") => {
                faults.push(unknown(schema, part.around(&schema.document), path, &name));
            }
            Some(member @ Step::Member(_)) => {
                path.push(member);
                faults.push(Fault { path, wrong: Wrong::Unknown, help: None });
            }
            Some(element @ Step::Element(_)) => {
                let first = part.around(&schema.document).and_then(|node| node.get("prefixItems"));
                if let Some(first) = first.and_then(Value::as_array) {
                    let expected = format!("an array of {} at most", first.len());
                    let wrong = Wrong::Value { expected, is_secret: part.is_secret };
                    faults.push(Fault { path, wrong, help: None });
                } else {
                    path.push(element);
                    faults.push(wrong_value(schema, found, path));
                }
            }
            None => faults.push(wrong_value(schema, found, path)),
        },
        Kind::Required { want } => missing(schema, part, &path, want, faults),
        Kind::Dependency { missing: want, .. } | Kind::DependentRequired { missing: want, .. } => {
            missing(schema, part, &path, want, faults);
        }
        Kind::PropertyName { prop } => {
            let named = part.node.map(|node| node.get("propertyNames").unwrap_or(node));
            let expected = named.and_then(|node| expected(&schema.document, node));
            let expected = expected.unwrap_or_else(|| "what the schema asks for".to_owned());
            // The validator does not say where the object is.
            for mut path in part.objects_with(prop, found.options) {
                path.push(Step::Member(prop.clone()));
                faults.push(Fault { path, wrong: Wrong::Name(expected.clone()), help: None });
            }
        }
        Kind::AnyOf | Kind::OneOf(None) => {
            let branches = found.branches(schema).unwrap_or_default();
            // One whose errors prove nothing may have been fine.
            if branches.iter().any(Vec::is_empty) {
                return;
            }
            if let Some(fault) = unknown_variant(schema, found, &branches) {
                faults.push(fault);
            } else if let Some(errors) = nearest_branch(schema, found, &branches) {
                errors.iter().for_each(|inner| explain(schema, inner, faults));
            } else {
                faults.push(wrong_value(schema, found, path));
            }
        }
        _ => faults.push(wrong_value(schema, found, path)),
    }
}

fn missing(schema: &OptionsSchema, part: &Part<'_>, path: &[Step], names: &[&str], faults: &mut Vec<Fault>) {
    for name in names {
        let member = part.node.and_then(|node| member(schema, node, name));
        let help = member.and_then(|member| schema.document.annotation(member, "description"));
        let wrong = Wrong::Missing((*name).to_owned());
        faults.push(Fault { path: path.to_vec(), wrong, help: help.and_then(in_a_line) });
    }
}

fn unknown(schema: &OptionsSchema, node: Option<&Value>, mut path: Vec<Step>, name: &str) -> Fault {
    let known = node.map(|node| member_names(schema, node)).unwrap_or_default();
    let help = did_you_mean(name, known.iter().copied()).or_else(|| match known.as_slice() {
        [] => None,
        [only] => Some(format!("valid is {only}")),
        known => Some(one_line(&format!("valid are {}", known.join(", ")))),
    });
    path.push(Step::Member(name.to_owned()));
    Fault { path, wrong: Wrong::Unknown, help }
}

fn wrong_value(schema: &OptionsSchema, found: &Found<'_>, path: Vec<Step>) -> Fault {
    let (document, part) = (&schema.document, &found.part);
    let literals = part.node.map(|node| literals(document, node)).unwrap_or_default();
    let words: Vec<&str> = literals.iter().filter_map(|literal| literal.as_str()).collect();
    let written = found.options.pointer(&found.place()).and_then(Value::as_str);
    let help = written.and_then(|written| did_you_mean(written, words.iter().copied()));
    // What lists its values has said enough.
    let described = part.description.filter(|_| literals.is_empty()).and_then(in_a_line);
    let expected = match &found.error.kind {
        Kind::Not => Some("something else".to_owned()),
        Kind::OneOf(Some(_)) => Some("what is valid in one way alone".to_owned()),
        Kind::Contains | Kind::MinContains { .. } | Kind::MaxContains { .. } => {
            Some("an array with other elements".to_owned())
        }
        Kind::UniqueItems { .. } => Some("an array without repetitions".to_owned()),
        Kind::MinItems { want, .. } => Some(format!("an array of {want} or more")),
        Kind::MaxItems { want, .. } => Some(format!("an array of {want} at most")),
        Kind::AdditionalItems { .. } => {
            let first = part.node.and_then(|node| node.get("items")?.as_array());
            first.map(|first| format!("an array of {} at most", first.len()))
        }
        Kind::MinProperties { want, .. } => Some(format!("an object of {want} or more members")),
        Kind::MaxProperties { want, .. } => Some(format!("an object of {want} members at most")),
        Kind::Format { .. } => None,
        _ => part.node.and_then(|node| expected(document, node)),
    };
    let expected = expected
        .unwrap_or_else(|| format!("what the schema asks for: {}", one_line(&asked(&found.error.kind))));
    let is_secret = part.is_secret
        || part.node.is_some_and(|node| alternatives(document, node).into_iter().any(is_secret));
    Fault { path, wrong: Wrong::Value { expected, is_secret }, help: help.or(described) }
}

/// What an error says, but never the value, which may be a secret.
fn asked(kind: &Kind<'_, '_>) -> String {
    match kind {
        Kind::Format { want, .. } => format!("text of the format {want}"),
        Kind::Pattern { want, .. } => format!("text that matches {want}"),
        Kind::Minimum { want, .. } => format!("{want} or more"),
        Kind::Maximum { want, .. } => format!("{want} or less"),
        Kind::ExclusiveMinimum { want, .. } => format!("above {want}"),
        Kind::ExclusiveMaximum { want, .. } => format!("below {want}"),
        Kind::MultipleOf { want, .. } => format!("a multiple of {want}"),
        Kind::FalseSchema => "False schema does not allow value".to_owned(),
        kind => kind.to_string(),
    }
}

/// The errors of the alternative that was likely meant. `None`: none of them is nearer than the others, and all are to
/// be named.
fn nearest_branch<'b, 'e>(
    schema: &'e OptionsSchema,
    error: &Found<'e>,
    branches: &'b [Vec<Found<'e>>],
) -> Option<&'b [Found<'e>]> {
    let mut ranked: Vec<_> = branches
        .iter()
        .filter(|errors| errors.iter().all(|inner| is_of_form(schema, error, inner)))
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
fn is_of_form<'e>(schema: &'e OptionsSchema, error: &Found<'e>, inner: &Found<'e>) -> bool {
    match &inner.error.kind {
        _ if inner.place() != error.place() => true,
        Kind::Required { .. }
        | Kind::Dependency { .. }
        | Kind::DependentRequired { .. }
        | Kind::AdditionalProperties { .. }
        | Kind::PropertyName { .. } => true,
        _ => {
            inner.branches(schema).is_some_and(|branches| nearest_branch(schema, inner, &branches).is_some())
        }
    }
}

/// The error that says that the value names another alternative, by a member.
fn variant<'b, 'e>(error: &Found<'e>, errors: &'b [Found<'e>]) -> Option<&'b Found<'e>> {
    let depth = error.depth() + 1;
    errors.iter().find(|inner| {
        matches!(inner.error.kind, Kind::Const { .. } | Kind::Enum { .. }) && inner.depth() == depth
    })
}

/// A value that names an alternative which does not exist, where each of them is named by the same member.
fn unknown_variant<'e>(
    schema: &'e OptionsSchema,
    error: &Found<'e>,
    branches: &[Vec<Found<'e>>],
) -> Option<Fault> {
    let objects =
        branches.iter().filter(|errors| errors.iter().all(|inner| is_of_form(schema, error, inner)));
    let variants: Vec<_> = objects.map(|errors| variant(error, errors)).collect::<Option<_>>()?;
    let (first, rest) = variants.split_first().filter(|(_, rest)| !rest.is_empty())?;
    if rest.iter().any(|other| other.place() != first.place()) {
        return None;
    }
    let parts = variants.iter().map(|variant| variant.part.node.cloned());
    // Together they are what one part with alternatives would be.
    let all = serde_json::json!({ "anyOf": parts.collect::<Option<Vec<_>>>()? });
    let together = Found { error: first.error, part: Part::of(&all), options: first.options };
    Some(wrong_value(schema, &together, steps(&first.error.instance_location)))
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

fn steps(location: &InstanceLocation<'_>) -> Vec<Step> {
    let steps = location.tokens.iter().map(|token| match token {
        InstanceToken::Prop(name) => Step::Member(name.clone().into_owned()),
        InstanceToken::Item(index) => Step::Element(*index),
    });
    steps.collect()
}

/// The first paragraph of a description.
fn in_a_line(text: &Value) -> Option<String> {
    let text = text.as_str()?.split("\n\n").next()?;
    Some(one_line(text)).filter(|text| !text.is_empty())
}
