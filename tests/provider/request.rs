//! A request as it came over the wire, and how it is read.

use std::io::{self, BufRead, BufReader, Read};

use rustls::ProtocolVersion;

use super::Stream;

/// A request as it came over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// The number of its connection; the first is 1.
    pub(crate) connection: usize,
    pub(crate) tls: ProtocolVersion,
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    /// Names as they were sent, in their order.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// The next request of a connection; `None` when the client closed it.
pub(super) fn read(
    reader: &mut BufReader<Stream>,
    connection: usize,
) -> io::Result<Option<Request>> {
    let Some(start) = line(reader)? else {
        return Ok(None);
    };
    let mut words = start.splitn(3, ' ').map(str::to_owned);
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let mut headers = Vec::new();
    while let Some(line) = line(reader)?.filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').unwrap();
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let length = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some(Request {
        connection,
        tls: reader.get_ref().conn.protocol_version().unwrap(),
        method,
        target,
        headers,
        body: String::from_utf8(body).unwrap(),
    }))
}

fn line(reader: &mut BufReader<Stream>) -> io::Result<Option<String>> {
    let mut line = String::new();
    let length = reader.read_line(&mut line)?;
    Ok((length > 0).then(|| line.trim_end().to_owned()))
}
