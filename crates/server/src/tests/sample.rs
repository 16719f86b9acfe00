//! The least input that an operation's model takes, for tests that call every operation.

use aws_api::{Binding, Form, Kind, Operation, Protocol, RestHead, Service, Shape, WireRequest};
use serde_json::{Map, Value, json};

use crate::oci_route::{Mount, OciOperation, OciRoute, Page};
use crate::ops::ApiBody;

/// Texts, one of which fits each string shape.
const TEXTS: [&str; 12] = [
    "app1",
    "arn:aws:ecr:us-east-1:123456789012:repository/app1",
    "arn:aws:iam::123456789012:role/app1",
    "123456789012",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "AKIAIOSFODNN7EXAMPLE",
    "0f1e2d3c-0000-4000-8000-000000000000",
    "{}",
    "/",
    "v1",
    "i-0123456789abcdef0",
    "2026-11-22T12:00:00Z",
];

/// The members that must be there, as JSON. `None`: no text of ours fits.
pub(super) fn least(shape: &Shape) -> Option<Value> {
    let count = usize::try_from(shape.min.unwrap_or(0)).unwrap_or(0);
    Some(match shape.kind {
        Kind::String => text(shape)?.into(),
        // `app1`, as often as it takes.
        Kind::Blob => format!("{}YXBwMQ==", "YXBwMWFwcDFhcHAx".repeat(count.div_ceil(12))).into(),
        Kind::Boolean => false.into(),
        Kind::Integer | Kind::Long => shape.min.unwrap_or(1).into(),
        Kind::Double => 1.5.into(),
        Kind::Timestamp => 0.into(),
        Kind::List(member) => {
            let mut members = Vec::new();
            for _ in 0..count.max(1) {
                members.push(least(member)?);
            }
            members.into()
        }
        Kind::Map(_, member) => json!({"app1": least(member)?}),
        // No member is required, and a form cannot hold an empty structure.
        Kind::Structure(_) if shape.name == "PolicyDescriptorType" => {
            json!({"arn": "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials"})
        }
        Kind::Structure(members) => {
            let mut object = Map::new();
            for member in members.iter().filter(|member| member.required) {
                let mut value = match arn(member.name) {
                    Some(arn) if member.shape.name == "arnType" => arn.into(),
                    _ => least(member.shape)?,
                };
                // A form has no empty structure: the first member stands for it.
                if let (Kind::Structure(inner), Some(true)) =
                    (member.shape.kind, value.as_object().map(Map::is_empty))
                    && let Some(first) = inner.first()
                {
                    value = json!({ first.name: least(first.shape)? });
                }
                object.insert(member.name.to_owned(), value);
            }
            object.into()
        }
    })
}

/// The ARN that a member of IAM's `arnType` takes, by its name.
fn arn(member: &str) -> Option<&'static str> {
    Some(match member {
        "PolicyArn" | "PermissionsBoundary" => "arn:aws:iam::123456789012:policy/app1",
        "OpenIDConnectProviderArn" => "arn:aws:iam::123456789012:oidc-provider/app1",
        "SAMLProviderArn" => "arn:aws:iam::123456789012:saml-provider/app1",
        _ => return None,
    })
}

fn text(shape: &Shape) -> Option<String> {
    if let Some(first) = shape.values.first() {
        return Some((*first).to_owned());
    }
    let fits = |text: &str| {
        let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
        shape.min.is_none_or(|min| min <= length)
            && shape.max.is_none_or(|max| length <= max)
            && shape.pattern.is_none_or(|pattern| pattern.matches(text))
    };
    // Shapes named after ARNs take any text by their pattern; the authorization step wants an ARN. ECR's is `Arn`.
    let arn = shape.name.to_lowercase().contains("arn") && shape.name != "Arn";
    let policy = shape.name.to_lowercase().contains("policyarn");
    let mut texts: Vec<String> = TEXTS.iter().map(|text| (*text).to_owned()).collect();
    if shape.name == "Arn" {
        texts.swap(0, 1);
    } else if policy {
        texts.insert(0, "arn:aws:iam::123456789012:policy/app1".to_owned());
    } else if arn {
        texts.rotate_left(1);
        texts.sort_by_key(|text| !text.contains(":iam:"));
    }
    texts.push("012345".to_owned());
    texts.push("o-1234567890/r-abcd".to_owned());
    texts.push("col-0123456789abcdef0".to_owned());
    texts.push("bak-0123456789abcdef0".to_owned());
    texts.push("chk-0123456789abcdef0".to_owned());
    // A signing algorithm.
    texts.push("RS256".to_owned());
    texts.extend([2, 3, 4, 100].map(|count| "0123456789".repeat(count)));
    // Ids of what an organization holds.
    let of_organization = [
        "r-app1",
        "ou-app1-app1app1",
        "p-app1app1",
        "h-app1app1",
        "car-app1app1",
        "app1@example.com",
        "o-app1app1app1/r-app1",
    ];
    texts.extend(of_organization.map(str::to_owned));
    texts.into_iter().find(|text| fits(text))
}

/// The least body of an operation whose input has tags, with one tag.
pub(super) fn api_body_with_tags(operation: Operation) -> ApiBody {
    let mut input = least(operation.input()).unwrap();
    let Kind::Structure(members) = operation.input().kind else {
        panic!("{} has no members", operation.name());
    };
    let is_tags = |name: &str| name.eq_ignore_ascii_case("tags");
    let member = members.iter().find(|member| is_tags(member.name)).unwrap();
    input[member.name] = least(member.shape).unwrap();
    read(&request(operation, &input))
}

/// A request of an operation, as clients send it.
pub(super) struct Sent {
    operation: Operation,
    pub(super) method: http::Method,
    /// With the query.
    pub(super) path: String,
    pub(super) target: Option<String>,
    pub(super) content_type: &'static str,
    pub(super) body: Vec<u8>,
}

impl From<(Operation, WireRequest)> for Sent {
    fn from((operation, wire): (Operation, WireRequest)) -> Sent {
        Sent {
            operation,
            method: wire.method.parse().unwrap(),
            path: wire.path,
            target: wire.target,
            content_type: wire.content_type,
            body: wire.body,
        }
    }
}

/// The request with this input.
pub(super) fn request(operation: Operation, input: &Value) -> Sent {
    let mut input = input.clone();
    let (method, path) = match operation.http() {
        Some(http) => (http.method, outside_body(operation, http.uri, &mut input)),
        None => ("POST", "/".to_owned()),
    };
    Sent {
        operation,
        method: method.parse().unwrap(),
        path,
        target: target(operation),
        content_type: content_type(operation.service()),
        body: encoded(operation, &input),
    }
}

/// The request with the least input.
pub(super) fn least_request(operation: Operation) -> Sent {
    let input = least(operation.input());
    let input = input.unwrap_or_else(|| panic!("no input fits {}", operation.name()));
    request(operation, &input)
}

/// A request at the path of an operation, with nothing that its model requires elsewhere.
pub(super) fn at_its_path(operation: Operation) -> Sent {
    let members = operation.input().members().iter();
    let labels = members.filter(|member| matches!(member.binding, Binding::Label(_)));
    let input = labels.map(|member| (member.name.to_owned(), json!("app1")));
    request(operation, &Value::Object(input.collect()))
}

/// Takes what is bound to the path and the query out of an input.
fn outside_body(operation: Operation, uri: &str, input: &mut Value) -> String {
    let (mut path, mut query) = (uri.to_owned(), Vec::new());
    for member in operation.input().members() {
        if member.binding == Binding::Body {
            continue;
        }
        let value = input.as_object_mut().unwrap().remove(member.name);
        let values = match value {
            None => continue,
            Some(Value::Array(values)) => values,
            Some(value) => vec![value],
        };
        for value in values {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            let text = aws_types::percent::encode(&text);
            match member.binding {
                Binding::Label(name) => path = path.replace(&format!("{{{name}}}"), &text),
                Binding::Query(name) => query.push(format!("{name}={text}")),
                other => panic!("{} has {other:?}", operation.name()),
            }
        }
    }
    match query.is_empty() {
        true => path,
        false => format!("{path}?{}", query.join("&")),
    }
}

/// The same, read.
fn read(sent: &Sent) -> ApiBody {
    let body = sent.body.clone();
    match sent.operation.service().protocol() {
        Protocol::Json => ApiBody::Json(body.into()),
        Protocol::Query => ApiBody::Query(Form::parse(&body).unwrap()),
        Protocol::RestJson => {
            let (path, query) = sent.path.split_once('?').unwrap_or((&sent.path, ""));
            let head = RestHead::read(sent.operation, path, query, |_| None).unwrap();
            ApiBody::Rest(head, body.into())
        }
    }
}

fn encoded(operation: Operation, input: &Value) -> Vec<u8> {
    match operation.service().protocol() {
        Protocol::Json | Protocol::RestJson => input.to_string().into_bytes(),
        Protocol::Query => {
            let version = operation.service().api_version();
            let mut form = format!("Action={}&Version={version}", operation.name());
            flatten("", operation.input(), input, &mut form);
            form.into_bytes()
        }
    }
}

fn flatten(prefix: &str, shape: &Shape, value: &Value, form: &mut String) {
    let dotted = |name: &str| match prefix {
        "" => name.to_owned(),
        prefix => format!("{prefix}.{name}"),
    };
    match (shape.kind, value) {
        (Kind::Structure(members), Value::Object(object)) => {
            for member in members
                .iter()
                .filter(|member| object.contains_key(member.name))
            {
                flatten(
                    &dotted(member.name),
                    member.shape,
                    &object[member.name],
                    form,
                );
            }
        }
        (Kind::List(member), Value::Array(values)) => {
            for (at, value) in values.iter().enumerate() {
                flatten(&format!("{prefix}.member.{}", at + 1), member, value, form);
            }
        }
        (Kind::Map(_, member), Value::Object(entries)) => {
            for (at, (key, value)) in entries.iter().enumerate() {
                let entry = format!("{prefix}.entry.{}", at + 1);
                form.push_str(&format!("&{entry}.key={}", aws_types::percent::encode(key)));
                flatten(&format!("{entry}.value"), member, value, form);
            }
        }
        (_, Value::String(text)) => {
            form.push_str(&format!("&{prefix}={}", aws_types::percent::encode(text)));
        }
        (_, value) => form.push_str(&format!("&{prefix}={value}")),
    }
}

/// The same, read.
pub(super) fn api_body(operation: Operation) -> ApiBody {
    read(&least_request(operation))
}

/// `X-Amz-ResourceSelector`, for JSON.
fn target(operation: Operation) -> Option<String> {
    let prefix = operation.service().target_prefix()?;
    Some(format!("{prefix}.{}", operation.name()))
}

fn content_type(service: Service) -> &'static str {
    match service.protocol() {
        Protocol::Json => "application/x-amz-json-1.1",
        Protocol::RestJson => "application/json",
        Protocol::Query => "application/x-www-form-urlencoded",
    }
}

/// A request to the registry.
pub(super) struct Sample {
    pub(super) method: http::Method,
    pub(super) path: String,
    /// The action that guards it, as compatible registries name it in denials; `None`: none.
    pub(super) action: Option<&'static str>,
}

/// One request for every kind of route. The match has no wildcard: a new kind of route does not compile
/// here until it says what guards it.
pub(super) fn routes() -> Vec<Sample> {
    let digest = || TEXTS[4].to_owned();
    let id = || TEXTS[6].to_owned();
    let tag = || "v1".to_owned();
    let checks = [
        OciOperation::Base,
        OciOperation::Catalog(Page::default()),
        OciOperation::StartUpload {
            mount: None,
            digest: None,
        },
        OciOperation::StartUpload {
            mount: None,
            digest: Some(digest()),
        },
        OciOperation::StartUpload {
            mount: Some(Mount {
                digest: digest(),
                from: Some("base".into()),
            }),
            digest: None,
        },
        OciOperation::UploadStatus { id: id() },
        OciOperation::UploadPart { id: id() },
        OciOperation::CompleteUpload {
            id: id(),
            digest: Some(digest()),
        },
        OciOperation::CancelUpload { id: id() },
        OciOperation::HeadBlob { digest: digest() },
        OciOperation::GetBlob { digest: digest() },
        OciOperation::DeleteBlob { digest: digest() },
        OciOperation::HeadManifest { reference: tag() },
        OciOperation::GetManifest { reference: tag() },
        OciOperation::PutManifest {
            reference: tag(),
            digest: None,
            tags: Vec::new(),
        },
        OciOperation::DeleteManifest { reference: tag() },
        OciOperation::ListTags(Page::default()),
        OciOperation::Referrers {
            digest: digest(),
            artifact_type: None,
            next: None,
        },
    ];
    checks.into_iter().map(|ask| sample(&ask)).collect()
}

fn sample(ask: &OciOperation) -> Sample {
    use http::Method;
    let (method, path, action) = match ask {
        OciOperation::Base => (Method::GET, "/v2/".to_owned(), None),
        OciOperation::Catalog(_) => (
            Method::GET,
            "/v2/_catalog".to_owned(),
            Some("ecr:DescribeRepositories"),
        ),
        OciOperation::StartUpload { mount, digest } => {
            let query = match (mount, digest) {
                (Some(mount), _) => {
                    let from = mount.from.as_deref().unwrap_or_default();
                    format!("?mount={}&from={from}", mount.digest)
                }
                (None, Some(digest)) => format!("?digest={digest}"),
                (None, None) => String::new(),
            };
            let path = format!("/v2/app1/blobs/uploads/{query}");
            (Method::POST, path, Some("ecr:InitiateLayerUpload"))
        }
        OciOperation::UploadStatus { id } => (
            Method::GET,
            format!("/v2/app1/blobs/uploads/{id}"),
            Some("ecr:UploadLayerPart"),
        ),
        OciOperation::UploadPart { id } => (
            Method::PATCH,
            format!("/v2/app1/blobs/uploads/{id}"),
            Some("ecr:UploadLayerPart"),
        ),
        OciOperation::CompleteUpload { id, digest } => {
            let digest = digest.as_deref().unwrap_or_default();
            let path = format!("/v2/app1/blobs/uploads/{id}?digest={digest}");
            (Method::PUT, path, Some("ecr:CompleteLayerUpload"))
        }
        OciOperation::CancelUpload { id } => (
            Method::DELETE,
            format!("/v2/app1/blobs/uploads/{id}"),
            Some("ecr:UploadLayerPart"),
        ),
        OciOperation::HeadBlob { digest } => (
            Method::HEAD,
            format!("/v2/app1/blobs/{digest}"),
            Some("ecr:BatchCheckLayerAvailability"),
        ),
        OciOperation::GetBlob { digest } => (
            Method::GET,
            format!("/v2/app1/blobs/{digest}"),
            Some("ecr:GetDownloadUrlForLayer"),
        ),
        OciOperation::DeleteBlob { digest } => (
            Method::DELETE,
            format!("/v2/app1/blobs/{digest}"),
            Some("ecr:BatchDeleteImage"),
        ),
        OciOperation::HeadManifest { reference } => (
            Method::HEAD,
            format!("/v2/app1/manifests/{reference}"),
            Some("ecr:BatchGetImage"),
        ),
        OciOperation::GetManifest { reference } => (
            Method::GET,
            format!("/v2/app1/manifests/{reference}"),
            Some("ecr:BatchGetImage"),
        ),
        OciOperation::PutManifest { reference, .. } => (
            Method::PUT,
            format!("/v2/app1/manifests/{reference}"),
            Some("ecr:PutImage"),
        ),
        OciOperation::DeleteManifest { reference } => (
            Method::DELETE,
            format!("/v2/app1/manifests/{reference}"),
            Some("ecr:BatchDeleteImage"),
        ),
        OciOperation::ListTags(_) => (
            Method::GET,
            "/v2/app1/tags/list".to_owned(),
            Some("ecr:ListImages"),
        ),
        OciOperation::Referrers { digest, .. } => (
            Method::GET,
            format!("/v2/app1/referrers/{digest}"),
            Some("ecr:BatchGetImage"),
        ),
    };
    Sample {
        method,
        path,
        action,
    }
}

impl Sample {
    /// The route that the server reads in it.
    pub(super) fn route(&self) -> OciRoute {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        crate::oci_route::parse(&self.method, path, query).unwrap()
    }
}
