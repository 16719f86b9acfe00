//! The events of the distribution API: each request is the ECR operation that it stands for.

use std::sync::Arc;

use authz::Caller;
use aws_types::Arn;
use serde_json::json;

use crate::audit::{self, Event};
use crate::head::Head;
use crate::oci_route::{OciOperation, OciRoute};
use crate::ops::row::{Category, Columns};
use crate::registry_host::RegistryId;

/// The source of the registry's events.
const SOURCE: &str = "ecr.amazonaws.com";

/// The event of a request whose operation is `columns`'.
pub(super) fn of_operation(
    head: &Head,
    route: &OciRoute,
    place: &RegistryId,
    columns: &Columns,
) -> Event {
    let action = columns.rule.action;
    let name = action.strip_prefix("ecr:").unwrap_or(action);
    let mut parameters = audit::trimmed(parameters(&route.ask));
    if let (Some(name), Some(members)) = (&route.name, parameters.as_object_mut()) {
        members.insert("repositoryName".into(), name.as_str().into());
        members.insert("registryId".into(), place.account.as_str().into());
    }
    let resource = route.name.as_deref().map(|name| {
        let arn = Arn::ecr_repository(&place.region, place.account, name);
        Arc::from(arn.as_str())
    });
    Event {
        parameters,
        resource,
        read_only: columns.read_only,
        data: columns.category == Category::Data,
        ..Event::begin(head, SOURCE, name, &place.region, place.account)
    }
}

/// The event of a request that stands for no operation of ECR.
pub(super) fn named(head: &Head, place: &RegistryId, caller: Arc<Caller>, name: &str) -> Event {
    Event {
        caller: Some(caller),
        parameters: json!({"path": head.path()}),
        read_only: head.parts.method.is_safe(),
        ..Event::begin(head, SOURCE, name, &place.region, place.account)
    }
}

/// The event of a login that failed, where a request needs `columns`' operation.
pub(super) fn of_login(
    head: &Head,
    place: &RegistryId,
    name: &str,
    columns: &Columns,
    access_key_id: Option<String>,
) -> Event {
    Event {
        access_key_id,
        read_only: columns.read_only,
        data: columns.category == Category::Data,
        ..Event::begin(head, SOURCE, name, &place.region, place.account)
    }
}

fn parameters(ask: &OciOperation) -> serde_json::Value {
    match ask {
        OciOperation::HeadBlob { digest }
        | OciOperation::GetBlob { digest }
        | OciOperation::DeleteBlob { digest } => {
            json!({"layerDigest": digest})
        }
        OciOperation::HeadManifest { reference }
        | OciOperation::GetManifest { reference }
        | OciOperation::DeleteManifest { reference } => match reference.contains(':') {
            true => json!({"imageIds": [{"imageDigest": reference}]}),
            false => json!({"imageIds": [{"imageTag": reference}]}),
        },
        OciOperation::PutManifest {
            reference,
            digest,
            tags,
        } => {
            let by_digest = reference.contains(':');
            let digest = match by_digest {
                true => Some(reference),
                false => digest.as_ref(),
            };
            let mut members = serde_json::Map::new();
            if let Some(digest) = digest {
                members.insert("imageDigest".into(), json!(digest));
            }
            match (by_digest, tags.as_slice()) {
                (false, _) => drop(members.insert("imageTag".into(), json!(reference))),
                (true, []) => {}
                (true, [tag]) => drop(members.insert("imageTag".into(), json!(tag))),
                (true, tags) => drop(members.insert("imageTags".into(), json!(tags))),
            }
            members.into()
        }
        OciOperation::UploadStatus { id }
        | OciOperation::UploadPart { id }
        | OciOperation::CancelUpload { id } => {
            json!({"uploadId": id})
        }
        OciOperation::CompleteUpload { id, digest } => {
            json!({"uploadId": id, "layerDigests": [digest]})
        }
        OciOperation::Referrers { digest, .. } => json!({"subjectId": {"imageDigest": digest}}),
        OciOperation::StartUpload {
            mount: Some(mount), ..
        } => json!({"mount": mount.digest, "from": mount.from}),
        OciOperation::StartUpload {
            digest: Some(digest),
            ..
        } => json!({"layerDigests": [digest]}),
        OciOperation::Base
        | OciOperation::Catalog(_)
        | OciOperation::StartUpload { .. }
        | OciOperation::ListTags(_) => json!({}),
    }
}
