//! A panic of author's code becomes an error value before it reaches the boundary, where it would end the process.

use crate::abi::{AbiFault, AbiFault_TO, FaultBox, FaultKind, LogArc};
use crate::log_forwarder;
use abi_stable::sabi_trait::TD_Opaque;
use abi_stable::std_types::RStr;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt::Display;
use std::panic::{self, catch_unwind, AssertUnwindSafe};
use std::sync::Once;
use std::thread;

#[cfg(panic = "abort")]
compile_error!("a plugin that aborts on panic would end its host: build with panic = \"unwind\"");

/// A part of author's code that the host calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Entry {
    Exports,
    Constructor,
    Run,
    Stop,
    Notify,
    Drop,
}

impl Entry {
    fn as_str(self) -> &'static str {
        match self {
            Entry::Exports => "description",
            Entry::Constructor => "constructor",
            Entry::Run => "run",
            Entry::Stop => "stop",
            Entry::Notify => "notify",
            Entry::Drop => "drop",
        }
    }
}

/// Why a shielded call failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Fault {
    pub(crate) kind: FaultKind,
    pub(crate) message: String,
}

impl Fault {
    pub(crate) fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    pub(crate) fn boxed(self) -> FaultBox {
        AbiFault_TO::from_value(self, TD_Opaque)
    }
}

impl AbiFault for Fault {
    fn kind(&self) -> FaultKind {
        self.kind
    }

    fn message(&self) -> RStr<'_> {
        self.message.as_str().into()
    }
}

thread_local! {
    /// How many shielded calls this thread is in.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    /// Where the last panic of this thread inside a shielded call came from.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Calls author's code. `log` records written on this thread meanwhile go to `logger`.
pub(crate) fn shielded<R, E: Display>(
    entry: Entry,
    logger: Option<&LogArc>,
    body: impl FnOnce() -> Result<R, E>,
) -> Result<R, Fault> {
    // A panic that the author catches and resumes passes no hook: an older place would be a wrong one.
    PLACE.with(|place| place.borrow_mut().take());
    let caught = {
        let _logger = log_forwarder::enter(logger);
        let _inside = Inside::enter();
        // Turning the author's error into text may run author's code as well.
        catch_unwind(AssertUnwindSafe(|| body().map_err(|error| error.to_string())))
    };
    match caught {
        Ok(result) => result.map_err(|message| Fault::new(FaultKind::ERROR, message)),
        Err(payload) => {
            let place = PLACE.with(|place| place.borrow_mut().take());
            let place = place.map(|place| format!(" at {place}")).unwrap_or_default();
            let message = format!("{} panicked{place}: {}", entry.as_str(), payload_text(&*payload));
            dispose(payload);
            Err(Fault::new(FaultKind::PANIC, message))
        }
    }
}

/// Replaces the panic hook of this library's own standard library, once.
///
/// A panic in a shielded call is recorded and not printed: the host reports it. Elsewhere (a thread of the author's) it
/// goes to the host's log under the library's name, and without a host to the hook that was there.
pub(crate) fn install_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let place = info.location().map(ToString::to_string);
            if DEPTH.try_with(Cell::get).unwrap_or(0) > 0 {
                PLACE.with(|last| *last.borrow_mut() = place);
                return;
            }
            let Some(logger) = log_forwarder::library_logger() else { return previous(info) };
            let name = thread::current().name().unwrap_or("unnamed").to_owned();
            let place = place.map(|place| format!(" at {place}")).unwrap_or_default();
            let message = format!("thread {name:?} panicked{place}: {}", payload_text(info.payload()));
            log_forwarder::send(logger, log::Level::Error, module_path!(), &message);
        }));
    });
}

/// Marks the thread as being in a shielded call.
struct Inside;

impl Inside {
    fn enter() -> Self {
        DEPTH.with(|depth| depth.set(depth.get() + 1));
        Inside
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        DEPTH.with(|depth| depth.set(depth.get() - 1));
    }
}

fn payload_text(payload: &(dyn Any + Send)) -> &str {
    if let Some(text) = payload.downcast_ref::<&str>() {
        text
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else {
        "a value that is no text"
    }
}

/// Drops a panic's payload, whose own `Drop` may panic; the payload of that panic is leaked, since it may go on so.
fn dispose(payload: Box<dyn Any + Send>) {
    let _inside = Inside::enter();
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
    }
}
