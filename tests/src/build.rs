//! The binaries and libraries under test. `cargo test` builds them for no other package, so they are built here, once a
//! process and in the profile of the tests.

use rustix::fs::Mode;
use rustix::process::{geteuid, umask};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The root of the workspace.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the workspace")
}

/// The folder with the binary and every library of the workspace, freshly built.
pub fn artifacts() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = own_folder();
        if geteuid().is_root() {
            keep_others_out(&folder);
        }
        let status = cargo(workspace(), &["build", "--quiet", "--workspace"]).status();
        assert!(status.expect("cargo can be run").success(), "the workspace does not build");
        folder
    })
}

/// `cargo SUBCOMMAND …` in this folder, with the profile and the target folder of the tests: what is built for this
/// workspace serves other ones again that have the same versions of the same crates.
pub fn cargo(folder: &Path, arguments: &[&str]) -> Command {
    let artifacts = own_folder();
    let profile = match artifacts.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(other) => other,
    };
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(folder).args(arguments).args(["--profile", profile]);
    // What cargo says of the package whose test this is: build scripts that look at it (ring's) would run once more, and
    // all that depends on them would be built again, for each package and after each build outside of a test.
    for (name, _) in std::env::vars_os() {
        let about_package = ["CARGO_PKG_", "CARGO_MANIFEST_"];
        if name.to_str().is_some_and(|name| about_package.iter().any(|prefix| name.starts_with(prefix))) {
            command.env_remove(name);
        }
    }
    // The profile of crates outside of the workspace is cargo's own, but for this.
    command.env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only");
    command
        .arg("--target-dir")
        .arg(artifacts.parent().expect("a profile's folder lies in the target folder"));
    command
}

/// Builds one library of another workspace: its file.
pub fn library_of(folder: &Path, package: &str, arguments: &[&str]) -> PathBuf {
    let mut build = cargo(folder, &["build", "--quiet", "--package", package]);
    let status = build.args(arguments).status().expect("cargo can be run");
    assert!(status.success(), "{package} of {} does not build", folder.display());
    own_folder().join(file_name(package))
}

/// A host that is root loads nothing that others may write to, as a file mode creation mask of 002 leaves it.
fn keep_others_out(folder: &Path) {
    const OTHERS_WRITE: u32 = 0o022;
    // Never wider than that, not for a moment: other tests of this process make files meanwhile.
    let own = umask(Mode::from_raw_mode(OTHERS_WRITE));
    umask(own | Mode::from_raw_mode(OTHERS_WRITE));
    let target = folder.parent().unwrap_or(folder);
    let built = std::fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    for path in built.filter(|path| path.is_file()).chain([folder.to_owned(), target.to_owned()]) {
        let mode = path.metadata().map_or(0, |metadata| metadata.permissions().mode());
        // Changed where it has to be alone: a changed file is a new build to hosts that run.
        if mode & OTHERS_WRITE != 0 {
            // What cannot be changed is named by the host that refuses it.
            let _ = std::fs::set_permissions(&path, Permissions::from_mode(mode & !OTHERS_WRITE));
        }
    }
}

/// The folder with these packages' binaries and libraries, freshly built, and nothing else built for it.
pub(crate) fn only(packages: &[&str]) -> PathBuf {
    let mut build = cargo(workspace(), &["build", "--quiet"]);
    packages.iter().for_each(|package| _ = build.args(["--package", package]));
    assert!(build.status().expect("cargo can be run").success(), "{packages:?} do not build");
    let folder = own_folder();
    keep_others_out(&folder);
    folder
}

/// target/PROFILE/deps/this-test → target/PROFILE, and target/PROFILE/this-binary → target/PROFILE
fn own_folder() -> PathBuf {
    let program = std::env::current_exe().expect("a program knows its file");
    let folder = program.parent().expect("a file lies in a folder");
    let profile = if folder.ends_with("deps") { folder.parent() } else { Some(folder) };
    profile.expect("tests lie in target/PROFILE/deps").to_owned()
}

/// The binary.
pub fn bansuri() -> PathBuf {
    artifacts().join("bansuri")
}

/// Builds a library from a C source of the fixtures: `at-load/crashes.c`.
pub fn compile(source: &str, library: &Path) {
    let source = workspace().join("tests/fixtures").join(source);
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-O0", "-o"]).arg(library).arg(source);
    assert!(cc.status().expect("cc can be run").success(), "{cc:?}");
}

/// The SHA-256 of a file, in hexadecimal digits.
pub fn sha256(file: &Path) -> String {
    let output = Command::new("sha256sum").arg(file).output().expect("sha256sum can be run");
    String::from_utf8_lossy(&output.stdout).chars().take(64).collect()
}

/// The library of a workspace crate, by the crate's name.
pub fn library(package: &str) -> PathBuf {
    artifacts().join(file_name(package))
}

/// What cargo makes of a crate's name.
pub fn file_name(package: &str) -> String {
    let name = package.replace('-', "_");
    format!("{}{name}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX)
}
