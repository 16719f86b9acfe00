//! Whether credentials of a session still hold.

use store::iam::{access_key, account, entity, login_profile};
use store::{Conn, console};

use crate::AuthError;
use crate::session::ConsoleRef;

/// Refuses credentials of a session of the console that is gone, or whose password or access key is no
/// longer the one that signed in, or whose identity provider is gone.
pub(crate) async fn refuse_ended(
    conn: &mut Conn<'_>,
    console: &ConsoleRef,
) -> Result<(), AuthError> {
    let over = || AuthError::InvalidClientTokenId;
    let row = console::find(conn, &console.id).await?;
    let row = row
        .filter(|row| row.account == console.account)
        .ok_or_else(over)?;
    if let Some(id) = &row.access_key_id {
        let key = access_key::find(conn, id).await?;
        key.filter(|key| key.active && key.account == row.account)
            .ok_or_else(over)?;
    }
    if let Some(id) = &row.provider {
        let provider = entity::find_by_unique_id(conn, id).await?;
        provider.ok_or_else(over)?;
    }
    if row.principal == row.account {
        // Before the account's recovery ended the root user's sessions.
        let from = account::root_sessions_from(conn, &row.account).await?;
        return match from.is_some_and(|from| row.created_at < from) {
            true => Err(over()),
            false => Ok(()),
        };
    }
    let principal = entity::find_by_unique_id(conn, &row.principal).await?;
    let principal = principal.ok_or_else(over)?;
    if let Some(changed_at) = row.password_changed_at {
        let profile = login_profile::find(conn, principal.id).await?;
        profile
            .filter(|profile| profile.changed_at == changed_at)
            .ok_or_else(over)?;
    }
    Ok(())
}
