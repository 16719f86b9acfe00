//! What Berth adds to a rule of the pull through cache: further upstreams, certificates, platforms, freshness.

use serde::{Deserialize, Serialize};

use crate::Error;

/// How long a tag is served without asking the upstream again (ECR user guide, "Sync an upstream registry": "at
/// most once every 24 hours").
const FRESH_SECONDS: u32 = 24 * 60 * 60;

/// What is set beside a rule. The default is what a rule without settings does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RuleOptions {
    /// How long a tag is served before it is compared with the upstream again.
    pub tag_freshness_seconds: Option<u32>,
    /// The platforms whose images are stored of a list; all where there is none.
    pub platforms: Vec<Platform>,
    /// Whether referrers stay at the upstream.
    pub without_referrers: bool,
    /// For the rule's own upstream.
    pub tls: UpstreamTls,
    /// Further upstreams, in their order.
    pub upstreams: Vec<FurtherUpstream>,
    /// Milliseconds since the epoch; none where nothing is set.
    pub updated_at: Option<i64>,
}

/// The certificates of an upstream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UpstreamTls {
    /// Authorities beside the system's, in PEM.
    pub certificate_authority: Option<String>,
    /// What is presented to the upstream, in PEM.
    pub client_certificate: Option<String>,
    /// Its key, sealed by a higher layer, in base64.
    pub sealed_client_key: Option<String>,
}

/// A further upstream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FurtherUpstream {
    /// As the rule's `upstreamRegistryUrl`.
    pub url: String,
    /// As the rule's `upstreamRepositoryPrefix`.
    pub prefix: String,
    /// The secret with its credentials.
    pub credential_arn: Option<String>,
    /// The role by which a registry of this server is asked.
    pub custom_role_arn: Option<String>,
    /// Its certificates.
    pub tls: UpstreamTls,
}

/// A platform of images (OCI image-spec, "Image Index", `platform`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Platform {
    os: String,
    architecture: String,
    /// None: every variant.
    variant: Option<String>,
}

impl RuleOptions {
    pub(crate) fn stored(text: Option<&str>) -> Result<RuleOptions, Error> {
        match text {
            None => Ok(RuleOptions::default()),
            Some(text) => serde_json::from_str(text).map_err(Error::internal),
        }
    }

    pub(crate) fn text(&self) -> Result<String, Error> {
        serde_json::to_string(self).map_err(Error::internal)
    }

    /// How long a tag is served before it is compared with the upstream again, in seconds.
    #[must_use]
    pub fn fresh_seconds(&self) -> u32 {
        self.tag_freshness_seconds.unwrap_or(FRESH_SECONDS)
    }

    /// The bytes on the heap, for a cache that is bounded in bytes.
    pub(crate) fn heap_bytes(&self) -> usize {
        let platforms = self.platforms.iter().map(|one| one.to_string().len() + 72);
        let upstreams = self.upstreams.iter().map(|one| {
            let optional = [&one.credential_arn, &one.custom_role_arn];
            let optional = optional.into_iter().flatten().map(String::len);
            one.url.len()
                + one.prefix.len()
                + optional.sum::<usize>()
                + one.tls.heap_bytes()
                + size_of::<FurtherUpstream>()
        });
        platforms.sum::<usize>() + upstreams.sum::<usize>() + self.tls.heap_bytes()
    }
}

impl UpstreamTls {
    fn heap_bytes(&self) -> usize {
        let all = [
            &self.certificate_authority,
            &self.client_certificate,
            &self.sealed_client_key,
        ];
        all.into_iter().flatten().map(String::len).sum()
    }
}

impl Platform {
    /// Whether an entry of a list is of this platform.
    pub(crate) fn is(&self, os: &str, architecture: &str, variant: Option<&str>) -> bool {
        self.os == os
            && self.architecture == architecture
            && (self.variant.is_none() || self.variant.as_deref() == variant)
    }
}

impl std::fmt::Display for Platform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        match &self.variant {
            Some(variant) => write!(f, "/{variant}"),
            None => Ok(()),
        }
    }
}

impl From<Platform> for String {
    fn from(platform: Platform) -> String {
        platform.to_string()
    }
}

impl TryFrom<String> for Platform {
    type Error = String;

    fn try_from(text: String) -> Result<Platform, String> {
        let mut parts = text.split('/').map(str::to_owned);
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(os), Some(architecture), variant, None)
                if !os.is_empty() && !architecture.is_empty() =>
            {
                Ok(Platform {
                    os,
                    architecture,
                    variant: variant.filter(|variant| !variant.is_empty()),
                })
            }
            _ => Err(format!("`{text}` is no platform")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_without_a_variant_is_every_variant() {
        let platform = |text: &str| Platform::try_from(text.to_owned()).unwrap();
        for (wanted, entry, expected) in [
            ("linux/amd64", ("linux", "amd64", None), true),
            ("linux/arm64", ("linux", "arm64", Some("v8")), true),
            ("linux/arm/v7", ("linux", "arm", Some("v7")), true),
            ("linux/arm/v7", ("linux", "arm", Some("v6")), false),
            ("linux/arm/v7", ("linux", "arm", None), false),
            ("linux/amd64", ("windows", "amd64", None), false),
            ("linux/amd64", ("unknown", "unknown", None), false),
        ] {
            let (os, architecture, variant) = entry;
            let found = platform(wanted).is(os, architecture, variant);
            assert_eq!(found, expected, "{wanted} {entry:?}");
        }
        for text in ["linux", "linux/", "/amd64", "a/b/c/d", ""] {
            assert!(Platform::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_stored_is_read_again() {
        let options = RuleOptions {
            tag_freshness_seconds: Some(60),
            platforms: vec!["linux/arm/v7".to_owned().try_into().unwrap()],
            upstreams: vec![FurtherUpstream {
                url: "mirror.example.com".to_owned(),
                prefix: "ROOT".to_owned(),
                ..FurtherUpstream::default()
            }],
            ..RuleOptions::default()
        };
        let text = options.text().unwrap();
        assert_eq!(RuleOptions::stored(Some(&text)).unwrap(), options);
        assert_eq!(RuleOptions::stored(None).unwrap().fresh_seconds(), 86_400);
    }
}
