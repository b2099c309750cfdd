//! The library as a host loads and runs it.

use bansuri_http_test_server::{Authority, Reply, Server};
use bansuri_plugin_test::{only_export, run_task};
use serde_json::json;

#[test]
fn what_it_exports() {
    let (kind, export) = only_export("http-check");
    assert_eq!((kind, &export["name"]), ("tasks", &json!("HttpCheck")));
    assert!(export["description"].as_str().unwrap().starts_with("asks an HTTP server"));
    assert_eq!(export["options_schema"]["required"], json!(["url"]));
}

#[test]
fn a_check_over_tls() {
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, authority.pem()).unwrap();
    let server = Server::https(&authority, |request| {
        Reply::status(if request.path == "/well" { 200 } else { 500 }, "")
    });
    let well = run_task("http-check", &json!({ "url": server.url("/well"), "ca-file": ca_file }));
    assert_eq!(well.exit_code, 0);
    assert!(well.stdout.starts_with("status 200, "), "{well:?}");
    let url = server.url("/unwell");
    let unwell = run_task("http-check", &json!({ "url": url, "ca-file": ca_file }));
    assert_eq!(unwell.exit_code, 1);
    assert_eq!(unwell.stderr, format!("{url}: status 500, expected 200-299\n"));
}
