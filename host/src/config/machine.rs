//! What the checker asks of the system the tasks will run on.

use crate::launch::{Limit, Resource};
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

/// Answers questions about accounts, about what the host may do, about environment files and folders. Implemented by `cli` on
/// top of `process`.
pub trait Machine {
    /// The number of the user of this name; `None`: there is none.
    ///
    /// # Errors
    /// The name service cannot tell.
    fn user(&self, name: &str) -> io::Result<Option<u32>>;

    /// The number of the group of this name; `None`: there is none.
    ///
    /// # Errors
    /// The name service cannot tell.
    fn group(&self, name: &str) -> io::Result<Option<u32>>;

    /// Names of users, for hints.
    fn user_names(&self) -> Vec<String>;

    /// Names of groups, for hints.
    fn group_names(&self) -> Vec<String>;

    /// Who the host is and what it may do.
    fn rights(&self) -> Rights;

    /// The highest limit that the host may give a run.
    fn highest_limit(&self, resource: Resource) -> Limit;

    /// Why an environment file could not be read just now, as a lowercase fragment; `None`: it could.
    fn environment_file_problem(&self, file: &Path) -> Option<String>;

    /// Why a folder could not be used just now, as a lowercase fragment; `None`: it could, or nobody can tell.
    fn folder_problem(&self, folder: &Path) -> Option<String>;
}

/// Who the host is and what it may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rights {
    /// Its user's number.
    pub user: u32,
    /// Its group's number.
    pub group: u32,
    /// Whether runs may have other users.
    pub may_change_user: bool,
    /// Whether runs may have other groups.
    pub may_change_group: bool,
    /// The lowest nice value that a run may have.
    pub lowest_priority: i32,
}

/// Asks about each thing once: a file may name one user in thousands of tasks, and a name service may be far away.
pub(super) struct Asked<'m> {
    machine: &'m dyn Machine,
    rights: Option<Rights>,
    users: HashMap<String, Result<Option<u32>, String>>,
    groups: HashMap<String, Result<Option<u32>, String>>,
    files: HashMap<PathBuf, Option<String>>,
    folders: HashMap<PathBuf, Option<String>>,
}

impl<'m> Asked<'m> {
    pub(super) fn new(machine: &'m dyn Machine) -> Self {
        let (users, groups) = (HashMap::new(), HashMap::new());
        Self { machine, rights: None, users, groups, files: HashMap::new(), folders: HashMap::new() }
    }

    pub(super) fn user(&mut self, name: &str) -> Result<Option<u32>, String> {
        let ask = || self.machine.user(name).map_err(|error| error.to_string());
        self.users.entry(name.to_owned()).or_insert_with(ask).clone()
    }

    pub(super) fn group(&mut self, name: &str) -> Result<Option<u32>, String> {
        let ask = || self.machine.group(name).map_err(|error| error.to_string());
        self.groups.entry(name.to_owned()).or_insert_with(ask).clone()
    }

    pub(super) fn user_names(&self) -> Vec<String> {
        self.machine.user_names()
    }

    pub(super) fn group_names(&self) -> Vec<String> {
        self.machine.group_names()
    }

    pub(super) fn rights(&mut self) -> Rights {
        *self.rights.get_or_insert_with(|| self.machine.rights())
    }

    pub(super) fn highest_limit(&self, resource: Resource) -> Limit {
        self.machine.highest_limit(resource)
    }

    pub(super) fn environment_file_problem(&mut self, file: &Path) -> Option<String> {
        let ask = || self.machine.environment_file_problem(file);
        self.files.entry(file.to_owned()).or_insert_with(ask).clone()
    }

    pub(super) fn folder_problem(&mut self, folder: &Path) -> Option<String> {
        if let Some(known) = self.folders.get(folder) {
            return known.clone();
        }
        let problem = self.machine.folder_problem(folder);
        self.folders.insert(folder.to_owned(), problem.clone());
        problem
    }
}
