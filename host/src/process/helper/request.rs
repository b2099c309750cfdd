//! What the helper is asked to do, as bytes: it must not come by its environment, which would act on the helper itself
//! (`LD_PRELOAD`) while it is still root, nor by its arguments, which everybody can read.

use crate::launch::{Account, Limit, Privileges, Resource};
use crate::process::Environment;
use crate::wire::{Reader, Writer};
use std::ffi::{CString, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// What becomes of one of the two output descriptors before the helper turns into its user. By default nothing: it is
/// not the run's alone, or was there before.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Handover {
    /// It was made for this run, and is to belong to its user: `/dev/stdout` can be opened by its owner only.
    pub give: bool,
    /// What is written ends up in a file of this name and owner, who must be the user.
    pub owned: Option<(PathBuf, u32)>,
}

impl Handover {
    /// Of a descriptor that was made for the run.
    pub const GIVEN: Handover = Handover { give: true, owned: None };
}

/// All that the helper needs to know.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) program: OsString,
    pub(super) arguments: Vec<OsString>,
    pub(super) environment: Environment,
    pub(super) working_directory: PathBuf,
    pub(super) privileges: Privileges,
    /// Of standard output and standard error.
    pub(super) outputs: [Handover; 2],
    /// Signals that are ignored in the program.
    pub(super) ignored: Vec<i32>,
}

const RESOURCES: [Resource; 6] =
    [Resource::Nofile, Resource::Nproc, Resource::As, Resource::Core, Resource::Cpu, Resource::Fsize];

impl Request {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut to = Writer::default();
        to.bytes(self.program.as_bytes());
        to.list(&self.arguments, |to, word| to.bytes(word.as_bytes()));
        let (inherited, set) = self.environment.parts();
        to.list(&inherited, |to, entry| to.bytes(entry.to_bytes()));
        to.list(&set, |to, entry| to.bytes(entry.to_bytes()));
        to.bytes(self.working_directory.as_os_str().as_bytes());
        let Privileges { user, group, priority, umask, limits } = &self.privileges;
        for account in [user, group] {
            match account {
                None => to.number(0),
                Some(Account::Id(id)) => {
                    to.number(1);
                    to.number(u64::from(*id));
                }
                Some(Account::Name(name)) => {
                    to.number(2);
                    to.bytes(name.as_bytes());
                }
            }
        }
        to.option(priority.map(|nice| i64::from(nice).cast_unsigned()));
        to.option(umask.map(u64::from));
        for resource in RESOURCES {
            match limits.get(&resource) {
                None => to.number(0),
                Some(Limit::Unlimited) => to.number(1),
                Some(Limit::At(limit)) => {
                    to.number(2);
                    to.number(*limit);
                }
            }
        }
        for output in &self.outputs {
            to.number(u64::from(output.give));
            to.option(output.owned.as_ref().map(|(_, owner)| u64::from(*owner)));
            if let Some((path, _)) = &output.owned {
                to.bytes(path.as_os_str().as_bytes());
            }
        }
        to.list(&self.ignored, |to, signal| to.number(i64::from(*signal).cast_unsigned()));
        to.into_bytes()
    }

    /// `None`: these are not the bytes of a request.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut from = Reader::new(bytes);
        let program = from.text()?;
        let arguments = from.list(Reader::text)?;
        let entry = |from: &mut Reader<'_>| CString::new(from.bytes()?).ok();
        let environment = Environment::of_parts(from.list(entry)?, from.list(entry)?)?;
        let working_directory = from.text()?.into();
        let mut account = || {
            Some(match from.number()? {
                0 => None,
                1 => Some(Account::Id(from.number()?.try_into().ok()?)),
                _ => Some(Account::Name(from.string()?)),
            })
        };
        let (user, group) = (account()?, account()?);
        let priority = from.option()?.map(|nice| nice.cast_signed().try_into()).transpose().ok()?;
        let umask = from.option()?.map(TryInto::try_into).transpose().ok()?;
        let mut privileges = Privileges { user, group, priority, umask, ..Privileges::default() };
        for resource in RESOURCES {
            let limit = match from.number()? {
                0 => continue,
                1 => Limit::Unlimited,
                _ => Limit::At(from.number()?),
            };
            privileges.limits.insert(resource, limit);
        }
        let mut output = || {
            let give = from.number()? != 0;
            let owned = match from.option()? {
                Some(owner) => Some((from.text()?.into(), owner.try_into().ok()?)),
                None => None,
            };
            Some(Handover { give, owned })
        };
        let outputs = [output()?, output()?];
        let ignored = from.list(|from| from.number()?.cast_signed().try_into().ok())?;
        let request =
            Self { program, arguments, environment, working_directory, privileges, outputs, ignored };
        from.is_empty().then_some(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStringExt;

    #[test]
    fn a_request_comes_through_whole() {
        let mut environment = Environment::of_host();
        environment.set("GREETING", "hello\nworld").unwrap();
        let limits = [(Resource::Nofile, Limit::At(64)), (Resource::Core, Limit::Unlimited)].into();
        let privileges = Privileges {
            user: Some(Account::Name("nobody".into())),
            group: Some(Account::Id(12)),
            priority: Some(-20),
            umask: Some(0o27),
            limits,
        };
        let request = Request {
            program: OsString::from_vec(vec![b'a', 0xff]),
            arguments: vec!["b c".into(), "".into()],
            environment,
            working_directory: "/srv".into(),
            privileges,
            outputs: [Handover::GIVEN, Handover { give: true, owned: Some(("/var/log/x".into(), 33)) }],
            ignored: vec![1, 64],
        };
        let bytes = request.encode();
        let decoded = Request::decode(&bytes).unwrap();
        assert_eq!((decoded.program, decoded.arguments), (request.program, request.arguments));
        assert_eq!(decoded.environment.parts(), request.environment.parts());
        assert_eq!(decoded.working_directory, request.working_directory);
        assert_eq!(decoded.privileges, request.privileges);
        assert_eq!((decoded.outputs, decoded.ignored), (request.outputs, request.ignored));
        for length in 0..bytes.len() {
            assert!(Request::decode(&bytes[..length]).is_none(), "cut to {length} bytes");
        }
    }
}
