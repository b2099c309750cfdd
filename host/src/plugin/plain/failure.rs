//! A failure as plain notifiers see it.

use super::{raw, text};
use crate::plugin::failure::FailureRecord;
use std::time::UNIX_EPOCH;

/// Calls `body` with the failure, which lives as long as the call.
pub(super) fn with_failure<R>(record: FailureRecord, body: impl FnOnce(*const raw::Failure) -> R) -> R {
    let [task_name, command, reason, description, run_id, host_name] = [
        &record.task,
        &record.command,
        &record.reason,
        &record.description,
        &record.run_id,
        &record.host_name,
    ]
    .map(text::given);
    let outcome = text::given(record.outcome.as_bytes());
    let working_directory = text::given(&record.working_directory);
    let (stdout, stderr) = (with_nul(record.stdout), with_nul(record.stderr));
    // A clock before 1970 gives the start of 1970.
    let ended = record.timestamp.duration_since(UNIX_EPOCH).unwrap_or_default();
    let failure = raw::Failure {
        size: size_of::<raw::Failure>(),
        task_name: task_name.as_ptr(),
        command: command.as_ptr(),
        working_directory: working_directory.as_ptr(),
        outcome: outcome.as_ptr(),
        reason: reason.as_ptr(),
        description: description.as_ptr(),
        run_id: run_id.as_ptr(),
        host_name: host_name.as_ptr(),
        stdout_tail: stdout.as_ptr().cast(),
        stdout_length: stdout.len() - 1,
        stderr_tail: stderr.as_ptr().cast(),
        stderr_length: stderr.len() - 1,
        folded: record.folded,
        timestamp_seconds: i64::try_from(ended.as_secs()).unwrap_or(i64::MAX),
        timestamp_nanoseconds: ended.subsec_nanos(),
        return_code: record.return_code,
        attempt: record.attempt,
        max_attempts: record.max_attempts.unwrap_or(0),
    };
    body(&raw const failure)
}

/// Any bytes, and the NUL that ends them for whoever takes them for a text.
fn with_nul(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.push(0);
    bytes
}
