//! Tags of users, roles, customer managed policies, instance profiles, SAML providers and server
//! certificates.

use aws_api::iam::{
    ListInstanceProfileTagsRequest, ListInstanceProfileTagsResponse, ListPolicyTagsRequest,
    ListPolicyTagsResponse, ListRoleTagsRequest, ListRoleTagsResponse, ListSAMLProviderTagsRequest,
    ListSAMLProviderTagsResponse, ListServerCertificateTagsRequest,
    ListServerCertificateTagsResponse, ListUserTagsRequest, ListUserTagsResponse, Tag,
    TagInstanceProfileRequest, TagPolicyRequest, TagRoleRequest, TagSAMLProviderRequest,
    TagServerCertificateRequest, TagUserRequest, UntagInstanceProfileRequest, UntagPolicyRequest,
    UntagRoleRequest, UntagSAMLProviderRequest, UntagServerCertificateRequest, UntagUserRequest,
};
use store::Conn;
use store::iam::entity::{Entity, Kind};
use store::iam::tag;

use super::managed_policies::PolicyChange;
use super::{commit, get_existing, views};
use crate::paging::{Cut, Page};
use crate::{Authorized, Error, Identity};

macro_rules! tagged {
    ($($kind:ident $name:ident: $set:ident($set_request:ident) $unset:ident($unset_request:ident)
       $list:ident($list_request:ident) -> $list_response:ident;)*) => {
        impl Identity {$(
            #[doc = concat!("`Tag", stringify!($kind), "`; a tag of the same key is replaced.")]
            ///
            /// # Errors
            /// `NoSuchEntity`, `InvalidInput`, `LimitExceeded`.
            pub async fn $set(&self, cx: &Authorized, input: $set_request) -> Result<(), Error> {
                self.tag(cx, Kind::$kind, &input.$name, &input.tags).await
            }

            #[doc = concat!("`Untag", stringify!($kind), "`; keys that are not there are left out.")]
            ///
            /// # Errors
            /// `NoSuchEntity`.
            pub async fn $unset(&self, cx: &Authorized, input: $unset_request) -> Result<(), Error> {
                self.untag(cx, Kind::$kind, &input.$name, &input.tag_keys).await
            }

            #[doc = concat!("`List", stringify!($kind), "Tags`.")]
            ///
            /// # Errors
            /// `NoSuchEntity`.
            pub async fn $list(&self, cx: &Authorized, input: $list_request) -> Result<$list_response, Error> {
                let page = Page::new(input.max_items, input.marker.as_deref())?;
                let cut = self.list_tags(cx, Kind::$kind, &input.$name, &page).await?;
                Ok($list_response {
                    tags: cut.items,
                    is_truncated: cut.is_truncated,
                    marker: cut.marker,
                })
            }
        )*}
    };
}

tagged! {
    User user_name: tag_user(TagUserRequest) untag_user(UntagUserRequest)
        list_user_tags(ListUserTagsRequest) -> ListUserTagsResponse;
    Role role_name: tag_role(TagRoleRequest) untag_role(UntagRoleRequest)
        list_role_tags(ListRoleTagsRequest) -> ListRoleTagsResponse;
    Policy policy_arn: tag_policy(TagPolicyRequest) untag_policy(UntagPolicyRequest)
        list_policy_tags(ListPolicyTagsRequest) -> ListPolicyTagsResponse;
    SamlProvider saml_provider_arn: tag_saml_provider(TagSAMLProviderRequest)
        untag_saml_provider(UntagSAMLProviderRequest)
        list_saml_provider_tags(ListSAMLProviderTagsRequest) -> ListSAMLProviderTagsResponse;
    InstanceProfile instance_profile_name: tag_instance_profile(TagInstanceProfileRequest)
        untag_instance_profile(UntagInstanceProfileRequest)
        list_instance_profile_tags(ListInstanceProfileTagsRequest) -> ListInstanceProfileTagsResponse;
    ServerCertificate server_certificate_name: tag_server_certificate(TagServerCertificateRequest)
        untag_server_certificate(UntagServerCertificateRequest)
        list_server_certificate_tags(ListServerCertificateTagsRequest) -> ListServerCertificateTagsResponse;
}

/// What the tags of an entity are ordered by: the key, and on managed policies its length before
/// (recorded in LocalStack's `test_policy_tag_order`).
fn sort_key(kind: Kind, key: &str) -> String {
    match kind {
        Kind::Policy => format!("{:03}{key}", key.chars().count()),
        _ if tag::ignores_case(kind) => key.to_lowercase(),
        _ => key.to_owned(),
    }
}

impl Identity {
    /// The entity that a tagging operation names: policies by ARN, others by name.
    async fn tagged(
        &self,
        conn: &mut Conn<'_>,
        cx: &Authorized,
        kind: Kind,
        name: &str,
    ) -> Result<Entity, Error> {
        match kind {
            Kind::Policy => self.own_policy(conn, cx, name, PolicyChange::Update).await,
            Kind::SamlProvider => super::saml_providers::existing(conn, cx, name).await,
            _ => get_existing(conn, cx, kind, name).await,
        }
    }

    async fn tag(
        &self,
        cx: &Authorized,
        kind: Kind,
        name: &str,
        tags: &[Tag],
    ) -> Result<(), Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let found = self.tagged(&mut conn, cx, kind, name).await?;
        self.put_tags(&mut conn, &found, tags).await?;
        commit(tx).await
    }

    async fn untag(
        &self,
        cx: &Authorized,
        kind: Kind,
        name: &str,
        keys: &[String],
    ) -> Result<(), Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let found = self.tagged(&mut conn, cx, kind, name).await?;
        for key in keys {
            tag::delete(&mut conn, found.id, kind, key).await?;
        }
        commit(tx).await
    }

    async fn list_tags(
        &self,
        cx: &Authorized,
        kind: Kind,
        name: &str,
        page: &Page,
    ) -> Result<Cut<Tag>, Error> {
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let found = self.tagged(&mut conn, cx, kind, name).await?;
        let tags = views::tags(&mut conn, found.id).await?.unwrap_or_default();
        Ok(page.of(tags, |tag| sort_key(kind, &tag.key)))
    }
}
