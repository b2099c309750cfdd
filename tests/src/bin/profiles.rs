//! Builds the host in several release profiles and shows what each costs and what it gives: the choice in Cargo.toml
//! rests on this.
//!
//! `cargo run --release -p bansuri-tests --bin profiles` takes all of them, or those that are named:
//! `-- "thin LTO" "fat LTO"`. Each takes minutes. Needs valgrind. What is built is thrown away.

use bansuri_tests::{bench, callgrind, workspace};
use std::error::Error;
use std::path::Path;
use std::process::Command;

/// A way to build.
struct Profile {
    name: &'static str,
    lto: &'static str,
    /// Code generation units.
    units: &'static str,
    /// Optimisation.
    level: &'static str,
}

const PROFILES: [Profile; 7] = [
    Profile { name: "cargo's own", lto: "false", units: "16", level: "3" },
    Profile { name: "one unit", lto: "false", units: "1", level: "3" },
    Profile { name: "thin LTO, 16 units", lto: "thin", units: "16", level: "3" },
    Profile { name: "thin LTO", lto: "thin", units: "1", level: "3" },
    Profile { name: "fat LTO", lto: "fat", units: "1", level: "3" },
    Profile { name: "thin LTO for size", lto: "thin", units: "1", level: "s" },
    Profile { name: "fat LTO for size", lto: "fat", units: "1", level: "s" },
];

const HEADING: &str = "\
| profile | lto | units | level | build, CPU time | binary | memory without tasks | check of 10,000 tasks |
| --- | --- | --- | --- | --- | --- | --- | --- |";

fn main() -> Result<(), Box<dyn Error>> {
    let names: Vec<String> = std::env::args().skip(1).collect();
    if let Some(unknown) = names.iter().find(|name| !PROFILES.iter().any(|profile| profile.name == **name)) {
        let all = PROFILES.map(|profile| profile.name).join("; ");
        return Err(format!("{unknown:?} is no profile: there are {all}").into());
    }
    println!("{HEADING}");
    for profile in PROFILES {
        if names.is_empty() || names.iter().any(|name| name == profile.name) {
            println!("{}", row(&profile)?);
        }
    }
    Ok(())
}

fn row(profile: &Profile) -> Result<String, Box<dyn Error>> {
    let Profile { name, lto, units, level } = profile;
    let target = tempfile::Builder::new().prefix("profile-").tempdir_in(workspace().join("target"))?;
    let seconds = build(profile, target.path())?;
    let folder = target.path().join("release");
    let host = folder.join("bansuri");
    let size = host.metadata()?.len() as f64 / 1e6;
    let memory = bench::memory_without_tasks(&folder)? / 1024.0;
    let check = callgrind::of_check(&host, 10_000)? as f64 / 1e6;
    Ok(format!(
        "| {name} | {lto} | {units} | {level} | {seconds:.0} s | {size:.2} MB | {memory:.2} MiB | \
         {check:.0} million instructions |"
    ))
}

/// Builds the host and all that it is made of: the seconds of CPU time that took.
fn build(profile: &Profile, target: &Path) -> Result<f64, Box<dyn Error>> {
    let before = children_seconds()?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace()).args([
        "build",
        "--quiet",
        "--release",
        "--locked",
        "--package",
        "bansuri",
    ]);
    cargo.arg("--target-dir").arg(target);
    cargo.env("CARGO_PROFILE_RELEASE_LTO", profile.lto).env("CARGO_INCREMENTAL", "0");
    cargo.env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", profile.units);
    cargo.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", profile.level);
    if !cargo.status()?.success() {
        return Err(format!("{}: the host does not build", profile.name).into());
    }
    Ok(children_seconds()? - before)
}

/// What all processes that this one has waited for have taken.
fn children_seconds() -> Result<f64, Box<dyn Error>> {
    /// What the kernel shows times in, on every machine that Linux runs on today.
    const TICKS: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(") ").ok_or("the kernel's text has changed")?;
    let ticks: Vec<f64> = fields.split(' ').skip(13).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() / TICKS)
}
