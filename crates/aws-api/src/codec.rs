//! Requests and responses as bytes, for servers and clients.

use crate::arns::{self, InvalidArn};
use crate::query::{self, Form};
use crate::query_json::{self, ResponseFormat};
use crate::shape::{Kind, Shape};
use crate::validate::{self, Violation};
use crate::value::{Shaped, Value};
use crate::xml::{self, Element};
use crate::{
    CommonError, Op, Operation, Protocol, RestHead, Service, WireError, access_analyzer, berth,
    ecr, json, rest,
};

/// A request that cannot be decoded, or that violates its model's limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// The requested operation.
    pub operation: Operation,
    /// What is wrong with the request.
    pub cause: DecodeCause,
}

/// Why a request cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecodeCause {
    /// Invalid syntax, or a value of the wrong type: `SerializationException`, `MalformedInput`.
    Malformed(String),
    /// Values outside their limits, all of them.
    Invalid(Vec<Violation>),
    /// An ARN that is none, or not of the kind that the operation takes.
    InvalidArn(InvalidArn),
}

impl DecodeError {
    /// The error as the operation's service returns it.
    ///
    /// ECR returns `InvalidParameterException`, with a wording of its own, from the operations whose
    /// model lists it, and `ValidationException` from the others. Berth returns
    /// `InvalidParameterException` with the usual wording.
    pub fn wire(&self) -> WireError {
        let protocol = self.operation.service().protocol();
        let violations = match &self.cause {
            DecodeCause::Malformed(message) => {
                if let Operation::AccessAnalyzer(_) = self.operation {
                    let error = access_analyzer::ErrorCode::Validation.with(message.clone());
                    return error.member("reason", "cannotParse");
                }
                return CommonError::Malformed.with(protocol, message.clone());
            }
            DecodeCause::InvalidArn(invalid) => {
                return invalid.wire(self.operation.service());
            }
            DecodeCause::Invalid(violations) => violations,
        };
        let own = ecr::ErrorCode::InvalidParameter;
        match self.operation {
            Operation::Ecr(operation) if operation.errors().contains(&own) => {
                own.with(validate::ecr_message(violations))
            }
            Operation::Iam(_) => {
                CommonError::Validation.with(protocol, validate::iam_message(violations))
            }
            Operation::AccessAnalyzer(_) => validate::access_analyzer_error(violations),
            Operation::Organizations(_) => validate::organizations_error(violations),
            Operation::Berth(_) => {
                berth::ErrorCode::InvalidParameter.with(validate::message(violations))
            }
            _ => CommonError::Validation.with(protocol, validate::message(violations)),
        }
    }
}

impl std::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.wire().message)
    }
}

impl std::error::Error for DecodeError {}

/// Decodes and validates a request's body.
///
/// # Errors
/// [`DecodeError`]; [`DecodeError::wire`] turns it into AWS's error.
pub fn decode_request<O: Op>(body: &[u8]) -> Result<O::Input, DecodeError> {
    match O::OPERATION.service().protocol() {
        Protocol::Json => finish::<O>(json::decode(O::Input::shape(), body)),
        Protocol::Query => decode_form::<O>(&Form::parse(body).map_err(malformed::<O>)?),
        // Its parameters outside the body are absent.
        Protocol::RestJson => finish::<O>(json::decode(O::Input::shape(), body)),
    }
}

/// Decodes and validates a request of restJson1.
///
/// # Errors
/// [`DecodeError`]; [`DecodeError::wire`] turns it into AWS's error.
pub fn decode_rest<O: Op>(head: &RestHead, body: &[u8]) -> Result<O::Input, DecodeError> {
    finish::<O>(head.decode(O::Input::shape(), body))
}

/// Decodes and validates a Query request whose parameters have been parsed already (the `Action`
/// parameter names the operation).
///
/// # Errors
/// [`DecodeError`]; [`DecodeError::wire`] turns it into AWS's error.
pub fn decode_form<O: Op>(form: &Form) -> Result<O::Input, DecodeError> {
    finish::<O>(form.decode(O::Input::shape()))
}

fn finish<O: Op>(value: Result<Value<'_>, String>) -> Result<O::Input, DecodeError> {
    let value = value.map_err(malformed::<O>)?;
    let violations = validate::violations(O::Input::shape(), &value);
    if !violations.is_empty() {
        return Err(DecodeError {
            operation: O::OPERATION,
            cause: DecodeCause::Invalid(violations),
        });
    }
    if let Some(invalid) = arns::check(O::OPERATION.service(), O::Input::shape(), &value) {
        return Err(DecodeError {
            operation: O::OPERATION,
            cause: DecodeCause::InvalidArn(invalid),
        });
    }
    O::Input::from_value(value).map_err(|mismatch| malformed::<O>(mismatch.to_string()))
}

fn malformed<O: Op>(message: String) -> DecodeError {
    DecodeError {
        operation: O::OPERATION,
        cause: DecodeCause::Malformed(message),
    }
}

/// A response, ready for HTTP. The server sets `x-amzn-RequestId`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireResponse {
    /// The HTTP status.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// `x-amzn-ErrorType`, in JSON errors of both protocols.
    pub error_type: Option<&'static str>,
    /// The body.
    pub body: Vec<u8>,
}

const JSON_TYPE: &str = "application/x-amz-json-1.1";
const REST_TYPE: &str = "application/json";
const XML_TYPE: &str = "text/xml";

/// Encodes an operation's output in its service's protocol. Responses hold secrets (keys, tokens)
/// and must not be logged.
pub fn encode_response<O: Op>(output: &O::Output, request_id: &str) -> WireResponse {
    encode_response_as::<O>(output, ResponseFormat::Native, request_id)
}

/// Encodes an operation's output in the format that the client accepts.
pub fn encode_response_as<O: Op>(
    output: &O::Output,
    format: ResponseFormat,
    request_id: &str,
) -> WireResponse {
    encode_output(O::OPERATION, &output.to_value(), format, request_id)
}

/// Encodes a tree of an operation's output shape.
pub(crate) fn encode_output(
    operation: Operation,
    value: &Value<'_>,
    format: ResponseFormat,
    request_id: &str,
) -> WireResponse {
    let (service, name, shape) = (operation.service(), operation.name(), operation.output());
    let (content_type, body) = match (service.protocol(), format) {
        (Protocol::Json, _) => {
            let mut body = Vec::new();
            json::encode(shape, value, &mut body);
            (JSON_TYPE, body)
        }
        (Protocol::RestJson, _) => {
            let mut body = Vec::new();
            json::encode(shape, value, &mut body);
            (REST_TYPE, body)
        }
        (Protocol::Query, ResponseFormat::Json) => {
            let body = query_json::response(name, shape, value, request_id);
            (query_json::CONTENT_TYPE, body)
        }
        (Protocol::Query, ResponseFormat::Native) => {
            let body = document(service, &format!("{name}Response"), |out| {
                // An operation without an output has no result element.
                if !std::ptr::eq(shape, &crate::UNIT) {
                    xml::element(&format!("{name}Result"), out, |out| {
                        xml::encode(shape, value, out)
                    });
                }
                xml::element("ResponseMetadata", out, |out| {
                    request_id_element(request_id, out)
                });
            });
            (XML_TYPE, body)
        }
    };
    WireResponse {
        status: operation.http().map_or(200, |http| http.status),
        content_type,
        error_type: None,
        body,
    }
}

/// Encodes an error in a service's protocol.
pub fn encode_error(service: Service, error: &WireError, request_id: &str) -> WireResponse {
    encode_error_as(service, error, ResponseFormat::Native, request_id)
}

/// Encodes an error in the format that the client accepts.
pub fn encode_error_as(
    service: Service,
    error: &WireError,
    format: ResponseFormat,
    request_id: &str,
) -> WireResponse {
    let (content_type, error_type, body) = match (service.protocol(), format) {
        (protocol @ (Protocol::Json | Protocol::RestJson), _) => {
            let mut body = b"{".to_vec();
            // restJson1 has the code in the header.
            if protocol == Protocol::Json {
                body.extend_from_slice(b"\"__type\":");
                json::string(error.code, &mut body);
                body.push(b',');
            }
            body.extend_from_slice(b"\"message\":");
            json::string(&error.message, &mut body);
            for (name, value) in &error.members {
                body.push(b',');
                json::string(name, &mut body);
                body.push(b':');
                body.extend_from_slice(value.to_string().as_bytes());
            }
            body.push(b'}');
            let content_type = match protocol {
                Protocol::RestJson => REST_TYPE,
                _ => JSON_TYPE,
            };
            (content_type, Some(error.code), body)
        }
        (Protocol::Query, ResponseFormat::Json) => {
            let body = query_json::error(error, request_id);
            (query_json::CONTENT_TYPE, None, body)
        }
        (Protocol::Query, ResponseFormat::Native) => {
            let body = document(service, "ErrorResponse", |out| {
                xml::element("Error", out, |out| {
                    xml::element("Type", out, |out| out.push_str(error.fault.as_str()));
                    xml::element("Code", out, |out| xml::escape(error.code, out));
                    // `ReportNotPresent` has none.
                    if !error.message.is_empty() {
                        xml::element("Message", out, |out| xml::escape(&error.message, out));
                    }
                });
                request_id_element(request_id, out);
            });
            (XML_TYPE, None, body)
        }
    };
    WireResponse {
        status: error.status.as_u16(),
        content_type,
        error_type,
        body,
    }
}

fn document(service: Service, name: &str, content: impl FnOnce(&mut String)) -> Vec<u8> {
    let namespace = service.xml_namespace().unwrap_or_default();
    let mut out = format!("<{name} xmlns=\"{namespace}\">");
    content(&mut out);
    out.push_str(&format!("</{name}>\n"));
    out.into_bytes()
}

fn request_id_element(request_id: &str, out: &mut String) {
    xml::element("RequestId", out, |out| xml::escape(request_id, out));
}

/// A request, ready to be signed and sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireRequest {
    /// The method: POST but for restJson1.
    pub method: &'static str,
    /// The path with the query: `/` but for restJson1.
    pub path: String,
    /// Headers of restJson1 that hold parameters; names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// `X-Amz-Target`, in JSON.
    pub target: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// Encodes an operation's input, for clients.
pub fn encode_request<O: Op>(input: &O::Input) -> WireRequest {
    let service = O::OPERATION.service();
    let (shape, value) = (O::Input::shape(), input.to_value());
    match service.protocol() {
        Protocol::Json => {
            let mut body = Vec::new();
            json::encode(shape, &value, &mut body);
            WireRequest {
                method: "POST",
                path: "/".to_owned(),
                headers: Vec::new(),
                content_type: JSON_TYPE,
                target: service
                    .target_prefix()
                    .map(|prefix| format!("{prefix}.{}", O::NAME)),
                body,
            }
        }
        Protocol::Query => {
            let mut body = format!("Action={}&Version={}", O::NAME, service.api_version());
            query::encode(shape, &value, "", &mut body);
            WireRequest {
                method: "POST",
                path: "/".to_owned(),
                headers: Vec::new(),
                content_type: "application/x-www-form-urlencoded; charset=utf-8",
                target: None,
                body: body.into_bytes(),
            }
        }
        Protocol::RestJson => {
            let http = O::OPERATION.http().unwrap_or(rest::Http {
                method: "POST",
                uri: "/",
                status: 200,
            });
            let (path, headers, body) = rest::encode(http, shape, value);
            WireRequest {
                method: http.method,
                path,
                headers,
                content_type: REST_TYPE,
                target: None,
                body,
            }
        }
    }
}

/// A response that does not follow the operation's model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot decode the response to `{operation}`: {why}")]
pub struct ResponseError {
    /// The operation that was called.
    pub operation: &'static str,
    /// What is wrong.
    pub why: String,
}

/// Decodes the body of a successful response, for clients.
///
/// # Errors
/// [`ResponseError`] if the body is not the operation's output.
pub fn decode_response<O: Op>(body: &[u8]) -> Result<O::Output, ResponseError> {
    let error = |why: String| ResponseError {
        operation: O::NAME,
        why,
    };
    let shape = O::Output::shape();
    match O::OPERATION.service().protocol() {
        Protocol::Json | Protocol::RestJson => {
            let value = json::decode(shape, body).map_err(error)?;
            O::Output::from_value(value).map_err(|m| error(m.to_string()))
        }
        Protocol::Query => {
            let top = Element::parse(body).ok_or_else(|| error("not XML".to_owned()))?;
            if top.name != format!("{}Response", O::NAME) {
                return Err(error(format!("unexpected element `{}`", top.name)));
            }
            let result = match top.child(&format!("{}Result", O::NAME)) {
                Some(result) => result.decode(shape),
                None => Some(Value::Structure(vec![None; shape.members().len()])),
            };
            let value = result.ok_or_else(|| error("a value has the wrong type".to_owned()))?;
            O::Output::from_value(value).map_err(|m| error(m.to_string()))
        }
    }
}

/// An error response, as a client sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemoteError {
    /// AWS's error code; empty if the body has none of AWS's formats.
    pub code: String,
    /// The message.
    pub message: String,
}

/// Decodes an error response, for clients. `error_type` is its header `x-amzn-ErrorType`, in which restJson1
/// has the code.
pub fn decode_error(service: Service, error_type: Option<&str>, body: &[u8]) -> RemoteError {
    match service.protocol() {
        Protocol::Json | Protocol::RestJson => {
            let value: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
            let text = |name: &str| value.get(name).and_then(|v| v.as_str()).unwrap_or_default();
            let code = match error_type.filter(|_| service.protocol() == Protocol::RestJson) {
                // `Code:http://…`
                Some(code) => code.split(':').next().unwrap_or_default(),
                None => text("__type"),
            };
            let message = [text("message"), text("Message")].concat();
            RemoteError {
                // Some services prefix a namespace: `com.amazon…#Code`.
                code: code.rsplit('#').next().unwrap_or_default().to_owned(),
                message,
            }
        }
        Protocol::Query => {
            let top = Element::parse(body).unwrap_or_default();
            let text = |name: &str| {
                let found = top.child("Error").and_then(|error| error.child(name));
                found
                    .map(|element| element.text.clone())
                    .unwrap_or_default()
            };
            RemoteError {
                code: text("Code"),
                message: text("Message"),
            }
        }
    }
}

/// An input or output for an audit event: names begin with a lower-case letter, as in CloudTrail's
/// `requestParameters`; secrets are replaced by CloudTrail's placeholder; blobs are left out.
pub fn audit_json<T: Shaped>(value: &T) -> serde_json::Value {
    redacted(T::shape(), &value.to_value())
}

fn redacted(shape: &Shape, value: &Value<'_>) -> serde_json::Value {
    use serde_json::Value as Json;
    match (shape.kind, value) {
        (_, Value::String(text)) => Json::from(&**text),
        (_, Value::Boolean(flag)) => Json::from(*flag),
        (_, Value::Integer(number)) => Json::from(*number),
        (_, Value::Double(number)) => Json::from(*number),
        (_, Value::Timestamp(at)) => Json::from(query::iso8601(*at)),
        (Kind::List(member), Value::List(values)) => {
            values.iter().map(|value| redacted(member, value)).collect()
        }
        (Kind::Map(_, shape), Value::Map(entries)) => entries
            .iter()
            .map(|(key, value)| (key.to_string(), redacted(shape, value)))
            .collect(),
        (Kind::Structure(members), Value::Structure(slots)) => {
            let shown = members.iter().zip(slots).filter_map(|(member, slot)| {
                let value = match slot.as_ref()? {
                    _ if member.sensitive => Json::from("HIDDEN_DUE_TO_SECURITY_REASONS"),
                    Value::Blob(_) => return None,
                    value => redacted(member.shape, value),
                };
                Some((validate::decapitalized(member.name), value))
            });
            shown.collect()
        }
        _ => Json::Null,
    }
}
