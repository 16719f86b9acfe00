//! A small HTTP/1.1 client over a plain socket: one request, one connection.
//!
//! The demo plays the clients' side, and needs of HTTP only what this server answers.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// The longest wait for the server's next bytes.
const IDLE_MAX: Duration = Duration::from_secs(30);
/// An answer's body, in bytes: more than the demo's largest layer.
const BODY_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// A line of an answer's head, and the number of them.
const LINE_BYTES_MAX: u64 = 64 * 1024;
const HEADERS_MAX: usize = 128;
/// Bytes of a body that are sent between two reports of progress.
const SEND_BYTES: usize = 256 * 1024;

/// An answer.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    /// A header's value; names in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// A request. `headers` lack `Host` and `Content-Length`, which [`send`] sets.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub method: &'a str,
    /// Path and query.
    pub target: &'a str,
    pub headers: &'a [(&'a str, &'a str)],
    pub body: &'a [u8],
}

/// Sends a request and reads its answer; `progress` hears of each piece of the body that is sent.
pub fn send(
    address: SocketAddr,
    request: &Request<'_>,
    mut progress: impl FnMut(u64),
) -> io::Result<Response> {
    let mut stream = TcpStream::connect_timeout(&address, IDLE_MAX)?;
    stream.set_read_timeout(Some(IDLE_MAX))?;
    stream.set_write_timeout(Some(IDLE_MAX))?;
    stream.set_nodelay(true)?;
    let mut head = format!(
        "{} {} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n",
        request.method,
        request.target,
        request.body.len()
    );
    for (name, value) in request.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    for piece in request.body.chunks(SEND_BYTES) {
        stream.write_all(piece)?;
        progress(piece.len() as u64);
    }
    let mut reader = BufReader::new(stream);
    read(&mut reader, request.method == "HEAD")
}

fn read(reader: &mut impl BufRead, head_only: bool) -> io::Result<Response> {
    let status_line = line(reader)?;
    let status = status_line
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .ok_or_else(|| bad("the answer begins with no status"))?;
    let mut headers = Vec::new();
    loop {
        let line = line(reader)?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line
            .split_once(':')
            .ok_or_else(|| bad("a header has no colon"))?;
        headers.push((name.to_owned(), value.trim().to_owned()));
        if headers.len() > HEADERS_MAX {
            return Err(bad("too many headers"));
        }
    }
    let mut response = Response {
        status,
        headers,
        body: Vec::new(),
    };
    if head_only || status == 204 || status == 304 {
        return Ok(response);
    }
    let chunked = response
        .header("transfer-encoding")
        .is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"));
    let length = match response.header("content-length") {
        Some(length) => Some(
            length
                .parse::<u64>()
                .map_err(|_| bad("the length is no number"))?,
        ),
        None => None,
    };
    response.body = match (chunked, length) {
        (true, _) => chunks(reader)?,
        (false, Some(length)) => exactly(reader, length)?,
        (false, None) => {
            let mut body = Vec::new();
            reader.take(BODY_BYTES_MAX).read_to_end(&mut body)?;
            body
        }
    };
    Ok(response)
}

fn chunks(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = line(reader)?;
        let size = size.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(size, 16).map_err(|_| bad("a chunk has no size"))?;
        if size == 0 {
            // Trailers, of which there are none, and the end.
            while !line(reader)?.is_empty() {}
            return Ok(body);
        }
        if body.len() as u64 + size > BODY_BYTES_MAX {
            return Err(bad("the answer is too long"));
        }
        body.append(&mut exactly(reader, size)?);
        line(reader)?;
    }
}

fn exactly(reader: &mut impl Read, length: u64) -> io::Result<Vec<u8>> {
    if length > BODY_BYTES_MAX {
        return Err(bad("the answer is too long"));
    }
    let mut body = Vec::new();
    reader.take(length).read_to_end(&mut body)?;
    match body.len() as u64 == length {
        true => Ok(body),
        false => Err(bad("the answer was cut")),
    }
}

fn line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    reader.take(LINE_BYTES_MAX).read_line(&mut line)?;
    match line.strip_suffix('\n') {
        Some(line) => Ok(line.strip_suffix('\r').unwrap_or(line).to_owned()),
        None => Err(bad("the answer was cut")),
    }
}

fn bad(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<(u16, String), String> {
        let response = read(&mut text.as_bytes(), false).map_err(|error| error.to_string())?;
        Ok((response.status, String::from_utf8(response.body).unwrap()))
    }

    #[test]
    fn answers_in_each_framing() {
        for (text, expected) in [
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
                Ok((200, "hi")),
            ),
            (
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nh\r\n1;x=y\r\ni\r\n0\r\n\r\n",
                Ok((200, "hi")),
            ),
            (
                "HTTP/1.1 403 Forbidden\r\n\r\nto the end",
                Ok((403, "to the end")),
            ),
            ("HTTP/1.1 204 No Content\r\n\r\n", Ok((204, ""))),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi",
                Err("the answer was cut"),
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
                Err("the answer is too long"),
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n",
                Err("the answer is too long"),
            ),
            ("HTTP/1.1 200 OK\r\n", Err("the answer was cut")),
            ("nonsense\r\n\r\n", Err("the answer begins with no status")),
        ] {
            let expected = expected
                .map(|(s, b)| (s, b.to_owned()))
                .map_err(str::to_owned);
            assert_eq!(parse(text), expected, "{text:?}");
        }
    }
}
