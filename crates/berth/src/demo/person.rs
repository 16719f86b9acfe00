//! Somebody with credentials, who calls the AWS APIs as the AWS CLI does.

use std::net::SocketAddr;

use aws_api::{Op, decode_error, decode_response, encode_request};
use aws_types::Region;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use sigv4::{PathStyle, RequestParts, SecretKey, Signer};

use super::http::{self, Request, Response};

/// What a client shows when it did not get what it asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandError(pub String);

/// One identity and its credentials.
#[derive(Clone, Debug)]
pub struct Person {
    pub name: &'static str,
    pub address: SocketAddr,
    pub region: Region,
    pub access_key_id: String,
    pub secret: SecretKey,
    pub session_token: Option<String>,
}

impl Person {
    /// Calls an operation.
    pub fn call<O: Op>(&self, input: &O::Input) -> Result<O::Output, CommandError> {
        let service = O::OPERATION.service();
        let wire = encode_request::<O>(input);
        let host = self.address.to_string();
        let mut headers = vec![("content-type", wire.content_type)];
        if let Some(target) = &wire.target {
            headers.push(("x-amz-target", target));
        }
        let mut covered: Vec<(&str, &[u8])> = vec![("host", host.as_bytes())];
        covered.extend(
            headers
                .iter()
                .map(|(name, value)| (*name, value.as_bytes())),
        );
        let signer = Signer {
            access_key_id: &self.access_key_id,
            secret: &self.secret,
            session_token: self.session_token.as_deref(),
            region: self.region.as_str(),
            service: service.signing_name(),
            now_epoch_seconds: Timestamp::now().as_second(),
            path_style: PathStyle::Standard,
        };
        let parts = RequestParts {
            method: "POST",
            path: "/",
            query: "",
            headers: &covered,
        };
        let signed = signer
            .sign(&parts, &aws_types::hex::encode(Sha256::digest(&wire.body)))
            .map_err(|error| CommandError(format!("Unable to sign the request: {error}")))?;
        headers.push(("authorization", &signed.authorization));
        headers.push(("x-amz-date", &signed.x_amz_date));
        if let Some(token) = &signed.x_amz_security_token {
            headers.push(("x-amz-security-token", token));
        }
        let request = Request {
            method: "POST",
            target: "/",
            headers: &headers,
            body: &wire.body,
        };
        let response = http::send(self.address, &request, |_| {})
            .map_err(|error| CommandError(format!("Could not connect to the endpoint: {error}")))?;
        answer::<O>(&response)
    }
}

/// The output, or the error in the AWS CLI's words.
fn answer<O: Op>(response: &Response) -> Result<O::Output, CommandError> {
    if response.status == 200 {
        return decode_response::<O>(&response.body)
            .map_err(|error| CommandError(error.to_string()));
    }
    let error = decode_error(O::OPERATION.service(), &response.body);
    Err(CommandError(format!(
        "An error occurred ({}) when calling the {} operation: {}",
        error.code,
        O::NAME,
        error.message
    )))
}
