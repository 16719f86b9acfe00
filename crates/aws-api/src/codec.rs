//! Requests and answers as bytes, for servers and clients.

use crate::arns::{self, InvalidArn};
use crate::query::{self, Form};
use crate::shape::{Kind, Shape};
use crate::validate::{self, Violation};
use crate::value::{Shaped, Value};
use crate::xml::{self, Element};
use crate::{CommonError, Op, Operation, Protocol, Service, WireError, ecr, json};

/// A request that can't be read, or that breaks its model's limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// The operation that was asked for.
    pub operation: Operation,
    /// What is wrong with the request.
    pub cause: DecodeCause,
}

/// What can be wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecodeCause {
    /// Its syntax, or a value of another type: `SerializationException`,
    /// `MalformedInput`.
    Malformed(String),
    /// Values outside their limits, each one listed.
    Invalid(Vec<Violation>),
    /// An ARN that is none, or not of the kind that the operation takes.
    InvalidArn(InvalidArn),
}

impl DecodeError {
    /// The error as the operation's service answers it.
    ///
    /// ECR answers `InvalidParameterException`, in its own words, from the
    /// operations that have it and `ValidationException` from the others.
    pub fn wire(&self) -> WireError {
        let protocol = self.operation.service().protocol();
        match (&self.cause, self.operation) {
            (DecodeCause::Malformed(message), _) => {
                CommonError::Malformed.with(protocol, message.clone())
            }
            (DecodeCause::InvalidArn(invalid), operation) => invalid.wire(operation.service()),
            (DecodeCause::Invalid(violations), Operation::Ecr(operation)) => {
                let own = ecr::ErrorCode::InvalidParameter;
                match operation.errors().contains(&own) {
                    true => own.with(validate::ecr_message(violations)),
                    false => CommonError::Validation.with(protocol, validate::message(violations)),
                }
            }
            (DecodeCause::Invalid(violations), Operation::Iam(_)) => {
                CommonError::Validation.with(protocol, validate::iam_message(violations))
            }
            (DecodeCause::Invalid(violations), _) => {
                CommonError::Validation.with(protocol, validate::message(violations))
            }
        }
    }
}

impl std::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.wire().message)
    }
}

impl std::error::Error for DecodeError {}

/// Reads and validates a request's body.
///
/// # Errors
/// [`DecodeError`], which [`DecodeError::wire`] turns into AWS's answer.
pub fn decode_request<O: Op>(body: &[u8]) -> Result<O::Input, DecodeError> {
    match O::OPERATION.service().protocol() {
        Protocol::Json => finish::<O>(json::decode(O::Input::shape(), body)),
        Protocol::Query => decode_form::<O>(&Form::parse(body).map_err(malformed::<O>)?),
    }
}

/// Reads and validates a Query request whose parameters were read already (its
/// `Action` says which operation it is).
///
/// # Errors
/// [`DecodeError`], which [`DecodeError::wire`] turns into AWS's answer.
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

/// An answer, ready for HTTP. `x-amzn-RequestId` is the server's to set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireResponse {
    /// The HTTP status.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// `x-amzn-ErrorType`, in JSON errors.
    pub error_type: Option<&'static str>,
    /// The body.
    pub body: Vec<u8>,
}

const JSON_TYPE: &str = "application/x-amz-json-1.1";
const XML_TYPE: &str = "text/xml";

/// Writes an operation's output as its service answers it. Answers hold secrets
/// (keys, tokens): they are not for logs.
pub fn encode_response<O: Op>(output: &O::Output, request_id: &str) -> WireResponse {
    let service = O::OPERATION.service();
    let (shape, value) = (O::Output::shape(), output.to_value());
    let (content_type, body) = match service.protocol() {
        Protocol::Json => {
            let mut body = Vec::new();
            json::encode(shape, &value, &mut body);
            (JSON_TYPE, body)
        }
        Protocol::Query => {
            let name = O::NAME;
            let body = document(service, &format!("{name}Response"), |out| {
                // An operation without an output has no result element either.
                if !std::ptr::eq(shape, &crate::UNIT) {
                    xml::element(&format!("{name}Result"), out, |out| {
                        xml::encode(shape, &value, out)
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
        status: 200,
        content_type,
        error_type: None,
        body,
    }
}

/// Writes an error as a service answers it.
pub fn encode_error(service: Service, error: &WireError, request_id: &str) -> WireResponse {
    let (content_type, error_type, body) = match service.protocol() {
        Protocol::Json => {
            let mut body = b"{\"__type\":".to_vec();
            json::string(error.code, &mut body);
            body.extend_from_slice(b",\"message\":");
            json::string(&error.message, &mut body);
            for (name, value) in &error.members {
                body.push(b',');
                json::string(name, &mut body);
                body.push(b':');
                body.extend_from_slice(value.to_string().as_bytes());
            }
            body.push(b'}');
            (JSON_TYPE, Some(error.code), body)
        }
        Protocol::Query => {
            let body = document(service, "ErrorResponse", |out| {
                xml::element("Error", out, |out| {
                    xml::element("Type", out, |out| out.push_str(error.fault.as_str()));
                    xml::element("Code", out, |out| xml::escape(error.code, out));
                    xml::element("Message", out, |out| xml::escape(&error.message, out));
                });
                request_id_element(request_id, out);
            });
            (XML_TYPE, None, body)
        }
    };
    WireResponse {
        status: error.status,
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

/// A request, ready to be signed and sent to `/` by POST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireRequest {
    /// `Content-Type`.
    pub content_type: &'static str,
    /// `X-Amz-Target`, in JSON.
    pub target: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// Writes an operation's input as a client does.
pub fn encode_request<O: Op>(input: &O::Input) -> WireRequest {
    let service = O::OPERATION.service();
    let (shape, value) = (O::Input::shape(), input.to_value());
    match service.protocol() {
        Protocol::Json => {
            let mut body = Vec::new();
            json::encode(shape, &value, &mut body);
            WireRequest {
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
                content_type: "application/x-www-form-urlencoded; charset=utf-8",
                target: None,
                body: body.into_bytes(),
            }
        }
    }
}

/// An answer that is not what the operation's model says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer to `{operation}` cannot be read: {why}")]
pub struct ResponseError {
    /// The operation that was called.
    pub operation: &'static str,
    /// What is wrong.
    pub why: String,
}

/// Reads the body of a successful answer, as a client does.
///
/// # Errors
/// [`ResponseError`] where the body is not the operation's output.
pub fn decode_response<O: Op>(body: &[u8]) -> Result<O::Output, ResponseError> {
    let error = |why: String| ResponseError {
        operation: O::NAME,
        why,
    };
    let shape = O::Output::shape();
    match O::OPERATION.service().protocol() {
        Protocol::Json => {
            let value = json::decode(shape, body).map_err(error)?;
            O::Output::from_value(value).map_err(|m| error(m.to_string()))
        }
        Protocol::Query => {
            let top = Element::parse(body).ok_or_else(|| error("it is not XML".to_owned()))?;
            if top.name != format!("{}Response", O::NAME) {
                return Err(error(format!("it is a `{}`", top.name)));
            }
            let result = match top.child(&format!("{}Result", O::NAME)) {
                Some(result) => result.decode(shape),
                None => Some(Value::Structure(vec![None; shape.members().len()])),
            };
            let value = result.ok_or_else(|| error("a value has the wrong form".to_owned()))?;
            O::Output::from_value(value).map_err(|m| error(m.to_string()))
        }
    }
}

/// An error answer as a client sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemoteError {
    /// AWS's error code; empty where the body is none of AWS's forms.
    pub code: String,
    /// The message.
    pub message: String,
}

/// Reads the body of an error answer, as a client does.
pub fn decode_error(service: Service, body: &[u8]) -> RemoteError {
    match service.protocol() {
        Protocol::Json => {
            let value: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
            let text = |name: &str| value.get(name).and_then(|v| v.as_str()).unwrap_or_default();
            let code = text("__type");
            let message = [text("message"), text("Message")].concat();
            RemoteError {
                // Some services put a namespace ahead: `com.amazon…#Code`.
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

/// What an audit event shows of an input or output: names begin with a small
/// letter as in CloudTrail's `requestParameters`, secrets are replaced by
/// CloudTrail's word for them, blobs are left out.
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
