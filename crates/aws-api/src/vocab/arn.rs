use super::Invalid;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The longest ARN that is read (IAM's `arnType` allows 2,048 characters).
pub const ARN_CHARS_MAX: usize = 2048;

/// An Amazon Resource Name, `arn:partition:service:region:account:resource`.
/// Region and account may be empty (IAM has no region); the resource may hold
/// colons and slashes. Kept as one text, so a clone is a counter's increment.
///
/// ```
/// # use aws_api::Arn;
/// let arn: Arn = "arn:aws:ecr:us-east-1:123456789012:repository/team/app".parse()?;
/// assert_eq!(arn.service(), "ecr");
/// assert_eq!(arn.resource(), "repository/team/app");
/// # Ok::<(), aws_api::vocab::Invalid>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Arn {
    text: Arc<str>,
    /// Where the four colons after `arn:` stand.
    colons: [u16; 4],
}

impl Arn {
    /// Puts an ARN together.
    ///
    /// # Errors
    /// [`Invalid`] where a part holds what it must not (a colon, a space).
    pub fn new(
        partition: &str,
        service: &str,
        region: &str,
        account: &str,
        resource: &str,
    ) -> Result<Self, Invalid> {
        let head = [partition, service, region, account];
        if head.iter().any(|part| part.contains(':')) {
            return Err(Invalid { expected: "ARN" });
        }
        format!("arn:{partition}:{service}:{region}:{account}:{resource}").parse()
    }

    /// `aws`, `aws-cn`, `aws-us-gov`.
    pub fn partition(&self) -> &str {
        &self.text[4..usize::from(self.colons[0])]
    }

    /// `ecr`, `iam`, `sts`.
    pub fn service(&self) -> &str {
        self.between(0)
    }

    /// The region; empty for IAM and STS.
    pub fn region(&self) -> &str {
        self.between(1)
    }

    /// The account ID; `aws` in AWS's own managed policies, empty for some resources.
    pub fn account(&self) -> &str {
        self.between(2)
    }

    /// All after the fifth colon (`user/path/name`).
    pub fn resource(&self) -> &str {
        &self.text[usize::from(self.colons[3]) + 1..]
    }

    /// The whole ARN.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn between(&self, colon: usize) -> &str {
        &self.text[usize::from(self.colons[colon]) + 1..usize::from(self.colons[colon + 1])]
    }
}

impl FromStr for Arn {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid = Invalid { expected: "ARN" };
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        let sound = text.len() <= ARN_CHARS_MAX
            && text.starts_with("arn:")
            && !text.chars().any(|c| c.is_control() || c.is_whitespace());
        if !sound {
            return Err(invalid);
        }
        let mut colons = [0u16; 4];
        let mut found = text.bytes().enumerate().skip(4).filter(|(_, b)| *b == b':');
        for colon in &mut colons {
            let at = found.next().ok_or(invalid)?.0;
            *colon = u16::try_from(at).map_err(|_| invalid)?;
        }
        let arn = Self {
            text: text.into(),
            colons,
        };
        let plain_part = |part: &str| part.bytes().all(plain);
        let valid = !arn.partition().is_empty()
            && !arn.service().is_empty()
            && !arn.resource().is_empty()
            && [arn.partition(), arn.service(), arn.region(), arn.account()]
                .into_iter()
                .all(plain_part);
        match valid {
            true => Ok(arn),
            false => Err(invalid),
        }
    }
}

impl TryFrom<&str> for Arn {
    type Error = Invalid;
    fn try_from(text: &str) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl TryFrom<String> for Arn {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl AsRef<str> for Arn {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
