//! Which local user is at the other end of a connection, by the kernel's table of sockets (proc(5),
//! `/proc/net/tcp`).

use std::io::{self, BufRead};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::users::OVERFLOW_UID;

/// `ESTABLISHED` (Linux, `include/net/tcp_states.h`).
const ESTABLISHED: &str = "01";

/// The longest line that is read. The kernel's have about 150 characters.
const LINE_BYTES_MAX: u64 = 512;

/// The user whose socket has `peer` as its own address and `local` as its peer's. `None`: no socket of this
/// host's network namespace, or one that nobody holds any more.
///
/// # Errors
/// The table cannot be read.
pub fn user_of(peer: SocketAddr, local: SocketAddr) -> io::Result<Option<u32>> {
    // A connection over IPv4 may stand in either table, by the kind of its client's socket.
    for path in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let table = match std::fs::File::open(path) {
            Ok(table) => table,
            // A kernel without IPv6.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        if let Some(uid) = find(io::BufReader::new(table), peer, local)? {
            return Ok(Some(uid));
        }
    }
    Ok(None)
}

/// The user of the socket in one table.
///
/// # Errors
/// The table cannot be read.
pub fn find(
    mut table: impl BufRead,
    peer: SocketAddr,
    local: SocketAddr,
) -> io::Result<Option<u32>> {
    let (peer, local) = (canonical(peer), canonical(local));
    let mut line = Vec::with_capacity(256);
    loop {
        line.clear();
        let read = io::Read::take(&mut table, LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(None);
        }
        let Some(socket) = std::str::from_utf8(&line).ok().and_then(parse) else {
            continue;
        };
        if (socket.own, socket.remote) == (peer, local) {
            return Ok(socket.user());
        }
    }
}

/// A line of the table.
struct Socket<'a> {
    own: SocketAddr,
    remote: SocketAddr,
    state: &'a str,
    uid: u32,
    inode: u64,
}

impl Socket<'_> {
    /// A socket that no process holds is shown as root's, with inode 0: after `close` a stranger's would
    /// be taken for root's. So only a connected socket that is held counts.
    fn user(&self) -> Option<u32> {
        let held = self.state == ESTABLISHED && self.inode != 0 && self.uid != OVERFLOW_UID;
        held.then_some(self.uid)
    }
}

/// `sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode …`
fn parse(line: &str) -> Option<Socket<'_>> {
    let mut fields = line.split_ascii_whitespace();
    let own = address(fields.nth(1)?)?;
    let remote = address(fields.next()?)?;
    let state = fields.next()?;
    let uid = fields.nth(3)?.parse().ok()?;
    let inode = fields.nth(1)?.parse().ok()?;
    Some(Socket {
        own,
        remote,
        state,
        uid,
        inode,
    })
}

/// `0100007F:1F90`: the address as words in the host's byte order, the port as a number.
fn address(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| {
        let digits = address.get(at * 8..at * 8 + 8)?;
        Some(u32::from_str_radix(digits, 16).ok()?.to_ne_bytes())
    };
    let ip = match address.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
        32 => {
            let mut octets = [0; 16];
            for (at, part) in octets.chunks_exact_mut(4).enumerate() {
                part.copy_from_slice(&word(at)?);
            }
            IpAddr::V6(Ipv6Addr::from(octets))
        }
        _ => return None,
    };
    Some(canonical(SocketAddr::new(ip, port)))
}

/// IPv4-mapped addresses as IPv4, without a zone.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::{TcpListener, TcpStream};

    const HEAD: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

    fn table(lines: &[&str]) -> String {
        format!("{HEAD}{}\n", lines.join("\n"))
    }

    fn look(text: &str) -> Option<u32> {
        let peer = "127.0.0.1:40000".parse().unwrap();
        let local = "127.0.0.1:1338".parse().unwrap();
        find(text.as_bytes(), peer, local).unwrap()
    }

    #[test]
    fn finds_the_client_and_not_the_server() {
        let server = "   0: 0100007F:053A 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 111 1 0";
        let client = "   1: 0100007F:9C40 0100007F:053A 01 00000000:00000000 00:00000000 00000000  1000        0 222 1 0";
        assert_eq!(look(&table(&[server, client])), Some(1000));
        assert_eq!(look(&table(&[server])), None);
        assert_eq!(look(HEAD), None);
        assert_eq!(look(""), None);
    }

    #[test]
    fn finds_a_mapped_address_in_the_table_of_ipv6() {
        let client = "   1: 0000000000000000FFFF00000100007F:9C40 0000000000000000FFFF00000100007F:053A 01 00000000:00000000 00:00000000 00000000  1001        0 222 1 0";
        assert_eq!(look(&table(&[client])), Some(1001));
    }

    /// Trap: only named local users get credentials. A socket that was closed is shown as root's.
    #[test]
    fn a_socket_that_nobody_holds_is_nobody() {
        for (state, uid, inode) in [
            ("06", 0, 0),
            ("05", 0, 0),
            ("01", 0, 0),
            ("04", 0, 0),
            ("08", 1000, 5),
        ] {
            let line = format!(
                "   1: 0100007F:9C40 0100007F:053A {state} 00000000:00000000 00:00000000 00000000 {uid:5}        0 {inode} 1 0"
            );
            assert_eq!(look(&table(&[&line])), None, "{line}");
        }
        let unknown = "   1: 0100007F:9C40 0100007F:053A 01 00000000:00000000 00:00000000 00000000 65534        0 222 1 0";
        assert_eq!(look(&table(&[unknown])), None);
    }

    #[test]
    fn a_real_connection_is_this_users() {
        for listen in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(listen) else {
                // No IPv6 here.
                continue;
            };
            let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (server, peer) = listener.accept().unwrap();
            let local = server.local_addr().unwrap();
            let own = rustix::process::geteuid().as_raw();
            assert_eq!(user_of(peer, local).unwrap(), Some(own), "{listen}");
            drop(client);
            assert_eq!(user_of(peer, local).unwrap(), None, "{listen}");
        }
    }

    proptest! {
        #[test]
        fn any_table_is_read(text in "[ 0-9A-F:\n]{0,400}") {
            let _ = look(&text);
        }
    }
}
