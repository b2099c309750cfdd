//! A mail as it travels.

use crate::address::MachineName;
use crate::body::body;
use crate::options::Options;
use bansuri_plugin_api::FailureInfo;
use lettre::Message;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Headers and body, encoded so that any server takes them. Attempts to deliver it are attempts with one Message-ID.
pub(crate) fn message(options: &Options, failure: &FailureInfo) -> Result<Vec<u8>, String> {
    let mut builder = Message::builder().from(options.from.0.clone());
    for to in options.to.all() {
        builder = builder.to(to.0.clone());
    }
    for cc in options.cc() {
        builder = builder.cc(cc.0.clone());
    }
    // RFC 3834: no one's absence is told to a program.
    let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
    let message = builder
        .subject(options.subject.text(failure))
        .date_now()
        .message_id(Some(id(options, failure)))
        .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
        .header(ContentType::TEXT_PLAIN)
        .body(body(failure))
        .map_err(|error| format!("the mail cannot be written: {error}"))?;
    Ok(message.formatted())
}

/// What this machine calls itself, if its name will do.
pub(crate) fn machine_name(options: &Options, failure: &FailureInfo) -> Option<String> {
    let own = || MachineName::try_from(failure.host_name().to_owned()).ok();
    options.hello_name.clone().or_else(own).map(|name| name.0)
}

/// Unique in the world, as far as its machine has a name of its own.
fn id(options: &Options, failure: &FailureInfo) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let domain = machine_name(options, failure);
    let domain = domain.as_deref().unwrap_or_else(|| options.from.0.email.domain());
    format!("<{now:x}.{:x}.{count:x}@{domain}>", process::id())
}
