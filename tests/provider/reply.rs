//! A response, and how it is sent.

use std::{
    collections::VecDeque,
    io::{self, Read, Write},
    sync::{Mutex, mpsc},
    thread,
    time::Duration,
};

use flate2::{Compression, write::GzEncoder};
use rustix::net::sockopt::set_socket_linger;

use super::{Stream, request::Request};

/// A response, and how it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    delay: Duration,
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    manner: Manner,
    end: End,
}

/// The end of a connection that is not used again.
#[derive(Clone, Copy, Debug)]
enum End {
    /// With TLS's closing message.
    Closed,
    /// Without it, as a process that was killed does.
    Abrupt,
    /// With a reset of TCP, as a proxy that was restarted does.
    Reset,
    /// The server waits for the client to close it.
    Open,
}

#[derive(Clone, Debug)]
enum Manner {
    Whole,
    /// The connection closes after so many bytes of the body.
    Cut(usize),
    OneByteASecond,
    /// The connection closes without a response.
    Close,
    /// The connection stays open without a response.
    Silence,
    /// These bytes are sent instead of HTTP.
    Raw(Vec<u8>),
}

impl Reply {
    /// A response with a JSON body.
    pub(crate) fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            delay: Duration::ZERO,
            status,
            headers: vec![("Content-Type".into(), "application/json".into())],
            body: body.into(),
            manner: Manner::Whole,
            end: End::Closed,
        }
    }

    /// A token that lives for an hour.
    pub(crate) fn token(access_token: &str) -> Self {
        let body = format!(
            r#"{{"access_token":"{access_token}","token_type":"Bearer","expires_in":3600}}"#
        );
        Self::json(200, body)
    }

    /// The connection closes without a response.
    pub(crate) fn close() -> Self {
        Self::token("").sent(Manner::Close)
    }

    /// The connection stays open without a response.
    pub(crate) fn silence() -> Self {
        Self::token("").sent(Manner::Silence)
    }

    /// Something that is not HTTP.
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self::token("").sent(Manner::Raw(bytes.into()))
    }

    /// Sets a header.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn body_length(&self) -> usize {
        self.body.len()
    }

    /// Compresses the body.
    pub(crate) fn gzip(mut self) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&self.body).unwrap();
        self.body = encoder.finish().unwrap();
        self.header("Content-Encoding", "gzip")
    }

    /// Waits so long before it is sent.
    pub(crate) fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// Closes the connection after so many bytes of the body.
    pub(crate) fn cut_after(self, bytes: usize) -> Self {
        self.sent(Manner::Cut(bytes))
    }

    /// Is sent at one byte a second.
    pub(crate) fn one_byte_a_second(self) -> Self {
        self.sent(Manner::OneByteASecond)
    }

    /// Closes the connection without TLS's closing message.
    pub(crate) fn abruptly(self) -> Self {
        Self {
            end: End::Abrupt,
            ..self
        }
    }

    /// Resets the connection.
    pub(crate) fn reset(self) -> Self {
        Self {
            end: End::Reset,
            ..self
        }
    }

    /// Leaves the connection open, although the response has no other end.
    pub(crate) fn left_open(self) -> Self {
        Self {
            end: End::Open,
            ..self
        }
    }

    fn sent(self, manner: Manner) -> Self {
        Self { manner, ..self }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut lines = vec![format!("HTTP/1.1 {} Scripted", self.status)];
        for (name, value) in &self.headers {
            lines.push(format!("{name}: {value}"));
        }
        lines.push(format!("Content-Length: {}\r\n\r\n", self.body.len()));
        [lines.join("\r\n").into_bytes(), self.body.clone()].concat()
    }

    /// Sends the response, and closes the connection unless it can be used again.
    pub(super) fn send(&self, stream: &mut Stream) -> io::Result<Then> {
        thread::sleep(self.delay);
        let bytes = self.bytes();
        match &self.manner {
            Manner::Whole => stream.write_all(&bytes)?,
            Manner::Cut(body) => {
                stream.write_all(&bytes[..bytes.len() - self.body.len() + body])?;
            }
            Manner::OneByteASecond => {
                for byte in bytes {
                    stream.write_all(&[byte])?;
                    stream.flush()?;
                    thread::sleep(Duration::from_secs(1));
                }
            }
            Manner::Close => {}
            Manner::Silence => drop(stream.read(&mut [0])?),
            Manner::Raw(bytes) => stream.write_all(bytes)?,
        }
        stream.flush()?;
        if matches!(self.manner, Manner::Whole) {
            return Ok(Then::Next);
        }
        match self.end {
            End::Closed => {
                stream.conn.send_close_notify();
                stream.flush()?;
            }
            End::Abrupt => {}
            End::Reset => set_socket_linger(&stream.sock, Some(Duration::ZERO))?,
            End::Open => drop(stream.read(&mut [0])?),
        }
        Ok(Then::End)
    }
}

/// What happens to the connection after a response.
#[derive(PartialEq)]
pub(super) enum Then {
    Next,
    End,
}

/// A script with these responses, one after the other; the last one is repeated.
pub(crate) fn in_turn(
    replies: impl IntoIterator<Item = Reply>,
) -> impl Fn(&Request) -> Reply + Send + Sync + 'static {
    let replies = Mutex::new(replies.into_iter().collect::<VecDeque<_>>());
    move |_| {
        let mut replies = replies.lock().unwrap();
        if replies.len() > 1 {
            replies.pop_front().unwrap()
        } else {
            replies[0].clone()
        }
    }
}

/// A script whose responses wait until the sender is dropped.
pub(crate) fn held(reply: Reply) -> (mpsc::Sender<()>, impl Fn(&Request) -> Reply + Send + Sync) {
    let (release, gate) = mpsc::channel();
    let gate = Mutex::new(gate);
    let script = move |_: &Request| {
        // It returns an error when the sender is dropped, as nothing is ever sent.
        let _ = gate.lock().unwrap().recv();
        reply.clone()
    };
    (release, script)
}
