//! What plugins log comes out in the host's log.

use crate::support::{Bench, launch};
use bansuri_core::Exit;
use log::{Level, LevelFilter, Log, Metadata, Record};
use serde_json::json;
use std::sync::{Mutex, Once};

static LINES: Mutex<Vec<(String, Level, String)>> = Mutex::new(Vec::new());

struct Keeps;

impl Log for Keeps {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let line = (record.target().to_owned(), record.level(), record.args().to_string());
        LINES.lock().unwrap().push(line);
    }

    fn flush(&self) {}
}

/// Keeps the log from now on, up to `debug`.
pub(crate) fn keep() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&Keeps).unwrap();
        log::set_max_level(LevelFilter::Debug);
    });
}

/// What was logged under this name.
pub(crate) fn logged(target: &str) -> Vec<(Level, String)> {
    let lines = LINES.lock().unwrap();
    let of_target = lines.iter().filter(|(name, ..)| name == target);
    of_target.map(|(_, level, text)| (*level, text.clone())).collect()
}

#[test]
fn records_come_out_under_the_name_of_their_task() {
    let mut bench = Bench::new();
    let first = bench.start(&launch("logs first", "Logs", json!({}))).unwrap();
    let second = bench.start(&launch("logs second", "Logs", json!({}))).unwrap();
    assert_eq!((bench.finished().exit, bench.finished().exit), (Exit::Code(0), Exit::Code(0)));
    drop((first, second));
    for task in ["logs first", "logs second"] {
        let expected = [
            (Level::Info, "from new"),
            (Level::Error, "from run"),
            (Level::Error, "in two lines"),
            (Level::Info, "from drop"),
        ];
        let expected = expected.map(|(level, text)| (level, text.to_owned()));
        assert_eq!(logged(task), expected);
    }
    let of_library = logged("misbehaving");
    let from_thread = (Level::Warn, "from a thread".to_owned());
    assert_eq!(of_library.iter().filter(|line| **line == from_thread).count(), 2);
}

#[test]
fn a_panic_in_a_thread_of_the_plugin_is_logged_under_the_librarys_name() {
    assert_eq!(Bench::new().run(&launch("thread panics", "PanicInThread", json!({}))).exit, Exit::Code(3));
    let of_library = logged("misbehaving");
    let told = of_library.iter().find(|(_, text)| text.starts_with("thread \"helper\" panicked at "));
    let (level, text) = told.unwrap();
    assert_eq!(*level, Level::Error);
    assert!(text.contains("src/panics.rs:") && text.ends_with(": in a thread"), "{text}");
}

#[test]
fn progress_is_logged_in_percent() {
    assert_eq!(Bench::new().run(&launch("tells progress", "Progress", json!({}))).exit, Exit::Code(0));
    let texts: Vec<_> = logged("tells progress").into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["0% lost", "50% half", "100% more than all"]);
}
