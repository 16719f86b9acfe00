//! The verification of a web identity token: whose it is, for whom, until when.

use jiff::Timestamp;

use aws_api::sts::ErrorCode;

use super::claims::{ClaimError, Claims};
use super::condition_keys::{self, Value, Values};
use super::jwks::{KeyError, KeySet};
use super::jws::{Algorithm, Jws};
use super::provider::{Provider, SCHEME};
use crate::Error;

/// How far the issuer's clock may be ahead of this server's, in seconds. AWS does not say what it
/// allows. An expiry has no such margin: "current date/time … must be before the expiration date/time".
const CLOCK_SKEW_SECONDS: i64 = 60;

/// An identity that a provider vouches for. Made by [`verify`] alone.
#[derive(Clone, Debug, PartialEq)]
pub struct WebIdentity {
    /// The provider's ARN.
    pub provider_arn: String,
    /// `sub`.
    pub subject: String,
    /// The audience that was checked.
    pub audience: String,
    /// Session tags, each with whether it is transitive.
    pub tags: Vec<(String, String, bool)>,
    /// The source identity.
    pub source_identity: Option<String>,
    /// When the token was issued.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Whether the token names the role in its `roles` claim.
    pub is_role_authorized: bool,
    /// The provider's name, the part of its condition keys before the colon.
    name: String,
    values: Values,
}

impl WebIdentity {
    /// The condition keys of the trust policy's evaluation, `issuer:claim`.
    pub fn keys(&self) -> impl Iterator<Item = (String, &Value)> {
        let named = |(claim, value)| (format!("{}:{claim}", self.name), value);
        self.values.iter().map(named)
    }

    /// Those of them that stay in the session.
    pub fn session_keys(&self) -> impl Iterator<Item = (String, &Value)> {
        let staying = self.values.iter();
        let staying = staying.filter(|(claim, _)| condition_keys::stays(claim));
        staying.map(|(claim, value)| (format!("{}:{claim}", self.name), value))
    }
}

/// A token, read far enough to look up its provider and the key that it names.
#[derive(Debug)]
pub struct Presented<'a> {
    jws: Jws<'a>,
    issuer: String,
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::InvalidIdentityToken, message)
}

/// The recorded text (O14 of the tests), for everything that is no signed JWT of an accepted algorithm.
fn not_a_jwt() -> Error {
    invalid(
        "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
    )
}

/// The recorded text, with its two spaces, for keys that cannot be fetched or do not contain the token's.
pub(super) fn no_verification_key() -> Error {
    invalid(
        "Couldn't retrieve verification key from your identity provider,  please reference \
         AssumeRoleWithWebIdentity documentation for requirements",
    )
}

impl<'a> Presented<'a> {
    /// Reads a token. White space at its end does not count: SDKs send a token file as it is, and jobs
    /// write it by `jq -r .value > $AWS_WEB_IDENTITY_TOKEN_FILE` or `echo`, which end it with a line feed.
    ///
    /// # Errors
    /// `InvalidIdentityToken`.
    pub fn parse(token: &'a str) -> Result<Presented<'a>, Error> {
        let jws = Jws::parse(token.trim_ascii_end()).map_err(|_| not_a_jwt())?;
        let issuer = Claims::issuer_of(&jws).map_err(refused)?;
        Ok(Presented { jws, issuer })
    }

    /// The issuer that the token claims.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The name of the provider that the token claims: the issuer without the scheme, nothing else
    /// changed. `None` for an issuer that no provider can have.
    #[must_use]
    pub fn provider_name(&self) -> Option<&str> {
        self.issuer
            .strip_prefix(SCHEME)
            .filter(|name| !name.is_empty())
    }

    /// The refusal where the account has no such provider.
    #[must_use]
    pub fn no_provider(&self) -> Error {
        // An issuer may be long, and is the sender's.
        let shown: String = self.issuer.chars().take(255).collect();
        invalid(format!(
            "No OpenIDConnect provider found in your account for {shown}"
        ))
    }

    /// Whether the set has no key that the token could be signed with, so that newer keys may help.
    #[must_use]
    pub fn needs_other_keys(&self, keys: &KeySet) -> bool {
        keys.lacks_key_of(&self.jws)
    }

    /// Verifies signature and claims. `role_arn` is the role that is asked for.
    ///
    /// # Errors
    /// `InvalidIdentityToken`, `ExpiredTokenException`.
    pub fn verify(
        &self,
        provider: &Provider,
        keys: &KeySet,
        role_arn: &str,
        now: Timestamp,
    ) -> Result<WebIdentity, Error> {
        self.verify_for_any_role(provider, keys, now)?
            .for_role(role_arn)
    }

    /// As [`Presented::verify`], where the role is chosen afterwards.
    ///
    /// # Errors
    /// `InvalidIdentityToken`, `ExpiredTokenException`.
    pub fn verify_for_any_role(
        &self,
        provider: &Provider,
        keys: &KeySet,
        now: Timestamp,
    ) -> Result<Verified, Error> {
        // The caller looked the provider up by this name; a mix-up must not accept the token.
        if self.provider_name() != Some(provider.name.as_str()) {
            return Err(self.no_provider());
        }
        let allowed = match provider.settings.algorithms.as_deref() {
            Some(chosen) => chosen,
            None => &Algorithm::ALL[..],
        };
        keys.verify(&self.jws, allowed)
            .map_err(|error| match error {
                KeyError::UnknownKey => no_verification_key(),
                KeyError::TooManyKeys => invalid(error.to_string()),
                // Not recorded; `Bad Request` and the like are of older API versions.
                KeyError::Signature => invalid("The ID Token's signature is not valid."),
            })?;
        let claims = Claims::of(&self.jws).map_err(refused)?;
        check_times(&claims, now)?;
        let audience = audience(&claims, provider)?;
        let further = &provider.settings.claims;
        let values = condition_keys::of(&provider.name, &claims, &audience, further);
        let time = |seconds| Timestamp::from_second(seconds).map_err(Error::internal);
        let identity = WebIdentity {
            provider_arn: provider.arn.clone(),
            audience,
            issued_at: time(claims.issued_at)?,
            expires_at: time(claims.expires_at)?,
            is_role_authorized: false,
            name: provider.name.clone(),
            values: values.map_err(refused)?,
            subject: claims.subject.clone(),
            tags: claims.tags.clone(),
            source_identity: claims.source_identity.clone(),
        };
        Ok(Verified { identity, claims })
    }
}

/// A token whose signature, provider, audience and times were verified.
#[derive(Debug)]
pub struct Verified {
    /// For no role yet.
    identity: WebIdentity,
    claims: Claims,
}

impl Verified {
    /// The identity, for a role that is asked for.
    ///
    /// # Errors
    /// `InvalidIdentityToken` where the provider lets the token be used for other roles alone.
    pub fn for_role(&self, role_arn: &str) -> Result<WebIdentity, Error> {
        let is_role_authorized = match &self.claims.roles {
            None => false,
            Some(roles) if roles.iter().any(|role| role == role_arn) => true,
            Some(_) => {
                return Err(invalid(
                    "The target role ARN is not present in the roles claim of the identity token",
                ));
            }
        };
        Ok(WebIdentity {
            is_role_authorized,
            ..self.identity.clone()
        })
    }

    /// The audience that was checked.
    #[must_use]
    pub fn audience(&self) -> &str {
        &self.identity.audience
    }

    /// What the console's sign-in reads besides.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.claims
    }
}

fn refused(error: ClaimError) -> Error {
    match error {
        ClaimError::Malformed => not_a_jwt(),
        other => invalid(other.to_string()),
    }
}

fn check_times(claims: &Claims, now: Timestamp) -> Result<(), Error> {
    let now = now.as_second();
    let expires_at = claims.expires_at;
    if now >= expires_at {
        return Err(Error::new(
            ErrorCode::ExpiredToken,
            format!(
                "Token expired: current date/time {now} must be before the expiration date/time \
                 {expires_at}"
            ),
        ));
    }
    // Beyond what a `Timestamp` holds is no time.
    if expires_at > Timestamp::MAX.as_second() {
        return Err(invalid("Invalid claim: exp"));
    }
    let latest = now.saturating_add(CLOCK_SKEW_SECONDS);
    if claims.issued_at > latest {
        return Err(invalid("Invalid claim: iat"));
    }
    if claims.not_before.is_some_and(|start| start > latest) {
        return Err(invalid("Invalid claim: nbf"));
    }
    Ok(())
}

/// The audience to check against the client ids: `azp` where the token has one.
fn audience(claims: &Claims, provider: &Provider) -> Result<String, Error> {
    let registered = |audience: &&String| provider.client_ids.contains(audience);
    let found = match &claims.authorized_party {
        Some(party) => Some(party).filter(registered),
        None => claims.audiences.iter().find(registered),
    };
    found
        .cloned()
        .ok_or_else(|| invalid("Incorrect token audience"))
}
