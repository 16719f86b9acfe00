//! Calls of the server: for the host itself, and with the host's credentials.

use std::path::Path;
use std::time::Duration;

use aws_api::{Op, berth, ecr, sts};
use aws_types::{Cidr, Entropy, draw, host_proof};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use client::{AwsClient, CallError, Credentials, Http, Settings, call_unsigned};
use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use zeroize::Zeroizing;

use crate::key::HostKey;
use crate::state::Host;
use crate::{Error, Result};

/// From resolving the server's name to the answer's last byte.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The longest answer. A session token has a few thousand characters.
const BODY_BYTES_MAX: usize = 256 << 10;

/// A server at one endpoint.
#[derive(Clone)]
pub struct Upstream {
    http: Http,
    endpoint: String,
}

impl std::fmt::Debug for Upstream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Upstream").field(&self.endpoint).finish()
    }
}

/// Temporary credentials.
#[derive(Clone)]
pub struct Issued {
    /// `ASIA…`
    pub access_key_id: String,
    /// The secret access key.
    pub secret: Zeroizing<String>,
    /// The session token.
    pub token: Zeroizing<String>,
    /// When they were asked for.
    pub issued_at: Timestamp,
    /// From then on the server refuses them.
    pub expires_at: Timestamp,
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issued")
            .field("access_key_id", &self.access_key_id)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// The host's credentials, and the role that they are of.
#[derive(Clone, Debug)]
pub struct HostRole {
    /// The credentials.
    pub issued: Issued,
    /// The role's name.
    pub role_name: String,
    /// The instance profile's ARN.
    pub instance_profile_arn: String,
    /// `AIPA…`
    pub instance_profile_id: String,
}

/// A login at a registry.
#[derive(Debug)]
pub struct Login {
    /// `AWS`.
    pub user: String,
    /// The password.
    pub password: Zeroizing<String>,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Upstream {
    /// The server at an `https` URL, or at an `http` URL of this machine: answers hold credentials.
    ///
    /// # Errors
    /// A URL of another form; certificates that cannot be read.
    pub fn new(endpoint: &str, ca_bundle: Option<&Path>) -> Result<Upstream> {
        let endpoint = endpoint.trim_end_matches('/');
        let everywhere = ["0.0.0.0/0", "::/0"];
        let here = ["127.0.0.0/8", "::1/128"];
        let allow = match endpoint.split_once("://") {
            Some(("https", _)) => everywhere,
            // The client refuses plain HTTP to addresses outside of these.
            Some(("http", _)) => here,
            _ => {
                return Err(Error::Invalid(format!(
                    "{endpoint} is not the URL of a server: give https://HOST[:PORT]"
                )));
            }
        };
        let allow = allow.into_iter().map(str::parse::<Cidr>);
        let settings = Settings {
            allow: allow.collect::<Result<_, _>>().map_err(Error::internal)?,
            extra_roots: match ca_bundle {
                Some(path) => certificates(path)?,
                None => Vec::new(),
            },
            timeout: TIMEOUT,
            body_bytes_max: BODY_BYTES_MAX,
        };
        Ok(Upstream {
            http: Http::new(settings).map_err(Error::internal)?,
            endpoint: endpoint.to_owned(),
        })
    }

    /// Joins with an invitation's code.
    ///
    /// # Errors
    /// The server's, or that there is none.
    pub async fn join(
        &self,
        key: &HostKey,
        code: &str,
        host_name: Option<&str>,
    ) -> Result<berth::JoinHostResponse> {
        let input = berth::JoinHostRequest {
            code: code.to_owned().into(),
            public_key: key.public_key()?.into(),
            signature: key.sign(&host_proof::join(code, host_name))?.into(),
            host_name: host_name.map(str::to_owned),
        };
        let answer = call_unsigned::<berth::ops::JoinHost>(&self.http, &self.endpoint, &input);
        answer.await.map_err(failed)
    }

    /// Asks for the host's credentials.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Unavailable`].
    pub async fn host_role(
        &self,
        host: &Host,
        key: &HostKey,
        entropy: &dyn Entropy,
        now: Timestamp,
    ) -> Result<HostRole> {
        let nonce = URL_SAFE_NO_PAD.encode(draw::<24>(entropy).map_err(Error::internal)?);
        let timestamp = aws_types::time::iso8601(now);
        let text = host_proof::credentials(&host.server_id, &host.host_id, &timestamp, &nonce);
        let input = berth::GetHostCredentialsRequest {
            host_id: host.host_id.clone(),
            server_id: host.server_id.clone(),
            signature: key.sign(&text)?.into(),
            timestamp,
            nonce,
        };
        let answer =
            call_unsigned::<berth::ops::GetHostCredentials>(&self.http, &self.endpoint, &input);
        let answer = answer.await.map_err(failed)?;
        Ok(HostRole {
            issued: Issued {
                access_key_id: answer.credentials.access_key_id,
                secret: Zeroizing::new(answer.credentials.secret_access_key.expose().clone()),
                token: Zeroizing::new(answer.credentials.session_token.expose().clone()),
                issued_at: now,
                expires_at: answer.credentials.expiration,
            },
            role_name: answer.role_name,
            instance_profile_arn: answer.instance_profile_arn,
            instance_profile_id: answer.instance_profile_id,
        })
    }

    /// Whether the server still takes credentials.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn is_good(&self, issued: &Issued, region: &str, now: Timestamp) -> Result<bool> {
        let input = sts::GetCallerIdentityRequest::default();
        let called = self.signed::<sts::ops::GetCallerIdentity>(issued, region, &input, now);
        match called.await {
            Ok(_) => Ok(true),
            Err(Error::Refused { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Credentials of a role for the holder of an identity provider's token.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Unavailable`].
    pub async fn web_identity(
        &self,
        role_arn: &str,
        session_name: &str,
        token: &str,
        now: Timestamp,
    ) -> Result<Issued> {
        let input = sts::AssumeRoleWithWebIdentityRequest {
            role_arn: role_arn.to_owned(),
            role_session_name: session_name.to_owned(),
            web_identity_token: token.to_owned().into(),
            ..Default::default()
        };
        let answer = call_unsigned::<sts::ops::AssumeRoleWithWebIdentity>(
            &self.http,
            &self.endpoint,
            &input,
        );
        let answer = answer.await.map_err(failed)?;
        let missing = || Error::Unavailable("the answer holds no credentials".to_owned());
        let credentials = answer.credentials.ok_or_else(missing)?;
        Ok(Issued {
            access_key_id: credentials.access_key_id,
            secret: Zeroizing::new(credentials.secret_access_key.expose().clone()),
            token: Zeroizing::new(credentials.session_token.expose().clone()),
            issued_at: now,
            expires_at: credentials.expiration,
        })
    }

    /// A login at the registry.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Unavailable`].
    pub async fn login(&self, issued: &Issued, region: &str, now: Timestamp) -> Result<Login> {
        let input = ecr::GetAuthorizationTokenRequest::default();
        let answer = self
            .signed::<ecr::ops::GetAuthorizationToken>(issued, region, &input, now)
            .await?;
        let unreadable = || Error::Unavailable("the answer holds no login".to_owned());
        let data = answer.authorization_data.unwrap_or_default();
        let data = data.into_iter().next().ok_or_else(unreadable)?;
        let token = data.authorization_token.ok_or_else(unreadable)?;
        let decoded = base64::engine::general_purpose::STANDARD.decode(token.expose());
        let decoded =
            Zeroizing::new(String::from_utf8(decoded.unwrap_or_default()).unwrap_or_default());
        let (user, password) = decoded.split_once(':').ok_or_else(unreadable)?;
        Ok(Login {
            user: user.to_owned(),
            password: Zeroizing::new(password.to_owned()),
            expires_at: data.expires_at.ok_or_else(unreadable)?,
        })
    }

    async fn signed<O: Op>(
        &self,
        issued: &Issued,
        region: &str,
        input: &O::Input,
        now: Timestamp,
    ) -> Result<O::Output> {
        let token = Some(issued.token.as_str());
        let credentials = Credentials::new(&issued.access_key_id, &issued.secret, token);
        let aws = AwsClient {
            http: &self.http,
            endpoint: &self.endpoint,
            region,
            credentials: &credentials,
        };
        aws.call::<O>(input, now).await.map_err(failed)
    }
}

/// An answer below 500 is the server's decision; everything else may pass.
fn failed(error: CallError) -> Error {
    match error {
        CallError::Service { error, status, .. }
            if (400..500).contains(&status) && status != 429 =>
        {
            Error::Refused {
                code: error.code,
                message: error.message,
            }
        }
        other => Error::Unavailable(chain(&other)),
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let pem = std::fs::read(path).map_err(Error::file("cannot read", path))?;
    let found = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(Error::Invalid(format!(
            "{} holds no certificate in PEM",
            path.display()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_https_and_plain_http_to_this_machine() {
        for good in ["https://berth.example.com", "http://127.0.0.1:5000/"] {
            assert!(Upstream::new(good, None).is_ok(), "{good}");
        }
        for bad in ["", "berth.example.com", "ftp://x", "file:///etc/passwd"] {
            assert!(Upstream::new(bad, None).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn sends_nothing_in_the_clear_to_another_machine() {
        let upstream = Upstream::new("http://192.0.2.1:5000", None).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let key = HostKey::create(&dir.path().join("host.key")).unwrap();
        let error = upstream.join(&key, "code", None).await.unwrap_err();
        assert!(error.to_string().contains("may not be called"), "{error}");
    }
}
