//! Answers the checker's questions about the system, by asking it.

use crate::config::{Machine, Rights};
use crate::launch::{Limit, Resource};
use crate::{envfile, process};
use rustix::process as own;
use std::fs;
use std::io;
use std::path::Path;

// Bits of a set of capabilities (linux/capability.h).
const CAP_SETGID: u32 = 6;
const CAP_SETUID: u32 = 7;
const CAP_SYS_NICE: u32 = 23;
const CAP_SYS_RESOURCE: u32 = 24;

/// The system this process runs on, with the rights that this process has.
pub(super) struct ThisMachine;

impl Machine for ThisMachine {
    fn user(&self, name: &str) -> io::Result<Option<u32>> {
        Ok(process::user_by_name(name)?.map(|user| user.uid))
    }

    fn group(&self, name: &str) -> io::Result<Option<u32>> {
        process::group_by_name(name)
    }

    fn user_names(&self) -> Vec<String> {
        process::user_names()
    }

    fn group_names(&self) -> Vec<String> {
        process::group_names()
    }

    fn rights(&self) -> Rights {
        let lowest_priority = match may(CAP_SYS_NICE) {
            true => -20,
            false => lowest_priority(),
        };
        Rights {
            user: own::geteuid().as_raw(),
            group: own::getegid().as_raw(),
            may_change_user: may(CAP_SETUID),
            may_change_group: may(CAP_SETGID),
            lowest_priority,
        }
    }

    fn highest_limit(&self, resource: Resource) -> Limit {
        if may(CAP_SYS_RESOURCE) {
            // Open files have a limit that nobody may go above.
            let nr_open = match resource {
                Resource::Nofile => fs::read_to_string("/proc/sys/fs/nr_open").ok(),
                Resource::Nproc | Resource::As | Resource::Core | Resource::Cpu | Resource::Fsize => None,
            };
            return nr_open.and_then(|text| text.trim().parse().ok()).map_or(Limit::Unlimited, Limit::At);
        }
        let resource = match resource {
            Resource::Nofile => own::Resource::Nofile,
            Resource::Nproc => own::Resource::Nproc,
            Resource::As => own::Resource::As,
            Resource::Core => own::Resource::Core,
            Resource::Cpu => own::Resource::Cpu,
            Resource::Fsize => own::Resource::Fsize,
        };
        own::getrlimit(resource).maximum.map_or(Limit::Unlimited, Limit::At)
    }

    fn environment_file_problem(&self, file: &Path) -> Option<String> {
        match fs::metadata(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Some("there is no such file yet".to_owned())
            }
            Err(error) => Some(format!("it cannot be read: {error}")),
            // Whoever reads a pipe takes its contents away from the run.
            Ok(metadata) if !metadata.is_file() && !metadata.is_dir() => None,
            Ok(_) => envfile::read(file).err().map(|error| match (error.line, error.column) {
                (Some(line), Some(column)) => format!("{line}:{column}: {}", error.message),
                (Some(line), None) => format!("{line}: {}", error.message),
                (None, _) => error.message,
            }),
        }
    }

    fn folder_problem(&self, folder: &Path) -> Option<String> {
        match fs::metadata(folder) {
            Ok(found) if found.is_dir() => None,
            Ok(_) => Some("it is not a folder".to_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Some("there is no such folder yet".to_owned())
            }
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                Some("a part of it is not a folder".to_owned())
            }
            // The task's user may see what this one does not.
            Err(_) => None,
        }
    }
}

/// Whether this process has a capability in effect. Root in a container may lack some, and a service may have some
/// without being root.
fn may(capability: u32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let set = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    match set.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()) {
        Some(set) => set & (1 << capability) != 0,
        None => own::geteuid().is_root(),
    }
}

/// Without the capability: what the host has itself, or what RLIMIT_NICE allows if that is lower (setpriority(2)).
fn lowest_priority() -> i32 {
    let current = own::getpriority_process(None).unwrap_or(0);
    let limit = own::getrlimit(own::Resource::Nice).current.unwrap_or(40);
    let allowed = 20 - i32::try_from(limit.min(40)).unwrap_or(0);
    current.min(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_host_has_already_it_may_have() {
        let rights = ThisMachine.rights();
        assert!((-20..=19).contains(&rights.lowest_priority), "{rights:?}");
        assert_eq!(rights.user, own::geteuid().as_raw());
        assert_eq!(ThisMachine.user("root").ok().flatten(), Some(0));
        assert_eq!(ThisMachine.group("no group has this name").ok(), Some(None));
        let soft = own::getrlimit(own::Resource::Nofile).current.unwrap_or(0);
        let highest = ThisMachine.highest_limit(Resource::Nofile);
        assert!(matches!(highest, Limit::At(highest) if highest >= soft) || highest == Limit::Unlimited);
    }

    #[test]
    fn a_folder_is_looked_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        fs::write(&file, "").expect("written");
        let problem = |path: &Path| ThisMachine.folder_problem(path);
        assert_eq!(problem(folder.path()), None);
        assert_eq!(problem(&file).as_deref(), Some("it is not a folder"));
        assert_eq!(problem(&file.join("x")).as_deref(), Some("a part of it is not a folder"));
        assert_eq!(problem(&folder.path().join("x")).as_deref(), Some("there is no such folder yet"));
    }

    #[test]
    fn an_environment_file_is_tried() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("x.env");
        let problem = |text: &str| {
            fs::write(&file, text).expect("written");
            ThisMachine.environment_file_problem(&file)
        };
        assert_eq!(problem("A=1"), None);
        assert_eq!(problem("A=1\nB").as_deref(), Some("2:1: expected KEY=VALUE"));
        fs::remove_file(&file).expect("removed");
        let missing = ThisMachine.environment_file_problem(&file);
        assert_eq!(missing.as_deref(), Some("there is no such file yet"));
    }
}
