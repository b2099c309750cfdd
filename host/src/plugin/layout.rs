//! Whether a library means the same as the host by the types that cross between them.

use super::error::LoadProblem;
use super::loader::version;
use bansuri_plugin_api::abi::PluginModule_Ref;
use bansuri_plugin_api::abi::abi_stable::StableAbi;
use bansuri_plugin_api::abi::abi_stable::abi_stability::abi_checking::{
    AbiInstability, AbiInstabilityErrors, check_layout_compatibility,
};
use bansuri_plugin_api::abi::abi_stable::library::{LibHeader, RootModule};
use bansuri_plugin_api::abi::abi_stable::type_layout::TLFieldOrFunction;

/// Checks in both directions: the first alone would refuse every library older than a method that plugin-api has grown.
pub(super) fn check(header: &LibHeader) -> Result<(), LoadProblem> {
    let incompatible = |difference| LoadProblem::Incompatible {
        library: version(header),
        host: PluginModule_Ref::VERSION_STRINGS.version.to_string(),
        difference,
    };
    let host = <PluginModule_Ref as StableAbi>::LAYOUT;
    let Some(library) = header.layout() else {
        return Err(incompatible("it says nothing of its layout".to_owned()));
    };
    let Err(errors) = check_layout_compatibility(host, library) else { return Ok(()) };
    match check_layout_compatibility(library, host) {
        Ok(()) => Ok(()),
        Err(_) => Err(incompatible(first_difference(&errors))),
    }
}

/// Of the hundreds of lines that describe the differences, one: `AbiTask.run.returns: expected type i32, found i64`.
fn first_difference(errors: &AbiInstabilityErrors) -> String {
    let all = || errors.errors.iter().flat_map(|error| error.errs.iter().map(move |it| (error, it)));
    // A host that has grown has more fields than an older library, which alone would be no obstacle.
    let telling = all().find(|(_, it)| !matches!(it, AbiInstability::FieldCountMismatch(_)));
    let Some((error, difference)) = telling.or_else(|| all().next()) else {
        return "the layouts differ".to_owned();
    };
    let place = place_of(error.stack_trace.iter().map(|step| &step.expected));
    let what = describe(difference);
    if place.is_empty() { what } else { format!("{place}: {what}") }
}

/// The way to a difference, from the innermost object on, without the parts that abi_stable puts in between.
fn place_of<'a>(steps: impl Iterator<Item = &'a TLFieldOrFunction>) -> String {
    let mut place: Vec<String> = Vec::new();
    let mut container = None;
    for step in steps {
        match step {
            TLFieldOrFunction::Field(field) => {
                match field.name() {
                    // What a trait object consists of: from here on it is about the trait.
                    "obj" => place = container.take().into_iter().collect(),
                    "vtable" => {}
                    // Fields of tuples and variants have numbers, which tell nobody anything.
                    name if name.trim_start_matches("field_").parse::<usize>().is_ok() => {}
                    name => place.push(name.trim_matches('_').to_owned()),
                }
                container = Some(field.layout().name().trim_end_matches("_TO").to_owned());
            }
            TLFieldOrFunction::Function(function) => place.push(function.name.as_str().to_owned()),
        }
    }
    place.dedup();
    place.join(".")
}

/// The kinds of differences that two versions of an interface have; any other is named as abi_stable names it.
fn describe(difference: &AbiInstability) -> String {
    match difference {
        AbiInstability::Name(it) => format!("expected type {}, found {}", it.expected, it.found),
        AbiInstability::Package(it) => {
            format!("expected a type of {}, found one of {}", it.expected, it.found)
        }
        AbiInstability::PackageVersion(it) => {
            format!("expected version {}, found {}", it.expected.version, it.found.version)
        }
        AbiInstability::Size(it) => format!("expected {} bytes, found {}", it.expected, it.found),
        AbiInstability::Alignment(it) => format!("expected alignment {}, found {}", it.expected, it.found),
        AbiInstability::MismatchedPrefixSize(it) => {
            format!("expected {} fields that are always there, found {}", it.expected, it.found)
        }
        AbiInstability::FieldCountMismatch(it) => {
            format!("expected {} fields, found {}", it.expected, it.found)
        }
        AbiInstability::UnexpectedField(it) => {
            format!("expected field {}, found {}", it.expected.name(), it.found.name())
        }
        AbiInstability::MismatchedPrimitive(it) => {
            format!("expected {:?}, found {:?}", it.expected, it.found)
        }
        other => {
            let name = format!("{other:?}");
            name.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
        }
    }
}
