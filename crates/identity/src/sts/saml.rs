//! `AssumeRoleWithSAML`: a role's session for a user whom a SAML provider vouches for.

use std::sync::Arc;

use authz::{Credential, Federation};
use aws_api::CommonError;
use aws_api::sts::{
    AssumeRoleWithSAMLRequest, AssumeRoleWithSAMLResponse, AssumedRoleUser, ErrorCode,
};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_types::AccountId;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use policy::{Context, ContextValue, PolicySet, Principal};
use saml::claims::{Claims, condition_keys};
use saml::{Assertion, NameId, Presented, Provider, Refused};
use store::Scope;
use store::iam::{role, saml_provider};

use super::assume_role::{decided_role, duration};
use super::proved_claims::ProvedClaims;
use crate::authenticate::session_arn;
use crate::session::{SessionKey, SessionTag, Who};
use crate::{Authorized, Caller, CallerKind, Error, Identity, SamlProvider, SessionInfo};

/// AWS's endpoint, which providers that were set up for AWS send to.
const AWS_ENDPOINT: &str = "https://signin.aws.amazon.com/saml";
/// The other audience that AWS takes (IAM User Guide, "Configure SAML assertions for the authentication
/// response", `AudienceRestriction`).
const AWS_AUDIENCE: &str = "urn:amazon:webservices";

/// The endpoints of this server that assertions may be for.
#[derive(Clone, Debug)]
pub struct SamlEndpoints {
    /// The server's own: `<public URL>/saml`.
    pub own: String,
    /// Whether they are the console's: then AWS's endpoints are none, and neither is an address with the
    /// provider's path. An assertion for the console serves nowhere else, and no other one serves there.
    pub is_console: bool,
}

impl SamlEndpoints {
    /// Whether a URL is one of them: AWS's, also of a region, or the server's; with the provider's own
    /// path where it has one (`/acs/<UUID>`).
    fn includes(&self, url: &str, uuid: &str) -> bool {
        if self.is_console {
            return url == self.own;
        }
        let base = match url.split_once("/acs/") {
            Some((base, id)) if id == uuid => base,
            Some(_) => return false,
            None => url,
        };
        base == self.own || base == AWS_ENDPOINT || is_regional(base)
    }
}

/// `https://us-east-1.signin.aws.amazon.com/saml`
fn is_regional(url: &str) -> bool {
    let region = url
        .strip_prefix("https://")
        .and_then(|rest| rest.strip_suffix(".signin.aws.amazon.com/saml"));
    region.is_some_and(|region| region.parse::<aws_types::Region>().is_ok())
}

/// Who a verified assertion is about, and what it asks for.
#[derive(Debug)]
pub struct SamlIdentity {
    provider_arn: String,
    /// The provider's row, where an assertion may be used once.
    used_once_of: Option<i64>,
    account: AccountId,
    subject: NameId,
    name_qualifier: String,
    assertion: Assertion,
    claims: Claims,
}

fn refused(message: &str) -> Error {
    Error::new(ErrorCode::InvalidIdentityToken, message)
}

/// Recorded of AWS for whatever does not fit the trust policy (S5).
fn not_authorized() -> Error {
    let message = "Not authorized to perform sts:AssumeRoleWithSAML";
    Error::new(CommonError::AccessDenied, message)
}

/// AWS's words for a refusal (S5; IAM User Guide, "Troubleshoot SAML federation with IAM"). Those for a
/// recipient, for a time in the future and for a malformed response are a choice.
fn answer(why: Refused) -> Error {
    tracing::info!(%why, "a SAML response is refused");
    match why {
        Refused::NotBase64 => refused("Invalid base64 SAMLResponse"),
        Refused::Malformed(_) => refused("Your request included an invalid SAML response."),
        Refused::Signature(_) => refused("Response signature invalid"),
        Refused::Issuer => refused("Issuer not present in specified provider"),
        Refused::Expired => Error::new(
            ErrorCode::ExpiredToken,
            "Token must be redeemed within 5 minutes of issuance",
        ),
        Refused::NotYet => refused("Response is not valid yet."),
        Refused::Audience => refused("Response does not contain the required audience."),
        Refused::Recipient => refused("Response does not contain the required recipient."),
        Refused::Claim(message) => refused(message),
    }
}

impl SamlProvider {
    /// The account that the provider is in.
    #[must_use]
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// Who the response is about, once everything is verified that the trust policy does not decide.
    ///
    /// # Errors
    /// `InvalidIdentityToken`, `ExpiredTokenException`; `AccessDenied` for an assertion without a name
    /// and for a role that it does not list.
    pub fn identify(
        &self,
        response: &str,
        role_arn: &str,
        endpoints: &SamlEndpoints,
        now: Timestamp,
    ) -> Result<SamlIdentity, Error> {
        self.verify(response, endpoints, now)?.for_role(role_arn)
    }

    /// As [`SamlProvider::identify`], where the role is chosen afterwards.
    ///
    /// # Errors
    /// `InvalidIdentityToken`, `ExpiredTokenException`; `AccessDenied` for an assertion without a name.
    pub fn verify(
        &self,
        response: &str,
        endpoints: &SamlEndpoints,
        now: Timestamp,
    ) -> Result<VerifiedAssertion, Error> {
        let provider = Provider {
            metadata: &self.metadata,
            decryption_keys: &self.decryption_keys,
            requires_encryption: self.requires_encryption,
        };
        let assertion = saml::open(response, &provider).map_err(answer)?;
        let uuid = &self.uuid;
        let presented = Presented {
            now,
            is_audience: &|name| {
                (name == AWS_AUDIENCE && !endpoints.is_console) || endpoints.includes(name, uuid)
            },
            is_recipient: &|url| endpoints.includes(url, uuid),
        };
        assertion.check(&presented).map_err(answer)?;
        let claims = Claims::read(&assertion).map_err(answer)?;
        let subject = assertion.name_id.clone().ok_or_else(not_authorized)?;
        let qualified = format!("{}{}/{}", assertion.issuer, self.account, self.name);
        let qualifier = digest(&SHA1_FOR_LEGACY_USE_ONLY, qualified.as_bytes());
        Ok(VerifiedAssertion(SamlIdentity {
            provider_arn: self.arn.clone(),
            used_once_of: self.is_single_use.then_some(self.entity),
            account: self.account,
            subject,
            name_qualifier: STANDARD.encode(qualifier),
            assertion,
            claims,
        }))
    }
}

/// An assertion whose signature, provider, times and place were verified.
#[derive(Debug)]
pub struct VerifiedAssertion(SamlIdentity);

impl VerifiedAssertion {
    /// The identity, for a role that is asked for.
    ///
    /// # Errors
    /// `AccessDenied` for a role that the assertion does not list.
    pub fn for_role(self, role_arn: &str) -> Result<SamlIdentity, Error> {
        match self.0.claims.names_role(role_arn, &self.0.provider_arn) {
            true => Ok(self.0),
            false => Err(not_authorized()),
        }
    }

    /// The roles that the assertion lists for its provider, each once.
    #[must_use]
    pub fn roles(&self) -> Vec<String> {
        let own = self.0.claims.roles.iter();
        let own = own.filter(|claim| claim.provider_arn == self.0.provider_arn);
        let mut roles: Vec<String> = own.map(|claim| claim.role_arn.clone()).collect();
        roles.sort_unstable();
        roles.dedup();
        roles
    }

    /// The request that the assertion answers.
    #[must_use]
    pub fn in_response_to(&self) -> Option<&str> {
        self.0.assertion.in_response_to.as_deref()
    }

    /// How long the session shall last, in seconds.
    #[must_use]
    pub fn session_seconds(&self) -> Option<i64> {
        self.0.claims.session_seconds
    }

    /// The name of who signs in, and the session's.
    #[must_use]
    pub fn names(&self) -> (&str, &str) {
        (&self.0.subject.value, &self.0.claims.role_session_name)
    }
}

impl SamlIdentity {
    /// What the assertion sets for the session.
    pub(super) fn proved_claims(&self) -> ProvedClaims<'_> {
        let tags = self.claims.tags.iter();
        let transitive = self.claims.transitive_tag_keys.iter();
        ProvedClaims {
            assertion_id: Some(&self.assertion.id),
            role_session_name: Some(&self.claims.role_session_name),
            source_identity: self.claims.source_identity.as_deref(),
            tags: tags.map(|(key, value)| (&**key, &**value)).collect(),
            transitive_tag_keys: transitive.map(String::as_str).collect(),
        }
    }

    /// The condition keys that stay in the session (S4).
    fn session_keys(&self) -> [(&'static str, &str); 3] {
        [
            ("saml:namequalifier", &self.name_qualifier),
            ("saml:sub", &self.subject.value),
            ("saml:sub_type", self.subject.subject_type()),
        ]
    }

    /// The condition keys of the trust policy's evaluation.
    fn context(&self) -> Context {
        let doc = self.provider_arn.rsplit('/').next().unwrap_or_default();
        let mut context = Context::new()
            .set("saml:aud", self.assertion.recipient.as_str())
            .set("saml:iss", self.assertion.issuer.as_str())
            .set("saml:doc", format!("{}/{doc}", self.account).as_str())
            .set(
                "sts:RoleSessionName",
                self.claims.role_session_name.as_str(),
            )
            .set_option("sts:SourceIdentity", self.claims.source_identity.as_deref());
        for (name, value) in self.session_keys() {
            context.insert(name, ContextValue::One(value.into()));
        }
        for key in condition_keys(&self.assertion) {
            let mut values = key.values.iter().map(|value| Arc::from(value.as_str()));
            let value = match key.is_multivalued {
                true => Some(ContextValue::Many(values.collect())),
                false => values.next().map(ContextValue::One),
            };
            if let Some(value) = value {
                context.insert(key.name, value);
            }
        }
        let many = |texts: &mut dyn Iterator<Item = &String>| {
            ContextValue::Many(texts.map(|text| Arc::from(text.as_str())).collect())
        };
        if !self.claims.tags.is_empty() {
            let keys = many(&mut self.claims.tags.iter().map(|(key, _)| key));
            context.insert("aws:TagKeys", keys);
            for (key, value) in &self.claims.tags {
                let value = ContextValue::One(value.as_str().into());
                context.insert(&format!("aws:RequestTag/{key}"), value);
            }
        }
        if !self.claims.transitive_tag_keys.is_empty() {
            let keys = many(&mut self.claims.transitive_tag_keys.iter());
            context.insert("sts:TransitiveTagKeys", keys);
        }
        context
    }
}

/// The caller of `AssumeRoleWithSAML`: the identity that the assertion proved, in the provider's account.
/// Attributes become `saml:` keys alone; of AWS's own keys, an assertion sets tags and the source
/// identity, each of which needs an action of its own.
#[must_use]
pub fn saml_caller(identity: SamlIdentity, now: Timestamp) -> Caller {
    let user_id = format!("{}:{}", identity.name_qualifier, identity.subject.value);
    Caller {
        account: identity.account,
        arn: identity.provider_arn.as_str().into(),
        // CloudTrail User Guide, "CloudTrail userIdentity element", SAMLUser.
        user_id: user_id.into(),
        principal: Principal::saml(identity.provider_arn.as_str()),
        kind: CallerKind::ProviderIdentity {
            protocol: Federation::Saml,
            provider_arn: identity.provider_arn.clone(),
            subject: identity.subject.value.clone(),
        },
        access_key_id: String::new(),
        identity: Arc::new(PolicySet::default()),
        boundary: None,
        session: None,
        scope_downs: Vec::new(),
        context: Arc::new(identity.context()),
        session_info: Some(SessionInfo {
            issued_at: now,
            expires_at: identity.assertion.usable_until(),
            source_identity: identity.claims.source_identity.clone(),
            // All tags that come with the assertion: each asks for `sts:TagSession`.
            transitive_tags: identity.claims.tags.clone(),
            mfa_at: None,
            is_console: false,
        }),
        credential: Credential::new(identity),
    }
}

impl Identity {
    /// The provider that a request names. It answers as AWS does where there is none.
    ///
    /// # Errors
    /// `InvalidIdentityToken`.
    pub async fn saml_provider_of_request(&self, arn: &str) -> Result<SamlProvider, Error> {
        let found = self.saml_provider(arn).await?;
        found.ok_or_else(|| refused("Specified provider doesn't exist"))
    }

    /// `AssumeRoleWithSAML`. The assertion was verified and the trust policy asked before.
    ///
    /// # Errors
    /// `AccessDenied` for a role that is not the one that was decided on, or of another account than
    /// the provider; `ValidationError` for the duration; `InvalidIdentityToken` for tags, and for an
    /// assertion that was used and holds once; `MalformedPolicyDocument`, `PackedPolicyTooLarge`.
    pub async fn assume_role_with_saml(
        &self,
        cx: &Authorized,
        input: AssumeRoleWithSAMLRequest,
    ) -> Result<AssumeRoleWithSAMLResponse, Error> {
        let identity: &SamlIdentity = cx
            .caller
            .credential
            .get()
            .ok_or_else(|| Error::internal("the caller has no assertion"))?;
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let entity = decided_role(&mut conn, cx, &input.role_arn)
            .await?
            // A provider vouches in its own account alone.
            .filter(|found| found.account == identity.account.as_str())
            .ok_or_else(not_authorized)?;
        let max = role::get(&mut conn, entity.id).await?.max_session_seconds;
        let wanted = duration(input.duration_seconds, max, false)?;
        let seconds = session_seconds(identity, wanted, cx.now)?;
        let claims = &identity.claims;
        let name = claims.role_session_name.clone();
        let who = Who::Role(entity.unique_id.clone(), name.clone());
        let mut session = self.new_session(cx, identity.account, who, seconds)?;
        session.source_identity.clone_from(&claims.source_identity);
        session.tags = session_tags(claims)?;
        session.keys = identity
            .session_keys()
            .map(|(name, value)| SessionKey::One(name.to_owned(), value.to_owned()))
            .into();
        self.add_policies(&mut conn, &mut session, input.policy, input.policy_arns)
            .await?;
        let issued = self.issue(&mut session, input.minimum_session_token_size)?;
        drop(read);
        if let Some(provider) = identity.used_once_of {
            self.use_once(cx, provider, &identity.assertion).await?;
        }
        Ok(AssumeRoleWithSAMLResponse {
            credentials: Some(issued.credentials),
            assumed_role_user: Some(AssumedRoleUser {
                assumed_role_id: format!("{}:{name}", entity.unique_id),
                arn: session_arn(&entity, &name),
            }),
            packed_policy_size: issued.packed_policy_size,
            session_token_size: Some(issued.token_size),
            session_token_utilization: Some(issued.token_utilization),
            subject: Some(identity.subject.value.clone()),
            subject_type: Some(identity.subject.subject_type().to_owned()),
            issuer: Some(identity.assertion.issuer.clone()),
            audience: Some(identity.assertion.recipient.clone()),
            name_qualifier: Some(identity.name_qualifier.clone()),
            source_identity: claims.source_identity.clone(),
            ..AssumeRoleWithSAMLResponse::default()
        })
    }
}

impl Identity {
    /// Notes in the database, for all nodes, that an assertion was used.
    async fn use_once(
        &self,
        cx: &Authorized,
        provider: i64,
        assertion: &Assertion,
    ) -> Result<(), Error> {
        let mut tx = self
            .0
            .store
            .write(Scope::Account(cx.account.as_str()))
            .await?;
        let until = assertion.usable_until().as_millisecond();
        let now = cx.now.as_millisecond();
        let mut conn = tx.conn();
        let id = &assertion.id;
        let is_first = saml_provider::use_once(&mut conn, provider, id, until, now).await?;
        tx.commit().await?;
        match is_first {
            true => Ok(()),
            false => Err(refused("The assertion was used before.")),
        }
    }
}

/// The session's seconds: what was asked for, no longer than `SessionDuration` and the provider's own
/// session (S3).
fn session_seconds(identity: &SamlIdentity, wanted: i64, now: Timestamp) -> Result<i64, Error> {
    let by_claim = identity.claims.session_seconds.unwrap_or(wanted);
    let by_provider = identity.assertion.session_ends;
    let by_provider = by_provider.map_or(wanted, |end| end.as_second() - now.as_second());
    match wanted.min(by_claim).min(by_provider) {
        seconds @ 1.. => Ok(seconds),
        _ => Err(answer(Refused::Expired)),
    }
}

/// The tags of `PrincipalTag` attributes; keys ignore case (IAM User Guide, "Pass session tags in AWS
/// STS").
fn session_tags(claims: &Claims) -> Result<Vec<SessionTag>, Error> {
    let mut tags: Vec<SessionTag> = Vec::new();
    for (key, value) in &claims.tags {
        let is_same = |tag: &SessionTag| tag.0.to_lowercase() == key.to_lowercase();
        let length = |text: &str| text.chars().count();
        if key.to_lowercase().starts_with("aws:")
            || !(1..=128).contains(&length(key))
            || length(value) > 256
            || tags.iter().any(is_same)
        {
            return Err(refused(&format!(
                "Tag {key} in AuthnResponse is not valid."
            )));
        }
        tags.push(SessionTag(key.clone(), value.clone(), false));
    }
    for key in &claims.transitive_tag_keys {
        let is_it = |tag: &&mut SessionTag| tag.0.to_lowercase() == key.to_lowercase();
        let tag = tags.iter_mut().find(is_it).ok_or_else(|| {
            refused("The specified transitive tag key must be included in the requested tags.")
        })?;
        tag.2 = true;
    }
    Ok(tags)
}
