//! A blocking HTTP/1.1 client on one kept-alive connection: it writes a request,
//! reads the head, and counts the body's bytes without keeping them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// An answer's head, and its body where it was asked for.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    headers: Vec<(String, String)>,
    /// The body, or nothing when it was only counted.
    pub body: Vec<u8>,
    /// The body's length in bytes.
    pub body_bytes: u64,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_str())
    }

    /// The answer, if its status is the one expected.
    pub fn expect(self, status: u16) -> std::io::Result<Answer> {
        if self.status == status {
            return Ok(self);
        }
        let text = String::from_utf8_lossy(&self.body).into_owned();
        Err(std::io::Error::other(format!(
            "expected {status}, got {}: {text}",
            self.status
        )))
    }
}

/// A connection to a server.
pub struct Client {
    stream: BufReader<TcpStream>,
    address: SocketAddr,
    /// Headers of every request, such as the authorization.
    pub common: Vec<(String, String)>,
    buffer: Vec<u8>,
}

impl Client {
    pub fn connect(address: SocketAddr) -> std::io::Result<Client> {
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(120)))?;
        stream.set_write_timeout(Some(Duration::from_secs(120)))?;
        Ok(Client {
            stream: BufReader::with_capacity(256 << 10, stream),
            address,
            common: Vec::new(),
            buffer: vec![0; 1 << 20],
        })
    }

    /// Sends a request and reads the whole answer; keeps small bodies only.
    pub fn send(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> std::io::Result<Answer> {
        self.send_parts(method, target, headers, &[body])
    }

    /// The same with a body in parts, so that large bodies that differ by little are kept once.
    pub fn send_parts(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[&[u8]],
    ) -> std::io::Result<Answer> {
        // A Location may be a whole URL; the path is what goes on the wire.
        let path = target
            .strip_prefix("http://")
            .and_then(|rest| rest.find('/').map(|at| &rest[at..]))
            .unwrap_or(target);
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.address);
        for (name, value) in self
            .common
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .chain(headers.iter().copied())
        {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let length: usize = body.iter().map(|part| part.len()).sum();
        if length > 0 || matches!(method, "POST" | "PUT" | "PATCH") {
            head.push_str(&format!("Content-Length: {length}\r\n"));
        }
        head.push_str("\r\n");
        let stream = self.stream.get_mut();
        stream.write_all(head.as_bytes())?;
        for part in body {
            stream.write_all(part)?;
        }
        self.read_answer(method == "HEAD")
    }

    /// Sends a request as it is, and reads the whole answer.
    pub fn send_as_is(&mut self, request: &[u8]) -> std::io::Result<Answer> {
        self.stream.get_mut().write_all(request)?;
        self.read_answer(false)
    }

    fn read_answer(&mut self, head_only: bool) -> std::io::Result<Answer> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status = line
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .ok_or_else(|| std::io::Error::other(format!("no status in `{}`", line.trim_end())))?;
        let mut headers = Vec::new();
        loop {
            line.clear();
            self.stream.read_line(&mut line)?;
            match line.trim_end().split_once(':') {
                Some((name, value)) => headers.push((name.to_owned(), value.trim().to_owned())),
                None => break,
            }
        }
        let mut answer = Answer {
            status,
            headers,
            body: Vec::new(),
            body_bytes: 0,
        };
        if head_only || status == 204 {
            return Ok(answer);
        }
        if answer
            .header("transfer-encoding")
            .is_some_and(|v| v.eq_ignore_ascii_case("chunked"))
        {
            loop {
                line.clear();
                self.stream.read_line(&mut line)?;
                let size = u64::from_str_radix(line.trim(), 16).map_err(std::io::Error::other)?;
                self.read_body(size, &mut answer)?;
                line.clear();
                self.stream.read_line(&mut line)?;
                if size == 0 {
                    return Ok(answer);
                }
            }
        }
        let length = answer
            .header("content-length")
            .and_then(|v| v.parse().ok())
            .unwrap_or(0);
        self.read_body(length, &mut answer)?;
        Ok(answer)
    }

    fn read_body(&mut self, length: u64, answer: &mut Answer) -> std::io::Result<()> {
        const KEPT_BYTES_MAX: u64 = 1 << 20;
        let mut left = length;
        if length > KEPT_BYTES_MAX {
            left -= self.discard(length)?;
        }
        while left > 0 {
            let want = usize::try_from(left)
                .unwrap_or(usize::MAX)
                .min(self.buffer.len());
            let read = self.stream.read(&mut self.buffer[..want])?;
            if read == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            if length <= KEPT_BYTES_MAX {
                answer.body.extend_from_slice(&self.buffer[..read]);
            }
            left -= read as u64;
        }
        answer.body_bytes += length;
        Ok(())
    }

    /// Drops a large body in the kernel without copying it, so that the server is what is measured.
    fn discard(&mut self, length: u64) -> std::io::Result<u64> {
        let buffered = (self.stream.buffer().len() as u64).min(length);
        self.stream
            .consume(usize::try_from(buffered).map_err(std::io::Error::other)?);
        let mut done = buffered;
        while done < length {
            let want = usize::try_from(length - done)
                .unwrap_or(usize::MAX)
                .min(self.buffer.len());
            let flags = rustix::net::RecvFlags::TRUNC;
            match rustix::net::recv(self.stream.get_ref(), &mut self.buffer[..want], flags) {
                // With TRUNC, TCP counts the bytes and leaves the buffer alone.
                Ok((_, 0)) => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                Ok((_, dropped)) => done += dropped as u64,
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(done)
    }
}
