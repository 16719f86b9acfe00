//! The registry's paths (OCI Distribution Specification v1.1, "Endpoints"), parsed strictly:
//! only the last segment is decoded, nothing is normalised, and an invalid repository name is
//! refused.

use http::Method;
use registry::NameRule;

use crate::form;

/// A request to the registry.
#[derive(Debug, Clone, PartialEq)]
pub struct OciRoute {
    /// The repository; `None` for `/v2/` and the catalog.
    pub name: Option<String>,
    /// What is asked.
    pub ask: OciOperation,
}

impl OciOperation {
    /// Whether it reads a manifest or a blob, as a mirror's clients do.
    pub(crate) fn reads_content(&self) -> bool {
        matches!(
            self,
            OciOperation::HeadManifest { .. }
                | OciOperation::GetManifest { .. }
                | OciOperation::HeadBlob { .. }
                | OciOperation::GetBlob { .. }
        )
    }
}

/// What is asked of the registry.
#[derive(Debug, Clone, PartialEq)]
pub enum OciOperation {
    /// `GET /v2/`: checks that this is a registry and that the credentials are valid.
    Base,
    /// `GET /v2/_catalog`.
    Catalog(Page),
    /// `POST …/blobs/uploads/`.
    StartUpload {
        /// `mount` and `from`: take the blob from another repository.
        mount: Option<Mount>,
        /// `digest`: the body is the whole blob.
        digest: Option<String>,
    },
    /// `GET …/blobs/uploads/<id>`.
    UploadStatus {
        /// The upload.
        id: String,
    },
    /// `PATCH …/blobs/uploads/<id>`.
    UploadPart {
        /// The upload.
        id: String,
    },
    /// `PUT …/blobs/uploads/<id>?digest=`.
    CompleteUpload {
        /// The upload.
        id: String,
        /// What the client says the bytes are.
        digest: Option<String>,
    },
    /// `DELETE …/blobs/uploads/<id>`.
    CancelUpload {
        /// The upload.
        id: String,
    },
    /// `HEAD …/blobs/<digest>`.
    HeadBlob {
        /// The blob.
        digest: String,
    },
    /// `GET …/blobs/<digest>`.
    GetBlob {
        /// The blob.
        digest: String,
    },
    /// `DELETE …/blobs/<digest>`.
    DeleteBlob {
        /// The blob.
        digest: String,
    },
    /// `HEAD …/manifests/<reference>`.
    HeadManifest {
        /// Tag or digest.
        reference: String,
    },
    /// `GET …/manifests/<reference>`.
    GetManifest {
        /// Tag or digest.
        reference: String,
    },
    /// `PUT …/manifests/<reference>?digest=&tag=`.
    PutManifest {
        /// Tag or digest.
        reference: String,
        /// `digest`: what the manifest must have, beside a tag.
        digest: Option<String>,
        /// `tag`: the tags of a push by digest.
        tags: Vec<String>,
    },
    /// `DELETE …/manifests/<reference>`.
    DeleteManifest {
        /// Tag or digest.
        reference: String,
    },
    /// `GET …/tags/list`.
    ListTags(Page),
    /// `GET …/referrers/<digest>`.
    Referrers {
        /// The manifest referred to.
        digest: String,
        /// `artifactType`: only such.
        artifact_type: Option<String>,
        /// Where the page begins, from an earlier answer's `Link`.
        next: Option<String>,
    },
}

/// Where a mounted blob comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Mount {
    /// The blob.
    pub digest: String,
    /// The repository that holds it; absent means "any", which only the caller's own rights could answer.
    pub from: Option<String>,
}

/// `n` and `last`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    /// At most so many.
    pub n: Option<usize>,
    /// Those after this one.
    pub last: Option<String>,
}

/// Why a path below `/v2/` is not a request.
#[derive(Debug, Clone, PartialEq)]
pub enum RouteError {
    /// There is no such endpoint.
    NotFound,
    /// The endpoint exists, not by this method.
    Method {
        /// Methods that would do.
        allow: &'static str,
    },
    /// The repository's name breaks this rule.
    Name(NameRule),
    /// `n` is not a number.
    PageSize,
}

/// Parses path and query.
///
/// # Errors
/// [`RouteError`].
pub fn parse(method: &Method, path: &str, query: &str) -> Result<OciRoute, RouteError> {
    let rest = match path.strip_prefix("/v2").ok_or(RouteError::NotFound)? {
        "" => "",
        rest => rest.strip_prefix('/').ok_or(RouteError::NotFound)?,
    };
    let bare = |ask| OciRoute { name: None, ask };
    match rest {
        "" => {
            return one(
                method,
                [
                    (&Method::GET, OciOperation::Base),
                    (&Method::HEAD, OciOperation::Base),
                ],
            )
            .map(bare);
        }
        "_catalog" => return get(method, OciOperation::Catalog(page(query)?)).map(bare),
        _ => {}
    }
    let (name, ask) = endpoint(method, rest, query)?;
    registry::check_repository_name(name).map_err(RouteError::Name)?;
    Ok(OciRoute {
        name: Some(name.to_owned()),
        ask: ask?,
    })
}

/// Splits `<name>/<endpoint>` from the right: a repository may be called `blobs`.
fn endpoint<'a>(
    method: &Method,
    rest: &'a str,
    query: &str,
) -> Result<(&'a str, Result<OciOperation, RouteError>), RouteError> {
    let (head, last) = rest.rsplit_once('/').ok_or(RouteError::NotFound)?;
    if let Some(name) = head.strip_suffix("/blobs/uploads") {
        return Ok((name, upload(method, last, query)));
    }
    if let Some(name) = head.strip_suffix("/blobs") {
        // Some clients leave out the trailing slash.
        if last == "uploads" {
            return Ok((name, upload(method, "", query)));
        }
        return Ok((name, segment(last).and_then(|digest| blob(method, digest))));
    }
    if let Some(name) = head.strip_suffix("/manifests") {
        return Ok((
            name,
            segment(last).and_then(|reference| manifest(method, reference, query)),
        ));
    }
    if let (Some(name), "list") = (head.strip_suffix("/tags"), last) {
        return Ok((
            name,
            page(query).and_then(|page| get(method, OciOperation::ListTags(page))),
        ));
    }
    if let Some(name) = head.strip_suffix("/referrers") {
        let ask = segment(last).and_then(|digest| {
            // A media type contains no space: it was a plus sign that the client did not encode.
            let artifact_type = form::first(query, "artifactType").map(|t| t.replace(' ', "+"));
            get(
                method,
                OciOperation::Referrers {
                    digest,
                    artifact_type: artifact_type.filter(|t| !t.is_empty()),
                    next: form::first(query, "next"),
                },
            )
        });
        return Ok((name, ask));
    }
    Err(RouteError::NotFound)
}

fn upload(method: &Method, id: &str, query: &str) -> Result<OciOperation, RouteError> {
    let digest = form::first(query, "digest").filter(|d| !d.is_empty());
    if id.is_empty() {
        let mount = form::first(query, "mount").filter(|m| !m.is_empty());
        let mount = mount.map(|digest| Mount {
            digest,
            from: form::first(query, "from").filter(|from| !from.is_empty()),
        });
        return match *method {
            Method::POST => Ok(OciOperation::StartUpload { mount, digest }),
            _ => Err(RouteError::Method { allow: "POST" }),
        };
    }
    let id = segment(id)?;
    match *method {
        Method::GET => Ok(OciOperation::UploadStatus { id }),
        Method::PATCH => Ok(OciOperation::UploadPart { id }),
        Method::PUT => Ok(OciOperation::CompleteUpload { id, digest }),
        Method::DELETE => Ok(OciOperation::CancelUpload { id }),
        _ => Err(RouteError::Method {
            allow: "GET, PATCH, PUT, DELETE",
        }),
    }
}

fn blob(method: &Method, digest: String) -> Result<OciOperation, RouteError> {
    match *method {
        Method::HEAD => Ok(OciOperation::HeadBlob { digest }),
        Method::GET => Ok(OciOperation::GetBlob { digest }),
        Method::DELETE => Ok(OciOperation::DeleteBlob { digest }),
        _ => Err(RouteError::Method {
            allow: "GET, HEAD, DELETE",
        }),
    }
}

fn manifest(method: &Method, reference: String, query: &str) -> Result<OciOperation, RouteError> {
    match *method {
        Method::HEAD => Ok(OciOperation::HeadManifest { reference }),
        Method::GET => Ok(OciOperation::GetManifest { reference }),
        Method::PUT => Ok(OciOperation::PutManifest {
            reference,
            digest: form::all(query, "digest")
                .into_iter()
                .find(|digest| !digest.is_empty()),
            tags: form::all(query, "tag"),
        }),
        Method::DELETE => Ok(OciOperation::DeleteManifest { reference }),
        _ => Err(RouteError::Method {
            allow: "GET, HEAD, PUT, DELETE",
        }),
    }
}

fn one<const N: usize>(
    method: &Method,
    checks: [(&Method, OciOperation); N],
) -> Result<OciOperation, RouteError> {
    let found = checks.into_iter().find(|(allowed, _)| *allowed == method);
    found
        .map(|(_, ask)| ask)
        .ok_or(RouteError::Method { allow: "GET, HEAD" })
}

fn get(method: &Method, ask: OciOperation) -> Result<OciOperation, RouteError> {
    match *method {
        Method::GET => Ok(ask),
        _ => Err(RouteError::Method { allow: "GET" }),
    }
}

/// The last segment: a digest's colon may come as `%3A`; a slash may not come at all.
fn segment(raw: &str) -> Result<String, RouteError> {
    let decoded = aws_types::percent::decode(raw).ok_or(RouteError::NotFound)?;
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '/' | '\\' | '%');
    match !decoded.is_empty() && decoded.chars().all(plain) {
        true => Ok(decoded.into_owned()),
        false => Err(RouteError::NotFound),
    }
}

fn page(query: &str) -> Result<Page, RouteError> {
    // `n=` is as absent: so clients with an unset option write it.
    let n = match form::first(query, "n").filter(|n| !n.is_empty()) {
        Some(text) => Some(text.parse::<usize>().map_err(|_| RouteError::PageSize)?),
        None => None,
    };
    Ok(Page {
        n,
        last: form::first(query, "last").filter(|last| !last.is_empty()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever the path, a route has a valid repository name and a last segment without a separator.
        #[test]
        fn any_path_is_refused_or_names_a_repository(
            path in "(/v2)?(/(blobs|uploads|manifests|tags|list|referrers|_catalog|a|b-c|[.%/A-Z:0-9]{0,4}|\\PC{0,3})){0,7}/?",
            query in "((n|last|digest|tag|mount|from|artifactType)=[a-z0-9%+&=]{0,6}&?){0,4}",
            method in proptest::sample::select(vec![
                Method::GET, Method::HEAD, Method::PUT, Method::POST, Method::PATCH, Method::DELETE,
            ]),
        ) {
            if let Ok(route) = parse(&method, &path, &query) {
                let is_named = |name: &String| registry::is_repository_name(name);
                prop_assert!(route.name.as_ref().is_none_or(is_named), "{route:?}");
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
                    _ => return Ok(()),
                };
                prop_assert!(!last.is_empty() && !last.contains(['/', '\\', '%', '\0']), "{last}");
            }
        }
    }

    const D: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn ask(method: Method, path: &str) -> Result<(Option<String>, OciOperation), RouteError> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        parse(&method, path, query).map(|route| (route.name, route.ask))
    }

    #[test]
    fn every_endpoint_of_the_specification() {
        let named = |ask| Ok((Some("team/app".to_owned()), ask));
        let id = || "7f".to_owned();
        let reference = || "v1".to_owned();
        let table = [
            (Method::GET, "/v2/", Ok((None, OciOperation::Base))),
            (Method::HEAD, "/v2", Ok((None, OciOperation::Base))),
            (
                Method::GET,
                "/v2/_catalog?n=3&last=a%2Fb",
                Ok((
                    None,
                    OciOperation::Catalog(Page {
                        n: Some(3),
                        last: Some("a/b".into()),
                    }),
                )),
            ),
            (
                Method::POST,
                "/v2/team/app/blobs/uploads/",
                named(OciOperation::StartUpload {
                    mount: None,
                    digest: None,
                }),
            ),
            (
                Method::POST,
                "/v2/team/app/blobs/uploads/?mount=sha256%3Aab&from=team%2Fbase",
                named(OciOperation::StartUpload {
                    mount: Some(Mount {
                        digest: "sha256:ab".into(),
                        from: Some("team/base".into()),
                    }),
                    digest: None,
                }),
            ),
            (
                Method::GET,
                "/v2/team/app/blobs/uploads/7f",
                named(OciOperation::UploadStatus { id: id() }),
            ),
            (
                Method::PATCH,
                "/v2/team/app/blobs/uploads/7f",
                named(OciOperation::UploadPart { id: id() }),
            ),
            (
                Method::PUT,
                "/v2/team/app/blobs/uploads/7f?digest=x",
                named(OciOperation::CompleteUpload {
                    id: id(),
                    digest: Some("x".into()),
                }),
            ),
            (
                Method::DELETE,
                "/v2/team/app/blobs/uploads/7f",
                named(OciOperation::CancelUpload { id: id() }),
            ),
            (
                Method::HEAD,
                "/v2/team/app/manifests/v1",
                named(OciOperation::HeadManifest {
                    reference: reference(),
                }),
            ),
            (
                Method::GET,
                "/v2/team/app/manifests/v1",
                named(OciOperation::GetManifest {
                    reference: reference(),
                }),
            ),
            (
                Method::PUT,
                "/v2/team/app/manifests/v1",
                named(OciOperation::PutManifest {
                    reference: reference(),
                    digest: None,
                    tags: Vec::new(),
                }),
            ),
            (
                Method::PUT,
                "/v2/team/app/manifests/v1?digest=sha256%3Aab&tag=a&tag=&tag=b",
                named(OciOperation::PutManifest {
                    reference: reference(),
                    digest: Some("sha256:ab".into()),
                    tags: vec!["a".into(), String::new(), "b".into()],
                }),
            ),
            (
                Method::GET,
                "/v2/team/app/tags/list?n=&last=",
                named(OciOperation::ListTags(Page::default())),
            ),
            (
                Method::DELETE,
                "/v2/team/app/manifests/v1",
                named(OciOperation::DeleteManifest {
                    reference: reference(),
                }),
            ),
            (
                Method::GET,
                "/v2/team/app/tags/list",
                named(OciOperation::ListTags(Page::default())),
            ),
        ];
        for (method, path, expected) in table {
            assert_eq!(ask(method.clone(), path), expected, "{method} {path}");
        }
        let digest = || D.to_owned();
        for (method, expected) in [
            (Method::HEAD, OciOperation::HeadBlob { digest: digest() }),
            (Method::GET, OciOperation::GetBlob { digest: digest() }),
            (
                Method::DELETE,
                OciOperation::DeleteBlob { digest: digest() },
            ),
        ] {
            assert_eq!(
                ask(method, &format!("/v2/team/app/blobs/{D}")),
                named(expected)
            );
        }
        assert_eq!(
            ask(
                Method::GET,
                &format!("/v2/team/app/referrers/{D}?artifactType=a/b+c")
            ),
            named(OciOperation::Referrers {
                digest: digest(),
                artifact_type: Some("a/b+c".into()),
                next: None
            })
        );
    }

    #[test]
    fn a_repository_may_be_called_like_an_endpoint() {
        let found = ask(Method::GET, "/v2/blobs/manifests/tags/list").unwrap();
        assert_eq!(found.0.as_deref(), Some("blobs/manifests"));
        let found = ask(Method::POST, "/v2/blobs/uploads/blobs/uploads/").unwrap();
        assert_eq!(found.0.as_deref(), Some("blobs/uploads"));
    }

    #[test]
    fn tricks_are_refused() {
        for path in [
            "/v2/../etc/manifests/v1",
            "/v2/a/../b/manifests/v1",
            "/v2/a//b/manifests/v1",
            "/v2/a%2fb/manifests/v1",
            "/v2/%2e%2e/manifests/v1",
            "/v2/App/manifests/v1",
            "/v2/a./manifests/v1",
            "/v2/-a/manifests/v1",
            "/v2/a..b/manifests/v1",
            "/v2/a\\b/manifests/v1",
        ] {
            let rule = RouteError::Name(NameRule::Pattern);
            assert_eq!(ask(Method::GET, path), Err(rule), "{path}");
        }
        for path in [
            "/v2app/manifests/v1",
            "/v2_catalog",
            "/v2/app/manifests/..%2f..%2fx",
            "/v2/app/manifests/a%00b",
            "/v2/app/manifests/a%ZZ",
            "/v2/app/blobs/%252e",
            "/v2/app/manifests/",
            "/v2/app",
            "/v2/app/unknown/x",
        ] {
            assert_eq!(ask(Method::GET, path), Err(RouteError::NotFound), "{path}");
        }
        let long = format!("/v2/{}/tags/list", "a".repeat(257));
        let rule = RouteError::Name(NameRule::TooLong);
        assert_eq!(ask(Method::GET, &long), Err(rule));
        let rule = RouteError::Name(NameRule::TooShort);
        assert_eq!(ask(Method::GET, "/v2/a/tags/list"), Err(rule));
    }

    #[test]
    fn methods_and_pages_are_checked() {
        assert!(matches!(
            ask(Method::POST, "/v2/"),
            Err(RouteError::Method { .. })
        ));
        assert!(matches!(
            ask(Method::POST, "/v2/app/tags/list"),
            Err(RouteError::Method { .. })
        ));
        assert!(matches!(
            ask(Method::GET, "/v2/app/blobs/uploads/"),
            Err(RouteError::Method { .. })
        ));
        assert_eq!(
            ask(Method::GET, "/v2/app/tags/list?n=-1"),
            Err(RouteError::PageSize)
        );
        assert_eq!(
            ask(Method::GET, "/v2/_catalog?n=x"),
            Err(RouteError::PageSize)
        );
    }
}
