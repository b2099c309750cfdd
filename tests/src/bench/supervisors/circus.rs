//! circus: <https://circus.readthedocs.io/en/latest/configuration/>.

use super::find;
use crate::bench::lab::Lab;
use crate::bench::supervisor::{Supervisor, Task};
use std::fmt::Write;
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub(super) struct Circus {
    pub(super) program: PathBuf,
}

impl Supervisor for Circus {
    fn name(&self) -> &'static str {
        "circus"
    }

    fn version(&self) -> Option<String> {
        find::version(&self.program, "--version")
    }

    fn prepare(&self, _: &Lab, folder: &Path, tasks: &[Task]) -> io::Result<Command> {
        let mut lines = format!(
            "[circus]\nendpoint=tcp://127.0.0.1:{}\npubsub_endpoint=tcp://127.0.0.1:{}\nstatsd=false\nhttpd=false\n",
            free_port()?,
            free_port()?
        );
        for task in tasks {
            let _ = write!(
                lines,
                "[watcher:{}]\ncmd={}\nargs={}\nwarmup_delay=0\ncopy_env=true\nrespawn=true\nmax_retry=-1\n",
                task.name,
                task.command[0],
                task.command[1..].join(" ")
            );
            if let Some(log) = &task.log {
                let _ = write!(
                    lines,
                    "stdout_stream.class=FileStream\nstdout_stream.filename={}\n",
                    log.display()
                );
            }
        }
        let file = folder.join("circus.ini");
        std::fs::write(&file, lines)?;
        let mut command = Command::new(&self.program);
        command.arg(file).stdout(Stdio::null());
        Ok(command)
    }
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
