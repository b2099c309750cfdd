//! horust: <https://github.com/FedericoPonzi/Horust/blob/master/DOCUMENTATION.md>.

use super::find;
use crate::bench::lab::Lab;
use crate::bench::supervisor::{Supervisor, Task};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub(super) struct Horust {
    pub(super) program: PathBuf,
}

impl Supervisor for Horust {
    fn name(&self) -> &'static str {
        "horust"
    }

    fn version(&self) -> Option<String> {
        // It does not tell; cargo writes down what it installed.
        let installed = self.program.ancestors().nth(2)?.join(".crates.toml");
        find::word_after(&std::fs::read_to_string(installed).ok()?, "\"horust ")
    }

    fn prepare(&self, _: &Lab, folder: &Path, tasks: &[Task]) -> io::Result<Command> {
        let (services, sockets) = (folder.join("services"), folder.join("sockets"));
        std::fs::create_dir(&services)?;
        std::fs::create_dir(&sockets)?;
        for task in tasks {
            let log = task.log.as_ref().map(|log| format!("stdout = \"{}\"\n", log.display()));
            let lines = format!(
                "command = '''{}'''\n{}[restart]\nstrategy = \"always\"\nbackoff = \"0s\"\nattempts = 0\n\
                 [environment]\nkeep-env = true\n",
                task.command.join(" "),
                log.unwrap_or_default()
            );
            std::fs::write(services.join(&task.name).with_extension("toml"), lines)?;
        }
        let mut command = Command::new(&self.program);
        command
            .arg("--services-path")
            .arg(services)
            .arg("--uds-folder-path")
            .arg(sockets)
            .stdout(Stdio::null());
        Ok(command)
    }
}
