//! Words that every crate shares: account IDs, regions, ARNs. Built only valid.

mod account_id;
mod arn;
mod region;

pub use account_id::AccountId;
pub use arn::Arn;
pub use region::Region;

/// A text that is not what it should be. The offending text is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {expected}")]
pub struct Invalid {
    /// What it should have been.
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
