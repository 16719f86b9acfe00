//! Whether the database can be written, found out by writing.

use crate::{Error, Scope, Store, values};

impl Store {
    /// Writes a row of its own and commits: reading shows neither a full disk nor a database that has
    /// become a standby.
    ///
    /// # Errors
    /// The engine's.
    pub async fn probe_write(&self) -> Result<(), Error> {
        let mut tx = self.write(Scope::System("probe")).await?;
        tx.execute(
            "INSERT INTO settings (name, value) VALUES ($1, $2) \
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            values!["write-probe", "written"],
        )
        .await?;
        tx.commit().await
    }
}
