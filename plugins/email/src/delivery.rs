//! One mail on its way.

use crate::password::Login;
use crate::route::Route;
use crate::session::{Envelope, Pace, send};
use bansuri_plugin_kit::RetryPolicy;
use lettre::Address;
use lettre::transport::smtp::extension::ClientId;
use std::thread;
use std::time::{Duration, Instant};

/// A mail, and all that its delivery needs.
pub(crate) struct Delivery {
    pub(crate) route: Route,
    pub(crate) hello: ClientId,
    pub(crate) login: Option<Login>,
    pub(crate) from: Address,
    pub(crate) recipients: Vec<Address>,
    pub(crate) message: Vec<u8>,
    pub(crate) policy: RetryPolicy,
    /// For one answer.
    pub(crate) timeout: Duration,
}

impl Delivery {
    /// Sends until every recipient is taken or refused, or there is no attempt or time left. Who was refused for now (as
    /// by greylisting) is tried again, who has the mail is not. Blocks no longer than the policy says, as far as the
    /// system's lookup of names lets it.
    pub(crate) fn run(&self) -> Result<(), String> {
        let begun = Instant::now();
        let pace = Pace { timeout: self.timeout, deadline: begun.checked_add(self.policy.total) };
        let (mut left, mut faults) = (self.recipients.clone(), Vec::new());
        let (mut missed, mut failed) = (0, 0);
        while !left.is_empty() {
            let envelope = Envelope { from: &self.from, to: &left, message: &self.message };
            let why = match send(&self.route, &self.hello, self.login.as_ref(), &envelope, pace) {
                Ok(refusals) => {
                    let (later, never): (Vec<_>, Vec<_>) =
                        refusals.into_iter().partition(|refusal| refusal.fault.passing);
                    missed += never.len();
                    faults.extend(never.into_iter().map(|refusal| refusal.fault.why));
                    let why: Vec<_> = later.iter().map(|refusal| refusal.fault.why.clone()).collect();
                    left = later.into_iter().map(|refusal| refusal.recipient).collect();
                    why.join("; ")
                }
                Err(fault) if fault.passing => fault.why,
                Err(fault) => {
                    missed += left.len();
                    faults.push(fault.why);
                    break;
                }
            };
            if left.is_empty() {
                break;
            }
            failed += 1;
            let Some(pause) = self.policy.pause(failed, None, begun.elapsed()) else {
                missed += left.len();
                let attempts =
                    if failed == 1 { "1 attempt".to_owned() } else { format!("{failed} attempts") };
                faults.push(format!("{why} ({attempts})"));
                break;
            };
            log::info!("{}: {}, again in {pause:?}", self.route, self.shown(&why));
            thread::sleep(pause);
        }
        if faults.is_empty() { Ok(()) } else { Err(self.error(&faults, missed)) }
    }

    fn error(&self, faults: &[String], missed: usize) -> String {
        let why = self.shown(&faults.join("; "));
        match (self.recipients.len() - missed, self.recipients.len()) {
            (0, _) => format!("{}: {why}", self.route),
            (reached, all) => format!("{}: {why}; {reached} of {all} recipients got the mail", self.route),
        }
    }

    fn shown(&self, text: &str) -> String {
        self.login.as_ref().map_or_else(|| text.to_owned(), |login| login.without_secrets(text))
    }
}
