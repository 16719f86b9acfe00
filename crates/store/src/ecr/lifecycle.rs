//! The tables `lifecycle_policies` and `lifecycle_options`, and what a run of a policy reads of images.

use std::collections::HashMap;

use crate::{Conn, Result, Value, values};

/// The kind of the jobs that run policies. A job's subject is the repository's id.
pub const RUN_JOB: &str = "lifecycle";

/// A repository's lifecycle policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// As it was given.
    pub text: String,
    /// The policy's id.
    pub id: String,
    /// Grows with each change.
    pub version: i64,
    /// When it was last run.
    pub evaluated_at: Option<i64>,
}

/// The policy of a repository.
///
/// # Errors
/// The engine's.
pub async fn policy(conn: &mut Conn<'_>, repository_id: i64) -> Result<Option<Policy>> {
    conn.fetch_optional(
        "SELECT policy, policy_id, version, evaluated_at FROM lifecycle_policies \
         WHERE repository_id = $1",
        values![repository_id],
    )
    .await?
    .map(|row| {
        Ok(Policy {
            text: row.text(0)?,
            id: row.text(1)?,
            version: row.int(2)?,
            evaluated_at: row.opt_int(3)?,
        })
    })
    .transpose()
}

/// Sets the policy of a repository; `id` is for one that has none.
///
/// # Errors
/// [`crate::Error::ForeignKey`] when the repository is gone.
pub async fn put_policy(
    conn: &mut Conn<'_>,
    repository_id: i64,
    text: &str,
    id: &str,
) -> Result<()> {
    conn.execute(
        "INSERT INTO lifecycle_policies (repository_id, policy, policy_id, version) \
         VALUES ($1, $2, $3, 1) ON CONFLICT (repository_id) DO UPDATE SET \
         policy = excluded.policy, version = lifecycle_policies.version + 1",
        values![repository_id, text, id],
    )
    .await
    .map(drop)
}

/// Removes the policy of a repository.
///
/// # Errors
/// The engine's.
pub async fn delete_policy(conn: &mut Conn<'_>, repository_id: i64) -> Result<()> {
    conn.execute(
        "DELETE FROM lifecycle_policies WHERE repository_id = $1",
        values![repository_id],
    )
    .await
    .map(drop)
}

/// Notes a run of the policy.
///
/// # Errors
/// The engine's.
pub async fn set_evaluated(conn: &mut Conn<'_>, repository_id: i64, now: i64) -> Result<()> {
    conn.execute(
        "UPDATE lifecycle_policies SET evaluated_at = $2 WHERE repository_id = $1",
        values![repository_id, now],
    )
    .await
    .map(drop)
}

/// Asks for a run at `run_at` at the latest, where the repository has a policy. A run that is due earlier
/// stays as it is; one that goes on now finds the time with [`requested_run`].
///
/// # Errors
/// The engine's.
pub async fn request_run(conn: &mut Conn<'_>, repository_id: i64, run_at: i64) -> Result<()> {
    conn.execute(
        "INSERT INTO jobs (kind, subject, payload, revision, run_at, failures) \
         SELECT 'lifecycle', $2, $4, 1, $3, 0 FROM lifecycle_policies WHERE repository_id = $1 \
         ON CONFLICT (kind, subject) DO UPDATE SET payload = excluded.payload, \
         run_at = CASE WHEN jobs.run_at < excluded.run_at THEN jobs.run_at ELSE excluded.run_at END \
         WHERE jobs.run_at > excluded.run_at OR jobs.lease_holder IS NOT NULL",
        values![
            repository_id,
            repository_id.to_string(),
            run_at,
            run_at.to_string()
        ],
    )
    .await
    .map(drop)
}

/// The last time that [`request_run`] asked for; `None` when nothing did.
///
/// # Errors
/// The engine's.
pub async fn requested_run(conn: &mut Conn<'_>, repository_id: i64) -> Result<Option<i64>> {
    let row = conn
        .fetch_optional(
            "SELECT payload FROM jobs WHERE kind = 'lifecycle' AND subject = $1",
            values![repository_id.to_string()],
        )
        .await?;
    match row {
        Some(row) => Ok(row.text(0)?.parse().ok()),
        None => Ok(None),
    }
}

/// What Berth adds to the policy of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Images that were pulled in the last days do not expire.
    pub pulled_within_days: Option<i64>,
    /// One a line.
    pub protected_tag_patterns: String,
    /// Runs say what they would do.
    pub dry_run: bool,
}

/// The options of a repository; the default ones where none are set.
///
/// # Errors
/// The engine's.
pub async fn options(conn: &mut Conn<'_>, repository_id: i64) -> Result<Options> {
    let row = conn
        .fetch_optional(
            "SELECT pulled_within_days, protected_tag_patterns, dry_run FROM lifecycle_options \
             WHERE repository_id = $1",
            values![repository_id],
        )
        .await?;
    match row {
        None => Ok(Options::default()),
        Some(row) => Ok(Options {
            pulled_within_days: row.opt_int(0)?,
            protected_tag_patterns: row.text(1)?,
            dry_run: row.flag(2)?,
        }),
    }
}

/// Sets the options of a repository.
///
/// # Errors
/// [`crate::Error::ForeignKey`] when the repository is gone.
pub async fn put_options(conn: &mut Conn<'_>, repository_id: i64, options: &Options) -> Result<()> {
    conn.execute(
        "INSERT INTO lifecycle_options \
         (repository_id, pulled_within_days, protected_tag_patterns, dry_run) \
         VALUES ($1, $2, $3, $4) ON CONFLICT (repository_id) DO UPDATE SET \
         pulled_within_days = excluded.pulled_within_days, \
         protected_tag_patterns = excluded.protected_tag_patterns, dry_run = excluded.dry_run",
        values![
            repository_id,
            options.pulled_within_days,
            &options.protected_tag_patterns,
            options.dry_run,
        ],
    )
    .await
    .map(drop)
}

/// What a rule may ask of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The row's id.
    pub id: i64,
    /// Milliseconds since the epoch.
    pub pushed_at: i64,
    /// When a pull was last recorded.
    pub pulled_at: Option<i64>,
    /// `ACTIVE`, `ARCHIVED`, `ACTIVATING`.
    pub status: String,
    /// When it was last archived.
    pub archived_at: Option<i64>,
    /// When it was last restored.
    pub activated_at: Option<i64>,
    /// A list of the repository names it.
    pub is_held: bool,
}

/// At most `limit` images of a repository after the id `after`, in the order of their ids.
///
/// # Errors
/// The engine's.
pub async fn facts(
    conn: &mut Conn<'_>,
    repository_id: i64,
    after: i64,
    limit: i64,
) -> Result<Vec<Facts>> {
    conn.fetch_all(
        "SELECT i.id, i.pushed_at, i.pulled_at, i.status, i.archived_at, i.activated_at, \
         (SELECT MIN(c.image_id) FROM image_children c \
         WHERE c.repository_id = i.repository_id AND c.digest = i.digest) \
         FROM images i WHERE i.repository_id = $1 AND i.id > $2 ORDER BY i.id LIMIT $3",
        values![repository_id, after, limit],
    )
    .await?
    .iter()
    .map(|row| {
        Ok(Facts {
            id: row.int(0)?,
            pushed_at: row.int(1)?,
            pulled_at: row.opt_int(2)?,
            status: row.text(3)?,
            archived_at: row.opt_int(4)?,
            activated_at: row.opt_int(5)?,
            is_held: row.opt_int(6)?.is_some(),
        })
    })
    .collect()
}

/// An image when a run acts on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Current {
    /// Its digest.
    pub digest: String,
    /// Milliseconds since the epoch.
    pub pushed_at: i64,
    /// When a pull was last recorded.
    pub pulled_at: Option<i64>,
    /// `ACTIVE`, `ARCHIVED`, `ACTIVATING`.
    pub status: String,
    /// A list of the repository names it.
    pub is_held: bool,
    /// Its tags in their order.
    pub tags: Vec<String>,
}

/// The images of a repository that have these ids, by their ids. Reads 16 at once: few statements, each of which
/// the engine knows already.
///
/// # Errors
/// The engine's.
pub async fn current(
    conn: &mut Conn<'_>,
    repository_id: i64,
    ids: &[i64],
) -> Result<HashMap<i64, Current>> {
    let mut found = HashMap::new();
    for chunk in ids.chunks(16) {
        let mut params: Vec<Value> = chunk.iter().copied().map(Value::from).collect();
        params.resize(16, Value::from(0_i64));
        params.push(Value::from(repository_id));
        let rows = conn
            .fetch_all(
                "SELECT i.id, i.digest, i.pushed_at, i.pulled_at, i.status, \
                 (SELECT MIN(c.image_id) FROM image_children c \
                 WHERE c.repository_id = i.repository_id AND c.digest = i.digest) \
                 FROM images i WHERE i.id IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, \
                 $12, $13, $14, $15, $16) AND i.repository_id = $17",
                params.clone(),
            )
            .await?;
        for row in &rows {
            let image = Current {
                digest: row.text(1)?,
                pushed_at: row.int(2)?,
                pulled_at: row.opt_int(3)?,
                status: row.text(4)?,
                is_held: row.opt_int(5)?.is_some(),
                tags: Vec::new(),
            };
            found.insert(row.int(0)?, image);
        }
        params.truncate(16);
        let rows = conn
            .fetch_all(
                "SELECT image_id, tag FROM image_tags WHERE image_id IN ($1, $2, $3, $4, $5, \
                 $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) ORDER BY image_id, tag",
                params,
            )
            .await?;
        for row in &rows {
            if let Some(image) = found.get_mut(&row.int(0)?) {
                image.tags.push(row.text(1)?);
            }
        }
    }
    Ok(found)
}
