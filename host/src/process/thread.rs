//! Threads of the host's own.

use std::io;
use std::thread::JoinHandle;

/// Starts a named thread that takes no signals, so that they find the control thread. It is for threads that start no
/// processes and run nobody else's code: what a thread starts inherits what it blocks.
///
/// Where a child exits while the control thread starts another, which blocks signals for as long, the kernel wakes any
/// other thread that takes SIGCHLD, only to drop it: of a host that starts thousands a second, an eighth of its time.
///
/// # Errors
/// The system is out of threads or memory.
pub fn start_thread<T: Send + 'static>(
    name: &str,
    body: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        block_signals();
        body()
    })
}

fn block_signals() {
    // SAFETY: the set is initialised by the first call, and every call gets a pointer to a live one.
    unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&mut all);
        // What a thread's own faults raise is told of by Rust's handler, which a blocked signal does not reach.
        for fault in [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE] {
            libc::sigdelset(&mut all, fault);
        }
        // It fails for an unknown way alone.
        libc::pthread_sigmask(libc::SIG_BLOCK, &all, std::ptr::null_mut());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_of_the_hosts_own_takes_no_signals() {
        let blocked = |status: String| {
            let line = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).map(str::trim);
            u64::from_str_radix(line.expect("every kernel shows it"), 16).expect("it is a number")
        };
        let status = || std::fs::read_to_string("/proc/thread-self/status").unwrap();
        let thread =
            start_thread("quiet", move || (status(), std::thread::current().name().map(str::to_owned)));
        let (inside, name) = thread.unwrap().join().unwrap();
        let child = 1 << (libc::SIGCHLD - 1);
        assert_eq!(blocked(inside) & child, child);
        assert_eq!(blocked(status()) & child, 0, "it is the thread's own mask");
        assert_eq!(name.as_deref(), Some("quiet"));
    }
}
