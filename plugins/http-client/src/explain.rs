//! What went wrong with a request, in words.

use std::io::{self, ErrorKind};
use std::time::Duration;
use ureq::Error;

/// One line for people, a lowercase fragment that does not name the address; `timeout` is the limit of the request.
pub fn explain(error: &Error, timeout: Duration) -> String {
    match error {
        Error::Timeout(_) => format!("no answer within {timeout:?}"),
        Error::HostNotFound => "host not found".to_owned(),
        Error::Io(error) => explain_io(error, timeout),
        Error::TooManyRedirects => "too many redirects".to_owned(),
        Error::RedirectFailed => "a redirect that would have to send the body again".to_owned(),
        Error::Protocol(error) => format!("no valid HTTP answer: {error}"),
        other => other.to_string(),
    }
}

fn explain_io(error: &io::Error, timeout: Duration) -> String {
    if let Some(inner) = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        return explain(inner, timeout);
    }
    match error.kind() {
        ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        ErrorKind::ConnectionReset => "connection reset".to_owned(),
        ErrorKind::UnexpectedEof => "connection closed before the end of the answer".to_owned(),
        ErrorKind::TimedOut | ErrorKind::WouldBlock => format!("no answer within {timeout:?}"),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(error: Error, expect: &str) {
        assert_eq!(explain(&error, Duration::from_millis(1500)), expect);
    }

    #[test]
    fn in_words() {
        check(Error::Timeout(ureq::Timeout::Global), "no answer within 1.5s");
        check(Error::Io(ErrorKind::ConnectionRefused.into()), "connection refused");
        check(Error::Io(io::Error::other(Error::Timeout(ureq::Timeout::Global))), "no answer within 1.5s");
        check(
            Error::Io(io::Error::other("invalid peer certificate: Expired")),
            "invalid peer certificate: Expired",
        );
    }
}
