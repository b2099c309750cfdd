//! Who the process is to be, and becoming it for good.

use super::limits::checked;
use crate::launch::{Account, Privileges};
use crate::process::accounts::{self, User};
use crate::process::{Environment, describe};
use std::ffi::OsString;
use std::io;

/// Stands for "as it is" in calls that set numbers.
const KEEP: u32 = u32::MAX;

/// Users and groups by number, looked up. `None`: as it is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Identity {
    pub(super) uid: Option<u32>,
    pub(super) gid: Option<u32>,
    /// With a user only: without one, the groups stay those of the host.
    groups: Option<Vec<u32>>,
    user: Option<User>,
}

/// Finds out who is meant. The error names the user or the group.
pub(super) fn look_up(privileges: &Privileges) -> Result<Identity, String> {
    let group = privileges.group.as_ref().map(group_id).transpose()?;
    let Some(account) = &privileges.user else {
        return Ok(Identity { gid: group, ..Identity::default() });
    };
    let (found, uid) = match account {
        Account::Name(name) => {
            let found = accounts::user_by_name(name)
                .map_err(|error| format!("user {name:?}: cannot be looked up: {}", describe(&error)))?
                .ok_or_else(|| format!("user {name:?}: no such user"))?;
            let uid = found.uid;
            (Some(found), uid)
        }
        // A number is good without a name: a name service that is down is no reason not to take it.
        Account::Id(uid) => (accounts::user_by_id(*uid).ok().flatten(), *uid),
    };
    let gid = group
        .or(found.as_ref().map(|user| user.gid))
        .ok_or_else(|| format!("user {uid}: no user has this number, so that its group must be named too"))?;
    if uid == KEEP || gid == KEEP {
        return Err(format!("{KEEP}: not the number of a user or a group"));
    }
    let groups = match &found {
        Some(user) => accounts::groups_of(&user.name, gid)
            .map_err(|error| format!("user {:?}: its groups: {}", user.name, describe(&error)))?,
        None => vec![gid],
    };
    Ok(Identity { uid: Some(uid), gid: Some(gid), groups: Some(groups), user: found })
}

fn group_id(account: &Account) -> Result<u32, String> {
    match account {
        Account::Id(KEEP) => Err(format!("{KEEP}: not the number of a user or a group")),
        Account::Id(gid) => Ok(*gid),
        Account::Name(name) => accounts::group_by_name(name)
            .map_err(|error| format!("group {name:?}: cannot be looked up: {}", describe(&error)))?
            .ok_or_else(|| format!("group {name:?}: no such group")),
    }
}

impl Identity {
    /// What login sets, where the task itself sets it not.
    pub(super) fn describe_in(&self, environment: &mut Environment) -> Result<(), String> {
        let Some(uid) = self.uid else { return Ok(()) };
        let (name, home, shell) = match &self.user {
            Some(user) => (user.name.clone(), user.home.clone(), user.shell.clone()),
            None => (OsString::from(uid.to_string()), OsString::from("/"), OsString::new()),
        };
        let shell = if shell.is_empty() { OsString::from("/bin/sh") } else { shell };
        for (variable, value) in [("USER", &name), ("LOGNAME", &name), ("HOME", &home), ("SHELL", &shell)] {
            if !environment.sets(variable) {
                environment.set(variable, value)?;
            }
        }
        Ok(())
    }

    /// Becomes it, in an order that leaves every step the right to take the next, and makes sure that there is no way
    /// back.
    pub(super) fn assume(&self) -> Result<(), String> {
        let before = ids(libc::getresuid)?;
        if let Some(groups) = &self.groups {
            set_groups(groups).map_err(|error| self.failed("its groups cannot be set", &error))?;
        }
        if let Some(gid) = self.gid {
            // SAFETY: plain system call, without pointers.
            checked(unsafe { libc::setresgid(gid, gid, gid) })
                .map_err(|error| self.failed("the group cannot be set", &error))?;
        }
        let Some(uid) = self.uid else { return self.verify() };
        // SAFETY: plain system call, without pointers.
        checked(unsafe { libc::setresuid(uid, uid, uid) })
            .map_err(|error| self.failed("the host may not become it", &error))?;
        if uid != 0 && before != [uid; 3] {
            // The kernel takes capabilities from those who were root. A host that has them without being root would
            // hand them down.
            drop_capabilities().map_err(|error| self.failed("its capabilities cannot be dropped", &error))?;
        }
        self.verify()
    }

    fn verify(&self) -> Result<(), String> {
        if let Some(gid) = self.gid
            && ids(libc::getresgid)? != [gid; 3]
        {
            return Err(format!("group {gid}: the system did not set it"));
        }
        let Some(uid) = self.uid else { return Ok(()) };
        if ids(libc::getresuid)? != [uid; 3] {
            return Err(format!("user {uid}: the system did not set it"));
        }
        // SAFETY: plain system call, without pointers.
        if uid != 0 && unsafe { libc::setresuid(KEEP, 0, KEEP) } == 0 {
            return Err(format!("user {uid}: could become root again"));
        }
        Ok(())
    }

    fn failed(&self, what: &str, error: &io::Error) -> String {
        let error = describe(error);
        match (&self.user, self.uid, self.gid) {
            (Some(user), _, _) => format!("user {:?}: {what}: {error}", user.name),
            (None, Some(uid), _) => format!("user {uid}: {what}: {error}"),
            (None, None, gid) => format!("group {}: {what}: {error}", gid.unwrap_or(KEEP)),
        }
    }
}

/// Real, effective and saved.
fn ids(ask: unsafe extern "C" fn(*mut u32, *mut u32, *mut u32) -> libc::c_int) -> Result<[u32; 3], String> {
    let [mut real, mut effective, mut saved] = [KEEP; 3];
    // SAFETY: the pointers are to live places of the right type.
    checked(unsafe { ask(&mut real, &mut effective, &mut saved) })
        .map_err(|error| format!("the process does not learn who it is: {}", describe(&error)))?;
    Ok([real, effective, saved])
}

fn set_groups(groups: &[u32]) -> io::Result<()> {
    let wanted: std::collections::BTreeSet<u32> = groups.iter().copied().collect();
    let current = rustix::process::getgroups()?;
    // Who is not root may not set groups, but may have the right ones.
    if current.iter().map(|group| group.as_raw()).collect::<std::collections::BTreeSet<_>>() == wanted {
        return Ok(());
    }
    // SAFETY: the pointer is to as many numbers as the length says.
    checked(unsafe { libc::setgroups(groups.len(), groups.as_ptr()) })
}

fn drop_capabilities() -> io::Result<()> {
    #[repr(C)]
    struct Header {
        version: u32,
        pid: libc::c_int,
    }
    /// `_LINUX_CAPABILITY_VERSION_3` of `linux/capability.h`: two sets of three words.
    const VERSION: u32 = 0x2008_0522;
    let (mut header, none) = (Header { version: VERSION, pid: 0 }, [0_u32; 6]);
    // SAFETY: plain system call; further arguments must be zero.
    unsafe {
        libc::prctl(
            libc::PR_CAP_AMBIENT,
            libc::PR_CAP_AMBIENT_CLEAR_ALL as libc::c_ulong,
            0_u64,
            0_u64,
            0_u64,
        )
    };
    // SAFETY: the pointers are to a live header and to as many words as its version asks for, which are only read.
    let code = unsafe { libc::syscall(libc::SYS_capset, &raw mut header, none.as_ptr()) };
    if code == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
