//! Mails to a real server on loopback, with and without TLS.

use bansuri_plugin_api::FailureInfo;
use bansuri_plugin_api::testing::{Failure, NotifierTest};
use bansuri_smtp_test_server::{Answer, Authority, Encryption, Server, Settings};
use email::Email;
use serde_json::{Value, json};
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Who may send, where somebody has to log in.
const USER: (&str, &str) = ("ops", "hunter2");

fn failure() -> Failure {
    Failure::of("backup").stdout("some output\n").stderr("some error\n").attempt(2, Some(3)).host_name("db1")
}

fn notify(port: u16, more: Value) -> Result<(), String> {
    notify_of(&failure().build(), port, more)
}

fn notify_of(failure: &FailureInfo, port: u16, more: Value) -> Result<(), String> {
    let mut options = json!({
        "host": "127.0.0.1", "port": port, "security": "none", "backoff": "10ms",
        "from": "Bansuri <bansuri@example.com>", "to": "ops@example.com"
    });
    let object = options.as_object_mut().expect("it is an object");
    object.extend(more.as_object().cloned().expect("more options are an object"));
    let notifier = NotifierTest::<Email>::new().options(options).start().map_err(|fault| fault.message)?;
    notifier.notify(failure).map_err(|fault| fault.message)
}

/// The answer to lines that begin so; the usual for others.
fn instead(of: &'static str, answer: Answer) -> impl Fn(usize, &str) -> Answer {
    move |_, line| {
        if line.starts_with(of) && line.is_empty() == of.is_empty() { answer.clone() } else { Answer::Usual }
    }
}

fn say(text: &str) -> Answer {
    Answer::Say(text.to_owned())
}

struct Authorities {
    folder: TempDir,
    ours: Authority,
}

impl Authorities {
    fn new() -> Self {
        let (folder, ours) = (tempfile::tempdir().expect("there is room for a folder"), Authority::new());
        std::fs::write(folder.path().join("ours.pem"), ours.pem()).expect("files can be written");
        std::fs::write(folder.path().join("other.pem"), Authority::new().pem())
            .expect("files can be written");
        Self { folder, ours }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A server that takes mail from who has logged in through TLS.
    fn server(&self, encryption: Encryption) -> Server {
        let mechanisms = "PLAIN LOGIN";
        Server::new(Settings { encryption, authority: Some(&self.ours), user: Some(USER), mechanisms })
    }
}

#[test]
fn what_a_mail_looks_like() {
    let server = Server::new(Settings::default());
    let more = json!({
        "to": ["ops@example.com", "On Call <oncall@example.com>"],
        "cc": ["Jörg <joerg@example.com>", "ops@example.com"],
        "subject": "{task} {outcome} {code} {attempt} {host} – ü"
    });
    assert_eq!(notify(server.port(), more), Ok(()));
    let mail = server.mail();
    assert_eq!((mail.from.as_str(), mail.hello.as_str()), ("bansuri@example.com", "db1"));
    assert_eq!(mail.to, ["ops@example.com", "oncall@example.com", "joerg@example.com"]);
    assert_eq!((mail.encrypted, mail.user.as_deref()), (false, None));
    let header = |name| mail.header(name).unwrap_or_else(|| panic!("{name} in {}", mail.data));
    assert_eq!(header("From"), "Bansuri <bansuri@example.com>");
    assert_eq!(header("To"), "ops@example.com, \"On Call\" <oncall@example.com>");
    // Jörg and – ü, as encoded words.
    assert_eq!(header("Cc"), "=?utf-8?b?SsO2cmc=?= <joerg@example.com>, ops@example.com");
    assert_eq!(header("Subject"), "backup FAILED 1 2 db1 =?utf-8?b?4oCTIMO8?=");
    assert_eq!(header("Auto-Submitted"), "auto-generated");
    assert_eq!(header("Content-Type"), "text/plain; charset=utf-8");
    assert!(header("Message-ID").starts_with('<') && header("Message-ID").ends_with("@db1>"));
    assert!(header("Date").ends_with(" +0000"), "{}", header("Date"));
    let body = mail.body();
    assert!(
        body.starts_with("task \"backup\" failed on db1: exit code 1\n\nTask:        backup\n"),
        "{body}"
    );
    assert!(body.trim_end().ends_with("Output:\n\nsome output\n\nError:\n\nsome error"), "{body}");
}

#[test]
fn bodies_come_as_they_were() {
    let server = Server::new(Settings::default());
    let long = "long ".repeat(1000);
    let texts = [
        ".\n..\n.dots at the beginning\nFrom here\n".to_owned(),
        format!("{long}\nschön €😀\n"),
        "日本語\n".repeat(500),
        format!("trailing blanks  \t\n=3D is no sign\n{long}"),
    ];
    for text in texts {
        let failure = failure().stdout(text.clone()).stderr("").build();
        assert_eq!(notify_of(&failure, server.port(), json!({})), Ok(()));
        let mail = server.mail();
        assert!(mail.data.is_ascii() && mail.data.lines().all(|line| line.len() <= 998));
        let body = mail.body();
        let (_, output) = body.split_once("Output:\n\n").unwrap();
        assert_eq!(output.trim_end(), text.trim_end());
    }
    let failure = failure().stdout(b"a\xffb \x1b[1m\0\n".to_vec()).build();
    assert_eq!(notify_of(&failure, server.port(), json!({})), Ok(()));
    assert!(server.mail().body().contains("\na\\xffb \\x1b[1m\\x00\n"));
}

#[test]
fn no_task_writes_headers() {
    let server = Server::new(Settings::default());
    let failure =
        Failure::of("a\r\nBcc: evil@example.com\r\n\r\nb").host_name("no name\r\nof a machine").build();
    assert_eq!(notify_of(&failure, server.port(), json!({})), Ok(()));
    let mail = server.mail();
    assert_eq!((mail.header("Bcc"), mail.to.len()), (None, 1));
    assert_eq!(mail.hello, "[127.0.0.1]");
    assert!(mail.header("Message-ID").unwrap().ends_with("@example.com>"));
}

#[test]
fn starttls_and_tls_with_a_login() {
    let authorities = Authorities::new();
    std::fs::write(authorities.path("password"), "hunter2\n").unwrap();
    for (encryption, security) in [(Encryption::StartTls, "starttls"), (Encryption::Tls, "tls")] {
        let server = authorities.server(encryption);
        for (auth, mechanism) in
            [(Value::Null, "PLAIN"), ("plain".into(), "PLAIN"), ("login".into(), "LOGIN")]
        {
            let more = json!({
                "security": security, "ca-file": authorities.path("ours.pem"), "auth": auth,
                "username": "ops", "password-file": authorities.path("password")
            });
            assert_eq!(notify(server.port(), more), Ok(()), "{security} {auth}");
            let mail = server.mail();
            assert_eq!((mail.encrypted, mail.user.as_deref()), (true, Some("ops")));
            assert_eq!(mail.mechanism.as_deref(), Some(mechanism));
        }
        let insecure =
            json!({ "security": security, "insecure": true, "username": "ops", "password": "hunter2" });
        assert_eq!(notify(server.port(), insecure), Ok(()));
    }
}

#[test]
fn a_certificate_that_is_not_good() {
    let authorities = Authorities::new();
    for (encryption, security) in [(Encryption::StartTls, "starttls"), (Encryption::Tls, "tls")] {
        let server = authorities.server(encryption);
        for more in [json!({}), json!({ "ca-file": authorities.path("other.pem") })] {
            let mut more = more;
            more["security"] = security.into();
            let error = notify(server.port(), more).unwrap_err();
            assert!(error.starts_with(&format!("127.0.0.1:{}: ", server.port())), "{error}");
            assert!(error.ends_with("invalid peer certificate: UnknownIssuer"), "{error}");
        }
        assert_eq!(
            (server.connections(), server.try_mail()),
            (2, None),
            "it would be no other the next time"
        );
    }
    let missing = notify(1, json!({ "security": "tls", "ca-file": "/gone.pem" })).unwrap_err();
    assert_eq!(missing, "options: ca-file \"/gone.pem\": No such file or directory (os error 2)");
    std::fs::write(authorities.path("empty.pem"), "no certificate").unwrap();
    let empty =
        notify(1, json!({ "security": "tls", "ca-file": authorities.path("empty.pem") })).unwrap_err();
    assert!(empty.ends_with("empty.pem\": holds no certificate in PEM form"), "{empty}");
}

#[test]
fn nothing_travels_in_the_clear_unasked() {
    let server = Server::new(Settings { user: Some(USER), mechanisms: "PLAIN", ..Settings::default() });
    let login = json!({ "security": "starttls", "username": "ops", "password": "hunter2" });
    let error = notify(server.port(), login).unwrap_err();
    let expect = "the server offers no STARTTLS, and security none was not asked for";
    assert_eq!(error, format!("127.0.0.1:{}: {expect}", server.port()));
    assert_eq!(notify(server.port(), json!({ "username": "ops", "password": "hunter2" })), Ok(()));
    assert_eq!(server.mail().user.as_deref(), Some("ops"));
}

#[test]
fn a_refused_login_is_final_and_does_not_show_the_password() {
    let login = json!({ "username": "ops", "password": "wrong password" });
    let settings = Settings { user: Some(USER), mechanisms: "PLAIN LOGIN", ..Settings::default() };
    let server = Server::new(settings);
    let error = notify(server.port(), login.clone()).unwrap_err();
    assert_eq!(error, format!("127.0.0.1:{}: AUTH: 535 5.7.8 bad credentials", server.port()));
    assert_eq!(server.connections(), 1);

    // Some repeat what they did not like.
    let server = Server::scripted(settings, |_, line| {
        if line.starts_with("AUTH") {
            say(&format!("500 what is {line} (wrong password)?"))
        } else {
            Answer::Usual
        }
    });
    let error = notify(server.port(), login.clone()).unwrap_err();
    assert_eq!(error, format!("127.0.0.1:{}: AUTH: 500 what is AUTH PLAIN … (…)?", server.port()));

    let server = Server::new(Settings { mechanisms: "CRAM-MD5", ..settings });
    let error = notify(server.port(), login).unwrap_err();
    assert_eq!(error, format!("127.0.0.1:{}: the server offers no AUTH PLAIN or LOGIN", server.port()));
}

#[test]
fn a_refused_recipient_does_not_keep_the_mail_from_the_others() {
    let server = Server::scripted(
        Settings::default(),
        instead("RCPT TO:<b@", say("550-5.1.1 no such user\r\n550 here")),
    );
    let to = json!({ "to": ["a@example.com", "b@example.com", "c@example.com"] });
    let error = notify(server.port(), to).unwrap_err();
    let why = "RCPT TO <b@example.com>: 550 5.1.1 no such user here; 2 of 3 recipients got the mail";
    assert_eq!(error, format!("127.0.0.1:{}: {why}", server.port()));
    assert_eq!(server.mail().to, ["a@example.com", "c@example.com"]);
    assert_eq!(server.connections(), 1);

    let error = notify(server.port(), json!({ "to": "b@example.com" })).unwrap_err();
    let why = "RCPT TO <b@example.com>: 550 5.1.1 no such user here";
    assert_eq!(error, format!("127.0.0.1:{}: {why}", server.port()));
    assert_eq!(server.try_mail(), None);
}

#[test]
fn greylisting_is_waited_out_by_those_whom_it_concerns() {
    let server = Server::scripted(Settings::default(), |connection, line| {
        let early = connection < 3 && line.starts_with("RCPT TO:<b@");
        if early { say("451 4.7.1 greylisted, come again") } else { Answer::Usual }
    });
    let to = json!({ "to": ["a@example.com", "b@example.com"] });
    assert_eq!(notify(server.port(), to), Ok(()));
    let (first, second) = (server.mail(), server.mail());
    assert_eq!((first.to, second.to), (vec!["a@example.com".to_owned()], vec!["b@example.com".to_owned()]));
    assert_eq!(first.data, second.data, "with one Message-ID");
    assert_eq!((server.connections(), server.try_mail()), (3, None));
}

#[test]
fn what_may_pass_is_tried_again() {
    for (line, answer) in [
        ("", say("421 too busy")),
        ("", Answer::Hangup),
        ("EHLO", say("421 going down")),
        ("MAIL", say("451 try later")),
        ("DATA", say("452 disk full")),
        (".", say("451 try later")),
        (".", Answer::Hangup),
        ("RCPT", Answer::Hangup),
    ] {
        let script = instead(line, answer.clone());
        let server = Server::scripted(Settings::default(), move |connection, line| {
            if connection < 3 { script(connection, line) } else { Answer::Usual }
        });
        assert_eq!(notify(server.port(), json!({})), Ok(()), "{line:?} {answer:?}");
        assert_eq!(server.mail().to, ["ops@example.com"]);
        assert_eq!((server.connections(), server.try_mail()), (3, None), "{line:?} {answer:?}");
    }
}

#[test]
fn attempts_have_an_end() {
    let server = Server::scripted(Settings::default(), instead("MAIL", say("451 4.3.0 try\tlater")));
    let error = notify(server.port(), json!({ "retries": 2 })).unwrap_err();
    assert_eq!(error, format!("127.0.0.1:{}: MAIL FROM: 451 4.3.0 try later (3 attempts)", server.port()));
    assert_eq!(server.connections(), 3);

    let server = Server::scripted(Settings::default(), instead("DATA", Answer::Hangup));
    let error = notify(server.port(), json!({ "retries": 0 })).unwrap_err();
    assert_eq!(error, format!("127.0.0.1:{}: DATA: connection closed (1 attempt)", server.port()));
}

#[test]
fn what_is_refused_is_not_tried_again() {
    for (line, step) in [("", ""), ("MAIL", "MAIL FROM: "), ("DATA", "DATA: "), (".", "end of DATA: ")] {
        let server = Server::scripted(Settings::default(), instead(line, say("554 5.7.1 not from you")));
        let error = notify(server.port(), json!({})).unwrap_err();
        assert_eq!(error, format!("127.0.0.1:{}: {step}554 5.7.1 not from you", server.port()));
        assert_eq!((server.connections(), server.try_mail()), (1, None));
    }
}

#[test]
fn silence_is_given_up_within_the_total() {
    for line in ["", "EHLO", "MAIL", "."] {
        let server = Server::scripted(Settings::default(), instead(line, Answer::Silence));
        let begun = Instant::now();
        let more = json!({ "timeout": "100ms", "total-timeout": "400ms", "retries": 1000 });
        let error = notify(server.port(), more).unwrap_err();
        assert!(error.contains("no answer within "), "{line:?}: {error}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{line:?}");
    }
    // A goodbye that is not answered is no fault.
    let server = Server::scripted(Settings::default(), instead("QUIT", Answer::Silence));
    assert_eq!(notify(server.port(), json!({ "timeout": "1s" })), Ok(()));
}

#[test]
fn a_server_that_sends_without_end() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    // Never a line, and never silent for long.
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                while std::io::Write::write_all(&mut stream, b"2").is_ok() {
                    std::thread::sleep(Duration::from_millis(20));
                }
            });
        }
    });
    let begun = Instant::now();
    let more = json!({ "timeout": "200ms", "total-timeout": "300ms" });
    let error = notify(port, more).unwrap_err();
    assert!(error.starts_with(&format!("127.0.0.1:{port}: no answer within ")), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_server_that_is_not_there() {
    let reserved = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = reserved.local_addr().unwrap().port();
    drop(reserved);
    let error = notify(port, json!({ "retries": 1 })).unwrap_err();
    assert_eq!(error, format!("127.0.0.1:{port}: connection refused (2 attempts)"));
}

#[test]
fn a_password_that_is_not_there() {
    let more = json!({ "username": "ops", "password-env": "BANSURI_TEST_IS_UNSET" });
    let error = notify(1, more).unwrap_err();
    assert_eq!(error, "password-env \"BANSURI_TEST_IS_UNSET\": environment variable not found");
}

#[test]
fn one_notifier_serves_many_tasks_at_once() {
    let server = Server::new(Settings::default());
    let options = json!({
        "host": "127.0.0.1", "port": server.port(), "security": "none",
        "from": "a@example.com", "to": "b@example.com"
    });
    let notifier = NotifierTest::<Email>::new().options(options).start().unwrap();
    let mut ids = Vec::new();
    for _ in 0..5 {
        assert_eq!(notifier.notify(&failure().build()), Ok(()));
        ids.push(server.mail().header("Message-ID").unwrap());
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 5);
    notifier.close().unwrap();
}
