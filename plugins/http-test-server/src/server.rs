//! The server.

use crate::wire;
use crate::{Authority, Reply, Request};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Serves until it is dropped.
pub struct Server {
    address: SocketAddr,
    scheme: &'static str,
    requests: Mutex<Receiver<Request>>,
    closed: Arc<AtomicBool>,
}

type Handler = dyn Fn(&Request) -> Reply + Send + Sync;

impl Server {
    /// Without TLS.
    ///
    /// # Panics
    /// Loopback gives no port.
    pub fn http(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::start("http", None, Arc::new(handler))
    }

    /// With a certificate that this authority signed.
    ///
    /// # Panics
    /// Loopback gives no port.
    pub fn https(authority: &Authority, handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::start("https", Some(authority.server_config()), Arc::new(handler))
    }

    /// Answers in this order, the last one for ever.
    ///
    /// # Panics
    /// There are none.
    pub fn answering(replies: Vec<Reply>) -> Self {
        assert!(!replies.is_empty(), "a server needs an answer");
        let left = Mutex::new(replies.into_iter().peekable());
        Self::http(move |_| {
            let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
            let next = left.next().expect("the last one is left");
            if left.peek().is_none() {
                *left = vec![next.clone()].into_iter().peekable();
            }
            next
        })
    }

    /// The address of a path, with the port that was given.
    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    /// The next request, in the order in which they came; waits for it.
    ///
    /// # Panics
    /// None comes within a minute.
    pub fn request(&self) -> Request {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.recv_timeout(Duration::from_secs(60)).expect("a request comes")
    }

    /// A request that has come already.
    pub fn try_request(&self) -> Option<Request> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).try_recv().ok()
    }

    fn start(scheme: &'static str, tls: Option<Arc<ServerConfig>>, handler: Arc<Handler>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback gives a port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (sender, requests) = channel();
        let closed = Arc::new(AtomicBool::new(false));
        let closing = Arc::clone(&closed);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if closing.load(Ordering::Relaxed) {
                    return;
                }
                let (handler, sender, tls) = (Arc::clone(&handler), sender.clone(), tls.clone());
                thread::spawn(move || connected(stream, tls, &*handler, &sender));
            }
        });
        Self { address, scheme, requests: Mutex::new(requests), closed }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::Relaxed);
        // The loop looks at the flag when somebody connects.
        let _ = TcpStream::connect(self.address);
    }
}

fn connected(
    stream: TcpStream,
    tls: Option<Arc<ServerConfig>>,
    handler: &Handler,
    requests: &Sender<Request>,
) {
    match tls {
        None => serve(stream, handler, requests),
        Some(config) => {
            let connection = ServerConnection::new(config).expect("the configuration is complete");
            serve(StreamOwned::new(connection, stream), handler, requests);
        }
    }
}

/// A client that breaks off, or does not like the certificate, ends its connection: that is its test's to judge.
fn serve(stream: impl Read + Write, handler: &Handler, requests: &Sender<Request>) {
    let mut stream = BufReader::new(stream);
    let Ok(request) = wire::read_request(&mut stream) else { return };
    let reply = handler(&request);
    let _ = requests.send(request);
    if wire::write_reply(stream.get_mut(), &reply).is_ok_and(|stays_open| stays_open) {
        // Until the client closes it.
        let _ = stream.read(&mut [0; 1]);
    }
}
