//! The registry's paths.

use http::Method;
use server::oci_route::{self, OciOperation, RouteError};

/// The method on the first line, path and query on the second.
///
/// A route has a valid repository name and a last segment without a separator: nothing leaves its
/// repository by a path.
pub fn parse(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.splitn(2, '\n');
    let Ok(method) = lines.next().unwrap_or_default().parse::<Method>() else {
        return;
    };
    let target = lines.next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let route = match oci_route::parse(&method, path, query) {
        Ok(route) => route,
        Err(RouteError::Method { allow }) => {
            assert!(
                !allow.split(", ").any(|allowed| allowed == method.as_str()),
                "{method}: {allow}"
            );
            return;
        }
        Err(_) => return,
    };
    let name = route.name.as_deref();
    assert!(name.is_none_or(registry::is_repository_name), "{route:?}");
    // The name stands in the path as it is: nothing was decoded or normalised.
    assert!(
        name.is_none_or(|name| path.starts_with(&format!("/v2/{name}/"))),
        "{route:?}"
    );
    let last = match &route.ask {
        OciOperation::HeadBlob { digest }
        | OciOperation::GetBlob { digest }
        | OciOperation::DeleteBlob { digest }
        | OciOperation::Referrers { digest, .. } => digest,
        OciOperation::HeadManifest { reference }
        | OciOperation::GetManifest { reference }
        | OciOperation::PutManifest { reference, .. }
        | OciOperation::DeleteManifest { reference } => reference,
        OciOperation::UploadStatus { id }
        | OciOperation::UploadPart { id }
        | OciOperation::CompleteUpload { id, .. }
        | OciOperation::CancelUpload { id } => id,
        OciOperation::Base | OciOperation::Catalog(_) => {
            assert_eq!(name, None);
            return;
        }
        OciOperation::StartUpload { .. } | OciOperation::ListTags(_) => return,
    };
    let is_plain = |c: char| c.is_ascii_graphic() && !"/\\%".contains(c);
    assert!(!last.is_empty() && last.chars().all(is_plain), "{last}");
}

/// Requests as clients send them.
pub fn seeds() -> Vec<Vec<u8>> {
    const D: &str = "sha256%3Ae3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let seeds = [
        "HEAD\n/v2/".to_owned(),
        "GET\n/v2/_catalog?n=3&last=a%2Fb".to_owned(),
        format!("POST\n/v2/team/app/blobs/uploads/?mount={D}&from=team%2Fbase"),
        format!("PUT\n/v2/team/app/blobs/uploads/0a1b?digest={D}"),
        "PATCH\n/v2/blobs/uploads/blobs/uploads/0a1b".to_owned(),
        format!("GET\n/v2/team/app/blobs/{D}"),
        format!("PUT\n/v2/team/app/manifests/{D}?tag=a&tag=b&digest="),
        "DELETE\n/v2/team/app/manifests/v1".to_owned(),
        "GET\n/v2/team/manifests/tags/list?n=10&last=v1".to_owned(),
        format!("GET\n/v2/team/app/referrers/{D}?artifactType=a/b+c&next=x"),
        "GET\n/v2/a/../b/manifests/..%2f..%2fx".to_owned(),
    ];
    seeds.into_iter().map(String::into_bytes).collect()
}
