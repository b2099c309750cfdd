//! What an event looks like. Event and field names are stable; fields may be added.

use crate::clock::rfc3339;
use bansuri_core::Wall;
use serde::Serialize;

/// One event of the host. Fields that do not apply are null.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum HostEvent<'a> {
    /// The host is up; no task has started yet.
    HostStarted {
        /// Its process.
        pid: u32,
        /// Its version.
        version: &'a str,
        /// Where it keeps its state.
        state_dir: &'a str,
    },
    /// The last event.
    HostStopped {
        /// What the host exits with.
        exit_code: i32,
    },
    /// The configuration was read and is in force.
    ConfigLoaded {
        /// The file.
        file: &'a str,
        /// How many tasks it has.
        tasks: usize,
    },
    /// The file was read again and is in force.
    ConfigReloaded {
        /// The file.
        file: &'a str,
        /// Tasks that are new.
        added: &'a [String],
        /// Tasks that are gone.
        removed: &'a [String],
        /// Tasks of which anything is different.
        changed: &'a [String],
    },
    /// The file was read again and cannot be used: nothing has changed.
    ConfigRejected {
        /// The file.
        file: &'a str,
        /// Each error, with its place.
        errors: Vec<String>,
    },
    /// Runs use this build of a plugin library from now on.
    PluginLoaded {
        /// The file.
        library: &'a str,
        /// The version of bansuri-plugin-api it was built with.
        api_version: &'a str,
        /// The task types it exports.
        tasks: Vec<&'a str>,
        /// The notifier types it exports.
        notifiers: Vec<&'a str>,
        /// Why a newer build was refused, so that runs go on with this one.
        error: Option<&'a str>,
    },
    /// A task changed its state, or the reason for it.
    TaskState {
        /// Which task.
        task: &'a str,
        /// Its last run's number; null before the first.
        run: Option<u64>,
        /// Counts from 1.
        attempt: u32,
        /// Null first.
        from: Option<&'static str>,
        /// The state from now on.
        to: &'static str,
        /// The run's process.
        pid: Option<u32>,
        /// With the end of a run.
        exit_code: Option<i32>,
        /// With the end of a run: a name such as `SIGKILL`.
        signal: Option<String>,
        /// With the end of a run, in milliseconds.
        duration_ms: Option<f64>,
        /// Why.
        reason: Option<&'a str>,
        /// With PENDING: when the next run starts.
        next_run: Option<String>,
    },
    /// Ticks of a schedule were not run.
    TickSkipped {
        /// Of which task.
        task: &'a str,
        /// How many.
        count: u64,
        /// When the first of them was due.
        due: String,
        /// What was in the way.
        reason: &'a str,
    },
    /// A run ignores `stop` and cannot be forced.
    TaskStuck {
        /// Of which task.
        task: &'a str,
        /// Which run.
        run: u64,
    },
    /// A notifier was called.
    Notification {
        /// For which task.
        task: &'a str,
        /// `command`, or the notifier's name.
        notifier: &'a str,
        /// Whether it worked.
        ok: bool,
        /// Why not.
        error: Option<&'a str>,
    },
    /// The reader was so far behind that events were dropped, the oldest first.
    EventsLost {
        /// How many.
        count: u64,
    },
}

impl HostEvent<'_> {
    /// The line, with its line feed: time and number first, then the event's name and fields.
    pub(crate) fn to_line(&self, at: Wall, seq: u64) -> Vec<u8> {
        let mut line = format!("{{\"ts\":\"{}\",\"seq\":{seq},", rfc3339(at)).into_bytes();
        let object = serde_json::to_vec(self).expect("an event holds strings and finite numbers only");
        line.extend_from_slice(&object[1..]);
        line.push(b'\n');
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_json_object_in_the_documented_order() {
        let event = HostEvent::TaskState {
            task: "back\"up\n",
            run: Some(3),
            attempt: 1,
            from: Some("RUNNING"),
            to: "FAILED",
            pid: Some(4711),
            exit_code: Some(1),
            signal: None,
            duration_ms: Some(12.4),
            reason: Some("exit code 1"),
            next_run: None,
        };
        let line = String::from_utf8(event.to_line(Wall::from_nanos(0), 7)).unwrap();
        assert_eq!(
            line,
            "{\"ts\":\"1970-01-01T00:00:00.000000Z\",\"seq\":7,\"event\":\"task-state\",\"task\":\"back\\\"up\\n\",\
             \"run\":3,\"attempt\":1,\"from\":\"RUNNING\",\"to\":\"FAILED\",\"pid\":4711,\"exit_code\":1,\
             \"signal\":null,\"duration_ms\":12.4,\"reason\":\"exit code 1\",\"next_run\":null}\n"
        );
        serde_json::from_str::<serde_json::Value>(&line).unwrap();
    }
}
