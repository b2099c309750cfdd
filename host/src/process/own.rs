//! This process: its name and its end.

/// Ends the process at once, without the destructors of `exit`: they would run under plugin threads that are still alive
/// and pull their world away. Whatever was buffered must have been flushed.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: `_exit` takes any number and touches no memory of the process.
    unsafe { libc::_exit(code) }
}

/// What `ps` and `top` show of this process, the first 15 bytes of it. A NUL ends it.
pub fn name_process(name: &str) {
    let name: Vec<u8> = name.bytes().take_while(|&byte| byte != 0).collect();
    if let Ok(name) = std::ffi::CString::new(name) {
        // A name that is refused leaves the one there is.
        let _ = rustix::thread::set_name(&name);
    }
}

/// Writes out what the C library holds back of standard output and standard error: programs' own `printf`.
pub fn flush_c_output() {
    unsafe extern "C" {
        static stdout: *mut libc::FILE;
        static stderr: *mut libc::FILE;
    }
    // SAFETY: both are the C library's streams, which live as long as the process; flushing locks them.
    unsafe {
        libc::fflush(stdout);
        libc::fflush(stderr);
    }
}

/// SIGKILL to this process and to all of its group.
pub fn kill_own_group() -> ! {
    // SAFETY: plain system calls; zero is the group of the caller.
    unsafe {
        libc::kill(0, libc::SIGKILL);
        // The group may have been left.
        libc::_exit(128 + libc::SIGKILL)
    }
}
