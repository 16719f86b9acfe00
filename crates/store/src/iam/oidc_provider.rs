//! OIDC providers: what they have besides an entity.

use crate::{Conn, Result, values};

/// An OIDC provider's own columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OidcProvider {
    /// Audiences, in the order in which they were added; a JSON list of strings.
    pub client_ids: String,
    /// SHA-1 digests in hexadecimal digits; a JSON list of strings.
    pub thumbprints: String,
}

/// Adds the columns of an entity.
///
/// # Errors
/// [`crate::Error::Unique`] when it has them.
pub async fn insert(conn: &mut Conn<'_>, entity: i64, new: &OidcProvider) -> Result<()> {
    let sql =
        "INSERT INTO iam_oidc_providers (entity, client_ids, thumbprints) VALUES ($1, $2, $3)";
    let params = values![entity, new.client_ids.as_str(), new.thumbprints.as_str()];
    conn.execute(sql, params).await.map(drop)
}

/// The columns of an entity; none where it is no OIDC provider.
pub async fn find(conn: &mut Conn<'_>, entity: i64) -> Result<Option<OidcProvider>> {
    let sql = "SELECT client_ids, thumbprints FROM iam_oidc_providers WHERE entity = $1";
    let row = conn.fetch_optional(sql, values![entity]).await?;
    let read = |row: crate::Row| {
        Ok(OidcProvider {
            client_ids: row.text(0)?,
            thumbprints: row.text(1)?,
        })
    };
    row.map(read).transpose()
}

/// Replaces the columns of an entity.
pub async fn update(conn: &mut Conn<'_>, entity: i64, new: &OidcProvider) -> Result<()> {
    let sql = "UPDATE iam_oidc_providers SET client_ids = $2, thumbprints = $3 WHERE entity = $1";
    let params = values![entity, new.client_ids.as_str(), new.thumbprints.as_str()];
    conn.execute(sql, params).await.map(drop)
}
