//! What the host was started with, so that what it starts can be started with the same.

use parking_lot::{Mutex, MutexGuard};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

static CAPTURED: AtomicBool = AtomicBool::new(false);
/// Bit N-1: signal N was ignored.
static IGNORED: AtomicU64 = AtomicU64::new(0);
/// Bit N-1: signal N was blocked.
static BLOCKED: AtomicU64 = AtomicU64::new(0);
static SOFT: AtomicU64 = AtomicU64::new(0);
static HARD: AtomicU64 = AtomicU64::new(0);

/// Whether [`raise_nofile`] raised the limit, so that a spawn has to lower it.
static RAISED: AtomicBool = AtomicBool::new(false);
/// Held while the limit is lowered for a spawn, and by whoever tries again after it met the lowered limit.
static WINDOW: Mutex<()> = Mutex::new(());

/// Far more than a host needs; a limit of a thousand million makes programs that close all descriptors crawl.
const NOFILE_CEILING: u64 = 1 << 20;

/// Signals glibc uses to cancel threads and to change users in all of them.
const GLIBC_OWN: [i32; 2] = [32, 33];

pub(super) const SIGNALS: std::ops::RangeInclusive<i32> = 1..=64;

/// The loader calls this before `main`, and so before Rust's runtime makes the process ignore SIGPIPE.
#[used]
#[unsafe(link_section = ".init_array")]
static AT_LOAD: extern "C" fn() = capture;

extern "C" fn capture() {
    let (mut ignored, mut blocked) = (0, 0);
    // SAFETY: all-zero is a valid value of these C structures, and each call gets pointers to live ones of its type.
    let limit = unsafe {
        let mut mask: libc::sigset_t = std::mem::zeroed();
        libc::sigprocmask(libc::SIG_SETMASK, std::ptr::null(), &mut mask);
        for signal in SIGNALS {
            if libc::sigismember(&mask, signal) == 1 {
                blocked |= bit(signal);
            }
            if disposition(signal) == Some(libc::SIG_IGN) {
                ignored |= bit(signal);
            }
        }
        let mut limit: libc::rlimit = std::mem::zeroed();
        libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit);
        limit
    };
    IGNORED.store(ignored, Ordering::Relaxed);
    BLOCKED.store(blocked, Ordering::Relaxed);
    SOFT.store(limit.rlim_cur, Ordering::Relaxed);
    HARD.store(limit.rlim_max, Ordering::Relaxed);
    CAPTURED.store(true, Ordering::Release);
}

fn ensure_captured() {
    if !CAPTURED.load(Ordering::Acquire) {
        // A linker that dropped `AT_LOAD` leaves this: everything but what the runtime itself set is still right.
        capture();
        IGNORED.fetch_and(!bit(libc::SIGPIPE), Ordering::Relaxed);
    }
}

const fn bit(signal: i32) -> u64 {
    1 << (signal - 1)
}

/// What the process does at this signal; `None` for a number that is none. The kernel is asked, because the C library
/// does not answer for the two it keeps to itself, and its posix_spawn makes those ignored.
fn disposition(signal: i32) -> Option<libc::sighandler_t> {
    /// The kernel's `struct sigaction` and more than it ever was: the handler comes first.
    #[repr(C)]
    struct Action {
        handler: libc::sighandler_t,
        rest: [u64; 8],
    }
    let mut action = Action { handler: 0, rest: [0; 8] };
    let (no_change, set_bytes) = (std::ptr::null::<Action>(), size_of::<u64>());
    // SAFETY: the call changes nothing, and writes the current action into a live structure that has room for it.
    let code =
        unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, no_change, &raw mut action, set_bytes) };
    (code == 0).then_some(action.handler)
}

/// Whether this signal was ignored when the host was started (as under `nohup`).
pub fn was_ignored(signal: i32) -> bool {
    ensure_captured();
    SIGNALS.contains(&signal) && IGNORED.load(Ordering::Relaxed) & bit(signal) != 0
}

/// The signals that were blocked when the host was started: bit N-1 stands for signal N.
pub fn inherited_signal_mask() -> u64 {
    ensure_captured();
    BLOCKED.load(Ordering::Relaxed)
}

/// The limit of open files the host was started with: soft, hard.
pub fn inherited_nofile() -> (u64, u64) {
    ensure_captured();
    (SOFT.load(Ordering::Relaxed), HARD.load(Ordering::Relaxed))
}

/// Signals that were ignored at the start and that the process handles or takes by default now: a process it starts
/// would take them by default. Not among them are SIGCHLD (see [`keep_exit_codes`]) and the two that glibc handles once
/// there are threads: its posix_spawn makes those ignored by itself.
pub(super) fn no_longer_ignored() -> Vec<i32> {
    ensure_captured();
    if IGNORED.load(Ordering::Relaxed) == 0 {
        return Vec::new();
    }
    SIGNALS
        .filter(|&signal| signal != libc::SIGCHLD && !GLIBC_OWN.contains(&signal))
        .filter(|&signal| was_ignored(signal))
        .filter(|&signal| disposition(signal).is_some_and(|now| now != libc::SIG_IGN))
        .collect()
}

/// An ignored SIGCHLD, inherited, makes the kernel throw exit codes away: the host takes it by default, and so do the
/// processes it starts, which no shell could keep from it.
pub(super) fn keep_exit_codes() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        ensure_captured();
        if disposition(libc::SIGCHLD) == Some(libc::SIG_IGN) {
            // SAFETY: the default action has no handler that could be called.
            unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
        }
    });
}

/// Keeps what this process executes from ignoring SIGPIPE as Rust's runtime has this process do, unless it was so from
/// the start. A signal that is handled, by doing nothing, fails a write just as well.
pub fn keep_sigpipe_to_itself() {
    extern "C" fn nothing(_signal: i32) {}
    if !was_ignored(libc::SIGPIPE) {
        let handler: extern "C" fn(i32) = nothing;
        // SAFETY: the handler does nothing, which is safe at any moment.
        unsafe { libc::signal(libc::SIGPIPE, handler as libc::sighandler_t) };
    }
}

/// Raises the host's soft limit of open files as far as it may go (2^20 at most), and returns it. What is started
/// keeps the limit the host was started with.
///
/// # Errors
/// What the system says to a raise up to its own hard limit, if it says no.
pub fn raise_nofile() -> io::Result<u64> {
    ensure_captured();
    let _window = WINDOW.lock();
    let limit = nofile()?;
    let raised = limit.rlim_max.min(NOFILE_CEILING).max(limit.rlim_cur);
    set_nofile(libc::rlimit { rlim_cur: raised, ..limit })?;
    RAISED.store(raised != SOFT.load(Ordering::Relaxed), Ordering::Release);
    Ok(raised)
}

/// The inherited limit of open files is in force while this lives.
pub(super) struct InheritedLimit {
    before: Option<libc::rlimit>,
    _window: Option<MutexGuard<'static, ()>>,
}

impl InheritedLimit {
    /// Lowers the limit if it was raised. Another thread that opens something meanwhile may meet EMFILE: see
    /// [`after_window`].
    pub(super) fn apply() -> io::Result<Self> {
        if !RAISED.load(Ordering::Acquire) {
            return Ok(Self { before: None, _window: None });
        }
        let window = WINDOW.lock();
        let before = nofile()?;
        set_nofile(libc::rlimit { rlim_cur: SOFT.load(Ordering::Relaxed).min(before.rlim_max), ..before })?;
        Ok(Self { before: Some(before), _window: Some(window) })
    }
}

impl Drop for InheritedLimit {
    fn drop(&mut self) {
        if let Some(before) = self.before {
            set_nofile(before).expect("a soft limit may be raised again to where it was, below the hard one");
        }
    }
}

/// Calls `again` while no spawn lowers the limit of open files; `None` if the limit was never raised.
pub(super) fn after_window<T>(again: impl FnOnce() -> T) -> Option<T> {
    RAISED.load(Ordering::Acquire).then(|| {
        let _window = WINDOW.lock();
        again()
    })
}

fn nofile() -> io::Result<libc::rlimit> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a live structure of the right type.
    match unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) } {
        0 => Ok(limit),
        _ => Err(io::Error::last_os_error()),
    }
}

fn set_nofile(limit: libc::rlimit) -> io::Result<()> {
    // SAFETY: the pointer is to a live structure of the right type, which is only read.
    match unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
