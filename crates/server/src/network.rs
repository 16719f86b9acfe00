//! Addresses as shares and trusted proxies see them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The part of a client's address that identifies who is responsible for it: all 32 bits of an IPv4
/// address, the first 64 bits of an IPv6 address. One subscriber usually holds a whole /64 (RFC 6177),
/// so counting single IPv6 addresses would count nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum AddressGroup {
    V4(Ipv4Addr),
    /// The address with its last 64 bits cleared.
    V6(Ipv6Addr),
}

impl AddressGroup {
    pub(crate) fn of(address: IpAddr) -> AddressGroup {
        match address.to_canonical() {
            IpAddr::V4(address) => AddressGroup::V4(address),
            IpAddr::V6(address) => {
                AddressGroup::V6(Ipv6Addr::from(address.to_bits() & !u128::from(u64::MAX)))
            }
        }
    }
}

impl std::fmt::Display for AddressGroup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            AddressGroup::V4(address) => address.fmt(f),
            AddressGroup::V6(address) => write!(f, "{address}/64"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_ipv6_addresses_by_their_first_64_bits() {
        let group = |text: &str| AddressGroup::of(text.parse().unwrap());
        assert_eq!(group("2001:db8::1"), group("2001:db8::ffff:0:0:2"));
        assert_ne!(group("2001:db8::1"), group("2001:db8:0:1::1"));
        assert_eq!(group("::ffff:192.0.2.1"), group("192.0.2.1"));
        assert_ne!(group("192.0.2.1"), group("192.0.2.2"));
        assert_eq!(group("2001:db8::1").to_string(), "2001:db8::/64");
    }
}
