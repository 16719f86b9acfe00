//! The texts that a host signs with its key, shared by the host agent and the server.
//!
//! Each part ends with a line feed and no part may hold one, so a text has one reading.

/// How far a host's clock may be from the server's, in seconds. As for SigV4 (IAM User Guide, "Signing AWS
/// API requests": requests must reach AWS within five minutes of their time stamp).
pub const CLOCK_SECONDS_MAX: i64 = 300;

/// The text that proves possession of the private key when a host joins. A host without a name signs an
/// empty line.
///
/// ```
/// # use aws_types::host_proof;
/// assert_eq!(host_proof::join("code", Some("web-1")), "BERTH-HOST-JOIN-V1\ncode\nweb-1\n");
/// ```
#[must_use]
pub fn join(code: &str, host_name: Option<&str>) -> String {
    format!(
        "BERTH-HOST-JOIN-V1\n{code}\n{}\n",
        host_name.unwrap_or_default()
    )
}

/// The text that stands for a signature when a host asks for credentials. The server's id keeps a request
/// to one server from being accepted by another, the time and the nonce from being accepted twice.
///
/// ```
/// # use aws_types::host_proof;
/// let text = host_proof::credentials("5e11", "i-0123456789abcdef0", "2026-11-22T12:00:00Z", "n0nce");
/// assert_eq!(text, "BERTH-HOST-CREDENTIALS-V1\n5e11\ni-0123456789abcdef0\n2026-11-22T12:00:00Z\nn0nce\n");
/// ```
#[must_use]
pub fn credentials(server_id: &str, host_id: &str, timestamp: &str, nonce: &str) -> String {
    format!("BERTH-HOST-CREDENTIALS-V1\n{server_id}\n{host_id}\n{timestamp}\n{nonce}\n")
}
