//! PROXY protocol version 2 (HAProxy, "The PROXY protocol", section 2.2): a binary header in front of a
//! connection, with the address of the client that the proxy was called by. It is looked for only on
//! connections from trusted proxies.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

/// Begins every header. No request and no TLS handshake begins so.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// Signature, version and command, family, length.
const FIXED_BYTES: usize = 16;
/// The longest rest of a header, in bytes: addresses and TLVs. The specification asks receivers for room
/// for the addresses (216 bytes); TLVs with a certificate's names stay well below this.
const REST_BYTES_MAX: usize = 4096;
/// "PP2_TYPE_SSL" (section 2.2.6).
const TYPE_SSL: u8 = 0x20;
/// "PP2_CLIENT_SSL": the client connected over TLS.
const CLIENT_SSL: u8 = 0x01;

/// What the header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Proxied {
    /// The client; `None` for a connection of the proxy's own, such as a health check.
    pub(crate) source: Option<SocketAddr>,
    /// The client spoke TLS to the proxy.
    pub(crate) tls: bool,
}

/// Reads the header that `stream` begins with. `None` leaves the stream as it is: it begins otherwise.
///
/// # Errors
/// A header that is not well-formed, and the stream's errors.
pub(crate) async fn read_header(stream: &mut TcpStream) -> io::Result<Option<Proxied>> {
    if !crate::peek::begins_with(stream, &SIGNATURE).await? {
        return Ok(None);
    }
    let mut fixed = [0; FIXED_BYTES];
    stream.read_exact(&mut fixed).await?;
    let length = usize::from(u16::from_be_bytes([fixed[14], fixed[15]]));
    if length > REST_BYTES_MAX {
        return Err(invalid("the header is too long"));
    }
    let mut rest = vec![0; length];
    stream.read_exact(&mut rest).await?;
    parse(fixed[12], fixed[13], &rest).map(Some)
}

fn invalid(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("PROXY protocol: {why}"))
}

fn parse(version_command: u8, family: u8, rest: &[u8]) -> io::Result<Proxied> {
    if version_command >> 4 != 2 {
        return Err(invalid("the version is not 2"));
    }
    let local = match version_command & 0x0f {
        0 => true,
        1 => false,
        _ => return Err(invalid("the command is unknown")),
    };
    let (source, tlvs) = match family {
        // TCP over IPv4: source, destination, source port, destination port.
        0x11 => {
            let (block, tlvs) = rest
                .split_first_chunk::<12>()
                .ok_or_else(|| invalid("cut short"))?;
            let address = Ipv4Addr::new(block[0], block[1], block[2], block[3]);
            let port = u16::from_be_bytes([block[8], block[9]]);
            (Some(SocketAddr::new(IpAddr::V4(address), port)), tlvs)
        }
        // TCP over IPv6.
        0x21 => {
            let (block, tlvs) = rest
                .split_first_chunk::<36>()
                .ok_or_else(|| invalid("cut short"))?;
            let mut octets = [0; 16];
            octets.copy_from_slice(&block[..16]);
            let port = u16::from_be_bytes([block[32], block[33]]);
            (
                Some(SocketAddr::new(IpAddr::V6(Ipv6Addr::from(octets)), port)),
                tlvs,
            )
        }
        // Unspecified, or a family that no TCP client has: "the receiver should ignore" the addresses.
        _ => (None, &[][..]),
    };
    match local {
        true => Ok(Proxied {
            source: None,
            tls: false,
        }),
        false => Ok(Proxied {
            source,
            tls: client_tls(tlvs),
        }),
    }
}

/// Looks for the TLV that says how the client connected. One that is cut short ends the search.
fn client_tls(mut tlvs: &[u8]) -> bool {
    while let Some(([kind, high, low], rest)) = tlvs.split_first_chunk::<3>() {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let Some((value, next)) = rest.split_at_checked(length) else {
            return false;
        };
        if *kind == TYPE_SSL {
            return value.first().is_some_and(|client| client & CLIENT_SSL != 0);
        }
        tlvs = next;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_source_address() {
        let v4 = [203, 0, 113, 9, 10, 0, 0, 1, 0x30, 0x39, 0x01, 0xbb];
        let expected = Proxied {
            source: Some("203.0.113.9:12345".parse().unwrap()),
            tls: false,
        };
        assert_eq!(parse(0x21, 0x11, &v4).unwrap(), expected);

        let tls = [
            &v4[..],
            &[0x04, 0, 1, 9],
            &[TYPE_SSL, 0, 5, CLIENT_SSL, 0, 0, 0, 0],
        ]
        .concat();
        assert_eq!(
            parse(0x21, 0x11, &tls).unwrap(),
            Proxied {
                tls: true,
                ..expected
            }
        );
        let cut = [&v4[..], &[TYPE_SSL, 0, 5, CLIENT_SSL]].concat();
        assert_eq!(parse(0x21, 0x11, &cut).unwrap(), expected);

        let mut v6 = [0; 36];
        v6[..16].copy_from_slice(&"2001:db8::1".parse::<Ipv6Addr>().unwrap().octets());
        v6[33] = 80;
        let source = Some("[2001:db8::1]:80".parse().unwrap());
        assert_eq!(parse(0x21, 0x21, &v6).unwrap().source, source);

        // A health check of the proxy's own, and a family without addresses.
        assert_eq!(parse(0x20, 0x11, &v4).unwrap().source, None);
        assert_eq!(parse(0x21, 0x00, &[]).unwrap().source, None);
    }

    #[test]
    fn refuses_what_is_not_well_formed() {
        assert!(parse(0x11, 0x11, &[0; 12]).is_err(), "version 1");
        assert!(parse(0x22, 0x11, &[0; 12]).is_err(), "unknown command");
        assert!(parse(0x21, 0x11, &[0; 11]).is_err(), "cut short");
        assert!(parse(0x21, 0x21, &[0; 35]).is_err(), "cut short");
    }
}
