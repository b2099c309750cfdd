//! Addresses of requests.

use schemars::JsonSchema;
use serde::Deserialize;
use std::fmt;
use std::net::IpAddr;
use ureq::http::Uri;

/// An absolute `http://` or `https://` address without credentials in it.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String", extend(
    "pattern" = r"^[Hh][Tt][Tt][Pp][Ss]?://[^\x00-\x20/?#@:][^\x00-\x20/?#@]*([/?#][^\x00-\x20]*)?$",
    "examples" = ["https://example.com/health"],
))]
pub struct Url(Uri);

impl Url {
    /// For requests.
    pub fn uri(&self) -> &Uri {
        &self.0
    }

    /// The host, without port or brackets.
    pub fn host(&self) -> &str {
        self.0.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']')
    }

    /// Scheme, host and port: what may be shown of an address whose path is a secret.
    pub fn origin(&self) -> String {
        let authority = self.0.authority().map_or("", |authority| authority.as_str());
        format!("{}://{authority}", self.0.scheme_str().unwrap_or_default())
    }

    /// Whether a request goes to this machine itself, so that no proxy could help.
    pub fn is_loopback(&self) -> bool {
        self.host().eq_ignore_ascii_case("localhost")
            || self.host().parse().is_ok_and(|address: IpAddr| address.is_loopback())
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<String> for Url {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        const EXPECTED: &str = "expected an address such as https://example.com/health";
        let uri: Uri = text.parse().map_err(|error| format!("{text:?}: {error}, {EXPECTED}"))?;
        let known_scheme = matches!(uri.scheme_str(), Some("http" | "https"));
        if !known_scheme || uri.host().is_none_or(str::is_empty) {
            return Err(format!("{text:?}: {EXPECTED}"));
        }
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            // The text would show the password.
            return Err("credentials in the address are not sent: use the header Authorization".to_owned());
        }
        Ok(Self(uri))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Url, String> {
        Url::try_from(text.to_owned())
    }

    #[test]
    fn addresses() {
        let url = read("https://Example.com:8443/a?b=c").unwrap();
        assert_eq!((url.host(), url.origin().as_str()), ("Example.com", "https://Example.com:8443"));
        assert_eq!(url.to_string(), "https://Example.com:8443/a?b=c");
        assert!(read("http://localhost").unwrap().is_loopback());
        assert!(read("http://127.0.0.2:80/").unwrap().is_loopback());
        assert!(read("http://[::1]:80/").unwrap().is_loopback());
        assert!(!read("http://10.0.0.1/").unwrap().is_loopback());
    }

    #[test]
    fn what_is_no_address() {
        for text in
            ["", "example.com", "/health", "ftp://example.com/", "http://", "http:///x", "http://a b/", "1"]
        {
            let error = read(text).expect_err(text);
            assert!(error.contains("expected an address such as"), "{text}: {error}");
        }
    }

    #[test]
    fn a_password_is_refused_and_not_repeated() {
        let error = read("https://user:hunter2@example.com/").unwrap_err();
        assert!(error.contains("header Authorization") && !error.contains("hunter2"), "{error}");
    }
}
