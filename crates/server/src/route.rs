//! Where a request goes: a pure function of method, path, query and headers.

use http::{HeaderMap, Method};

use crate::console_route::{ConsoleCall, FederationPage, SAML_PATH};
use crate::oci_route::{self, OciRoute, RouteError};

/// A request's destination.
#[derive(Debug, PartialEq)]
pub(crate) enum Route {
    /// awsJson 1.1: `X-Amz-Target` names service and operation.
    AwsJson {
        /// The header as it came.
        target: String,
    },
    /// awsQuery: `Action` and `Version` stand in the body or the query.
    AwsQuery,
    /// A signed call at a path of another service, such as `GET /bucket`.
    AwsOther,
    /// The registry. A path that names nothing is refused after authentication, so that it tells
    /// strangers nothing.
    Oci(Result<OciRoute, RouteError>),
    /// A token of the registry.
    Token,
    /// A layer by a sealed URL.
    Download {
        /// The sealed text.
        token: String,
    },
    /// A public document of an account that issues identity tokens.
    Issuer {
        /// The issuer's id.
        issuer_id: String,
        /// Which document.
        document: IssuerDocument,
    },
    /// A file of the web console, or its page.
    Console,
    /// A route of the console's own, called by POST.
    ConsoleCall(ConsoleCall),
    /// A page or a document of a sign-in through an identity provider.
    FederationPage(FederationPage),
    /// What a SAML provider has a browser post.
    SamlAnswer,
    /// The process lives.
    Healthz,
    /// It can serve: the database answers.
    Readyz,
    /// Counters for Prometheus.
    Metrics,
    /// A part of Berth that this version does not have.
    NotBuilt {
        /// What it is, for the answer.
        what: &'static str,
    },
    /// Nothing lives there, or not by this method.
    Nowhere {
        /// Methods that would do; empty when the path is unknown.
        allow: &'static str,
    },
}

/// The documents of an issuer (OpenID Connect Discovery 1.0, section 4; IAM API Reference,
/// EnableOutboundWebIdentityFederation).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IssuerDocument {
    Discovery,
    Keys,
}

/// The path below which accounts are issuers.
pub(crate) const ISSUERS_PATH: &str = "/oidc";

/// The issuer's id and the document that a path names.
fn issuer_document(path: &str) -> Option<(&str, IssuerDocument)> {
    let rest = path.strip_prefix(ISSUERS_PATH)?.strip_prefix('/')?;
    let (id, document) = rest.split_once('/')?;
    let document = match document {
        ".well-known/openid-configuration" => IssuerDocument::Discovery,
        ".well-known/jwks.json" => IssuerDocument::Keys,
        _ => return None,
    };
    let is_id = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then_some((id, document))
}

/// The path of Docker's token protocol.
pub(crate) const TOKEN_PATH: &str = "/token";

/// The path under which layers are downloaded by sealed URLs.
pub(crate) const DOWNLOAD_PREFIX: &str = "/layers/";

/// The path of the web console.
pub(crate) const CONSOLE_PATH: &str = "/console";

/// Finds the destination.
pub(crate) fn route(method: &Method, path: &str, query: &str, headers: &HeaderMap) -> Route {
    // Before what is signed: a sign-in to the console is, where it is one by access key.
    if path == CONSOLE_PATH || path.starts_with("/console/") {
        if *method == Method::POST
            && let Some(call) = ConsoleCall::of_path(path)
        {
            return Route::ConsoleCall(call);
        }
        if *method == Method::POST && path == SAML_PATH {
            return Route::SamlAnswer;
        }
        if (*method == Method::GET || *method == Method::HEAD)
            && let Some(page) = FederationPage::of_path(path)
        {
            return Route::FederationPage(page);
        }
        return match *method == Method::GET || *method == Method::HEAD {
            true => Route::Console,
            false => Route::Nowhere { allow: "GET, HEAD" },
        };
    }
    // The registry's paths are never signed so; API Gateway and SES have paths below `/v2/`.
    if path != "/" && !path.is_empty() && is_signed(query, headers) {
        return Route::AwsOther;
    }
    if path == "/v2" || path.starts_with("/v2/") {
        return Route::Oci(oci_route::parse(method, path, query));
    }
    let read = method == Method::GET || method == Method::HEAD;
    let probe = |route: Route| match read {
        true => route,
        false => Route::Nowhere { allow: "GET, HEAD" },
    };
    match path {
        "/" | "" => aws(method, query, headers),
        "/healthz" => probe(Route::Healthz),
        "/readyz" => probe(Route::Readyz),
        "/metrics" => probe(Route::Metrics),
        TOKEN_PATH => match *method == Method::GET || *method == Method::POST {
            true => Route::Token,
            false => Route::Nowhere { allow: "GET, POST" },
        },
        _ if path.starts_with("/latest/") => Route::NotBuilt {
            what: "the instance metadata service",
        },
        _ if let Some((id, document)) = issuer_document(path) => probe(Route::Issuer {
            issuer_id: id.to_owned(),
            document,
        }),
        _ => match path.strip_prefix(DOWNLOAD_PREFIX) {
            Some(token) if !token.is_empty() => probe(Route::Download {
                token: token.to_owned(),
            }),
            _ => Route::Nowhere { allow: "" },
        },
    }
}

fn aws(method: &Method, query: &str, headers: &HeaderMap) -> Route {
    match headers.get("x-amz-target") {
        Some(target) if method == Method::POST => Route::AwsJson {
            target: String::from_utf8_lossy(target.as_bytes()).into_owned(),
        },
        // The Query protocol takes GET as well: presigned URLs of GetCallerIdentity are such.
        _ if method == Method::POST || method == Method::GET => Route::AwsQuery,
        _ if is_signed(query, headers) => Route::AwsOther,
        _ => Route::Nowhere { allow: "GET, POST" },
    }
}

/// Whether a request presents an AWS signature, in the header or in the query.
fn is_signed(query: &str, headers: &HeaderMap) -> bool {
    let header = headers.get(http::header::AUTHORIZATION);
    let by_header = header.is_some_and(|value| value.as_bytes().starts_with(b"AWS4-"));
    by_header || (header.is_none() && query.contains("X-Amz-Signature="))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(method: Method, path: &str) -> Route {
        route(&method, path, "", &HeaderMap::new())
    }

    #[test]
    fn each_path_has_one_destination() {
        assert_eq!(to(Method::POST, "/"), Route::AwsQuery);
        assert_eq!(to(Method::GET, "/healthz"), Route::Healthz);
        assert_eq!(to(Method::HEAD, "/readyz"), Route::Readyz);
        assert_eq!(to(Method::GET, "/token"), Route::Token);
        assert_eq!(to(Method::POST, "/token"), Route::Token);
        assert_eq!(
            to(Method::PUT, "/token"),
            Route::Nowhere { allow: "GET, POST" }
        );
        assert_eq!(
            to(Method::POST, "/metrics"),
            Route::Nowhere { allow: "GET, HEAD" }
        );
        assert_eq!(
            to(Method::GET, "/layers/abc"),
            Route::Download {
                token: "abc".into()
            }
        );
        assert_eq!(to(Method::GET, "/layers/"), Route::Nowhere { allow: "" });
        let id = "0".repeat(32);
        let issuer = |document| Route::Issuer {
            issuer_id: id.clone(),
            document,
        };
        let keys = format!("/oidc/{id}/.well-known/jwks.json");
        assert_eq!(to(Method::GET, &keys), issuer(IssuerDocument::Keys));
        let discovery = format!("/oidc/{id}/.well-known/openid-configuration");
        assert_eq!(
            to(Method::GET, &discovery),
            issuer(IssuerDocument::Discovery)
        );
        for nowhere in [
            "/oidc",
            "/oidc/x/.well-known/jwks.json",
            "/oidc//.well-known/jwks.json",
        ] {
            assert_eq!(to(Method::GET, nowhere), Route::Nowhere { allow: "" });
        }
        assert_eq!(to(Method::GET, "/v1/"), Route::Nowhere { allow: "" });
        assert_eq!(to(Method::GET, "//v2/"), Route::Nowhere { allow: "" });
        assert_eq!(to(Method::GET, "/console/x"), Route::Console);
        assert_eq!(to(Method::HEAD, "/console"), Route::Console);
        assert_eq!(
            to(Method::POST, "/console/x"),
            Route::Nowhere { allow: "GET, HEAD" }
        );
        assert_eq!(to(Method::GET, "/consoles"), Route::Nowhere { allow: "" });
        assert!(matches!(to(Method::GET, "/v2/"), Route::Oci(Ok(_))));
    }

    #[test]
    fn the_target_header_chooses_json() {
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-target", "A.B".parse().unwrap());
        let json = Route::AwsJson {
            target: "A.B".into(),
        };
        assert_eq!(route(&Method::POST, "/", "", &headers), json);
        assert_eq!(route(&Method::GET, "/", "", &headers), Route::AwsQuery);
    }
}
