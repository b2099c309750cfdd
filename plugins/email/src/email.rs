//! The notifier.

use crate::address::Address;
use crate::delivery::Delivery;
use crate::message::{machine_name, message};
use crate::options::Options;
use crate::password::Login;
use crate::route::Route;
use bansuri_plugin_api::{FailureInfo, Notifier, NotifierConfig, NotifyError};
use lettre::transport::smtp::extension::ClientId;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

/// How much later than its end a delivery may say how it went.
const LAST_WORD: Duration = Duration::from_secs(1);

/// Mails each failure.
pub struct Email {
    options: Options,
    route: Route,
}

impl Notifier for Email {
    fn new(config: &NotifierConfig) -> Result<Self, NotifyError> {
        let options: Options = config.options()?;
        options.login().map_err(NotifyError::new)?;
        let route = Route::new(&options).map_err(NotifyError::new)?;
        Ok(Self { options, route })
    }

    fn notify(&self, failure: &FailureInfo) -> Result<(), NotifyError> {
        let delivery = self.delivery(failure).map_err(NotifyError::new)?;
        let total = delivery.policy.total;
        let (sender, result) = channel();
        // The lookup of a name cannot be broken off, and a server may send its answer byte by byte: on a thread of its own
        // that holds up nobody, and ends with the connection.
        thread::Builder::new().name("email".to_owned()).spawn(move || {
            // A call that was given up no longer listens.
            let _ = sender.send(delivery.run());
        })?;
        match result.recv_timeout(total.saturating_add(LAST_WORD)) {
            Ok(result) => result.map_err(NotifyError::new),
            Err(_) => Err(NotifyError::new(format!("{}: no answer within {total:?}", self.route))),
        }
    }

    fn description() -> &'static str {
        "mails each failure by SMTP"
    }

    fn options_schema() -> Option<String> {
        Some(schemars::schema_for!(Options).to_value().to_string())
    }
}

impl Email {
    fn delivery(&self, failure: &FailureInfo) -> Result<Delivery, String> {
        let login = match self.options.login()? {
            Some((user, source)) => Some(Login::new(user, source.read()?)),
            None => None,
        };
        let recipients = self.options.to.all().iter().chain(self.options.cc());
        let mut recipients: Vec<_> = recipients.map(|Address(mailbox)| mailbox.email.clone()).collect();
        // Who is named twice gets one mail.
        let mut seen = std::collections::BTreeSet::new();
        recipients.retain(|recipient| seen.insert(recipient.clone()));
        Ok(Delivery {
            route: self.route.clone(),
            hello: machine_name(&self.options, failure).map_or_else(ClientId::default, ClientId::Domain),
            login,
            from: self.options.from.0.email.clone(),
            recipients,
            message: message(&self.options, failure)?,
            policy: self.options.policy(),
            timeout: self.options.timeout.duration(),
        })
    }
}
