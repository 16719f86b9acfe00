//! How clients reach this server and its registries.

use aws_types::{AccountId, Region};

use crate::registry_host::{self, RegistryHost, RegistryId};

/// Where this server is, as clients see it.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    /// The registry that a request is for when its host names none.
    pub(crate) default: RegistryId,
    /// How clients reach this server: `http://host:port`, no slash at the end.
    pub(crate) public_url: String,
    /// Whether the operator said so, and began it with `https`: then clients speak TLS, to this server
    /// or to a proxy in front of it.
    pub(crate) public_url_is_https: bool,
}

impl Names {
    /// The URL of an account's registry, for `proxyEndpoint`.
    pub(crate) fn registry_url(&self, account: &AccountId, region: &Region) -> String {
        let (scheme, _) = self.split();
        format!("{scheme}://{}", self.registry_host(account, region))
    }

    /// The origin of the console's pages, as browsers write it: in lower case, without a port that the scheme
    /// implies.
    pub(crate) fn console_origin(&self) -> String {
        let url = self.public_url.to_ascii_lowercase();
        let implied = match url.starts_with("https://") {
            true => ":443",
            false => ":80",
        };
        url.strip_suffix(implied).unwrap_or(&url).to_owned()
    }

    /// The URL below which accounts are issuers of identity tokens.
    pub(crate) fn issuers_url(&self) -> String {
        format!("{}{}", self.public_url, crate::route::ISSUERS_PATH)
    }

    /// The host (and port) of an account's registry, as image names begin.
    ///
    /// The default registry is at the public host itself. Another account or region is at
    /// `<account>.dkr.ecr.<region>.<domain>`, where the domain is the public host's; a loopback address
    /// has none and lends `localhost`, whose subdomains docker resolves to loopback as well.
    pub(crate) fn registry_host(&self, account: &AccountId, region: &Region) -> String {
        let (_, host) = self.split();
        let public = registry_host::parse(host);
        let own = match &public {
            RegistryHost::Named(named) => &named.id,
            _ => &self.default,
        };
        if own.account == *account && own.region == *region {
            return host.to_owned();
        }
        if let RegistryHost::Named(named) = public {
            return named.sibling(account, region);
        }
        let (name, port) = registry_host::split_port(host);
        match name.trim_matches(['[', ']']).parse::<std::net::IpAddr>() {
            Ok(address) if address.is_loopback() => {
                registry_host::build(account, region, &format!("localhost{port}"))
            }
            // Another address has no domain that could carry the account.
            Ok(_) => host.to_owned(),
            Err(_) => registry_host::build(account, region, host),
        }
    }

    /// The registry that a request's host names: the default one where it names none, and `None` for a
    /// host in a registry's form without account or region.
    pub(crate) fn registry_of(&self, host: &str) -> Option<RegistryId> {
        match registry_host::parse(host) {
            RegistryHost::Named(named) => Some(named.id),
            RegistryHost::Other => Some(self.default.clone()),
            // The operator's own name may hold such a label.
            RegistryHost::Malformed => {
                let (_, own) = self.split();
                own.eq_ignore_ascii_case(host).then(|| self.default.clone())
            }
        }
    }

    /// The registry of this server that a host with its port is the name of; `None` for other servers'.
    pub(crate) fn own_registry(&self, host: &str) -> Option<RegistryId> {
        let is = |id: &RegistryId| {
            let own = self.registry_host(&id.account, &id.region);
            own.eq_ignore_ascii_case(host)
        };
        match registry_host::parse(host) {
            RegistryHost::Named(named) => Some(named.id).filter(is),
            RegistryHost::Other | RegistryHost::Malformed => Some(self.default.clone()).filter(is),
        }
    }

    fn split(&self) -> (&str, &str) {
        self.public_url
            .split_once("://")
            .unwrap_or(("http", &self.public_url))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(public_url: &str) -> Names {
        Names {
            default: RegistryId {
                account: "123456789012".parse().unwrap(),
                region: "us-east-1".parse().unwrap(),
            },
            public_url: public_url.into(),
            public_url_is_https: false,
        }
    }

    #[test]
    fn the_console_has_the_origin_that_browsers_write() {
        for (url, origin) in [
            ("https://Berth.example.com:443", "https://berth.example.com"),
            (
                "https://berth.example.com:80",
                "https://berth.example.com:80",
            ),
            ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
            ("http://localhost:80", "http://localhost"),
        ] {
            assert_eq!(names(url).console_origin(), origin);
        }
    }

    #[test]
    fn registries_of_other_servers_are_not_own() {
        for (url, host) in [
            (
                "https://berth.example.com",
                "444455556666.dkr.ecr.us-east-1.amazonaws.com",
            ),
            (
                "https://berth.example.com",
                "444455556666.dkr.ecr.us-east-1.berth.example.org",
            ),
            ("https://berth.example.com", "registry.example.com"),
            ("http://127.0.0.1:5000", "127.0.0.1:5001"),
        ] {
            assert_eq!(names(url).own_registry(host), None, "{url} {host}");
        }
    }

    #[test]
    fn each_registry_has_a_host() {
        let table = [
            ("http://127.0.0.1:5000", "123456789012", "127.0.0.1:5000"),
            (
                "http://127.0.0.1:5000",
                "444455556666",
                "444455556666.dkr.ecr.us-east-1.localhost:5000",
            ),
            (
                "http://[::1]:5000",
                "444455556666",
                "444455556666.dkr.ecr.us-east-1.localhost:5000",
            ),
            ("http://10.0.0.1:5000", "444455556666", "10.0.0.1:5000"),
            (
                "https://berth.example.com",
                "123456789012",
                "berth.example.com",
            ),
            (
                "https://berth.example.com",
                "444455556666",
                "444455556666.dkr.ecr.us-east-1.berth.example.com",
            ),
            (
                "https://123456789012.dkr.ecr.us-east-1.example.com",
                "444455556666",
                "444455556666.dkr.ecr.us-east-1.example.com",
            ),
        ];
        for (url, account, host) in table {
            let region = "us-east-1".parse().unwrap();
            let found = names(url).registry_host(&account.parse().unwrap(), &region);
            assert_eq!(found, host, "{url} {account}");
            let own = names(url).own_registry(host);
            let is_told = !host.starts_with("10.") || account == "123456789012";
            let expected = RegistryId {
                account: account.parse().unwrap(),
                region: "us-east-1".parse().unwrap(),
            };
            assert_eq!(own == Some(expected), is_told, "{host}");
        }
    }
}
