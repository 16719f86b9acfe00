//! The master key: from the environment, from a command, or from a file that the first start makes.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use aws_types::SystemEntropy;
use identity::MasterKey;
use zeroize::Zeroizing;

use crate::cli::StorageOptions;
use crate::data_dir::{self, DataDir, GROUP_AND_OTHERS, OTHERS, Setup};
use crate::error::{Error, Result};

/// The variable that may hold the key itself.
const VARIABLE: &str = "BERTH_MASTER_KEY";
const FORM: &str = "32 bytes as 64 hexadecimal digits, such as `openssl rand -hex 32` prints";

/// Where the key came from.
#[derive(Debug)]
pub struct LoadedMasterKey {
    pub key: MasterKey,
    /// The file that was made for it just now; to be taken back when the key turns out not to be
    /// the one of this database.
    pub made: Option<PathBuf>,
}

/// Finds the key, or makes one.
pub fn find(
    options: &StorageOptions,
    home: &DataDir,
    setup: &Setup,
    env: impl Fn(&str) -> Option<OsString>,
) -> Result<LoadedMasterKey> {
    let given = env(VARIABLE).filter(|value| !value.is_empty());
    if given.is_some()
        && (options.master_key_file.is_some() || options.master_key_command.is_some())
    {
        return Err(Error::Usage(format!(
            "the master key is given twice: in {VARIABLE} and by an option; keep one"
        )));
    }
    if let Some(value) = given {
        let value = value.into_string().map(Zeroizing::new).unwrap_or_default();
        return parse(&value, VARIABLE).map(existing);
    }
    if let Some(command) = &options.master_key_command {
        return parse(&output(command)?, "the output of --master-key-command").map(existing);
    }
    let (path, closed_to) = match &options.master_key_file {
        Some(path) => (path.clone(), OTHERS),
        None => (home.join("master.key"), GROUP_AND_OTHERS),
    };
    match data_dir::read_small(&path)? {
        Some(text) => {
            refuse_open_to(closed_to, &path)?;
            parse(&text, &path.display().to_string()).map(existing)
        }
        None => {
            let key = MasterKey::generate(&SystemEntropy).map_err(|error| {
                Error::Failed(format!(
                    "cannot make a master key: {}",
                    crate::error::cause(&error)
                ))
            })?;
            let text = Zeroizing::new(format!("{}\n", key.encode().as_str()));
            data_dir::write_private(setup, &path, &text)?;
            Ok(LoadedMasterKey {
                key,
                made: Some(path),
            })
        }
    }
}

/// Finds the key, and makes none: for a command that needs the one that there is.
pub fn find_existing(
    options: &StorageOptions,
    home: &DataDir,
    setup: &Setup,
    env: impl Fn(&str) -> Option<OsString>,
) -> Result<MasterKey> {
    let is_given = env(VARIABLE).is_some_and(|value| !value.is_empty());
    if !is_given && options.master_key_command.is_none() {
        let default = || home.join("master.key");
        let path = options.master_key_file.clone().unwrap_or_else(default);
        if !path.exists() {
            return Err(Error::Failed(format!(
                "there is no master key {}: give the one of the server that was backed up, with --master-key-file, \
                 --master-key-command or {VARIABLE}",
                path.display()
            )));
        }
    }
    Ok(find(options, home, setup, env)?.key)
}

fn existing(key: MasterKey) -> LoadedMasterKey {
    LoadedMasterKey { key, made: None }
}

fn parse(text: &str, source: &str) -> Result<MasterKey> {
    // The text itself is never shown.
    MasterKey::parse(text)
        .ok_or_else(|| Error::Failed(format!("{source} holds no master key; it must be {FORM}")))
}

fn output(command: &str) -> Result<Zeroizing<String>> {
    let output = Command::new("sh")
        .args(["-c", command])
        .env_clear()
        .envs(kept_environment(std::env::var_os))
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(Error::failed("cannot run --master-key-command"))?;
    let stdout = Zeroizing::new(output.stdout);
    if !output.status.success() {
        return Err(Error::Failed(format!(
            "--master-key-command failed with {}",
            output.status
        )));
    }
    Ok(Zeroizing::new(
        String::from_utf8_lossy(&stdout).into_owned(),
    ))
}

/// What a command finds in its environment. The rest stays here: it may hold this server's secrets, or
/// change what programs do.
const KEPT_VARIABLES: [&str; 6] = ["PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ"];

fn kept_environment(
    env: impl Fn(&'static str) -> Option<OsString>,
) -> impl Iterator<Item = (&'static str, OsString)> {
    KEPT_VARIABLES
        .into_iter()
        .filter_map(move |name| Some((name, env(name)?)))
}

fn refuse_open_to(closed_to: u32, path: &Path) -> Result<()> {
    let shown = path.display();
    // Links are followed: a mounted secret is one.
    let mode = std::fs::metadata(path)
        .map_err(Error::failed(format!("cannot read {shown}")))?
        .permissions()
        .mode();
    if mode & closed_to != 0 {
        return Err(Error::Failed(format!(
            "others than its owner may open the master key {shown}; chmod 600 it"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    struct Place {
        _dir: tempfile::TempDir,
        home: DataDir,
        setup: Setup,
        options: StorageOptions,
    }

    fn place() -> Place {
        let dir = tempfile::tempdir().unwrap();
        let home = DataDir::open(dir.path()).unwrap();
        let setup = home.setup().unwrap();
        let options = StorageOptions {
            config: None,
            data_dir: dir.path().to_owned(),
            database: None,
            master_key_file: None,
            master_key_command: None,
        };
        Place {
            _dir: dir,
            home,
            setup,
            options,
        }
    }

    fn look(place: &Place, variable: Option<&str>) -> Result<LoadedMasterKey> {
        find(&place.options, &place.home, &place.setup, |name| {
            (name == VARIABLE)
                .then(|| variable.map(OsString::from))
                .flatten()
        })
    }

    #[test]
    fn a_missing_key_is_made_once() {
        let place = place();
        let first = look(&place, None).unwrap();
        assert_eq!(first.made, Some(place.home.join("master.key")));
        let mode = fs::metadata(place.home.join("master.key"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        let second = look(&place, None).unwrap();
        assert!(second.made.is_none());
        assert_eq!(first.key.encode(), second.key.encode());
        assert!(!format!("{first:?}").contains(first.key.encode().as_str()));
    }

    #[test]
    fn variable_and_command() {
        let mut place = place();
        assert_eq!(look(&place, Some(KEY)).unwrap().key.encode().as_str(), KEY);
        place.options.master_key_command = Some(format!("echo {KEY}"));
        assert_eq!(look(&place, None).unwrap().key.encode().as_str(), KEY);
        assert!(!place.home.join("master.key").exists());
        assert!(matches!(look(&place, Some(KEY)), Err(Error::Usage(_))));
        place.options.master_key_command = Some("exit 3".to_owned());
        assert!(
            look(&place, None)
                .unwrap_err()
                .to_string()
                .contains("exit status: 3")
        );
    }

    #[test]
    fn a_command_finds_no_secrets_in_its_environment() {
        let mut place = place();
        // Cargo sets this one for tests, as an operator sets BERTH_….
        assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
        place.options.master_key_command =
            Some(format!("test -z \"$CARGO_MANIFEST_DIR\" && echo {KEY}"));
        assert_eq!(look(&place, None).unwrap().key.encode().as_str(), KEY);
    }

    #[test]
    fn a_group_reads_a_mounted_key_and_no_other() {
        let mut place = place();
        let made = place.home.join("master.key");
        fs::write(&made, KEY).unwrap();
        let mut with = |mode: u32, given: bool| {
            fs::set_permissions(&made, fs::Permissions::from_mode(mode)).unwrap();
            place.options.master_key_file = given.then(|| made.clone());
            look(&place, None).is_ok()
        };
        for (mode, own, given) in [
            (0o600, true, true),
            (0o400, true, true),
            (0o640, false, true),
            (0o440, false, true),
            (0o660, false, false),
            (0o604, false, false),
        ] {
            assert_eq!(with(mode, false), own, "{mode:o}");
            assert_eq!(with(mode, true), given, "{mode:o}");
        }
    }

    #[test]
    fn refusals_do_not_show_the_key() {
        let place = place();
        let refused = look(&place, Some("hush")).unwrap_err().to_string();
        assert!(
            refused.contains(VARIABLE) && !refused.contains("hush"),
            "{refused}"
        );
        let path = place.home.join("master.key");
        fs::write(&path, KEY).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let refused = look(&place, None).unwrap_err().to_string();
        assert!(
            refused.contains("chmod 600") && !refused.contains(KEY),
            "{refused}"
        );
    }
}
