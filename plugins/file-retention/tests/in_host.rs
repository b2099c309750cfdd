//! The library as a host loads and runs it.

use bansuri_plugin_test::{only_export, run_task};
use serde_json::json;

#[test]
fn what_it_exports() {
    let (kind, export) = only_export("file-retention");
    assert_eq!((kind, &export["name"]), ("tasks", &json!("FileRetention")));
    assert!(export["description"].as_str().unwrap().starts_with("removes old backups"));
    assert_eq!(export["options_schema"]["required"], json!(["rules"]));
}

#[test]
fn a_clearance() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap();
    for name in ["1.log", "2.log"] {
        std::fs::write(path.join(name), "x").unwrap();
    }
    let rules = json!({ "folder": path, "patterns": "*.log", "max-total-size": 1 });
    let dry = run_task("file-retention", &json!({ "rules": rules }));
    assert_eq!(dry.exit_code, 0);
    assert!(dry.stdout.ends_with("takes \"dry-run\": false\n"), "{dry:?}");
    assert_eq!(std::fs::read_dir(&path).unwrap().count(), 2);
    let real = run_task("file-retention", &json!({ "dry-run": false, "rules": rules }));
    assert_eq!(real.exit_code, 0);
    assert!(real.stdout.starts_with(&format!("removed {:?}", path.join("1.log"))), "{real:?}");
    assert_eq!(std::fs::read_dir(&path).unwrap().count(), 1);
}
