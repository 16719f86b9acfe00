//! Checks whether the database can be written, by writing to it.

use crate::{Error, Scope, Store, settings};

impl Store {
    /// Writes a row of its own and commits: reading shows neither a full disk nor a database that has
    /// become a standby.
    ///
    /// # Errors
    /// The engine's.
    pub async fn probe_write(&self) -> Result<(), Error> {
        let mut tx = self.write(Scope::System("probe")).await?;
        settings::put(&mut tx.conn(), "write-probe", "written").await?;
        tx.commit().await
    }
}
