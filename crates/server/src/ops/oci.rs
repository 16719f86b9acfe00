//! What each request to `/v2/` needs: the ECR actions that guard the same thing there (ECR User Guide,
//! "Amazon ECR repository policies", and what AWS's own registry names in its denials). A request
//! without a line here does not compile: the match is exhaustive.

use crate::needs::{Needs, Target, on, to};
use crate::oci::path::{Ask, OciRoute};

/// The actions for `route` in the registry of `account`. The first is the one that the audit event is
/// called after; `None` where a valid login is all it takes.
///
/// `body_follows`: the request brings bytes. A final PUT with bytes uploads a part as well.
pub(crate) fn needs(
    route: &OciRoute,
    account: &str,
    body_follows: bool,
) -> Option<(&'static str, Needs)> {
    let target = || Target::Repository {
        registry: Some(account.to_owned()),
        name: route.name.clone().unwrap_or_else(|| "*".to_owned()),
    };
    let one = |action: &'static str| Some((action, on(target())));
    match &route.ask {
        Ask::Base => None,
        Ask::Catalog(_) => one("ecr:DescribeRepositories"),
        Ask::StartUpload { digest, mount } => {
            let whole = digest.is_some() && mount.is_none();
            let needs = on(target())
                .also_if(whole, "ecr:UploadLayerPart", target())
                .also_if(whole, "ecr:CompleteLayerUpload", target());
            Some(("ecr:InitiateLayerUpload", needs))
        }
        Ask::UploadStatus { .. } | Ask::UploadPart { .. } | Ask::CancelUpload { .. } => {
            one("ecr:UploadLayerPart")
        }
        Ask::CompleteUpload { .. } => {
            let needs = on(target()).also_if(body_follows, "ecr:UploadLayerPart", target());
            Some(("ecr:CompleteLayerUpload", needs))
        }
        Ask::HeadBlob { .. } => one("ecr:BatchCheckLayerAvailability"),
        Ask::GetBlob { .. } => one("ecr:GetDownloadUrlForLayer"),
        Ask::DeleteBlob { .. } | Ask::DeleteManifest { .. } => one("ecr:BatchDeleteImage"),
        Ask::HeadManifest { .. } | Ask::GetManifest { .. } => one("ecr:BatchGetImage"),
        Ask::PutManifest { .. } => one("ecr:PutImage"),
        Ask::ListTags(_) => one("ecr:ListImages"),
        // As the operation of that name in `ops/ecr.rs`.
        Ask::Referrers { .. } => Some((
            "ecr:ListImageReferrers",
            on(target()).or("ecr:BatchGetImage"),
        )),
    }
}

/// What a mount needs of the repository that the blob comes from: the right to read it.
pub(crate) fn mount_needs(from: &str, account: &str) -> Needs {
    let target = || Target::Repository {
        registry: Some(account.to_owned()),
        name: from.to_owned(),
    };
    to("ecr:GetDownloadUrlForLayer", target()).also("ecr:BatchCheckLayerAvailability", target())
}
