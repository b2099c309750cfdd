//! The binaries and libraries under test. `cargo test` builds them for no other package, so they are built here, once a
//! process and in the profile of the tests.

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
        // target/PROFILE/deps/this-test → target/PROFILE
        let test = std::env::current_exe().expect("a test knows its file");
        let folder = test.ancestors().nth(2).expect("tests lie in target/PROFILE/deps").to_owned();
        let profile = match folder.file_name().and_then(|name| name.to_str()) {
            Some("debug") | None => "dev",
            Some(other) => other,
        };
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build.current_dir(workspace()).args(["build", "--quiet", "--workspace", "--profile", profile]);
        if let Some(target) = folder.parent() {
            build.arg("--target-dir").arg(target);
        }
        assert!(build.status().expect("cargo can be run").success(), "the workspace does not build");
        folder
    })
}

/// The binary.
pub fn bansuri() -> PathBuf {
    artifacts().join("bansuri")
}

/// The library of a workspace crate, by the crate's name.
pub fn library(package: &str) -> PathBuf {
    let name = package.replace('-', "_");
    artifacts().join(format!("{}{name}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX))
}
