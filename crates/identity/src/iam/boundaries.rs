//! Permissions boundaries of users and roles.

use aws_api::iam::ErrorCode;
use aws_api::iam::{
    DeleteRolePermissionsBoundaryRequest, DeleteUserPermissionsBoundaryRequest,
    PutRolePermissionsBoundaryRequest, PutUserPermissionsBoundaryRequest,
};
use store::Conn;
use store::iam::entity::{self, Kind};

use super::service_linked_roles::check_modifiable;
use super::{commit, get_existing};
use crate::{Authorized, Error, Identity, messages};

impl Identity {
    /// `PutUserPermissionsBoundary`.
    ///
    /// # Errors
    /// `NoSuchEntity` for the user or the policy.
    pub async fn put_user_permissions_boundary(
        &self,
        cx: &Authorized,
        input: PutUserPermissionsBoundaryRequest,
    ) -> Result<(), Error> {
        let arn = Some(input.permissions_boundary.as_str());
        self.set_boundary(cx, Kind::User, &input.user_name, arn)
            .await
    }

    /// `PutRolePermissionsBoundary`.
    ///
    /// # Errors
    /// `NoSuchEntity` for the role or the policy.
    pub async fn put_role_permissions_boundary(
        &self,
        cx: &Authorized,
        input: PutRolePermissionsBoundaryRequest,
    ) -> Result<(), Error> {
        let arn = Some(input.permissions_boundary.as_str());
        self.set_boundary(cx, Kind::Role, &input.role_name, arn)
            .await
    }

    /// `DeleteUserPermissionsBoundary`.
    ///
    /// # Errors
    /// `NoSuchEntity`, also when the user has none.
    pub async fn delete_user_permissions_boundary(
        &self,
        cx: &Authorized,
        input: DeleteUserPermissionsBoundaryRequest,
    ) -> Result<(), Error> {
        self.set_boundary(cx, Kind::User, &input.user_name, None)
            .await
    }

    /// `DeleteRolePermissionsBoundary`.
    ///
    /// # Errors
    /// `NoSuchEntity`, also when the role has none.
    pub async fn delete_role_permissions_boundary(
        &self,
        cx: &Authorized,
        input: DeleteRolePermissionsBoundaryRequest,
    ) -> Result<(), Error> {
        self.set_boundary(cx, Kind::Role, &input.role_name, None)
            .await
    }

    async fn set_boundary(
        &self,
        cx: &Authorized,
        kind: Kind,
        name: &str,
        arn: Option<&str>,
    ) -> Result<(), Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let found = get_existing(&mut conn, cx, kind, name).await?;
        check_modifiable(&found)?;
        match arn {
            Some(arn) => {
                let account = cx.account.as_str();
                self.boundary_policy(&mut conn, account, arn).await?;
            }
            None if found.boundary_arn.is_none() => {
                let word = kind.as_str();
                return Err(Error::new(
                    ErrorCode::NoSuchEntity,
                    format!("Permissions boundary of {word} {name} cannot be found."),
                ));
            }
            None => {}
        }
        entity::set_boundary(&mut conn, found.id, arn).await?;
        commit(tx).await
    }

    /// The managed policy that is to be a boundary in the account, which must be there.
    pub(super) async fn boundary_policy(
        &self,
        conn: &mut Conn<'_>,
        account: &str,
        arn: &str,
    ) -> Result<(), Error> {
        let found = self.0.policies.find_in(conn, account, arn).await?;
        found
            .map(drop)
            .ok_or_else(|| messages::boundary_not_attachable(arn))
    }
}
