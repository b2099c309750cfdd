//! One message on its way.

use crate::options::Options;
use crate::retry::{Attempt, judge};
use crate::signature;
use bansuri_http_client::explain;
use bansuri_http_client::ureq::http::header::{CONTENT_TYPE, RETRY_AFTER};
use bansuri_http_client::ureq::http::{HeaderValue, Request, Response};
use bansuri_http_client::ureq::{self, Agent, Body};
use bansuri_plugin_kit::RetryPolicy;
use std::io::{ErrorKind, Read};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// What is shown of an answer's body, in bytes.
const SHOWN: u64 = 200;

/// Posts the body until it is taken, refused, or there is no attempt or time left. Blocks for `total-timeout` at most.
/// The error does not show the path of the address: with most services it is a secret.
pub(crate) fn deliver(agent: &Agent, options: &Options, body: &str) -> Result<(), String> {
    let policy = RetryPolicy {
        retries: options.retries,
        backoff: options.backoff.duration(),
        total: options.total_timeout.duration(),
    };
    let begun = Instant::now();
    let mut failed = 0;
    loop {
        let timeout = options.timeout.duration().min(policy.total.saturating_sub(begun.elapsed()));
        let (why, wish) = match attempt(agent, options, body, timeout) {
            Attempt::Delivered => return Ok(()),
            Attempt::Refused(why) => return Err(format!("{}: {why}", options.url.origin())),
            Attempt::Failed { why, wish } => (why, wish),
        };
        failed += 1;
        let Some(pause) = policy.pause(failed, wish, begun.elapsed()) else {
            let attempts = if failed == 1 { "1 attempt".to_owned() } else { format!("{failed} attempts") };
            return Err(format!("{}: {why} ({attempts})", options.url.origin()));
        };
        log::info!("{}: {why}, again in {pause:?}", options.url.origin());
        thread::sleep(pause);
    }
}

fn attempt(agent: &Agent, options: &Options, body: &str, timeout: Duration) -> Attempt {
    match post(agent, options, body, timeout) {
        Ok(mut response) => {
            let status = response.status().as_u16();
            let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
            let retry_after = retry_after.map(str::to_owned);
            let why = match first_line(&mut response) {
                line if line.is_empty() => format!("status {status}"),
                line => format!("status {status}: {line}"),
            };
            judge(status, retry_after.as_deref(), SystemTime::now(), why)
        }
        Err(error) => {
            let why = explain(&error, timeout);
            // A certificate that is not good, or a request that cannot be sent, will not be better in a second.
            let hopeless = match &error {
                ureq::Error::Io(error) => error.kind() == ErrorKind::InvalidData,
                ureq::Error::Rustls(_)
                | ureq::Error::Http(_)
                | ureq::Error::BadUri(_)
                | ureq::Error::Tls(_) => true,
                _ => false,
            };
            if hopeless { Attempt::Refused(why) } else { Attempt::Failed { why, wish: None } }
        }
    }
}

fn post(
    agent: &Agent,
    options: &Options,
    body: &str,
    timeout: Duration,
) -> Result<Response<Body>, ureq::Error> {
    let mut request = Request::post(options.url.uri());
    if let Some(headers) = request.headers_mut() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.extend(options.headers.map().clone());
    }
    if let Some(secret) = &options.secret {
        request = request.header(signature::HEADER, signature::signature(secret.text(), body.as_bytes()));
    }
    let request = agent.configure_request(request.body(body)?).timeout_global(Some(timeout)).build();
    agent.run(request)
}

/// Services say in the body what they did not like.
fn first_line(response: &mut Response<Body>) -> String {
    let mut bytes = Vec::new();
    // What cannot be read adds nothing to the status.
    let _ = response.body_mut().as_reader().take(SHOWN).read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    let line = text.lines().next().unwrap_or_default().trim();
    line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
