//! The counts of instructions: what is said where they cannot be made. They themselves are for a release build, on demand.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::process::Command;

#[test]
fn without_valgrind_it_is_said_that_it_is_needed() {
    for arguments in [&[][..], &["--update"]] {
        let mut instructions = Command::new(env!("CARGO_BIN_EXE_instructions"));
        let output = instructions.args(arguments).env("PATH", "/nonexistent").output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        let expected =
            "instructions: valgrind, which counts instructions, cannot be run: No such file or directory";
        assert!(said.starts_with(expected) && said.lines().count() == 1, "{said}");
        assert!(output.stdout.is_empty());
    }
}
