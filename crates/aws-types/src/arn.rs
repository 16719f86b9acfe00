use crate::{AccountId, Invalid, Region};
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
/// # use aws_types::Arn;
/// let arn: Arn = "arn:aws:ecr:us-east-1:123456789012:repository/team/app".parse()?;
/// assert_eq!(arn.service(), "ecr");
/// assert_eq!(arn.resource(), "repository/team/app");
/// # Ok::<(), aws_types::Invalid>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Arn {
    text: Arc<str>,
    /// Byte offsets of the four colons after `arn:`.
    colons: [u16; 4],
}

impl Arn {
    /// Builds an ARN from its parts.
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

    /// `arn:aws:iam::<account>:root`.
    pub fn account_root(account: AccountId) -> Self {
        Self::built("iam", "", account.as_str(), "root")
    }

    /// The ARN of an IAM user. `path` begins and ends with a slash.
    pub fn iam_user(account: AccountId, path: &str, name: &str) -> Self {
        Self::iam("user", account, path, name)
    }

    /// The ARN of an IAM group. `path` begins and ends with a slash.
    pub fn iam_group(account: AccountId, path: &str, name: &str) -> Self {
        Self::iam("group", account, path, name)
    }

    /// The ARN of an IAM role. `path` begins and ends with a slash.
    pub fn iam_role(account: AccountId, path: &str, name: &str) -> Self {
        Self::iam("role", account, path, name)
    }

    /// The ARN of a customer managed policy. `path` begins and ends with a slash.
    pub fn iam_policy(account: AccountId, path: &str, name: &str) -> Self {
        Self::iam("policy", account, path, name)
    }

    /// The ARN of an instance profile. `path` begins and ends with a slash.
    pub fn iam_instance_profile(account: AccountId, path: &str, name: &str) -> Self {
        Self::iam("instance-profile", account, path, name)
    }

    /// The ARN of any IAM resource: `<kind><path><name>`.
    pub fn iam(kind: &str, account: AccountId, path: &str, name: &str) -> Self {
        Self::built("iam", "", account.as_str(), &format!("{kind}{path}{name}"))
    }

    /// The ARN of a role session. It holds the role's name without its path.
    pub fn assumed_role(account: AccountId, role_name: &str, session_name: &str) -> Self {
        let resource = format!("assumed-role/{role_name}/{session_name}");
        Self::built("sts", "", account.as_str(), &resource)
    }

    /// The ARN of a federated user session.
    pub fn federated_user(account: AccountId, name: &str) -> Self {
        Self::built(
            "sts",
            "",
            account.as_str(),
            &format!("federated-user/{name}"),
        )
    }

    /// The ARN of an ECR repository.
    pub fn ecr_repository(region: &Region, account: AccountId, name: &str) -> Self {
        let resource = format!("repository/{name}");
        Self::built("ecr", region.as_str(), account.as_str(), &resource)
    }

    /// The ARN of an account's registry, which the registry policy is about.
    pub fn ecr_registry(region: &Region, account: AccountId) -> Self {
        Self::built("ecr", region.as_str(), account.as_str(), "registry")
    }

    /// Joins parts that are known to be free of colons. The resource is the caller's: it is not
    /// checked, so that a request for an odd name is denied under that name.
    fn built(service: &str, region: &str, account: &str, resource: &str) -> Self {
        let text = format!("arn:aws:{service}:{region}:{account}:{resource}");
        let partition_end = "arn:aws".len();
        let service_end = partition_end + 1 + service.len();
        let region_end = service_end + 1 + region.len();
        let account_end = region_end + 1 + account.len();
        Self {
            text: text.into(),
            // Partition, service, region and account have at most 45 characters together.
            colons: [partition_end, service_end, region_end, account_end]
                .map(|at| u16::try_from(at).unwrap_or(u16::MAX)),
        }
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
