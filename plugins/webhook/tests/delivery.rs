//! Deliveries to a real server on loopback, with and without TLS.

use bansuri_http_test_server::{Authority, Reply, Request, Server};
use bansuri_plugin_api::FailureInfo;
use bansuri_plugin_api::testing::{Failure, NotifierTest};
use ring::hmac;
use serde_json::{Value, json};
use std::net::TcpListener;
use std::time::{Duration, Instant};
use webhook::Webhook;

fn notify(url: &str, more: Value) -> Result<(), String> {
    let mut options = json!({ "url": url, "backoff": "10ms" });
    let object = options.as_object_mut().expect("it is an object");
    object.extend(more.as_object().cloned().expect("more options are an object"));
    let notifier = NotifierTest::<Webhook>::new().options(options).start().map_err(|fault| fault.message)?;
    notifier.notify(&failure()).map_err(|fault| fault.message)
}

fn failure() -> FailureInfo {
    Failure::of("backup").stdout("some output\n").stderr("some \"error\"\n").attempt(2, Some(3)).build()
}

fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).expect("the body is JSON")
}

/// What the server is shown of itself in errors: no path, which may be a secret.
fn origin(server: &Server) -> String {
    server.url("")
}

#[test]
fn each_format_is_delivered() {
    let server = Server::answering(vec![Reply::status(200, "ok")]);
    for (format, part, expect) in [
        ("json", "/task", json!("backup")),
        ("slack", "/blocks/0/type", json!("header")),
        ("discord", "/allowed_mentions/parse", json!([])),
        ("teams", "/attachments/0/content/type", json!("AdaptiveCard")),
    ] {
        assert_eq!(notify(&server.url("/hook/secret"), json!({ "format": format })), Ok(()));
        let request = server.request();
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/hook/secret"));
        assert_eq!(request.header("content-type"), Some("application/json"));
        assert_eq!(request.header("x-bansuri-signature"), None);
        let body = body(&request);
        assert_eq!(body.pointer(part), Some(&expect), "{format}: {body}");
        assert!(body.to_string().contains("some \\\"error\\\""), "{format}: {body}");
    }
}

#[test]
fn headers_of_ones_own() {
    let server = Server::answering(vec![Reply::status(204, "")]);
    let headers = json!({ "Authorization": "Bearer t", "content-type": "application/vnd.ours+json" });
    assert_eq!(notify(&server.url("/"), json!({ "headers": headers })), Ok(()));
    let request = server.request();
    assert_eq!(request.header("authorization"), Some("Bearer t"));
    let types: Vec<_> = request.headers.iter().filter(|(name, _)| name == "content-type").collect();
    assert_eq!(types.len(), 1);
    assert_eq!(types[0].1, "application/vnd.ours+json");
}

#[test]
fn the_signature_is_that_of_the_body() {
    let server = Server::answering(vec![Reply::status(200, "")]);
    assert_eq!(notify(&server.url("/"), json!({ "secret": "hunter2" })), Ok(()));
    let request = server.request();
    let digits = request.header("x-bansuri-signature").unwrap().strip_prefix("sha256=").unwrap();
    let tag: Vec<_> =
        (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect();
    let key = |secret: &str| hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hmac::verify(&key("hunter2"), &request.body, &tag).unwrap();
    assert!(hmac::verify(&key("hunter3"), &request.body, &tag).is_err());
}

#[test]
fn what_may_pass_is_tried_again() {
    for status in [408, 429, 500, 503] {
        let server =
            Server::answering(vec![Reply::status(status, ""), Reply::Hangup, Reply::status(200, "")]);
        assert_eq!(notify(&server.url("/"), json!({})), Ok(()), "{status}");
        let requests: Vec<_> = (0..3).map(|_| server.request()).collect();
        assert!(requests.iter().all(|request| request.body == requests[0].body));
        assert_eq!(server.try_request(), None);
    }
}

#[test]
fn attempts_have_an_end() {
    let server = Server::answering(vec![Reply::status(503, "come\nback later")]);
    let error = notify(&server.url("/secret"), json!({ "retries": 2 })).unwrap_err();
    assert_eq!(error, format!("{}: status 503: come (3 attempts)", origin(&server)));
    for _ in 0..3 {
        server.request();
    }
    assert_eq!(server.try_request(), None);
    let error = notify(&server.url("/secret"), json!({ "retries": 0 })).unwrap_err();
    assert_eq!(error, format!("{}: status 503: come (1 attempt)", origin(&server)));
}

#[test]
fn what_is_refused_is_not_tried_again() {
    for status in [302, 400, 403, 404, 410] {
        let reply = Reply::status(status, "no_service").header("Location", "/elsewhere");
        let server = Server::answering(vec![reply]);
        let error = notify(&server.url("/secret"), json!({})).unwrap_err();
        assert_eq!(error, format!("{}: status {status}: no_service", origin(&server)));
        server.request();
        assert_eq!(server.try_request(), None, "{status}");
    }
}

#[test]
fn retry_after_is_honoured() {
    let wait = Reply::status(429, "").header("Retry-After", "0.3");
    let server = Server::answering(vec![wait, Reply::status(200, "")]);
    let begun = Instant::now();
    assert_eq!(notify(&server.url("/"), json!({})), Ok(()));
    assert!(begun.elapsed() >= Duration::from_millis(300));

    // What does not fit into the time that is left is not waited for.
    let server = Server::answering(vec![Reply::status(503, "").header("Retry-After", "3600")]);
    let begun = Instant::now();
    let error = notify(&server.url("/"), json!({ "total-timeout": "5s" })).unwrap_err();
    assert_eq!(error, format!("{}: status 503 (1 attempt)", origin(&server)));
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn silence_is_given_up_within_the_total() {
    let server = Server::answering(vec![Reply::Silence]);
    let begun = Instant::now();
    let more = json!({ "timeout": "200ms", "total-timeout": "500ms", "retries": 1000 });
    let error = notify(&server.url("/"), more).unwrap_err();
    assert!(error.contains(": no answer within ") && error.ends_with(" attempts)"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_server_that_is_not_there() {
    let reserved = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = reserved.local_addr().unwrap();
    drop(reserved);
    let error = notify(&format!("http://{address}/secret"), json!({ "retries": 1 })).unwrap_err();
    assert_eq!(error, format!("http://{address}: connection refused (2 attempts)"));
}

#[test]
fn tls_with_an_authority_of_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, other) = (Authority::new(), Authority::new());
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("ours.pem"), ours.pem()).unwrap();
    std::fs::write(path("other.pem"), other.pem()).unwrap();
    let server = Server::https(&ours, |_| Reply::status(200, ""));
    let url = server.url("/secret");
    assert_eq!(notify(&url, json!({ "ca-file": path("ours.pem") })), Ok(()));
    assert_eq!(notify(&url, json!({ "insecure": true })), Ok(()));
    // Not tried again: no attempt would find another certificate.
    for more in [json!({}), json!({ "ca-file": path("other.pem") })] {
        let error = notify(&url, more).unwrap_err();
        assert_eq!(error, format!("{}: invalid peer certificate: UnknownIssuer", origin(&server)));
    }
    let error = notify(&url, json!({ "ca-file": path("missing.pem") })).unwrap_err();
    assert!(error.starts_with("options: ca-file ") && error.contains("No such file"), "{error}");
}

#[test]
fn one_notifier_serves_many_tasks_at_once() {
    let server = Server::answering(vec![Reply::status(200, "")]);
    let options = json!({ "url": server.url("/") });
    let notifier = NotifierTest::<Webhook>::new().options(options).start().unwrap();
    for _ in 0..5 {
        assert_eq!(notifier.notify(&failure()), Ok(()));
    }
    let tasks: Vec<_> = (0..5).map(|_| body(&server.request())["task"].clone()).collect();
    assert_eq!(tasks, vec![json!("backup"); 5]);
    notifier.close().unwrap();
}
