//! Hosts with a role: hosts, their tags and nonces, and invitations.
//!
//! Every write here belongs in a transaction of the account's scope.

use crate::{Conn, Result, Row, values};

/// A host that joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// `i-` and 17 hexadecimal digits.
    pub id: String,
    /// Twelve digits.
    pub account: String,
    /// The region that the invitation was made in.
    pub region: String,
    /// The name that the host gave.
    pub name: Option<String>,
    /// The unique id of the instance profile.
    pub profile: String,
    /// The profile's ARN when the host joined.
    pub profile_arn: String,
    /// P-256, as an uncompressed point.
    pub public_key: Vec<u8>,
    /// Milliseconds since the epoch.
    pub joined_at: i64,
    /// When it last got credentials.
    pub last_seen_at: Option<i64>,
    /// When it was revoked.
    pub revoked_at: Option<i64>,
}

/// The right to join, of which only a hash of the code is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// `inv-` and 17 hexadecimal digits.
    pub id: String,
    /// Twelve digits.
    pub account: String,
    /// The region of the host that joins.
    pub region: String,
    /// SHA-256 of the code.
    pub code_hash: Vec<u8>,
    /// The unique id of the instance profile.
    pub profile: String,
    /// The only host name that may use it.
    pub host_name: Option<String>,
    /// The tags of the host that joins, in the caller's form.
    pub tags: String,
    /// Milliseconds since the epoch.
    pub expires_at: i64,
    /// When it was used.
    pub used_at: Option<i64>,
}

macro_rules! host_columns {
    () => {
        "id, account, region, name, profile, profile_arn, public_key, joined_at, last_seen_at, revoked_at"
    };
}

fn host(row: &Row) -> Result<Host> {
    Ok(Host {
        id: row.text(0)?,
        account: row.text(1)?,
        region: row.text(2)?,
        name: row.opt_text(3)?,
        profile: row.text(4)?,
        profile_arn: row.text(5)?,
        public_key: row.bytes(6)?,
        joined_at: row.int(7)?,
        last_seen_at: row.opt_int(8)?,
        revoked_at: row.opt_int(9)?,
    })
}

/// Adds a host.
///
/// # Errors
/// [`crate::Error::Unique`] when the id is taken: draw another.
pub async fn insert(conn: &mut Conn<'_>, host: &Host) -> Result<()> {
    let sql = concat!(
        "INSERT INTO hosts (",
        host_columns!(),
        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
    );
    let params = values![
        &host.id,
        &host.account,
        &host.region,
        host.name.as_deref(),
        &host.profile,
        &host.profile_arn,
        &host.public_key[..],
        host.joined_at,
        host.last_seen_at,
        host.revoked_at
    ];
    conn.execute(sql, params).await.map(drop)
}

/// The host of this id, of any account.
///
/// # Errors
/// The engine's.
pub async fn find(conn: &mut Conn<'_>, id: &str) -> Result<Option<Host>> {
    let sql = concat!("SELECT ", host_columns!(), " FROM hosts WHERE id = $1");
    let row = conn.fetch_optional(sql, values![id]).await?;
    row.as_ref().map(host).transpose()
}

/// At most `limit` hosts of an account and region whose id comes after `after`, in the order of their
/// ids.
///
/// # Errors
/// The engine's.
pub async fn list(
    conn: &mut Conn<'_>,
    account: &str,
    region: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<Host>> {
    let sql = concat!(
        "SELECT ",
        host_columns!(),
        " FROM hosts WHERE account = $1 AND region = $2 AND id > $3 ORDER BY id LIMIT $4"
    );
    let rows = conn
        .fetch_all(sql, values![account, region, after, limit])
        .await?;
    rows.iter().map(host).collect()
}

/// How many hosts of the account, in all regions, are not revoked.
///
/// # Errors
/// The engine's.
pub async fn count_active(conn: &mut Conn<'_>, account: &str) -> Result<i64> {
    let sql = "SELECT count(*) FROM hosts WHERE account = $1 AND revoked_at IS NULL";
    conn.fetch_one(sql, values![account]).await?.int(0)
}

/// Notes when the host got credentials.
///
/// # Errors
/// The engine's.
pub async fn set_last_seen(conn: &mut Conn<'_>, id: &str, at: i64) -> Result<()> {
    let sql = "UPDATE hosts SET last_seen_at = $2 WHERE id = $1";
    conn.execute(sql, values![id, at]).await.map(drop)
}

/// Revokes a host; the first time counts.
///
/// # Errors
/// The engine's.
pub async fn revoke(conn: &mut Conn<'_>, id: &str, at: i64) -> Result<()> {
    let sql = "UPDATE hosts SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
    conn.execute(sql, values![id, at]).await.map(drop)
}

/// Removes the account's hosts that were revoked before `before`, with their tags and nonces.
///
/// # Errors
/// The engine's.
pub async fn forget_revoked(conn: &mut Conn<'_>, account: &str, before: i64) -> Result<()> {
    let sql = "DELETE FROM hosts WHERE account = $1 AND revoked_at < $2";
    conn.execute(sql, values![account, before]).await.map(drop)
}

/// The host's tags in the order of their keys, byte by byte.
///
/// # Errors
/// The engine's.
pub async fn tags(conn: &mut Conn<'_>, host: &str) -> Result<Vec<(String, String)>> {
    let sql = "SELECT key, value FROM host_tags WHERE host = $1 ORDER BY key";
    let rows = conn.fetch_all(sql, values![host]).await?;
    rows.iter()
        .map(|row| Ok((row.text(0)?, row.text(1)?)))
        .collect()
}

/// Sets a tag; one of the same key is replaced.
///
/// # Errors
/// The engine's.
pub async fn put_tag(conn: &mut Conn<'_>, host: &str, key: &str, value: &str) -> Result<()> {
    let sql = "INSERT INTO host_tags (host, key, value) VALUES ($1, $2, $3) \
               ON CONFLICT (host, key) DO UPDATE SET value = excluded.value";
    conn.execute(sql, values![host, key, value]).await.map(drop)
}

/// Removes a tag, if it is there.
///
/// # Errors
/// The engine's.
pub async fn delete_tag(conn: &mut Conn<'_>, host: &str, key: &str) -> Result<()> {
    let sql = "DELETE FROM host_tags WHERE host = $1 AND key = $2";
    conn.execute(sql, values![host, key]).await.map(drop)
}

/// Notes that the host used a nonce, and forgets those whose time is over; `false` when it was used
/// before.
///
/// # Errors
/// The engine's.
pub async fn use_nonce(
    conn: &mut Conn<'_>,
    host: &str,
    nonce: &str,
    expires_at: i64,
    now: i64,
) -> Result<bool> {
    let sql = "DELETE FROM host_nonces WHERE host = $1 AND expires_at < $2";
    conn.execute(sql, values![host, now]).await?;
    let sql = "INSERT INTO host_nonces (host, nonce, expires_at) VALUES ($1, $2, $3) \
               ON CONFLICT (host, nonce) DO NOTHING";
    Ok(conn.execute(sql, values![host, nonce, expires_at]).await? == 1)
}

/// How many nonces of the host are noted.
///
/// # Errors
/// The engine's.
pub async fn count_nonces(conn: &mut Conn<'_>, host: &str) -> Result<i64> {
    let sql = "SELECT count(*) FROM host_nonces WHERE host = $1";
    conn.fetch_one(sql, values![host]).await?.int(0)
}

macro_rules! invitation_columns {
    () => {
        "id, account, region, code_hash, profile, host_name, tags, expires_at, used_at"
    };
}

fn invitation(row: &Row) -> Result<Invitation> {
    Ok(Invitation {
        id: row.text(0)?,
        account: row.text(1)?,
        region: row.text(2)?,
        code_hash: row.bytes(3)?,
        profile: row.text(4)?,
        host_name: row.opt_text(5)?,
        tags: row.text(6)?,
        expires_at: row.int(7)?,
        used_at: row.opt_int(8)?,
    })
}

/// Adds an invitation.
///
/// # Errors
/// [`crate::Error::Unique`] when its id is taken: draw another.
pub async fn insert_invitation(conn: &mut Conn<'_>, new: &Invitation) -> Result<()> {
    let sql = concat!(
        "INSERT INTO host_invitations (",
        invitation_columns!(),
        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
    );
    let params = values![
        &new.id,
        &new.account,
        &new.region,
        &new.code_hash[..],
        &new.profile,
        new.host_name.as_deref(),
        &new.tags,
        new.expires_at,
        new.used_at
    ];
    conn.execute(sql, params).await.map(drop)
}

/// The invitation whose code has this hash.
///
/// # Errors
/// The engine's.
pub async fn find_invitation(conn: &mut Conn<'_>, code_hash: &[u8]) -> Result<Option<Invitation>> {
    let sql = concat!(
        "SELECT ",
        invitation_columns!(),
        " FROM host_invitations WHERE code_hash = $1"
    );
    let row = conn.fetch_optional(sql, values![code_hash]).await?;
    row.as_ref().map(invitation).transpose()
}

/// Uses an invitation; `false` when it was used before or its time is over.
///
/// # Errors
/// The engine's.
pub async fn use_invitation(conn: &mut Conn<'_>, id: &str, now: i64) -> Result<bool> {
    let sql = "UPDATE host_invitations SET used_at = $2 \
               WHERE id = $1 AND used_at IS NULL AND expires_at > $2";
    Ok(conn.execute(sql, values![id, now]).await? == 1)
}

/// How many invitations of the account can be used.
///
/// # Errors
/// The engine's.
pub async fn count_invitations(conn: &mut Conn<'_>, account: &str, now: i64) -> Result<i64> {
    let sql = "SELECT count(*) FROM host_invitations \
               WHERE account = $1 AND expires_at > $2 AND used_at IS NULL";
    conn.fetch_one(sql, values![account, now]).await?.int(0)
}

/// Removes the account's invitations that expired before `before`.
///
/// # Errors
/// The engine's.
pub async fn forget_invitations(conn: &mut Conn<'_>, account: &str, before: i64) -> Result<()> {
    let sql = "DELETE FROM host_invitations WHERE account = $1 AND expires_at < $2";
    conn.execute(sql, values![account, before]).await.map(drop)
}
