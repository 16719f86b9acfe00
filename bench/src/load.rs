//! Requests over many connections that one thread drives, so that the server is what is measured. Bodies are counted
//! and dropped, long ones by the kernel without a copy.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::epoll;
use rustls::pki_types::{IpAddr, ServerName};
use rustls::{ClientConfig, ClientConnection};

use crate::cell::{Done, Result, Unit, p99_ms};
use crate::content::MANIFEST_TYPE;
use crate::peers::Peer;

/// A body that leaves more than this is dropped by the kernel.
const COPIED_BYTES_MAX: u64 = 64 << 10;
const BUFFER_BYTES: usize = 1 << 20;
/// A server that says nothing for this long has failed.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// A whole request, and what is known of its answer.
pub struct Request {
    bytes: Vec<u8>,
    head_only: bool,
}

impl Request {
    pub fn new(peer: &Peer, method: &str, path: &str) -> Request {
        let mut text = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAccept: {MANIFEST_TYPE}\r\n",
            peer.address
        );
        if let Some(value) = &peer.authorization {
            text.push_str(&format!("Authorization: {value}\r\n"));
        }
        text.push_str("\r\n");
        Request {
            bytes: text.into_bytes(),
            head_only: method == "HEAD",
        }
    }
}

/// How long the requests go on.
#[derive(Clone, Copy)]
pub enum Until {
    /// For so long, in turn; each connection starts at another request.
    Passed(Duration),
    /// Until each connection has sent each request once.
    AllOnce,
}

/// What came back.
pub struct Answers {
    /// Of every request that was answered.
    pub seconds: Vec<f64>,
    /// Bytes of bodies, also of those that were not finished at the end.
    pub bytes: u64,
    pub elapsed: f64,
}

impl Answers {
    pub fn done(self, unit: Unit) -> Done {
        Done {
            amount: match unit {
                Unit::Megabytes => self.bytes as f64 / 1e6,
                _ => self.seconds.len() as f64,
            },
            seconds: self.elapsed,
            p99_ms: p99_ms(self.seconds),
        }
    }
}

/// Sends the requests over so many connections at once. Every answer must be a 200.
pub fn send(
    address: SocketAddr,
    tls: Option<&Arc<ClientConfig>>,
    requests: &[Request],
    connections: usize,
    until: Until,
) -> Result<Answers> {
    let poll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let mut open = Vec::new();
    for number in 0..connections {
        let first = match until {
            Until::Passed(_) => number % requests.len(),
            Until::AllOnce => 0,
        };
        let connection = Connection::open(address, tls, first)?;
        let data = epoll::EventData::new_u64(number as u64);
        epoll::add(&poll, &connection.stream, data, epoll::EventFlags::IN)?;
        open.push(connection);
    }
    let mut answers = Answers {
        seconds: Vec::new(),
        bytes: 0,
        elapsed: 0.0,
    };
    let started = Instant::now();
    for connection in &mut open {
        connection.ask(requests)?;
    }
    let mut left = match until {
        Until::Passed(_) => usize::MAX,
        Until::AllOnce => connections * requests.len(),
    };
    let (mut buffer, mut events) = (vec![0; BUFFER_BYTES], Vec::with_capacity(64));
    let silence = rustix::event::Timespec::try_from(SILENCE_MAX)?;
    while left > 0 {
        if let Until::Passed(time) = until
            && started.elapsed() >= time
        {
            break;
        }
        events.clear();
        match epoll::wait(
            &poll,
            rustix::buffer::spare_capacity(&mut events),
            Some(&silence),
        ) {
            Ok(0) => return Err(format!("no answer for {} s", SILENCE_MAX.as_secs()).into()),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        for event in &events {
            let connection = &mut open[usize::try_from(event.data.u64())?];
            if !connection.read(&mut buffer, &mut answers.bytes)? {
                continue;
            }
            answers
                .seconds
                .push(connection.asked.elapsed().as_secs_f64());
            left -= 1;
            connection.next += 1;
            match until {
                Until::AllOnce if connection.next >= requests.len() => {}
                _ => connection.ask(requests)?,
            }
        }
    }
    answers.elapsed = started.elapsed().as_secs_f64();
    Ok(answers)
}

/// What is read of an answer.
enum State {
    /// The head so far.
    Head(Vec<u8>),
    /// Bytes of the body that are to come.
    Body(u64),
    /// The last bytes of a chunked body.
    Chunks(Vec<u8>),
}

struct Connection {
    stream: TcpStream,
    tls: Option<ClientConnection>,
    /// Which request is asked, counted on past the last one.
    next: usize,
    head_only: bool,
    asked: Instant,
    state: State,
}

impl Connection {
    fn open(
        address: SocketAddr,
        tls: Option<&Arc<ClientConfig>>,
        first: usize,
    ) -> Result<Connection> {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(SILENCE_MAX))?;
        stream.set_write_timeout(Some(SILENCE_MAX))?;
        let tls = match tls {
            None => None,
            Some(config) => {
                let name = ServerName::IpAddress(IpAddr::from(address.ip()));
                let mut tls = ClientConnection::new(Arc::clone(config), name)?;
                while tls.is_handshaking() {
                    tls.complete_io(&mut stream)?;
                }
                Some(tls)
            }
        };
        Ok(Connection {
            stream,
            tls,
            next: first,
            head_only: false,
            asked: Instant::now(),
            state: State::Head(Vec::new()),
        })
    }

    fn ask(&mut self, requests: &[Request]) -> Result<()> {
        let request = &requests[self.next % requests.len()];
        self.head_only = request.head_only;
        self.state = State::Head(Vec::new());
        self.asked = Instant::now();
        match &mut self.tls {
            None => self.stream.write_all(&request.bytes)?,
            Some(tls) => {
                tls.writer().write_all(&request.bytes)?;
                while tls.wants_write() {
                    tls.write_tls(&mut self.stream)?;
                }
            }
        }
        Ok(())
    }

    /// Reads what there is; whether the answer is complete.
    fn read(&mut self, buffer: &mut [u8], bytes: &mut u64) -> Result<bool> {
        let Some(mut tls) = self.tls.take() else {
            if let State::Body(left) = &mut self.state
                && *left > COPIED_BYTES_MAX
            {
                let want = usize::try_from(*left).unwrap_or(usize::MAX);
                let want = want.min(buffer.len());
                // With TRUNC, TCP counts the bytes and leaves the buffer alone.
                let flags = rustix::net::RecvFlags::TRUNC;
                let (_, dropped) = rustix::net::recv(&self.stream, &mut buffer[..want], flags)?;
                if dropped == 0 {
                    return Err("the server hung up within a body".into());
                }
                *left -= dropped as u64;
                *bytes += dropped as u64;
                return Ok(*left == 0);
            }
            let read = self.stream.read(&mut buffer[..64 << 10])?;
            return self.take(&buffer[..read], bytes);
        };
        if tls.read_tls(&mut self.stream)? == 0 {
            return Err("the server hung up".into());
        }
        tls.process_new_packets()?;
        let mut complete = false;
        loop {
            match tls.reader().read(buffer) {
                Ok(0) => return Err("the server hung up".into()),
                Ok(read) => complete = self.take(&buffer[..read], bytes)?,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
        }
        self.tls = Some(tls);
        Ok(complete)
    }

    /// Takes bytes of an answer; whether it is complete.
    fn take(&mut self, mut new: &[u8], bytes: &mut u64) -> Result<bool> {
        if new.is_empty() {
            return Err("the server hung up".into());
        }
        if let State::Head(head) = &mut self.state {
            let before = head.len();
            head.extend_from_slice(new);
            let Some(end) = find(head, b"\r\n\r\n") else {
                return Ok(false);
            };
            new = &new[end + 4 - before..];
            self.state = body_of(&head[..end], self.head_only)?;
        }
        match &mut self.state {
            State::Body(left) => {
                *left = left
                    .checked_sub(new.len() as u64)
                    .ok_or("a longer body than announced")?;
                *bytes += new.len() as u64;
                Ok(*left == 0)
            }
            State::Chunks(last) => {
                *bytes += new.len() as u64;
                last.extend_from_slice(new);
                let complete = last.ends_with(b"0\r\n\r\n");
                last.drain(..last.len().saturating_sub(5));
                Ok(complete)
            }
            State::Head(_) => Ok(false),
        }
    }
}

/// How much follows the head.
fn body_of(head: &[u8], head_only: bool) -> Result<State> {
    let text = std::str::from_utf8(head)?;
    let mut lines = text.split("\r\n");
    let status = lines.next().unwrap_or_default();
    if status.split(' ').nth(1) != Some("200") {
        return Err(format!("expected 200, got `{status}`").into());
    }
    if head_only {
        return Ok(State::Body(0));
    }
    let fields: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(':')).collect();
    let field = |wanted: &str| {
        let found = fields
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.trim())
    };
    match field("content-length") {
        Some(length) => Ok(State::Body(length.parse()?)),
        None if field("transfer-encoding") == Some("chunked") => Ok(State::Chunks(Vec::new())),
        None => Err("an answer without a length".into()),
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|at| at == wanted)
}
