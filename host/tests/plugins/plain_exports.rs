//! What libraries in C say they export, right and wrong: each fault is told in one line.

use crate::support::{Bench, built_from_c, registry};
use bansuri::launch::{Action, Isolation, Launch, PluginAction};
use bansuri::plugin::{Export, ExportKind, Library, PluginError};
use bansuri_core::{Exit, TaskName};
use std::sync::Arc;

fn load(defines: &[&str]) -> Result<Arc<Library>, PluginError> {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("libexports.so");
    built_from_c("exports.c", defines, &path);
    registry().library(&path)
}

fn refusal(defines: &[&str]) -> String {
    let error = load(defines).expect_err("it was not refused");
    let PluginError::Load { problem, .. } = error else { panic!("another error: {error}") };
    let message = problem.to_string();
    assert!(!message.contains('\n'), "{message}");
    message
}

fn fault(defines: &[&str]) -> String {
    let message = refusal(defines);
    let start = "what its bansuri_plugin() returns is faulty: ";
    message.strip_prefix(start).unwrap_or_else(|| panic!("{message}")).to_owned()
}

#[test]
fn what_a_library_exports_is_listed() {
    let library = load(&["DESCRIPTION=\"tells\"", "SCHEMA=\"{}\""]).unwrap();
    assert_eq!(library.api_version(), "C 1.0");
    let export = |kind, description: &str, schema: Option<&str>| Export {
        kind,
        name: "Good".to_owned(),
        description: description.to_owned(),
        options_schema: schema.map(str::to_owned),
    };
    let expected = [export(ExportKind::Task, "tells", Some("{}")), export(ExportKind::Notifier, "", None)];
    assert_eq!(library.exports(), expected);
    assert_eq!(load(&["TASK_COUNT=0", "TASKS=NULL"]).unwrap().names(ExportKind::Task).count(), 0);
    assert_eq!(load(&["NOTIFIER_COUNT=0"]).unwrap().names(ExportKind::Notifier).count(), 0);
}

#[test]
fn a_library_of_another_version_is_refused() {
    let expected = "incompatible bansuri_plugin.h: built with version 2, this host has 1; build it anew";
    assert_eq!(refusal(&["VERSION=2"]), expected);
    let unset = "incompatible bansuri_plugin.h: built with version 0, this host has 1; build it anew";
    assert_eq!(refusal(&["VERSION=0"]), unset);
}

#[test]
fn nothing_is_exported() {
    assert_eq!(fault(&["RESULT=NULL"]), "exports: NULL");
    assert_eq!(fault(&["TASK_COUNT=0", "NOTIFIER_COUNT=0"]), "it exports no type");
    assert_eq!(fault(&["TASKS=NULL"]), "tasks is NULL, and task_count is 1");
    assert_eq!(fault(&["TASK_COUNT=100000"]), "task_count is 100000, expected at most 4096");
    assert_eq!(
        fault(&["TASKS=(const bansuri_task *const *)(const void *)(1+(const char *)tasks)"]),
        "tasks is no address of pointers"
    );
}

#[test]
fn sizes_that_cannot_be_are_refused() {
    assert_eq!(fault(&["EXPORTS_SIZE=0"]), "exports: its size is 0, expected at least 16");
    let size = size_of::<usize>() * 6;
    assert_eq!(fault(&["TASK_SIZE=8"]), format!("task 1: its size is 8, expected at least {size}"));
    assert_eq!(fault(&["TASK_SIZE=1000000"]), "task 1: its size is 1000000, expected at most 65536");
    let multiple =
        format!("task 1: its size is {}, expected a multiple of {}", size + 1, align_of::<usize>());
    assert_eq!(fault(&[&format!("TASK_SIZE={}", size + 1)]), multiple);
}

#[test]
fn names_and_texts_are_checked() {
    assert_eq!(fault(&["NAME=NULL"]), "task 1: its name is NULL");
    assert_eq!(fault(&["NAME=\"\\xff\""]), "task 1: its name is not UTF-8");
    for (name, found) in [("", "\"\""), ("2nd", "\"2nd\""), ("a-b", "\"a-b\"")] {
        let expected = format!("task 1: its name is {found}, expected letters, digits and _, no digit first");
        assert_eq!(fault(&[&format!("NAME=\"{name}\"")]), expected);
    }
    assert_eq!(fault(&["DESCRIPTION=\"\\xff\""]), "task \"Good\": its description is not UTF-8");
    assert_eq!(fault(&["SCHEMA=\"\\xff\""]), "task \"Good\": its options_schema is not UTF-8");
    assert_eq!(fault(&["TASK_COUNT=2", "SECOND_TASK=&task.known"]), "two tasks are named \"Good\"");
}

#[test]
fn functions_that_no_type_can_be_without_are_missed() {
    assert_eq!(fault(&["RUN=NULL"]), "task \"Good\": run is NULL");
    assert_eq!(fault(&["NOTIFY=NULL"]), "notifier \"Good\": notify is NULL");
    assert_eq!(fault(&["TASK_COUNT=2"]), "task 2: NULL");
}

/// A task of an older header ends before `close`, which is thus absent, whatever lies there; one of a newer header has
/// members that the host does not know.
#[test]
fn older_and_newer_structs_are_read_as_far_as_both_know_them() {
    let older = format!("TASK_SIZE={}", size_of::<usize>() * 6);
    for defines in [[older.as_str(), "CLOSE=never"], ["CLOSE=NULL", "NAME=\"Good\""]] {
        let library = load(&defines).unwrap();
        let action = Action::from(PluginAction {
            library: library.path().to_owned(),
            type_name: "Good".to_owned(),
            sha256: None,
            options: serde_json::json!({}),
            isolation: Isolation::Thread,
        });
        let task = Launch::new(TaskName::new("grown").unwrap(), action, "/".into());
        assert_eq!(Bench::new().run(&task).exit, Exit::Code(5));
    }
}
