//! Which other supervisors are installed.

use super::circus::Circus;
use super::horust::Horust;
use super::pm2::Pm2;
use super::runit::{Runit, S6};
use super::supervisord::Supervisord;
use crate::bench::supervisor::Supervisor;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Those that are found in these folders or in PATH.
pub(in crate::bench) fn installed(folders: &[PathBuf]) -> Vec<Box<dyn Supervisor>> {
    let find = |program: &str| find(program, folders);
    let mut found: Vec<Box<dyn Supervisor>> = Vec::new();
    if let Some(program) = find("supervisord") {
        found.push(Box::new(Supervisord { program }));
    }
    if let Some(program) = find("pm2") {
        found.push(Box::new(Pm2 { program }));
    }
    if let (Some(program), Some(_)) = (find("runsvdir"), find("svlogd")) {
        found.push(Box::new(Runit { program }));
    }
    if let (Some(program), Some(_)) = (find("s6-svscan"), find("s6-log")) {
        found.push(Box::new(S6 { program }));
    }
    if let Some(program) = find("horust") {
        found.push(Box::new(Horust { program }));
    }
    if let Some(program) = find("circusd") {
        found.push(Box::new(Circus { program }));
    }
    found
}

fn find(program: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let given = folders.iter().flat_map(|folder| {
        ["", "bin", "node_modules/.bin"].map(|below| std::path::absolute(folder.join(below)).ok())
    });
    let path = std::env::var_os("PATH").unwrap_or_default();
    let all: Vec<PathBuf> = given.flatten().chain(std::env::split_paths(&path)).collect();
    all.into_iter().map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// The last word that a program says of its version.
pub(super) fn version(program: &Path, argument: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.split_whitespace().next_back()?.to_owned())
}

/// The version of the package a program came with, for those that do not tell theirs.
pub(super) fn package_version(package: &str) -> Option<String> {
    let output = Command::new("dpkg-query").args(["-W", "-f", "${Version}", package]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (!text.is_empty()).then_some(text)
}

/// The word that follows this text.
pub(super) fn word_after(text: &str, mark: &str) -> Option<String> {
    Some(text.split_once(mark)?.1.split_whitespace().next()?.to_owned())
}
