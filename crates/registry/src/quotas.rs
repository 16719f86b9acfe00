//! Quotas of registries that differ by account (`berth account quota`). A lower quota takes nothing away.

use std::sync::Arc;

use aws_types::AccountId;
use store::ecr::{quota, repository};
use store::{Write, iam};

use crate::account_quotas::AccountQuotas;
use crate::{Error, Registry, RepositoryFacts};

impl Registry {
    /// The quotas that were set for the account, from memory when they were asked for before. To be asked for
    /// before a transaction begins: they are read over a connection of their own.
    pub(crate) async fn account_quotas(
        &self,
        account: AccountId,
    ) -> Result<Arc<AccountQuotas>, Error> {
        if let Some(known) = self.0.cache.quotas(account) {
            return Ok(known);
        }
        let ticket = self.0.cache.ticket();
        let set = {
            let mut read = self.0.store.read().await?;
            iam::quota::list(&mut read.conn(), account.as_str()).await?
        };
        let quotas = Arc::new(AccountQuotas(set));
        self.0.cache.put_quotas(ticket, account, &quotas);
        Ok(quotas)
    }

    /// Counts the bytes of a layer that the transaction added to the repository.
    ///
    /// # Errors
    /// [`Error::TooManyBytes`] where a quota of bytes does not allow it: the transaction must not be
    /// committed then.
    pub(crate) async fn count_layer(
        &self,
        tx: &mut Write,
        repo: &RepositoryFacts,
        quotas: &AccountQuotas,
        size: i64,
    ) -> Result<(), Error> {
        let conn = &mut tx.conn();
        let refused = |of_account, max: i64| {
            Err(Error::TooManyBytes {
                place: repo.place(),
                of_account,
                max: max.unsigned_abs(),
            })
        };
        let max = quotas.limit(quota::REPOSITORY_BYTES);
        if !repository::add_bytes(conn, repo.id, size, max).await? {
            return refused(false, max);
        }
        let Some(max) = quotas.set(quota::ACCOUNT_BYTES) else {
            return Ok(());
        };
        // One at a time: two repositories could each use up what is left.
        let account = repo.account.as_str();
        let is_set = quota::lock(conn, account, quota::ACCOUNT_BYTES).await?;
        if is_set && repository::bytes_of_account(conn, account).await? > max {
            return refused(true, max);
        }
        Ok(())
    }
}
