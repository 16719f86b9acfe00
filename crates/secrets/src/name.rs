//! Names and ARNs of secrets (Secrets Manager API Reference, `CreateSecret`; user guide, "What's in a
//! Secrets Manager secret?").

use aws_api::secrets_manager::ErrorCode;
use aws_types::{AccountId, Arn, Region};

use crate::Error;

/// What every name begins with (ECR API Reference, `CreatePullThroughCacheRule`, `credentialArn`).
pub const NAME_PREFIX: &str = "ecr-pullthroughcache/";
/// Characters of an ARN after the name's hyphen.
pub(crate) const SUFFIX_CHARS: usize = 6;

/// The ARN of a secret. Of one that is not there, `suffix` is unknown: six question marks, which the pattern
/// `name-??????` of a policy matches.
#[must_use]
pub fn arn(region: &Region, account: AccountId, name: &str, suffix: Option<&str>) -> String {
    let suffix = suffix.unwrap_or("??????");
    format!("arn:aws:secretsmanager:{region}:{account}:secret:{name}-{suffix}")
}

/// What a `SecretId` names in the account and region: the name, and the suffix where it is an ARN with one.
/// `None` for an ARN of another account, region or service.
#[must_use]
pub fn parse_id(
    id: &str,
    account: AccountId,
    region: &Region,
) -> Option<Vec<(String, Option<String>)>> {
    if !id.starts_with("arn:") {
        return Some(vec![(id.to_owned(), None)]);
    }
    let arn: Arn = id.parse().ok()?;
    let own = arn.service() == "secretsmanager"
        && arn.account() == account.as_str()
        && arn.region() == region.as_str();
    let resource = arn.resource().strip_prefix("secret:").filter(|_| own)?;
    // A partial ARN lacks the suffix (API Reference, `SecretId`), and its name may end as one with it.
    let mut found = Vec::with_capacity(2);
    if let Some((name, suffix)) = resource.rsplit_once('-')
        && suffix.len() == SUFFIX_CHARS
        && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric())
    {
        found.push((name.to_owned(), Some(suffix.to_owned())));
    }
    found.push((resource.to_owned(), None));
    Some(found)
}

/// Checks a new secret's name.
pub(crate) fn check(name: &str) -> Result<(), Error> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+=.@-!".contains(&byte);
    if !name.bytes().all(plain) {
        return Err(Error::Validation(
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: \
             -/_+=.@!"
                .to_owned(),
        ));
    }
    match name.strip_prefix(NAME_PREFIX) {
        Some(rest) if !rest.is_empty() => Ok(()),
        _ => Err(Error::refused(
            ErrorCode::InvalidRequest,
            format!(
                "This server keeps secrets for pull through cache rules alone: the name must begin with \
                 {NAME_PREFIX}."
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m1_ids_are_names_and_whole_or_partial_arns() {
        let account = "123456789012".parse().unwrap();
        let region: Region = "us-east-1".parse().unwrap();
        let named = |id: &str| parse_id(id, account, &region);
        let arn =
            |rest: &str| format!("arn:aws:secretsmanager:us-east-1:123456789012:secret:{rest}");
        let pair = |name: &str, suffix: Option<&str>| (name.to_owned(), suffix.map(str::to_owned));
        assert_eq!(named("a/b"), Some(vec![pair("a/b", None)]));
        assert_eq!(
            named(&arn("a/b-AbC123")),
            Some(vec![pair("a/b", Some("AbC123")), pair("a/b-AbC123", None)])
        );
        assert_eq!(named(&arn("a/b")), Some(vec![pair("a/b", None)]));
        for other in [
            "arn:aws:secretsmanager:us-east-1:999999999999:secret:a/b-AbC123",
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:a/b-AbC123",
            "arn:aws:ecr:us-east-1:123456789012:secret:a/b-AbC123",
        ] {
            assert_eq!(named(other), None, "{other}");
        }
    }

    #[test]
    fn m1_names_are_aws_s_under_one_prefix() {
        assert!(check("ecr-pullthroughcache/docker-hub").is_ok());
        assert!(matches!(
            check("ecr-pullthroughcache/a b"),
            Err(Error::Validation(_))
        ));
        for other in ["database", "ecr-pullthroughcache/", "ecr-pullthroughcache"] {
            let refused = check(other).unwrap_err();
            assert!(refused.is(ErrorCode::InvalidRequest), "{other}");
            assert!(refused.to_string().contains(NAME_PREFIX), "{refused}");
        }
    }
}
