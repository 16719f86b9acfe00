//! Who calls: by an AWS signature, or by the password of a docker login.
//!
//! Both end in `Identity::caller`, which looks the principal up as it is now; nothing here can let a
//! deleted key or role through.

use std::sync::Arc;

use aws_api::Service;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac_key::ProcessKey;
use identity::{AuthError, Caller, Key, PrincipalRef};
use jiff::Timestamp;
use quick_cache::sync::Cache;
use sigv4::{Expected, Parts, PathStyle, Presented};

use crate::answer::Fail;
use crate::app::App;
use crate::head::Head;
use crate::limits::{BASIC_BYTES_MAX, PASSWORD_CACHE_TTL, PASSWORDS_CACHED_MAX};

/// A signature whose key was found and which is still to be verified against the body.
pub(crate) struct Signed {
    presented: Presented,
    key: Key,
}

impl Signed {
    pub(crate) fn scope_service(&self) -> &str {
        &self.presented.scope().service
    }

    pub(crate) fn scope_region(&self) -> &str {
        &self.presented.scope().region
    }
}

/// Runs `with` over the request's parts as the signature covers them.
fn with_parts<T>(head: &Head, with: impl FnOnce(&Parts<'_>) -> T) -> T {
    let mut headers: Vec<(&str, &[u8])> = head
        .parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    if !head.parts.headers.contains_key(http::header::HOST)
        && let Some(authority) = head.parts.uri.authority()
    {
        headers.push(("host", authority.as_str().as_bytes()));
    }
    with(&Parts {
        method: head.parts.method.as_str(),
        path: head.path(),
        query: head.query(),
        headers: &headers,
    })
}

/// The access key that a request claims, for the log; it is not yet believed.
pub(crate) fn claimed_key(head: &Head) -> Option<String> {
    let presented = with_parts(head, |parts| sigv4::parse(parts)).ok()?;
    Some(presented.access_key_id().to_owned())
}

/// Finds the signature and its key, before the body is read: strangers cannot make the server read.
pub(crate) async fn present(app: &App, head: &Head) -> Result<Signed, Fail> {
    let presented = with_parts(head, |parts| sigv4::parse(parts))?;
    let token = presented.session_token();
    let key = app
        .identity
        .find_key(presented.access_key_id(), token, head.now)
        .await?;
    Ok(Signed { presented, key })
}

/// Verifies the signature over head and body, and looks the caller up.
pub(crate) async fn verify(
    app: &App,
    head: &Head,
    signed: &Signed,
    service: Service,
    payload_sha256_hex: &str,
) -> Result<Arc<Caller>, Fail> {
    let expected = Expected {
        service: service.signing_name(),
        region: None,
        payload_sha256_hex,
        now_epoch_seconds: head.now.as_second(),
        path_style: PathStyle::Standard,
    };
    with_parts(head, |parts| {
        signed.presented.verify(parts, &signed.key.secret, &expected)
    })?;
    Ok(app.identity.caller(&signed.key.principal, head.now).await?)
}

/// Why a docker login is not accepted.
#[derive(Debug)]
pub(crate) enum BasicFail {
    /// No credentials: the client is told which to bring.
    Missing,
    /// A password that is none, or whose principal is gone.
    Refused,
    /// It was good once.
    Expired,
    /// A failure of ours.
    Internal(Fail),
}

/// The caller behind `Authorization: Basic`, whose user is `AWS`.
pub(crate) async fn basic(app: &App, head: &Head) -> Result<Arc<Caller>, BasicFail> {
    let header = head.parts.headers.get(http::header::AUTHORIZATION);
    let header = header.ok_or(BasicFail::Missing)?.as_bytes();
    if header.len() > BASIC_BYTES_MAX {
        return Err(BasicFail::Refused);
    }
    let generation = app.store.generation(store::Topic::Identity);
    let digest = app.passwords.key.digest(header);
    let principal = match app.passwords.get(&digest, generation, head.now) {
        Some(principal) => principal,
        None => {
            let principal = open(app, header, head.now).await?;
            app.passwords
                .put(digest, principal.clone(), generation, head.now);
            principal
        }
    };
    app.identity
        .caller(&principal, head.now)
        .await
        .map_err(refused)
}

async fn open(app: &App, header: &[u8], now: Timestamp) -> Result<PrincipalRef, BasicFail> {
    let text = std::str::from_utf8(header).map_err(|_| BasicFail::Refused)?;
    let (scheme, encoded) = text.split_once(' ').ok_or(BasicFail::Refused)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        // Another scheme is no credential here: the challenge says which one is.
        return Err(BasicFail::Missing);
    }
    let decoded = STANDARD
        .decode(encoded.trim())
        .map_err(|_| BasicFail::Refused)?;
    let decoded = String::from_utf8(decoded).map_err(|_| BasicFail::Refused)?;
    let password = match decoded.split_once(':') {
        Some(("AWS", password)) => password,
        _ => return Err(BasicFail::Refused),
    };
    app.identity
        .open_registry_password(password, now)
        .await
        .map_err(refused)
}

fn refused(error: AuthError) -> BasicFail {
    match error {
        AuthError::ExpiredToken => BasicFail::Expired,
        AuthError::Internal(_) => BasicFail::Internal(error.into()),
        _ => BasicFail::Refused,
    }
}

/// Passwords that were opened lately. What is kept is a keyed hash of the header and the principal it
/// points at, so neither a dump of it nor a timing tells a password; and only for as long as nothing
/// changed in IAM, since the password itself says when it ends.
pub(crate) struct Passwords {
    key: ProcessKey,
    cache: Cache<[u8; 32], Opened>,
}

#[derive(Clone)]
struct Opened {
    principal: PrincipalRef,
    generation: u64,
    until: Timestamp,
}

impl Passwords {
    pub(crate) fn new() -> Passwords {
        Passwords {
            key: ProcessKey::new(),
            cache: Cache::new(PASSWORDS_CACHED_MAX),
        }
    }

    fn get(&self, digest: &[u8; 32], generation: u64, now: Timestamp) -> Option<PrincipalRef> {
        let opened = self.cache.get(digest)?;
        match opened.generation == generation && now < opened.until {
            true => Some(opened.principal),
            false => None,
        }
    }

    fn put(&self, digest: [u8; 32], principal: PrincipalRef, generation: u64, now: Timestamp) {
        let until = now.checked_add(PASSWORD_CACHE_TTL).unwrap_or(now);
        let opened = Opened {
            principal,
            generation,
            until,
        };
        self.cache.insert(digest, opened);
    }
}

/// A key that lives as long as the process.
mod hmac_key {
    use sha2::{Digest as _, Sha256};
    use std::collections::hash_map::RandomState;
    use std::hash::BuildHasher as _;

    pub(super) struct ProcessKey([u8; 64]);

    impl ProcessKey {
        pub(super) fn new() -> ProcessKey {
            let mut key = [0; 64];
            if getrandom::fill(&mut key).is_err() {
                // The cache would still be right with any key: the whole header is hashed with SHA-256.
                // The standard library's seeds make it hard to guess.
                for chunk in key.chunks_mut(8) {
                    let seed = RandomState::new().hash_one(chunk.len());
                    chunk.copy_from_slice(&seed.to_le_bytes());
                }
            }
            ProcessKey(key)
        }

        /// One block of key ahead of the text. Nobody sees the digests, so that extending them, which
        /// this form would allow, leads nowhere.
        pub(super) fn digest(&self, text: &[u8]) -> [u8; 32] {
            let mut hasher = Sha256::new();
            hasher.update(self.0);
            hasher.update(text);
            hasher.finalize().into()
        }
    }
}
