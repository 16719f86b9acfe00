//! Every bound of the server, in one place (`docs/reference` lists them).
//!
//! A client that stays below all of them is served; one that goes beyond gets an answer that
//! says so, and costs no more than the bound.

use std::time::Duration;

/// Connections open at once over all listeners. When all are taken, a new one replaces one that is idle
/// or unfinished.
pub const CONNECTIONS_MAX: usize = 4096;
/// Files that a connection may hold open: its socket, and the blob that it reads or writes.
pub const FILES_PER_CONNECTION: u64 = 2;
/// Files that are not for connections: the database's, the audit log's, listeners, and a margin.
pub const FILES_RESERVED: u64 = 256;
/// Fewer connections than this are no service.
pub const CONNECTIONS_MIN: usize = 32;

/// The number of connections that fits a limit of open files; none where it is too low to serve.
#[must_use]
pub fn connections_for(files_max: Option<u64>) -> Option<usize> {
    let Some(files_max) = files_max else {
        return Some(CONNECTIONS_MAX);
    };
    let fitting = files_max.saturating_sub(FILES_RESERVED) / FILES_PER_CONNECTION;
    let fitting = usize::try_from(fitting).map_or(CONNECTIONS_MAX, |n| n.min(CONNECTIONS_MAX));
    (fitting >= CONNECTIONS_MIN).then_some(fitting)
}

/// A request's line and headers together, in bytes. A session token is up to 4 KiB, a presigned URL
/// holds one too; 60 KiB leaves room for proxies' headers.
pub const HEADERS_BYTES_MAX: usize = 60 * 1024;
/// How far beyond [`HEADERS_BYTES_MAX`] hyper reads HTTP/1 headers, so that a request that is a little
/// too long is answered in its API's form. Farther, it gets a bare 431.
pub const HEADERS_SLACK_BYTES: usize = 1024;
/// What a connection may send ahead of being handled while no caller is known, in bytes. Most requests'
/// headers are shorter.
pub const HEAD_BYTES_FREE: usize = 8 * 1024;
/// Memory for what goes beyond, over all connections, shared fairly by address.
pub const HEADS_BYTES_MAX: usize = 24 * 1024 * 1024;
/// What a header takes besides its bytes once it is parsed.
pub const HEADER_OVERHEAD_BYTES: usize = 128;
/// Headers of a request, by number.
pub const HEADERS_COUNT_MAX: usize = 128;
/// hyper's read buffer for one connection. Large reads make uploads fast; it grows to this only while a
/// known caller keeps filling it. An upload has up to three at a time: one that is filled, one on its way to the
/// handler and one in its hands. Longer buffers made uploads no faster, and took twice the memory: beyond this
/// length, the allocator's blocks are of a kind that it keeps apart.
pub const READ_BUFFER_BYTES_MAX: usize = 64 * 1024;
/// A request's head is in one buffer while it is read.
const _: () = assert!(HEADERS_BYTES_MAX + HEADERS_SLACK_BYTES < READ_BUFFER_BYTES_MAX);
/// Streams that one HTTP/2 connection may have open.
pub const HTTP2_STREAMS_MAX: u32 = 16;
/// What an HTTP/2 peer may send ahead of being read, per stream and per connection, in bytes.
pub const HTTP2_WINDOW_BYTES: u32 = 1024 * 1024;

/// From accepting a connection, and from the end of a request, to the end of the next headers.
/// Longer than the 60 s that clients keep idle connections for would hold what nobody uses.
pub const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(60);
/// An HTTP/2 connection without a request. Twice this when the client does not answer to the farewell.
pub const HTTP2_IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// A TLS handshake.
pub const TLS_HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(15);
/// The longest wait for a request body's next bytes.
pub const BODY_IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// What a client may go on sending after it was refused, in bytes, so that it hears why.
pub const LINGER_BYTES_MAX: usize = 32 * 1024 * 1024;
/// And for how long.
pub const LINGER_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest wait for a client to take an answer's next bytes.
pub const WRITE_STALL_TIMEOUT: Duration = Duration::from_secs(120);
/// How often the certificate's files are looked at.
pub const TLS_RELOAD_INTERVAL: Duration = Duration::from_secs(10);
/// What running requests are given to finish after SIGTERM.
pub const SHUTDOWN_GRACE: Duration = Duration::from_secs(25);

/// The body of an AWS API call. The largest documents (policies, 10,240 characters, percent-encoded
/// several times over) are far below.
pub const API_BODY_BYTES_MAX: usize = 1024 * 1024;
/// The body of `CreateSAMLProvider` and `UpdateSAMLProvider`: metadata has up to ten million characters,
/// most of which a form writes as they are. Larger ones with many characters that it escapes are refused.
pub const SAML_METADATA_BODY_BYTES_MAX: usize = 28 * 1024 * 1024;
/// The body of `UploadServerCertificate`: a chain has up to 2,097,152 characters, of which a form escapes
/// few; beside it stand a certificate and a key of 16,384 each.
pub const SERVER_CERTIFICATE_BODY_BYTES_MAX: usize = 3 * 1024 * 1024;
/// The body of `UploadLayerPart`: 20 MiB of layer as base64 in JSON, and of `PutImage`: a 4 MiB manifest
/// as an escaped JSON string.
pub const LAYER_PART_BODY_BYTES_MAX: usize = 28 * 1024 * 1024;
/// What is read of a request that carries no signature, or none of a known key, to find its operation's
/// name for the answer and the audit log.
pub const UNSIGNED_BODY_BYTES_MAX: usize = 4 * 1024;
/// And for how long.
pub const UNSIGNED_BODY_TIMEOUT: Duration = Duration::from_secs(5);
/// The same for `AssumeRoleWithWebIdentity` and `AssumeRoleWithSAML`, which are never signed: a SAML
/// response may have 100,000 characters, each of which a form may write as three bytes.
pub const UNSIGNED_TOKEN_BODY_BYTES_MAX: usize = 320 * 1024;
/// Requests of AWS APIs at once whose callers are not known yet; further ones wait.
pub const STRANGERS_MAX: usize = 1024;
/// And for how long.
pub const STRANGERS_TIMEOUT: Duration = Duration::from_secs(10);
/// Access keys that were used with a valid signature and are remembered, by address.
pub const RECENT_KEYS_MAX: usize = 8192;
/// Failed authentications of an address that are answered at once; see [`FAILURE_INTERVAL`].
pub const FAILURES_WITHOUT_DELAY: u32 = 100;
/// Beyond them, one in this time is answered.
pub const FAILURE_INTERVAL: Duration = Duration::from_millis(20);
/// The longest that such an answer waits.
pub const FAILURE_DELAY_MAX: Duration = Duration::from_secs(1);
/// Addresses whose failed authentications are counted.
pub const FAILURE_ADDRESSES_MAX: usize = 4096;
/// The form of `POST /token`: a registry password and scopes.
pub const TOKEN_FORM_BYTES_MAX: usize = 24 * 1024;
/// The body of a call of the console's own routes.
pub const CONSOLE_BODY_BYTES_MAX: usize = 16 * 1024;
/// The body of a return from an identity provider: a SAML response has up to 100,000 characters.
pub const PROVIDER_ANSWER_BYTES_MAX: usize = 128 * 1024;
/// The address that a sign-in leads to, kept in a cookie meanwhile.
pub const SIGN_IN_ADDRESS_BYTES_MAX: usize = 1024;
/// Roles of an account whose trust policies are asked whether they let a provider's user in.
pub const SIGN_IN_ROLES_MAX: usize = 100;
/// Providers whose endpoints for sign-ins are kept.
pub const SIGN_IN_ENDPOINTS_MAX: usize = 256;
/// A name that somebody types to sign in: an account's, an alias, a user's.
pub const SIGN_IN_NAME_BYTES_MAX: usize = 256;
/// Sign-ins by password that an address may fail at once; see [`SIGN_IN_ADDRESS_INTERVAL`].
pub const SIGN_IN_ADDRESS_FAILURES_FREE: u32 = 20;
/// Beyond them, one in this time.
pub const SIGN_IN_ADDRESS_INTERVAL: Duration = Duration::from_secs(3);
/// Sign-ins by password that may fail at once for an account, from whatever addresses; see
/// [`SIGN_IN_ACCOUNT_INTERVAL`].
pub const SIGN_IN_ACCOUNT_FAILURES_FREE: u32 = 200;
/// Beyond them, one in this time.
pub const SIGN_IN_ACCOUNT_INTERVAL: Duration = Duration::from_secs(1);
/// Addresses, and accounts, whose failed sign-ins are counted.
pub const SIGN_IN_COUNTERS_MAX: usize = 4096;
/// Sign-ins that failed are answered at multiples of this time, so that the time does not tell why.
pub const SIGN_IN_REFUSAL_STEP: Duration = Duration::from_millis(400);
/// What of a kept body is not charged: no flood of bodies keeps ordinary API calls waiting.
pub const BODY_BYTES_FREE: usize = 4 * 1024;
/// From a kept body's first byte to its last.
pub const API_BODY_TIMEOUT: Duration = Duration::from_secs(300);
/// How far a kept body may fall behind [`API_BODY_BYTES_PER_SECOND_MIN`]; the longest silence as well.
pub const API_BODY_LAG_MAX: Duration = Duration::from_secs(10);
/// The rate at which a kept body must come. Slower, it would hold memory for longer than it is worth.
pub const API_BODY_BYTES_PER_SECOND_MIN: u64 = 64 * 1024;
/// What of a kept body is charged to [`SMALL_BODIES_BYTES_MAX`]; what goes beyond, to
/// [`LARGE_BODIES_BYTES_MAX`].
pub const SMALL_BODY_BYTES_MAX: usize = 64 * 1024;
/// A document of an identity provider, in bytes.
pub const OUTBOUND_DOCUMENT_BYTES_MAX: usize = 64 * 1024;
/// From resolving an identity provider's name to the last byte of its keys.
pub const OUTBOUND_DOCUMENT_TIMEOUT: Duration = Duration::from_secs(5);
/// From resolving the name of a webhook's target to the head of its answer.
pub const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(10);
/// What is read of its answer, in bytes.
pub const WEBHOOK_ANSWER_BYTES_MAX: usize = 4 * 1024;
/// Targets that a node serves at once.
pub const WEBHOOKS_AT_ONCE: usize = 16;
/// What an upstream registry is given for the head of its answer, and for each part of its body.
pub const UPSTREAM_TIMEOUT: Duration = Duration::from_secs(30);
/// Fetches of such documents at once.
pub const OUTBOUND_CALLS_MAX: usize = 8;
/// Memory for the beginnings of all bodies that are kept whole (API calls, manifests), in bytes. Each is
/// charged twice its length as it arrives.
pub const SMALL_BODIES_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Memory for what goes beyond the beginnings, charged in the same way.
pub const LARGE_BODIES_BYTES_MAX: usize = 128 * 1024 * 1024;
/// The longest wait for room among them.
pub const BODY_ROOM_TIMEOUT: Duration = Duration::from_secs(5);
/// A manifest (OCI Distribution, "Pushing Manifests": a registry should allow 4 MiB).
pub const MANIFEST_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A `docker login` header's longest value: `AWS:` and a password with a session inside, as base64.
pub const BASIC_BYTES_MAX: usize = 16 * 1024;

/// How long the URL of `GetDownloadUrlForLayer` works. AWS's works for about an hour.
pub const DOWNLOAD_URL_LIFETIME: Duration = Duration::from_secs(3600);

/// Audit events waiting to be written.
pub const AUDIT_QUEUE_MAX: usize = 8192;
/// Those of them that may be counted instead of written (reads, refusals), in bytes.
pub const AUDIT_QUEUE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The longest wait for room in the queue; then the event is counted.
pub const AUDIT_ROOM_TIMEOUT: Duration = Duration::from_secs(2);
/// A write to the log that takes longer counts as a failure.
pub const AUDIT_STUCK_TIMEOUT: Duration = Duration::from_secs(5);
/// The log is synced at least this often: what a crash of the machine may cost.
pub const AUDIT_SYNC_INTERVAL: Duration = Duration::from_secs(1);
/// How often the requests of strangers are summarized.
pub const AUDIT_SUMMARY_INTERVAL: Duration = Duration::from_secs(60);
/// Free space on the log's disk below which writes are refused, in bytes, so that the events of what is
/// running still fit.
pub const AUDIT_FREE_BYTES_MIN: u64 = 1024 * 1024;
/// And free space from which on they are taken again.
pub const AUDIT_FREE_BYTES_RESUME: u64 = 8 * 1024 * 1024;
/// Space that is set aside for events of what only takes access away, in bytes: some 2,000 events.
pub const AUDIT_RESERVE_BYTES: u64 = 2 * 1024 * 1024;
/// What must be left of it for another one.
pub const AUDIT_RESERVE_FREE_BYTES_MIN: u64 = 64 * 1024;
/// Free space that layer uploads leave on their disk by default, in bytes.
pub const DISK_RESERVE_BYTES: u64 = 1024 * 1024 * 1024;
/// Space that is set aside beside a database that is a file, in bytes: what SQLite's log grows to before
/// it begins again.
pub const BALLAST_BYTES: u64 = 4 * 1024 * 1024;
/// Request parameters in an audit event, as JSON, in bytes; longer ones are left out and the event says so.
/// CloudTrail's bound is 100 KB.
pub const AUDIT_PARAMETERS_BYTES_MAX: usize = 16 * 1024;
/// A client's header (user agent) or an error's text in an audit event, in characters.
pub const AUDIT_TEXT_CHARS_MAX: usize = 512;
/// A name in an audit event (operation, region, access key), in characters.
pub const AUDIT_NAME_CHARS_MAX: usize = 128;
/// A resource's ARN in an audit event, in characters: IAM's own bound for an ARN.
pub const AUDIT_RESOURCE_CHARS_MAX: usize = 2048;

/// Candidates that a page of `SearchImages` looks at: those that the caller may not see count as well.
pub const SEARCH_CANDIDATES_MAX: usize = 2_000;
/// How long a page of `SearchImages` may take; it then ends where it is.
pub const SEARCH_PAGE_TIME: Duration = Duration::from_millis(200);
/// Steps of indexing that a search waits for; what is left is indexed by the job.
pub const SEARCH_INDEX_STEPS_MAX: usize = 8;

/// How often a node checks the database for other nodes' changes.
pub const CHANGES_POLL_INTERVAL: Duration = Duration::from_millis(500);
/// The longest page of `tags/list` and `_catalog` (ECR's bound for listings).
pub const OCI_PAGE_MAX: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_fit_the_limit_of_open_files() {
        for (files, connections) in [
            (None, Some(CONNECTIONS_MAX)),
            (Some(1_048_576), Some(CONNECTIONS_MAX)),
            (Some(1024), Some(384)),
            (Some(320), Some(32)),
            (Some(319), None),
            (Some(0), None),
        ] {
            assert_eq!(connections_for(files), connections, "{files:?}");
        }
    }
}
