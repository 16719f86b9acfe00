//! Routes a request: to its answer, or to the question that the server must be asked first.

use http::{HeaderMap, Method};
use jiff::Timestamp;

use super::documents::Instance;
use super::tokens::{TTL_SECONDS_MAX, Tokens};
use crate::Error;

/// In the request that makes a token, and in its answer.
const TTL_HEADER: &str = "x-aws-ec2-metadata-token-ttl-seconds";
/// In every other request.
const TOKEN_HEADER: &str = "x-aws-ec2-metadata-token";

/// The longest path that is looked at.
const PATH_BYTES_MAX: usize = 512;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
    /// The seconds that the token is good for.
    pub ttl: Option<u32>,
    /// The body is JSON.
    pub json: bool,
}

impl Answer {
    /// A text.
    pub fn text(status: u16, body: impl Into<String>) -> Answer {
        Answer {
            status,
            body: body.into(),
            ttl: None,
            json: false,
        }
    }

    /// Of a host whose server says no: it has no role, as an instance without a profile. While the server is
    /// away the client may try again.
    pub(crate) fn unavailable(error: &Error) -> Answer {
        tracing::warn!(%error, "there are no credentials to give out");
        match error {
            Error::Refused { .. } => Answer::text(404, "Not Found"),
            _ => Answer::text(503, "Service Unavailable"),
        }
    }
}

/// What the host's role must be known for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wants {
    /// `iam/info`
    Info,
    /// The role's name.
    RoleName,
    /// The credentials of the role of this name, and whether the account is a part of the answer.
    Credentials(String, bool),
}

/// Answers a request of this user, or says what the answer needs.
///
/// # Errors
/// [`Wants`], which is no failure: the caller asks the server and answers.
pub fn respond(
    method: &Method,
    path: &str,
    headers: &HeaderMap,
    uid: u32,
    tokens: &Tokens,
    instance: &Instance,
    now: Timestamp,
) -> Result<Answer, Wants> {
    if path.len() > PATH_BYTES_MAX {
        return Ok(Answer::text(404, "Not Found"));
    }
    if path == "/latest/api/token" {
        return Ok(match *method {
            Method::PUT => token(headers, uid, tokens, now),
            _ => Answer::text(405, "Method Not Allowed"),
        });
    }
    if *method != Method::GET {
        return Ok(Answer::text(405, "Method Not Allowed"));
    }
    // Version 1 is off: without a token there is nothing to read, not even whether a path exists.
    let token = one(headers, TOKEN_HEADER).unwrap_or_default();
    let Some(left) = tokens.seconds_left(token, uid, now) else {
        return Ok(Answer::text(401, "Unauthorized"));
    };
    let mut answer = read(path, instance)?;
    answer.ttl = Some(left);
    Ok(answer)
}

fn token(headers: &HeaderMap, uid: u32, tokens: &Tokens, now: Timestamp) -> Answer {
    let ttl = one(headers, TTL_HEADER)
        .filter(|text| text.len() <= 5 && text.bytes().all(|digit| digit.is_ascii_digit()))
        .and_then(|text| text.parse().ok())
        .filter(|ttl| (1..=TTL_SECONDS_MAX).contains(ttl));
    match ttl {
        Some(ttl) => Answer {
            ttl: Some(ttl),
            ..Answer::text(200, tokens.issue(uid, ttl, now))
        },
        None => Answer::text(400, "Bad Request"),
    }
}

/// The value of a header that is there once.
fn one<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

fn read(path: &str, instance: &Instance) -> Result<Answer, Wants> {
    let found = |body: &str| Ok(Answer::text(200, body));
    let Some(path) = path.strip_prefix("/latest") else {
        return match path {
            "/" => found("latest"),
            _ => Ok(Answer::text(404, "Not Found")),
        };
    };
    let name = instance.host_name.as_deref();
    let name = name.unwrap_or(&instance.host_id);
    // A folder's listing is at its path with a slash at the end, and without.
    match path.strip_suffix('/').unwrap_or(path) {
        "" => found("dynamic\nmeta-data"),
        "/meta-data" => found("hostname\niam/\ninstance-id\nlocal-hostname\nplacement/\nservices/"),
        "/meta-data/hostname" | "/meta-data/local-hostname" => found(name),
        "/meta-data/instance-id" => found(&instance.host_id),
        "/meta-data/placement" => found("availability-zone\nregion"),
        "/meta-data/placement/region" => found(&instance.region),
        "/meta-data/placement/availability-zone" => found(&instance.availability_zone()),
        "/meta-data/services" => found("domain\npartition"),
        "/meta-data/services/domain" => found("amazonaws.com"),
        "/meta-data/services/partition" => found("aws"),
        "/meta-data/iam" => found("info\nsecurity-credentials/"),
        "/meta-data/iam/info" => Err(Wants::Info),
        "/meta-data/iam/security-credentials" | "/meta-data/iam/security-credentials-extended" => {
            Err(Wants::RoleName)
        }
        "/dynamic" => found("instance-identity/"),
        "/dynamic/instance-identity" => found("document"),
        "/dynamic/instance-identity/document" => found(&instance.identity_document()),
        path => {
            let role = |prefix| {
                path.strip_prefix(prefix)
                    .filter(|role: &&str| !role.contains('/'))
            };
            if let Some(role) = role("/meta-data/iam/security-credentials/") {
                return Err(Wants::Credentials(role.to_owned(), false));
            }
            if let Some(role) = role("/meta-data/iam/security-credentials-extended/") {
                return Err(Wants::Credentials(role.to_owned(), true));
            }
            Ok(Answer::text(404, "Not Found"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_types::SystemEntropy;

    struct Service {
        tokens: Tokens,
        instance: Instance,
    }

    fn service() -> Service {
        Service {
            tokens: Tokens::new(&SystemEntropy).unwrap(),
            instance: Instance {
                host_id: "i-0123456789abcdef0".into(),
                account_id: "123456789012".into(),
                region: "eu-west-1".into(),
                host_name: Some("web-1".into()),
                pending_time: Timestamp::UNIX_EPOCH,
            },
        }
    }

    impl Service {
        fn send(
            &self,
            method: &str,
            path: &str,
            headers: &[(&'static str, &str)],
        ) -> Result<Answer, Wants> {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.append(*name, value.parse().unwrap());
            }
            let method = method.parse().unwrap();
            let (tokens, instance) = (&self.tokens, &self.instance);
            respond(
                &method,
                path,
                &map,
                1000,
                tokens,
                instance,
                Timestamp::UNIX_EPOCH,
            )
        }

        fn token(&self) -> String {
            let answer = self.send("PUT", "/latest/api/token", &[(TTL_HEADER, "60")]);
            answer.unwrap().body
        }

        fn get(&self, path: &str) -> Result<Answer, Wants> {
            self.send("GET", path, &[(TOKEN_HEADER, &self.token())])
        }
    }

    /// Trap: no version 1; a token by PUT.
    #[test]
    fn nothing_is_read_without_a_token() {
        let service = service();
        for path in [
            "/",
            "/latest/",
            "/latest/meta-data/iam/security-credentials/",
            "/x",
            "/latest/user-data",
        ] {
            for headers in [&[][..], &[(TOKEN_HEADER, "")], &[(TOKEN_HEADER, "AAAA")]] {
                assert_eq!(
                    service.send("GET", path, headers).unwrap().status,
                    401,
                    "{path}"
                );
            }
            let token = service.token();
            let twice = [
                (TOKEN_HEADER, token.as_str()),
                (TOKEN_HEADER, token.as_str()),
            ];
            assert_eq!(service.send("GET", path, &twice).unwrap().status, 401);
        }
        assert_eq!(
            service
                .send("GET", "/latest/api/token", &[(TTL_HEADER, "60")])
                .unwrap()
                .status,
            405
        );
        for method in ["POST", "HEAD", "OPTIONS", "DELETE", "TRACE"] {
            let token = service.token();
            let answer = service.send(method, "/latest/meta-data/", &[(TOKEN_HEADER, &token)]);
            assert_eq!(answer.unwrap().status, 405, "{method}");
        }
    }

    #[test]
    fn a_token_lives_from_a_second_to_six_hours() {
        let service = service();
        for (ttl, status) in [
            ("1", 200),
            ("21600", 200),
            ("0", 400),
            ("21601", 400),
            ("-1", 400),
            ("+5", 400),
            ("", 400),
            ("1.5", 400),
            ("060", 200),
            ("999999", 400),
            (" 60", 400),
            ("6 0", 400),
        ] {
            let answer = service
                .send("PUT", "/latest/api/token", &[(TTL_HEADER, ttl)])
                .unwrap();
            // The header's value is trimmed when it is parsed from the wire, not here.
            assert_eq!(answer.status, status, "{ttl:?}");
        }
        assert_eq!(
            service
                .send("PUT", "/latest/api/token", &[])
                .unwrap()
                .status,
            400
        );
        let twice = [(TTL_HEADER, "60"), (TTL_HEADER, "60")];
        assert_eq!(
            service
                .send("PUT", "/latest/api/token", &twice)
                .unwrap()
                .status,
            400
        );
    }

    #[test]
    fn answers_what_sdks_ask() {
        let service = service();
        for (path, body) in [
            ("/latest/meta-data/instance-id", "i-0123456789abcdef0"),
            ("/latest/meta-data/placement/region", "eu-west-1"),
            (
                "/latest/meta-data/placement/availability-zone/",
                "eu-west-1a",
            ),
            ("/latest/meta-data/services/domain", "amazonaws.com"),
            ("/latest/meta-data/local-hostname", "web-1"),
            ("/latest/meta-data/iam/", "info\nsecurity-credentials/"),
        ] {
            let answer = service.get(path).unwrap();
            assert_eq!((answer.status, answer.body.as_str()), (200, body), "{path}");
            assert_eq!(answer.ttl, Some(60));
        }
        let document = service
            .get("/latest/dynamic/instance-identity/document")
            .unwrap()
            .body;
        let document: serde_json::Value = serde_json::from_str(&document).unwrap();
        assert_eq!(document["region"], "eu-west-1");
        assert_eq!(document["instanceId"], "i-0123456789abcdef0");
        assert_eq!(service.get("/latest/meta-data/iam/info"), Err(Wants::Info));
        for path in [
            "/latest/meta-data/iam/security-credentials",
            "/latest/meta-data/iam/security-credentials/",
        ] {
            assert_eq!(service.get(path), Err(Wants::RoleName));
        }
        let wanted = Wants::Credentials("ci".into(), false);
        assert_eq!(
            service.get("/latest/meta-data/iam/security-credentials/ci"),
            Err(wanted)
        );
        let wanted = Wants::Credentials("ci".into(), true);
        assert_eq!(
            service.get("/latest/meta-data/iam/security-credentials-extended/ci"),
            Err(wanted)
        );
        for path in [
            "/latest/user-data",
            "/1.0/meta-data/",
            "/latestx",
            "/latest/meta-data/iam/security-credentials/a/b",
            "//latest/",
            "/latest/../latest/",
        ] {
            assert_eq!(service.get(path).unwrap().status, 404, "{path}");
        }
    }
}
