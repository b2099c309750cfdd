//! The stable-layout twins of what authors see: everything that crosses between a host and a plugin library.
//!
//! For the host and for [`export_plugin!`](crate::export_plugin); authors need nothing of it.
//!
//! Growth: records are opaque objects with accessor methods, and the root module is a prefix type. A method or field is
//! only ever added after the last one, with a default, so that an older host runs a newer plugin and the reverse.
//! Numbers that name kinds are open newtypes: an unknown one has a defined meaning. Nothing here may panic across the
//! boundary: plugin code is behind `shield`, and the host guards its own methods.

mod config;
mod context;
mod export;
mod failure;
mod fault;
mod log;
mod notifier;
mod root;
mod task;

pub use self::config::{AbiConfig, AbiConfig_TO, ConfigBox};
pub use self::context::{AbiTaskContext, AbiTaskContext_TO, ContextArc, EnvironmentEntry, OutputStream};
pub use self::export::{AbiExport, AbiExport_TO, ExportBox, ExportKind};
pub use self::failure::{AbiFailure, AbiFailure_TO, FailureBox};
pub use self::fault::{AbiFault, AbiFault_TO, FaultBox, FaultKind};
pub use self::log::{AbiLog, AbiLog_TO, LogArc};
pub use self::notifier::{AbiNotifier, AbiNotifier_TO, NotifierBox};
pub use self::root::{PluginModule, PluginModule_Ref};
pub use self::task::{AbiTask, AbiTask_TO, TaskBox};
pub use abi_stable;
