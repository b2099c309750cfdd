//! Users and groups of the system. Every function here asks the system's name service, which may read files or talk to a
//! server: none is for the control thread.

use super::strings;
use parking_lot::Mutex;
use std::ffi::{CStr, CString, OsStr, OsString};
use std::io;
use std::mem::MaybeUninit;
use std::os::raw::{c_char, c_int};
use std::os::unix::ffi::OsStringExt;

/// What the first try has room for; an entry that is longer (a group of many) is asked for again with more.
const FIRST_ROOM: usize = 1024;
/// No entry is longer than this: a name service that says so for ever is not listened to for ever.
const MOST_ROOM: usize = 16 << 20;

/// So many groups of one user are taken; the system has room for 65,536.
const MOST_GROUPS: usize = 1 << 16;

/// A user of the system.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct User {
    /// The name.
    pub name: OsString,
    /// The number.
    pub uid: u32,
    /// The number of the user's own group.
    pub gid: u32,
    /// The home folder.
    pub home: OsString,
    /// The login shell; empty means `/bin/sh`.
    pub shell: OsString,
}

/// The user of this name. `None`: there is none.
///
/// # Errors
/// The name service cannot tell.
pub fn user_by_name(name: impl AsRef<OsStr>) -> io::Result<Option<User>> {
    // A name that holds a NUL byte is nobody's.
    let Ok(name) = strings::c_string(name.as_ref()) else { return Ok(None) };
    look_up(
        |entry, room, length, found| {
            // SAFETY: the name ends with a NUL; the other pointers are to live places of the right type and length.
            unsafe { libc::getpwnam_r(name.as_ptr(), entry, room, length, found) }
        },
        copy_user,
    )
}

/// The user of this number. `None`: there is none.
///
/// # Errors
/// The name service cannot tell.
pub fn user_by_id(uid: u32) -> io::Result<Option<User>> {
    look_up(
        |entry, room, length, found| {
            // SAFETY: the pointers are to live places of the right type and length.
            unsafe { libc::getpwuid_r(uid, entry, room, length, found) }
        },
        copy_user,
    )
}

/// The number of the group of this name. `None`: there is none.
///
/// # Errors
/// The name service cannot tell.
pub fn group_by_name(name: impl AsRef<OsStr>) -> io::Result<Option<u32>> {
    let Ok(name) = strings::c_string(name.as_ref()) else { return Ok(None) };
    look_up(
        |entry, room, length, found| {
            // SAFETY: the name ends with a NUL; the other pointers are to live places of the right type and length.
            unsafe { libc::getgrnam_r(name.as_ptr(), entry, room, length, found) }
        },
        |entry: &libc::group| entry.gr_gid,
    )
}

/// Whether there is a user of this name.
///
/// # Errors
/// The name service cannot tell.
pub fn user_exists(name: &str) -> io::Result<bool> {
    Ok(user_by_name(name)?.is_some())
}

/// Whether there is a group of this name.
///
/// # Errors
/// The name service cannot tell.
pub fn group_exists(name: &str) -> io::Result<bool> {
    Ok(group_by_name(name)?.is_some())
}

/// The groups that this user is in, `gid` among them.
///
/// # Errors
/// The user is in more groups than the system has room for, or has a name that holds a NUL byte.
pub fn groups_of(user: &OsStr, gid: u32) -> io::Result<Vec<u32>> {
    let name = strings::c_string(user).map_err(|_| io::ErrorKind::InvalidInput)?;
    let mut groups: Vec<libc::gid_t> = vec![0; 64];
    loop {
        let mut count = groups.len() as c_int;
        // SAFETY: the name ends with a NUL, and `groups` has room for `count` numbers.
        let code = unsafe { libc::getgrouplist(name.as_ptr(), gid, groups.as_mut_ptr(), &mut count) };
        let count = usize::try_from(count).unwrap_or(0);
        if code >= 0 {
            groups.truncate(count);
            return Ok(groups);
        }
        if groups.len() >= MOST_GROUPS {
            return Err(io::Error::from_raw_os_error(libc::E2BIG));
        }
        // The C library says how many there are; others leave the count alone.
        groups.resize(count.max(groups.len() * 2).min(MOST_GROUPS), 0);
    }
}

/// The names of users that the system lists, for the nearest to one that is misspelt. A name service may know more than
/// it lists.
pub fn user_names() -> Vec<String> {
    let _turn = LISTING.lock();
    // SAFETY: the functions share one state of the process, which the lock keeps for this thread; each entry is
    // copied before the next call.
    unsafe {
        libc::setpwent();
        let names = std::iter::from_fn(|| libc::getpwent().as_ref().map(|entry| text(entry.pw_name)));
        let names = names.map(|name| name.to_string_lossy().into_owned()).collect();
        libc::endpwent();
        names
    }
}

/// The names of groups that the system lists; see [`user_names`].
pub fn group_names() -> Vec<String> {
    let _turn = LISTING.lock();
    // SAFETY: as in `user_names`.
    unsafe {
        libc::setgrent();
        let names = std::iter::from_fn(|| libc::getgrent().as_ref().map(|entry| text(entry.gr_name)));
        let names = names.map(|name| name.to_string_lossy().into_owned()).collect();
        libc::endgrent();
        names
    }
}

/// Lists are walked by one thread at a time.
static LISTING: Mutex<()> = Mutex::new(());

/// Asks by one of the `get…_r` functions, with as much room as it takes.
fn look_up<E, T>(
    ask: impl Fn(*mut E, *mut c_char, usize, *mut *mut E) -> c_int,
    copy: impl Fn(&E) -> T,
) -> io::Result<Option<T>> {
    let mut room: Vec<c_char> = vec![0; FIRST_ROOM];
    loop {
        let mut entry = MaybeUninit::<E>::uninit();
        let mut found: *mut E = std::ptr::null_mut();
        match ask(entry.as_mut_ptr(), room.as_mut_ptr(), room.len(), &mut found) {
            // SAFETY: what was found is null, or `entry`, which was filled in; its strings are in `room`.
            0 => return Ok(unsafe { found.as_ref() }.map(&copy)),
            libc::ERANGE if room.len() < MOST_ROOM => room.resize(room.len() * 4, 0),
            libc::EINTR => {}
            // What some systems say where getpwnam(3) asks for zero.
            libc::ENOENT | libc::ESRCH | libc::EBADF | libc::EPERM => return Ok(None),
            code => return Err(io::Error::from_raw_os_error(code)),
        }
    }
}

fn copy_user(entry: &libc::passwd) -> User {
    // SAFETY: the strings of an entry end with a NUL and live as long as the room behind it, which the caller holds.
    let (name, home, shell) = unsafe { (text(entry.pw_name), text(entry.pw_dir), text(entry.pw_shell)) };
    User { name, uid: entry.pw_uid, gid: entry.pw_gid, home, shell }
}

/// # Safety
/// The pointer is null, or to a string that ends with a NUL.
unsafe fn text(pointer: *const c_char) -> OsString {
    if pointer.is_null() {
        return OsString::new();
    }
    // SAFETY: the caller says so.
    let string: CString = unsafe { CStr::from_ptr(pointer) }.to_owned();
    OsString::from_vec(string.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn users_are_found_by_name_and_number() {
        let root = user_by_name("root").unwrap().expect("every system has one");
        assert_eq!((root.uid, root.gid), (0, 0));
        assert_eq!(user_by_id(0).unwrap(), Some(root.clone()));
        assert!(root.home.as_bytes().starts_with(b"/"));
        assert!(user_exists("root").unwrap() && group_exists("root").unwrap());
        assert!(user_names().contains(&"root".to_owned()) && group_names().contains(&"root".to_owned()));
        assert_eq!(group_by_name("root").unwrap(), Some(0));
    }

    #[test]
    fn who_is_not_there_is_not_found() {
        assert_eq!(user_by_name("no-such-user-here").unwrap(), None);
        assert_eq!(user_by_name("ro\0ot").unwrap(), None);
        assert_eq!(user_by_id(4_000_000_000).unwrap(), None);
        assert!(!group_exists("no-such-group-here").unwrap());
    }

    #[test]
    fn the_groups_of_a_user_hold_its_own() {
        assert!(groups_of(OsStr::new("root"), 12_345).unwrap().contains(&12_345));
        assert_eq!(groups_of(OsStr::new("no-such-user-here"), 7).unwrap(), [7]);
    }
}
