//! Option values that are more than text.

use std::path::PathBuf;
use std::str::FromStr;

use aws_types::AccountId;
use identity::Quota;

/// `http://host[:port]` or `https://host[:port]`, without a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// The URL, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "expected http://HOST[:PORT] or https://HOST[:PORT]".to_owned();
        let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
        let host = rest.strip_suffix('/').unwrap_or(rest);
        let scheme = scheme.to_ascii_lowercase();
        let (name, port) = match host.rsplit_once(':') {
            // The colons inside `[::1]` are the address's own.
            Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
            _ => (host, None),
        };
        let sound_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port != 0));
        let sound_name = match name
            .strip_prefix('[')
            .and_then(|name| name.strip_suffix(']'))
        {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => {
                !name.is_empty()
                    && name
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
            }
        };
        if (scheme == "http" || scheme == "https") && sound_name && sound_port {
            Ok(PublicUrl(format!(
                "{scheme}://{}",
                host.to_ascii_lowercase()
            )))
        } else {
            Err(wrong())
        }
    }
}

/// A database's URL. It may hold a password, so it shows nothing but its scheme.
#[derive(Clone)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The URL as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:…", self.0.split(':').next().unwrap_or_default())
    }
}

impl FromStr for DatabaseUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = ["sqlite:", "postgres://", "postgresql://"];
        if known
            .iter()
            .any(|scheme| text.len() > scheme.len() && text.starts_with(scheme))
        {
            return Ok(DatabaseUrl(text.to_owned()));
        }
        Err("expected sqlite:PATH or postgres://USER@HOST/NAME".to_owned())
    }
}

/// A number of bytes: `1073741824`, `512K`, `500M`, `1G`, `2T`; the units are powers of 1,024, and may be
/// followed by `iB` or `B`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteSize(u64);

impl ByteSize {
    /// The number of bytes.
    pub fn bytes(self) -> u64 {
        self.0
    }
}

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "expected a size such as 500M or 2G".to_owned();
        let digits = text
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let unit = unit.trim().to_ascii_uppercase();
        let unit = unit.strip_suffix('B').unwrap_or(&unit);
        let shift = match unit.strip_suffix('I').unwrap_or(unit) {
            "" => 0,
            "K" => 10,
            "M" => 20,
            "G" => 30,
            "T" => 40,
            _ => return Err(wrong()),
        };
        let number: u64 = number.parse().map_err(|_| wrong())?;
        number
            .checked_mul(1 << shift)
            .map(ByteSize)
            .ok_or_else(wrong)
    }
}

/// A quota of IAM by its name.
pub fn quota(name: &str) -> Result<Quota, String> {
    Quota::of_name(name).ok_or_else(|| {
        let names: Vec<&str> = Quota::ALL.iter().map(|quota| quota.name()).collect();
        format!("expected one of {}", names.join(", "))
    })
}

/// `NAME=VALUE`.
pub fn quota_value(text: &str) -> Result<(Quota, i64), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    let quota = quota(name)?;
    let most = quota.greatest();
    match value.parse() {
        Ok(value) if (0..=most).contains(&value) => Ok((quota, value)),
        _ => Err(format!("expected a number from 0 to {most}")),
    }
}

/// The directory that a blob store's URL names.
pub fn blobs_directory(text: &str) -> Result<PathBuf, String> {
    if let Some(path) = text.strip_prefix("dir:").filter(|path| !path.is_empty()) {
        return Ok(PathBuf::from(path));
    }
    if text.starts_with("s3:") {
        return Err("S3-compatible stores are not built yet: use dir:PATH".to_owned());
    }
    Err("expected dir:PATH".to_owned())
}

/// `OLD=NEW`: two account ids.
pub fn account_pair(text: &str) -> Result<(AccountId, AccountId), String> {
    let parse = |id: &str| {
        let parsed = id.parse::<AccountId>();
        parsed.map_err(|_| format!("`{id}` is no account id: it has twelve digits"))
    };
    let (old, new) = text.split_once('=').ok_or("write it as OLD=NEW")?;
    Ok((parse(old)?, parse(new)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_urls() {
        for (text, taken) in [
            ("http://localhost:5000", Some("http://localhost:5000")),
            (
                "https://Registry.Example.com/",
                Some("https://registry.example.com"),
            ),
            ("https://[::1]:443", Some("https://[::1]:443")),
            ("https://[::1]", Some("https://[::1]")),
            ("ftp://host", None),
            ("host:5000", None),
            ("http://", None),
            ("http://host/path", None),
            ("http://host:0", None),
            ("http://host:99999", None),
            ("http://user@host", None),
            ("http://a b", None),
            ("http://[host]", None),
        ] {
            let parsed = text.parse::<PublicUrl>().ok();
            assert_eq!(parsed.as_ref().map(PublicUrl::as_str), taken, "{text}");
        }
    }

    #[test]
    fn byte_sizes() {
        for (text, bytes) in [
            ("0", Some(0)),
            ("512", Some(512)),
            ("1K", Some(1024)),
            ("500M", Some(500 << 20)),
            ("1GiB", Some(1 << 30)),
            ("2 gb", Some(2 << 30)),
            ("3T", Some(3 << 40)),
            ("", None),
            ("G", None),
            ("-1", None),
            ("1.5G", None),
            ("1X", None),
            ("99999999999T", None),
        ] {
            assert_eq!(
                text.parse::<ByteSize>().ok().map(ByteSize::bytes),
                bytes,
                "{text}"
            );
        }
    }

    #[test]
    fn blob_directories() {
        assert_eq!(blobs_directory("dir:/srv/b"), Ok(PathBuf::from("/srv/b")));
        assert!(blobs_directory("dir:").is_err());
        assert!(blobs_directory("/srv/b").is_err());
        assert!(
            blobs_directory("s3://bucket")
                .unwrap_err()
                .contains("not built yet")
        );
    }
}
