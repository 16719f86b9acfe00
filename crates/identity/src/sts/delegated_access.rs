//! `GetDelegatedAccessToken`: the exchange of a delegation request's token.

use aws_api::sts::{ErrorCode, GetDelegatedAccessTokenRequest, GetDelegatedAccessTokenResponse};

use crate::{Authorized, Error, Identity};

impl Identity {
    /// `GetDelegatedAccessToken`. A token reaches the requestor through a notification channel, which
    /// Berth does not have: it has sent none that it could accept.
    ///
    /// # Errors
    /// Always `ExpiredTradeInTokenException`.
    pub async fn get_delegated_access_token(
        &self,
        _cx: &Authorized,
        _input: GetDelegatedAccessTokenRequest,
    ) -> Result<GetDelegatedAccessTokenResponse, Error> {
        Err(Error::new(
            ErrorCode::ExpiredTradeInToken,
            "The trade-in token provided in the request has expired and can no longer be exchanged for \
             credentials. Request a new token and retry the operation.",
        ))
    }
}
