//! The JSON format of awsQuery responses.
//!
//! The Query services answer XML, and JSON to a client that names `application/json` in `Accept`.
//! `aws-iam-authenticator` relies on it: it asks for JSON and decodes
//! `GetCallerIdentityResponse.GetCallerIdentityResult` (`pkg/token/token.go`).

use crate::json;
use crate::shape::Shape;
use crate::value::Value;
use crate::{UNIT, WireError};

pub(crate) const CONTENT_TYPE: &str = "application/json";

/// How a response is encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResponseFormat {
    /// As the service's protocol says: XML for Query services.
    #[default]
    Native,
    /// JSON. Services that speak JSON anyway are not affected.
    Json,
}

impl ResponseFormat {
    /// The format for the value of an `Accept` header. Only a header that names `application/json`
    /// selects JSON: SDKs for Java and Ruby send `*/*` and XML types, and expect XML.
    ///
    /// ```
    /// use aws_api::ResponseFormat;
    /// assert_eq!(ResponseFormat::from_accept("application/json"), ResponseFormat::Json);
    /// assert_eq!(ResponseFormat::from_accept("*/*"), ResponseFormat::Native);
    /// ```
    pub fn from_accept(accept: &str) -> Self {
        let names_json = accept.split(',').any(|range| {
            let mut parts = range.split(';').map(str::trim);
            let json = parts
                .next()
                .is_some_and(|kind| kind.eq_ignore_ascii_case(CONTENT_TYPE));
            // RFC 9110, section 12.4.2: a weight of 0 means "not acceptable".
            json && !parts.any(|parameter| weight(parameter) == Some(0.0))
        });
        match names_json {
            true => Self::Json,
            false => Self::Native,
        }
    }
}

/// The weight, if the parameter is one (`q=0.5`).
fn weight(parameter: &str) -> Option<f32> {
    let (name, value) = parameter.split_once('=')?;
    name.trim().eq_ignore_ascii_case("q").then_some(())?;
    value.trim().parse().ok()
}

/// `{"GetUserResponse":{"GetUserResult":{…},"ResponseMetadata":{"RequestId":"…"}}}`
pub(crate) fn response(
    operation: &str,
    shape: &'static Shape,
    value: &Value<'_>,
    request_id: &str,
) -> Vec<u8> {
    let mut out = format!("{{\"{operation}Response\":{{").into_bytes();
    // An operation without an output has no result member.
    if !std::ptr::eq(shape, &UNIT) {
        out.extend_from_slice(format!("\"{operation}Result\":").as_bytes());
        json::encode(shape, value, &mut out);
        out.push(b',');
    }
    out.extend_from_slice(b"\"ResponseMetadata\":{\"RequestId\":");
    json::string(request_id, &mut out);
    out.extend_from_slice(b"}}}");
    out
}

/// `{"Error":{"Code":"…","Message":"…","Type":"Sender"},"RequestId":"…"}`
pub(crate) fn error(error: &WireError, request_id: &str) -> Vec<u8> {
    let mut out = b"{\"Error\":{\"Code\":".to_vec();
    json::string(error.code, &mut out);
    out.extend_from_slice(b",\"Message\":");
    json::string(&error.message, &mut out);
    out.extend_from_slice(b",\"Type\":");
    json::string(error.fault.as_str(), &mut out);
    out.extend_from_slice(b"},\"RequestId\":");
    json::string(request_id, &mut out);
    out.push(b'}');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_named_json_type_selects_json() {
        let json = [
            "application/json",
            "Application/JSON; charset=utf-8",
            "text/html, application/json;q=0.5",
            "*/*,application/json",
        ];
        for accept in json {
            let format = ResponseFormat::from_accept(accept);
            assert_eq!(format, ResponseFormat::Json, "{accept}");
        }
        let native = [
            "",
            "*/*",
            "application/*",
            "text/xml",
            "application/json;q=0",
            "application/json; q=0.000",
            "application/jsonp",
            "application/x-amz-json-1.1",
        ];
        for accept in native {
            let format = ResponseFormat::from_accept(accept);
            assert_eq!(format, ResponseFormat::Native, "{accept}");
        }
    }
}
