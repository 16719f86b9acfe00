//! `berth account create`.

use jiff::Timestamp;
use serde_json::json;

use crate::cli::{AccountCreateOptions, Output};
use crate::data_dir::DataDir;
use crate::error::{Error, Result};
use crate::output::Answers;
use crate::storage;

/// Makes an account, beside a running server or without one, and prints its root user's key.
pub fn create(options: &AccountCreateOptions) -> Result<()> {
    crate::process::keep_private();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::failed("cannot start"))?;
    runtime.block_on(Box::pin(run(options)))
}

async fn run(options: &AccountCreateOptions) -> Result<()> {
    let account = options.account_id;
    let now = Timestamp::now();
    let home = DataDir::open(&options.storage.data_dir)?;
    let setup = home.setup()?;
    let storage = storage::open(
        storage::Role::Command,
        &options.storage,
        &home,
        &setup,
        |name| std::env::var_os(name),
        now,
    )
    .await?;
    let made = async {
        if storage::exists(&storage, account).await? {
            return Err(Error::Failed(format!(
                "account {account} exists already, and its key was shown when it was made; choose another --account-id"
            )));
        }
        storage::create(&storage, account, None, now).await
    };
    let made = made.await;
    storage.store.close().await;
    let key = made?;
    let mut answers = Answers::new();
    match options.output {
        Output::Text => answers.line(storage::section(account.as_str(), &key).trim_end())?,
        Output::Json => answers.json(&json!({
            "accountId": account.as_str(),
            "accessKeyId": key.access_key_id,
            "secretAccessKey": key.secret.expose(),
        }))?,
    }
    answers.flush()
}
