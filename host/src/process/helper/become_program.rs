//! The helper itself: the host's binary on its way to be somebody else's program.

use super::identity::{self, Identity};
use super::limits;
use super::request::{Handover, Request};
use super::start::encode;
use crate::launch::{Limit, Privileges, Resource};
use crate::process::spawn::{SHELL, SpawnError, with_words};
use crate::process::{Environment, describe, exit_now, handed_down, inherited, program, strings};
use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

/// Where the request is read from, and where the answer goes.
const REQUEST: RawFd = 3;
const ANSWER: RawFd = 4;

/// What the helper exits with after it has said why. The host takes the reason, not the code.
const REFUSED: i32 = 125;

/// What it exits with when it was not started by a host.
const MISUSED: i32 = 2;

/// Turns this process into the program that the host asks for, or tells the host why it cannot. Called before anything
/// else has been started in it: there is one thread.
pub fn become_program() -> ! {
    let (Some(request), Some(answer)) = (handed_down(REQUEST), handed_down(ANSWER)) else {
        eprintln!(
            "bansuri: this word is the host's own: it starts a program under another user or other limits"
        );
        exit_now(MISUSED);
    };
    let refused = match read(request) {
        Ok(request) => execute(&request),
        Err(reason) => SpawnError { reason, code: None },
    };
    // A host that is gone wants to hear of nothing.
    let _ = rustix::io::write(&answer, &encode(&refused));
    exit_now(refused.code.unwrap_or(REFUSED))
}

fn read(request: OwnedFd) -> Result<Request, String> {
    let file = File::from(request);
    let unreadable = |error: io::Error| format!("the helper cannot read its request: {}", describe(&error));
    let length = file.metadata().map_err(unreadable)?.size();
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    file.read_exact_at(&mut bytes, 0).map_err(unreadable)?;
    Request::decode(&bytes).ok_or_else(|| "the helper does not understand its request".to_owned())
}

/// Returns only if the program cannot be executed.
fn execute(request: &Request) -> SpawnError {
    match prepare(request) {
        Ok(environment) => replace(request, &environment),
        Err(reason) => SpawnError { reason, code: None },
    }
}

/// Everything up to the working directory. What needs the rights of the host comes first.
fn prepare(request: &Request) -> Result<Environment, String> {
    let privileges = &request.privileges;
    let identity = identity::look_up(privileges)?;
    let mut environment = request.environment.clone();
    identity.describe_in(&mut environment)?;
    for (descriptor, handover) in
        [io::stdout().as_fd(), io::stderr().as_fd()].into_iter().zip(&request.outputs)
    {
        hand_over(descriptor, handover, &identity)?;
    }
    restrict(privileges)?;
    identity.assume()?;
    // Only now: whether the folder may be entered is a question of the user's rights.
    let directory = &request.working_directory;
    std::env::set_current_dir(directory)
        .map_err(|error| format!("working directory {directory:?}: {}", describe(&error)))?;
    Ok(environment)
}

fn hand_over(descriptor: BorrowedFd<'_>, handover: &Handover, identity: &Identity) -> Result<(), String> {
    let Some(uid) = identity.uid else { return Ok(()) };
    if let Some((path, owner)) = &handover.owned
        && *owner != uid
    {
        return Err(format!(
            "log file {path:?}: belongs to user {owner}, in a folder that others may write to"
        ));
    }
    if handover.give {
        // SAFETY: plain system call on an open descriptor. Where the file system knows no owners it fails, and the
        // program can still write to what it was given.
        unsafe { libc::fchown(descriptor.as_raw_fd(), uid, identity.gid.unwrap_or(u32::MAX)) };
    }
    Ok(())
}

fn restrict(privileges: &Privileges) -> Result<(), String> {
    if let Some(nice) = privileges.priority {
        limits::priority(nice).map_err(|error| format!("priority {nice}: {}", describe(&error)))?;
    }
    if let Some(mask) = privileges.umask {
        limits::umask(mask);
    }
    for (&resource, &limit) in &privileges.limits {
        // Memory is limited at the very end: what comes until then takes some.
        let set = if resource == Resource::As { limits::make_room } else { limits::limit };
        set(resource, limit).map_err(|error| format!("limit {:?}: {}", resource.name(), describe(&error)))?;
    }
    Ok(())
}

/// Executes the program in the place of the helper. Returns only if that fails.
fn replace(request: &Request, environment: &Environment) -> SpawnError {
    let directory = &request.working_directory;
    let file = match program::resolve(&request.program, environment.value("PATH"), directory) {
        Ok(file) => file,
        Err(error) => return error,
    };
    let Ok(arguments) = strings::arguments(&request.program, &request.arguments) else {
        return SpawnError { reason: "an argument holds a NUL byte".into(), code: None };
    };
    if !inherited::was_ignored(libc::SIGPIPE) {
        // Rust's runtime ignores it.
        set_disposition(libc::SIGPIPE, libc::SIG_DFL);
    }
    for &signal in &request.ignored {
        set_disposition(signal, libc::SIG_IGN);
    }
    let memory = request.privileges.limits.get(&Resource::As).copied();
    let error = execve(&file, &arguments, environment, memory);
    if error.raw_os_error() != Some(libc::ENOEXEC) {
        return program::explain(&error, &file, directory);
    }
    if let Err(error) = program::shell_script(&file, directory) {
        return error;
    }
    let script = with_words(&[SHELL.as_ref(), file.as_os_str()], &arguments[1..]);
    program::explain(&execve(Path::new(SHELL), &script, environment, memory), Path::new(SHELL), directory)
}

fn execve(file: &Path, arguments: &[CString], environment: &Environment, memory: Option<Limit>) -> io::Error {
    let Ok(file) = strings::c_string(file.as_os_str()) else { return io::ErrorKind::InvalidInput.into() };
    let argv = strings::pointers(arguments.iter());
    let envp = environment.pointers();
    if let Some(limit) = memory
        && let Err(error) = limits::limit(Resource::As, limit)
    {
        return error;
    }
    // SAFETY: `file`, and the strings behind `argv` and `envp`, both ended by a null pointer, live until the call
    // returns, if it does.
    unsafe { libc::execve(file.as_ptr(), argv.as_ptr().cast(), envp.as_ptr().cast()) };
    let error = io::Error::last_os_error();
    if memory.is_some() {
        // Telling why takes memory again. It cannot fail: the hard limit was not lowered.
        let _ = limits::lift(Resource::As);
    }
    error
}

fn set_disposition(signal: i32, disposition: libc::sighandler_t) {
    // SAFETY: neither of the two dispositions used here has a handler that could be called.
    unsafe { libc::signal(signal, disposition) };
}
