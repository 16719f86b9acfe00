//! What a password must be, and how long it lasts.
//!
//! Sources: UG id_credentials_passwords_account-policy; the model of `UpdateAccountPasswordPolicy`.

use aws_api::iam::ErrorCode;
use jiff::Timestamp;
use store::iam::login_profile::LoginProfile;
use store::iam::password_policy::PasswordPolicy;

use crate::Error;

/// What a right password gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordState {
    /// The user may sign in.
    Valid,
    /// The user must set another password first: one was set for them, or theirs is too old.
    MustChange,
    /// The password is too old, and only an administrator can set another one (`HardExpiry`).
    Expired,
}

/// Characters of a password where the account has no policy of its own ("Default password policy").
const DEFAULT_LENGTH: i64 = 8;
/// The classes of characters that it must have of four.
const DEFAULT_CLASSES: usize = 3;
/// `MinimumPasswordLength` where a policy does not name it.
pub(crate) const POLICY_LENGTH: i64 = 6;
/// What counts as a symbol (the model, `RequireSymbols`).
const SYMBOLS: &str = "!@#$%^&*()_+-=[]{}|'";
const DAY_MS: i64 = 24 * 3600 * 1000;

fn violation(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::PasswordPolicyViolation, message)
}

/// Refuses a password that was used before.
pub(super) fn reused(count: i64) -> Error {
    violation(format!(
        "Password should not be one of the last {count} passwords"
    ))
}

/// Refuses a password that the account's policy, or without one the default policy, does not take.
pub(super) fn check(
    password: &str,
    policy: Option<&PasswordPolicy>,
    account_name: &str,
) -> Result<(), Error> {
    let has = |test: &dyn Fn(char) -> bool| password.chars().any(test);
    let upper = has(&|c| c.is_ascii_uppercase());
    let lower = has(&|c| c.is_ascii_lowercase());
    let number = has(&|c| c.is_ascii_digit());
    let symbol = has(&|c| SYMBOLS.contains(c));
    let minimum = policy.map_or(DEFAULT_LENGTH, |policy| policy.minimum_length);
    if i64::try_from(password.chars().count()).unwrap_or(i64::MAX) < minimum {
        return Err(violation(format!(
            "Password should have a minimum length of {minimum}"
        )));
    }
    let Some(policy) = policy else {
        let classes = [upper, lower, number, symbol];
        if classes.iter().filter(|has| **has).count() < DEFAULT_CLASSES {
            return Err(violation(
                "Password should have at least three of: an uppercase letter, a lowercase letter, a \
                 number, a symbol",
            ));
        }
        if !account_name.is_empty() && password == account_name {
            return Err(violation("Password should not be the name of the account"));
        }
        return Ok(());
    };
    for (required, has, what) in [
        (policy.require_uppercase, upper, "uppercase letter"),
        (policy.require_lowercase, lower, "lowercase letter"),
        (policy.require_numbers, number, "number"),
        (policy.require_symbols, symbol, "symbol"),
    ] {
        if required && !has {
            return Err(violation(format!(
                "Password should have at least one {what}"
            )));
        }
    }
    Ok(())
}

/// When a password that was set at `changed_at` expires; milliseconds since the epoch.
pub(crate) fn expires_at(policy: Option<&PasswordPolicy>, changed_at: i64) -> Option<i64> {
    let days = policy?.max_age_days?;
    Some(changed_at.saturating_add(days.saturating_mul(DAY_MS)))
}

/// What a right password gives. Expiry acts at once on passwords that exist ("Rotating passwords").
pub(crate) fn state(
    profile: &LoginProfile,
    policy: Option<&PasswordPolicy>,
    now: Timestamp,
) -> PasswordState {
    let expires = expires_at(policy, profile.changed_at);
    let expired = expires.is_some_and(|at| at <= now.as_millisecond());
    let hard = policy
        .and_then(|policy| policy.hard_expiry)
        .unwrap_or(false);
    match (expired, hard) {
        (true, true) => PasswordState::Expired,
        (true, false) => PasswordState::MustChange,
        (false, _) if profile.reset_required => PasswordState::MustChange,
        (false, _) => PasswordState::Valid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> PasswordPolicy {
        PasswordPolicy {
            minimum_length: POLICY_LENGTH,
            require_symbols: false,
            require_numbers: false,
            require_uppercase: false,
            require_lowercase: false,
            allow_users_to_change: false,
            max_age_days: None,
            reuse_prevention: None,
            hard_expiry: None,
        }
    }

    #[test]
    fn i1_the_default_policy_wants_eight_characters_of_three_classes() {
        for (password, taken) in [
            ("Abcdefg1", true),
            ("abcdef1!", true),
            ("ABCDEF1!", true),
            ("Abcdefg!", true),
            ("Abcde1!", false),
            ("abcdefgh", false),
            ("Abcdefgh", false),
            ("12345678!", false),
            ("Åbcdefg1", false),
            ("Accountname1", false),
        ] {
            assert_eq!(
                check(password, None, "Accountname1").is_ok(),
                taken,
                "{password}"
            );
        }
    }

    #[test]
    fn i1_a_policy_of_the_account_replaces_the_default() {
        assert!(check("abcdef", Some(&policy()), "").is_ok());
        assert!(check("abcde", Some(&policy()), "").is_err());
        type Change = fn(&mut PasswordPolicy);
        let cases: [(Change, &str, &str); 4] = [
            (|p| p.require_symbols = true, "abcdef", "abcde|"),
            (|p| p.require_numbers = true, "abcdef", "abcde1"),
            (|p| p.require_uppercase = true, "abcdef", "abcdeF"),
            (|p| p.require_lowercase = true, "ABCDEF", "ABCDEf"),
        ];
        for (change, refused, taken) in cases {
            let mut policy = policy();
            change(&mut policy);
            assert!(check(refused, Some(&policy), "").is_err(), "{policy:?}");
            assert!(check(taken, Some(&policy), "").is_ok(), "{policy:?}");
        }
        // A character that AWS does not list is no symbol.
        let symbols = PasswordPolicy {
            require_symbols: true,
            ..policy()
        };
        assert!(check("abcdef~", Some(&symbols), "").is_err());
    }

    #[test]
    fn i1_expiry_acts_at_once_and_hard_expiry_needs_an_administrator() {
        let profile = LoginProfile {
            sealed_hash: Vec::new(),
            created_at: 0,
            changed_at: 0,
            reset_required: false,
            max_signin_seconds: None,
            last_used_at: None,
            failures: 0,
            wait_until: 0,
        };
        let at = |ms| Timestamp::from_millisecond(ms).unwrap();
        let aged = PasswordPolicy {
            max_age_days: Some(90),
            ..policy()
        };
        let hard = PasswordPolicy {
            hard_expiry: Some(true),
            ..aged.clone()
        };
        let end = 90 * DAY_MS;
        for (policy, now, expected) in [
            (None, i64::from(i32::MAX), PasswordState::Valid),
            (Some(&aged), end - 1, PasswordState::Valid),
            (Some(&aged), end, PasswordState::MustChange),
            (Some(&hard), end, PasswordState::Expired),
        ] {
            assert_eq!(
                state(&profile, policy, at(now)),
                expected,
                "{policy:?} {now}"
            );
        }
        let reset = LoginProfile {
            reset_required: true,
            ..profile
        };
        assert_eq!(state(&reset, None, at(0)), PasswordState::MustChange);
    }
}
