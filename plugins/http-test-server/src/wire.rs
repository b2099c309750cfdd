//! Requests and answers, and how they are read and written.

use std::io::{self, BufRead, Read, Write};

/// What a client sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// `POST`.
    pub method: String,
    /// With the query.
    pub path: String,
    /// Names in lower case, in the order in which they came.
    pub headers: Vec<(String, String)>,
    /// What followed.
    pub body: Vec<u8>,
}

impl Request {
    /// The value of the first header of this name (in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

/// What a client gets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// A complete answer.
    Answer {
        /// `200`.
        status: u16,
        /// Besides `Content-Length` and `Connection`.
        headers: Vec<(&'static str, String)>,
        /// What follows.
        body: Vec<u8>,
    },
    /// An answer whose body ends before it should, with the connection left open.
    Stalled,
    /// Nothing, with the connection left open.
    Silence,
    /// Nothing, and the connection is closed.
    Hangup,
}

impl Reply {
    /// An answer with this status and body.
    pub fn status(status: u16, body: &str) -> Self {
        Reply::Answer { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
    }

    /// The same with one more header.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Reply::Answer { headers, .. } = &mut self {
            headers.push((name, value.into()));
        }
        self
    }
}

pub(crate) fn read_request(stream: &mut impl BufRead) -> io::Result<Request> {
    let first = read_line(stream)?;
    let mut words = first.split(' ');
    let (Some(method), Some(path)) = (words.next(), words.next()) else {
        return Err(io::Error::other(format!("no request line: {first:?}")));
    };
    let mut headers = Vec::new();
    loop {
        let line = read_line(stream)?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut request = Request { method: method.to_owned(), path: path.to_owned(), headers, body: Vec::new() };
    let length = request.header("content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
    request.body = vec![0; length];
    stream.read_exact(&mut request.body)?;
    Ok(request)
}

fn read_line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    stream.take(64 * 1024).read_line(&mut line)?;
    if line.ends_with('\n') {
        Ok(line.trim_end().to_owned())
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

/// Whether the connection is to stay open.
pub(crate) fn write_reply(stream: &mut impl Write, reply: &Reply) -> io::Result<bool> {
    match reply {
        Reply::Answer { status, headers, body } => {
            write!(
                stream,
                "HTTP/1.1 {status} Reason\r\nConnection: close\r\nContent-Length: {}\r\n",
                body.len()
            )?;
            for (name, value) in headers {
                write!(stream, "{name}: {value}\r\n")?;
            }
            stream.write_all(b"\r\n")?;
            stream.write_all(body)?;
            stream.flush()?;
            Ok(false)
        }
        Reply::Stalled => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun")?;
            stream.flush()?;
            Ok(true)
        }
        Reply::Silence => Ok(true),
        Reply::Hangup => Ok(false),
    }
}
