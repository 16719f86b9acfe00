//! Where the credentials for a registry come from.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Credentials of Basic authentication.
#[derive(Clone)]
pub struct Basic {
    /// Base64 of `user:password`.
    pub credentials: String,
    /// How long they are good for, where they end.
    pub lasts: Option<Duration>,
}

impl Basic {
    /// Credentials that do not end.
    #[must_use]
    pub fn lasting(credentials: String) -> Basic {
        Basic {
            credentials,
            lasts: None,
        }
    }
}

/// What [`Login::basic`] answers.
pub type LoginFuture<'a> = Pin<Box<dyn Future<Output = Result<Option<Basic>, String>> + Send + 'a>>;

/// Where a registry's credentials come from.
pub trait Login: Send + Sync {
    /// The credentials; `None` for callers without a name. `renewed` after the last ones were refused.
    fn basic(&self, renewed: bool) -> LoginFuture<'_>;
}

/// Credentials that stay, or none.
pub struct StaticLogin(
    /// Base64 of `user:password`.
    pub Option<String>,
);

impl StaticLogin {
    /// The credentials of a user.
    #[must_use]
    pub fn new(user: &str, password: &str) -> StaticLogin {
        let pair = format!("{user}:{password}");
        StaticLogin(Some(STANDARD.encode(pair)))
    }
}

impl Login for StaticLogin {
    fn basic(&self, _renewed: bool) -> LoginFuture<'_> {
        Box::pin(async { Ok(self.0.clone().map(Basic::lasting)) })
    }
}
