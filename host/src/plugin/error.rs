//! What can go wrong with plugins. Every message is one line.

use super::digest::Digest;
use super::instance::one_line;
use super::library::ExportKind;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;

/// Why a plugin type cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PluginError {
    /// The reference is not of the form `LIBRARY[:Type]`.
    Reference {
        /// As written.
        reference: String,
    },
    /// No folder holds a library of this bare name.
    NotFound {
        /// As written.
        name: String,
        /// The file names that would do.
        files: Vec<String>,
        /// Where they were looked for.
        folders: Vec<PathBuf>,
    },
    /// The file cannot be used.
    Load {
        /// The file, absolute.
        library: PathBuf,
        /// Why.
        problem: LoadProblem,
    },
    /// No type is named, and the library does not export exactly one of that kind.
    Unnamed {
        /// The file, absolute.
        library: PathBuf,
        /// What was looked for.
        kind: ExportKind,
        /// The reference without its type, as written.
        reference: String,
        /// What the library exports of that kind.
        exported: Vec<String>,
    },
    /// The library exports no such type.
    UnknownType {
        /// The file, absolute.
        library: PathBuf,
        /// What was looked for.
        kind: ExportKind,
        /// The type, as written.
        type_name: String,
        /// What the library exports of that kind.
        exported: Vec<String>,
        /// Whether the library exports a type of that name and another kind.
        of_other_kind: bool,
    },
}

/// Why a file is no usable plugin library. It is written down as JSON.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LoadProblem {
    /// The path is not absolute.
    Relative,
    /// It cannot be read: the system's words.
    Unreadable(String),
    /// It is something else than a file: `a directory`.
    NotAFile(String),
    /// It holds no byte.
    Empty,
    /// It does not begin as a shared library does.
    NotALibrary,
    /// It ends before its own headers say so.
    Truncated,
    /// It is for another machine.
    WrongMachine {
        /// What it was built for.
        library: String,
        /// What this host is.
        host: String,
    },
    /// The system's loader refuses it: its words.
    Refused(String),
    /// It is a shared library, but nothing in it says that it is a plugin.
    NoRootModule,
    /// It is a plugin in C for another version of `bansuri_plugin.h`.
    ForeignHeader {
        /// The version it was built with.
        library: u32,
        /// The host's version.
        host: u32,
    },
    /// It is a plugin in C, and what its function returns is faulty: why.
    Exports(String),
    /// It is a plugin for another, incompatible version of the interface.
    Incompatible {
        /// The version of plugin-api it was built with.
        library: String,
        /// The host's version of plugin-api.
        host: String,
        /// The first difference.
        difference: String,
    },
    /// It was built with an `abi_stable` that this host cannot read.
    ForeignAbi(String),
    /// Its root module could not be made.
    Root(String),
    /// It ends the process that loads it.
    Ends {
        /// `killed by SIGSEGV`, `exit code 3`.
        how: String,
        /// What was printed last; may be empty.
        words: String,
    },
    /// Loading it comes to no end.
    Hangs {
        /// How long that was waited for.
        seconds: u64,
        /// What was printed last; may be empty.
        words: String,
    },
    /// It could not be tried in a child process, or not be copied: why.
    Untried(String),
    /// It is being written.
    Changing,
    /// The host runs as root, and others can change it: how.
    Untrusted(String),
    /// It can only be loaded from its own file, and an older build of that is.
    Fixed,
    /// Its content is another than the one it is pinned to.
    OtherContent {
        /// The pinned one, in hexadecimal digits.
        expected: String,
        /// What it has.
        found: String,
    },
}

impl LoadProblem {
    /// Whether it lies in the file alone, and so will be found again in the same file.
    pub(super) fn is_lasting(&self) -> bool {
        match self {
            LoadProblem::NotALibrary
            | LoadProblem::Truncated
            | LoadProblem::Empty
            | LoadProblem::WrongMachine { .. }
            | LoadProblem::NoRootModule
            | LoadProblem::Incompatible { .. }
            | LoadProblem::ForeignAbi(_)
            | LoadProblem::ForeignHeader { .. }
            | LoadProblem::Exports(_) => true,
            // Other libraries, the environment or the load of the machine may be to blame.
            LoadProblem::Refused(_)
            | LoadProblem::Root(_)
            | LoadProblem::Ends { .. }
            | LoadProblem::Hangs { .. }
            | LoadProblem::Relative
            | LoadProblem::Unreadable(_)
            | LoadProblem::NotAFile(_)
            | LoadProblem::Untried(_)
            | LoadProblem::Changing
            | LoadProblem::Untrusted(_)
            | LoadProblem::Fixed
            | LoadProblem::OtherContent { .. } => false,
        }
    }

    /// Whether it may be gone while the file stays as it is, and that is found out at little cost.
    pub(super) fn is_fleeting(&self) -> bool {
        match self {
            // A disk may be full, descriptors may be few, folders may be put right.
            LoadProblem::Unreadable(_)
            | LoadProblem::Untried(_)
            | LoadProblem::Untrusted(_)
            | LoadProblem::Changing => true,
            // These are looked at again when the configuration is read.
            LoadProblem::Refused(_)
            | LoadProblem::Root(_)
            | LoadProblem::Ends { .. }
            | LoadProblem::Hangs { .. }
            | LoadProblem::Fixed => false,
            LoadProblem::NotALibrary
            | LoadProblem::Truncated
            | LoadProblem::Empty
            | LoadProblem::WrongMachine { .. }
            | LoadProblem::NoRootModule
            | LoadProblem::Incompatible { .. }
            | LoadProblem::ForeignAbi(_)
            | LoadProblem::ForeignHeader { .. }
            | LoadProblem::Exports(_)
            | LoadProblem::Relative
            | LoadProblem::NotAFile(_)
            | LoadProblem::OtherContent { .. } => false,
        }
    }

    pub(super) fn other_content(expected: &Digest, found: &Digest) -> Self {
        LoadProblem::OtherContent { expected: expected.to_string(), found: found.to_string() }
    }
}

/// A call into a plugin that failed. The text of a panic holds its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PluginFault {
    /// The plugin returned an error.
    Error(String),
    /// It panicked; the instance is spent.
    Panic(String),
}

impl PluginFault {
    /// In words, one line.
    pub fn message(&self) -> &str {
        match self {
            PluginFault::Error(message) | PluginFault::Panic(message) => message,
        }
    }
}

impl fmt::Display for PluginFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for PluginFault {}

impl fmt::Display for PluginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PluginError::Reference { reference } => {
                write!(f, "plugin {reference:?}: expected LIBRARY or LIBRARY:Type")
            }
            PluginError::NotFound { name, files, folders } => {
                write!(f, "library {name:?}: not found; looked for {} in ", files.join(" and "))?;
                if folders.is_empty() {
                    return f.write_str(
                        "no folder: neither plugins.search-paths nor BANSURI_PLUGIN_PATH names one",
                    );
                }
                let folders: Vec<_> = folders.iter().map(|folder| format!("{folder:?}")).collect();
                f.write_str(&folders.join(", "))
            }
            PluginError::Load { library, problem } => write!(f, "library {library:?}: {problem}"),
            PluginError::Unnamed { library, kind, reference, exported } => match exported.as_slice() {
                [] => write!(f, "library {library:?}: exports no {kind}"),
                [first, ..] => write!(
                    f,
                    "library {library:?}: exports {} {kind}s, expected one to be named as in \"{reference}:{first}\": {}",
                    exported.len(),
                    exported.join(", ")
                ),
            },
            PluginError::UnknownType { library, kind, type_name, exported, of_other_kind } => {
                write!(f, "library {library:?}: exports no {kind} {type_name:?}")?;
                if *of_other_kind {
                    write!(f, ", but a {} of that name", kind.other())?;
                }
                if let Some(nearest) = nearest(type_name, exported) {
                    write!(f, ", did you mean {nearest:?}?")?;
                }
                match exported.as_slice() {
                    [] => write!(f, "; it exports no {kind}"),
                    _ => write!(f, "; its {kind}s: {}", exported.join(", ")),
                }
            }
        }
    }
}

impl std::error::Error for PluginError {}

impl fmt::Display for LoadProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&one_line(&Words(self).to_string()))
    }
}

/// In words of which some are the library's own.
struct Words<'a>(&'a LoadProblem);

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            LoadProblem::Relative => f.write_str("expected an absolute path"),
            LoadProblem::Unreadable(why) => f.write_str(why),
            LoadProblem::NotAFile(what) => write!(f, "expected a shared library, found {what}"),
            LoadProblem::Empty => f.write_str("expected a shared library, found an empty file"),
            LoadProblem::NotALibrary => f.write_str("not a shared library"),
            LoadProblem::Truncated => f.write_str("truncated: the file ends before its contents do"),
            LoadProblem::WrongMachine { library, host } => {
                write!(f, "built for {library}, this host is {host}")
            }
            LoadProblem::Refused(why) => write!(f, "cannot be loaded: {why}"),
            LoadProblem::NoRootModule => f.write_str(
                "not a Bansuri plugin: it exports neither a root module (export_plugin! in Rust) nor a function bansuri_plugin (in C)",
            ),
            LoadProblem::ForeignHeader { library, host } => write!(
                f,
                "incompatible bansuri_plugin.h: built with version {library}, this host has {host}; build it anew"
            ),
            LoadProblem::Exports(why) => write!(f, "what its bansuri_plugin() returns is faulty: {why}"),
            LoadProblem::Incompatible { library, host, difference } => write!(
                f,
                "incompatible plugin-api: built with {library}, this host has {host} ({difference}); build it anew"
            ),
            LoadProblem::ForeignAbi(why) => write!(f, "incompatible plugin-api: {why}; build it anew"),
            LoadProblem::Root(why) => write!(f, "its root module could not be made: {why}"),
            LoadProblem::Ends { how, words } => {
                write!(f, "ends the process that loads it: {how}{}", quoted(words))
            }
            LoadProblem::Hangs { seconds, words } => {
                write!(f, "hangs: not loaded after {seconds} s{}", quoted(words))
            }
            LoadProblem::Untried(why) => write!(f, "cannot be tried: {why}"),
            LoadProblem::Changing => f.write_str("is being written"),
            LoadProblem::Untrusted(how) => write!(f, "not to be trusted by a host that runs as root: {how}"),
            LoadProblem::Fixed => {
                f.write_str("is loaded from its own file: a new build takes a new host")
            }
            LoadProblem::OtherContent { expected, found } => {
                write!(f, "its content is not the pinned one: sha256 {found}, expected {expected}")
            }
        }
    }
}

/// What a library printed last, if anything.
fn quoted(words: &str) -> String {
    if words.is_empty() { String::new() } else { format!(" (it printed {words:?})") }
}

/// The exported name that was likely meant.
fn nearest<'a>(name: &str, exported: &'a [String]) -> Option<&'a str> {
    let name = name.to_lowercase();
    let distance = |known: &str| strsim::damerau_levenshtein(&name, &known.to_lowercase());
    let best = exported.iter().min_by_key(|known| distance(known))?;
    (distance(best) <= name.chars().count().div_ceil(3)).then_some(best)
}
