//! Which service a body is for.

use super::{discord, plain, slack, teams};
use bansuri_plugin_api::FailureInfo;
use schemars::JsonSchema;
use serde::Deserialize;

/// The shape of the body.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// Every field of the failure by its name.
    #[default]
    Json,
    /// Blocks of an incoming webhook.
    Slack,
    /// A message of a channel's webhook.
    Discord,
    /// An adaptive card for a workflow that posts to a channel.
    Teams,
}

impl Format {
    /// The body, in JSON.
    pub(crate) fn body(self, failure: &FailureInfo) -> String {
        let value = match self {
            Format::Json => plain::body(failure),
            Format::Slack => slack::body(failure),
            Format::Discord => discord::body(failure),
            Format::Teams => teams::body(failure),
        };
        value.to_string()
    }
}
