//! A child's short cut: the private word is looked for before Rust's runtime begins, which a child needs nothing of. What
//! that sets up for the host (the map of its own memory is read, for a better word on a stack that overflows), and what
//! the host notes of what it was started with, would be a tenth of what a run costs.

use super::child::{WORD, serve};
use std::ffi::{CStr, c_char, c_int};

/// The loader calls this when the C library and every other one is ready, after the arguments are known to `std::env`
/// (99) and before anything of this crate's own that is to happen before `main`. Where a linker drops it, `main` looks
/// for the word.
#[used]
#[unsafe(link_section = ".init_array.00200")]
static AT_LOAD: extern "C" fn(c_int, *const *const c_char) = look;

extern "C" fn look(count: c_int, arguments: *const *const c_char) {
    if count < 2 {
        return;
    }
    // SAFETY: glibc hands the arguments of `main` to initializers: so many strings, which live as long as the process.
    let word = unsafe { CStr::from_ptr(*arguments.add(1)) };
    if word.to_bytes() == WORD.as_bytes() {
        // SAFETY: no handler is named, and there is one thread. As the runtime has it: a write to somebody who has gone
        // is an error to whoever writes, and not the end of the process.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
        serve();
    }
}
