//! The one macro, and the functions of the root module it exports.

use crate::abi::{
    AbiExport, AbiExport_TO, ConfigBox, ExportBox, ExportKind, FaultBox, FaultKind, LogArc, NotifierBox,
    PluginModule, PluginModule_Ref, TaskBox,
};
use crate::author::{Notifier, Task};
use crate::shield::{install_hook, shielded, Entry, Fault};
use crate::{adapter, log_forwarder};
use abi_stable::library::{__call_root_module_loader, CheckTypeLayout, RootModuleResult};
use abi_stable::prefix_type::PrefixTypeTrait;
use abi_stable::sabi_trait::TD_Opaque;
use abi_stable::std_types::{ROption, RResult, RStr, RString, RVec};
use std::convert::Infallible;

pub use abi_stable::library::LibHeader;

/// Exports task and notifier types from a plugin library.
///
/// Written once in a crate of `crate-type = ["cdylib"]` (add `"rlib"` for integration tests). Either list may be left
/// out. A type is exported under its own name, the last part of its path: `checks::DiskSpace` is
/// `"command": "LIBRARY:DiskSpace"`. A generic type needs an alias.
///
/// ```text
/// export_plugin! { tasks: [DiskSpace, checks::Load], notifiers: [Pager] }
/// ```
///
/// Two tasks or two notifiers of one name do not compile, and neither does a library that exports nothing:
///
/// ```compile_fail,E0080
/// # use bansuri_plugin_api::*;
/// # mod a { use bansuri_plugin_api::*; pub struct Nop; impl Notifier for Nop {
/// #     fn new(_: &NotifierConfig) -> Result<Self, NotifyError> { Ok(Nop) }
/// #     fn notify(&self, _: &FailureInfo) -> Result<(), NotifyError> { Ok(()) }
/// # } }
/// # mod b { pub use super::a::Nop; }
/// export_plugin! { notifiers: [a::Nop, b::Nop] }
/// # fn main() {}
/// ```
///
/// The library gets one exported symbol, the same in every plugin: no program can link two plugin crates. (Inside the
/// crate's own unit tests it is left out.)
#[macro_export]
macro_rules! export_plugin {
    (
        $(tasks: [$($($task:ident)::+),* $(,)?] $(,)?)?
        $(notifiers: [$($($notifier:ident)::+),* $(,)?] $(,)?)?
    ) => {
        const _: () = {
            struct Exported;

            impl $crate::export::Library for Exported {
                const TYPES: &'static [$crate::export::ExportedType] = &[
                    $($($crate::export::ExportedType::task::<$($task)::+>(&[$(stringify!($task)),+]),)*)?
                    $($($crate::export::ExportedType::notifier::<$($notifier)::+>(&[$(stringify!($notifier)),+]),)*)?
                ];
            }

            const _: () = $crate::export::check(<Exported as $crate::export::Library>::TYPES);

            // The name under which the host looks for the root module of a library.
            #[cfg(not(test))]
            #[export_name = "_1as_0lib_1header_0root_bmodule_bloader"]
            pub static HEADER: $crate::export::LibHeader = $crate::export::header::<Exported>();
        };
    };
    (notifiers: [$($notifiers:tt)*], tasks: [$($tasks:tt)*] $(,)?) => {
        $crate::export_plugin! { tasks: [$($tasks)*], notifiers: [$($notifiers)*] }
    };
}

/// What a library exports. Implemented by [`export_plugin!`](crate::export_plugin).
pub trait Library: 'static {
    /// In the order of the macro.
    const TYPES: &'static [ExportedType];
}

/// One exported type.
pub struct ExportedType {
    /// The segments of its path, as written.
    path: &'static [&'static str],
    description: fn() -> &'static str,
    options_schema: fn() -> Option<String>,
    make: Make,
}

enum Make {
    Task(fn(ConfigBox) -> Result<TaskBox, Fault>),
    Notifier(fn(ConfigBox) -> Result<NotifierBox, Fault>),
}

impl ExportedType {
    /// A task type.
    pub const fn task<T: Task>(path: &'static [&'static str]) -> Self {
        Self {
            path,
            description: T::description,
            options_schema: T::options_schema,
            make: Make::Task(adapter::new_task::<T>),
        }
    }

    /// A notifier type.
    pub const fn notifier<N: Notifier>(path: &'static [&'static str]) -> Self {
        Self {
            path,
            description: N::description,
            options_schema: N::options_schema,
            make: Make::Notifier(adapter::new_notifier::<N>),
        }
    }

    const fn name(&self) -> &'static str {
        self.path[self.path.len() - 1]
    }
}

/// Stops the build of a library that exports nothing, or two tasks or two notifiers of one name.
pub const fn check(types: &[ExportedType]) {
    assert!(!types.is_empty(), "export_plugin! needs at least one task or notifier");
    let mut i = 0;
    while i < types.len() {
        let mut j = 0;
        while j < i {
            let same_kind = matches!(
                (&types[i].make, &types[j].make),
                (Make::Task(_), Make::Task(_)) | (Make::Notifier(_), Make::Notifier(_))
            );
            assert!(
                !(same_kind && same(types[i].name(), types[j].name())),
                "two exported types have one name"
            );
            j += 1;
        }
        i += 1;
    }
}

const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// The header through which a host finds the root module.
pub const fn header<L: Library>() -> LibHeader {
    // SAFETY: `load::<L>` returns a module of the type named here, made by `root_module`.
    unsafe { LibHeader::from_constructor::<PluginModule_Ref>(load::<L>, CheckTypeLayout::Yes) }
}

extern "C" fn load<L: Library>() -> RootModuleResult {
    __call_root_module_loader(root_module::<L>)
}

fn root_module<L: Library>() -> PluginModule_Ref {
    install_hook();
    let module = PluginModule {
        exports: exports::<L>,
        attach,
        new_task: new_task::<L>,
        new_notifier: new_notifier::<L>,
    };
    module.leak_into_prefix()
}

extern "C" fn attach(logger: LogArc) {
    log_forwarder::attach(logger);
}

extern "C" fn exports<L: Library>() -> RVec<ExportBox> {
    L::TYPES.iter().map(|exported| AbiExport_TO::from_value(Description::of(exported), TD_Opaque)).collect()
}

extern "C" fn new_task<L: Library>(name: RStr<'_>, config: ConfigBox) -> RResult<TaskBox, FaultBox> {
    for exported in L::TYPES {
        if let (Make::Task(make), true) = (&exported.make, exported.name() == name.as_str()) {
            return make(config).map_err(Fault::boxed).into();
        }
    }
    unknown("task", name)
}

extern "C" fn new_notifier<L: Library>(name: RStr<'_>, config: ConfigBox) -> RResult<NotifierBox, FaultBox> {
    for exported in L::TYPES {
        if let (Make::Notifier(make), true) = (&exported.make, exported.name() == name.as_str()) {
            return make(config).map_err(Fault::boxed).into();
        }
    }
    unknown("notifier", name)
}

fn unknown<T>(kind: &str, name: RStr<'_>) -> RResult<T, FaultBox> {
    let message = format!("the library exports no {kind} type {:?}", name.as_str());
    RResult::RErr(Fault::new(FaultKind::UNKNOWN_TYPE, message).boxed())
}

/// What is told of one type. Author's code is asked once, when it is made.
struct Description {
    kind: ExportKind,
    name: &'static str,
    description: String,
    options_schema: Option<String>,
}

impl Description {
    fn of(exported: &ExportedType) -> Self {
        let texts = shielded(Entry::Exports, None, || {
            Ok::<_, Infallible>(((exported.description)().to_owned(), (exported.options_schema)()))
        });
        let (description, options_schema) = texts.unwrap_or_else(|fault| (fault.message, None));
        let kind = match exported.make {
            Make::Task(_) => ExportKind::TASK,
            Make::Notifier(_) => ExportKind::NOTIFIER,
        };
        Self { kind, name: exported.name(), description, options_schema }
    }
}

impl AbiExport for Description {
    fn kind(&self) -> ExportKind {
        self.kind
    }

    fn name(&self) -> RStr<'_> {
        self.name.into()
    }

    fn description(&self) -> RStr<'_> {
        self.description.as_str().into()
    }

    fn options_schema(&self) -> ROption<RString> {
        self.options_schema.clone().map(RString::from).into()
    }
}
