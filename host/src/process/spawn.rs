//! Starting a process with posix_spawn: the host is never forked, however large it is.

use super::inherited::{self, InheritedLimit, SIGNALS};
use super::{Environment, Group, descriptors, program, strings};
use std::ffi::{CString, OsStr, OsString};
use std::fmt;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};

/// What the shell is, for scripts that name no interpreter.
pub(super) const SHELL: &str = "/bin/sh";

/// The binary that runs now, also where its file was replaced since.
pub const OWN_BINARY: &str = "/proc/self/exe";

/// The number of the first descriptor that a process gets beside its three and, where it is started by the helper, the
/// two that are the helper's own.
pub const FIRST_MORE: RawFd = 5;

/// A process to be. It leads a group of its own; its signal mask, ignored signals and limit of open files are those
/// the host was started with; of descriptors it gets those that are named here.
#[derive(Debug)]
pub struct Spawn {
    /// A path, relative to `working_directory`, if it has a slash; else it is looked up in the PATH of `environment`.
    pub program: OsString,
    /// What follows the program's name.
    pub arguments: Vec<OsString>,
    /// All of its environment.
    pub environment: Environment,
    /// Absolute.
    pub working_directory: PathBuf,
    /// Standard input.
    pub stdin: Stdio,
    /// Standard output.
    pub stdout: Stdio,
    /// Standard error; `None`: the same descriptor as standard output, so that what is written stays in order.
    pub stderr: Option<Stdio>,
    /// Further descriptors, from number [`FIRST_MORE`] on.
    pub more: Vec<OwnedFd>,
}

/// One of the three descriptors.
#[derive(Debug)]
pub enum Stdio {
    /// `/dev/null`.
    Null,
    /// The host's own of the same number.
    Inherit,
    /// This one; the host's side is closed when the process has started, or could not be.
    To(OwnedFd),
}

/// Why a process could not be started; nothing of it is left.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SpawnError {
    /// A lowercase fragment that names the thing: `working directory "/srv/x": no such file or directory`.
    pub reason: String,
    /// What a shell would exit with: 127 for a program that is not found, 126 for one that may not be executed;
    /// `None` where the program is not to blame.
    pub code: Option<i32>,
}

impl fmt::Display for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for SpawnError {}

impl Spawn {
    /// Starts it. Returns when it executes its program; takes about 0.1 ms, on any thread.
    ///
    /// # Errors
    /// The working directory or the program cannot be used, a text holds a NUL byte, or the system is out of something.
    pub fn start(self) -> Result<Group, SpawnError> {
        let pid = self.start_unwatched()?;
        let Spawn { stdin, stdout, stderr, more, program, .. } = self;
        // Closed first, so that there is a free descriptor for the pidfd even at the limit.
        drop((stdin, stdout, stderr, more));
        Group::of_child(pid).map_err(|error| SpawnError {
            reason: format!("command {program:?}: cannot watch its process: {}", program::describe(&error)),
            code: None,
        })
    }

    /// Starts it; whoever asks is to signal and reap it.
    pub(super) fn start_unwatched(&self) -> Result<libc::pid_t, SpawnError> {
        inherited::keep_exit_codes();
        let directory = &self.working_directory;
        let arguments = self.c_arguments()?;
        let file = program::resolve(&self.program, self.environment.value("PATH"), directory)?;
        let reignored = inherited::no_longer_ignored();
        let started = if reignored.is_empty() {
            self.execute(&file, &arguments, &[])
        } else {
            self.execute_ignoring(&reignored, &file, &arguments)
        };
        match started {
            Err(error) if error.raw_os_error() == Some(libc::ENOEXEC) => {
                program::shell_script(&file, directory)?;
                let script = with_words(&[SHELL.as_ref(), file.as_os_str()], &arguments[1..]);
                self.execute(Path::new(SHELL), &script, &[])
                    .map_err(|error| program::explain(&error, Path::new(SHELL), directory))
            }
            result => result.map_err(|error| program::explain(&error, &file, directory)),
        }
    }

    /// The program's name and what follows it.
    pub(super) fn c_arguments(&self) -> Result<Vec<CString>, SpawnError> {
        strings::arguments(&self.program, &self.arguments).map_err(|place| SpawnError {
            reason: match place {
                0 => format!("command {:?}: holds a NUL byte", self.program),
                _ => format!("command {:?}: argument {place} holds a NUL byte", self.program),
            },
            code: None,
        })
    }

    /// For a host that handles signals it was told to ignore: posix_spawn cannot make a signal ignored, a shell can.
    /// It would report what it cannot execute by its own exit code, and so that is looked at first.
    fn execute_ignoring(
        &self,
        signals: &[i32],
        file: &Path,
        arguments: &[CString],
    ) -> io::Result<libc::pid_t> {
        // To the shell, that would be the shell.
        let own = (file == Path::new(OWN_BINARY)).then(|| format!("/proc/{}/exe", std::process::id()));
        let file = own.as_deref().map_or(file, Path::new);
        program::executable(&self.working_directory.join(file))?;
        let numbers = signals.iter().map(i32::to_string).collect::<Vec<_>>().join(" ");
        let script = format!("trap '' {numbers}; exec \"$@\"");
        let words = [SHELL.as_ref(), "-c".as_ref(), OsStr::new(&script), SHELL.as_ref(), file.as_os_str()];
        self.execute(Path::new(SHELL), &with_words(&words, &arguments[1..]), &[])
    }

    /// With these descriptors from number 3 on; there are at most two.
    pub(super) fn execute(
        &self,
        file: &Path,
        arguments: &[CString],
        first: &[BorrowedFd<'_>],
    ) -> io::Result<libc::pid_t> {
        let file = strings::c_string(file.as_os_str()).map_err(|_| io::ErrorKind::InvalidInput)?;
        let argv = strings::pointers(arguments.iter());
        let envp = self.environment.pointers();
        let attributes = Attributes::new()?;
        // The descriptors are checked against the limit when the actions are made, and so before it is lowered.
        let actions = self.file_actions(first)?;
        let mut pid = 0;
        let _limit = InheritedLimit::apply()?;
        // SAFETY: `file`, and the strings behind `argv` and `envp`, both ended by a null pointer, live until the call
        // returns; `attributes` and `actions` are initialised, and `pid` is a live place for the result.
        let code = unsafe {
            libc::posix_spawn(
                &mut pid,
                file.as_ptr(),
                &actions.raw,
                &attributes.raw,
                argv.as_ptr(),
                envp.as_ptr(),
            )
        };
        if code == 0 { Ok(pid) } else { Err(io::Error::from_raw_os_error(code)) }
    }

    fn file_actions(&self, first: &[BorrowedFd<'_>]) -> io::Result<FileActions> {
        let mut actions = FileActions::new()?;
        actions.change_directory(&self.working_directory)?;
        actions.redirect(&self.stdin, 0)?;
        actions.redirect(&self.stdout, 1)?;
        match &self.stderr {
            Some(stderr) => actions.redirect(stderr, 2)?,
            None => actions.duplicate(1, 2)?,
        }
        let mut end = 3 + first.len() as RawFd;
        if !self.more.is_empty() {
            for unused in end..FIRST_MORE {
                actions.close(unused)?;
            }
            end = FIRST_MORE + self.more.len() as RawFd;
        }
        let more = self.more.iter().map(AsFd::as_fd).zip(FIRST_MORE..);
        for (descriptor, to) in first.iter().copied().zip(3..).chain(more) {
            actions.place(descriptor, to, end)?;
        }
        actions.close_from(end)?;
        Ok(actions)
    }
}

/// These words and then the rest. A path cannot hold a NUL byte here: it was given to the system before, or found.
pub(super) fn with_words(words: &[&OsStr], rest: &[CString]) -> Vec<CString> {
    let words = words.iter().filter_map(|word| strings::c_string(word).ok());
    words.chain(rest.iter().cloned()).collect()
}

/// `posix_spawnattr_t` that is destroyed when dropped.
struct Attributes {
    raw: libc::posix_spawnattr_t,
}

impl Attributes {
    /// A group of its own, the inherited mask, and every signal by default that was not ignored from the start.
    fn new() -> io::Result<Self> {
        let mut raw = MaybeUninit::uninit();
        // SAFETY: the call initialises what the pointer is to, or fails.
        check(unsafe { libc::posix_spawnattr_init(raw.as_mut_ptr()) })?;
        // SAFETY: it was initialised.
        let mut attributes = Self { raw: unsafe { raw.assume_init() } };
        let blocked = inherited::inherited_signal_mask();
        let mask = signal_set(|signal| blocked & (1 << (signal - 1)) != 0);
        let default = signal_set(|signal| !inherited::was_ignored(signal));
        let flags = libc::POSIX_SPAWN_SETPGROUP | libc::POSIX_SPAWN_SETSIGDEF | libc::POSIX_SPAWN_SETSIGMASK;
        let raw = &mut attributes.raw;
        // SAFETY: `raw` is initialised, and the sets are live and copied.
        unsafe {
            check(libc::posix_spawnattr_setpgroup(raw, 0))?;
            check(libc::posix_spawnattr_setsigmask(raw, &mask))?;
            check(libc::posix_spawnattr_setsigdefault(raw, &default))?;
            check(libc::posix_spawnattr_setflags(raw, flags as libc::c_short))?;
        }
        Ok(attributes)
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: it was initialised, and nothing uses it after.
        unsafe { libc::posix_spawnattr_destroy(&mut self.raw) };
    }
}

/// Written by hand: `sigaddset` refuses the two signals that glibc keeps to itself, and those that are not in the set
/// of defaults it would make ignored.
fn signal_set(holds: impl Fn(i32) -> bool) -> libc::sigset_t {
    let bits = SIGNALS.filter(|&signal| holds(signal)).fold(0u64, |bits, signal| bits | 1 << (signal - 1));
    // SAFETY: all-zero is a valid set. It begins with the kernel's: 64 bits, in words of the machine's order.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        (&raw mut set).cast::<u64>().write_unaligned(bits);
        set
    }
}

/// `posix_spawn_file_actions_t` that is destroyed when dropped.
struct FileActions {
    raw: libc::posix_spawn_file_actions_t,
    /// Duplicates that must live until the spawn.
    held: Vec<OwnedFd>,
}

impl FileActions {
    fn new() -> io::Result<Self> {
        let mut raw = MaybeUninit::uninit();
        // SAFETY: the call initialises what the pointer is to, or fails.
        check(unsafe { libc::posix_spawn_file_actions_init(raw.as_mut_ptr()) })?;
        // SAFETY: it was initialised.
        Ok(Self { raw: unsafe { raw.assume_init() }, held: Vec::new() })
    }

    fn change_directory(&mut self, directory: &Path) -> io::Result<()> {
        let directory = strings::c_string(directory.as_os_str()).map_err(|_| io::ErrorKind::InvalidInput)?;
        // SAFETY: `raw` is initialised; the string is copied.
        check(unsafe { libc::posix_spawn_file_actions_addchdir_np(&mut self.raw, directory.as_ptr()) })
    }

    fn redirect(&mut self, from: &Stdio, to: RawFd) -> io::Result<()> {
        match from {
            Stdio::Inherit => self.duplicate(to, to),
            Stdio::Null => self.duplicate(descriptors::null()?.as_raw_fd(), to),
            Stdio::To(descriptor) if descriptor.as_raw_fd() > 2 => self.duplicate(descriptor.as_raw_fd(), to),
            // One of the three itself would be overwritten by an earlier action.
            Stdio::To(descriptor) => self.place(descriptor.as_fd(), to, 3),
        }
    }

    /// By a duplicate at or above `free`, which no other action overwrites.
    fn place(&mut self, from: BorrowedFd<'_>, to: RawFd, free: RawFd) -> io::Result<()> {
        let above = rustix::io::fcntl_dupfd_cloexec(from, free)?;
        self.duplicate(above.as_raw_fd(), to)?;
        self.held.push(above);
        Ok(())
    }

    /// Open in the child even where both numbers are the same and the host's is closed on exec.
    fn duplicate(&mut self, from: RawFd, to: RawFd) -> io::Result<()> {
        // SAFETY: `raw` is initialised; the descriptors are numbers to it.
        check(unsafe { libc::posix_spawn_file_actions_adddup2(&mut self.raw, from, to) })
    }

    /// One that is not open is none to it.
    fn close(&mut self, number: RawFd) -> io::Result<()> {
        // SAFETY: `raw` is initialised; the descriptor is a number to it.
        check(unsafe { libc::posix_spawn_file_actions_addclose(&mut self.raw, number) })
    }

    fn close_from(&mut self, first: RawFd) -> io::Result<()> {
        // SAFETY: `raw` is initialised.
        check(unsafe { libc::posix_spawn_file_actions_addclosefrom_np(&mut self.raw, first) })
    }
}

impl Drop for FileActions {
    fn drop(&mut self) {
        // SAFETY: it was initialised, and nothing uses it after.
        unsafe { libc::posix_spawn_file_actions_destroy(&mut self.raw) };
    }
}

/// These functions return their error and leave errno alone.
fn check(code: libc::c_int) -> io::Result<()> {
    if code == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(code)) }
}
