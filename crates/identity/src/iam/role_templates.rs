//! Role templates. AWS's services own them and no operation makes one, so an account of Berth has none.

use aws_api::iam::{
    AcquireRoleRequest, AcquireRoleResponse, ErrorCode, GetRoleTemplateVersionRequest,
    GetRoleTemplateVersionResponse,
};

use crate::{Authorized, Error, Identity};

fn not_found(arn: &str) -> Error {
    Error::new(
        ErrorCode::NoSuchEntity,
        format!("The role template with ARN {arn} cannot be found."),
    )
}

impl Identity {
    /// `GetRoleTemplateVersion`.
    ///
    /// # Errors
    /// Always `NoSuchEntity`.
    pub async fn get_role_template_version(
        &self,
        _cx: &Authorized,
        input: GetRoleTemplateVersionRequest,
    ) -> Result<GetRoleTemplateVersionResponse, Error> {
        Err(not_found(&input.template_arn))
    }

    /// `AcquireRole`.
    ///
    /// # Errors
    /// Always `NoSuchEntity`.
    pub async fn acquire_role(
        &self,
        _cx: &Authorized,
        input: AcquireRoleRequest,
    ) -> Result<AcquireRoleResponse, Error> {
        Err(not_found(&input.template_arn))
    }
}
