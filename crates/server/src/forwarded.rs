//! What a trusted proxy says about its client: `X-Forwarded-For` and `X-Forwarded-Proto`.
//!
//! Anyone can send these headers, so they count only when the connection comes from an address of
//! `--trusted-proxy`, and only as far as trusted proxies wrote them.

use std::net::{IpAddr, SocketAddr};

use aws_types::Cidr;

/// The most entries of `X-Forwarded-For` that are looked at.
const HOPS_MAX: usize = 32;

/// The proxies whose word about a client is believed.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrustedProxies(Vec<Cidr>);

impl TrustedProxies {
    pub(crate) fn new(ranges: Vec<Cidr>) -> TrustedProxies {
        TrustedProxies(ranges)
    }

    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|range| range.contains(address))
    }

    /// The client's address, for a request that came from `peer` with these `X-Forwarded-For` values.
    ///
    /// Each proxy appends the address that it was called from, so the entries are read from the right:
    /// trusted proxies are skipped, and the first other address is the client. What stands left of it is
    /// the client's own claim. An entry that is no address ends the search at the proxy that wrote it.
    pub(crate) fn client<'a>(
        &self,
        peer: IpAddr,
        forwarded_for: impl DoubleEndedIterator<Item = &'a str>,
    ) -> IpAddr {
        let mut client = peer;
        if !self.contains(peer) {
            return client;
        }
        let entries = forwarded_for.rev().flat_map(|value| value.rsplit(','));
        for entry in entries.take(HOPS_MAX) {
            match entry_address(entry.trim()) {
                Some(address) => client = address.to_canonical(),
                None => break,
            }
            if !self.contains(client) {
                break;
            }
        }
        client
    }

    /// Whether the client spoke TLS to the proxy; `None` when no trusted proxy says. The last value
    /// counts: it is the one that the proxy in front of this server wrote or passed on.
    pub(crate) fn is_https<'a>(
        &self,
        peer: IpAddr,
        forwarded_proto: impl DoubleEndedIterator<Item = &'a str>,
    ) -> Option<bool> {
        if !self.contains(peer) {
            return None;
        }
        let last = forwarded_proto
            .rev()
            .flat_map(|value| value.rsplit(','))
            .next()?;
        match last.trim() {
            proto if proto.eq_ignore_ascii_case("https") => Some(true),
            proto if proto.eq_ignore_ascii_case("http") => Some(false),
            _ => None,
        }
    }
}

/// An entry is an address, and with some proxies an address and a port.
fn entry_address(entry: &str) -> Option<IpAddr> {
    if let Ok(address) = entry.parse::<IpAddr>() {
        return Some(address);
    }
    if let Ok(address) = entry.parse::<SocketAddr>() {
        return Some(address.ip());
    }
    entry.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusted() -> TrustedProxies {
        TrustedProxies::new(vec!["10.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()])
    }

    #[test]
    fn takes_the_first_untrusted_address_from_the_right() {
        for (peer, values, client) in [
            ("10.0.0.1", vec!["203.0.113.9"], "203.0.113.9"),
            ("::ffff:10.0.0.1", vec!["203.0.113.9"], "203.0.113.9"),
            // What the client itself claims stands further left.
            ("10.0.0.1", vec!["1.2.3.4, 203.0.113.9"], "203.0.113.9"),
            (
                "10.0.0.1",
                vec!["1.2.3.4", "203.0.113.9, 10.0.0.2"],
                "203.0.113.9",
            ),
            ("10.0.0.1", vec!["203.0.113.9:1234"], "203.0.113.9"),
            ("10.0.0.1", vec!["[2001:db8::1]:1234"], "2001:db8::1"),
            ("10.0.0.1", vec!["[2001:db8::1]"], "2001:db8::1"),
            ("10.0.0.1", vec!["::ffff:203.0.113.9"], "203.0.113.9"),
            // Nobody else is named.
            ("10.0.0.1", vec![], "10.0.0.1"),
            ("10.0.0.1", vec!["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            // No address: the proxy that passed it on is the last one known.
            ("10.0.0.1", vec!["203.0.113.9, unknown"], "10.0.0.1"),
            (
                "10.0.0.1",
                vec!["203.0.113.9, unknown, 10.0.0.2"],
                "10.0.0.2",
            ),
            ("10.0.0.1", vec![""], "10.0.0.1"),
            // Not a proxy: its word counts for nothing.
            ("192.0.2.1", vec!["203.0.113.9"], "192.0.2.1"),
        ] {
            let found = trusted().client(peer.parse().unwrap(), values.iter().copied());
            assert_eq!(
                found,
                client.parse::<IpAddr>().unwrap().to_canonical(),
                "{peer} {values:?}"
            );
        }
        let hops = vec!["10.0.0.2"; 10_000].join(",");
        let found = trusted().client("10.0.0.1".parse().unwrap(), [hops.as_str()].into_iter());
        assert_eq!(found, "10.0.0.2".parse::<IpAddr>().unwrap());
    }

    #[test]
    fn takes_the_scheme_from_trusted_proxies_only() {
        for (peer, values, https) in [
            ("10.0.0.1", vec!["https"], Some(true)),
            ("10.0.0.1", vec!["HTTP"], Some(false)),
            ("10.0.0.1", vec!["http", "http, https"], Some(true)),
            ("10.0.0.1", vec!["gopher"], None),
            ("10.0.0.1", vec![], None),
            ("192.0.2.1", vec!["https"], None),
        ] {
            let found = trusted().is_https(peer.parse().unwrap(), values.iter().copied());
            assert_eq!(found, https, "{peer} {values:?}");
        }
    }
}
