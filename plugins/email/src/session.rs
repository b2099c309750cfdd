//! One conversation with the mail server.

use crate::fault::Fault;
use crate::password::Login;
use crate::route::{Encryption, Route};
use lettre::Address;
use lettre::transport::smtp::client::SmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Quit, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::{Error, response::Response};
use std::time::{Duration, Instant};

/// A goodbye is said, but an answer not long waited for: the mail is on its way already.
const GOODBYE: Duration = Duration::from_secs(1);

/// How long a step may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// One answer.
    pub(crate) timeout: Duration,
    /// All of them; `None`: so far away that it never comes.
    pub(crate) deadline: Option<Instant>,
}

impl Pace {
    fn left(&self) -> Duration {
        let left = self.deadline.map_or(Duration::MAX, |at| at.saturating_duration_since(Instant::now()));
        // No time at all would be no limit.
        self.timeout.min(left).max(Duration::from_millis(1))
    }
}

/// What is to be delivered.
pub(crate) struct Envelope<'a> {
    pub(crate) from: &'a Address,
    pub(crate) to: &'a [Address],
    pub(crate) message: &'a [u8],
}

/// A recipient that the server does not take.
pub(crate) struct Refusal {
    pub(crate) recipient: Address,
    pub(crate) fault: Fault,
}

/// Delivers to all recipients that the server takes, and says which it does not.
pub(crate) fn send(
    route: &Route,
    hello: &ClientId,
    login: Option<&Login>,
    envelope: &Envelope<'_>,
    pace: Pace,
) -> Result<Vec<Refusal>, Fault> {
    let mut session = Session::open(route, hello, pace)?;
    if let Some(login) = login {
        session.log_in(route, login)?;
    }
    session.step("MAIL FROM", |connection| {
        connection.command(Mail::new(Some(envelope.from.clone()), Vec::new()))
    })?;
    let mut refusals = Vec::new();
    for recipient in envelope.to {
        let taken = session.step(&format!("RCPT TO <{recipient}>"), |connection| {
            connection.command(Rcpt::new(recipient.clone(), Vec::new()))
        });
        match taken {
            Ok(_) => {}
            Err(Refused::Answered(fault)) => refusals.push(Refusal { recipient: recipient.clone(), fault }),
            Err(Refused::Broken(fault)) => return Err(fault),
        }
    }
    if refusals.len() < envelope.to.len() {
        session.step("DATA", |connection| connection.command(Data))?;
        session.step("end of DATA", |connection| connection.message(envelope.message))?;
    }
    session.close();
    Ok(refusals)
}

/// An open connection.
struct Session {
    connection: SmtpConnection,
    pace: Pace,
}

/// Why a step failed.
enum Refused {
    /// The server said so, and listens on.
    Answered(Fault),
    Broken(Fault),
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Answered(fault) | Refused::Broken(fault) => fault,
        }
    }
}

impl Session {
    /// Encrypted, if the route says so.
    fn open(route: &Route, hello: &ClientId, pace: Pace) -> Result<Self, Fault> {
        let tls = match &route.encryption {
            Encryption::Tls(parameters) => Some(parameters),
            Encryption::StartTls(_) | Encryption::None => None,
        };
        let left = pace.left();
        let connection =
            SmtpConnection::connect((route.host.as_str(), route.port), Some(left), hello, tls, None);
        let connection = connection.map_err(|error| Fault::at("", &error, left))?;
        let mut session = Self { connection, pace };
        if let Encryption::StartTls(parameters) = &route.encryption {
            if !session.connection.can_starttls() {
                return Err(Fault::lasting(
                    "the server offers no STARTTLS, and security none was not asked for",
                ));
            }
            session.step("STARTTLS", |connection| connection.starttls(parameters, hello))?;
        }
        Ok(session)
    }

    fn log_in(&mut self, route: &Route, login: &Login) -> Result<(), Fault> {
        if self.connection.server_info().get_auth_mechanism(&route.mechanisms).is_none() {
            let wanted: Vec<_> = route.mechanisms.iter().map(ToString::to_string).collect();
            return Err(Fault::lasting(format!("the server offers no AUTH {}", wanted.join(" or "))));
        }
        self.step("AUTH", |connection| connection.auth(&route.mechanisms, &login.credentials))?;
        Ok(())
    }

    fn step<T>(
        &mut self,
        name: &str,
        step: impl FnOnce(&mut SmtpConnection) -> Result<T, Error>,
    ) -> Result<T, Refused> {
        let left = self.pace.left();
        // A connection that takes no timeout has ended.
        let _ = self.connection.set_timeout(Some(left));
        step(&mut self.connection).map_err(|error| {
            let fault = Fault::at(name, &error, left);
            if error.status().is_some() { Refused::Answered(fault) } else { Refused::Broken(fault) }
        })
    }

    fn close(mut self) {
        self.pace.timeout = self.pace.timeout.min(GOODBYE);
        let _: Result<Response, _> = self.step("QUIT", |connection| connection.command(Quit));
    }
}
