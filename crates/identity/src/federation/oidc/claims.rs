//! The claims of an ID token that AWS reads, typed and bounded (OpenID Connect Core 1.0, section 2).

use serde_json::{Map, Value};

use super::jws::{Jws, Malformed};
use super::unique_json;

/// Audiences of a token.
const AUDIENCES_MAX: usize = 100;
/// An audience, in bytes: a client id has up to 255 (IAM API Reference, `ClientID`).
const AUDIENCE_BYTES_MAX: usize = 255;
/// Values of `amr`.
const METHODS_MAX: usize = 32;
/// Any other text that becomes a condition key's value, in bytes.
pub(super) const VALUE_BYTES_MAX: usize = 2048;
/// Session tags of a session.
const TAGS_MAX: usize = 50;
/// Roles that a token may be for.
const ROLES_MAX: usize = 100;

/// Why claims are not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimError {
    /// The payload is no JSON object, or has a member twice.
    #[error("the payload is no JSON object")]
    Malformed,
    /// A claim that every token must have is not there.
    #[error("Missing a required claim: {0}")]
    Missing(&'static str),
    /// A claim has another type than it must have, or is too long.
    #[error("Invalid claim: {0}")]
    Invalid(&'static str),
}

impl From<Malformed> for ClaimError {
    fn from(_: Malformed) -> ClaimError {
        ClaimError::Malformed
    }
}

/// The claims.
#[derive(Clone, Debug, PartialEq)]
pub struct Claims {
    /// `iss`, compared byte by byte.
    pub issuer: String,
    /// `sub`.
    pub subject: String,
    /// `aud`, at least one.
    pub audiences: Vec<String>,
    /// `azp`.
    pub authorized_party: Option<String>,
    /// `exp`, in seconds since the epoch.
    pub expires_at: i64,
    /// `iat`.
    pub issued_at: i64,
    /// `nbf`.
    pub not_before: Option<i64>,
    /// `amr`.
    pub methods: Vec<String>,
    /// `email`.
    pub email: Option<String>,
    /// Session tags, each with whether it is transitive.
    pub tags: Vec<(String, String, bool)>,
    /// `https://aws.amazon.com/source_identity`.
    pub source_identity: Option<String>,
    /// `https://aws.amazon.com/roles`: the roles that the token is for.
    pub roles: Option<Vec<String>>,
    all: Map<String, Value>,
}

/// The prefix of the claims that AWS defines.
const AWS: &str = "https://aws.amazon.com/";

impl Claims {
    /// Reads a token's claims. They are worth what its signature is worth.
    ///
    /// # Errors
    /// [`ClaimError`].
    pub fn of(token: &Jws<'_>) -> Result<Claims, ClaimError> {
        let all = unique_json::object(&token.payload).ok_or(ClaimError::Malformed)?;
        let issuer = required(text(&all, "iss", VALUE_BYTES_MAX)?, "iss")?;
        Ok(Claims {
            subject: required(text(&all, "sub", VALUE_BYTES_MAX)?, "sub")?,
            audiences: audiences(&all)?,
            authorized_party: text(&all, "azp", AUDIENCE_BYTES_MAX)?,
            expires_at: required(seconds(&all, "exp")?, "exp")?,
            issued_at: required(seconds(&all, "iat")?, "iat")?,
            not_before: seconds(&all, "nbf")?,
            methods: methods(&all)?,
            email: text(&all, "email", VALUE_BYTES_MAX)?,
            tags: tags(&all)?,
            source_identity: source_identity(&all)?,
            roles: roles(&all)?,
            issuer,
            all,
        })
    }

    /// The issuer alone, for finding the provider before anything is verified.
    ///
    /// # Errors
    /// [`ClaimError`].
    pub fn issuer_of(token: &Jws<'_>) -> Result<String, ClaimError> {
        let mut claims = unique_json::object(&token.payload).ok_or(ClaimError::Malformed)?;
        match claims.remove("iss") {
            Some(Value::String(issuer)) if issuer.len() <= VALUE_BYTES_MAX => Ok(issuer),
            Some(_) => Err(ClaimError::Invalid("iss")),
            None => Err(ClaimError::Missing("iss")),
        }
    }

    /// Another claim as text: a string, or a whole number in decimal digits. `None` for a claim that is
    /// absent or has another type.
    ///
    /// # Errors
    /// [`ClaimError::Invalid`] for a text that is too long: a claim that is left out would satisfy
    /// negated conditions.
    pub fn other(&self, name: &'static str) -> Result<Option<String>, ClaimError> {
        self.named(name).map_err(|()| ClaimError::Invalid(name))
    }

    /// As [`Claims::other`], for a name that is not ours.
    pub(super) fn named(&self, name: &str) -> Result<Option<String>, ()> {
        match self.all.get(name) {
            Some(Value::String(text)) if text.len() > VALUE_BYTES_MAX => Err(()),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Number(number)) if number.is_i64() || number.is_u64() => {
                Ok(Some(number.to_string()))
            }
            _ => Ok(None),
        }
    }

    /// Whether a claim is there and says no: the boolean, or the word, which some providers write.
    pub(crate) fn is_false(&self, name: &str) -> bool {
        match self.all.get(name) {
            Some(Value::Bool(value)) => !value,
            Some(Value::String(text)) => text == "false",
            _ => false,
        }
    }

    /// A whole number or short text in a claim that is an object.
    pub(super) fn within(&self, name: &str, member: &str) -> Option<String> {
        match self.all.get(name)?.get(member)? {
            Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
            Value::String(text) if text.len() <= VALUE_BYTES_MAX => Some(text.clone()),
            _ => None,
        }
    }
}

fn required<T>(value: Option<T>, name: &'static str) -> Result<T, ClaimError> {
    value.ok_or(ClaimError::Missing(name))
}

fn text(
    all: &Map<String, Value>,
    name: &'static str,
    bytes_max: usize,
) -> Result<Option<String>, ClaimError> {
    match all.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.len() <= bytes_max => {
            Ok(Some(text.clone()).filter(|text| !text.is_empty()))
        }
        Some(_) => Err(ClaimError::Invalid(name)),
    }
}

/// A time in whole seconds (IAM User Guide, "Create an OpenID Connect (OIDC) identity provider in IAM":
/// times that are no integers are not supported).
fn seconds(all: &Map<String, Value>, name: &'static str) -> Result<Option<i64>, ClaimError> {
    match all.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_i64() {
            Some(seconds) if seconds >= 0 => Ok(Some(seconds)),
            _ => Err(ClaimError::Invalid(name)),
        },
    }
}

/// A string, or a list of strings.
fn texts(
    value: &Value,
    name: &'static str,
    count_max: usize,
    bytes_max: usize,
) -> Result<Vec<String>, ClaimError> {
    let one = |value: &Value| match value {
        Value::String(text) if text.len() <= bytes_max => Ok(text.clone()),
        _ => Err(ClaimError::Invalid(name)),
    };
    match value {
        Value::Array(values) if values.len() <= count_max => values.iter().map(one).collect(),
        Value::Array(_) => Err(ClaimError::Invalid(name)),
        value => Ok(vec![one(value)?]),
    }
}

fn audiences(all: &Map<String, Value>) -> Result<Vec<String>, ClaimError> {
    let found = match all.get("aud") {
        None | Some(Value::Null) => return Err(ClaimError::Missing("aud")),
        Some(value) => texts(value, "aud", AUDIENCES_MAX, AUDIENCE_BYTES_MAX)?,
    };
    match found.iter().any(|audience| !audience.is_empty()) {
        true => Ok(found),
        false => Err(ClaimError::Missing("aud")),
    }
}

fn methods(all: &Map<String, Value>) -> Result<Vec<String>, ClaimError> {
    match all.get("amr") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(value) => texts(value, "amr", METHODS_MAX, AUDIENCE_BYTES_MAX),
    }
}

/// The value of one of AWS's own claims.
fn of_aws<'a>(all: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    all.get(&format!("{AWS}{name}"))
        .filter(|value| !value.is_null())
}

const TAGS: &str = "https://aws.amazon.com/tags";

/// The tags: nested in one claim, or flattened, each in a claim of its own (IAM User Guide, "Pass
/// session tags in AWS STS", "Passing session tags using AssumeRoleWithWebIdentity").
fn tags(all: &Map<String, Value>) -> Result<Vec<(String, String, bool)>, ClaimError> {
    let invalid = || ClaimError::Invalid(TAGS);
    let mut tags: Vec<(String, String, bool)> = Vec::new();
    let mut transitive: Vec<String> = Vec::new();
    if let Some(nested) = of_aws(all, "tags") {
        let nested = nested.as_object().ok_or_else(invalid)?;
        if let Some(principal) = nested.get("principal_tags") {
            for (key, value) in principal.as_object().ok_or_else(invalid)? {
                tags.push((key.clone(), tag_value(value)?, false));
            }
        }
        if let Some(keys) = nested.get("transitive_tag_keys") {
            transitive.extend(texts(keys, TAGS, TAGS_MAX, AUDIENCE_BYTES_MAX)?);
        }
    }
    let flat = format!("{TAGS}/principal_tags/");
    for (name, value) in all {
        if let Some(key) = name.strip_prefix(&flat) {
            tags.push((key.to_owned(), tag_value(value)?, false));
        }
    }
    if let Some(keys) = of_aws(all, "tags/transitive_tag_keys") {
        transitive.extend(texts(keys, TAGS, TAGS_MAX, AUDIENCE_BYTES_MAX)?);
    }
    if tags.len() > TAGS_MAX {
        return Err(invalid());
    }
    for (index, (key, value, _)) in tags.iter().enumerate() {
        // STS API Reference, Tag: 128 and 256 characters.
        let fits = (1..=128).contains(&key.chars().count()) && value.chars().count() <= 256;
        let folded = key.to_lowercase();
        let is_again = tags[..index]
            .iter()
            .any(|known| known.0.to_lowercase() == folded);
        if !fits || folded.starts_with("aws:") || is_again {
            return Err(invalid());
        }
    }
    for key in transitive {
        let folded = key.to_lowercase();
        let tag = tags.iter_mut().find(|tag| tag.0.to_lowercase() == folded);
        tag.ok_or_else(invalid)?.2 = true;
    }
    Ok(tags)
}

/// A string, or a list of one string.
fn tag_value(value: &Value) -> Result<String, ClaimError> {
    let values = texts(value, TAGS, 1, 4 * 256)?;
    let first = values.into_iter().next();
    first.ok_or(ClaimError::Invalid(TAGS))
}

const SOURCE_IDENTITY: &str = "https://aws.amazon.com/source_identity";

/// The source identity, in the form that `AssumeRole` takes: 2 to 64 characters (IAM User Guide,
/// "Monitor and control actions taken with assumed roles").
fn source_identity(all: &Map<String, Value>) -> Result<Option<String>, ClaimError> {
    let Some(value) = of_aws(all, "source_identity") else {
        return Ok(None);
    };
    let plain = |c: char| c.is_alphanumeric() || "_+=,.@-".contains(c);
    match value {
        Value::String(text)
            if (2..=64).contains(&text.chars().count()) && text.chars().all(plain) =>
        {
            Ok(Some(text.clone()))
        }
        _ => Err(ClaimError::Invalid(SOURCE_IDENTITY)),
    }
}

const ROLES: &str = "https://aws.amazon.com/roles";

/// The roles that the provider lets the token be used for: a list, or one string with `;` between them.
fn roles(all: &Map<String, Value>) -> Result<Option<Vec<String>>, ClaimError> {
    let Some(value) = of_aws(all, "roles") else {
        return Ok(None);
    };
    let roles = match value {
        Value::String(text) => text.split(';').map(|role| role.trim().to_owned()).collect(),
        value => texts(value, ROLES, ROLES_MAX, VALUE_BYTES_MAX)?,
    };
    Ok(Some(roles))
}
