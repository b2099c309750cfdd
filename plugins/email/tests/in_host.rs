//! The library as a host loads and calls it.

use bansuri_plugin_test::{notify, only_export};
use bansuri_smtp_test_server::{Authority, Encryption, Server, Settings};
use serde_json::json;

#[test]
fn what_it_exports() {
    let (kind, export) = only_export("email");
    assert_eq!((kind, &export["name"]), ("notifiers", &json!("Email")));
    assert!(export["description"].as_str().unwrap().starts_with("mails each failure"));
    assert_eq!(export["options_schema"]["required"], json!(["host", "from", "to"]));
}

#[test]
fn a_failure_over_tls() {
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, authority.pem()).unwrap();
    let user = Some(("ops", "hunter2"));
    let (authority, mechanisms) = (Some(&authority), "PLAIN");
    let server = Server::new(Settings { encryption: Encryption::StartTls, authority, user, mechanisms });
    let options = json!({
        "host": "localhost", "port": server.port(), "ca-file": ca_file, "username": "ops", "password": "hunter2",
        "from": "bansuri@example.com", "to": "ops@example.com"
    });
    notify("email", &options);
    let mail = server.mail();
    assert_eq!((mail.encrypted, mail.user.as_deref()), (true, Some("ops")));
    assert!(mail.body().contains("\nout \\xff\n"), "{}", mail.body());
}
