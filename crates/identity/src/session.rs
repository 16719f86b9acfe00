//! Sessions: temporary credentials that are sealed, not stored.
//!
//! A session token is this structure under the key ring. It says *who*, never *what they
//! may do*: role, user and managed policies are looked up again at each use. Only what
//! the caller of `AssumeRole` gave is carried: the inline session policy, ARNs of managed
//! ones, tags and the source identity, together at most [`PACKED_BYTES_MAX`].

use std::fmt;

use aws_types::AccountId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use crate::{AuthError, Error, SealError, Sealer};

/// What a session's policies and tags may come to. AWS packs them into a binary form of
/// which it tells only the percentage used (STS API, `PackedPolicySize`); here it is their
/// bytes, with white space between JSON tokens left out.
pub(crate) const PACKED_BYTES_MAX: usize = 4096;

/// What tokens are sealed for.
const SESSION: &str = "session-token";

/// Who a session is of. Unique ids, so that one who was deleted and made anew is another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Who {
    /// `GetSessionToken` by the root user.
    #[serde(rename = "a")]
    Root,
    /// `GetSessionToken` by a user, by its unique id.
    #[serde(rename = "u")]
    User(String),
    /// `AssumeRole`: the role's unique id and the session's name.
    #[serde(rename = "r")]
    Role(String, String),
    /// `GetFederationToken`: the user's unique id, none for root, and the name.
    #[serde(rename = "f")]
    Federated(Option<String>, String),
}

/// A session.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Session {
    /// 128 random bits: what caches know it by. An `ASIA…` id has too few to be unique.
    #[serde(rename = "i")]
    pub(crate) id: u128,
    /// `ASIA…`
    #[serde(rename = "k")]
    pub(crate) access_key_id: String,
    /// The secret access key; empty in a registry password, which has no use for it.
    #[serde(rename = "s", default, skip_serializing_if = "String::is_empty")]
    pub(crate) secret: String,
    /// The principal's account.
    #[serde(rename = "a")]
    account: String,
    #[serde(rename = "w")]
    pub(crate) who: Who,
    /// Milliseconds since the epoch.
    #[serde(rename = "t")]
    issued_at: i64,
    /// Milliseconds since the epoch.
    #[serde(rename = "e")]
    expires_at: i64,
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub(crate) source_identity: Option<String>,
    /// The inline session policy.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<String>,
    /// Managed session policies.
    #[serde(rename = "m", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) policy_arns: Vec<String>,
    /// Session tags; the transitive ones are marked.
    #[serde(rename = "g", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags: Vec<SessionTag>,
    /// Condition keys that were fixed when the session was made, with their values: what the identity
    /// provider said, or which host it is. One value is a single-valued key.
    #[serde(rename = "c", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) keys: Vec<SessionKey>,
    /// When a code of an MFA device was verified for the session; milliseconds since the epoch.
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    mfa_at: Option<i64>,
    /// The host that the session is of: it is good while the host is not revoked and has this role.
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none")]
    pub(crate) host: Option<String>,
    /// The session of the web console that the credentials are of: they are good while it lasts.
    #[serde(rename = "q", default, skip_serializing_if = "Option::is_none")]
    pub(crate) console: Option<ConsoleRef>,
    /// The policies of `GetScopedCredentials`, the oldest first: each narrows what is left.
    #[serde(rename = "n", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) scope_downs: Vec<String>,
    /// What makes the token as long as `MinimumSessionTokenSize` asks.
    #[serde(rename = "z", default, skip_serializing_if = "String::is_empty")]
    padding: String,
    /// The names of the fields that decisions depend on, as far as they are set. A server refuses a
    /// token that lists a field it does not know: an older one would grant more than the token allows.
    #[serde(rename = "l", default, skip_serializing_if = "Vec::is_empty")]
    limits: Vec<String>,
}

/// Names a session of the web console.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ConsoleRef {
    /// The session's id.
    #[serde(rename = "i")]
    pub(crate) id: String,
    /// The account that was signed in to. A role that was switched to may be another one's.
    #[serde(rename = "a")]
    pub(crate) account: String,
    /// When the session ends at the latest; milliseconds since the epoch.
    #[serde(rename = "e")]
    ends_at: i64,
}

impl ConsoleRef {
    pub(crate) fn new(id: String, account: AccountId, ends_at: i64) -> ConsoleRef {
        ConsoleRef {
            id,
            account: account.to_string(),
            ends_at,
        }
    }

    /// A time that cannot be read is over.
    pub(crate) fn ends_at(&self) -> Timestamp {
        Timestamp::from_millisecond(self.ends_at).unwrap_or(Timestamp::MIN)
    }
}

/// A condition key's name and values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum SessionKey {
    /// A single-valued key.
    #[serde(rename = "1")]
    One(String, String),
    /// A multivalued key.
    #[serde(rename = "n")]
    Many(String, Vec<String>),
}

impl SessionKey {
    /// Whether an identity provider said it: the session came by federation.
    pub(crate) fn is_of_a_provider(&self) -> bool {
        let (SessionKey::One(name, _) | SessionKey::Many(name, _)) = self;
        name.eq_ignore_ascii_case("aws:FederatedProvider") || name.starts_with("saml:")
    }
}

/// Key, value, and whether it passes on through role chaining.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SessionTag(pub(crate) String, pub(crate) String, pub(crate) bool);

impl Drop for Session {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("access_key_id", &self.access_key_id)
            .field("who", &self.who)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// The bytes that the session's texts keep on the heap, at most.
    pub(crate) fn heap_bytes(&self) -> usize {
        // A block's header and rounding.
        const OVERHEAD: usize = 32;
        let who = match &self.who {
            Who::Root => 0,
            Who::User(id) => id.capacity(),
            Who::Role(id, name) => id.capacity() + name.capacity(),
            Who::Federated(id, name) => id.as_ref().map_or(0, String::capacity) + name.capacity(),
        };
        let texts = [&self.access_key_id, &self.secret, &self.account];
        let texts = texts
            .into_iter()
            .chain(&self.source_identity)
            .chain(&self.policy)
            .chain(&self.host)
            .chain(
                self.console
                    .iter()
                    .flat_map(|console| [&console.id, &console.account]),
            );
        let texts = texts
            .chain(&self.policy_arns)
            .chain(&self.scope_downs)
            .chain([&self.padding])
            .map(|text| text.capacity() + OVERHEAD);
        let tags = self.tags.iter().map(|SessionTag(key, value, _)| {
            size_of::<SessionTag>() + key.capacity() + value.capacity() + 2 * OVERHEAD
        });
        let keys = self.keys.iter().map(|key| {
            let (name, values) = match key {
                SessionKey::One(name, value) => (name, std::slice::from_ref(value)),
                SessionKey::Many(name, values) => (name, &values[..]),
            };
            let values = values.iter().map(|value| value.capacity() + 2 * OVERHEAD);
            size_of::<SessionKey>() + name.capacity() + OVERHEAD + values.sum::<usize>()
        });
        let limits = self.limits.capacity() * (size_of::<String>() + OVERHEAD);
        let lists = self.policy_arns.capacity() * size_of::<String>() + limits;
        who + 2 * OVERHEAD
            + texts.sum::<usize>()
            + tags.sum::<usize>()
            + keys.sum::<usize>()
            + lists
    }

    /// A session without policies and tags.
    pub(crate) fn new(
        id: u128,
        access_key_id: String,
        secret: &str,
        account: AccountId,
        who: Who,
        issued_at: Timestamp,
        expires_at: Timestamp,
    ) -> Session {
        Session {
            id,
            access_key_id,
            secret: secret.to_owned(),
            account: account.to_string(),
            who,
            issued_at: issued_at.as_millisecond(),
            expires_at: expires_at.as_millisecond(),
            source_identity: None,
            policy: None,
            policy_arns: Vec::new(),
            tags: Vec::new(),
            keys: Vec::new(),
            mfa_at: None,
            host: None,
            console: None,
            scope_downs: Vec::new(),
            padding: String::new(),
            limits: Vec::new(),
        }
    }

    /// The fields that decisions depend on, as far as they are set, by their names in the token. Every
    /// such field has its line here.
    fn limiting_fields(&self) -> Vec<String> {
        let fields = [
            ("o", self.source_identity.is_some()),
            ("p", self.policy.is_some()),
            ("m", !self.policy_arns.is_empty()),
            ("g", !self.tags.is_empty()),
            ("c", !self.keys.is_empty()),
            ("x", self.mfa_at.is_some()),
            ("h", self.host.is_some()),
            ("q", self.console.is_some()),
            ("n", !self.scope_downs.is_empty()),
        ];
        let set = fields.into_iter().filter(|(_, is_set)| *is_set);
        set.map(|(name, _)| name.to_owned()).collect()
    }

    pub(crate) fn account(&self) -> Result<AccountId, Error> {
        self.account.parse().map_err(Error::internal)
    }

    /// Whether the session's account is the one that was signed in to in the web console, if it was.
    pub(crate) fn is_in_account_of_console(&self) -> bool {
        let console = self.console.as_ref();
        console.is_none_or(|console| console.account == self.account)
    }

    pub(crate) fn issued_at(&self) -> Timestamp {
        Timestamp::from_millisecond(self.issued_at).unwrap_or(Timestamp::MIN)
    }

    /// A time that cannot be read is over.
    pub(crate) fn expires_at(&self) -> Timestamp {
        Timestamp::from_millisecond(self.expires_at).unwrap_or(Timestamp::MIN)
    }

    /// When a code of an MFA device was verified for the session.
    pub(crate) fn mfa_at(&self) -> Option<Timestamp> {
        Timestamp::from_millisecond(self.mfa_at?).ok()
    }

    /// Notes that a code of an MFA device was verified for the session.
    pub(crate) fn set_mfa_at(&mut self, at: Timestamp) {
        self.mfa_at = Some(at.as_millisecond());
    }

    /// A session of the same principal with other credentials: it was issued when this one was, so that
    /// a revocation by `aws:TokenIssueTime` holds for both.
    pub(crate) fn with_credentials(
        &self,
        id: u128,
        access_key_id: String,
        secret: &str,
    ) -> Session {
        let mut session = self.clone();
        session.id = id;
        session.access_key_id = access_key_id;
        session.secret.zeroize();
        session.secret = secret.to_owned();
        session
    }

    /// The same session without its secret.
    pub(crate) fn without_secret(&self) -> Session {
        let mut session = self.clone();
        session.secret.zeroize();
        session
    }

    /// The same session with another end.
    pub(crate) fn lasting_until(mut self, expires_at: Timestamp) -> Session {
        self.expires_at = expires_at.as_millisecond();
        self
    }

    /// How many bytes the session tags come to.
    pub(crate) fn tag_bytes(&self) -> usize {
        let sizes = self.tags.iter().map(|tag| tag.0.len() + tag.1.len());
        sizes.sum()
    }

    /// How many bytes policies and tags come to, `None` when there are none.
    pub(crate) fn packed_bytes(&self) -> Option<usize> {
        let tags = (!self.tags.is_empty()).then(|| self.tag_bytes());
        let arns = self.policy_arns.iter().map(String::len);
        let policy = self.policy.as_ref().map(String::len);
        let parts = tags.into_iter().chain(arns).chain(policy);
        parts.fold(None, |sum, part| Some(sum.unwrap_or(0) + part))
    }

    pub(crate) fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut session = self.clone();
        session.limits = session.limiting_fields();
        serde_json::to_vec(&session)
            .map(Zeroizing::new)
            .map_err(Error::internal)
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Session, AuthError> {
        // Authenticated, so it is of our own making, perhaps of another version.
        let session: Session =
            serde_json::from_slice(bytes).map_err(|_| AuthError::InvalidClientTokenId)?;
        let known = session.limiting_fields();
        match session.limits.iter().all(|field| known.contains(field)) {
            true => Ok(session),
            false => Err(AuthError::InvalidClientTokenId),
        }
    }

    /// The session token, of at least so many bytes.
    pub(crate) fn seal_padded(&mut self, sealer: &Sealer, minimum: usize) -> Result<String, Error> {
        self.padding.clear();
        let token = self.seal(sealer)?;
        if token.len() >= minimum {
            return Ok(token);
        }
        // Three bytes become four characters; the field's own name adds a few.
        self.padding = "0".repeat((minimum - token.len()).div_ceil(4) * 3);
        self.seal(sealer)
    }

    /// The session token.
    pub(crate) fn seal(&self, sealer: &Sealer) -> Result<String, Error> {
        sealer.seal(SESSION, &self.to_bytes()?, self.expires_at())
    }

    /// The session of a token, be it over or not: its signature is judged first, and
    /// [`crate::Identity::caller`] then refuses what is over.
    pub(crate) async fn open(sealer: &Sealer, token: &str) -> Result<Session, AuthError> {
        let (bytes, _) = sealer.open_even_expired(SESSION, token).await?;
        Session::from_bytes(&bytes)
    }
}

impl From<SealError> for AuthError {
    fn from(error: SealError) -> Self {
        match error {
            SealError::Invalid => AuthError::InvalidClientTokenId,
            SealError::Expired => AuthError::ExpiredToken,
            SealError::Unavailable => AuthError::Internal(Error::Unavailable(Box::new(error))),
        }
    }
}

/// A JSON text without the white space between its tokens.
pub(crate) fn minify(json: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    json.chars()
        .filter(|&c| {
            if !in_string {
                in_string = c == '"';
                return !matches!(c, ' ' | '\t' | '\n' | '\r');
            }
            in_string = escaped || c != '"';
            escaped = c == '\\' && !escaped;
            true
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn minifying_keeps_strings() {
        assert_eq!(
            minify("{ \"a \\\" b\" :\n[ 1, \"\\\\\" , \" \" ] }"),
            "{\"a \\\" b\":[1,\"\\\\\",\" \"]}"
        );
    }

    #[test]
    fn refuses_a_token_with_a_limiting_field_that_it_does_not_know() {
        let account: AccountId = "111122223333".parse().unwrap();
        let at = Timestamp::UNIX_EPOCH;
        let mut session = Session::new(1, "ASIA".to_owned(), "hush", account, Who::Root, at, at);
        session.policy = Some("{}".to_owned());
        let text = String::from_utf8(session.to_bytes().unwrap().to_vec()).unwrap();
        assert!(text.contains(r#""l":["p"]"#), "{text}");
        assert!(Session::from_bytes(text.as_bytes()).is_ok());
        // A field of a later version: one that narrows, and one that does not.
        let narrowed = text.replace(r#""l":["p"]"#, r#""zone":"eu","l":["p","zone"]"#);
        assert!(Session::from_bytes(narrowed.as_bytes()).is_err());
        let described = text.replace(r#""l":["p"]"#, r#""note":"x","l":["p"]"#);
        assert!(Session::from_bytes(described.as_bytes()).is_ok());
        // A listed field that is not there.
        let missing = text.replace(r#""p":"{}","#, "");
        assert!(Session::from_bytes(missing.as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn a_session_survives_its_token(
            id in any::<u128>(),
            tags in proptest::collection::vec(("\\PC{1,8}", "\\PC{0,8}", any::<bool>()), 0..4),
            policy in proptest::option::of("\\PC{0,40}"),
            source in proptest::option::of("[a-z]{2,8}"),
            until in 0..4_102_444_800_000_i64,
        ) {
            let until = Timestamp::from_millisecond(until).unwrap();
            let account: AccountId = "111122223333".parse().unwrap();
            let who = Who::Role("AROA".to_owned(), "job".to_owned());
            let mut session = Session::new(id, "ASIA".to_owned(), "hush", account, who, until, until);
            session.tags = tags.into_iter().map(|tag| SessionTag(tag.0, tag.1, tag.2)).collect();
            session.policy = policy;
            session.source_identity = source;
            let again = Session::from_bytes(&session.to_bytes().unwrap()).unwrap();
            prop_assert_eq!(again.to_bytes().unwrap(), session.to_bytes().unwrap());
            prop_assert_eq!((again.id, again.expires_at()), (id, until));
            let bare = session.without_secret().to_bytes().unwrap();
            prop_assert!(!bare.windows(4).any(|window| window == b"hush"));
        }

        #[test]
        fn bytes_that_are_no_session_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            prop_assert!(Session::from_bytes(&bytes).is_err());
        }

        #[test]
        fn minifying_changes_no_value(text in "\\PC*", key in "[ \"\\\\a]{0,6}") {
            let value = serde_json::json!({ key: [text, 1, null] });
            let pretty = serde_json::to_string_pretty(&value).unwrap();
            let minified = minify(&pretty);
            prop_assert_eq!(&minified, &serde_json::to_string(&value).unwrap());
        }
    }
}
