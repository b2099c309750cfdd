//! Limits, priority and file mode mask of the process itself.

use crate::launch::{Limit, Resource};
use std::io;

/// Sets the soft limit, and raises the hard one if it is lower: who is root may.
pub(super) fn limit(resource: Resource, limit: Limit) -> io::Result<()> {
    let mut limits = current(resource)?;
    limits.rlim_cur = match limit {
        Limit::At(limit) => limit,
        Limit::Unlimited => libc::RLIM_INFINITY,
    };
    limits.rlim_max = limits.rlim_max.max(limits.rlim_cur);
    set(resource, limits)
}

/// Raises the hard limit alone, as far as the soft one is to go later.
pub(super) fn make_room(resource: Resource, limit: Limit) -> io::Result<()> {
    let mut limits = current(resource)?;
    limits.rlim_max = limits.rlim_max.max(match limit {
        Limit::At(limit) => limit,
        Limit::Unlimited => libc::RLIM_INFINITY,
    });
    set(resource, limits)
}

/// Sets the soft limit to the hard one.
pub(super) fn lift(resource: Resource) -> io::Result<()> {
    let mut limits = current(resource)?;
    limits.rlim_cur = limits.rlim_max;
    set(resource, limits)
}

fn number(resource: Resource) -> libc::__rlimit_resource_t {
    match resource {
        Resource::Nofile => libc::RLIMIT_NOFILE,
        Resource::Nproc => libc::RLIMIT_NPROC,
        Resource::As => libc::RLIMIT_AS,
        Resource::Core => libc::RLIMIT_CORE,
        Resource::Cpu => libc::RLIMIT_CPU,
        Resource::Fsize => libc::RLIMIT_FSIZE,
    }
}

fn current(resource: Resource) -> io::Result<libc::rlimit> {
    let mut limits = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a live structure of the right type.
    checked(unsafe { libc::getrlimit(number(resource), &mut limits) })?;
    Ok(limits)
}

fn set(resource: Resource, limits: libc::rlimit) -> io::Result<()> {
    // SAFETY: the pointer is to a live structure of the right type, which is only read.
    checked(unsafe { libc::setrlimit(number(resource), &limits) })
}

/// Sets the nice value.
pub(super) fn priority(nice: i32) -> io::Result<()> {
    // SAFETY: plain system call, without pointers; 0 is the process itself.
    checked(unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, nice) })
}

/// Sets the file mode creation mask.
pub(super) fn umask(mask: u32) {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(mask));
}

pub(super) fn checked(code: libc::c_int) -> io::Result<()> {
    if code == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
