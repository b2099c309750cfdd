//! The options of an email notifier.

use crate::address::{Address, MachineName};
use crate::password::PasswordSource;
use crate::subject::Subject;
use bansuri_plugin_kit::{RetryPolicy, Secret, Several, Span, Trust};
use schemars::JsonSchema;
use serde::Deserialize;
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::Duration;

/// What `options` holds in the configuration; README.md has the table.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(title = "email")]
pub(crate) struct Options {
    /// The mail server.
    #[schemars(length(min = 1))]
    pub(crate) host: String,
    /// Its port: 587, 465 with tls, 25 with none.
    #[schemars(range(min = 1, max = 65535))]
    port: Option<NonZeroU16>,
    /// When the connection is encrypted.
    #[serde(default)]
    pub(crate) security: Security,
    /// Who logs in.
    #[schemars(length(min = 1))]
    username: Option<String>,
    /// The password itself.
    password: Option<Secret>,
    /// A file that holds the password.
    password_file: Option<PathBuf>,
    /// An environment variable of the host that holds the password.
    password_env: Option<String>,
    /// How to log in; unset: as the server offers.
    pub(crate) auth: Option<Mechanism>,
    /// The sender.
    pub(crate) from: Address,
    /// The recipients.
    pub(crate) to: Several<Address>,
    /// Further recipients.
    cc: Option<Several<Address>>,
    /// The subject, in which task, outcome, code, attempt and host in braces are replaced.
    #[serde(default)]
    pub(crate) subject: Subject,
    /// What this machine calls itself; unset: its host name.
    pub(crate) hello_name: Option<MachineName>,
    /// How long the server may take for one answer.
    #[serde(default = "default_timeout")]
    #[schemars(extend("default" = "10s"))]
    pub(crate) timeout: Span,
    /// When all attempts are given up; below the notifier's own timeout.
    #[serde(default = "default_total_timeout")]
    #[schemars(extend("default" = "28s"))]
    pub(crate) total_timeout: Span,
    /// Attempts after the first, where the failure may pass.
    #[serde(default = "default_retries")]
    #[schemars(extend("default" = 3), range(max = 4294967295u32))]
    retries: u32,
    /// The pause before the first retry; each further one is twice as long.
    #[serde(default = "default_backoff")]
    #[schemars(extend("default" = "1s"))]
    backoff: Span,
    /// PEM file of the authorities to trust instead of the public ones, absolute.
    ca_file: Option<PathBuf>,
    /// Accept every certificate.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    insecure: bool,
}

fn default_timeout() -> Span {
    const { Span::new(Duration::from_secs(10)).expect("10 is not 0") }
}

/// Below the 30 s that the host gives a notifier, so that the reason is told before it abandons the call.
fn default_total_timeout() -> Span {
    const { Span::new(Duration::from_secs(28)).expect("28 is not 0") }
}

fn default_retries() -> u32 {
    3
}

fn default_backoff() -> Span {
    const { Span::new(Duration::from_secs(1)).expect("1 is not 0") }
}

/// When a connection is encrypted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(crate) enum Security {
    /// Before anything is said: a server that does not offer it gets no mail.
    #[default]
    Starttls,
    /// From the start.
    Tls,
    /// Never.
    None,
}

/// A way to log in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(crate) enum Mechanism {
    Plain,
    Login,
}

impl Options {
    pub(crate) fn port(&self) -> u16 {
        let usual = match self.security {
            Security::Starttls => 587,
            Security::Tls => 465,
            Security::None => 25,
        };
        self.port.map_or(usual, NonZeroU16::get)
    }

    pub(crate) fn cc(&self) -> &[Address] {
        self.cc.as_ref().map_or(&[], Several::all)
    }

    pub(crate) fn policy(&self) -> RetryPolicy {
        RetryPolicy {
            retries: self.retries,
            backoff: self.backoff.duration(),
            total: self.total_timeout.duration(),
        }
    }

    /// Whose certificates are good.
    pub(crate) fn trust(&self) -> Result<Trust, String> {
        let trust = Trust::of_notifier(self.ca_file.as_deref(), self.insecure)?;
        if self.security == Security::None && trust != Trust::Public {
            return Err(
                "options: ca-file and insecure say something of TLS, which security none has not".to_owned()
            );
        }
        Ok(trust)
    }

    /// Who logs in with what; `None`: nobody.
    pub(crate) fn login(&self) -> Result<Option<(&str, PasswordSource)>, String> {
        let inline = self.password.clone().map(PasswordSource::Inline);
        let file = self.password_file.clone().map(PasswordSource::File);
        let variable = self.password_env.clone().map(PasswordSource::Variable);
        let mut sources = [inline, file, variable].into_iter().flatten();
        let (source, another) = (sources.next(), sources.next());
        if another.is_some() {
            return Err("options: password, password-file and password-env exclude each other".to_owned());
        }
        if let Some(PasswordSource::File(path)) = &source
            && path.is_relative()
        {
            return Err(format!("options.password-file: {path:?}: expected an absolute path"));
        }
        match (&self.username, source) {
            (Some(user), _) if user.is_empty() => Err("options.username: it is empty".to_owned()),
            (Some(user), Some(source)) => Ok(Some((user, source))),
            (Some(_), None) => {
                Err("options: username without a password, password-file or password-env".to_owned())
            }
            (None, Some(_)) => Err("options: a password without username".to_owned()),
            (None, None) if self.auth.is_some() => Err("options: auth without username".to_owned()),
            (None, None) => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bansuri_plugin_test::{documented, example, option_names};
    use serde_json::{Value, json};

    /// What the reader takes is what the schema takes.
    fn read(more: Value) -> Result<Options, String> {
        let mut options =
            json!({ "host": "mail.example.com", "from": "a@example.com", "to": "b@example.com" });
        options.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        bansuri_plugin_test::read(&options)
    }

    #[test]
    fn defaults() {
        let options = read(json!({})).unwrap();
        assert_eq!((options.security, options.port(), options.cc().len()), (Security::Starttls, 587, 0));
        assert_eq!((options.trust(), options.login()), (Ok(Trust::Public), Ok(None)));
        assert_eq!(options.timeout.duration(), Duration::from_secs(10));
        let second = Duration::from_secs(1);
        assert_eq!(options.policy(), RetryPolicy { retries: 3, backoff: second, total: 28 * second });
        assert_eq!(read(json!({ "security": "tls" })).unwrap().port(), 465);
        assert_eq!(read(json!({ "security": "none" })).unwrap().port(), 25);
        assert_eq!(read(json!({ "port": 2525 })).unwrap().port(), 2525);
    }

    #[test]
    fn what_cannot_be_read() {
        let check = |more: Value, expect: &str| {
            let error = read(more).expect_err(expect);
            assert!(error.contains(expect), "{error}");
        };
        check(json!({ "security": "ssl" }), "expected one of `starttls`, `tls`, `none`");
        check(json!({ "auth": "cram-md5" }), "expected `plain` or `login`");
        check(json!({ "port": 0 }), "invalid value: integer `0`");
        check(json!({ "port": 65536 }), "invalid value: integer `65536`");
        check(json!({ "to": [] }), "an empty list");
        check(json!({ "to": ["b"] }), "\"b\": expected an address");
        check(json!({ "subject": "{tsk}" }), "expected a line with {task}");
        check(json!({ "password": "" }), "an empty secret");
        check(json!({ "retries": -1 }), "invalid value");
        check(json!({ "user": "x" }), "unknown field `user`, expected one of `host`");
    }

    #[test]
    fn what_cannot_go_together() {
        let login = |more: Value| read(more).unwrap().login().map(|login| login.is_some());
        assert_eq!(login(json!({ "username": "ops", "password-env": "P" })), Ok(true));
        let exclusive = "options: password, password-file and password-env exclude each other";
        let both = json!({ "username": "ops", "password": "hunter2", "password-file": "/p" });
        assert_eq!(login(both), Err(exclusive.to_owned()));
        let alone = "options: username without a password, password-file or password-env";
        assert_eq!(login(json!({ "username": "ops" })), Err(alone.to_owned()));
        assert!(
            login(json!({ "password": "hunter2" })).is_err() && login(json!({ "auth": "plain" })).is_err()
        );
        let relative = login(json!({ "username": "ops", "password-file": "p" })).unwrap_err();
        assert_eq!(relative, "options.password-file: \"p\": expected an absolute path");
        assert!(read(json!({ "ca-file": "/ca.pem", "insecure": true })).unwrap().trust().is_err());
        assert!(read(json!({ "security": "none", "insecure": true })).unwrap().trust().is_err());
    }

    #[test]
    fn a_password_is_not_shown() {
        let options = read(json!({ "username": "ops", "password": "hunter2" })).unwrap();
        assert!(!format!("{options:?}").contains("hunter2"));
    }

    /// The schema, the table in the README and the options are one list.
    #[test]
    fn schema_readme_and_options_agree() {
        assert_eq!(documented(include_str!("../README.md")), option_names::<Options>());
    }

    #[test]
    fn the_example_in_the_readme_is_valid() {
        let options = read(example(include_str!("../README.md"), "/notifiers/ops/options")).unwrap();
        options.login().unwrap();
        options.trust().unwrap();
    }
}
