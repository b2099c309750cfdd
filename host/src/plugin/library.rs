//! A loaded plugin library.

use super::error::PluginFault;
use super::instance::{InstanceSetup, NotifierInstance, NotifierKind, TaskInstance, TaskKind, checked};
use super::logger::logger;
use super::plain::PlainExports;
use bansuri_plugin_api::abi::{self, PluginModule_Ref};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// A plugin library, which stays loaded until the process ends. Usable on any thread.
pub struct Library {
    path: PathBuf,
    api_version: String,
    /// Asked of the library when somebody first wants to know: its authors' schemas may take a while.
    exports: OnceLock<Vec<Export>>,
    interface: Interface,
}

/// How the library is called.
enum Interface {
    /// By `export_plugin!` of plugin-api.
    Stable(PluginModule_Ref),
    /// By `bansuri_plugin.h`.
    Plain(PlainExports),
}

/// One exported type.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Export {
    /// What it is.
    pub kind: ExportKind,
    /// What follows the colon in `LIBRARY:Type`.
    pub name: String,
    /// One line for people; may be empty.
    pub description: String,
    /// A JSON Schema for its options, as text; `None`: the type publishes none.
    pub options_schema: Option<String>,
}

/// What an exported type is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExportKind {
    /// A task.
    Task,
    /// A notifier.
    Notifier,
}

impl ExportKind {
    pub(super) fn other(self) -> Self {
        match self {
            ExportKind::Task => ExportKind::Notifier,
            ExportKind::Notifier => ExportKind::Task,
        }
    }
}

impl fmt::Display for ExportKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ExportKind::Task => "task",
            ExportKind::Notifier => "notifier",
        })
    }
}

impl Library {
    pub(super) fn new(path: PathBuf, api_version: String, module: PluginModule_Ref) -> Self {
        // Before anything of the author's is called, so that what that logs is not lost.
        module.attach()(logger(log_name(&path)));
        Self { path, api_version, exports: OnceLock::new(), interface: Interface::Stable(module) }
    }

    pub(super) fn plain(path: PathBuf, plain: PlainExports) -> Self {
        plain.attach(log_name(&path));
        let (api_version, exports) = (plain.version(), OnceLock::new());
        Self { path, api_version, exports, interface: Interface::Plain(plain) }
    }

    /// The file, absolute.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The version of plugin-api it was built with, or `C` and the version of `bansuri_plugin.h`.
    pub fn api_version(&self) -> &str {
        &self.api_version
    }

    /// What it exports, in the order of its author.
    pub fn exports(&self) -> &[Export] {
        self.exports.get_or_init(|| match &self.interface {
            Interface::Stable(module) => list(*module),
            Interface::Plain(plain) => plain.list(),
        })
    }

    /// The names of the exported types of one kind.
    pub fn names(&self, kind: ExportKind) -> impl Iterator<Item = &str> {
        self.exports().iter().filter(move |export| export.kind == kind).map(|export| export.name.as_str())
    }

    /// Calls the constructor of a task type on this thread.
    pub fn new_task(&self, type_name: &str, setup: InstanceSetup<'_>) -> Result<TaskInstance, PluginFault> {
        let task = match &self.interface {
            Interface::Stable(module) => {
                TaskKind::Stable(checked(module.new_task()(type_name.into(), setup.boxed()))?)
            }
            Interface::Plain(plain) => TaskKind::Plain(plain.new_task(type_name, setup)?),
        };
        Ok(TaskInstance(task))
    }

    /// Calls the constructor of a notifier type on this thread.
    pub fn new_notifier(
        &self,
        type_name: &str,
        setup: InstanceSetup<'_>,
    ) -> Result<NotifierInstance, PluginFault> {
        let notifier = match &self.interface {
            Interface::Stable(module) => {
                NotifierKind::Stable(checked(module.new_notifier()(type_name.into(), setup.boxed()))?)
            }
            Interface::Plain(plain) => NotifierKind::Plain(plain.new_notifier(type_name, setup)?),
        };
        Ok(NotifierInstance(notifier))
    }
}

impl fmt::Debug for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Library")
            .field("path", &self.path)
            .field("api_version", &self.api_version)
            .field("exports", &self.exports())
            .finish_non_exhaustive()
    }
}

fn list(module: PluginModule_Ref) -> Vec<Export> {
    let exports = module.exports()().into_iter().filter_map(|export| {
        Some(Export {
            kind: match export.kind() {
                abi::ExportKind::TASK => ExportKind::Task,
                abi::ExportKind::NOTIFIER => ExportKind::Notifier,
                // A kind that a newer plugin-api knows is of no use to this host.
                _ => return None,
            },
            name: export.name().into(),
            description: export.description().into(),
            options_schema: export.options_schema().into_option().map(Into::into),
        })
    });
    exports.collect()
}

/// `libhttp_check.so` logs as `http_check`.
fn log_name(path: &Path) -> Arc<str> {
    let stem = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy();
    stem.strip_prefix(std::env::consts::DLL_PREFIX).unwrap_or(&stem).into()
}
