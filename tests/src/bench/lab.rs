//! Where measurements are made: programs, folders, sizes.

use super::interrupt;
use super::scale::Scale;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Everything a measurement is made with. Its folders go with it.
pub(super) struct Lab {
    /// How much is measured.
    pub(super) scale: Scale,
    /// The task that writes its times down.
    pub(super) stamp: PathBuf,
    /// The least supervisor.
    pub(super) limit: PathBuf,
    /// The host.
    pub(super) bansuri: PathBuf,
    /// The folder of the plugin that is run.
    pub(super) libraries: PathBuf,
    folder: TempDir,
    /// In memory: what tasks write down, and output.
    memory: TempDir,
}

impl Lab {
    /// Compiles the programs.
    pub(super) fn new(scale: Scale, artifacts: &Path) -> io::Result<Self> {
        // A descriptor for each of a thousand tasks, in whatever supervisor.
        let most = getrlimit(Resource::Nofile).maximum;
        setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most })?;
        let folder = tempfile::Builder::new().prefix("bansuri-bench-").tempdir()?;
        let shared = Path::new("/dev/shm");
        let memory = match tempfile::Builder::new().prefix("bansuri-bench-").tempdir_in(shared) {
            Ok(memory) if has_room(shared, scale.output + 64) => memory,
            _ => tempfile::Builder::new().prefix("bansuri-bench-").tempdir()?,
        };
        interrupt::clean_up(vec![folder.path().to_owned(), memory.path().to_owned()])?;
        let stamp = compile(folder.path(), "stamp", include_str!("programs/stamp.c"), &["-static"])?;
        let limit = compile(folder.path(), "limit", include_str!("programs/limit.c"), &[])?;
        let bansuri = artifacts.join("bansuri");
        Ok(Self { scale, stamp, limit, bansuri, libraries: artifacts.to_owned(), folder, memory })
    }

    /// A fresh folder for one supervisor.
    pub(super) fn place(&self) -> io::Result<TempDir> {
        tempfile::tempdir_in(&self.folder)
    }

    /// A fresh folder in memory for it.
    pub(super) fn memory(&self) -> io::Result<TempDir> {
        tempfile::tempdir_in(&self.memory)
    }
}

fn has_room(folder: &Path, mebibytes: u64) -> bool {
    rustix::fs::statvfs(folder).is_ok_and(|room| room.f_bavail * room.f_frsize > mebibytes << 20)
}

fn compile(folder: &Path, name: &str, source: &str, options: &[&str]) -> io::Result<PathBuf> {
    let (from, to) = (folder.join(name).with_extension("c"), folder.join(name));
    std::fs::write(&from, source)?;
    let mut compiler = Command::new("cc");
    let status = compiler.args(["-O2", "-o"]).arg(&to).arg(&from).args(options).status();
    match status {
        Ok(status) if status.success() => Ok(to),
        Ok(status) => Err(io::Error::other(format!("cc {name}.c: {status}"))),
        Err(error) => Err(io::Error::new(error.kind(), format!("cc (a C compiler is needed): {error}"))),
    }
}
