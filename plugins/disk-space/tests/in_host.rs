//! The library as a host loads and runs it.

use bansuri_plugin_test::{only_export, run_task};
use serde_json::json;

#[test]
fn what_it_exports() {
    let (kind, export) = only_export("disk-space");
    assert_eq!((kind, &export["name"]), ("tasks", &json!("DiskSpace")));
    assert!(export["description"].as_str().unwrap().starts_with("fails when a file system"));
    assert_eq!(export["options_schema"]["required"], json!(["paths"]));
}

#[test]
fn a_check_of_the_root() {
    let enough = run_task("disk-space", &json!({ "paths": "/", "min-free": 1 }));
    assert_eq!(enough.exit_code, 0);
    assert!(enough.stdout.starts_with("\"/\": "), "{enough:?}");
    let short = run_task("disk-space", &json!({ "paths": "/", "min-free": "15000000T" }));
    assert_eq!(short.exit_code, 1);
    assert!(short.stderr.ends_with(" free, expected at least 15000000.0 TiB\n"), "{short:?}");
}
