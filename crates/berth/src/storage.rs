//! What every command that touches accounts opens: the database and, behind the master key, identity.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use authz::ServiceName;
use aws_types::AccountId;
use aws_types::SystemEntropy;
use identity::{Identity, RootCredentials, Sealer};
use jiff::Timestamp;
use store::Store;

use crate::cli::StorageOptions;
use crate::data_dir::{self, DataDir, Setup};
use crate::error::{Error, Result, cause};
use crate::master_key;

/// An open database and who lives in it.
pub struct Storage {
    pub store: Store,
    pub identity: Identity,
}

/// What opens the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A server: an SQLite file has one.
    Server,
    /// A command, which works beside a running server.
    Command,
}

/// The database's file; `None` where it is a server.
pub fn database_file(options: &StorageOptions, home: &DataDir) -> Option<PathBuf> {
    match &options.database {
        Some(url) => url.as_str().strip_prefix("sqlite:").map(PathBuf::from),
        None => Some(home.join("berth.db")),
    }
}

/// For commands that make nothing: a wrong directory must not become a data directory.
pub fn refuse_missing(options: &StorageOptions) -> Result<()> {
    let file = match &options.database {
        Some(url) => url.as_str().strip_prefix("sqlite:").map(PathBuf::from),
        None => Some(options.data_dir.join("berth.db")),
    };
    match file {
        Some(file) if !file.is_file() => Err(Error::Failed(format!(
            "there is no database {}; give the server's --data-dir, and its --database where it has one",
            file.display()
        ))),
        _ => Ok(()),
    }
}

/// The database's URL.
pub fn url(options: &StorageOptions, home: &DataDir) -> Result<String> {
    match &options.database {
        Some(url) => Ok(url.as_str().to_owned()),
        None => match home.join("berth.db").to_str() {
            Some(path) => Ok(format!("sqlite:{path}")),
            None => Err(Error::Failed(
                "the data directory's name is not UTF-8; choose another --data-dir, or give --database".to_owned(),
            )),
        },
    }
}

/// Opens the database, making it where it is missing.
pub async fn open(
    role: Role,
    options: &StorageOptions,
    home: &DataDir,
    setup: &Setup,
    env: impl Fn(&str) -> Option<OsString>,
    now: Timestamp,
) -> Result<Storage> {
    let found = master_key::find(options, home, setup, env)?;
    let url = url(options, home)?;
    let opened = match role {
        Role::Server => Store::open_for_server(&url).await,
        Role::Command => Store::open(&url).await,
    };
    let store = opened.map_err(Error::failed("cannot open the database of --database"))?;
    let sealer = Sealer::load(store.clone(), &found.key, Arc::new(SystemEntropy), now).await;
    let sealer = match (sealer, found.made) {
        (Ok(sealer), _) => sealer,
        (Err(error), made) => {
            if let Some(path) = made {
                // The right key is elsewhere; a wrong one must not stand in its place.
                std::fs::remove_file(&path)
                    .map_err(Error::failed(format!("cannot remove {}", path.display())))?;
            }
            return Err(Error::Failed(format!(
                "cannot open the key ring: {}",
                cause(&error)
            )));
        }
    };
    let identity = Identity::open(
        store.clone(),
        sealer,
        Arc::new(SystemEntropy),
        identity::Settings::default(),
    )
    .map_err(|error| Error::Failed(format!("cannot open identity: {}", cause(&error))))?;
    Ok(Storage { store, identity })
}

/// Makes the account of the first start and writes its root key to `credentials`.
///
/// A mark with the account's ID is put down before and taken away after: a start that was cut
/// between the account and its key's file is the first start still, while a file that the operator
/// removed stays removed.
pub async fn first_start(
    storage: &Storage,
    home: &DataDir,
    setup: &Setup,
    account: AccountId,
    env: impl Fn(&str) -> Option<OsString>,
    now: Timestamp,
) -> Result<()> {
    let (mark, credentials) = (home.join("first-start"), home.join("credentials"));
    let given = root_key(|name| secret(name, &env))?;
    let marked = data_dir::read_small(&mark)?;
    let cut = marked
        .as_deref()
        .is_some_and(|text| text.trim() == account.as_str());
    if exists(storage, account).await? {
        if !cut {
            return Ok(());
        }
    } else if marked.is_none() && credentials.exists() {
        // Another account's root key stands there, perhaps the only copy.
        return Err(Error::Failed(format!(
            "this server was made for another account than {account}; start it with that --account-id, \
             or make the account with `berth account create --account-id {account}` first"
        )));
    }
    data_dir::write_private(setup, &mark, account.as_str())?;
    let root = create(storage, ServiceName::FirstStart, account, given, now).await?;
    data_dir::write_private(setup, &credentials, &section("default", &root))?;
    std::fs::remove_file(&mark)
        .and_then(|()| data_dir::sync_parent(&mark))
        .map_err(Error::failed(format!("cannot remove {}", mark.display())))
}

/// Whether there is an account of this ID.
pub async fn exists(storage: &Storage, account: AccountId) -> Result<bool> {
    storage
        .identity
        .account_exists(account)
        .await
        .map_err(|error| {
            Error::Failed(format!(
                "cannot look for account {account}: {}",
                cause(&error)
            ))
        })
}

/// Makes an account; answers its root key.
pub async fn create(
    storage: &Storage,
    service: ServiceName,
    account: AccountId,
    given: Option<RootCredentials>,
    now: Timestamp,
) -> Result<RootCredentials> {
    storage
        .identity
        .create_account(service, account, account.as_str(), given, now)
        .await
        .map_err(|error| Error::Failed(format!("cannot make account {account}: {}", cause(&error))))
}

/// A section of AWS's shared credentials file.
pub fn section(profile: &str, key: &RootCredentials) -> zeroize::Zeroizing<String> {
    zeroize::Zeroizing::new(format!(
        "[{profile}]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        key.access_key_id,
        key.secret.expose()
    ))
}

/// A secret of the environment: `NAME`, or the text of the file that `NAME_FILE` names.
fn secret(name: &str, env: impl Fn(&str) -> Option<OsString>) -> Result<Option<OsString>> {
    let given = |name: &str| env(name).filter(|value| !value.is_empty());
    let file = format!("{name}_FILE");
    match (given(name), given(&file)) {
        (Some(_), Some(_)) => Err(Error::Usage(format!(
            "{name} and {file} are both set; keep one"
        ))),
        (value, None) => Ok(value),
        (None, Some(path)) => {
            let path = PathBuf::from(path);
            let text = data_dir::read_small(&path)?.ok_or_else(|| {
                Error::Failed(format!("{file} names {}, which is missing", path.display()))
            })?;
            // Editors and `echo` end a file with a line feed.
            Ok(Some(text.trim_end_matches(['\r', '\n']).into()))
        }
    }
}

/// The root key that the operator chose.
fn root_key(env: impl Fn(&str) -> Result<Option<OsString>>) -> Result<Option<RootCredentials>> {
    const ID: &str = "BERTH_ROOT_ACCESS_KEY_ID";
    const SECRET: &str = "BERTH_ROOT_SECRET_ACCESS_KEY";
    let read = |name: &str| match env(name)? {
        None => Ok(None),
        Some(value) => match value.into_string() {
            // Both end up in a line of a file and in headers.
            Ok(text) if text.bytes().all(|b| b.is_ascii_graphic()) => Ok(Some(text)),
            _ => Err(Error::Usage(format!(
                "{name} must be visible ASCII characters without spaces"
            ))),
        },
    };
    match (read(ID)?, read(SECRET)?) {
        (None, None) => Ok(None),
        (Some(access_key_id), Some(secret)) => {
            if !(16..=128).contains(&access_key_id.len())
                || !access_key_id
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'_')
            {
                return Err(Error::Usage(format!(
                    "{ID} must be 16 to 128 letters and digits, such as AKIA and 16 more"
                )));
            }
            Ok(Some(RootCredentials {
                access_key_id,
                secret: secret.into(),
            }))
        }
        (Some(_), None) => Err(Error::Usage(format!(
            "{ID} is set without {SECRET}; set both or none"
        ))),
        (None, Some(_)) => Err(Error::Usage(format!(
            "{SECRET} is set without {ID}; set both or none"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_keys_come_in_pairs() {
        for (id, secret, words) in [
            (None, None, ""),
            (Some("AKIAIOSFODNN7EXAMPLE"), Some("s3cr3t/+"), ""),
            (
                Some("AKIAIOSFODNN7EXAMPLE"),
                None,
                "BERTH_ROOT_SECRET_ACCESS_KEY",
            ),
            (None, Some("s3cr3t"), "without BERTH_ROOT_ACCESS_KEY_ID"),
            (Some("short"), Some("s3cr3t"), "16 to 128"),
            (
                Some("AKIAIOSFODNN7EXAMPLE"),
                Some("two words"),
                "visible ASCII",
            ),
            (
                Some("AKIAIOSFODNN7EXAMPLE\n[x]"),
                Some("s3cr3t"),
                "visible ASCII",
            ),
        ] {
            let found = root_key(|name| {
                Ok(match name {
                    "BERTH_ROOT_ACCESS_KEY_ID" => id.map(OsString::from),
                    _ => secret.map(OsString::from),
                })
            });
            match found {
                Ok(key) => assert_eq!((key.is_some(), words), (id.is_some(), "")),
                Err(error) => {
                    let said = error.to_string();
                    assert!(!words.is_empty() && said.contains(words), "{said}");
                    assert!(!said.contains("s3cr3t"), "{said}");
                }
            }
        }
    }

    #[test]
    fn secrets_come_from_files_too() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        std::fs::write(&path, "s3cr3t\n").unwrap();
        let file = |name: &str| (name == "KEY_FILE").then(|| path.clone().into_os_string());
        assert_eq!(secret("KEY", file).unwrap().unwrap(), "s3cr3t");
        assert_eq!(secret("OTHER", file).unwrap(), None);
        let both = |_: &str| Some(path.clone().into_os_string());
        assert!(matches!(secret("KEY", both), Err(Error::Usage(_))));
        let missing = |name: &str| (name == "KEY_FILE").then(|| "/none".into());
        assert!(
            secret("KEY", missing)
                .unwrap_err()
                .to_string()
                .contains("KEY_FILE")
        );
    }

    #[test]
    fn a_section_is_what_clients_read() {
        let key = RootCredentials {
            access_key_id: "AKIA1".into(),
            secret: "s".to_owned().into(),
        };
        assert_eq!(
            section("default", &key).as_str(),
            "[default]\naws_access_key_id = AKIA1\naws_secret_access_key = s\n"
        );
    }
}
