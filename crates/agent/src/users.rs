//! The local users who may have the host's credentials.

use crate::{Error, Result};

/// What the kernel shows for a user that has no number in this namespace (user_namespaces(7)). Many users
/// share it, so it never names one.
pub(crate) const OVERFLOW_UID: u32 = 65_534;

/// The user id of a name in `passwd` (passwd(5)), or of a number.
///
/// # Errors
/// A name that is not there, and the number that the kernel gives to unknown users.
pub fn uid(passwd: &str, user: &str) -> Result<u32> {
    let found = match user.parse() {
        Ok(number) => Some(number),
        Err(_) => passwd.lines().find_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            (name == user).then(|| fields.nth(1)?.parse().ok())?
        }),
    };
    match found {
        Some(OVERFLOW_UID | u32::MAX) => Err(Error::Invalid(format!(
            "{user} cannot be named: the kernel uses its number for users that it does not know"
        ))),
        Some(uid) => Ok(uid),
        None => Err(Error::Invalid(format!(
            "/etc/passwd has no user {user}; give a user's number where users come from elsewhere"
        ))),
    }
}

/// The name of a user id in `passwd`; its number where it has none.
#[must_use]
pub fn name(passwd: &str, uid: u32) -> String {
    let found = passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let number: u32 = fields.nth(1)?.parse().ok()?;
        (number == uid).then(|| name.to_owned())
    });
    found.unwrap_or_else(|| uid.to_string())
}

/// Who gets credentials where nobody is named: root, and who runs the command. Under `sudo` that is the user
/// who called it, by the variable that `sudo` sets.
#[must_use]
pub fn default_users(euid: u32, sudo_uid: Option<&str>) -> Vec<u32> {
    let mut users = vec![0, euid];
    if euid == 0 {
        // Only root believes the variable: others could set it as they like.
        users.extend(sudo_uid.and_then(|uid| uid.parse::<u32>().ok()));
    }
    users.retain(|uid| *uid != OVERFLOW_UID && *uid != u32::MAX);
    users.sort_unstable();
    users.dedup();
    users
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\nana:x:1000:1000::/home/ana:/bin/sh\n\
                          nobody:x:65534:65534::/:/bin/false\nbroken\n";

    #[test]
    fn finds_users_by_name_and_number() {
        assert_eq!(uid(PASSWD, "ana").unwrap(), 1000);
        assert_eq!(uid(PASSWD, "root").unwrap(), 0);
        assert_eq!(uid(PASSWD, "1234").unwrap(), 1234);
        for bad in [
            "an",
            "x",
            "",
            "broken",
            "nobody",
            "65534",
            "4294967295",
            "-1",
        ] {
            assert!(uid(PASSWD, bad).is_err(), "{bad}");
        }
        assert_eq!(name(PASSWD, 1000), "ana");
        assert_eq!(name(PASSWD, 7), "7");
    }

    /// Trap: only named local users get credentials, by default root and who joined.
    #[test]
    fn by_default_root_and_who_joined() {
        assert_eq!(default_users(0, None), [0]);
        assert_eq!(default_users(0, Some("1000")), [0, 1000]);
        assert_eq!(default_users(1000, Some("1001")), [0, 1000]);
        assert_eq!(default_users(0, Some("65534")), [0]);
        assert_eq!(default_users(0, Some("x")), [0]);
    }
}
