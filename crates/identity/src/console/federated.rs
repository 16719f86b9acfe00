//! Sign-ins through an identity provider: what the browser keeps while it is away, and what is kept while a role
//! is chosen.
//!
//! A sign-in that begins leaves nothing here: what must be known when the browser comes back is sealed in its
//! cookie. One that comes back is noted, so that it comes back once, on whatever node. Only what the provider
//! signed is kept, and only while its user chooses a role.

use aws_api::Secret;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use aws_types::{AccountId, draw, hex};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use store::iam::entity::Kind;
use store::iam::{provider_settings, role};
use store::{Scope, console_sign_ins};

use crate::federation::oidc::{Claims, ProviderSettings};
use crate::federation::provider_key;
use crate::policy_cache::entity_by_arn;
use crate::{Error, Identity, SealError};

/// How long a sign-in may be away, and how long a role may be chosen.
const LIFETIME: SignedDuration = SignedDuration::from_mins(10);
/// Providers on the sign-in page.
const PROVIDERS_MAX: i64 = 50;
/// What the browser's cookie is sealed for, on the way to the provider and while a role is chosen.
const PENDING: &str = "console-sign-in";
const CHOICE: &str = "console-role-choice";
/// What the provider's answer is sealed for.
const HELD: &str = "console-provider-answer";

/// How a provider speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProviderKind {
    /// OpenID Connect.
    Oidc,
    /// SAML 2.0.
    Saml,
}

/// A provider through which people sign in.
#[derive(Clone, Debug)]
pub struct SignInProvider {
    /// How it speaks.
    pub kind: ProviderKind,
    /// Its name on the sign-in page.
    pub display_name: String,
    /// Its name in IAM: the URL without the scheme for an OIDC one.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// What the page calls it by.
    pub key: String,
}

/// A sign-in that is on its way to a provider. Only sealed in the browser.
#[derive(Clone, Serialize, Deserialize)]
pub struct PendingSignIn {
    /// Unique; also in the id of a SAML request.
    pub id: String,
    /// The account.
    #[serde(with = "account_id")]
    pub account: AccountId,
    /// How the provider speaks.
    pub kind: ProviderKind,
    /// The provider's ARN.
    pub provider_arn: String,
    /// `state`, or `RelayState`.
    state: String,
    /// `nonce` of the ID token.
    nonce: String,
    /// The code verifier (RFC 7636, section 4.1).
    pub verifier: String,
    /// Where the sign-in leads to.
    pub next: String,
    /// When it is over, in milliseconds since the epoch.
    ends_at: i64,
}

impl PendingSignIn {
    /// The code challenge of the method `S256` (RFC 7636, section 4.2).
    #[must_use]
    pub fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, self.verifier.as_bytes()))
    }

    /// `state` of an OIDC provider's answer, `RelayState` of a SAML one's.
    #[must_use]
    pub fn state(&self) -> &str {
        &self.state
    }

    /// `nonce` of the ID token.
    #[must_use]
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// Whether an answer is this sign-in's.
    #[must_use]
    pub fn has_state(&self, state: &str) -> bool {
        verify_slices_are_equal(self.state.as_bytes(), state.as_bytes()).is_ok()
    }

    /// Whether an ID token was made for this sign-in.
    #[must_use]
    pub fn has_nonce(&self, nonce: &str) -> bool {
        verify_slices_are_equal(self.nonce.as_bytes(), nonce.as_bytes()).is_ok()
    }

    /// The id of a SAML request: an XML name, which begins with no digit.
    #[must_use]
    pub fn request_id(&self) -> String {
        format!("_{}", self.id)
    }
}

impl std::fmt::Debug for PendingSignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PendingSignIn").finish_non_exhaustive()
    }
}

/// What a provider said, while its user chooses a role.
#[derive(Clone, Serialize, Deserialize)]
pub struct ProviderAnswer {
    /// How the provider speaks.
    pub kind: ProviderKind,
    /// The provider's ARN.
    pub provider_arn: String,
    /// The ID token, or the response in base64.
    pub proof: String,
    /// The roles to choose from.
    pub roles: Vec<String>,
    /// Where the sign-in leads to.
    pub next: String,
}

impl std::fmt::Debug for ProviderAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProviderAnswer").finish_non_exhaustive()
    }
}

/// A choice of a role.
#[derive(Debug, Serialize, Deserialize)]
pub struct RoleChoice {
    id: String,
    /// The account.
    #[serde(with = "account_id")]
    pub account: AccountId,
}

/// The session's name of who an ID token is about: what fits of the e-mail address, else of the user name, else of
/// the subject. An address that the provider says it has not verified does not count.
#[must_use]
pub fn session_name(claims: &Claims) -> String {
    let unverified = claims.is_false("email_verified");
    let email = claims.email.clone().filter(|_| !unverified);
    let name = email
        .or_else(|| claims.other("preferred_username").ok().flatten())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| claims.subject.clone());
    fitted(&name)
}

/// A name of 2 to 64 characters of `\w+=,.@-` (STS API Reference, AssumeRoleWithWebIdentity, `RoleSessionName`).
fn fitted(name: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    let fitted = name.chars().map(|c| if fits(c) { c } else { '-' });
    let fitted: String = fitted.take(64).collect();
    match fitted.len() {
        0 | 1 => format!("{fitted}-console"),
        _ => fitted,
    }
}

/// An account's id as its twelve digits.
mod account_id {
    use aws_types::AccountId;
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(id: &AccountId, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(id.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<AccountId, D::Error> {
        let text = String::deserialize(from)?;
        text.parse()
            .map_err(|_| de::Error::custom("an account's id has twelve digits"))
    }
}

fn kind_of(kind: &str) -> ProviderKind {
    match kind == Kind::SamlProvider.as_str() {
        true => ProviderKind::Saml,
        false => ProviderKind::Oidc,
    }
}

impl Identity {
    /// The account's providers through which people sign in; none for an account that does not exist, which takes
    /// the same look.
    ///
    /// # Errors
    /// The database's.
    pub async fn sign_in_providers(
        &self,
        account: Option<AccountId>,
    ) -> Result<Vec<SignInProvider>, Error> {
        let account = account.map_or_else(String::new, |account| account.to_string());
        let found = {
            let mut read = self.0.store.snapshot().await?;
            provider_settings::for_console(&mut read.conn(), &account, PROVIDERS_MAX).await?
        };
        let mut providers = Vec::with_capacity(found.len());
        for row in found {
            let settings = ProviderSettings::open(&self.0.sealer, &row.sealed).await?;
            let arn = format!("arn:aws:iam::{account}:{}/{}", row.kind, row.name);
            let display_name = settings.console.and_then(|console| console.display_name);
            providers.push(SignInProvider {
                kind: kind_of(&row.kind),
                display_name: display_name.unwrap_or_else(|| row.name.clone()),
                name: row.name,
                key: provider_key(&arn),
                arn,
            });
        }
        Ok(providers)
    }

    /// A sign-in through a provider that begins, and the secret for the browser's cookie.
    ///
    /// # Errors
    /// The random source's.
    pub fn begin_provider_sign_in(
        &self,
        account: AccountId,
        provider: &SignInProvider,
        next: String,
        now: Timestamp,
    ) -> Result<(PendingSignIn, Secret<String>), Error> {
        let entropy = &*self.0.entropy;
        let secret = || Ok::<_, Error>(URL_SAFE_NO_PAD.encode(draw::<32>(entropy)?));
        let ends = now.saturating_add(LIFETIME).map_err(Error::internal)?;
        let pending = PendingSignIn {
            id: hex::encode(draw::<16>(entropy)?),
            account,
            kind: provider.kind,
            provider_arn: provider.arn.clone(),
            state: secret()?,
            nonce: secret()?,
            verifier: secret()?,
            next,
            ends_at: ends.as_millisecond(),
        };
        let bytes = serde_json::to_vec(&pending).map(zeroize::Zeroizing::new);
        let bytes = bytes.map_err(Error::internal)?;
        let sealed = self.0.sealer.seal(PENDING, &bytes, ends)?;
        Ok((pending, Secret::new(sealed)))
    }

    /// The sign-in of a cookie, while it lasts.
    ///
    /// # Errors
    /// The key ring's.
    pub async fn pending_sign_in(
        &self,
        cookie: &str,
        now: Timestamp,
    ) -> Result<Option<PendingSignIn>, Error> {
        self.opened(PENDING, cookie, now).await
    }

    async fn opened<T: serde::de::DeserializeOwned>(
        &self,
        purpose: &'static str,
        sealed: &str,
        now: Timestamp,
    ) -> Result<Option<T>, Error> {
        match self.0.sealer.open(purpose, sealed, now).await {
            Ok(bytes) => Ok(Some(
                serde_json::from_slice(&bytes).map_err(Error::internal)?,
            )),
            Err(SealError::Invalid | SealError::Expired) => Ok(None),
            Err(error) => Err(Error::internal(error)),
        }
    }

    /// Notes that a sign-in came back; `false` when it had come back before, on whatever node.
    ///
    /// # Errors
    /// The database's.
    pub async fn use_pending_sign_in(
        &self,
        pending: &PendingSignIn,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let account = pending.account.as_str();
        // The choice of a role may begin when the sign-in's time is nearly over.
        let until = now.saturating_add(LIFETIME).map_err(Error::internal)?;
        let until = until.as_millisecond().max(pending.ends_at);
        let mut tx = self.0.store.write(Scope::Account(account)).await?;
        let (mut conn, now) = (tx.conn(), now.as_millisecond());
        let is_first = console_sign_ins::use_once(&mut conn, &pending.id, account, until, now);
        let is_first = is_first.await?;
        tx.commit().await?;
        Ok(is_first)
    }

    /// Keeps what a provider said while its user chooses a role. Returns the secret for the browser's cookie.
    ///
    /// # Errors
    /// The database's and the random source's.
    pub async fn hold_provider_answer(
        &self,
        pending: &PendingSignIn,
        answer: &ProviderAnswer,
        now: Timestamp,
    ) -> Result<Secret<String>, Error> {
        let account = pending.account;
        let bytes = serde_json::to_vec(answer).map(zeroize::Zeroizing::new);
        let bytes = bytes.map_err(Error::internal)?;
        let sealed = self.0.sealer.seal_bytes(HELD, &bytes)?;
        let mut tx = self.0.store.write(Scope::Account(account.as_str())).await?;
        console_sign_ins::hold(&mut tx.conn(), &pending.id, &sealed).await?;
        tx.commit().await?;
        let id = pending.id.clone();
        let choice = serde_json::to_vec(&RoleChoice { id, account }).map_err(Error::internal)?;
        let until = now.saturating_add(LIFETIME).map_err(Error::internal)?;
        Ok(Secret::new(self.0.sealer.seal(CHOICE, &choice, until)?))
    }

    /// The choice of a cookie, and what the provider said, while it lasts.
    ///
    /// # Errors
    /// The database's.
    pub async fn role_choice(
        &self,
        cookie: &str,
        now: Timestamp,
    ) -> Result<Option<(RoleChoice, ProviderAnswer)>, Error> {
        let choice: Option<RoleChoice> = self.opened(CHOICE, cookie, now).await?;
        let Some(choice) = choice else {
            return Ok(None);
        };
        let sealed = {
            let mut read = self.0.store.snapshot().await?;
            console_sign_ins::held(&mut read.conn(), &choice.id, now.as_millisecond()).await?
        };
        let Some(sealed) = sealed else {
            return Ok(None);
        };
        let bytes = self.0.sealer.open_bytes(HELD, &sealed).await;
        let bytes = bytes.map_err(Error::internal)?;
        let answer = serde_json::from_slice(&bytes).map_err(Error::internal)?;
        Ok(Some((choice, answer)))
    }

    /// Ends a choice. `false`: a role was chosen before.
    ///
    /// # Errors
    /// The database's.
    pub async fn end_role_choice(&self, choice: &RoleChoice) -> Result<bool, Error> {
        let scope = Scope::Account(choice.account.as_str());
        let mut tx = self.0.store.write(scope).await?;
        let is_first = console_sign_ins::release(&mut tx.conn(), &choice.id).await?;
        tx.commit().await?;
        Ok(is_first)
    }

    /// ARNs of the account's roles whose trust policies name a provider, at most `max`, by name. Whether one lets
    /// somebody in is the authorization step's to decide.
    ///
    /// # Errors
    /// The database's.
    pub async fn roles_naming_provider(
        &self,
        account: AccountId,
        provider_arn: &str,
        max: usize,
    ) -> Result<Vec<String>, Error> {
        let max = i64::try_from(max).map_err(Error::internal)?;
        let mut read = self.0.store.snapshot().await?;
        let account = account.as_str();
        let mut conn = read.conn();
        let found = role::with_trust_policy_containing(&mut conn, account, provider_arn, max);
        let found = found.await?.into_iter();
        Ok(found
            .map(|(path, name)| format!("arn:aws:iam::{account}:role{path}{name}"))
            .collect())
    }

    /// `MaxSessionDuration` of a role, in seconds; `None` for a role that does not exist.
    ///
    /// # Errors
    /// The database's.
    pub async fn role_max_session(&self, role_arn: &str) -> Result<Option<i32>, Error> {
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let found = entity_by_arn(&mut conn, role_arn).await?;
        let Some(found) = found.filter(|found| found.kind == Kind::Role) else {
            return Ok(None);
        };
        let seconds = role::get(&mut conn, found.id).await?.max_session_seconds;
        i32::try_from(seconds).map(Some).map_err(Error::internal)
    }
}

#[cfg(test)]
mod tests {
    use super::fitted;

    #[test]
    fn session_names_are_made_to_fit() {
        for (name, expected) in [
            ("alice@example.com", "alice@example.com"),
            ("auth0|5f7c8", "auth0-5f7c8"),
            ("Zoë Müller", "Zo--M-ller"),
            ("a", "a-console"),
            ("", "-console"),
            ("é", "--console"),
        ] {
            assert_eq!(fitted(name), expected);
        }
        assert_eq!(fitted(&"x".repeat(100)).len(), 64);
    }
}
