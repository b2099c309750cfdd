//! One request and what came back.

use crate::options::Options;
use bansuri_http_client::explain;
use bansuri_http_client::ureq::http::{Request, Response};
use bansuri_http_client::ureq::{self, Agent, Body};
use std::io::Read;
use std::time::{Duration, Instant};

/// What the server said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// What was read of the body: the limit at most.
    pub(crate) body: Vec<u8>,
    /// Whether there was more.
    pub(crate) truncated: bool,
    /// From the lookup of the name to the end of the body, or to the limit.
    pub(crate) latency: Duration,
}

/// Asks, and blocks until the answer is there, the timeout has passed or the agent was shut down.
pub(crate) fn ask(agent: &Agent, options: &Options) -> Result<Answer, String> {
    let timeout = options.timeout.duration();
    let begun = Instant::now();
    let mut response = send(agent, options).map_err(|error| explain(&error, timeout))?;
    let limit = options.body_limit.bytes();
    let mut body = Vec::new();
    // A byte beyond the limit says that there is more.
    let mut reader = response.body_mut().as_reader().take(limit.saturating_add(1));
    reader.read_to_end(&mut body).map_err(|error| explain(&error.into(), timeout))?;
    let truncated = body.len() as u64 > limit;
    if truncated {
        body.pop();
    }
    Ok(Answer { status: response.status().as_u16(), body, truncated, latency: begun.elapsed() })
}

fn send(agent: &Agent, options: &Options) -> Result<Response<Body>, ureq::Error> {
    let mut request = Request::builder().method(&options.method.0).uri(options.url.uri());
    if let Some(headers) = request.headers_mut() {
        headers.extend(options.headers.map().clone());
    }
    match &options.body {
        Some(body) => agent.run(request.body(body.as_str())?),
        None => agent.run(request.body(())?),
    }
}
