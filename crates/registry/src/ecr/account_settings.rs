//! Account settings of a registry.

use aws_api::ecr::{
    GetAccountSettingRequest, GetAccountSettingResponse, PutAccountSettingRequest,
    PutAccountSettingResponse,
};
use store::ecr::registry_setting;

use crate::account_setting::AccountSetting;
use crate::{Authorized, Error, Registry};

impl Registry {
    /// `GetAccountSetting`.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a setting that Amazon ECR does not have.
    pub async fn get_account_setting(
        &self,
        cx: &Authorized,
        input: GetAccountSettingRequest,
    ) -> Result<GetAccountSettingResponse, Error> {
        let setting = AccountSetting::of_name(&input.name)?;
        let facts = self.registry_facts(&cx.account, &cx.region).await?;
        Ok(GetAccountSettingResponse {
            name: Some(setting.name().to_owned()),
            value: Some(facts.setting(setting).to_owned()),
        })
    }

    /// `PutAccountSetting`.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a setting that Amazon ECR does not have, and for a value that the
    /// setting does not take.
    pub async fn put_account_setting(
        &self,
        cx: &Authorized,
        input: PutAccountSettingRequest,
    ) -> Result<PutAccountSettingResponse, Error> {
        let setting = AccountSetting::of_name(&input.name)?;
        setting.check(&input.value)?;
        let (account, region) = (cx.account.as_str(), cx.region.as_str());
        let mut tx = self.configure(cx).await?;
        let (name, value) = (setting.name(), &input.value);
        registry_setting::put(&mut tx.conn(), account, region, name, value).await?;
        self.configured(cx, tx).await?;
        Ok(PutAccountSettingResponse {
            name: Some(input.name),
            value: Some(input.value),
        })
    }
}
