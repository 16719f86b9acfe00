//! What each request to `/v2/` requires: the ECR actions that guard the same thing there (ECR User Guide,
//! "Amazon ECR repository policies", and the actions in the denials of AWS's own registry). The match is
//! exhaustive: a route without requirements does not compile.

use authz::{Requirements, ResourceSelector, require, require_action};
use aws_api::ecr::Operation;

use super::row::Columns;
use crate::oci_route::{OciOperation, OciRoute};
use crate::writable::Effect;

/// The ECR operation that `route` stands for in the registry of `account`, and what it requires. The
/// operation's row has the action, the audit event's name and category; `None` where a valid login
/// suffices.
///
/// `body_follows`: the request has a body. A final PUT with bytes uploads a part as well.
pub(crate) fn requirements(
    route: &OciRoute,
    account: &str,
    body_follows: bool,
) -> Option<(Operation, Requirements)> {
    let resource = || ResourceSelector::Repository {
        registry: Some(account.to_owned()),
        name: route.name.clone().unwrap_or_else(|| "*".to_owned()),
    };
    let one = |operation: Operation| Some((operation, require(resource())));
    match &route.ask {
        OciOperation::Base => None,
        OciOperation::Catalog(_) => one(Operation::DescribeRepositories),
        OciOperation::StartUpload { digest, mount } => {
            let whole = digest.is_some() && mount.is_none();
            let requirements = require(resource())
                .and_if(whole, "ecr:UploadLayerPart", resource())
                .and_if(whole, "ecr:CompleteLayerUpload", resource());
            Some((Operation::InitiateLayerUpload, requirements))
        }
        OciOperation::UploadStatus { .. }
        | OciOperation::UploadPart { .. }
        | OciOperation::CancelUpload { .. } => one(Operation::UploadLayerPart),
        OciOperation::CompleteUpload { .. } => {
            let requirements =
                require(resource()).and_if(body_follows, "ecr:UploadLayerPart", resource());
            Some((Operation::CompleteLayerUpload, requirements))
        }
        OciOperation::HeadBlob { .. } => one(Operation::BatchCheckLayerAvailability),
        OciOperation::GetBlob { .. } => one(Operation::GetDownloadUrlForLayer),
        OciOperation::DeleteBlob { .. } | OciOperation::DeleteManifest { .. } => {
            one(Operation::BatchDeleteImage)
        }
        OciOperation::HeadManifest { .. } | OciOperation::GetManifest { .. } => {
            one(Operation::BatchGetImage)
        }
        OciOperation::PutManifest { .. } => one(Operation::PutImage),
        OciOperation::ListTags(_) => one(Operation::ListImages),
        // As the row of the operation in `ops/ecr.rs`.
        OciOperation::Referrers { .. } => Some((
            Operation::ListImageReferrers,
            require_action("ecr:BatchGetImage", resource()),
        )),
    }
}

/// What a request does, where its operation's row says too much: the row of `UploadLayerPart` also stands
/// for looking at an upload and for giving it up.
pub(crate) fn effect(route: &OciRoute, columns: &Columns) -> Effect {
    match &route.ask {
        OciOperation::UploadStatus { .. } => Effect::Reads,
        // Gives space back: it must work while the disk is full.
        OciOperation::CancelUpload { .. } => Effect::Revokes,
        _ => columns.effect(&serde_json::Value::Null),
    }
}

/// What a mount requires of the repository that the blob comes from: the right to read it.
pub(crate) fn mount_requirements(from: &str, account: &str) -> (Operation, Requirements) {
    let resource = || ResourceSelector::Repository {
        registry: Some(account.to_owned()),
        name: from.to_owned(),
    };
    let requirements = require(resource()).and("ecr:BatchCheckLayerAvailability", resource());
    (Operation::GetDownloadUrlForLayer, requirements)
}
