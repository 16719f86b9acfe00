//! The answer of a `credential_process` (AWS SDKs and Tools Reference Guide, "Process credential provider").

use serde_json::json;

use crate::upstream::Issued;

/// The JSON that goes to standard output.
#[must_use]
pub fn document(issued: &Issued) -> String {
    let expiration = aws_types::time::iso8601(issued.expires_at);
    json!({
        "Version": 1,
        "AccessKeyId": issued.access_key_id,
        "SecretAccessKey": *issued.secret,
        "SessionToken": *issued.token,
        "Expiration": expiration,
    })
    .to_string()
}
