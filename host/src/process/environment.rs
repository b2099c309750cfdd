//! The environment of a process to be.

use super::strings;
use std::collections::BTreeMap;
use std::ffi::{CStr, CString, OsStr, OsString};
use std::os::raw::c_char;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

/// Names and values, from what the host had when it was asked and what was set since. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Environment {
    base: Arc<[Entry]>,
    set: BTreeMap<OsString, CString>,
}

#[derive(Debug)]
struct Entry {
    name: OsString,
    /// `NAME=value`.
    text: CString,
}

impl Environment {
    /// The host's own, as it is now.
    pub fn of_host() -> Self {
        let entry = |(name, value): (OsString, OsString)| {
            // The system keeps the environment as C strings, so that none can hold a NUL byte.
            let text = entry_text(&name, &value)?;
            Some(Entry { name, text })
        };
        Self { base: std::env::vars_os().filter_map(entry).collect(), set: BTreeMap::new() }
    }

    /// Nothing at all.
    pub(super) fn empty() -> Self {
        Self { base: Arc::new([]), set: BTreeMap::new() }
    }

    /// What the host had, and what was set since, as `NAME=value`.
    pub(super) fn parts(&self) -> (Vec<&CStr>, Vec<&CStr>) {
        let inherited = self.base.iter().map(|entry| entry.text.as_c_str()).collect();
        (inherited, self.set.values().map(CString::as_c_str).collect())
    }

    /// The opposite of [`Environment::parts`]. `None`: an entry has no `=`.
    pub(super) fn of_parts(inherited: Vec<CString>, set: Vec<CString>) -> Option<Self> {
        let name = |text: &CString| {
            // A name that begins with "=" is what some programs leave in an environment.
            let end = text.as_bytes().iter().skip(1).position(|&byte| byte == b'=')? + 1;
            Some(OsStr::from_bytes(&text.as_bytes()[..end]).to_owned())
        };
        let base = inherited.into_iter().map(|text| Some(Entry { name: name(&text)?, text }));
        let base = base.collect::<Option<Arc<[Entry]>>>()?;
        let set = set.into_iter().map(|text| Some((name(&text)?, text))).collect::<Option<_>>()?;
        Some(Self { base, set })
    }

    /// Whether this name was set, and is not only the host's.
    pub fn sets(&self, name: impl AsRef<OsStr>) -> bool {
        self.set.contains_key(name.as_ref())
    }

    /// Sets one, whether or not it was set before.
    ///
    /// # Errors
    /// A lowercase fragment, for a name that is empty or holds `=`, and for a NUL byte in either.
    pub fn set(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Result<(), String> {
        let (name, value) = (name.as_ref(), value.as_ref());
        if name.is_empty() || name.as_bytes().contains(&b'=') {
            return Err(format!("environment variable {name:?}: a name is not empty and has no \"=\""));
        }
        let text = entry_text(name, value)
            .ok_or_else(|| format!("environment variable {name:?}: holds a NUL byte"))?;
        self.set.insert(name.to_owned(), text);
        Ok(())
    }

    /// Every name, in no order; what was set over the host's comes twice.
    pub fn names(&self) -> impl Iterator<Item = &OsStr> {
        self.base.iter().map(|entry| &entry.name).chain(self.set.keys()).map(OsString::as_os_str)
    }

    /// The value of this name.
    pub fn value(&self, name: impl AsRef<OsStr>) -> Option<&OsStr> {
        let name = name.as_ref();
        let text = self.set.get(name).or_else(|| Some(&self.base.iter().find(|e| e.name == name)?.text))?;
        Some(OsStr::from_bytes(&text.as_bytes()[name.len() + 1..]))
    }

    /// For `envp`; good while `self` lives.
    pub(super) fn pointers(&self) -> Vec<*mut c_char> {
        let kept =
            self.base.iter().filter(|entry| !self.set.contains_key(&entry.name)).map(|entry| &entry.text);
        strings::pointers(kept.chain(self.set.values()))
    }
}

fn entry_text(name: &OsStr, value: &OsStr) -> Option<CString> {
    let mut text = OsString::with_capacity(name.len() + value.len() + 2);
    text.push(name);
    text.push("=");
    text.push(value);
    strings::c_string(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_is_set_hides_the_hosts() {
        let mut environment = Environment::of_host();
        let path = std::env::var_os("PATH").expect("tests run with a PATH");
        assert_eq!(environment.value("PATH"), Some(path.as_os_str()));
        let before = environment.pointers().len();
        environment.set("PATH", "/nowhere").unwrap();
        environment.set("BANSURI_NEW", "a=b").unwrap();
        assert_eq!(environment.value("PATH"), Some(OsStr::new("/nowhere")));
        assert_eq!(environment.value("BANSURI_NEW"), Some(OsStr::new("a=b")));
        assert_eq!(environment.pointers().len(), before + 1);
    }

    #[test]
    fn what_no_process_can_be_given_is_refused() {
        let mut environment = Environment::of_host();
        assert!(environment.set("A=B", "c").unwrap_err().contains("has no \"=\""));
        assert!(environment.set("", "c").is_err());
        assert!(environment.set("A", "b\0c").unwrap_err().contains("NUL byte"));
        assert!(environment.set("A\0", "b").is_err());
    }
}
