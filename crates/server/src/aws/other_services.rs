//! Services that are not served here.
//!
//! Tools send every service's calls to one endpoint URL. A correctly signed call of `ec2`, `s3` or
//! `ssm` is answered with a 501 that says so, in its own protocol's form (Smithy, "AWS
//! Protocols"): a signature error would read as a wrong key. Nothing is told before the signature is
//! verified.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use aws_api::authorization;
use aws_api::{CommonError, Protocol, WireResponse};
use http::header;

use crate::form;
use crate::head::Head;

/// How a service writes its errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ErrorForm {
    /// `<ErrorResponse><Error>…`: awsQuery, and restXml but for S3.
    Query,
    /// `<Response><Errors><Error>…`: EC2.
    Ec2,
    /// `<Error>…`: S3.
    S3,
    /// awsJson 1.0.
    Json10,
    /// awsJson 1.1.
    Json11,
    /// restJson1.
    RestJson,
}

/// Services that speak restXml. The other REST services speak restJson1.
const REST_XML: [&str; 2] = ["cloudfront", "route53"];
/// S3's services.
const S3: [&str; 4] = ["s3", "s3express", "s3-outposts", "s3-object-lambda"];

impl ErrorForm {
    /// The form in which `scope`'s service answers this request.
    pub(super) fn of(scope: &str, head: &Head) -> ErrorForm {
        let kind = head.header(header::CONTENT_TYPE).unwrap_or_default();
        let is_form = kind.starts_with("application/x-www-form-urlencoded");
        match scope {
            "ec2" => ErrorForm::Ec2,
            _ if S3.contains(&scope) => ErrorForm::S3,
            _ if head.parts.headers.contains_key("x-amz-target") => {
                match kind.starts_with("application/x-amz-json-1.0") {
                    true => ErrorForm::Json10,
                    false => ErrorForm::Json11,
                }
            }
            _ if is_form || REST_XML.contains(&scope) => ErrorForm::Query,
            _ if form::first(head.query(), "Action").is_some() => ErrorForm::Query,
            _ => ErrorForm::RestJson,
        }
    }

    /// The protocol whose names of common errors it uses.
    pub(super) fn protocol(self) -> Protocol {
        match self {
            ErrorForm::Query | ErrorForm::Ec2 | ErrorForm::S3 => Protocol::Query,
            ErrorForm::Json10 | ErrorForm::Json11 | ErrorForm::RestJson => Protocol::Json,
        }
    }

    /// Writes an error.
    pub(super) fn encode(
        self,
        error: &aws_api::WireError,
        path: &str,
        request_id: &str,
    ) -> WireResponse {
        let (code, message) = (escape(error.code), escape(&error.message));
        let id = escape(request_id);
        let json = serde_json::json!({"__type": error.code, "message": error.message});
        let (content_type, body) = match self {
            ErrorForm::Query => (
                "text/xml",
                format!(
                    "<ErrorResponse><Error><Type>{}</Type><Code>{code}</Code><Message>{message}</Message>\
                     </Error><RequestId>{id}</RequestId></ErrorResponse>",
                    error.fault.as_str()
                ),
            ),
            ErrorForm::Ec2 => (
                "text/xml;charset=UTF-8",
                format!(
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{code}</Code>\
                     <Message>{message}</Message></Error></Errors><RequestID>{id}</RequestID></Response>"
                ),
            ),
            ErrorForm::S3 => (
                "application/xml",
                format!(
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code>\
                     <Message>{message}</Message><Resource>{}</Resource><RequestId>{id}</RequestId></Error>",
                    escape(path)
                ),
            ),
            ErrorForm::Json10 => ("application/x-amz-json-1.0", json.to_string()),
            ErrorForm::Json11 => ("application/x-amz-json-1.1", json.to_string()),
            ErrorForm::RestJson => (
                "application/json",
                serde_json::json!({"message": error.message}).to_string(),
            ),
        };
        WireResponse {
            status: error.status.as_u16(),
            content_type,
            error_type: (self.protocol() == Protocol::Json).then_some(error.code),
            body: body.into_bytes(),
        }
    }
}

/// The refusal, after the signature was verified.
pub(super) fn not_served(scope: &str, protocol: Protocol) -> aws_api::WireError {
    let message = format!(
        "The service '{scope}' is not served here. This server serves Amazon ECR, IAM, STS, KMS, \
         Organizations, Secrets Manager and Access Analyzer; send calls of other services to their own endpoints."
    );
    CommonError::NotImplemented.with(protocol, message)
}

/// The operation that a request names, for the audit log: `X-Amz-Target`'s, `Action`, or the method.
pub(super) fn operation_name(head: &Head, action: Option<&str>) -> String {
    let target = head.header("x-amz-target");
    let target = target.map(|target| target.rsplit_once('.').map_or(target, |(_, name)| name));
    let named = target.or(action).map(str::to_owned);
    named
        .or_else(|| form::first(head.query(), "Action"))
        .unwrap_or_else(|| head.parts.method.as_str().to_owned())
}

/// `ec2.amazonaws.com` for `ec2`. Names that no service of AWS has share one source, so that clients
/// cannot make up any.
pub(super) fn event_source(scope: &str) -> &'static str {
    static SOURCES: LazyLock<BTreeMap<&'static str, String>> = LazyLock::new(|| {
        let sources = authorization::prefixes().map(|p| (p, format!("{p}.amazonaws.com")));
        sources.collect()
    });
    // Signing names that are not the prefix of the service's actions.
    let prefix = match scope {
        "monitoring" => return "monitoring.amazonaws.com",
        "email" => "ses",
        other => other,
    };
    SOURCES
        .get(prefix)
        .map_or("unknown.amazonaws.com", String::as_str)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
