//! Where the password is.

use bansuri_plugin_kit::Secret;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::commands::Auth;
use std::path::PathBuf;

/// Looked at for each mail: a password that has been changed is taken at once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum PasswordSource {
    Inline(Secret),
    /// Its content, without the end of its line.
    File(PathBuf),
    /// The host's own.
    Variable(String),
}

impl PasswordSource {
    /// The error does not show it.
    pub(crate) fn read(&self) -> Result<String, String> {
        let (place, text) = match self {
            PasswordSource::Inline(secret) => return Ok(secret.text().to_owned()),
            PasswordSource::File(path) => {
                let place = format!("password-file {path:?}");
                let text = std::fs::read_to_string(path).map_err(|error| format!("{place}: {error}"))?;
                (place, text.strip_suffix('\n').unwrap_or(&text).trim_end_matches('\r').to_owned())
            }
            PasswordSource::Variable(name) => {
                let place = format!("password-env {name:?}");
                let text = std::env::var(name).map_err(|error| format!("{place}: {error}"))?;
                (place, text)
            }
        };
        if text.is_empty() { Err(format!("{place}: it is empty")) } else { Ok(text) }
    }
}

/// Who logs in, and what no error may show of that.
pub(crate) struct Login {
    pub(crate) credentials: Credentials,
    secrets: Vec<String>,
}

impl Login {
    pub(crate) fn new(user: &str, password: String) -> Self {
        let credentials = Credentials::new(user.to_owned(), password.clone());
        // As they travel, for servers that repeat what they did not understand.
        let plain = Auth::new(Mechanism::Plain, credentials.clone(), None);
        let login = Auth::new(Mechanism::Login, credentials.clone(), Some("Password".to_owned()));
        let encoded = [plain, login].into_iter().flatten();
        let encoded =
            encoded.filter_map(|auth| auth.to_string().split_whitespace().last().map(str::to_owned));
        let secrets = std::iter::once(password).chain(encoded).collect();
        Self { credentials, secrets }
    }

    /// A text without the password.
    pub(crate) fn without_secrets(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "…"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        let read = |content: &str| {
            std::fs::write(&path, content).unwrap();
            PasswordSource::File(path.clone()).read()
        };
        assert_eq!(read("hunter2\n").as_deref(), Ok("hunter2"));
        assert_eq!(read(" hunter 2 \r\n").as_deref(), Ok(" hunter 2 "));
        assert_eq!(read("\n"), Err(format!("password-file {path:?}: it is empty")));
        let missing = PasswordSource::File("/gone".into()).read().unwrap_err();
        assert_eq!(missing, "password-file \"/gone\": No such file or directory (os error 2)");
        let path_variable = PasswordSource::Variable("PATH".to_owned()).read();
        assert_eq!(path_variable, Ok(std::env::var("PATH").unwrap()));
        let unset = PasswordSource::Variable("BANSURI_TEST_IS_UNSET".to_owned()).read().unwrap_err();
        assert_eq!(unset, "password-env \"BANSURI_TEST_IS_UNSET\": environment variable not found");
    }

    #[test]
    fn it_is_not_shown() {
        let login = Login::new("ops", "hunter2".to_owned());
        let echo = "AUTH PLAIN AG9wcwBodW50ZXIy; aHVudGVyMg==; hunter2";
        assert_eq!(login.without_secrets(echo), "AUTH PLAIN …; …; …");
    }
}
