//! What a child is to do.

use super::super::failure::FailureRecord;
use crate::wire::{Reader, Writer};
use log::LevelFilter;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The one message that a child is sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Assignment {
    /// Run a task.
    Task(TaskAssignment),
    /// Deliver a failure.
    Notifier(NotifierAssignment),
    /// Nothing: the library cannot be used, for this reason.
    Refused(String),
}

/// Which instance, and under which name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InstanceAssignment {
    /// The library, absolute: how messages name it.
    pub library: PathBuf,
    /// Where it is loaded from, absolute; `None`: by the descriptor that comes along.
    pub place: Option<PathBuf>,
    /// The exported type.
    pub type_name: String,
    /// The task's or notifier's name.
    pub name: String,
    /// Its options, as JSON text.
    pub options: String,
    /// The host's own level: what is more detailed is not sent.
    pub level: LevelFilter,
}

/// One run of a task.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TaskAssignment {
    /// What to make.
    pub instance: InstanceAssignment,
    /// Counts from 1.
    pub attempt: u32,
    /// `NAME#NUMBER`.
    pub run_id: String,
    /// Absolute.
    pub working_directory: PathBuf,
    /// What the run finds added to the host's own environment.
    pub environment: BTreeMap<String, String>,
    /// When its timeout has passed, by [`monotonic`](crate::process::monotonic); `None`: it has none.
    pub deadline: Option<Duration>,
    /// The number of the signal that asks it to stop.
    pub stop_signal: i32,
    /// How long it has to stop once its host is gone.
    pub stop_timeout: Duration,
}

/// One failure for a notifier.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NotifierAssignment {
    /// What to make.
    pub instance: InstanceAssignment,
    /// What to deliver.
    pub failure: FailureRecord,
    /// How long it has once its host is gone.
    pub limit: Duration,
}

impl Assignment {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut to = Writer::default();
        match self {
            Assignment::Task(task) => {
                to.number(0);
                task.instance.write(&mut to);
                to.number(u64::from(task.attempt));
                to.bytes(task.run_id.as_bytes());
                to.bytes(task.working_directory.as_os_str().as_encoded_bytes());
                let variables: Vec<_> = task.environment.iter().collect();
                to.list(&variables, |to, (name, value)| {
                    to.bytes(name.as_bytes());
                    to.bytes(value.as_bytes());
                });
                to.option(task.deadline.map(nanos));
                to.number(i64::from(task.stop_signal).cast_unsigned());
                to.number(nanos(task.stop_timeout));
            }
            Assignment::Notifier(notifier) => {
                to.number(1);
                notifier.instance.write(&mut to);
                write_failure(&notifier.failure, &mut to);
                to.number(nanos(notifier.limit));
            }
            Assignment::Refused(reason) => {
                to.number(2);
                to.bytes(reason.as_bytes());
            }
        }
        to.into_bytes()
    }

    /// `None`: these are not the bytes of an assignment.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut from = Reader::new(bytes);
        let assignment = match from.number()? {
            0 => Assignment::Task(TaskAssignment {
                instance: InstanceAssignment::read(&mut from)?,
                attempt: from.number()?.try_into().ok()?,
                run_id: from.string()?,
                working_directory: from.text()?.into(),
                environment: from.list(|from| Some((from.string()?, from.string()?)))?.into_iter().collect(),
                deadline: from.option()?.map(Duration::from_nanos),
                stop_signal: from.number()?.cast_signed().try_into().ok()?,
                stop_timeout: Duration::from_nanos(from.number()?),
            }),
            1 => Assignment::Notifier(NotifierAssignment {
                instance: InstanceAssignment::read(&mut from)?,
                failure: read_failure(&mut from)?,
                limit: Duration::from_nanos(from.number()?),
            }),
            2 => Assignment::Refused(from.string()?),
            _ => return None,
        };
        from.is_empty().then_some(assignment)
    }
}

impl InstanceAssignment {
    fn write(&self, to: &mut Writer) {
        to.bytes(self.library.as_os_str().as_encoded_bytes());
        to.bytes(self.place.as_deref().unwrap_or(Path::new("")).as_os_str().as_encoded_bytes());
        to.bytes(self.type_name.as_bytes());
        to.bytes(self.name.as_bytes());
        to.bytes(self.options.as_bytes());
        to.number(self.level as u64);
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            library: from.text()?.into(),
            place: Some(PathBuf::from(from.text()?)).filter(|place| !place.as_os_str().is_empty()),
            type_name: from.string()?,
            name: from.string()?,
            options: from.string()?,
            level: {
                let level = usize::try_from(from.number()?).ok()?;
                LevelFilter::iter().find(|known| *known as usize == level)?
            },
        })
    }
}

/// A duration of more than five centuries is as good as one of five.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn write_failure(failure: &FailureRecord, to: &mut Writer) {
    // Every field is named, so that a new one cannot be forgotten.
    let FailureRecord {
        task,
        command,
        working_directory,
        return_code,
        outcome,
        reason,
        attempt,
        max_attempts,
        timestamp,
        description,
        stdout,
        stderr,
        run_id,
        host_name,
        folded,
    } = failure;
    for text in [task, command, reason, description, run_id, host_name] {
        to.bytes(text.as_bytes());
    }
    for bytes in [working_directory.as_slice(), outcome.as_bytes(), stdout, stderr] {
        to.bytes(bytes);
    }
    to.number(i64::from(*return_code).cast_unsigned());
    to.number(u64::from(*attempt));
    to.option(max_attempts.map(u64::from));
    // A clock before 1970 gives the start of 1970, as it does to a plugin in any case.
    to.number(nanos(timestamp.duration_since(UNIX_EPOCH).unwrap_or_default()));
    to.number(*folded);
}

fn read_failure(from: &mut Reader<'_>) -> Option<FailureRecord> {
    let [task, command, reason, description, run_id, host_name] =
        [from.string()?, from.string()?, from.string()?, from.string()?, from.string()?, from.string()?];
    Some(FailureRecord {
        task,
        command,
        reason,
        description,
        run_id,
        host_name,
        working_directory: from.bytes()?.to_vec(),
        outcome: Cow::Owned(from.string()?),
        stdout: from.bytes()?.to_vec(),
        stderr: from.bytes()?.to_vec(),
        return_code: from.number()?.cast_signed().try_into().ok()?,
        attempt: from.number()?.try_into().ok()?,
        max_attempts: from.option()?.map(TryInto::try_into).transpose().ok()?,
        timestamp: SystemTime::checked_add(&UNIX_EPOCH, Duration::from_nanos(from.number()?))?,
        folded: from.number()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance() -> InstanceAssignment {
        InstanceAssignment {
            library: "/usr/lib/libx.so".into(),
            place: None,
            type_name: "X".to_owned(),
            name: "x y".to_owned(),
            options: "{\"a\":1}".to_owned(),
            level: LevelFilter::Debug,
        }
    }

    fn check(assignment: &Assignment) {
        let bytes = assignment.encode();
        assert_eq!(Assignment::decode(&bytes).as_ref(), Some(assignment));
        for length in 0..bytes.len() {
            assert_eq!(Assignment::decode(&bytes[..length]), None, "cut to {length} bytes");
        }
    }

    #[test]
    fn an_assignment_comes_through_whole() {
        check(&Assignment::Task(TaskAssignment {
            instance: instance(),
            attempt: 3,
            run_id: "x y#9".to_owned(),
            working_directory: "/srv".into(),
            environment: [("A".to_owned(), "b\nc".to_owned()), ("B".to_owned(), String::new())].into(),
            deadline: Some(Duration::from_millis(1500)),
            stop_signal: 15,
            stop_timeout: Duration::from_secs(10),
        }));
        check(&Assignment::Notifier(NotifierAssignment {
            instance: InstanceAssignment { place: Some("/opt/x.so".into()), ..instance() },
            failure: FailureRecord {
                task: "t".to_owned(),
                command: "c".to_owned(),
                working_directory: b"/srv/\xff".to_vec(),
                return_code: -1,
                outcome: "TIMED_OUT".into(),
                reason: "r".to_owned(),
                attempt: 2,
                max_attempts: Some(3),
                timestamp: UNIX_EPOCH + Duration::new(1, 5),
                description: "d".to_owned(),
                stdout: vec![0xff; 70_000],
                stderr: Vec::new(),
                run_id: "t#1".to_owned(),
                host_name: "h".to_owned(),
                folded: 4,
            },
            limit: Duration::from_secs(30),
        }));
        check(&Assignment::Refused("no such file".to_owned()));
    }
}
