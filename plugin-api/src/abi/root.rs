//! The one thing a library exports.

use super::{ConfigBox, ExportBox, FaultBox, LogArc, NotifierBox, TaskBox};
use abi_stable::{
    library::RootModule,
    package_version_strings,
    sabi_types::VersionStrings,
    std_types::{RResult, RStr, RVec},
    StableAbi,
};

/// The root module of a plugin library.
///
/// Lives in the library, which is never unloaded. Its functions may be called on any thread, and do not unwind.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PluginModule_Ref)))]
#[sabi(missing_field(option))]
pub struct PluginModule {
    /// What the library exports.
    pub exports: extern "C" fn() -> RVec<ExportBox>,

    /// Where log records go that the library writes outside of every instance's calls. Called once, after loading.
    pub attach: extern "C" fn(LogArc),

    /// Makes an instance of a task type.
    pub new_task: extern "C" fn(RStr<'_>, ConfigBox) -> RResult<TaskBox, FaultBox>,

    /// Makes an instance of a notifier type.
    #[sabi(last_prefix_field)]
    pub new_notifier: extern "C" fn(RStr<'_>, ConfigBox) -> RResult<NotifierBox, FaultBox>,
}

impl RootModule for PluginModule_Ref {
    abi_stable::declare_root_module_statics! {PluginModule_Ref}
    const BASE_NAME: &'static str = "bansuri_plugin";
    const NAME: &'static str = "bansuri-plugin-api";
    const VERSION_STRINGS: VersionStrings = package_version_strings!();
}
