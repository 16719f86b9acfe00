//! The read-only mode of the server and of repositories.

use store::ecr::repository;
use store::{Scope, Topic, settings};

use crate::cache::Change;
use crate::{Authorized, Error, Registry, RepositoryFacts, StoredMode};

/// The setting that holds the server's mode.
const SETTING: &str = "read_only_mode";
/// Changes of the server's mode come one after the other.
const SCOPE: Scope<'static> = Scope::System("read-only-mode");

impl Registry {
    /// The read-only mode of the whole server, from the database.
    ///
    /// # Errors
    /// The store's.
    pub async fn server_mode(&self) -> Result<StoredMode, Error> {
        let mut read = self.0.store.read().await?;
        let text = settings::get(&mut read.conn(), SETTING).await?;
        StoredMode::of_text(text.as_deref())
    }

    /// Turns the read-only mode of the whole server on or off. The topic [`Topic::ReadOnlyMode`] tells the
    /// other nodes.
    ///
    /// # Errors
    /// The store's.
    pub async fn put_server_mode(&self, _: &Authorized, mode: &StoredMode) -> Result<(), Error> {
        let text = mode.text()?;
        let mut tx = self.0.store.write(SCOPE).await?;
        settings::put(&mut tx.conn(), SETTING, &text).await?;
        tx.touch(Topic::ReadOnlyMode);
        Ok(tx.commit().await?)
    }

    /// Turns the read-only mode of a repository on or off.
    ///
    /// # Errors
    /// [`Error::RepositoryNotFound`].
    pub async fn put_repository_mode(
        &self,
        _: &Authorized,
        repo: &RepositoryFacts,
        mode: &StoredMode,
    ) -> Result<(), Error> {
        let text = mode.text()?;
        let mut tx = self.write(repo.id).await?;
        if !repository::set_read_only_mode(&mut tx.conn(), repo.id, &text).await? {
            return Err(Error::RepositoryNotFound(repo.place()));
        }
        let name = repo.name.to_string();
        let change = Change::Repository(repo.id, repo.account, repo.region.clone(), name);
        self.commit(tx, &[change]).await
    }
}
