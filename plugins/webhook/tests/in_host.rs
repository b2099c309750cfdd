//! The library as a host loads and calls it.

use bansuri_http_test_server::{Authority, Reply, Server};
use bansuri_plugin_test::{notify, only_export};
use serde_json::{Value, json};

#[test]
fn what_it_exports() {
    let (kind, export) = only_export("webhook");
    assert_eq!((kind, &export["name"]), ("notifiers", &json!("Webhook")));
    assert!(export["description"].as_str().unwrap().starts_with("posts each failure"));
    assert_eq!(export["options_schema"]["required"], json!(["url"]));
}

#[test]
fn a_failure_over_tls() {
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, authority.pem()).unwrap();
    let server = Server::https(&authority, |_| Reply::status(200, ""));
    notify("webhook", &json!({ "url": server.url("/"), "ca-file": ca_file }));
    let body: Value = serde_json::from_slice(&server.request().body).unwrap();
    assert_eq!((&body["task"], &body["stdout"]), (&json!("backup"), &json!("out \u{fffd}")));
}
