//! Signs requests: for clients, and for tests of servers.

use std::fmt;

use crate::canonical::{self, ALGORITHM, QUERY_SIGNATURE};
use crate::verify::check_signed;
use crate::{CredentialScope, PathStyle, RequestParts, SecretKey, SigError, SigningKey, time};

/// Headers that proxies and HTTP libraries set or change after the signing.
const NEVER_SIGNED: [&str; 7] = [
    "authorization",
    "connection",
    "expect",
    "te",
    "transfer-encoding",
    "user-agent",
    "x-amzn-trace-id",
];

/// Who signs, for what, and when.
#[derive(Debug, Clone, Copy)]
pub struct Signer<'a> {
    /// The access key's id.
    pub access_key_id: &'a str,
    /// Its secret.
    pub secret: &'a SecretKey,
    /// The token, where the credentials are temporary.
    pub session_token: Option<&'a str>,
    /// The region's name.
    pub region: &'a str,
    /// The service's signing name.
    pub service: &'a str,
    /// The time now, seconds since the epoch.
    pub now_epoch_seconds: i64,
    /// How the service writes paths.
    pub path_style: PathStyle,
}

/// Headers to set on the request, beside those it had.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedHeaders {
    /// `Authorization`.
    pub authorization: String,
    /// `X-Amz-Date`.
    pub x_amz_date: String,
    /// `X-Amz-Security-Token`, for temporary credentials.
    pub x_amz_security_token: Option<String>,
}

impl fmt::Debug for SignedHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedHeaders")
            .field("x_amz_date", &self.x_amz_date)
            .finish_non_exhaustive()
    }
}

impl Signer<'_> {
    /// Signs a request in its headers. `parts` must have one `host` header and none of those in
    /// [`SignedHeaders`]; all its headers are signed but those that change on the way.
    ///
    /// # Errors
    /// Where no verifier could accept the outcome.
    pub fn sign(
        &self,
        parts: &RequestParts<'_>,
        payload_sha256_hex: &str,
    ) -> Result<SignedHeaders, SigError> {
        let date = time::iso_basic(self.now_epoch_seconds);
        let mut headers = parts.headers.to_vec();
        headers.push(("x-amz-date", date.as_bytes()));
        if let Some(token) = self.session_token {
            headers.push(("x-amz-security-token", token.as_bytes()));
        }
        let parts = RequestParts {
            headers: &headers,
            ..*parts
        };
        let names = signable(&parts)?;
        let scope = self.scope(&date);
        let signature = self.signature(&parts, &names, &date, &scope, payload_sha256_hex)?;
        Ok(SignedHeaders {
            authorization: format!(
                "{ALGORITHM} Credential={}/{scope}, SignedHeaders={}, Signature={signature}",
                self.access_key_id,
                names.join(";"),
            ),
            x_amz_date: date,
            x_amz_security_token: self.session_token.map(str::to_owned),
        })
    }

    /// Signs a request in its query, for `expires_seconds`, and returns the whole new query. The
    /// request must then carry the headers of `parts` as they are, `host` among them.
    ///
    /// # Errors
    /// Where no verifier could accept the outcome.
    pub fn presign(
        &self,
        parts: &RequestParts<'_>,
        payload_sha256_hex: &str,
        expires_seconds: u32,
    ) -> Result<String, SigError> {
        let date = time::iso_basic(self.now_epoch_seconds);
        let names = signable(parts)?;
        let scope = self.scope(&date);
        let expires = expires_seconds.to_string();
        let credential = format!("{}/{scope}", self.access_key_id);
        let signed_headers = names.join(";");
        let mut query = parts.query.to_owned();
        for (name, value) in [
            ("X-Amz-Algorithm", Some(ALGORITHM)),
            ("X-Amz-Credential", Some(&credential)),
            ("X-Amz-Date", Some(&date)),
            ("X-Amz-SignedHeaders", Some(&signed_headers)),
            ("X-Amz-Expires", Some(&expires)),
            ("X-Amz-Security-Token", self.session_token),
        ] {
            if let Some(value) = value {
                push_parameter(&mut query, name, value);
            }
        }
        let parts = RequestParts {
            query: &query,
            ..*parts
        };
        let signature = self.signature(&parts, &names, &date, &scope, payload_sha256_hex)?;
        push_parameter(&mut query, QUERY_SIGNATURE, &signature);
        Ok(query)
    }

    fn scope(&self, date: &str) -> CredentialScope {
        CredentialScope {
            date: date.chars().take_while(|digit| *digit != 'T').collect(),
            region: self.region.to_owned(),
            service: self.service.to_owned(),
        }
    }

    fn signature(
        &self,
        parts: &RequestParts<'_>,
        names: &[String],
        date: &str,
        scope: &CredentialScope,
        payload_sha256_hex: &str,
    ) -> Result<String, SigError> {
        let request = canonical::request(parts, names, payload_sha256_hex, self.path_style)?;
        let string = canonical::string_to_sign(date, scope, &request);
        let key = SigningKey::derive(self.secret, scope);
        Ok(aws_types::hex::encode(key.sign(string.as_bytes())))
    }
}

fn signable(parts: &RequestParts<'_>) -> Result<Vec<String>, SigError> {
    let names = parts
        .headers
        .iter()
        .map(|(name, _)| name.to_ascii_lowercase());
    let mut names: Vec<String> = names
        .filter(|name| !NEVER_SIGNED.contains(&name.as_str()))
        .collect();
    names.sort_unstable();
    names.dedup();
    check_signed(parts, &names)?;
    Ok(names)
}

fn push_parameter(query: &mut String, name: &str, value: &str) {
    if !query.is_empty() {
        query.push('&');
    }
    query.push_str(name);
    query.push('=');
    query.push_str(&canonical::encode(value.as_bytes(), false));
}
