//! Types that every crate shares: account ids, regions, ARNs, randomness and text encodings.
//!
//! ```
//! use aws_types::{AccountId, Arn, Region};
//!
//! let account: AccountId = "123456789012".parse()?;
//! let region: Region = "us-east-1".parse()?;
//! let repository = Arn::ecr_repository(&region, account, "team/app");
//! assert_eq!(repository.as_str(), "arn:aws:ecr:us-east-1:123456789012:repository/team/app");
//! let role = Arn::iam_role(account, "/ci/", "build");
//! assert_eq!(role.as_str(), "arn:aws:iam::123456789012:role/ci/build");
//! # Ok::<(), aws_types::Invalid>(())
//! ```
//!
//! # Invariants
//! - A value of [`AccountId`], [`Region`] or [`Arn`] is always well formed; the constructors are the
//!   only place that checks.
//! - [`Entropy`] either fills the whole buffer or fails. Nobody continues with zeros.
//! - Each encoding exists once ([`hex`], [`percent`], [`time`]).
//!
//! # What is absent
//! No I/O except the operating system's random source, no clock, and no rule of any service.

mod account_id;
mod arn;
mod cidr;
mod entropy;
pub mod hex;
pub mod host_proof;
pub mod percent;
mod region;
pub mod time;

pub use account_id::AccountId;
pub use arn::{ARN_CHARS_MAX, Arn};
pub use cidr::Cidr;
pub use entropy::{Entropy, EntropyError, SystemEntropy, draw};
pub use region::Region;

/// A text that does not have the expected form. The text itself is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {expected}")]
pub struct Invalid {
    /// What was expected.
    pub expected: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn account_ids() {
        assert!("123456789012".parse::<AccountId>().is_ok());
        for bad in [
            "",
            "12345678901",
            "1234567890123",
            "12345678901a",
            "１23456789012",
        ] {
            assert!(bad.parse::<AccountId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn regions() {
        for good in ["us-east-1", "us-gov-west-1", "local", "x1"] {
            assert!(good.parse::<Region>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "a",
            "US-EAST-1",
            "-us",
            "us-",
            "us_east",
            "us.east",
            "abcdefghijklmnopqrstuvwxyz",
        ] {
            assert!(bad.parse::<Region>().is_err(), "{bad}");
        }
    }

    #[test]
    fn arns() -> Result<(), Invalid> {
        let arn: Arn = "arn:aws:iam::123456789012:role/ci:x/y".parse()?;
        let parts = (
            arn.partition(),
            arn.service(),
            arn.region(),
            arn.account(),
            arn.resource(),
        );
        assert_eq!(parts, ("aws", "iam", "", "123456789012", "role/ci:x/y"));
        for bad in [
            "",
            "arn",
            "arn:",
            "arn:aws:iam::1",
            "arn:aws:iam::1:",
            "arn::iam::1:x",
            "arn:aws:::1:x",
            "arn:aws:i am::1:x",
            "arn:aws:iam::1:a b",
            "arn:aws:iam::1:a\n",
            "arn:aws:iam:*:1:x",
        ] {
            assert!(bad.parse::<Arn>().is_err(), "{bad}");
        }
        assert!(Arn::new("aws", "iam", "", "1:2", "x").is_err());
        Ok(())
    }

    proptest! {
        #[test]
        fn what_is_an_arn_reads_back(text in "arn:[a-z]{0,3}:[a-z]{0,3}:[a-z0-9-]{0,3}:[0-9]{0,3}:[a-z:/*]{0,9}") {
            if let Ok(arn) = text.parse::<Arn>() {
                let again = Arn::new(arn.partition(), arn.service(), arn.region(), arn.account(), arn.resource());
                prop_assert_eq!(again.as_ref(), Ok(&arn));
                prop_assert_eq!(arn.to_string(), text);
            }
        }
    }
}
