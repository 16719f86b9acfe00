//! A kubelet image credential provider (Kubernetes, "Configure a kubelet image credential provider";
//! `k8s.io/kubelet/pkg/apis/credentialprovider/v1`): one request on standard input, one response on standard
//! output.

use std::collections::BTreeMap;

use aws_types::Region;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::upstream::Login;
use crate::{Error, Result};

/// The only version of the protocol that is spoken.
const API_VERSION: &str = "credentialprovider.kubelet.k8s.io/v1";
/// The longest request.
pub const REQUEST_BYTES_MAX: u64 = 256 << 10;
/// The annotation of a service account that names its role (`ecr-credential-provider` of
/// `kubernetes/cloud-provider-aws`; and EKS's for pods, which is taken where the first is absent).
const ROLE_ANNOTATIONS: [&str; 2] = [
    "eks.amazonaws.com/ecr-role-arn",
    "eks.amazonaws.com/role-arn",
];
/// The kubelet asks again when this part of a login's life is over, in percent.
const CACHED_PERCENT: i64 = 50;

/// `CredentialProviderRequest`. Members that later versions add are not looked at.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProviderRequest {
    api_version: String,
    kind: String,
    image: String,
    #[serde(default)]
    service_account_token: String,
    #[serde(default)]
    service_account_annotations: BTreeMap<String, String>,
}

/// `CredentialProviderResponse`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ProviderResponse<'a> {
    api_version: &'static str,
    kind: &'static str,
    cache_key_type: &'static str,
    cache_duration: String,
    auth: BTreeMap<String, AuthConfig<'a>>,
}

#[derive(Debug, Serialize)]
struct AuthConfig<'a> {
    username: &'a str,
    password: &'a str,
}

/// Whose credentials pull the image.
#[derive(Debug, PartialEq, Eq)]
pub enum Puller<'a> {
    /// The host's.
    Host,
    /// A pod's service account: its token and its role.
    ServiceAccount {
        /// The token.
        token: &'a str,
        /// The role's ARN.
        role_arn: &'a str,
    },
}

impl ProviderRequest {
    /// Reads a request.
    ///
    /// # Errors
    /// Another version or kind, or no JSON.
    pub fn parse(text: &str) -> Result<ProviderRequest> {
        let request: ProviderRequest = serde_json::from_str(text)
            .map_err(|error| Error::Invalid(format!("the kubelet's request: {error}")))?;
        if request.api_version != API_VERSION || request.kind != "CredentialProviderRequest" {
            return Err(Error::Invalid(format!(
                "the kubelet's request is a {} of {}: set apiVersion {API_VERSION} in its configuration",
                request.kind, request.api_version
            )));
        }
        if request.registry().is_empty() {
            return Err(Error::Invalid(format!(
                "the image {} names no registry",
                request.image
            )));
        }
        Ok(request)
    }

    /// The registry's host, with its port.
    #[must_use]
    pub fn registry(&self) -> &str {
        self.image.split_once('/').map_or("", |(host, _)| host)
    }

    /// The region in a registry's host of ECR's form, `<account>.dkr.ecr.<region>.<domain>`.
    #[must_use]
    pub fn region(&self) -> Option<Region> {
        let (_, rest) = self.registry().split_once(".dkr.ecr.")?;
        rest.split('.').next()?.parse().ok()
    }

    /// Whose credentials pull. A request with a service account's token is that service account's alone: it
    /// never falls back to the host's.
    ///
    /// # Errors
    /// A token without a role.
    pub fn puller(&self) -> Result<Puller<'_>> {
        if self.service_account_token.is_empty() {
            return Ok(Puller::Host);
        }
        let role = ROLE_ANNOTATIONS
            .iter()
            .find_map(|name| self.service_account_annotations.get(*name));
        match role {
            Some(role_arn) => Ok(Puller::ServiceAccount {
                token: &self.service_account_token,
                role_arn,
            }),
            None => Err(Error::Invalid(format!(
                "the service account has no annotation {}, which names its role",
                ROLE_ANNOTATIONS[0]
            ))),
        }
    }

    /// The response with a login.
    ///
    /// # Errors
    /// None that is known of.
    pub fn response(&self, login: &Login, now: Timestamp) -> Result<String> {
        let registry = self.registry();
        let entry = || AuthConfig {
            username: &login.user,
            password: &login.password,
        };
        let mut auth = BTreeMap::from([(registry.to_owned(), entry())]);
        // Some versions of the kubelet look for the host without its port.
        if let Some((host, port)) = registry.rsplit_once(':')
            && port.bytes().all(|digit| digit.is_ascii_digit())
        {
            auth.insert(host.to_owned(), entry());
        }
        let left = login.expires_at.duration_since(now).as_secs().max(0);
        let response = ProviderResponse {
            api_version: API_VERSION,
            kind: "CredentialProviderResponse",
            cache_key_type: "Registry",
            cache_duration: format!("{}s", left * CACHED_PERCENT / 100),
            auth,
        };
        serde_json::to_string(&response).map_err(Error::internal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use zeroize::Zeroizing;

    fn request(more: &str) -> String {
        format!(
            r#"{{"apiVersion":"{API_VERSION}","kind":"CredentialProviderRequest","image":"123456789012.dkr.ecr.eu-west-1.berth.example:5000/app:v1"{more}}}"#
        )
    }

    #[test]
    fn answers_with_a_login_for_the_registry() {
        let request = ProviderRequest::parse(&request("")).unwrap();
        assert_eq!(request.region().unwrap().as_str(), "eu-west-1");
        assert_eq!(request.puller().unwrap(), Puller::Host);
        let now = Timestamp::UNIX_EPOCH;
        let login = Login {
            user: "AWS".into(),
            password: Zeroizing::new("secret".into()),
            expires_at: now + jiff::SignedDuration::from_hours(12),
        };
        let response: serde_json::Value =
            serde_json::from_str(&request.response(&login, now).unwrap()).unwrap();
        let entry = serde_json::json!({"username": "AWS", "password": "secret"});
        assert_eq!(
            response,
            serde_json::json!({
                "apiVersion": API_VERSION,
                "kind": "CredentialProviderResponse",
                "cacheKeyType": "Registry",
                "cacheDuration": "21600s",
                "auth": {
                    "123456789012.dkr.ecr.eu-west-1.berth.example:5000": entry,
                    "123456789012.dkr.ecr.eu-west-1.berth.example": entry,
                },
            })
        );
    }

    #[test]
    fn a_service_accounts_token_goes_with_its_own_role_only() {
        let text = request(r#","serviceAccountToken":"t""#);
        assert!(ProviderRequest::parse(&text).unwrap().puller().is_err());
        let text = request(
            r#","serviceAccountToken":"t","serviceAccountAnnotations":{"eks.amazonaws.com/role-arn":"r2","eks.amazonaws.com/ecr-role-arn":"r1"}"#,
        );
        let request = ProviderRequest::parse(&text).unwrap();
        let puller = Puller::ServiceAccount {
            token: "t",
            role_arn: "r1",
        };
        assert_eq!(request.puller().unwrap(), puller);
    }

    #[test]
    fn refuses_other_versions_and_images_without_a_registry() {
        for bad in [
            request("").replace("/v1\"", "/v1beta1\""),
            request("").replace("CredentialProviderRequest", "Other"),
            request("").replace("123456789012.dkr.ecr.eu-west-1.berth.example:5000/", ""),
            "{}".to_owned(),
            String::new(),
        ] {
            assert!(ProviderRequest::parse(&bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_request_is_answered_or_refused(text in "\\PC{0,200}") {
            let _ = ProviderRequest::parse(&text);
            let _ = ProviderRequest::parse(&request("").replace("app:v1", &text.replace(['"', '\\'], "")));
        }
    }
}
