//! The actions that pulling and pushing images need together (ECR User Guide, image-push-iam and
//! registry_auth).

use policy::{DocumentKind, Text};

use crate::codes::Code;
use crate::globs::Glob;
use crate::linter::{Linter, allows};
use crate::messages::some_of;

/// The actions of a push, in the order of its requests.
const PUSH: [&str; 5] = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
    "ecr:PutImage",
];

/// The actions that only a push needs; `PutImage` alone adds a tag to an image.
const UPLOAD: [&str; 3] = [
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
];

const MANIFEST: &str = "ecr:BatchGetImage";
const LAYER: &str = "ecr:GetDownloadUrlForLayer";
/// Clients call it before a push, and older ones before a pull.
const CHECK: &str = "ecr:BatchCheckLayerAvailability";
const TOKEN: &str = "ecr:GetAuthorizationToken";

pub(super) fn check(linter: &mut Linter<'_>) {
    let document = linter.document;
    let identity = matches!(
        document.kind(),
        DocumentKind::Managed
            | DocumentKind::InlineUser
            | DocumentKind::InlineGroup
            | DocumentKind::InlineRole
    );
    if !identity && document.kind() != DocumentKind::EcrRepository {
        return;
    }
    // `NotAction` allows all of these, and has a finding of its own.
    let statements = document.statements().iter();
    let allowed: Vec<(&Text, Glob)> = statements
        .filter(|statement| allows(statement) && !statement.action.not)
        .flat_map(|statement| &statement.action.values)
        .map(|text| (text, Glob::folded(&text.value)))
        .collect();
    let statements = document.statements().iter();
    if statements.into_iter().any(|s| allows(s) && s.action.not) {
        return;
    }
    let by = |action: &str| {
        let action = action.to_ascii_lowercase();
        let mut found = allowed.iter().filter(|(_, glob)| glob.matches(&action));
        found.next().map(|(text, _)| *text)
    };
    let missing = |actions: &[&'static str]| -> Vec<&'static str> {
        let all = actions.iter().copied();
        all.filter(|action| by(action).is_none()).collect()
    };
    let lacking = missing(&PUSH);
    if let Some(text) = UPLOAD.iter().find_map(|action| by(action))
        && !lacking.is_empty()
    {
        linter.find(
            Code::EcrPushIncomplete,
            text.position,
            "layers can be uploaded, but other actions of a push are not allowed",
            format!("add {}", some_of(lacking)),
        );
    }
    // A clean-up reads manifests to decide what to delete (ECR User Guide, delete_image; API
    // Reference, BatchGetImage), and pulls no layers.
    let cleans = by("ecr:BatchDeleteImage").is_some() && [LAYER, CHECK].map(by) == [None, None];
    match (by(MANIFEST), by(LAYER)) {
        (None, Some(text)) => linter.find(
            Code::EcrPullIncomplete,
            text.position,
            "layers can be read but manifests cannot, so nothing can be pulled",
            format!("add `{MANIFEST}`"),
        ),
        // Together with `PutImage` it adds a tag to an image.
        (Some(text), None) if by("ecr:PutImage").is_none() && !cleans => linter.find(
            Code::EcrPullIncomplete,
            text.position,
            "manifests can be read but layers cannot, so nothing can be pulled",
            format!("add `{LAYER}`"),
        ),
        _ => {}
    }
    let works = [MANIFEST, LAYER, "ecr:PutImage"];
    let works = if cleans { &works[2..] } else { &works[..] };
    if identity
        && let Some(text) = works.iter().find_map(|action| by(action))
        && by(TOKEN).is_none()
    {
        linter.find(
            Code::EcrLoginMissing,
            text.position,
            format!("`docker login` needs `{TOKEN}`, which this policy does not allow"),
            format!("allow `{TOKEN}` on \"*\", here or in another policy"),
        );
    }
}
