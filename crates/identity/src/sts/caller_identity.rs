//! `GetCallerIdentity`, `GetAccessKeyInfo` and `DecodeAuthorizationMessage`.

use aws_api::CommonError;
use aws_api::sts::ErrorCode;
use aws_api::sts::{
    DecodeAuthorizationMessageRequest, DecodeAuthorizationMessageResponse, GetAccessKeyInfoRequest,
    GetAccessKeyInfoResponse, GetCallerIdentityRequest, GetCallerIdentityResponse,
};

use crate::ids::account_of_key;
use crate::{Authorized, Error, Identity};

impl Identity {
    /// `GetCallerIdentity`.
    ///
    /// # Errors
    /// None.
    pub async fn get_caller_identity(
        &self,
        cx: &Authorized,
        _input: GetCallerIdentityRequest,
    ) -> Result<GetCallerIdentityResponse, Error> {
        Ok(GetCallerIdentityResponse {
            user_id: Some(cx.caller.user_id.to_string()),
            account: Some(cx.caller.account.to_string()),
            arn: Some(cx.caller.arn.to_string()),
        })
    }

    /// `GetAccessKeyInfo`: the account of a key, of Berth's stored ones or by the account
    /// that stands in the id. Temporary keys are known by the latter alone.
    ///
    /// # Errors
    /// `ValidationError` for an id that tells no account.
    pub async fn get_access_key_info(
        &self,
        _cx: &Authorized,
        input: GetAccessKeyInfoRequest,
    ) -> Result<GetAccessKeyInfoResponse, Error> {
        let id = input.access_key_id;
        let mut read = self.0.store.snapshot().await?;
        let found = store::iam::access_key::find(&mut read.conn(), &id).await?;
        let account = match found {
            Some(key) => key.account,
            None => account_of_key(&id)
                .ok_or_else(|| {
                    Error::new(
                        CommonError::Validation,
                        format!("Invalid value for AccessKeyId: {id}"),
                    )
                })?
                .to_string(),
        };
        Ok(GetAccessKeyInfoResponse {
            account: Some(account),
        })
    }

    /// `DecodeAuthorizationMessage`.
    ///
    /// # Errors
    /// `InvalidAuthorizationMessageException` for what was not made for this account.
    pub async fn decode_authorization_message(
        &self,
        cx: &Authorized,
        input: DecodeAuthorizationMessageRequest,
    ) -> Result<DecodeAuthorizationMessageResponse, Error> {
        let message = &input.encoded_message;
        let decoded = self
            .open_authorization_message(cx.account, message, cx.now)
            .await;
        let decoded = decoded.ok_or_else(|| {
            Error::new(
                ErrorCode::InvalidAuthorizationMessage,
                "Failed to decode the authorization message.".to_owned(),
            )
        })?;
        Ok(DecodeAuthorizationMessageResponse {
            decoded_message: Some(decoded),
        })
    }
}
