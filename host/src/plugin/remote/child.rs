//! What a child does: the host's own binary, executed again with a private word, loads a library and runs one task of it or
//! delivers one failure.

use super::super::context::{OutputSink, RunContext, RunSetup};
use super::super::error::{LoadProblem, PluginError, PluginFault};
use super::super::instance::InstanceSetup;
use super::super::library::Library;
use super::super::loader;
use super::super::task_run::{TaskRun, thread_name};
use super::assignment::{Assignment, InstanceAssignment, NotifierAssignment, TaskAssignment};
use super::forward::{Voice, start_logging};
use super::listen::{StopSignal, listen};
use crate::process::{self, FIRST_MORE, describe, exit_now};
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, IntoRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// The first argument of the host's binary that makes it such a child. What follows is for people.
pub const WORD: &str = "__plugin";

/// What it exits with when it was not started by a host.
const MISUSED: i32 = 2;

/// Does what the host asks for, and ends the process. Called before anything else has been started in it.
pub fn serve() -> ! {
    let Some(stream) = process::handed_down(FIRST_MORE) else {
        eprintln!("bansuri: this word is the host's own: it runs a plugin in a process of its own");
        exit_now(MISUSED);
    };
    process::keep_sigpipe_to_itself();
    let stream = Arc::new(UnixStream::from(stream));
    let voice = Arc::new(Voice::new(Arc::clone(&stream)));
    match receive(&stream) {
        Ok((Assignment::Task(task), library)) => run_task(stream, voice, task, library),
        Ok((Assignment::Notifier(notifier), library)) => deliver(stream, voice, notifier, library),
        Ok((Assignment::Refused(reason), _)) => end(&voice, Err(PluginFault::Error(reason))),
        // The host is gone, or asks it to stop already.
        Err(error) => end(&voice, Err(PluginFault::Error(format!("it was not told what to do: {error}")))),
    }
}

/// What the host wants, and the library if its descriptor is given.
fn receive(stream: &UnixStream) -> io::Result<(Assignment, Option<OwnedFd>)> {
    let (count, library) = process::receive_with(stream, &mut [0])?;
    if count == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let mut length = [0; size_of::<u32>()];
    (&mut &*stream).read_exact(&mut length)?;
    let mut message = vec![0; u32::from_ne_bytes(length) as usize];
    (&mut &*stream).read_exact(&mut message)?;
    let assignment = Assignment::decode(&message).ok_or(io::ErrorKind::InvalidData)?;
    Ok((assignment, library))
}

fn run_task(stream: Arc<UnixStream>, voice: Arc<Voice>, task: TaskAssignment, library: Option<OwnedFd>) -> ! {
    let TaskAssignment {
        instance,
        attempt,
        run_id,
        working_directory,
        environment,
        deadline,
        stop_signal,
        stop_timeout,
    } = task;
    start_logging(&voice, instance.level);
    process::name_process(&thread_name("task:", &instance.name));
    let signal = match StopSignal::take(stop_signal) {
        Ok(signal) => signal,
        Err(error) => end(
            &voice,
            Err(PluginFault::Error(format!("its stop signal cannot be taken: {}", describe(&error)))),
        ),
    };
    let run = TaskRun::new(RunContext::new(RunSetup {
        task: instance.name.as_str().into(),
        attempt,
        run_id,
        working_directory,
        environment,
        deadline: deadline.and_then(|at| Instant::now().checked_add(at.saturating_sub(process::monotonic()))),
        output: Arc::new(OwnOutput),
    }));
    let stopping = Arc::clone(&run);
    listening(stream, &voice, move |host| {
        listen(host, Some(signal), stop_timeout, || stopping.request_stop())
    });
    work(&voice, move || {
        run.execute(|| {
            let options = options(&instance)?;
            let setup = InstanceSetup { name: instance.name.as_str().into(), options: &options };
            load(&instance, library)?.new_task(&instance.type_name, setup)
        })
    })
}

fn deliver(
    stream: Arc<UnixStream>,
    voice: Arc<Voice>,
    notifier: NotifierAssignment,
    library: Option<OwnedFd>,
) -> ! {
    let NotifierAssignment { instance, failure, limit } = notifier;
    start_logging(&voice, instance.level);
    process::name_process(&thread_name("notify:", &instance.name));
    // A call in progress is not asked to stop; it is killed.
    listening(stream, &voice, move |host| listen(host, None, limit, || {}));
    work(&voice, move || {
        let options = options(&instance)?;
        let setup = InstanceSetup { name: instance.name.as_str().into(), options: &options };
        let made = load(&instance, library)?.new_notifier(&instance.type_name, setup)?;
        let delivered = made.notify(failure);
        // What it says when it is dropped comes second.
        delivered.and(made.close()).map(|()| 0)
    })
}

/// Has a thread listen beside the work.
fn listening(stream: Arc<UnixStream>, voice: &Voice, listen: impl FnOnce(&UnixStream) + Send + 'static) {
    let spawned = std::thread::Builder::new().name("listen".to_owned()).spawn(move || listen(&stream));
    if let Err(error) = spawned {
        end(voice, Err(PluginFault::Error(format!("cannot start a thread: {}", describe(&error)))));
    }
}

/// Has author's code run, whose end is the end of the process. On the main thread, which is there already.
fn work(voice: &Voice, body: impl FnOnce() -> Result<i32, PluginFault>) -> ! {
    let result = catch_unwind(AssertUnwindSafe(body));
    let broken = || PluginFault::Panic("the host's own code panicked".to_owned());
    end(voice, result.unwrap_or_else(|_| Err(broken())))
}

/// Tells the host and ends the process, whatever threads are left in it.
fn end(voice: &Voice, result: Result<i32, PluginFault>) -> ! {
    process::flush_c_output();
    voice.ended(result);
    exit_now(0)
}

/// The library, under the name that the host has for it.
fn load(instance: &InstanceAssignment, descriptor: Option<OwnedFd>) -> Result<Library, PluginFault> {
    let path = &instance.library;
    let loaded = match (&instance.place, descriptor) {
        (Some(place), _) => loader::load(place, path),
        // A copy that the host has tried. It stays open, and so what the loader calls it stays its name: a backtrace and
        // whoever else looks into the library would find something else there.
        (None, Some(copy)) => {
            loader::load_again(&PathBuf::from(format!("/proc/self/fd/{}", copy.into_raw_fd())), path)
        }
        // What lies at its path now is not what the host has tried.
        (None, None) => Err(LoadProblem::Unreadable("its descriptor has not arrived".to_owned())),
    };
    loaded.map_err(|problem| {
        let error = PluginError::Load { library: instance.library.clone(), problem };
        PluginFault::Error(error.to_string())
    })
}

fn options(instance: &InstanceAssignment) -> Result<serde_json::Value, PluginFault> {
    serde_json::from_str(&instance.options).map_err(|error| PluginFault::Error(format!("options: {error}")))
}

/// The process's own standard output and standard error, which are the run's.
struct OwnOutput;

impl OutputSink for OwnOutput {
    fn stdout(&self, bytes: &[u8]) -> io::Result<()> {
        write_all(io::stdout().as_fd(), bytes)
    }

    fn stderr(&self, bytes: &[u8]) -> io::Result<()> {
        write_all(io::stderr().as_fd(), bytes)
    }
}

/// Past the buffers of this process's standard library, which would hold an unfinished line back.
fn write_all(to: BorrowedFd<'_>, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(to, bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use log::LevelFilter;

    #[test]
    fn a_copy_that_has_not_arrived_is_not_replaced_by_what_lies_at_its_path() {
        let instance = InstanceAssignment {
            library: std::env::current_exe().unwrap(),
            place: None,
            type_name: String::new(),
            name: String::new(),
            options: String::new(),
            level: LevelFilter::Off,
        };
        let Err(PluginFault::Error(error)) = load(&instance, None) else { panic!("something was loaded") };
        assert!(error.contains("its descriptor has not arrived"), "{error}");
    }
}
