//! A host under test: a folder of its own, a configuration, the real binary.

use crate::{PATIENCE, artifacts, bansuri};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::Instant;

/// A folder for one test, with its configuration in `scripts.json`.
pub struct Sandbox {
    folder: tempfile::TempDir,
}

impl Sandbox {
    /// A fresh folder with this configuration.
    pub fn new(configuration: &Value) -> Self {
        Self::with_text(&serde_json::to_string_pretty(configuration).expect("a value can be written"))
    }

    /// A fresh folder with this text as configuration.
    pub fn with_text(configuration: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        std::fs::write(folder.path().join("scripts.json"), configuration)
            .expect("the configuration can be written");
        Self { folder }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The text of a file in it.
    pub fn read(&self, name: &str) -> String {
        let path = self.file(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The binary with these arguments, in this folder.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(bansuri());
        command.args(arguments).current_dir(self.path()).stdin(Stdio::null());
        command.env("BANSURI_PLUGIN_PATH", artifacts()).env_remove("BANSURI_STATE_DIR");
        command
    }

    /// Runs the binary to its end.
    pub fn output(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the binary can be run")
    }

    /// Starts a host in this folder, with its events on standard output.
    pub fn start(&self, arguments: &[&str]) -> Host {
        let mut all = vec!["run", "--events", "-"];
        all.extend(arguments);
        Host::start(self.command(&all))
    }

    /// Runs a host with `--exit-when-done` to its end: its exit code and its events.
    pub fn run(&self) -> (i32, Vec<Value>) {
        let mut host = self.start(&["--exit-when-done"]);
        let code = host.wait();
        (code, host.seen.clone())
    }
}

/// The event of the last end of a run of this task.
pub fn end<'a>(events: &'a [Value], task: &str) -> &'a Value {
    let ends = |e: &&Value| e["event"] == "task-state" && e["task"] == task && !e["duration_ms"].is_null();
    events.iter().rfind(ends).unwrap_or_else(|| panic!("{task} has not ended: {events:#?}"))
}

/// A running host. Killed, with a panic's worth of log, if the test drops it alive.
pub struct Host {
    child: Child,
    events: Receiver<Value>,
    seen: Vec<Value>,
    log: Option<JoinHandle<String>>,
}

impl Host {
    /// Starts this command, whose events go to standard output.
    pub fn start(mut command: Command) -> Self {
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary can be started");
        let stdout = child.stdout.take().expect("standard output is piped");
        let mut stderr = child.stderr.take().expect("standard error is piped");
        let (sender, events) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let event = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if sender.send(event).is_err() {
                    break;
                }
            }
        });
        let log = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = stderr.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        });
        Self { child, events, seen: Vec::new(), log: Some(log) }
    }

    /// The host's process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Every event so far that was waited for or passed over.
    pub fn seen(&self) -> &[Value] {
        &self.seen
    }

    /// The next event for which `wanted` holds; those before it are passed over.
    pub fn event(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(event) => {
                    self.seen.push(event.clone());
                    if wanted(&event) {
                        return event;
                    }
                }
                Err(error) => {
                    let why = match error {
                        RecvTimeoutError::Timeout => "no such event came",
                        RecvTimeoutError::Disconnected => "the host ended before",
                    };
                    let _ = self.child.kill();
                    let log = self.log();
                    panic!("waiting for {what}: {why}\nevents: {:#?}\nlog:\n{log}", self.seen);
                }
            }
        }
    }

    /// The next time the task enters this state.
    pub fn state(&mut self, task: &str, to: &str) -> Value {
        self.event(&format!("{task} {to}"), |event| {
            event["event"] == "task-state" && event["task"] == task && event["to"] == to
        })
    }

    /// Sends the host a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("the host can be signalled");
    }

    /// Waits for the host's end: its exit code, or 128 + N if signal N ended it.
    pub fn wait(&mut self) -> i32 {
        use std::os::unix::process::ExitStatusExt;
        // Standard output ends with the host: no waiting for anything else.
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(event) => self.seen.push(event),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    let _ = self.child.kill();
                    let log = self.log();
                    panic!("the host does not end\nevents: {:#?}\nlog:\n{log}", self.seen);
                }
            }
        }
        let status = self.child.wait().expect("the host can be waited for");
        status.code().or(status.signal().map(|signal| 128 + signal)).expect("a host ends by code or signal")
    }

    /// Stops the host with SIGTERM and waits for its end.
    pub fn stop(&mut self) -> i32 {
        self.signal(Signal::TERM);
        self.wait()
    }

    /// The whole log; to be asked for after the host's end.
    pub fn log(&mut self) -> String {
        self.log.take().map(|log| log.join().expect("the log is read")).unwrap_or_default()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
