//! A connection, plain or encrypted.

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

pub(crate) enum Stream {
    Plain(TcpStream),
    Encrypted(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Stream {
    /// The same connection, encrypted from here on.
    pub(crate) fn encrypted(self, config: Arc<ServerConfig>) -> Self {
        match self {
            Stream::Plain(stream) => {
                let connection = ServerConnection::new(config).expect("the configuration is complete");
                Stream::Encrypted(Box::new(StreamOwned::new(connection, stream)))
            }
            Stream::Encrypted(_) => self,
        }
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        matches!(self, Stream::Encrypted(_))
    }

    /// A line without its end; nothing beyond it is read, for it may be meant for TLS.
    pub(crate) fn line(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        let mut byte = [0];
        while !line.ends_with(b"\r\n") {
            self.read_exact(&mut byte)?;
            line.push(byte[0]);
        }
        line.truncate(line.len() - 2);
        Ok(line)
    }

    pub(crate) fn say(&mut self, text: &str) -> io::Result<()> {
        self.write_all(format!("{text}\r\n").as_bytes())?;
        self.flush()
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(stream) => stream.read(buffer),
            Stream::Encrypted(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(stream) => stream.write(bytes),
            Stream::Encrypted(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Stream::Plain(stream) => stream.flush(),
            Stream::Encrypted(stream) => stream.flush(),
        }
    }
}
