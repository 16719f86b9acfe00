//! Authorization tokens of the container credentials endpoint: a file for each named user
//! (`AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`).

use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use aws_types::{Entropy, draw, hex};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::{Error, Result, users};

/// The tokens of this run of the agent, by user.
pub struct UserTokens(Vec<(u32, Zeroizing<String>)>);

impl UserTokens {
    /// Draws a token for each user and writes it to `directory/<name>`, which the user alone may read.
    ///
    /// # Errors
    /// The directory cannot be written; the files of other users take root's rights.
    pub fn write(
        directory: &Path,
        uids: &[u32],
        passwd: &str,
        entropy: &dyn Entropy,
    ) -> Result<UserTokens> {
        if !directory.exists() {
            let make = || {
                std::fs::create_dir_all(directory)?;
                // Others must get through to their own files, whatever the umask.
                std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o755))
            };
            make().map_err(Error::file("cannot make", directory))?;
        }
        let mut tokens = Vec::new();
        for uid in uids {
            let token = Zeroizing::new(hex::encode(draw::<32>(entropy).map_err(Error::internal)?));
            let name = users::name(passwd, *uid);
            if name.contains('/') || name.starts_with('.') {
                return Err(Error::Invalid(format!("{name} is no name of a file")));
            }
            let path = directory.join(&name);
            let draft = directory.join(format!(".{name}.new"));
            let write = || {
                match std::fs::remove_file(&draft) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                        return Err(error);
                    }
                    _ => {}
                }
                let mut options = std::fs::OpenOptions::new();
                let mut file = options
                    .write(true)
                    .create_new(true)
                    .mode(0o400)
                    .open(&draft)?;
                file.write_all(token.as_bytes())?;
                std::os::unix::fs::fchown(&file, Some(*uid), None)?;
                std::fs::rename(&draft, &path)
            };
            write().map_err(Error::file("cannot write", &path))?;
            tokens.push((*uid, token));
        }
        Ok(UserTokens(tokens))
    }

    /// Whether the token is this user's.
    #[must_use]
    pub fn are_of(&self, uid: u32, token: &str) -> bool {
        let own = self.0.iter().find(|(of, _)| *of == uid);
        own.is_some_and(|(_, own)| own.as_bytes().ct_eq(token.as_bytes()).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_types::SystemEntropy;

    /// Trap: only named users get credentials.
    #[test]
    fn a_token_is_in_a_file_of_its_user_alone() {
        let dir = tempfile::tempdir().unwrap();
        let own = rustix::process::geteuid().as_raw();
        let passwd = format!("me:x:{own}:0::/:/bin/sh\n");
        let write = || UserTokens::write(dir.path(), &[own], &passwd, &SystemEntropy).unwrap();
        let tokens = write();
        let path = dir.path().join("me");
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o400);
        let token = std::fs::read_to_string(&path).unwrap();
        assert!(tokens.are_of(own, &token));
        for other in ["", &token[1..], "x", &token.to_uppercase()] {
            assert!(!tokens.are_of(own, other), "{other}");
        }
        assert!(!tokens.are_of(own + 1, &token));
        // The next start draws others.
        assert!(!write().are_of(own, &token));
    }
}
