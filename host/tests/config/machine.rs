//! A system of its own: no test depends on the accounts and rights of the one it runs on.

use bansuri::config::{Machine, Rights};
use bansuri::launch::{Limit, Resource};
use std::io;
use std::path::Path;

/// Knows the users root and www, and the groups root and web, and may do everything if it is root.
pub(crate) struct Fake {
    pub(crate) is_root: bool,
}

impl Machine for Fake {
    fn user(&self, name: &str) -> io::Result<Option<u32>> {
        match name {
            "root" => Ok(Some(0)),
            "www" => Ok(Some(33)),
            "distant" => Err(io::Error::other("the server is away")),
            _ => Ok(None),
        }
    }

    fn group(&self, name: &str) -> io::Result<Option<u32>> {
        match name {
            "root" => Ok(Some(0)),
            "web" => Ok(Some(44)),
            _ => Ok(None),
        }
    }

    fn user_names(&self) -> Vec<String> {
        ["root", "www"].map(str::to_owned).to_vec()
    }

    fn group_names(&self) -> Vec<String> {
        ["root", "web"].map(str::to_owned).to_vec()
    }

    fn rights(&self) -> Rights {
        match self.is_root {
            true => Rights {
                user: 0,
                group: 0,
                may_change_user: true,
                may_change_group: true,
                lowest_priority: -20,
            },
            false => Rights {
                user: 33,
                group: 44,
                may_change_user: false,
                may_change_group: false,
                lowest_priority: 0,
            },
        }
    }

    fn highest_limit(&self, resource: Resource) -> Limit {
        match resource {
            Resource::Nofile if self.is_root => Limit::At(1 << 20),
            Resource::Nofile => Limit::At(4096),
            Resource::Nproc | Resource::As | Resource::Core | Resource::Cpu | Resource::Fsize => {
                Limit::Unlimited
            }
        }
    }

    fn environment_file_problem(&self, file: &Path) -> Option<String> {
        file.ends_with("missing.env").then(|| "there is no such file yet".to_owned())
    }

    fn folder_problem(&self, folder: &Path) -> Option<String> {
        folder.ends_with("missing").then(|| "there is no such folder yet".to_owned())
    }
}
