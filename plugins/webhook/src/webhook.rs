//! The notifier.

use crate::delivery::deliver;
use crate::options::Options;
use bansuri_http_client::Client;
use bansuri_http_client::ureq::Agent;
use bansuri_plugin_api::{FailureInfo, Notifier, NotifierConfig, NotifyError};

/// Posts each failure to an address.
pub struct Webhook {
    options: Options,
    agent: Agent,
}

impl Notifier for Webhook {
    fn new(config: &NotifierConfig) -> Result<Self, NotifyError> {
        let options: Options = config.options()?;
        let client = Client {
            timeout: options.timeout.duration(),
            // A body is not sent again to where nobody asked for it.
            redirects: 0,
            trust: options.trust().map_err(NotifyError::new)?,
            user_agent: concat!("bansuri-webhook/", env!("CARGO_PKG_VERSION")),
        };
        let agent =
            client.agent(&options.url).map_err(|error| NotifyError::new(format!("options: {error}")))?;
        Ok(Self { options, agent })
    }

    fn notify(&self, failure: &FailureInfo) -> Result<(), NotifyError> {
        let body = self.options.format.body(failure);
        deliver(&self.agent, &self.options, &body).map_err(NotifyError::new)
    }

    fn description() -> &'static str {
        "posts each failure to a web hook: JSON, Slack, Discord or Teams"
    }

    fn options_schema() -> Option<String> {
        Some(schemars::schema_for!(Options).to_value().to_string())
    }
}
