//! pm2: <https://pm2.keymetrics.io/docs/usage/application-declaration/>. Its command starts a daemon and ends.

use crate::bench::lab::Lab;
use crate::bench::supervisor::{Supervisor, Task, text};
use serde_json::{Value, json};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub(super) struct Pm2 {
    pub(super) program: PathBuf,
}

impl Supervisor for Pm2 {
    fn name(&self) -> &'static str {
        "pm2"
    }

    fn version(&self) -> Option<String> {
        // Asking the program itself would start its daemon.
        let package = self.program.canonicalize().ok()?.ancestors().nth(2)?.join("package.json");
        let package: Value = serde_json::from_slice(&std::fs::read(package).ok()?).ok()?;
        package["version"].as_str().map(str::to_owned)
    }

    fn prepare(&self, _: &Lab, folder: &Path, tasks: &[Task]) -> io::Result<Command> {
        let app = |task: &Task| {
            let log = task.log.as_deref().map_or("/dev/null".to_owned(), text);
            json!({
                "name": task.name, "script": task.command[0], "args": task.command[1..], "interpreter": "none",
                "autorestart": true, "max_restarts": 1_000_000_000, "min_uptime": 0, "restart_delay": 0,
                "exec_mode": "fork", "cwd": folder, "out_file": log, "error_file": log,
            })
        };
        let mut command = Command::new(&self.program);
        if tasks.is_empty() {
            command.arg("ping");
        } else {
            let file = folder.join("ecosystem.json");
            let apps: Vec<Value> = tasks.iter().map(app).collect();
            std::fs::write(&file, serde_json::to_vec(&json!({ "apps": apps }))?)?;
            command.arg("start").arg(file);
        }
        command.env("PM2_HOME", folder.join("home")).env("PM2_DISABLE_VERSION_CHECK", "true");
        command.stdout(Stdio::null());
        Ok(command)
    }

    fn pid_file(&self, folder: &Path) -> Option<PathBuf> {
        Some(folder.join("home/pm2.pid"))
    }
}
