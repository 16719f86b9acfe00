//! Condition keys and how a policy's key is matched with a documented pattern.

/// The longest name of a key (IAM API Reference, *ContextEntry*).
const NAME_BYTES_MAX: usize = 256;

/// A condition key, or a pattern of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConditionKey {
    /// The full name. The policy's author replaces `${…}` (for two services, `<…>`):
    /// `aws:RequestTag/${TagKey}`.
    pub name: &'static str,
    /// The type of its values.
    pub key_type: KeyType,
    /// Whether a request may carry several values, so that a policy needs
    /// `ForAllValues` or `ForAnyValue`.
    pub multivalued: bool,
}

/// The type of a condition key's values, which decides which operators apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyType {
    String,
    Arn,
    Bool,
    Numeric,
    Date,
    IpAddress,
}

impl ConditionKey {
    /// Whether this full name is the key's, or matches its pattern. Case is ignored;
    /// a placeholder matches one or more characters.
    ///
    /// ```
    /// let key = aws_api::authorization::condition_key("ecr:ResourceTag/team").ok_or("none")?;
    /// assert_eq!(key.name, "ecr:ResourceTag/${TagKey}");
    /// assert!(key.matches("ECR:resourcetag/Cost Centre"));
    /// assert!(!key.matches("ecr:ResourceTag/"));
    /// # Ok::<(), &str>(())
    /// ```
    pub fn matches(&self, name: &str) -> bool {
        name.len() <= NAME_BYTES_MAX && fits(self.name, name.as_bytes())
    }
}

/// Whether the name matches the pattern. Names are short and patterns have few
/// placeholders, so trying every length is cheap.
fn fits(pattern: &str, name: &[u8]) -> bool {
    let Some((literal, rest)) = placeholder(pattern) else {
        return name.eq_ignore_ascii_case(pattern.as_bytes());
    };
    let Some((head, tail)) = name.split_at_checked(literal.len()) else {
        return false;
    };
    head.eq_ignore_ascii_case(literal.as_bytes())
        && match rest {
            "" => !tail.is_empty(),
            rest => (1..tail.len()).any(|taken| fits(rest, &tail[taken..])),
        }
}

/// The text before and after the first placeholder.
fn placeholder(pattern: &str) -> Option<(&str, &str)> {
    let (start, close) = match (pattern.find("${"), pattern.find('<')) {
        (Some(at), _) => (at, '}'),
        (None, Some(at)) => (at, '>'),
        (None, None) => return None,
    };
    let end = start + pattern.get(start..)?.find(close)?;
    Some((pattern.get(..start)?, pattern.get(end + 1..)?))
}

/// The claims that a session keeps of any OpenID Connect provider, and the keys
/// it keeps of a SAML assertion (IAM User Guide, *IAM and AWS STS condition
/// context keys*). They come with every request of the session.
const CLAIMS: &[&str] = &["amr", "aud", "email", "oaud", "sub"];
const SAML: &[&str] = &["saml:namequalifier", "saml:sub", "saml:sub_type"];

/// Whether the name is such a claim, `issuer.example/path:sub`, or such a key.
pub(super) fn is_of_federation(name: &str) -> bool {
    let among = |known: &[&str], name: &str| known.iter().any(|k| name.eq_ignore_ascii_case(k));
    among(SAML, name)
        || name
            .rsplit_once(':')
            .is_some_and(|(_, claim)| is_of_provider(name) && among(CLAIMS, claim))
}

/// Whether a key's prefix is an OpenID Connect provider: its host has a dot, and
/// no service's prefix has one.
pub(super) fn is_of_provider(name: &str) -> bool {
    name.split_once(':')
        .and_then(|(prefix, _)| prefix.split('/').next())
        .is_some_and(|host| host.contains('.') && host.split('.').all(|label| !label.is_empty()))
}
