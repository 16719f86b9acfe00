//! What each request to `/v2/` needs: the ECR actions that guard the same thing there (ECR User Guide,
//! "Amazon ECR repository policies", and what AWS's own registry names in its denials). A request
//! without a line here does not compile: the match is exhaustive.

use crate::oci::path::{OciOperation, OciRoute};
use crate::permissions::{Requirements, ResourceSelector, require, require_action};

/// The actions for `route` in the registry of `account`. The first is the one that the audit event is
/// called after; `None` where a valid login is all it takes.
///
/// `body_follows`: the request brings bytes. A final PUT with bytes uploads a part as well.
pub(crate) fn needs(
    route: &OciRoute,
    account: &str,
    body_follows: bool,
) -> Option<(&'static str, Requirements)> {
    let target = || ResourceSelector::Repository {
        registry: Some(account.to_owned()),
        name: route.name.clone().unwrap_or_else(|| "*".to_owned()),
    };
    let one = |action: &'static str| Some((action, require(target())));
    match &route.ask {
        OciOperation::Base => None,
        OciOperation::Catalog(_) => one("ecr:DescribeRepositories"),
        OciOperation::StartUpload { digest, mount } => {
            let whole = digest.is_some() && mount.is_none();
            let needs = require(target())
                .and_if(whole, "ecr:UploadLayerPart", target())
                .and_if(whole, "ecr:CompleteLayerUpload", target());
            Some(("ecr:InitiateLayerUpload", needs))
        }
        OciOperation::UploadStatus { .. }
        | OciOperation::UploadPart { .. }
        | OciOperation::CancelUpload { .. } => one("ecr:UploadLayerPart"),
        OciOperation::CompleteUpload { .. } => {
            let needs = require(target()).and_if(body_follows, "ecr:UploadLayerPart", target());
            Some(("ecr:CompleteLayerUpload", needs))
        }
        OciOperation::HeadBlob { .. } => one("ecr:BatchCheckLayerAvailability"),
        OciOperation::GetBlob { .. } => one("ecr:GetDownloadUrlForLayer"),
        OciOperation::DeleteBlob { .. } | OciOperation::DeleteManifest { .. } => {
            one("ecr:BatchDeleteImage")
        }
        OciOperation::HeadManifest { .. } | OciOperation::GetManifest { .. } => {
            one("ecr:BatchGetImage")
        }
        OciOperation::PutManifest { .. } => one("ecr:PutImage"),
        OciOperation::ListTags(_) => one("ecr:ListImages"),
        // As the operation of that name in `ops/ecr.rs`.
        OciOperation::Referrers { .. } => Some((
            "ecr:ListImageReferrers",
            require(target()).or("ecr:BatchGetImage"),
        )),
    }
}

/// What a mount needs of the repository that the blob comes from: the right to read it.
pub(crate) fn mount_needs(from: &str, account: &str) -> Requirements {
    let target = || ResourceSelector::Repository {
        registry: Some(account.to_owned()),
        name: from.to_owned(),
    };
    require_action("ecr:GetDownloadUrlForLayer", target())
        .and("ecr:BatchCheckLayerAvailability", target())
}
