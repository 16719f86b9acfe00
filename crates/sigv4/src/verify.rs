//! Verifies a signature.

use crate::canonical;
use crate::key::TERMINATOR;
use crate::presented::shown;
use crate::{PathStyle, Presented, RequestParts, SecretKey, SigError, SigningKey, time};

/// Seconds that a caller's clock may be wrong, either way.
pub const SKEW_SECONDS_MAX: i64 = 15 * 60;

/// How long a presigned request is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// As long as its `X-Amz-Expires` says.
    Stated,
    /// As long as its `X-Amz-Expires` says, and never longer than 15 minutes.
    AtMostFifteenMinutes,
    /// 15 minutes from its date, whatever its `X-Amz-Expires` says. STS accepts a presigned
    /// `GetCallerIdentity` so: Kubernetes authenticators sign 60 seconds and use the URL for 14
    /// minutes (`aws-iam-authenticator`, README, "API Authorization from Outside a Cluster").
    FifteenMinutes,
}

/// What the server knows and the signature must agree with.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The service that the request is for: `ecr`, `iam`, `sts`.
    pub service: &'a str,
    /// The region it must be signed for; `None` takes any.
    pub region: Option<&'a str>,
    /// SHA-256 of the body as received, lower-case hex.
    pub payload_sha256_hex: &'a str,
    /// The time now, seconds since the epoch.
    pub now_epoch_seconds: i64,
    /// How the service writes paths.
    pub path_style: PathStyle,
    /// How long a presigned request is accepted.
    pub lifetime: Lifetime,
}

impl Presented {
    /// Verifies it with the secret of [`access_key_id`](Self::access_key_id); `parts` are those that it
    /// was parsed from.
    ///
    /// # Errors
    /// In AWS's order: the time, what must be signed, the scope, the signature.
    pub fn verify(
        &self,
        parts: &RequestParts<'_>,
        secret: &SecretKey,
        expected: &Expected<'_>,
    ) -> Result<(), SigError> {
        self.verify_with_key(parts, &SigningKey::derive(secret, &self.scope), expected)
    }

    /// What [`verify`](Self::verify) can tell of the head alone, for a server that wants to before it
    /// reads a body: the time, and what must be signed.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    pub fn check_head(
        &self,
        parts: &RequestParts<'_>,
        now_epoch_seconds: i64,
    ) -> Result<(), SigError> {
        // Which operation it is, and so whether its own limit is shorter, may be in the body.
        self.check_time(now_epoch_seconds, Lifetime::FifteenMinutes)?;
        check_signed(parts, &self.signed_headers)
    }

    /// Verifies it with a derived key, which must be that of the secret and of [`scope`](Self::scope).
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    pub fn verify_with_key(
        &self,
        parts: &RequestParts<'_>,
        key: &SigningKey,
        expected: &Expected<'_>,
    ) -> Result<(), SigError> {
        self.check_time(expected.now_epoch_seconds, expected.lifetime)?;
        check_signed(parts, &self.signed_headers)?;
        self.check_scope(expected)?;
        let request = canonical::request(
            parts,
            &self.signed_headers,
            expected.payload_sha256_hex,
            expected.path_style,
        )?;
        let string = canonical::string_to_sign(&self.date, &self.scope, &request);
        let matches = self
            .signature
            .is_some_and(|signature| key.verify(string.as_bytes(), &signature));
        if matches {
            Ok(())
        } else {
            Err(SigError::mismatch())
        }
    }

    fn check_time(&self, now: i64, lifetime: Lifetime) -> Result<(), SigError> {
        let latest = now.saturating_add(SKEW_SECONDS_MAX);
        if self.signed_at > latest {
            return Err(SigError::NotYetCurrent {
                signed_at: self.date.clone(),
                latest: time::iso_basic(latest),
                now: time::iso_basic(now),
            });
        }
        let window = match (self.expires, lifetime) {
            (None, _) | (Some(_), Lifetime::FifteenMinutes) => SKEW_SECONDS_MAX,
            (Some(stated), Lifetime::AtMostFifteenMinutes) => stated.min(SKEW_SECONDS_MAX),
            (Some(stated), Lifetime::Stated) => stated,
        };
        let earliest = now.saturating_sub(window);
        if self.signed_at < earliest {
            return Err(SigError::Expired {
                signed_at: self.date.clone(),
                earliest: time::iso_basic(earliest),
                now: time::iso_basic(now),
                window: match (window / 60, window % 60) {
                    (minutes, 0) => format!("{minutes} min"),
                    _ => format!("{window} sec"),
                },
            });
        }
        Ok(())
    }

    fn check_scope(&self, expected: &Expected<'_>) -> Result<(), SigError> {
        let mut faults = Vec::new();
        if expected
            .region
            .is_some_and(|region| region != self.scope.region)
        {
            faults.push(format!(
                "Credential should be scoped to a valid region, not '{}'.",
                shown(&self.scope.region)
            ));
        }
        if expected.service != self.scope.service {
            faults.push(format!(
                "Credential should be scoped to correct service: '{}'.",
                expected.service
            ));
        }
        if self.terminator != TERMINATOR {
            faults.push(format!(
                "Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{}'.",
                shown(&self.terminator)
            ));
        }
        let day = self.date.get(..8).unwrap_or_default();
        if self.scope.date != day {
            faults.push(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date \
                 from HTTP: '{}' != '{day}', from '{}'.",
                shown(&self.scope.date),
                self.date
            ));
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(SigError::SignatureDoesNotMatch(faults.join(" ")))
        }
    }
}

/// `host` and every `x-amz-*` header must be signed: an unsigned one could be put there by anybody on
/// the way. A header that is signed and absent is a signature over something else.
pub(crate) fn check_signed(
    parts: &RequestParts<'_>,
    signed_headers: &[String],
) -> Result<(), SigError> {
    let is_signed = |name: &str| {
        signed_headers
            .iter()
            .any(|signed| signed.eq_ignore_ascii_case(name))
    };
    if !is_signed("host") {
        return Err(SigError::must_be_signed("host"));
    }
    // Two hosts: another reader could take the other one. None: there is nothing to sign.
    if parts.values("host").count() != 1 {
        return Err(SigError::mismatch());
    }
    for (name, _) in parts.headers {
        let is_amz = name
            .get(..6)
            .is_some_and(|prefix| prefix.eq_ignore_ascii_case("x-amz-"));
        if is_amz && !is_signed(name) {
            return Err(SigError::must_be_signed(&shown(name)));
        }
    }
    if signed_headers.iter().any(|name| !parts.has(name)) {
        return Err(SigError::mismatch());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CredentialScope, parse};

    /// No signer of today leaves `X-Amz-Date` out; those that do sign `Date`, in either spelling, and
    /// ISO 8601's goes into the string to sign.
    #[test]
    fn a_date_header_serves_where_there_is_no_x_amz_date() {
        let secret = SecretKey::new("secret");
        let scope = CredentialScope {
            date: "20150830".into(),
            region: "us-east-1".into(),
            service: "sts".into(),
        };
        for date in ["20150830T123600Z", "Sun, 30 Aug 2015 12:36:00 GMT"] {
            let unsigned: [(&str, &[u8]); 2] = [("Host", b"h"), ("Date", date.as_bytes())];
            let parts = RequestParts {
                method: "GET",
                path: "",
                query: "",
                headers: &unsigned,
            };
            let names = ["date".to_owned(), "host".to_owned()];
            let text = canonical::request(&parts, &names, "hash", PathStyle::Standard).unwrap();
            let string = canonical::string_to_sign("20150830T123600Z", &scope, &text);
            let signature = SigningKey::derive(&secret, &scope).sign(string.as_bytes());
            let authorization = format!(
                "AWS4-HMAC-SHA256 Credential=AKID/{scope},SignedHeaders=host;date,Signature={}",
                aws_types::hex::encode(signature)
            );
            let authorization = ("Authorization", authorization.as_bytes());
            let headers = [unsigned[0], unsigned[1], authorization];
            let parts = RequestParts {
                headers: &headers,
                ..parts
            };
            let expected = Expected {
                service: "sts",
                region: None,
                payload_sha256_hex: "hash",
                now_epoch_seconds: 1_440_938_160,
                path_style: PathStyle::Standard,
                lifetime: Lifetime::Stated,
            };
            let presented = parse(&parts).unwrap();
            assert_eq!(
                presented.verify(&parts, &secret, &expected),
                Ok(()),
                "{date}"
            );
        }
    }
}
