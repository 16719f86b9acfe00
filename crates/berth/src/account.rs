//! `berth account create`, `recover` and `quota`.

use authz::ServiceName;
use aws_api::Secret;
use identity::{Quota, Recovery, RootCredentials};
use jiff::Timestamp;
use serde_json::json;

use crate::cli::{
    AccountCreateOptions, AccountQuotaOptions, AccountRecoverOptions, Output, PublicUrl,
    StorageOptions,
};
use crate::data_dir::DataDir;
use crate::error::{Error, Result};
use crate::output::Answers;
use crate::storage::{self, Storage};

/// Makes an account, beside a running server or without one, and prints its root user's key.
pub fn create(options: &AccountCreateOptions) -> Result<()> {
    run(Box::pin(async {
        let account = options.account_id;
        let now = Timestamp::now();
        let storage = open(&options.storage, now).await?;
        let made = async {
            if storage::exists(&storage, account).await? {
                return Err(Error::Failed(format!(
                    "account {account} exists already, and its key was shown when it was made; choose another \
                     --account-id, or give the owner a new key with `berth account recover {account}`"
                )));
            }
            storage::create(&storage, ServiceName::AccountCommand, account, None, now).await
        };
        let made = made.await;
        storage.store.close().await;
        let key = made?;
        let mut answers = Answers::new();
        match options.output {
            Output::Text => section(&mut answers, account.as_str(), &key)?,
            Output::Json => answers.json(&json!({
                "accountId": account.as_str(),
                "accessKeyId": key.access_key_id,
                "secretAccessKey": key.secret.expose(),
            }))?,
        }
        answers.flush()
    }))
}

/// Gives an account's root user a new key, and takes away what was lost.
pub fn recover(options: &AccountRecoverOptions) -> Result<()> {
    run(Box::pin(async {
        let account = options.account_id;
        let now = Timestamp::now();
        storage::refuse_missing(&options.storage)?;
        let storage = open(&options.storage, now).await?;
        let recovery = Recovery {
            revoke: options.revoke,
            keep_mfa: options.keep_mfa,
        };
        let identity = &storage.identity;
        let recovered = identity
            .recover_account(ServiceName::AccountCommand, account, recovery, now)
            .await;
        storage.store.close().await;
        let recovered = recovered.map_err(|error| refused(options, &error))?;
        let key = &recovered.credentials;
        let link = sign_in_link(options.public_url.as_ref(), &recovered.sign_in_token);
        let mut answers = Answers::new();
        match options.output {
            Output::Text => {
                for id in &recovered.deleted_keys {
                    answers.line(&format!("# deleted the access key {id}"))?;
                }
                if options.revoke {
                    answers.line("# ended the root user's sessions")?;
                }
                for arn in &recovered.deactivated_mfa_devices {
                    answers.line(&format!("# deactivated the MFA device {arn}"))?;
                }
                answers.line(&format!(
                    "# sign in to the console as the root user, once within an hour: {link}"
                ))?;
                section(&mut answers, account.as_str(), key)?;
            }
            Output::Json => answers.json(&json!({
                "accountId": account.as_str(),
                "accessKeyId": key.access_key_id,
                "secretAccessKey": key.secret.expose(),
                "signInLink": link,
                "deletedAccessKeyIds": recovered.deleted_keys,
                "deactivatedMfaDevices": recovered.deactivated_mfa_devices,
                "sessionsEnded": options.revoke,
            }))?,
        }
        answers.flush()
    }))
}

/// The link that signs in. The token stands behind `#`, so that browsers send it to no server and no log
/// has it.
fn sign_in_link(public_url: Option<&PublicUrl>, token: &Secret<String>) -> String {
    let base = public_url.map_or("https://YOUR-SERVER", PublicUrl::as_str);
    format!("{base}/console/sign-in#link={}", token.expose())
}

/// A quota for people.
fn shown(value: i64) -> String {
    limit(value).map_or_else(|| "no limit".to_owned(), |value| value.to_string())
}

/// A quota for programs: none where nothing reaches it.
fn limit(value: i64) -> Option<i64> {
    (!Quota::is_unlimited(value)).then_some(value)
}

/// Sets quotas of an account, and shows what holds then.
pub fn quota(options: &AccountQuotaOptions) -> Result<()> {
    run(Box::pin(async {
        let account = options.account_id;
        let now = Timestamp::now();
        storage::refuse_missing(&options.storage)?;
        let set = options
            .set
            .iter()
            .map(|(quota, value)| (*quota, Some(*value)));
        let reset = options.reset.iter().map(|quota| (*quota, None));
        let changes: Vec<_> = reset.chain(set).collect();
        let storage = open(&options.storage, now).await?;
        let identity = &storage.identity;
        let found = async {
            if !changes.is_empty() {
                let service = ServiceName::AccountCommand;
                identity.set_quotas(service, account, &changes, now).await?;
            }
            identity.quotas(account).await
        };
        let found = found.await;
        storage.store.close().await;
        let found = found.map_err(|error| match error.code().as_str() {
            "NoSuchEntity" => Error::Failed(format!(
                "there is no account {account}; make it with `berth account create --account-id {account}`"
            )),
            _ => Error::Failed(format!(
                "cannot read or set the quotas of account {account}: {}",
                crate::error::cause(&error)
            )),
        })?;
        let mut answers = Answers::new();
        match options.output {
            Output::Text => {
                for quota in found {
                    let name = quota.quota.name();
                    let note = match quota.is_set {
                        true => format!("  (set; by default {})", shown(quota.default)),
                        false => String::new(),
                    };
                    answers.line(&format!("{name:34}{:>8}{note}", shown(quota.value)))?;
                }
            }
            Output::Json => {
                let quotas = found.iter().map(|quota| {
                    let shown = json!({
                        "value": limit(quota.value),
                        "default": limit(quota.default),
                        "isSet": quota.is_set,
                    });
                    (quota.quota.name().to_owned(), shown)
                });
                let quotas: serde_json::Map<_, _> = quotas.collect();
                answers.json(&json!({"accountId": account.as_str(), "quotas": quotas}))?;
            }
        }
        answers.flush()
    }))
}

fn run(work: std::pin::Pin<Box<impl Future<Output = Result<()>>>>) -> Result<()> {
    crate::process::keep_private();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::failed("cannot start"))?;
    runtime.block_on(work)
}

async fn open(options: &StorageOptions, now: Timestamp) -> Result<Storage> {
    let home = DataDir::open(&options.data_dir)?;
    let setup = home.setup()?;
    let env = |name: &str| std::env::var_os(name);
    storage::open(storage::Role::Command, options, &home, &setup, env, now).await
}

fn refused(options: &AccountRecoverOptions, error: &identity::Error) -> Error {
    let account = options.account_id;
    Error::Failed(match error.code().as_str() {
        "NoSuchEntity" => format!(
            "there is no account {account}; make it with `berth account create --account-id {account}`"
        ),
        "LimitExceeded" => format!(
            "the root user of account {account} has as many access keys as it may have: give --revoke, which \
             deletes them and ends its sessions, or delete one with `aws iam delete-access-key`"
        ),
        "InvalidInput" => format!("account {account} is closed, so its root user may do nothing"),
        _ => format!(
            "cannot recover account {account}: {}",
            crate::error::cause(error)
        ),
    })
}

fn section(answers: &mut Answers, profile: &str, key: &RootCredentials) -> Result<()> {
    answers.line(storage::section(profile, key).trim_end())
}
