//! The table `replication_peers`: destinations of replication that are registries of other servers.

use crate::{Conn, Result, Row, values};

/// The kind of the jobs that repeat changes at peers; their subjects are those of [`super::replication::JOB`].
pub const JOB: &str = "replicate-to-peer";
/// The kind of the jobs that read the pull times of replicas: one for each peer. A job's subject is the account and
/// the region of the source, and those of the destination.
pub const PULL_TIMES_JOB: &str = "replica-pull-times";

/// A peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The account of the source.
    pub account: String,
    /// The region of the source.
    pub region: String,
    /// `account region`.
    pub destination: String,
    /// Scheme, host and port.
    pub endpoint: String,
    /// The id of the access key.
    pub access_key_id: String,
    /// Its secret, sealed.
    pub secret: Vec<u8>,
    /// PEM.
    pub certificate_authority: Option<String>,
    /// Milliseconds since the epoch.
    pub created_at: i64,
    /// Milliseconds since the epoch.
    pub updated_at: i64,
    /// When it last did what it was asked.
    pub last_success_at: Option<i64>,
    /// When it last did not.
    pub last_failure_at: Option<i64>,
    /// Why.
    pub last_failure: Option<String>,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT account, region, destination, endpoint, access_key_id, secret, ",
            "certificate_authority, created_at, updated_at, last_success_at, last_failure_at, ",
            "last_failure FROM replication_peers ",
            $rest
        )
    };
}

fn peer(row: &Row) -> Result<Peer> {
    Ok(Peer {
        account: row.text(0)?,
        region: row.text(1)?,
        destination: row.text(2)?,
        endpoint: row.text(3)?,
        access_key_id: row.text(4)?,
        secret: row.bytes(5)?,
        certificate_authority: row.opt_text(6)?,
        created_at: row.int(7)?,
        updated_at: row.int(8)?,
        last_success_at: row.opt_int(9)?,
        last_failure_at: row.opt_int(10)?,
        last_failure: row.opt_text(11)?,
    })
}

/// The peers of a registry, by destination. Their number is bounded when they are made.
///
/// # Errors
/// The engine's.
pub async fn list(conn: &mut Conn<'_>, account: &str, region: &str) -> Result<Vec<Peer>> {
    conn.fetch_all(
        select!("WHERE account = $1 AND region = $2 ORDER BY destination"),
        values![account, region],
    )
    .await?
    .iter()
    .map(peer)
    .collect()
}

/// The peer of a destination.
///
/// # Errors
/// The engine's.
pub async fn find(
    conn: &mut Conn<'_>,
    account: &str,
    region: &str,
    destination: &str,
) -> Result<Option<Peer>> {
    conn.fetch_optional(
        select!("WHERE account = $1 AND region = $2 AND destination = $3"),
        values![account, region, destination],
    )
    .await?
    .as_ref()
    .map(peer)
    .transpose()
}

/// Adds a peer, or replaces the one of its destination. What it did last is forgotten.
///
/// # Errors
/// The engine's.
pub async fn put(conn: &mut Conn<'_>, new: &Peer) -> Result<()> {
    conn.execute(
        "INSERT INTO replication_peers (account, region, destination, endpoint, access_key_id, \
         secret, certificate_authority, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
         ON CONFLICT (account, region, destination) DO UPDATE SET endpoint = excluded.endpoint, \
         access_key_id = excluded.access_key_id, secret = excluded.secret, \
         certificate_authority = excluded.certificate_authority, \
         updated_at = excluded.updated_at, last_success_at = NULL, last_failure_at = NULL, \
         last_failure = NULL",
        values![
            &new.account,
            &new.region,
            &new.destination,
            &new.endpoint,
            &new.access_key_id,
            new.secret.clone(),
            new.certificate_authority.clone(),
            new.created_at,
            new.updated_at,
        ],
    )
    .await
    .map(drop)
}

/// Removes one; false when there is none.
///
/// # Errors
/// The engine's.
pub async fn delete(
    conn: &mut Conn<'_>,
    account: &str,
    region: &str,
    destination: &str,
) -> Result<bool> {
    let gone = conn
        .execute(
            "DELETE FROM replication_peers WHERE account = $1 AND region = $2 AND destination = $3",
            values![account, region, destination],
        )
        .await?;
    Ok(gone == 1)
}

/// Notes that a peer did what it was asked, or why not.
///
/// # Errors
/// The engine's.
pub async fn note(
    conn: &mut Conn<'_>,
    (account, region, destination): (&str, &str, &str),
    failure: Option<&str>,
    now: i64,
) -> Result<()> {
    let sql = match failure {
        None => {
            "UPDATE replication_peers SET last_success_at = $4 \
             WHERE account = $1 AND region = $2 AND destination = $3 AND $5 = ''"
        }
        Some(_) => {
            "UPDATE replication_peers SET last_failure_at = $4, last_failure = $5 \
             WHERE account = $1 AND region = $2 AND destination = $3"
        }
    };
    let failure = failure.unwrap_or_default();
    conn.execute(sql, values![account, region, destination, now, failure])
        .await
        .map(drop)
}

/// How many changes wait to be repeated at a destination, up to `limit`.
///
/// # Errors
/// The engine's.
pub async fn waiting(
    conn: &mut Conn<'_>,
    (account, region, destination): (&str, &str, &str),
    limit: i64,
) -> Result<i64> {
    conn.fetch_one(
        "SELECT COUNT(*) FROM (SELECT t.id FROM replication_tasks t \
         JOIN repositories r ON r.id = t.repository_id \
         WHERE t.destination = $3 AND r.account = $1 AND r.region = $2 LIMIT $4) AS waiting",
        values![account, region, destination, limit],
    )
    .await?
    .int(0)
}

/// Counts a pull of a replica elsewhere as a pull of the image; an older time changes nothing.
///
/// # Errors
/// The engine's.
pub async fn record_pull(
    conn: &mut Conn<'_>,
    repository_id: i64,
    digest: &str,
    pulled_at: i64,
) -> Result<bool> {
    let changed = conn
        .execute(
            "UPDATE images SET pulled_at = $3 WHERE repository_id = $1 AND digest = $2 \
             AND (pulled_at IS NULL OR pulled_at < $3)",
            values![repository_id, digest, pulled_at],
        )
        .await?;
    Ok(changed > 0)
}

/// Puts the tasks of a repository and a destination off, since the destination does not answer.
///
/// # Errors
/// The engine's.
pub async fn put_off(
    conn: &mut Conn<'_>,
    repository_id: i64,
    destination: &str,
    due_at: i64,
) -> Result<()> {
    conn.execute(
        "UPDATE replication_tasks SET due_at = $3 \
         WHERE repository_id = $1 AND destination = $2 AND due_at < $3",
        values![repository_id, destination, due_at],
    )
    .await
    .map(drop)
}
