//! Checks of a real server on loopback, with and without TLS.

use bansuri_http_test_server::{Authority, Reply, Server};
use bansuri_plugin_api::testing::{TaskTest, TestRun};
use http_check::HttpCheck;
use serde_json::{Value, json};
use std::io::Write;
use std::net::TcpListener;
use std::time::{Duration, Instant};

fn run(url: &str, more: Value) -> TestRun {
    TaskTest::<HttpCheck>::new().options(options(url, more)).run()
}

fn options(url: &str, more: Value) -> Value {
    let mut options = json!({ "url": url });
    let object = options.as_object_mut().expect("it is an object");
    object.extend(more.as_object().cloned().expect("more options are an object"));
    options
}

/// Unhealthy, with this reason and nothing else on standard error.
fn assert_unwell(run: &TestRun, url: &str, reason: &str) {
    assert_eq!(run.result, Ok(1));
    assert_eq!(run.stderr_text(), format!("{url}: {reason}\n"));
}

fn assert_well(run: &TestRun) {
    assert_eq!((&run.result, run.stderr_text().as_ref()), (&Ok(0), ""));
}

#[test]
fn a_server_that_is_well() {
    let server = Server::http(|_| Reply::status(200, "all is well"));
    let more = json!({ "headers": { "X-Token": "t" }, "expect-body": "is w" });
    let run = run(&server.url("/health?deep=1"), more);
    assert_well(&run);
    let line = run.stdout_text().into_owned();
    assert!(line.starts_with("status 200, ") && line.ends_with(" ms, 11 bytes\n"), "{line}");
    assert_eq!(line.lines().count(), 1);
    let request = server.request();
    assert_eq!((request.method.as_str(), request.path.as_str()), ("GET", "/health?deep=1"));
    assert_eq!(request.header("x-token"), Some("t"));
    assert!(request.header("user-agent").unwrap().starts_with("bansuri-http-check/"));
}

#[test]
fn methods_and_bodies() {
    let server =
        Server::http(|request| Reply::status(200, if request.method == "HEAD" { "" } else { "answer" }));
    let url = server.url("/");
    assert_well(&run(&url, json!({ "method": "post", "body": "{\"a\":1}" })));
    let request = server.request();
    assert_eq!((request.method.as_str(), request.body.as_slice()), ("POST", &b"{\"a\":1}"[..]));
    for method in ["HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        assert_well(&run(&url, json!({ "method": method })));
        let request = server.request();
        assert_eq!((request.method.as_str(), request.body.len()), (method, 0));
    }
}

#[test]
fn statuses() {
    let server = Server::http(|request| Reply::status(request.path[1..].parse().expect("a status"), ""));
    for (status, more, code) in [
        (200, json!({}), 0),
        (204, json!({}), 0),
        (404, json!({}), 1),
        (503, json!({ "expect-status": "5xx" }), 0),
        (503, json!({ "expect-status": [200, "500-504"] }), 0),
        (201, json!({ "expect-status": 200 }), 1),
    ] {
        assert_eq!(run(&server.url(&format!("/{status}")), more.clone()).result, Ok(code), "{status} {more}");
    }
    let url = server.url("/503");
    let unwell = run(&url, json!({ "expect-status": [200, "3xx"] }));
    assert_unwell(&unwell, &url, "status 503, expected 200, 300-399");
}

#[test]
fn bodies() {
    let server = Server::http(|_| Reply::status(200, "0123456789tail"));
    let url = server.url("/");
    assert_unwell(&run(&url, json!({ "expect-body": "^well$" })), &url, "body does not match \"^well$\"");
    let cut = run(&url, json!({ "expect-body": "tail", "body-limit": 10 }));
    assert_unwell(&cut, &url, "the first 10 bytes of the body do not match \"tail\"");
    assert!(cut.stdout_text().ends_with(" 10 bytes and more\n"));
    let whole = run(&url, json!({ "expect-body": "tail", "body-limit": 14 }));
    assert_well(&whole);
    assert!(whole.stdout_text().ends_with(" 14 bytes\n"));
}

#[test]
fn redirects() {
    let server = Server::http(|request| match request.path.as_str() {
        "/2" => Reply::status(302, "").header("Location", "/1"),
        "/1" => Reply::status(301, "").header("Location", "/0"),
        "/0" => Reply::status(200, "here"),
        _ => Reply::status(302, "").header("Location", "/loop"),
    });
    let url = server.url("/2");
    assert_well(&run(&url, json!({ "expect-body": "here" })));
    assert_well(&run(&url, json!({ "follow-redirects": 2 })));
    assert_unwell(&run(&url, json!({ "follow-redirects": 1 })), &url, "too many redirects");
    assert_unwell(&run(&url, json!({ "follow-redirects": false })), &url, "status 302, expected 200-299");
    assert_well(&run(&url, json!({ "follow-redirects": false, "expect-status": 302 })));
    let url = server.url("/loop");
    assert_unwell(&run(&url, json!({})), &url, "too many redirects");
}

#[test]
fn slow_answers() {
    let server = Server::http(|_| {
        // The server's own slowness is what is tested.
        std::thread::sleep(Duration::from_millis(50));
        Reply::status(200, "at last")
    });
    let url = server.url("/");
    let slow = run(&url, json!({ "max-latency": "20ms" }));
    assert_eq!(slow.result, Ok(1));
    let line = slow.stderr_text().into_owned();
    assert!(
        line.starts_with(&format!("{url}: took ")) && line.ends_with(" ms, allowed are 20.0 ms\n"),
        "{line}"
    );
    assert_well(&run(&url, json!({ "max-latency": "1m" })));
}

#[test]
fn no_answer() {
    let reserved = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", reserved.local_addr().unwrap());
    drop(reserved);
    let refused = run(&url, json!({}));
    assert_unwell(&refused, &url, "connection refused");
    assert!(refused.stdout_text().starts_with("no answer, "));

    let server = Server::http(|request| match request.path.as_str() {
        "/silent" => Reply::Silence,
        "/stalled" => Reply::Stalled,
        _ => Reply::Hangup,
    });
    for path in ["/silent", "/stalled"] {
        let url = server.url(path);
        assert_unwell(&run(&url, json!({ "timeout": "100ms" })), &url, "no answer within 100ms");
    }
    let url = server.url("/hangup");
    assert_unwell(&run(&url, json!({})), &url, "connection closed before the end of the answer");
}

#[test]
fn what_is_not_http() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"SSH-2.0-OpenSSH_9.6\r\n").unwrap();
        stream
    });
    let run = run(&url, json!({ "timeout": "5s" }));
    drop(server.join().unwrap());
    assert_eq!(run.result, Ok(1));
    assert!(
        run.stderr_text().starts_with(&format!("{url}: no valid HTTP answer: ")),
        "{}",
        run.stderr_text()
    );
}

#[test]
fn tls_with_an_authority_of_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, other) = (Authority::new(), Authority::new());
    std::fs::write(folder.path().join("ours.pem"), ours.pem()).unwrap();
    std::fs::write(folder.path().join("other.pem"), other.pem()).unwrap();
    let server = Server::https(&ours, |_| Reply::status(200, "secret"));
    let url = server.url("/");
    let check = |more: Value| {
        TaskTest::<HttpCheck>::new().options(options(&url, more)).working_directory(folder.path()).run()
    };
    assert_well(&check(json!({ "ca-file": "ours.pem", "expect-body": "secret" })));
    assert_well(&check(json!({ "ca-file": folder.path().join("ours.pem") })));
    assert_well(&check(json!({ "insecure": true })));
    for more in [json!({}), json!({ "ca-file": "other.pem" })] {
        assert_unwell(&check(more), &url, "invalid peer certificate: UnknownIssuer");
    }
    let fault = check(json!({ "ca-file": "missing.pem" })).result.unwrap_err().message;
    assert!(fault.contains("missing.pem") && fault.contains("No such file"), "{fault}");
}

#[test]
fn plain_http_where_tls_is_expected() {
    let server = Server::http(|_| Reply::Hangup);
    let url = server.url("/").replace("http://", "https://");
    let run = run(&url, json!({ "timeout": "5s" }));
    assert_eq!(run.result, Ok(1));
    assert_eq!(run.stderr_text().lines().count(), 1, "{}", run.stderr_text());
}

#[test]
fn a_hanging_request_is_broken_off_by_stop() {
    let server =
        Server::http(|request| if request.path == "/stalled" { Reply::Stalled } else { Reply::Silence });
    for path in ["/silent", "/stalled"] {
        let url = server.url(path);
        let task = TaskTest::<HttpCheck>::new().options(options(&url, json!({ "timeout": "10m" }))).start();
        server.request();
        let stopped = Instant::now();
        task.stop().unwrap();
        let run = task.wait();
        assert!(stopped.elapsed() < Duration::from_secs(30));
        assert_unwell(&run, &url, "stopped before there was an answer");
    }
}

#[test]
fn options_that_cannot_be() {
    let fault =
        |options: Value| TaskTest::<HttpCheck>::new().options(options).run().result.unwrap_err().message;
    assert_eq!(fault(json!({})), "options: missing field `url`");
    assert!(
        fault(json!({ "url": "http://a/", "expect_status": 200 })).contains("unknown field `expect_status`")
    );
    assert!(fault(json!({ "url": "a" })).starts_with("options.url: \"a\": expected an address"));
    let error = fault(json!({ "url": "http://a/", "timeout": "soon" }));
    assert_eq!(error, "options.timeout: \"soon\": expected a duration such as 500ms, 10s or 1m30s");
}
