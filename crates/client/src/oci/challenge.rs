//! `WWW-Authenticate` (RFC 9110, section 11.6.1; RFC 6750, section 3).

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// How a registry wants to be spoken to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    Basic,
    Bearer {
        realm: String,
        service: Option<String>,
    },
}

impl Challenge {
    /// The best of those offered: a token, or Basic.
    pub fn choose(offered: &[&str]) -> Option<Challenge> {
        let parsed: Vec<_> = offered.iter().filter_map(|one| parse(one)).collect();
        let mut parsed = parsed.into_iter();
        let first = parsed.next()?;
        match first {
            Challenge::Basic => Some(parsed.find(|one| *one != Challenge::Basic).unwrap_or(first)),
            bearer => Some(bearer),
        }
    }
}

fn parse(header: &str) -> Option<Challenge> {
    let (scheme, parameters) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
    if scheme.eq_ignore_ascii_case("basic") {
        return Some(Challenge::Basic);
    }
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let (mut realm, mut service) = (None, None);
    let mut rest = parameters;
    while let Some((name, after)) = rest.split_once('=') {
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_once(',').unwrap_or((after, "")),
        };
        match name.trim_matches([' ', ',']).to_ascii_lowercase().as_str() {
            "realm" => realm = Some(value.to_owned()),
            "service" => service = Some(value.to_owned()),
            _ => {}
        }
        rest = after;
    }
    Some(Challenge::Bearer {
        realm: realm?,
        service,
    })
}

/// A URL with further parameters.
pub(super) fn with_parameters<'a>(
    url: &str,
    parameters: impl Iterator<Item = (&'a str, &'a str)>,
) -> String {
    let mut url = url.to_owned();
    for (name, value) in parameters {
        url.push(if url.contains('?') { '&' } else { '?' });
        url.push_str(name);
        url.push('=');
        url.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_registries_offer() {
        let bearer = |realm: &str, service: Option<&str>| Challenge::Bearer {
            realm: realm.to_owned(),
            service: service.map(str::to_owned),
        };
        let hub = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push""#;
        let both = [r#"Basic realm="x""#, "bearer realm=https://a/t"];
        for (offered, expected) in [
            (
                &[hub][..],
                Some(bearer(
                    "https://auth.docker.io/token",
                    Some("registry.docker.io"),
                )),
            ),
            (&both, Some(bearer("https://a/t", None))),
            (
                &[r#"Basic realm="https://x/",service="ecr.amazonaws.com""#],
                Some(Challenge::Basic),
            ),
            (&["Negotiate", "Bearer"], None),
            (&["Bearer realm=\"open"], None),
        ] {
            assert_eq!(Challenge::choose(offered), expected, "{offered:?}");
        }
    }

    #[test]
    fn parameters_are_encoded() {
        let url = with_parameters(
            "https://a/t?x=1",
            [("scope", "repository:a/b:pull")].into_iter(),
        );
        assert_eq!(url, "https://a/t?x=1&scope=repository%3Aa%2Fb%3Apull");
    }
}
