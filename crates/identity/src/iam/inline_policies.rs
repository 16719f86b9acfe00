//! Inline policies of users, groups and roles.

use aws_api::iam::ErrorCode;
use aws_api::iam::{
    DeleteGroupPolicyRequest, DeleteRolePolicyRequest, DeleteUserPolicyRequest,
    GetGroupPolicyRequest, GetGroupPolicyResponse, GetRolePolicyRequest, GetRolePolicyResponse,
    GetUserPolicyRequest, GetUserPolicyResponse, ListGroupPoliciesRequest,
    ListGroupPoliciesResponse, ListRolePoliciesRequest, ListRolePoliciesResponse,
    ListUserPoliciesRequest, ListUserPoliciesResponse, PutGroupPolicyRequest, PutRolePolicyRequest,
    PutUserPolicyRequest,
};
use policy::{Document, DocumentKind, PolicyErrorCode, size_without_white_space};
use store::iam::entity::{Entity, Kind};
use store::iam::inline_policy::{self, InlinePolicy};

use super::service_linked_roles::check_modifiable;
use super::{commit, get_existing};
use crate::paging::{Cut, Page};
use crate::policy_cache::encode;
use crate::{Authorized, Error, Identity, messages};

/// What the inline policies of one entity may come to, white space aside (UG
/// reference_iam-quotas, "IAM and STS character limits").
fn size_max(kind: Kind) -> usize {
    match kind {
        Kind::Group => 5_120,
        Kind::Role => 10_240,
        _ => 2_048,
    }
}

macro_rules! holders {
    ($($kind:ident $document:ident $name:ident:
       $put:ident($put_request:ident) $get:ident($get_request:ident) -> $get_response:ident
       $list:ident($list_request:ident) -> $list_response:ident $delete:ident($delete_request:ident);)*) => {
        impl Identity {$(
            #[doc = concat!("`Put", stringify!($kind), "Policy`; one of this name is replaced.")]
            ///
            /// # Errors
            /// `NoSuchEntity`, `MalformedPolicyDocument`, `LimitExceeded`.
            pub async fn $put(&self, cx: &Authorized, input: $put_request) -> Result<(), Error> {
                let kind = DocumentKind::$document;
                let policy = InlinePolicy { name: input.policy_name, document: input.policy_document };
                self.put_inline(cx, Kind::$kind, kind, &input.$name, &policy).await
            }

            #[doc = concat!("`Get", stringify!($kind), "Policy`: names ignore case, and the answer has the request's.")]
            ///
            /// # Errors
            /// `NoSuchEntity`.
            pub async fn $get(&self, cx: &Authorized, input: $get_request) -> Result<$get_response, Error> {
                let (holder, found) = self.inline(cx, Kind::$kind, &input.$name, &input.policy_name).await?;
                Ok($get_response {
                    $name: holder.name,
                    policy_document: encode(&found.document),
                    policy_name: input.policy_name,
                })
            }

            #[doc = concat!("`List", stringify!($kind), "Policies`.")]
            ///
            /// # Errors
            /// `NoSuchEntity`.
            pub async fn $list(&self, cx: &Authorized, input: $list_request) -> Result<$list_response, Error> {
                let page = Page::new(input.max_items, input.marker.as_deref())?;
                let cut = self.inlines(cx, Kind::$kind, &input.$name, &page).await?;
                Ok($list_response {
                    policy_names: cut.items,
                    is_truncated: cut.is_truncated,
                    marker: cut.marker,
                })
            }

            #[doc = concat!("`Delete", stringify!($kind), "Policy`.")]
            ///
            /// # Errors
            /// `NoSuchEntity`.
            pub async fn $delete(&self, cx: &Authorized, input: $delete_request) -> Result<(), Error> {
                self.delete_inline(cx, Kind::$kind, &input.$name, &input.policy_name).await
            }
        )*}
    };
}

holders! {
    User InlineUser user_name: put_user_policy(PutUserPolicyRequest)
        get_user_policy(GetUserPolicyRequest) -> GetUserPolicyResponse
        list_user_policies(ListUserPoliciesRequest) -> ListUserPoliciesResponse
        delete_user_policy(DeleteUserPolicyRequest);
    Group InlineGroup group_name: put_group_policy(PutGroupPolicyRequest)
        get_group_policy(GetGroupPolicyRequest) -> GetGroupPolicyResponse
        list_group_policies(ListGroupPoliciesRequest) -> ListGroupPoliciesResponse
        delete_group_policy(DeleteGroupPolicyRequest);
    Role InlineRole role_name: put_role_policy(PutRolePolicyRequest)
        get_role_policy(GetRolePolicyRequest) -> GetRolePolicyResponse
        list_role_policies(ListRolePoliciesRequest) -> ListRolePoliciesResponse
        delete_role_policy(DeleteRolePolicyRequest);
}

impl Identity {
    async fn put_inline(
        &self,
        cx: &Authorized,
        kind: Kind,
        document_kind: DocumentKind,
        name: &str,
        policy: &InlinePolicy,
    ) -> Result<(), Error> {
        let parsed = Document::parse(&policy.document, document_kind);
        let too_long = match parsed.map_err(|refused| (refused.code, refused)) {
            Ok(_) => false,
            Err((PolicyErrorCode::LimitExceeded, _)) => true,
            Err((_, refused)) => return Err(refused.into()),
        };
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let holder = get_existing(&mut conn, cx, kind, name).await?;
        check_modifiable(&holder)?;
        inline_policy::put(&mut conn, holder.id, &policy.name, &policy.document).await?;
        let all = inline_policy::list(&mut conn, holder.id).await?;
        let sizes = all
            .iter()
            .map(|policy| size_without_white_space(&policy.document));
        let max = size_max(kind);
        if too_long || sizes.sum::<usize>() > max {
            let (word, name) = (kind.as_str(), &holder.name);
            return Err(Error::new(
                ErrorCode::LimitExceeded,
                format!("Maximum policy size of {max} bytes exceeded for {word} {name}"),
            ));
        }
        commit(tx).await
    }

    async fn inline(
        &self,
        cx: &Authorized,
        kind: Kind,
        name: &str,
        policy_name: &str,
    ) -> Result<(Entity, InlinePolicy), Error> {
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let holder = get_existing(&mut conn, cx, kind, name).await?;
        let found = inline_policy::find(&mut conn, holder.id, policy_name).await?;
        let found = found.ok_or_else(|| messages::inline_not_found(kind, policy_name))?;
        Ok((holder, found))
    }

    async fn inlines(
        &self,
        cx: &Authorized,
        kind: Kind,
        name: &str,
        page: &Page,
    ) -> Result<Cut<String>, Error> {
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let holder = get_existing(&mut conn, cx, kind, name).await?;
        let all = inline_policy::list(&mut conn, holder.id).await?;
        let names = all.into_iter().map(|policy| policy.name).collect();
        Ok(page.of(names, String::clone))
    }

    async fn delete_inline(
        &self,
        cx: &Authorized,
        kind: Kind,
        name: &str,
        policy_name: &str,
    ) -> Result<(), Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let holder = get_existing(&mut conn, cx, kind, name).await?;
        check_modifiable(&holder)?;
        if !inline_policy::delete(&mut conn, holder.id, policy_name).await? {
            return Err(messages::inline_not_found(kind, policy_name));
        }
        commit(tx).await
    }
}
