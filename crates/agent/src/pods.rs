//! The contract of EKS Pod Identity (EKS User Guide, "Understand how EKS Pod Identity works"): a pod sends
//! its service account's token and gets the credentials of the role that is associated with the service
//! account. The server verifies the token (`AssumeRoleWithWebIdentity`); here it only picks the role.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Deserialize;

use crate::imds::{Answer, documents};
use crate::upstream::Upstream;
use crate::{Error, Result};

/// The longest token that is looked at. Kubernetes' have about 1,200 characters.
const TOKEN_BYTES_MAX: usize = 12 << 10;
/// The longest file of associations.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// The longest name of a session (STS API, `RoleSessionName`).
const SESSION_NAME_CHARS_MAX: usize = 64;

/// Roles by service account.
pub struct Pods {
    upstream: Upstream,
    roles: BTreeMap<String, String>,
}

/// What is read of a token that nobody has verified yet.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    #[serde(rename = "kubernetes.io", default)]
    kubernetes: Kubernetes,
}

#[derive(Default, Deserialize)]
struct Kubernetes {
    pod: Option<Pod>,
}

#[derive(Deserialize)]
struct Pod {
    name: String,
}

impl Pods {
    /// Reads the associations: a JSON object of `namespace/service account` and role ARN.
    ///
    /// # Errors
    /// The file cannot be read, or is no such object.
    pub fn load(upstream: Upstream, path: &Path) -> Result<Pods> {
        let mut text = String::new();
        let file = std::fs::File::open(path).map_err(Error::file("cannot read", path))?;
        std::io::Read::read_to_string(&mut std::io::Read::take(file, FILE_BYTES_MAX), &mut text)
            .map_err(Error::file("cannot read", path))?;
        let roles: BTreeMap<String, String> = serde_json::from_str(&text).map_err(|error| {
            Error::Invalid(format!(
                "{}: {error}; expected {{\"NAMESPACE/SERVICE ACCOUNT\": \"ROLE ARN\"}}",
                path.display()
            ))
        })?;
        Ok(Pods { upstream, roles })
    }

    /// The answer to a pod with this token.
    pub(crate) async fn credentials(&self, token: &str, now: Timestamp) -> Answer {
        let Some((account, session)) = pod(token) else {
            return Answer::text(400, "The token is not one of a service account.");
        };
        let Some(role) = self.roles.get(&account) else {
            tracing::warn!(
                account,
                "a service account without a role asked for credentials"
            );
            return Answer::text(404, "No role is associated with the service account.");
        };
        match self.upstream.web_identity(role, &session, token, now).await {
            Ok(issued) => {
                let account = role.split(':').nth(4).unwrap_or_default();
                Answer {
                    json: true,
                    ..Answer::text(200, documents::container(&issued, account, None))
                }
            }
            Err(Error::Refused { code, .. }) => {
                tracing::warn!(account, code, "the server refused a service account");
                Answer::text(403, "The server refuses the service account.")
            }
            Err(error) => Answer::unavailable(&error),
        }
    }
}

/// `namespace/service account`, and the session's name: the pod's where the token has it.
fn pod(token: &str) -> Option<(String, String)> {
    if token.len() > TOKEN_BYTES_MAX {
        return None;
    }
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Claims = serde_json::from_slice(&payload).ok()?;
    let account = claims.sub.strip_prefix("system:serviceaccount:")?;
    let (namespace, name) = account.split_once(':')?;
    let session = match claims.kubernetes.pod {
        Some(pod) => format!("eks-{namespace}-{}", pod.name),
        None => format!("eks-{namespace}-{name}"),
    };
    Some((format!("{namespace}/{name}"), session_name(&session)))
}

/// A name that STS takes: other characters become `-`.
pub(crate) fn session_name(wanted: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    let chars = wanted.chars().take(SESSION_NAME_CHARS_MAX);
    let name: String = chars.map(|c| if allowed(c) { c } else { '-' }).collect();
    match name.len() {
        0 | 1 => "berth-agent".to_owned(),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn token(claims: &str) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn a_token_names_service_account_and_pod() {
        let bound = r#"{"sub":"system:serviceaccount:ci:builder","kubernetes.io":{"namespace":"ci","pod":{"name":"job-1"}}}"#;
        assert_eq!(
            pod(&token(bound)),
            Some(("ci/builder".into(), "eks-ci-job-1".into()))
        );
        let plain = r#"{"sub":"system:serviceaccount:ci:builder"}"#;
        assert_eq!(
            pod(&token(plain)),
            Some(("ci/builder".into(), "eks-ci-builder".into()))
        );
        for bad in [
            r#"{"sub":"ana"}"#,
            "{}",
            r#"{"sub":"system:serviceaccount:ci"}"#,
            "",
        ] {
            assert_eq!(pod(&token(bad)), None, "{bad}");
        }
        assert_eq!(pod("a.b"), None);
        assert_eq!(pod(&"a".repeat(20_000)), None);
    }

    proptest! {
        #[test]
        fn a_sessions_name_is_one_that_sts_takes(text in "\\PC{0,100}") {
            let name = session_name(&text);
            prop_assert!((2..=64).contains(&name.len()));
            prop_assert!(name.bytes().all(|c| c.is_ascii_alphanumeric() || b"_+=,.@-".contains(&c)));
        }
    }
}
