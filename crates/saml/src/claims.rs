//! What the attributes of an assertion mean at AWS (IAM User Guide, "Configure SAML assertions for the
//! authentication response").

use crate::{Assertion, Refused};

const ROLE: &str = "https://aws.amazon.com/SAML/Attributes/Role";
const ROLE_SESSION_NAME: &str = "https://aws.amazon.com/SAML/Attributes/RoleSessionName";
const SESSION_DURATION: &str = "https://aws.amazon.com/SAML/Attributes/SessionDuration";
const SOURCE_IDENTITY: &str = "https://aws.amazon.com/SAML/Attributes/SourceIdentity";
const TRANSITIVE_TAG_KEYS: &str = "https://aws.amazon.com/SAML/Attributes/TransitiveTagKeys";
/// The key follows.
const PRINCIPAL_TAG: &str = "https://aws.amazon.com/SAML/Attributes/PrincipalTag:";

/// Session tags, at most (IAM User Guide, "Pass session tags in AWS STS").
const TAGS_MAX: usize = 50;

/// What an assertion asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The role and the provider of each value of `Role`.
    pub roles: Vec<RoleClaim>,
    /// `RoleSessionName`.
    pub role_session_name: String,
    /// `SessionDuration` in seconds.
    pub session_seconds: Option<i64>,
    /// `SourceIdentity`.
    pub source_identity: Option<String>,
    /// `PrincipalTag:…`: keys and values.
    pub tags: Vec<(String, String)>,
    /// `TransitiveTagKeys`.
    pub transitive_tag_keys: Vec<String>,
}

/// A role that the user may take, through a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleClaim {
    /// The role's ARN.
    pub role_arn: String,
    /// The provider's ARN.
    pub provider_arn: String,
}

impl Claims {
    /// Reads the attributes.
    ///
    /// # Errors
    /// [`Refused::Claim`] with AWS's words (IAM User Guide, "Troubleshoot SAML federation with IAM").
    pub fn read(assertion: &Assertion) -> Result<Claims, Refused> {
        let role_session_name = only(assertion, ROLE_SESSION_NAME)?.ok_or(Refused::Claim(
            "RoleSessionName is required in AuthnResponse",
        ))?;
        if !is_name(role_session_name) {
            return Err(Refused::Claim(
                "RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}",
            ));
        }
        let source_identity = only(assertion, SOURCE_IDENTITY)?;
        let is_own = |name: &str| {
            name.get(..4)
                .is_some_and(|s| s.eq_ignore_ascii_case("aws:"))
        };
        if source_identity.is_some_and(|name| !is_name(name) || is_own(name)) {
            return Err(Refused::Claim(
                "Source Identity must match [a-zA-Z_0-9+=,.@-]{2,64} and not begin with \"aws:\"",
            ));
        }
        let session_seconds = only(assertion, SESSION_DURATION)?
            .map(|text| {
                let seconds = text.trim().parse().ok();
                seconds
                    .filter(|seconds| (900..=43_200).contains(seconds))
                    .ok_or(Refused::Claim(
                        "SessionDuration in AuthnResponse must be a number of seconds from 900 to 43200",
                    ))
            })
            .transpose()?;
        let transitive = assertion.values(TRANSITIVE_TAG_KEYS);
        Ok(Claims {
            roles: assertion
                .values(ROLE)
                .iter()
                .filter_map(|v| RoleClaim::parse(v))
                .collect(),
            role_session_name: role_session_name.to_owned(),
            session_seconds,
            source_identity: source_identity.map(str::to_owned),
            tags: tags(assertion)?,
            transitive_tag_keys: transitive.to_vec(),
        })
    }

    /// Whether the user may take the role through the provider, as far as the assertion says so.
    #[must_use]
    pub fn names_role(&self, role_arn: &str, provider_arn: &str) -> bool {
        let is_it =
            |claim: &RoleClaim| claim.role_arn == role_arn && claim.provider_arn == provider_arn;
        self.roles.iter().any(is_it)
    }
}

impl RoleClaim {
    /// `role ARN,provider ARN`, in either order: AWS documents the first, and providers are configured
    /// with both. What is neither is another product's.
    fn parse(value: &str) -> Option<RoleClaim> {
        let (first, second) = value.split_once(',')?;
        let (first, second) = (first.trim(), second.trim());
        let (role, provider) = match first.contains(":role/") {
            true => (first, second),
            false => (second, first),
        };
        (role.contains(":role/") && provider.contains(":saml-provider/")).then(|| RoleClaim {
            role_arn: role.to_owned(),
            provider_arn: provider.to_owned(),
        })
    }
}

/// The only value of an attribute; several are refused, since it would not be clear which holds.
fn only<'a>(assertion: &'a Assertion, name: &str) -> Result<Option<&'a str>, Refused> {
    match assertion.values(name) {
        [] => Ok(None),
        [value] => Ok(Some(value)),
        _ => Err(Refused::Claim(
            "An attribute in AuthnResponse has several values and may have one",
        )),
    }
}

fn tags(assertion: &Assertion) -> Result<Vec<(String, String)>, Refused> {
    let mut tags = Vec::new();
    for attribute in &assertion.attributes {
        let Some(key) = attribute.name.strip_prefix(PRINCIPAL_TAG) else {
            continue;
        };
        let value = only(assertion, &attribute.name)?.unwrap_or_default();
        if tags.len() == TAGS_MAX {
            return Err(Refused::Claim(
                "AuthnResponse has more than 50 PrincipalTag attributes",
            ));
        }
        tags.push((key.to_owned(), value.to_owned()));
    }
    Ok(tags)
}

/// `[a-zA-Z_0-9+=,.@-]{2,64}`
fn is_name(text: &str) -> bool {
    (2..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte))
}

/// A condition key with the values that an assertion has for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionKey {
    /// `saml:…`
    pub name: &'static str,
    /// The values. A key that has one value has one here.
    pub values: Vec<String>,
    /// Whether the key has several values.
    pub is_multivalued: bool,
}

/// The keys that attributes become ("Mapping SAML attributes to AWS trust policy context keys"), and
/// whether they have several values ("Available keys for SAML-based AWS STS federation").
const ATTRIBUTES: [(&str, &str, bool); 35] = [
    (
        "urn:oid:1.3.6.1.4.1.5923.1.1.1.1",
        "saml:edupersonaffiliation",
        true,
    ),
    (
        "urn:oid:1.3.6.1.4.1.5923.1.1.1.2",
        "saml:edupersonnickname",
        true,
    ),
    (
        "urn:oid:1.3.6.1.4.1.5923.1.1.1.3",
        "saml:edupersonorgdn",
        false,
    ),
    (
        "urn:oid:1.3.6.1.4.1.5923.1.1.1.4",
        "saml:edupersonorgunitdn",
        true,
    ),
    (
        "urn:oid:1.3.6.1.4.1.5923.1.1.1.5",
        "saml:edupersonprimaryaffiliation",
        false,
    ),
    (
        "urn:oid:1.3.6.1.4.1.5923.1.1.1.6",
        "saml:edupersonprincipalname",
        false,
    ),
    (
        "urn:oid:1.3.6.1.4.1.5923.1.1.1.7",
        "saml:edupersonentitlement",
        true,
    ),
    (
        "urn:oid:1.3.6.1.4.1.5923.1.1.1.8",
        "saml:edupersonprimaryorgunitdn",
        false,
    ),
    (
        "urn:oid:1.3.6.1.4.1.5923.1.1.1.9",
        "saml:edupersonscopedaffiliation",
        true,
    ),
    (
        "urn:oid:1.3.6.1.4.1.5923.1.1.1.10",
        "saml:edupersontargetedid",
        true,
    ),
    (
        "urn:oid:1.3.6.1.4.1.5923.1.1.1.11",
        "saml:edupersonassurance",
        true,
    ),
    (
        "urn:oid:1.3.6.1.4.1.5923.1.2.1.2",
        "saml:eduorghomepageuri",
        true,
    ),
    (
        "urn:oid:1.3.6.1.4.1.5923.1.2.1.3",
        "saml:eduorgidentityauthnpolicyuri",
        true,
    ),
    (
        "urn:oid:1.3.6.1.4.1.5923.1.2.1.4",
        "saml:eduorglegalname",
        true,
    ),
    (
        "urn:oid:1.3.6.1.4.1.5923.1.2.1.5",
        "saml:eduorgsuperioruri",
        true,
    ),
    (
        "urn:oid:1.3.6.1.4.1.5923.1.2.1.6",
        "saml:eduorgwhitepagesuri",
        true,
    ),
    ("urn:oid:2.5.4.3", "saml:cn", true),
    (
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
        "saml:name",
        false,
    ),
    (
        "http://schemas.xmlsoap.org/claims/CommonName",
        "saml:commonName",
        false,
    ),
    (
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname",
        "saml:givenName",
        false,
    ),
    (
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname",
        "saml:surname",
        false,
    ),
    (
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
        "saml:mail",
        false,
    ),
    (
        "http://schemas.microsoft.com/ws/2008/06/identity/claims/primarygroupsid",
        "saml:uid",
        false,
    ),
    (
        "http://schemas.microsoft.com/ws/2008/06/identity/claims/primarygroupsid",
        "saml:primaryGroupSID",
        false,
    ),
    ("2.5.4.3", "saml:commonName", false),
    ("2.5.4.4", "saml:surname", false),
    ("2.4.5.42", "saml:givenName", false),
    ("2.5.4.42", "saml:givenName", false),
    ("2.5.4.45", "saml:x500UniqueIdentifier", false),
    ("0.9.2342.19200300100.1.1", "saml:uid", false),
    ("0.9.2342.19200300.100.1.1", "saml:uid", false),
    ("0.9.2342.19200300100.1.3", "saml:mail", false),
    ("0.9.2342.19200300.100.1.3", "saml:mail", false),
    (
        "0.9.2342.19200300100.1.45",
        "saml:organizationStatus",
        false,
    ),
    (
        "0.9.2342.19200300.100.1.45",
        "saml:organizationStatus",
        false,
    ),
];

/// The condition keys of an assertion's attributes. Where two attributes become one key, the first in
/// the table holds ("you can map one claim to a key").
#[must_use]
pub fn condition_keys(assertion: &Assertion) -> Vec<ConditionKey> {
    let mut keys: Vec<ConditionKey> = Vec::new();
    for (attribute, name, is_multivalued) in ATTRIBUTES {
        let values = assertion.values(attribute);
        let take = match is_multivalued {
            true => values.len(),
            false => values.len().min(1),
        };
        if take == 0 || keys.iter().any(|key| key.name == name) {
            continue;
        }
        keys.push(ConditionKey {
            name,
            values: values.iter().take(take).cloned().collect(),
            is_multivalued,
        });
    }
    keys
}
