//! A process and the group it leads, from its start until the last of the group is gone.

use super::members::{self, Presence};
use bansuri_core::{Exit, Signal};
use parking_lot::Mutex;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, WaitId, WaitIdOptions, WaitIdStatus, pidfd_open, waitid};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// `PIDFD_SIGNAL_PROCESS_GROUP` of `linux/pidfd.h`.
const PIDFD_SIGNAL_PROCESS_GROUP: libc::c_uint = 1 << 2;

/// How long a group that is dropped alive is waited for after SIGKILL, so that its leader leaves no zombie.
const LAST_WAIT: Duration = Duration::from_millis(100);

/// A process that was started as the leader of a group of its own. May be used on any thread.
///
/// Its pidfd (what `as_fd` gives) becomes readable when the leader has exited. The leader is reaped by that pidfd
/// alone, and the group is never signalled by a number that may have been taken by somebody else. A group that is
/// dropped before it is gone is killed.
#[derive(Debug)]
pub struct Group {
    leader: Pid,
    pidfd: OwnedFd,
    route: Route,
    state: Mutex<State>,
}

/// How the whole group is reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Route {
    /// Through the leader's pidfd, which names the group for as long as it has members (Linux 6.9).
    Pidfd,
    /// By its number, which is kept from being taken by leaving the leader unreaped until the group is gone.
    Unreaped,
}

#[derive(Debug)]
struct State {
    life: Life,
    /// SIGKILL was sent: what is found in the group later gets it as well.
    killed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Life {
    Led,
    LeaderExited,
    Gone,
}

/// None of the group's processes may be signalled by the host: they belong to another user.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotPermitted;

impl Group {
    /// Takes over a child that leads a group of its own. If that fails, the child is killed and reaped.
    pub(super) fn of_child(pid: libc::pid_t) -> io::Result<Self> {
        static ROUTE: OnceLock<Route> = OnceLock::new();
        Self::by_route(pid, *ROUTE.get_or_init(Route::detect))
    }

    pub(super) fn by_route(pid: libc::pid_t, route: Route) -> io::Result<Self> {
        let leader = Pid::from_raw(pid).expect("a child's pid is a positive number");
        let opened = super::retrying(|| Ok(pidfd_open(leader, PidfdFlags::empty())?));
        match opened {
            Ok(pidfd) => {
                Ok(Self { leader, pidfd, route, state: Mutex::new(State { life: Life::Led, killed: false }) })
            }
            Err(error) => {
                // SAFETY: plain system call. The child has not been reaped, so that its number is its own.
                unsafe { libc::kill(-pid, libc::SIGKILL) };
                let _ = waitid(WaitId::Pid(leader), WaitIdOptions::EXITED);
                Err(error)
            }
        }
    }

    /// The leader's pid, for people and records. It is not for signals: it may be another's once the leader exited.
    pub fn pid(&self) -> u32 {
        self.leader.as_raw_nonzero().get().unsigned_abs()
    }

    /// Sends the signal to every process of the group. That nobody is left is no error.
    ///
    /// # Errors
    /// There are processes, and none of them may be signalled.
    pub fn signal(&self, signal: Signal) -> Result<(), NotPermitted> {
        let state = self.state.lock();
        match self.send(&state, signal.number()) {
            Err(libc::EPERM) => Err(NotPermitted),
            // A leader that moved to another group is still ours to end.
            Err(libc::ESRCH) if state.life == Life::Led => match self.send_to_leader(signal.number()) {
                Err(libc::EPERM) => Err(NotPermitted),
                Ok(()) | Err(_) => Ok(()),
            },
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// SIGKILL to the group, and to whatever is found in it later.
    ///
    /// # Errors
    /// As [`Group::signal`].
    pub fn kill(&self) -> Result<(), NotPermitted> {
        self.state.lock().killed = true;
        self.signal(Signal::KILL)
    }

    /// How the leader ended, once it has: given once. Never blocks.
    pub fn take_exit(&self) -> Option<Exit> {
        let mut state = self.state.lock();
        if state.life != Life::Led {
            return None;
        }
        let keep = match self.route {
            Route::Pidfd => WaitIdOptions::empty(),
            Route::Unreaped => WaitIdOptions::NOWAIT,
        };
        let exit = match self.wait_leader(keep) {
            Ok(None) => return None,
            Ok(Some(status)) => exit_of(&status),
            Err(error) => Exit::Error(format!(
                "its exit code was taken by something else in the host: {}",
                super::describe(&error.into())
            )),
        };
        state.life = Life::LeaderExited;
        Some(exit)
    }

    /// Whether nobody is left of the group, not even a zombie. False may also mean "not known": then
    /// [`survey`](super::survey) tells.
    pub fn is_empty(&self) -> bool {
        let mut state = self.state.lock();
        match (state.life, self.route) {
            (Life::Gone, _) => true,
            (Life::Led, _) | (Life::LeaderExited, Route::Unreaped) => false,
            (Life::LeaderExited, Route::Pidfd) => {
                let empty = self.send(&state, 0) == Err(libc::ESRCH);
                if empty {
                    state.life = Life::Gone;
                }
                empty
            }
        }
    }

    /// Whether the leader's exit was taken.
    pub fn leader_exited(&self) -> bool {
        self.state.lock().life != Life::Led
    }

    /// Blocks until the leader exits, for `limit` at most. `None`: it lives, or its exit was taken before.
    pub fn wait(&self, limit: Duration) -> Option<Exit> {
        wait_readable(&[self.pidfd.as_fd()], limit);
        self.take_exit()
    }

    /// Blocks until the group is gone, leader included, for `limit` at most; says whether it is.
    pub fn wait_gone(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        if !self.leader_exited() {
            self.wait(limit);
        }
        loop {
            if !self.leader_exited() {
                return false;
            }
            if self.is_empty() {
                return true;
            }
            match members::survey(&[self]).pop() {
                Some(Presence::Members(members)) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    let members: Vec<_> = members.iter().map(AsFd::as_fd).collect();
                    if members.is_empty() || left.is_zero() {
                        return false;
                    }
                    wait_readable(&members[..1], left);
                }
                Some(Presence::Gone) | None => return true,
            }
        }
    }

    pub(super) fn leader(&self) -> libc::pid_t {
        self.leader.as_raw_nonzero().get()
    }

    /// Whether the leader's own entry in the process table is there to be skipped.
    pub(super) fn keeps_leader(&self) -> bool {
        self.route == Route::Unreaped
    }

    /// Sends SIGKILL again if it was sent before.
    pub(super) fn kill_again(&self) {
        let state = self.state.lock();
        if state.killed {
            // Who may not be signalled now could not be before.
            let _ = self.send(&state, libc::SIGKILL);
        }
    }

    /// Nobody but zombies of others is left.
    pub(super) fn finish(&self) {
        let mut state = self.state.lock();
        if state.life == Life::LeaderExited && self.route == Route::Unreaped {
            // It exited, so that this cannot fail but for somebody who reaps what is not his.
            let _ = self.wait_leader(WaitIdOptions::empty());
        }
        state.life = Life::Gone;
    }

    fn wait_leader(&self, options: WaitIdOptions) -> rustix::io::Result<Option<WaitIdStatus>> {
        let options = options | WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        waitid(WaitId::PidFd(self.pidfd.as_fd()), options)
    }

    /// With the state locked, so that the leader is not reaped between the look and the signal.
    fn send(&self, state: &State, signal: i32) -> Result<(), i32> {
        if state.life == Life::Gone {
            return Err(libc::ESRCH);
        }
        match self.route {
            Route::Pidfd => send_by_pidfd(self.pidfd.as_fd(), signal, PIDFD_SIGNAL_PROCESS_GROUP),
            // SAFETY: plain system call. The leader has not been reaped, so that the number is the group's.
            Route::Unreaped => match unsafe { libc::kill(-self.leader(), signal) } {
                0 => Ok(()),
                _ => Err(errno()),
            },
        }
    }

    fn send_to_leader(&self, signal: i32) -> Result<(), i32> {
        send_by_pidfd(self.pidfd.as_fd(), signal, 0)
    }
}

impl AsFd for Group {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if self.is_empty() {
            return;
        }
        // Those who may not be signalled outlive the host's interest in them.
        let _ = self.kill();
        if !self.leader_exited() {
            self.wait(LAST_WAIT);
        }
        self.finish();
    }
}

impl Route {
    /// Asks the kernel with a signal that is none.
    fn detect() -> Self {
        let own = pidfd_open(rustix::process::getpid(), PidfdFlags::empty());
        match own.map(|own| send_by_pidfd(own.as_fd(), 0, PIDFD_SIGNAL_PROCESS_GROUP)) {
            // The host need not lead a group: that there is none of its number is an answer too.
            Ok(Ok(()) | Err(libc::ESRCH)) => Route::Pidfd,
            Ok(Err(_)) | Err(_) => Route::Unreaped,
        }
    }
}

/// Whether one of them became readable before the limit.
fn wait_readable(descriptors: &[BorrowedFd<'_>], limit: Duration) -> bool {
    let deadline = Instant::now() + limit;
    let mut polled: Vec<_> = descriptors.iter().map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
    loop {
        let left = Timespec::try_from(deadline.saturating_duration_since(Instant::now())).ok();
        match poll(&mut polled, left.as_ref()) {
            Err(rustix::io::Errno::INTR) => {}
            result => return result.is_ok_and(|ready| ready > 0),
        }
    }
}

fn exit_of(status: &WaitIdStatus) -> Exit {
    match (status.exit_status(), status.terminating_signal().and_then(Signal::from_number)) {
        (Some(code), _) => Exit::Code(code),
        (None, Some(signal)) => Exit::Signal(signal),
        (None, None) => Exit::Error("it ended in a way the system has no word for".into()),
    }
}

fn send_by_pidfd(pidfd: BorrowedFd<'_>, signal: i32, flags: libc::c_uint) -> Result<(), i32> {
    let no_info: *const libc::siginfo_t = std::ptr::null();
    // SAFETY: the descriptor is open, and a null siginfo is allowed: the kernel fills in what kill(2) would.
    match unsafe { libc::syscall(libc::SYS_pidfd_send_signal, pidfd.as_raw_fd(), signal, no_info, flags) } {
        0 => Ok(()),
        _ => Err(errno()),
    }
}

fn errno() -> i32 {
    io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

#[cfg(test)]
mod tests;
