//! IAM's principals for the registry, which knows no IAM: what a repository policy names is pinned to
//! unique ids when it is stored, and shown as ARNs again (IAM User Guide, "AWS JSON policy elements:
//! Principal").

use aws_types::{AccountId, Arn};
use identity::Identity;
use registry::{BoxFuture, Pinned, Principals};

/// [`Principals`] over the identity domain.
#[derive(Clone)]
pub struct IamPrincipals(pub Identity);

impl Principals for IamPrincipals {
    fn pin<'a>(&'a self, principal: &'a str) -> BoxFuture<'a, Result<Pinned, String>> {
        Box::pin(async move {
            if let Some(account) = account_of(principal) {
                let known = self.0.account_exists(account).await;
                return Ok(match known.map_err(|error| crate::error::chain(&error))? {
                    true => Pinned::AsIs,
                    false => Pinned::Unknown,
                });
            }
            let Ok(arn) = principal.parse::<Arn>() else {
                // `*`, or a unique id that was shown for want of an ARN.
                return Ok(Pinned::AsIs);
            };
            let entity = arn.resource().starts_with("user/") || arn.resource().starts_with("role/");
            if arn.service() != "iam" || !entity {
                // Sessions and federated users are named by what they are called.
                return Ok(Pinned::AsIs);
            }
            let id = self.0.principal_id(principal).await;
            Ok(match id.map_err(|error| crate::error::chain(&error))? {
                Some(id) => Pinned::Id(id),
                None => Pinned::Unknown,
            })
        })
    }

    fn show<'a>(&'a self, stored: &'a str) -> BoxFuture<'a, Result<Option<String>, String>> {
        Box::pin(async move {
            let arn = self.0.arn_of(stored).await;
            arn.map_err(|error| crate::error::chain(&error))
        })
    }
}

/// The account that `123456789012` or `arn:aws:iam::123456789012:root` names.
fn account_of(principal: &str) -> Option<AccountId> {
    if let Ok(account) = principal.parse() {
        return Some(account);
    }
    let arn: Arn = principal.parse().ok()?;
    match (arn.service(), arn.resource()) {
        ("iam", "root") => arn.account().parse().ok(),
        _ => None,
    }
}
