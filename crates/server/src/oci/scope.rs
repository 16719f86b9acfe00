//! Scopes of tokens (distribution, "Token Scope Documentation"): `repository:NAME:pull,push` and
//! `registry:catalog:*`, and what each request needs of them.

use identity::{ScopeAction, TokenScope};

use crate::oci_route::{OciOperation, OciRoute};
use crate::registry_host::RegistryId;

/// Scopes of a token.
const SCOPES_MAX: usize = 20;

/// Reads scopes, of which each text may have several. Types, names and actions that are not known are left
/// out, as the specification has it: the answer says what was granted. `None`: too many, or too long.
pub(super) fn parse(place: &RegistryId, texts: &[String]) -> Option<TokenScope> {
    let mut scope = TokenScope::of_registry(&place.account, &place.region);
    let scopes = texts.iter().flat_map(|text| text.split(' '));
    for (number, text) in scopes.filter(|text| !text.is_empty()).enumerate() {
        if number >= SCOPES_MAX {
            return None;
        }
        scope = with(scope, text);
    }
    scope.fits().then_some(scope)
}

fn with(scope: TokenScope, text: &str) -> TokenScope {
    let parts = text
        .split_once(':')
        .and_then(|(kind, rest)| Some((kind, rest.rsplit_once(':')?)));
    let Some((kind, (name, actions))) = parts else {
        return scope;
    };
    // A class may follow the type: `repository(plugin)`.
    match kind.split('(').next() {
        Some("registry") if name == "catalog" && actions.split(',').any(|one| one == "*") => {
            scope.and_catalog()
        }
        Some("repository") if registry::check_repository_name(name).is_ok() => {
            let actions = actions.split(',').flat_map(|one| {
                let all = one == "*";
                let known = ScopeAction::ALL.into_iter();
                known.filter(move |action| all || action.as_str() == one)
            });
            let actions: Vec<ScopeAction> = actions.collect();
            match actions.is_empty() {
                true => scope,
                false => scope.and(name, &actions),
            }
        }
        _ => scope,
    }
}

/// The scopes as text.
pub(super) fn text(scope: &TokenScope) -> String {
    let repositories = scope.repositories().iter().map(|one| {
        let actions: Vec<&str> = one.actions.iter().map(|action| action.as_str()).collect();
        format!("repository:{}:{}", one.name, actions.join(","))
    });
    let catalog = scope.has_catalog().then(|| "registry:catalog:*".to_owned());
    repositories.chain(catalog).collect::<Vec<_>>().join(" ")
}

/// What a request needs of a token.
enum Needed {
    Nothing,
    Catalog,
    Repository(ScopeAction),
}

/// The match is exhaustive: a route that needs no scope must say so.
fn needed(ask: &OciOperation) -> Needed {
    match ask {
        OciOperation::Base => Needed::Nothing,
        OciOperation::Catalog(_) => Needed::Catalog,
        OciOperation::HeadBlob { .. }
        | OciOperation::GetBlob { .. }
        | OciOperation::HeadManifest { .. }
        | OciOperation::GetManifest { .. }
        | OciOperation::ListTags(_)
        | OciOperation::Referrers { .. } => Needed::Repository(ScopeAction::Pull),
        OciOperation::StartUpload { .. }
        | OciOperation::UploadStatus { .. }
        | OciOperation::UploadPart { .. }
        | OciOperation::CompleteUpload { .. }
        | OciOperation::CancelUpload { .. }
        | OciOperation::PutManifest { .. } => Needed::Repository(ScopeAction::Push),
        OciOperation::DeleteBlob { .. } | OciOperation::DeleteManifest { .. } => {
            Needed::Repository(ScopeAction::Delete)
        }
    }
}

/// Whether a request is one that its token is for. A mount from a repository that is not in the scope becomes
/// an upload, as a mount that the caller has no right to.
pub(super) fn admits(scope: &TokenScope, place: &RegistryId, route: &mut OciRoute) -> bool {
    let name = route.name.as_deref().unwrap_or_default();
    let is_of_registry = scope.is_of(&place.account, &place.region);
    let is_admitted = match needed(&route.ask) {
        // Any valid token proves a login.
        Needed::Nothing => return true,
        Needed::Catalog => is_of_registry && scope.has_catalog(),
        Needed::Repository(action) => is_of_registry && scope.allows(name, action),
    };
    if let OciOperation::StartUpload { mount, .. } = &mut route.ask {
        let is_readable = |from: &Option<String>| {
            let from = from.as_deref();
            from.is_some_and(|from| scope.allows(from, ScopeAction::Pull))
        };
        if mount
            .as_ref()
            .is_some_and(|mount| !is_readable(&mount.from))
        {
            *mount = None;
        }
    }
    is_admitted
}

/// The scope to ask a token for, as a challenge names it. A push reads first what is there.
pub(super) fn wanted(route: &OciRoute) -> Option<String> {
    match (needed(&route.ask), &route.name) {
        (Needed::Nothing, _) => None,
        (Needed::Catalog, _) => Some("registry:catalog:*".to_owned()),
        (Needed::Repository(action), Some(name)) => Some(match action {
            ScopeAction::Push => format!("repository:{name}:pull,push"),
            one => format!("repository:{name}:{}", one.as_str()),
        }),
        (Needed::Repository(_), None) => None,
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    fn place(account: &str) -> RegistryId {
        RegistryId {
            account: account.parse().unwrap(),
            region: "us-east-1".parse().unwrap(),
        }
    }

    fn parsed(texts: &[&str]) -> Option<TokenScope> {
        let texts: Vec<String> = texts.iter().map(|&text| text.to_owned()).collect();
        parse(&place("123456789012"), &texts)
    }

    fn admitted(scope: &TokenScope, method: Method, path: &str, query: &str) -> bool {
        let mut route = crate::oci_route::parse(&method, path, query).unwrap();
        admits(scope, &place("123456789012"), &mut route)
    }

    #[test]
    fn scopes_are_read_and_unknown_parts_are_left_out() {
        for (texts, granted) in [
            (vec!["repository:a/b:pull,push"], "repository:a/b:pull,push"),
            (
                vec![
                    "repository:aa:push repository:bb:pull",
                    "repository:aa:pull",
                ],
                "repository:aa:pull,push repository:bb:pull",
            ),
            (vec!["repository:aa:*"], "repository:aa:pull,push,delete"),
            (vec!["repository(plugin):aa:pull"], "repository:aa:pull"),
            (vec!["registry:catalog:*"], "registry:catalog:*"),
            (
                vec![
                    "repository:AA:pull",
                    "repository:*:pull",
                    "repository:aa:admin",
                    "repository:aa",
                    "what:aa:pull",
                    "registry:catalog:pull",
                    "",
                    ":",
                ],
                "",
            ),
        ] {
            assert_eq!(text(&parsed(&texts).unwrap()), granted, "{texts:?}");
        }
        let many = "repository:aa:pull ".repeat(21);
        assert!(parsed(&[&many]).is_none());
        let long: Vec<String> = (0..20)
            .map(|n| format!("repository:{n}{}:pull", "x".repeat(200)))
            .collect();
        let long: Vec<&str> = long.iter().map(String::as_str).collect();
        assert!(parsed(&long).is_none());
    }

    #[test]
    fn each_request_needs_its_action() {
        let digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let blob = format!("/v2/app/blobs/{digest}");
        let referrers = format!("/v2/app/referrers/{digest}");
        let requests = [
            (Method::GET, "/v2/app/manifests/1", "pull"),
            (Method::HEAD, "/v2/app/manifests/1", "pull"),
            (Method::GET, &blob, "pull"),
            (Method::HEAD, &blob, "pull"),
            (Method::GET, "/v2/app/tags/list", "pull"),
            (Method::GET, &referrers, "pull"),
            (Method::POST, "/v2/app/blobs/uploads/", "push"),
            (Method::GET, "/v2/app/blobs/uploads/1", "push"),
            (Method::PATCH, "/v2/app/blobs/uploads/1", "push"),
            (Method::PUT, "/v2/app/blobs/uploads/1", "push"),
            (Method::DELETE, "/v2/app/blobs/uploads/1", "push"),
            (Method::PUT, "/v2/app/manifests/1", "push"),
            (Method::DELETE, "/v2/app/manifests/1", "delete"),
            (Method::DELETE, &blob, "delete"),
        ];
        for held in ["pull", "push", "delete"] {
            let scope = parsed(&[&format!("repository:app:{held}")]).unwrap();
            for (method, path, needed) in &requests {
                let is_admitted = admitted(&scope, method.clone(), path, "");
                assert_eq!(is_admitted, held == *needed, "{held}: {method} {path}");
            }
            assert!(admitted(&scope, Method::GET, "/v2/", ""));
            assert!(!admitted(&scope, Method::GET, "/v2/_catalog", ""));
            assert!(!admitted(&scope, Method::GET, "/v2/app2/tags/list", ""));
        }
    }

    #[test]
    fn a_mount_out_of_the_scope_becomes_an_upload() {
        let path = "/v2/app/blobs/uploads/";
        let mounts = |scope: &str, query: &str| {
            let scope = parsed(&[scope]).unwrap();
            let mut route = crate::oci_route::parse(&Method::POST, path, query).unwrap();
            assert!(admits(&scope, &place("123456789012"), &mut route));
            matches!(route.ask, OciOperation::StartUpload { mount: Some(_), .. })
        };
        let both = "repository:app:push repository:base:pull";
        assert!(mounts(both, "mount=sha256:0&from=base"));
        assert!(!mounts(both, "mount=sha256:0&from=other"));
        // Without a source it would be found in any repository.
        assert!(!mounts(both, "mount=sha256:0"));
        assert!(!mounts("repository:app:push", "mount=sha256:0&from=base"));
    }

    #[test]
    fn a_scope_of_another_registry_admits_nothing() {
        let texts = ["repository:app:pull registry:catalog:*".to_owned()];
        let scope = parse(&place("444455556666"), &texts).unwrap();
        assert!(!admitted(&scope, Method::GET, "/v2/app/tags/list", ""));
        assert!(!admitted(&scope, Method::GET, "/v2/_catalog", ""));
    }
}
