//! Signed calls of the AWS APIs.

use aws_api::{
    Op, RemoteError, ResponseError, WireRequest, decode_error, decode_response, encode_request,
};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method, Uri};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use sigv4::{PathStyle, RequestParts, SecretKey, SigError, Signer};

use crate::http::{Error, Http, Request, Response};

/// A key pair, with its token where it is temporary.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The access key's id.
    pub access_key_id: String,
    /// The secret access key.
    pub secret: SecretKey,
    /// The session token of temporary credentials.
    pub session_token: Option<String>,
}

impl Credentials {
    /// Credentials from their texts.
    pub fn new(access_key_id: &str, secret: &str, session_token: Option<&str>) -> Credentials {
        Credentials {
            access_key_id: access_key_id.to_owned(),
            secret: SecretKey::new(secret),
            session_token: session_token.map(str::to_owned),
        }
    }
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The service answered with an error.
    #[error("An error occurred ({}) when calling the {operation} operation: {}", .error.code, .error.message)]
    Service {
        /// The operation's name.
        operation: &'static str,
        /// Code and message.
        error: RemoteError,
        /// The HTTP status.
        status: u16,
    },
    /// The answer cannot be read.
    #[error("the answer of the {operation} operation cannot be read")]
    Answer {
        /// The operation's name.
        operation: &'static str,
        /// The decoder's error.
        #[source]
        source: ResponseError,
    },
    /// The request cannot be signed.
    #[error("the request cannot be signed")]
    Signing(#[from] SigError),
    /// There was no answer.
    #[error(transparent)]
    Http(#[from] Error),
}

/// One caller at one endpoint.
pub struct AwsClient<'a> {
    /// The transport.
    pub http: &'a Http,
    /// Scheme, host and port, without a path.
    pub endpoint: &'a str,
    /// The region of the signature's scope.
    pub region: &'a str,
    /// Who calls.
    pub credentials: &'a Credentials,
}

impl AwsClient<'_> {
    /// Calls an operation. `now` is the signature's time.
    ///
    /// # Errors
    /// [`CallError::Service`] with the service's own error, or why there is no answer.
    pub async fn call<O: Op>(
        &self,
        input: &O::Input,
        now: Timestamp,
    ) -> Result<O::Output, CallError> {
        let service = O::OPERATION.service();
        let wire = encode_request::<O>(input);
        let host = self
            .endpoint
            .parse::<Uri>()
            .ok()
            .and_then(|uri| uri.authority().map(ToString::to_string))
            .ok_or_else(|| Error::Url(self.endpoint.to_owned()))?;
        let mut headers = vec![("content-type", wire.content_type)];
        if let Some(target) = &wire.target {
            headers.push(("x-amz-target", target));
        }
        let own = wire.headers.iter();
        headers.extend(own.map(|(name, value)| (*name, value.as_str())));
        let (path, query) = wire.path.split_once('?').unwrap_or((&wire.path, ""));
        let parts = SignedParts {
            method: wire.method,
            path,
            query,
            host: &host,
            headers: &headers,
            body: &wire.body,
        };
        let scope = (service.signing_name(), self.region);
        let signed = sign_parts(self.credentials, scope, &parts, now)?;
        let mut request = request(self.endpoint, wire)?;
        for (name, value) in signed {
            let mut value = HeaderValue::from_str(&value)
                .map_err(|_| Error::Url("a credential that fits no header".to_owned()))?;
            value.set_sensitive(true);
            request.headers.insert(name, value);
        }
        answer::<O>(self.http.send(request).await?)
    }
}

/// Calls an operation that takes no signature: its input proves the caller.
///
/// # Errors
/// As [`AwsClient::call`].
pub async fn call_unsigned<O: Op>(
    http: &Http,
    endpoint: &str,
    input: &O::Input,
) -> Result<O::Output, CallError> {
    let request = request(endpoint, encode_request::<O>(input))?;
    answer::<O>(http.send(request).await?)
}

/// A request without a signature.
fn request(endpoint: &str, wire: WireRequest) -> Result<Request, Error> {
    let unfit = |what: &str| Error::Url(format!("a parameter that fits no {what}"));
    let method = Method::from_bytes(wire.method.as_bytes()).map_err(|_| unfit("method"))?;
    let mut request = Request::new(method, format!("{endpoint}{}", wire.path))
        .header(CONTENT_TYPE, wire.content_type)
        .body(wire.body);
    if let Some(target) = &wire.target {
        request = request.header(HeaderName::from_static("x-amz-target"), target);
    }
    for (name, value) in wire.headers {
        let value = HeaderValue::from_str(&value).map_err(|_| unfit("header"))?;
        request.headers.insert(HeaderName::from_static(name), value);
    }
    Ok(request)
}

fn answer<O: Op>(response: Response) -> Result<O::Output, CallError> {
    let status = O::OPERATION.http().map_or(200, |http| http.status);
    if response.status != status {
        let error_type = response.header("x-amzn-errortype");
        return Err(CallError::Service {
            operation: O::NAME,
            error: decode_error(O::OPERATION.service(), error_type, &response.body),
            status: response.status.as_u16(),
        });
    }
    decode_response::<O>(&response.body).map_err(|source| CallError::Answer {
        operation: O::NAME,
        source,
    })
}

/// The headers that sign a POST to `/`: `Authorization`, `X-Amz-Date` and, for temporary credentials,
/// `X-Amz-Security-Token`. `headers` are covered by the signature beside `Host`; names in lower case.
///
/// # Errors
/// Those of the signer.
pub fn sign(
    credentials: &Credentials,
    service: &str,
    region: &str,
    host: &str,
    headers: &[(&str, &str)],
    body: &[u8],
    now: Timestamp,
) -> Result<Vec<(HeaderName, String)>, SigError> {
    let parts = SignedParts {
        method: "POST",
        path: "/",
        query: "",
        host,
        headers,
        body,
    };
    sign_parts(credentials, (service, region), &parts, now)
}

/// What a signature covers.
struct SignedParts<'a> {
    method: &'a str,
    path: &'a str,
    query: &'a str,
    host: &'a str,
    /// Names in lower case.
    headers: &'a [(&'a str, &'a str)],
    body: &'a [u8],
}

/// `scope` is the service's signing name and the region.
fn sign_parts(
    credentials: &Credentials,
    (service, region): (&str, &str),
    parts: &SignedParts<'_>,
    now: Timestamp,
) -> Result<Vec<(HeaderName, String)>, SigError> {
    let mut covered: Vec<(&str, &[u8])> = vec![("host", parts.host.as_bytes())];
    covered.extend(
        parts
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_bytes())),
    );
    let signer = Signer {
        access_key_id: &credentials.access_key_id,
        secret: &credentials.secret,
        session_token: credentials.session_token.as_deref(),
        region,
        service,
        now_epoch_seconds: now.as_second(),
        path_style: PathStyle::Standard,
    };
    let digest = aws_types::hex::encode(Sha256::digest(parts.body));
    let parts = RequestParts {
        method: parts.method,
        path: parts.path,
        query: parts.query,
        headers: &covered,
    };
    let signed = signer.sign(&parts, &digest)?;
    let mut made = vec![
        (AUTHORIZATION, signed.authorization),
        (HeaderName::from_static("x-amz-date"), signed.x_amz_date),
    ];
    if let Some(token) = signed.x_amz_security_token {
        made.push((HeaderName::from_static("x-amz-security-token"), token));
    }
    Ok(made)
}
