//! The failure by its own names, for programs.

use bansuri_plugin_api::FailureInfo;
use bansuri_plugin_kit::{heading, timestamp};
use serde_json::{Value, json};

pub(super) fn body(failure: &FailureInfo) -> Value {
    json!({
        "event": "task-failed",
        "text": heading(failure),
        "task": failure.task_name(),
        "command": failure.command(),
        "working_directory": failure.working_directory().to_string_lossy(),
        "return_code": failure.return_code(),
        "outcome": failure.outcome(),
        "reason": failure.reason(),
        "attempt": failure.attempt(),
        "max_attempts": failure.max_attempts(),
        "timestamp": timestamp(failure),
        "description": failure.description(),
        "stdout": failure.stdout(),
        "stderr": failure.stderr(),
        "run_id": failure.run_id(),
        "host": failure.host_name(),
        "folded": failure.folded(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bansuri_plugin_api::testing::Failure;

    #[test]
    fn every_field() {
        let failure = Failure::of("backup")
            .command("pg_dump")
            .working_directory("/srv")
            .return_code(2)
            .attempt(2, Some(3))
            .description("nightly")
            .stdout("out\n\u{1}\"")
            .stderr("err")
            .run_id("backup#7")
            .host_name("db1")
            .folded(4)
            .build();
        let expect = json!({
            "event": "task-failed",
            "text": "task \"backup\" failed on db1: exit code 2, and 4 more failures",
            "task": "backup",
            "command": "pg_dump",
            "working_directory": "/srv",
            "return_code": 2,
            "outcome": "FAILED",
            "reason": "exit code 2",
            "attempt": 2,
            "max_attempts": 3,
            "timestamp": "2026-11-22T10:00:00Z",
            "description": "nightly",
            "stdout": "out\n\u{1}\"",
            "stderr": "err",
            "run_id": "backup#7",
            "host": "db1",
            "folded": 4,
        });
        assert_eq!(body(&failure), expect);
        assert_eq!(body(&Failure::of("a").build())["max_attempts"], Value::Null);
    }
}
