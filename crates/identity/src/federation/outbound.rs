//! Outbound identity federation: accounts as OpenID Connect issuers, whose principals get tokens for other
//! services (IAM User Guide, "Federating AWS identities to external services"; C9 of the tests).

use aws_api::iam::{
    EnableOutboundWebIdentityFederationResponse, ErrorCode,
    GetOutboundWebIdentityFederationInfoResponse,
};
use aws_api::sts::{self, GetWebIdentityTokenRequest, GetWebIdentityTokenResponse};
use aws_api::{CommonError, Secret};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use store::iam::outbound_identity::{self, Issuer};
use store::iam::{entity, tag};
use store::{Conn, Scope};

use super::outbound_keys::{self, SigningAlgorithm};
use crate::caller::{RefKind, credential};
use crate::session::{SessionKey, SessionTag};
use crate::{Authorized, CallerKind, Error, Identity};
use aws_types::draw;

/// `DurationSeconds` where a request names none (STS API Reference, GetWebIdentityToken).
const SECONDS_DEFAULT: i64 = 300;
/// The claims' JSON, in bytes: 50 tags of the longest keys and values do not fit.
const PAYLOAD_BYTES_MAX: usize = 8 * 1024;
/// Keys that are read of an account: two of each algorithm, and those of nodes that made one at once.
const KEYS_MAX: i64 = 64;
/// Where the claims of AWS's own stand.
const NAMESPACE: &str = "https://sts.amazonaws.com/";

/// The messages are the model's.
fn disabled() -> Error {
    Error::new(
        ErrorCode::FeatureDisabled,
        "The request failed because outbound identity federation is already disabled for your Amazon Web \
         Services account.",
    )
}

/// The issuer's URL under the server's own.
fn issuer_url(base: &str, issuer_id: &str) -> String {
    format!("{base}/{issuer_id}")
}

impl Identity {
    /// `EnableOutboundWebIdentityFederation`. `base` is the URL below which issuers are.
    ///
    /// # Errors
    /// `FeatureEnabled`.
    pub async fn enable_outbound_web_identity_federation(
        &self,
        cx: &Authorized,
        base: &str,
    ) -> Result<EnableOutboundWebIdentityFederationResponse, Error> {
        let account = cx.account.as_str();
        let mut tx = self.0.store.write(Scope::Account(account)).await?;
        let mut conn = tx.conn();
        let known = outbound_identity::find(&mut conn, account).await?;
        if known.as_ref().is_some_and(|known| known.enabled) {
            return Err(Error::new(
                ErrorCode::FeatureEnabled,
                "The request failed because outbound identity federation is already enabled for your \
                 Amazon Web Services account. You cannot enable the feature multiple times. To fetch the \
                 current configuration (including the unique issuer URL), use the \
                 GetOutboundWebIdentityFederationInfo operation.",
            ));
        }
        let issuer = Issuer {
            account: account.to_owned(),
            issuer_id: match known {
                Some(known) => known.issuer_id,
                None => aws_types::hex::encode(draw::<16>(&*self.0.entropy)?),
            },
            enabled: true,
        };
        outbound_identity::put(&mut conn, &issuer).await?;
        tx.commit().await?;
        Ok(EnableOutboundWebIdentityFederationResponse {
            issuer_identifier: Some(issuer_url(base, &issuer.issuer_id)),
        })
    }

    /// `DisableOutboundWebIdentityFederation`: tokens that were given stay valid, and their keys published.
    ///
    /// # Errors
    /// `FeatureDisabled`.
    pub async fn disable_outbound_web_identity_federation(
        &self,
        cx: &Authorized,
        _input: (),
    ) -> Result<(), Error> {
        let account = cx.account.as_str();
        let mut tx = self.0.store.write(Scope::Account(account)).await?;
        let mut conn = tx.conn();
        let known = outbound_identity::find(&mut conn, account).await?;
        let known = known.filter(|known| known.enabled);
        let known = known.ok_or_else(disabled)?;
        let issuer = Issuer {
            enabled: false,
            ..known
        };
        outbound_identity::put(&mut conn, &issuer).await?;
        tx.commit().await?;
        Ok(())
    }

    /// `GetOutboundWebIdentityFederationInfo`.
    ///
    /// # Errors
    /// `FeatureDisabled`.
    pub async fn get_outbound_web_identity_federation_info(
        &self,
        cx: &Authorized,
        base: &str,
    ) -> Result<GetOutboundWebIdentityFederationInfoResponse, Error> {
        let mut read = self.0.store.read().await?;
        let known = outbound_identity::find(&mut read.conn(), cx.account.as_str()).await?;
        let known = known.filter(|known| known.enabled);
        let known = known.ok_or_else(disabled)?;
        Ok(GetOutboundWebIdentityFederationInfoResponse {
            issuer_identifier: Some(issuer_url(base, &known.issuer_id)),
            jwt_vending_enabled: Some(true),
        })
    }

    /// `GetWebIdentityToken`.
    ///
    /// # Errors
    /// `OutboundWebIdentityFederationDisabledException`, `SessionDurationEscalationException`,
    /// `JWTPayloadSizeExceededException`, `ValidationError` for the algorithm.
    pub async fn get_web_identity_token(
        &self,
        cx: &Authorized,
        base: &str,
        input: GetWebIdentityTokenRequest,
    ) -> Result<GetWebIdentityTokenResponse, Error> {
        let algorithm = SigningAlgorithm::from_name(&input.signing_algorithm);
        let algorithm = algorithm.ok_or_else(|| {
            let message = "SigningAlgorithm must be RS256 or ES384.";
            Error::new(CommonError::Validation, message)
        })?;
        let (issuer, own_tags) = {
            let mut read = self.0.store.snapshot().await?;
            let mut conn = read.conn();
            let known = outbound_identity::find(&mut conn, cx.account.as_str()).await?;
            let known = known.filter(|known| known.enabled).ok_or_else(|| {
                Error::new(
                    sts::ErrorCode::OutboundWebIdentityFederationDisabled,
                    "The outbound web identity federation feature is not enabled for this account. To use \
                     this feature, you must first enable it through the Amazon Web Services Management \
                     Console or API.",
                )
            })?;
            (known, entity_tags(&mut conn, cx).await?)
        };
        let seconds = input.duration_seconds.map_or(SECONDS_DEFAULT, i64::from);
        let issued_at = cx.now.as_second();
        let expires_at = issued_at.saturating_add(seconds);
        let session_end = cx.caller.session_info.as_ref().map(|info| info.expires_at);
        if session_end.is_some_and(|end| expires_at > end.as_second()) {
            return Err(Error::new(
                sts::ErrorCode::SessionDurationEscalation,
                "The requested token duration would extend the session beyond its original expiration \
                 time. You cannot use this operation to extend the lifetime of a session beyond what was \
                 granted when the session was originally created.",
            ));
        }
        let subject = match &cx.caller.kind {
            CallerKind::RoleSession { role_arn, .. } => role_arn.as_str(),
            _ => &*cx.caller.arn,
        };
        let audience = match &input.audience[..] {
            [only] => json!(only),
            several => json!(several),
        };
        let claims = json!({
            "iss": issuer_url(base, &issuer.issuer_id),
            "aud": audience,
            "sub": subject,
            "iat": issued_at,
            "exp": expires_at,
            "jti": aws_types::hex::encode(draw::<16>(&*self.0.entropy)?),
            NAMESPACE: own_claims(cx, subject, own_tags, input.tags.as_deref())?,
        });
        if claims.to_string().len() > PAYLOAD_BYTES_MAX {
            return Err(Error::new(
                sts::ErrorCode::JWTPayloadSizeExceeded,
                "The requested token payload size exceeds the maximum allowed size. Reduce the number of \
                 request tags included in the GetWebIdentityToken API call to reduce the token payload size.",
            ));
        }
        let keys = self.outbound_keys(cx, algorithm).await?;
        let key = outbound_keys::signing(&keys, algorithm, cx.now);
        let key = key.ok_or_else(|| Error::internal("the account has no signing key"))?;
        let token = outbound_keys::sign(key, algorithm, &claims, &self.0.sealer).await?;
        Ok(GetWebIdentityTokenResponse {
            web_identity_token: Some(Secret::new(token)),
            expiration: Timestamp::from_second(expires_at).ok(),
        })
    }

    /// The account's keys, the newest first; makes one where it is due.
    async fn outbound_keys(
        &self,
        cx: &Authorized,
        algorithm: SigningAlgorithm,
    ) -> Result<Vec<outbound_identity::Key>, Error> {
        let (account, now) = (cx.account.as_str(), cx.now);
        let read = async {
            let mut read = self.0.store.read().await?;
            let keys = outbound_identity::keys(&mut read.conn(), account, KEYS_MAX).await?;
            Ok::<_, Error>(keys)
        };
        let keys = read.await?;
        if !outbound_keys::needs_successor(&keys, algorithm, now) {
            return Ok(keys);
        }
        // Outside of the transaction: making an RSA key takes long.
        let id = aws_types::hex::encode(draw::<16>(&*self.0.entropy)?);
        let sealer = self.0.sealer.clone();
        let made = tokio::task::spawn_blocking(move || {
            outbound_keys::generate(algorithm, id, &sealer, now)
        });
        let made = made.await.map_err(Error::internal)??;
        let mut tx = self.0.store.write(Scope::Account(account)).await?;
        let mut conn = tx.conn();
        let known = outbound_identity::keys(&mut conn, account, KEYS_MAX).await?;
        // Another request may have made one meanwhile.
        if !outbound_keys::needs_successor(&known, algorithm, now) {
            return Ok(known);
        }
        // What nobody publishes any more is of no use: its successor is long retired, too.
        let published = outbound_keys::published(&known, now);
        let published = published.filter(|key| key.algorithm == algorithm.name());
        if let Some(oldest) = published.map(|key| key.created_at).min() {
            let name = algorithm.name();
            outbound_identity::delete_keys_before(&mut conn, account, name, oldest).await?;
        }
        outbound_identity::insert_key(&mut conn, account, &made).await?;
        let keys = outbound_identity::keys(&mut conn, account, KEYS_MAX).await?;
        tx.commit().await?;
        Ok(keys)
    }

    /// The discovery document of an issuer (OpenID Connect Discovery 1.0, section 3). It is public, and
    /// stays while the feature is disabled, since tokens that were given stay valid.
    ///
    /// # Errors
    /// The database's.
    pub async fn outbound_discovery(
        &self,
        base: &str,
        issuer_id: &str,
    ) -> Result<Option<Value>, Error> {
        let mut read = self.0.store.read().await?;
        let known = outbound_identity::find_by_id(&mut read.conn(), issuer_id).await?;
        Ok(known.map(|known| {
            let url = issuer_url(base, &known.issuer_id);
            json!({
                "issuer": url,
                "jwks_uri": format!("{url}/.well-known/jwks.json"),
                "response_types_supported": ["id_token"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256", "ES384"],
                "claims_supported": ["iss", "sub", "aud", "exp", "iat", "jti", NAMESPACE],
            })
        }))
    }

    /// The public keys of an issuer.
    ///
    /// # Errors
    /// The database's.
    pub async fn outbound_key_set(
        &self,
        issuer_id: &str,
        now: Timestamp,
    ) -> Result<Option<Value>, Error> {
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let Some(known) = outbound_identity::find_by_id(&mut conn, issuer_id).await? else {
            return Ok(None);
        };
        let keys = outbound_identity::keys(&mut conn, &known.account, KEYS_MAX).await?;
        let shown = outbound_keys::published(&keys, now);
        let shown: Result<Vec<Value>, _> = shown
            .map(|key| serde_json::from_str(&key.public_jwk))
            .collect();
        Ok(Some(json!({"keys": shown.map_err(Error::internal)?})))
    }
}

/// How long the key set may be kept by those who fetch it: a key is published this long before it signs.
pub const KEY_SET_MAX_AGE: SignedDuration = SignedDuration::from_mins(30);

/// The tags of the user or of the session's role.
async fn entity_tags(conn: &mut Conn<'_>, cx: &Authorized) -> Result<Vec<tag::Tag>, Error> {
    let unique_id = cx.caller.user_id.split(':').next().unwrap_or_default();
    match entity::find_by_unique_id(conn, unique_id).await? {
        Some(found) => Ok(tag::list(conn, found.id).await?),
        None => Ok(Vec::new()),
    }
}

/// The claims below [`NAMESPACE`] (IAM User Guide, "Understanding token claims").
fn own_claims(
    cx: &Authorized,
    subject: &str,
    own_tags: Vec<tag::Tag>,
    request_tags: Option<&[sts::Tag]>,
) -> Result<Value, Error> {
    let mut claims = Map::new();
    let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    put("aws_account", json!(cx.account.as_str()));
    put("source_region", json!(cx.region.as_str()));
    put("principal_id", json!(subject));
    let mut tags: Map<String, Value> = own_tags
        .into_iter()
        .map(|tag| (tag.key, Value::String(tag.value)))
        .collect();
    if let RefKind::Session(session) = &*credential(&cx.caller)?.0 {
        // A session's tag wins over the role's of the same key, whatever the case of its letters.
        for SessionTag(key, value, _) in &session.tags {
            let folded = key.to_lowercase();
            tags.retain(|known, _| known.to_lowercase() != folded);
            tags.insert(key.clone(), value.as_str().into());
        }
        let provider = session.keys.iter().find_map(|key| match key {
            SessionKey::One(name, value) if name == "aws:FederatedProvider" => Some(value),
            _ => None,
        });
        if let Some(provider) = provider {
            put("federated_provider", json!(provider));
        }
    }
    if let Some(info) = &cx.caller.session_info {
        let end = aws_types::time::iso8601(info.expires_at);
        put("original_session_exp", json!(end));
        if let Some(identity) = &info.source_identity {
            put("source_identity", json!(identity));
        }
    }
    if !tags.is_empty() {
        put("principal_tags", tags.into());
    }
    let request_tags = request_tags.unwrap_or_default();
    if !request_tags.is_empty() {
        let mut shown = Map::new();
        for tag in request_tags {
            if shown
                .insert(tag.key.clone(), tag.value.as_str().into())
                .is_some()
            {
                let message = "Duplicate tag keys found.";
                return Err(Error::new(CommonError::InvalidParameterValue, message));
            }
        }
        put("request_tags", shown.into());
    }
    Ok(claims.into())
}
