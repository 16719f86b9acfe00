//! What a request's headers must be before anything else is looked at.

use http::header::{HOST, ORIGIN};
use http::{HeaderMap, Uri};

/// The values of `Host` that name this service: nothing else is answered, so that a web page whose name an
/// attacker points here (DNS rebinding) reads nothing.
#[derive(Clone, Debug)]
pub struct Hosts(Vec<String>);

impl Hosts {
    /// The names of a service at this address.
    #[must_use]
    pub fn of(address: std::net::SocketAddr) -> Hosts {
        let ip = match address.ip() {
            std::net::IpAddr::V4(ip) => ip.to_string(),
            std::net::IpAddr::V6(ip) => format!("[{ip}]"),
        };
        let mut names = vec![ip];
        if address.ip().is_loopback() {
            names.push("localhost".to_owned());
        }
        let port = address.port();
        let mut hosts: Vec<String> = names.iter().map(|name| format!("{name}:{port}")).collect();
        if port == 80 {
            hosts.extend(names);
        }
        Hosts(hosts)
    }

    fn contains(&self, host: &str) -> bool {
        self.0.iter().any(|known| known.eq_ignore_ascii_case(host))
    }
}

/// Why a request is not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not exactly one `Host` of the service.
    Host,
    /// It came through a proxy, which would lend its place on this host to others.
    Forwarded,
    /// A web page sent it.
    Browser,
}

/// Checks the headers.
///
/// # Errors
/// [`Refusal`].
pub fn check(hosts: &Hosts, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
    // `GET http://…`: the form that proxies are sent.
    if uri.authority().is_some() {
        return Err(Refusal::Forwarded);
    }
    let mut named = headers.get_all(HOST).iter();
    let host = named.next().and_then(|host| host.to_str().ok());
    if named.next().is_some() || !host.is_some_and(|host| hosts.contains(host)) {
        return Err(Refusal::Host);
    }
    // EC2 refuses the first; the others say the same (RFC 7239, RFC 9110 section 7.6.3).
    if ["x-forwarded-for", "forwarded", "via"]
        .iter()
        .any(|name| headers.contains_key(*name))
    {
        return Err(Refusal::Forwarded);
    }
    if headers.contains_key(ORIGIN) || headers.contains_key("sec-fetch-site") {
        return Err(Refusal::Browser);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(listen: &str, headers: &[(&'static str, &str)]) -> Result<(), Refusal> {
        let hosts = Hosts::of(listen.parse().unwrap());
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        check(&hosts, &Uri::from_static("/latest/api/token"), &map)
    }

    /// Trap: an exact list of hosts, against DNS rebinding.
    #[test]
    fn takes_its_own_names_only() {
        for (listen, host) in [
            ("127.0.0.1:1338", "127.0.0.1:1338"),
            ("127.0.0.1:1338", "LocalHost:1338"),
            ("169.254.169.254:80", "169.254.169.254"),
            ("169.254.169.254:80", "169.254.169.254:80"),
            ("[::1]:1338", "[::1]:1338"),
        ] {
            assert_eq!(checked(listen, &[("host", host)]), Ok(()), "{host}");
        }
        for (listen, host) in [
            ("127.0.0.1:1338", "evil.example:1338"),
            ("127.0.0.1:1338", "127.0.0.1"),
            ("127.0.0.1:1338", "127.0.0.1:80"),
            ("127.0.0.1:1338", "127.0.0.1.evil.example:1338"),
            ("127.0.0.1:1338", "127.0.0.2:1338"),
            ("127.0.0.1:1338", "0x7f.1:1338"),
            ("127.0.0.1:1338", ""),
            ("169.254.169.254:80", "localhost"),
            ("169.254.169.254:80", "169.254.169.254."),
        ] {
            assert_eq!(
                checked(listen, &[("host", host)]),
                Err(Refusal::Host),
                "{host}"
            );
        }
        assert_eq!(checked("127.0.0.1:1338", &[]), Err(Refusal::Host));
        let twice = [("host", "127.0.0.1:1338"), ("host", "127.0.0.1:1338")];
        assert_eq!(checked("127.0.0.1:1338", &twice), Err(Refusal::Host));
    }

    /// Trap: `X-Forwarded-For` is refused; no CORS.
    #[test]
    fn refuses_proxies_and_browsers() {
        let with = |name: &'static str, value| {
            checked(
                "127.0.0.1:1338",
                &[("host", "127.0.0.1:1338"), (name, value)],
            )
        };
        for name in ["x-forwarded-for", "forwarded", "via"] {
            assert_eq!(with(name, "10.0.0.1"), Err(Refusal::Forwarded), "{name}");
            assert_eq!(with(name, ""), Err(Refusal::Forwarded), "{name}");
        }
        assert_eq!(
            with("origin", "http://127.0.0.1:1338"),
            Err(Refusal::Browser)
        );
        assert_eq!(with("sec-fetch-site", "none"), Err(Refusal::Browser));
        let hosts = Hosts::of("127.0.0.1:1338".parse().unwrap());
        let uri = Uri::from_static("http://127.0.0.1:1338/latest/");
        assert_eq!(
            check(&hosts, &uri, &HeaderMap::new()),
            Err(Refusal::Forwarded)
        );
    }
}
