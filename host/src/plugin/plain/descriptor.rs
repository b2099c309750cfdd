//! Reads and checks what `bansuri_plugin` returns. The library is trusted to give pointers to what it says they point to,
//! since nothing can be done about others; everything else is checked.

use super::raw::{self, Given};
use super::text::exact;
use crate::plugin::error::LoadProblem;
use crate::plugin::library::{Export, ExportKind};
use crate::plugin::reference::is_identifier;
use std::collections::HashSet;
use std::mem::{MaybeUninit, offset_of};
use std::ptr;

/// A size above this is none: the struct was not filled in.
const LARGEST: usize = 64 * 1024;
/// The same for the number of types.
const MOST: usize = 4096;

/// What a library exports.
pub(super) struct Described {
    pub(super) revision: u32,
    pub(super) tasks: Vec<Type<raw::Task, raw::Run>>,
    pub(super) notifiers: Vec<Type<raw::Notifier, raw::Notify>>,
    pub(super) attach: Option<raw::Attach>,
}

/// One exported type.
pub(super) struct Type<R, C> {
    pub(super) export: Export,
    /// As it was given; members that the library does not know are absent.
    pub(super) raw: R,
    /// The function that no type can be without.
    pub(super) call: C,
}

/// # Safety
/// What `exports` points to, unless it is NULL, begins with its true size, and the pointers in it are such as the header
/// has them, or NULL.
pub(super) unsafe fn read(exports: *const raw::Exports) -> Result<Described, LoadProblem> {
    // SAFETY: the caller's promise. What is before `tasks` was there from the beginning.
    let exports = unsafe { copy(exports, offset_of!(raw::Exports, tasks), "exports") }?;
    if exports.version != raw::VERSION {
        return Err(LoadProblem::ForeignHeader { library: exports.version, host: raw::VERSION });
    }
    // SAFETY: the caller's promise.
    let tasks = unsafe { pointers(exports.tasks, exports.task_count, "task") }?;
    // SAFETY: the caller's promise.
    let notifiers = unsafe { pointers(exports.notifiers, exports.notifier_count, "notifier") }?;
    if tasks.is_empty() && notifiers.is_empty() {
        return Err(fault("it exports no type".to_owned()));
    }
    let tasks = tasks.iter().enumerate();
    // SAFETY: the caller's promise.
    let tasks = tasks.map(|(index, task)| unsafe { read_task(*task, index) });
    let notifiers = notifiers.iter().enumerate();
    // SAFETY: the caller's promise.
    let notifiers = notifiers.map(|(index, notifier)| unsafe { read_notifier(*notifier, index) });
    let (tasks, notifiers) =
        (tasks.collect::<Result<Vec<_>, _>>()?, notifiers.collect::<Result<Vec<_>, _>>()?);
    no_two_of_one_name(tasks.iter().map(|task| &task.export))?;
    no_two_of_one_name(notifiers.iter().map(|notifier| &notifier.export))?;
    Ok(Described { revision: exports.revision, tasks, notifiers, attach: exports.attach })
}

/// # Safety
/// As for [`read`].
unsafe fn read_task(task: *const raw::Task, index: usize) -> Result<Type<raw::Task, raw::Run>, LoadProblem> {
    let place = format!("task {}", index + 1);
    // SAFETY: the caller's promise.
    let raw = unsafe { copy(task, offset_of!(raw::Task, stop), &place) }?;
    // SAFETY: the caller's promise.
    let export =
        unsafe { export(ExportKind::Task, &place, [raw.name, raw.description, raw.options_schema]) }?;
    match raw.run {
        Some(call) => Ok(Type { export, raw, call }),
        None => Err(fault(format!("task {:?}: run is NULL", export.name))),
    }
}

/// # Safety
/// As for [`read`].
unsafe fn read_notifier(
    notifier: *const raw::Notifier,
    index: usize,
) -> Result<Type<raw::Notifier, raw::Notify>, LoadProblem> {
    let place = format!("notifier {}", index + 1);
    // SAFETY: the caller's promise.
    let raw = unsafe { copy(notifier, offset_of!(raw::Notifier, close), &place) }?;
    // SAFETY: the caller's promise.
    let export =
        unsafe { export(ExportKind::Notifier, &place, [raw.name, raw.description, raw.options_schema]) }?;
    match raw.notify {
        Some(call) => Ok(Type { export, raw, call }),
        None => Err(fault(format!("notifier {:?}: notify is NULL", export.name))),
    }
}

/// # Safety
/// The texts, the name first, are such as the header has them, or NULL.
unsafe fn export(
    kind: ExportKind,
    place: &str,
    [name, description, schema]: [raw::Text; 3],
) -> Result<Export, LoadProblem> {
    let not_utf8 = |place: &str, what: &str| fault(format!("{place}: its {what} is not UTF-8"));
    // SAFETY: the caller's promise.
    let name = unsafe { exact(name) }.map_err(|_| not_utf8(place, "name"))?;
    let Some(name) = name else { return Err(fault(format!("{place}: its name is NULL"))) };
    if !is_identifier(name) {
        return Err(fault(format!(
            "{place}: its name is {name:?}, expected letters, digits and _, no digit first"
        )));
    }
    let place = format!("{kind} {name:?}");
    // SAFETY: the caller's promise.
    let description = unsafe { exact(description) }.map_err(|_| not_utf8(&place, "description"))?;
    // SAFETY: the caller's promise.
    let options_schema = unsafe { exact(schema) }.map_err(|_| not_utf8(&place, "options_schema"))?;
    Ok(Export {
        kind,
        name: name.to_owned(),
        description: description.unwrap_or_default().to_owned(),
        options_schema: options_schema.map(str::to_owned),
    })
}

/// A struct of the library's as this host knows it: members beyond its size are zero, and members that this host does not
/// know are left out. `least` is what was there from the beginning and cannot be missing.
///
/// # Safety
/// What `from` points to, unless it is NULL, begins with its true size.
unsafe fn copy<T: Given>(from: *const T, least: usize, place: &str) -> Result<T, LoadProblem> {
    if from.is_null() {
        return Err(fault(format!("{place}: NULL")));
    }
    // SAFETY: a size comes first. Whoever gave the pointer may have aligned it badly.
    let size = unsafe { from.cast::<usize>().read_unaligned() };
    let expected = match size {
        small if small < least => format!("at least {least}"),
        large if large > LARGEST => format!("at most {LARGEST}"),
        // It would end within a member.
        odd if !odd.is_multiple_of(align_of::<T>()) => format!("a multiple of {}", align_of::<T>()),
        _ => String::new(),
    };
    if !expected.is_empty() {
        return Err(fault(format!("{place}: its size is {size}, expected {expected}")));
    }
    let mut copied = MaybeUninit::<T>::zeroed();
    // SAFETY: no more than either side has, and members are whole or zero, which is a value of all that is given.
    unsafe {
        let whole = size.min(size_of::<T>());
        ptr::copy_nonoverlapping(from.cast::<u8>(), copied.as_mut_ptr().cast(), whole);
        Ok(copied.assume_init())
    }
}

/// # Safety
/// `first` points to that many pointers, or is NULL.
unsafe fn pointers<'a, T>(
    first: *const *const T,
    count: usize,
    what: &str,
) -> Result<&'a [*const T], LoadProblem> {
    match (first.is_null(), count) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(fault(format!("{what}s is NULL, and {what}_count is {count}"))),
        (false, 1..=MOST) if first.is_aligned() => {
            // SAFETY: neither NULL nor badly aligned, and the rest is the caller's promise.
            Ok(unsafe { std::slice::from_raw_parts(first, count) })
        }
        (false, 1..=MOST) => Err(fault(format!("{what}s is no address of pointers"))),
        (false, _) => Err(fault(format!("{what}_count is {count}, expected at most {MOST}"))),
    }
}

fn no_two_of_one_name<'a>(exports: impl Iterator<Item = &'a Export>) -> Result<(), LoadProblem> {
    let mut seen = HashSet::new();
    for export in exports {
        if !seen.insert(&export.name) {
            return Err(fault(format!("two {}s are named {:?}", export.kind, export.name)));
        }
    }
    Ok(())
}

fn fault(what: String) -> LoadProblem {
    LoadProblem::Exports(what)
}
