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

/// Of the hundreds of lines that describe the differences, the first one: `new_task.returns: size: expected 8, found 16`.
fn first_difference(errors: &AbiInstabilityErrors) -> String {
    let deepest = errors.errors.iter().find(|error| !error.errs.is_empty());
    let Some(error) = deepest else { return "the layouts differ".to_owned() };
    let names = error.stack_trace.iter().map(|step| match &step.expected {
        TLFieldOrFunction::Field(field) => field.name().trim_matches('_').to_owned(),
        TLFieldOrFunction::Function(function) => function.name.as_str().to_owned(),
    });
    // A tuple's fields are numbers, which tell nobody anything.
    let mut path: Vec<String> = names.filter(|name| name.contains(|c: char| !c.is_ascii_digit())).collect();
    path.dedup();
    let what = error.errs.first().map(describe).unwrap_or_default();
    if path.is_empty() { what } else { format!("{}: {what}", path.join(".")) }
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
