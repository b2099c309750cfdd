//! supervisor: <https://supervisord.org/configuration.html>.

use super::find;
use crate::bench::lab::Lab;
use crate::bench::supervisor::{Supervisor, Task, text};
use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub(super) struct Supervisord {
    pub(super) program: PathBuf,
}

impl Supervisor for Supervisord {
    fn name(&self) -> &'static str {
        "supervisord"
    }

    fn version(&self) -> Option<String> {
        find::version(&self.program, "--version")
    }

    fn prepare(&self, _: &Lab, folder: &Path, tasks: &[Task]) -> io::Result<Command> {
        let descriptors = 1024.max(3 * tasks.len() + 200);
        let mut lines = format!(
            "[supervisord]\nnodaemon=true\nlogfile={0}/log\npidfile={0}/pid\nminfds={descriptors}\n",
            folder.display()
        );
        for task in tasks {
            let log = task.log.as_deref().map_or("NONE".to_owned(), text);
            let _ = write!(
                lines,
                "[program:{}]\ncommand={}\nstartsecs=0\nstartretries=1000000\nautorestart=true\n\
                 redirect_stderr=true\nstdout_logfile={log}\nstdout_logfile_maxbytes=0\n",
                task.name,
                task.command.join(" ")
            );
        }
        let file = folder.join("supervisord.conf");
        std::fs::write(&file, lines)?;
        let mut command = Command::new(&self.program);
        command.args(["-n", "-c"]).arg(file).stdout(Stdio::null());
        Ok(command)
    }
}
