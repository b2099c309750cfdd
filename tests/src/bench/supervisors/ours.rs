//! The host, driven as its users do: through scripts.json and its command line.

use super::find;
use crate::bench::lab::Lab;
use crate::bench::supervisor::{Supervisor, Task};
use serde_json::{Value, json};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The host.
pub(in crate::bench) struct Ours {
    binary: PathBuf,
}

impl Ours {
    pub(in crate::bench) fn new(lab: &Lab) -> Self {
        Self { binary: lab.bansuri.clone() }
    }

    /// The command that runs this configuration in this folder, with these arguments.
    pub(in crate::bench) fn command(
        lab: &Lab,
        folder: &Path,
        configuration: &Value,
        arguments: &[&str],
    ) -> io::Result<Command> {
        let file = folder.join("scripts.json");
        std::fs::write(&file, serde_json::to_vec(configuration)?)?;
        let mut command = Command::new(&lab.bansuri);
        command.args(["run", "--quiet", "--config"]).arg(file).args(arguments).stdout(Stdio::null());
        command.env("BANSURI_PLUGIN_PATH", &lab.libraries).env_remove("BANSURI_STATE_DIR");
        Ok(command)
    }

    /// A task as a script that is run once.
    pub(in crate::bench) fn script(task: &Task) -> Value {
        let log = task.log.as_ref().map_or("ignore".into(), |log| log.to_string_lossy());
        json!({ "name": task.name, "command": task.command, "stdout": log })
    }

    /// A task as a script that is restarted at once.
    pub(in crate::bench) fn service(task: &Task) -> Value {
        with(Self::script(task), json!({ "service": true, "restart-delay": "0s" }))
    }
}

/// An object with the members of another one.
pub(in crate::bench) fn with(mut object: Value, members: Value) -> Value {
    if let (Value::Object(object), Value::Object(members)) = (&mut object, members) {
        object.extend(members);
    }
    object
}

impl Supervisor for Ours {
    fn name(&self) -> &'static str {
        "Bansuri"
    }

    fn version(&self) -> Option<String> {
        find::version(&self.binary, "--version")
    }

    fn prepare(&self, lab: &Lab, folder: &Path, tasks: &[Task]) -> io::Result<Command> {
        let scripts: Vec<Value> = tasks.iter().map(Self::service).collect();
        Self::command(lab, folder, &json!({ "scripts": scripts }), &[])
    }
}
