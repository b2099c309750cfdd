//! The server.

use crate::session::{Answer, Session};
use crate::stream::Stream;
use crate::{Authority, Mail};
use rustls::ServerConfig;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// When a connection is encrypted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Encryption {
    /// Never.
    #[default]
    None,
    /// When the client asks for it.
    StartTls,
    /// From the start.
    Tls,
}

/// How it serves.
#[derive(Clone, Copy, Default)]
pub struct Settings<'a> {
    /// Needs an authority, unless it is none.
    pub encryption: Encryption,
    /// Who signs its certificate.
    pub authority: Option<&'a Authority>,
    /// Which user may send, with which password; `None`: anybody, and AUTH is not offered.
    pub user: Option<(&'static str, &'static str)>,
    /// What of AUTH is offered: `PLAIN LOGIN`.
    pub mechanisms: &'static str,
}

/// What all connections know.
pub(crate) struct Shared {
    pub(crate) encryption: Encryption,
    pub(crate) tls: Option<Arc<ServerConfig>>,
    pub(crate) user: Option<(&'static str, &'static str)>,
    pub(crate) mechanisms: &'static str,
    pub(crate) script: Box<Script>,
}

type Script = dyn Fn(usize, &str) -> Answer + Send + Sync;

/// Serves until it is dropped.
pub struct Server {
    address: SocketAddr,
    mails: Mutex<Receiver<Mail>>,
    connections: Arc<AtomicUsize>,
    closed: Arc<AtomicBool>,
}

impl Server {
    /// As the standard has it.
    ///
    /// # Panics
    /// Loopback gives no port.
    pub fn new(settings: Settings<'_>) -> Self {
        Self::scripted(settings, |_, _| Answer::Usual)
    }

    /// The script is asked before each answer, with the number of the connection (from 1) and the client's line, which is
    /// empty for the greeting and `.` for the end of a mail.
    ///
    /// # Panics
    /// Loopback gives no port.
    pub fn scripted(
        settings: Settings<'_>,
        script: impl Fn(usize, &str) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let shared = Arc::new(Shared {
            encryption: settings.encryption,
            tls: settings.authority.map(Authority::server_config),
            user: settings.user,
            mechanisms: settings.mechanisms,
            script: Box::new(script),
        });
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback gives a port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (sender, mails) = channel();
        let (connections, closed) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (counting, closing) = (Arc::clone(&connections), Arc::clone(&closed));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if closing.load(Ordering::Relaxed) {
                    return;
                }
                let number = counting.fetch_add(1, Ordering::Relaxed) + 1;
                let (shared, sender) = (Arc::clone(&shared), sender.clone());
                // A client that breaks off ends its session: that is its test's to judge.
                thread::spawn(move || Session::new(shared, number, Stream::Plain(stream)).serve(&sender));
            }
        });
        Self { address, mails: Mutex::new(mails), connections, closed }
    }

    /// On `127.0.0.1`.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// How many connections there have been.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// The next mail, in the order in which they came; waits for it.
    ///
    /// # Panics
    /// None comes within a minute.
    pub fn mail(&self) -> Mail {
        let mails = self.mails.lock().unwrap_or_else(PoisonError::into_inner);
        mails.recv_timeout(Duration::from_secs(60)).expect("a mail comes")
    }

    /// A mail that has come already.
    pub fn try_mail(&self) -> Option<Mail> {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner).try_recv().ok()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::Relaxed);
        // The loop looks at the flag when somebody connects.
        let _ = TcpStream::connect(self.address);
    }
}
