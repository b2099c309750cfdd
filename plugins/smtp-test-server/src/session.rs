//! One connection (RFC 5321, 3207, 4954).

use crate::base64::decode;
use crate::server::Shared;
use crate::stream::Stream;
use crate::{Encryption, Mail};
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::mpsc::Sender;

/// What a client gets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// What the standard wants.
    Usual,
    /// This instead, and the session goes on: `550 no such user`.
    Say(String),
    /// The connection is closed.
    Hangup,
    /// Nothing, with the connection left open.
    Silence,
}

pub(crate) struct Session {
    shared: Arc<Shared>,
    number: usize,
    /// Taken while it is encrypted.
    stream: Option<Stream>,
    mail: Mail,
}

/// Why a session ends.
enum End {
    Quit,
    Broken,
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        End::Broken
    }
}

impl Session {
    pub(crate) fn new(shared: Arc<Shared>, number: usize, stream: Stream) -> Self {
        Self { shared, number, stream: Some(stream), mail: Mail::default() }
    }

    /// To its end; mails that were taken are sent to the test.
    pub(crate) fn serve(mut self, mails: &Sender<Mail>) {
        let _ = self.commands(mails);
    }

    fn commands(&mut self, mails: &Sender<Mail>) -> Result<(), End> {
        if self.shared.encryption == Encryption::Tls {
            self.encrypt();
        }
        self.answer("", "220 test ESMTP")?;
        loop {
            let line = String::from_utf8_lossy(&self.stream().line()?).into_owned();
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            match verb.as_str() {
                "EHLO" => self.hello(&line)?,
                "STARTTLS"
                    if self.shared.encryption == Encryption::StartTls && !self.stream().is_encrypted() =>
                {
                    if self.answer(&line, "220 go ahead")? {
                        self.encrypt();
                        // What was said in the clear is forgotten.
                        self.mail = Mail::default();
                    }
                }
                "AUTH" if !self.offered().is_empty() => self.login(&line)?,
                "MAIL" if self.shared.user.is_some() && self.mail.user.is_none() => {
                    self.answer(&line, "530 5.7.0 authentication required")?;
                }
                "MAIL" => {
                    if self.answer(&line, "250 2.1.0 fine")? {
                        self.mail.from = address(&line);
                        self.mail.to.clear();
                    }
                }
                "RCPT" if !self.mail.from.is_empty() => {
                    if self.answer(&line, "250 2.1.5 fine")? {
                        self.mail.to.push(address(&line));
                    }
                }
                "DATA" if !self.mail.to.is_empty() => {
                    if self.answer(&line, "354 end with a dot")? {
                        self.data(mails)?;
                    }
                }
                "QUIT" => {
                    self.answer(&line, "221 2.0.0 bye")?;
                    return Err(End::Quit);
                }
                _ => {
                    self.answer(&line, "503 5.5.1 not now")?;
                }
            }
        }
    }

    fn hello(&mut self, line: &str) -> Result<(), End> {
        let offers_tls = self.shared.encryption == Encryption::StartTls && !self.stream().is_encrypted();
        let mut text = "250-test\r\n".to_owned();
        if offers_tls {
            text.push_str("250-STARTTLS\r\n");
        }
        if !self.offered().is_empty() {
            text.push_str(&format!("250-AUTH {}\r\n", self.offered()));
        }
        text.push_str("250 8BITMIME");
        self.mail.hello = line.split_once(' ').map_or_else(String::new, |(_, name)| name.to_owned());
        self.answer(line, &text).map(|_| ())
    }

    /// Not before the password can travel safely.
    fn offered(&self) -> &'static str {
        let waits = self.shared.encryption == Encryption::StartTls
            && !self.stream.as_ref().is_some_and(Stream::is_encrypted);
        if waits || self.shared.user.is_none() { "" } else { self.shared.mechanisms }
    }

    fn login(&mut self, line: &str) -> Result<(), End> {
        let mut words = line.split(' ').skip(1);
        let (mechanism, first) = (words.next().unwrap_or_default().to_owned(), words.next());
        let offered = self.offered().split(' ').any(|offered| offered == mechanism);
        let given = match (mechanism.as_str(), first) {
            ("PLAIN", Some(first)) if offered => text(&decode(first)),
            ("LOGIN", None) if offered => {
                // `Username:` and `Password:`.
                self.stream().say("334 VXNlcm5hbWU6")?;
                let user = text(&decode(&text(&self.stream().line()?)));
                self.stream().say("334 UGFzc3dvcmQ6")?;
                let password = text(&decode(&text(&self.stream().line()?)));
                format!("\0{user}\0{password}")
            }
            _ => return self.answer(line, "504 5.5.4 unknown mechanism").map(|_| ()),
        };
        let known = self.shared.user.filter(|(user, password)| given == format!("\0{user}\0{password}"));
        let Some((user, _)) = known else {
            return self.answer(line, "535 5.7.8 bad credentials").map(|_| ());
        };
        if self.answer(line, "235 2.7.0 welcome")? {
            self.mail.user = Some(user.to_owned());
            self.mail.mechanism = Some(mechanism);
        }
        Ok(())
    }

    fn data(&mut self, mails: &Sender<Mail>) -> Result<(), End> {
        let mut data = Vec::new();
        loop {
            let line = self.stream().line()?;
            if line == b"." {
                break;
            }
            data.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            data.extend_from_slice(b"\r\n");
        }
        self.mail.encrypted = self.stream().is_encrypted();
        self.mail.data = String::from_utf8(data).expect("8BITMIME was not used");
        let mail = self.mail.clone();
        if self.answer(".", "250 2.0.0 taken")? {
            // The test may have ended.
            let _ = mails.send(mail);
        }
        self.mail.from.clear();
        Ok(())
    }

    /// Says the usual, or what the script wants; whether it was the usual.
    fn answer(&mut self, line: &str, usual: &str) -> Result<bool, End> {
        match (self.shared.script)(self.number, line) {
            Answer::Usual => {
                self.stream().say(usual)?;
                Ok(true)
            }
            Answer::Say(text) => {
                self.stream().say(&text)?;
                Ok(false)
            }
            Answer::Hangup => Err(End::Broken),
            Answer::Silence => {
                // Until the client has gone.
                let _ = self.stream().read_to_end(&mut Vec::new());
                Err(End::Broken)
            }
        }
    }

    fn stream(&mut self) -> &mut Stream {
        self.stream.as_mut().expect("it is back when it has been encrypted")
    }

    fn encrypt(&mut self) {
        let config = self.shared.tls.clone().expect("TLS needs an authority");
        self.stream = self.stream.take().map(|stream| stream.encrypted(config));
    }
}

/// `<a@b>` in `MAIL FROM:<a@b> BODY=8BITMIME`.
fn address(line: &str) -> String {
    let (_, rest) = line.split_once('<').unwrap_or_default();
    rest.split('>').next().unwrap_or_default().to_owned()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
