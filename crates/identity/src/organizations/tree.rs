//! The position of a root, unit or account in the tree of an organization.

use aws_api::organizations::{
    Child, ChildType, ListChildrenRequest, ListChildrenResponse, ListParentsRequest,
    ListParentsResponse, Parent, ParentType, TargetType,
};
use store::Conn;
use store::organizations::organization::Organization;
use store::organizations::{member, unit};

use super::paging::Page;
use super::{Organizations, decided, messages};
use crate::{Authorized, Error};

/// The most units above each other below a root (Organizations User Guide, "Quotas for AWS Organizations").
pub(super) const DEPTH_MAX: usize = 5;

/// A root, a unit or an account.
pub(super) struct Node {
    pub(super) id: String,
    pub(super) kind: TargetType,
    pub(super) name: String,
    /// None for the root.
    pub(super) parent: Option<String>,
}

/// The organization's root, unit or account of this id.
pub(super) async fn node(
    conn: &mut Conn<'_>,
    organization: &Organization,
    id: &str,
) -> Result<Option<Node>, Error> {
    if id == organization.root_id {
        return Ok(Some(Node {
            id: id.to_owned(),
            kind: TargetType::Root,
            name: "Root".to_owned(),
            parent: None,
        }));
    }
    if id.starts_with("ou-") {
        let found = unit::find(conn, &organization.id, id).await?;
        return Ok(found.map(|unit| Node {
            id: unit.id,
            kind: TargetType::OrganizationalUnit,
            name: unit.name,
            parent: Some(unit.parent),
        }));
    }
    let found = member::find(conn, &organization.id, id).await?;
    Ok(found.map(|member| Node {
        id: member.account,
        kind: TargetType::Account,
        name: member.name,
        parent: Some(member.parent),
    }))
}

/// The root or unit of this id: what can be a parent.
pub(super) async fn parent(
    conn: &mut Conn<'_>,
    organization: &Organization,
    id: &str,
) -> Result<Option<Node>, Error> {
    let found = node(conn, organization, id).await?;
    Ok(found.filter(|node| node.kind != TargetType::Account))
}

/// The ids from the root down to `id`, a root's or a unit's.
pub(super) async fn lineage(
    conn: &mut Conn<'_>,
    organization: &Organization,
    id: &str,
) -> Result<Vec<String>, Error> {
    let mut ids = vec![id.to_owned()];
    let mut at = id.to_owned();
    while at != organization.root_id {
        let found = unit::find(conn, &organization.id, &at).await?;
        at = found.ok_or_else(messages::no_parent)?.parent;
        ids.push(at.clone());
    }
    ids.reverse();
    Ok(ids)
}

/// `o-…/r-…/ou-…/`: the path to a root or a unit.
pub(super) async fn path(
    conn: &mut Conn<'_>,
    organization: &Organization,
    id: &str,
) -> Result<String, Error> {
    let ids = lineage(conn, organization, id).await?;
    Ok(format!("{}/{}/", organization.id, ids.join("/")))
}

impl Organizations {
    /// `ListParents`: the one root or unit that directly holds a unit or an account.
    ///
    /// # Errors
    /// `ChildNotFoundException`.
    pub async fn list_parents(
        &self,
        cx: &Authorized,
        input: ListParentsRequest,
    ) -> Result<ListParentsResponse, Error> {
        let page = Page::new(input.max_results, input.next_token.as_deref())?;
        let mut read = self.0.0.store.snapshot().await?;
        let mut conn = read.conn();
        let organization = decided(&mut conn, cx).await?;
        let child = node(&mut conn, &organization, &input.child_id).await?;
        let parent = child
            .and_then(|child| child.parent)
            .ok_or_else(messages::no_child)?;
        let kind = match parent == organization.root_id {
            true => ParentType::Root,
            false => ParentType::OrganizationalUnit,
        };
        // There is one parent, so a page after it is empty.
        let parents = page.after.is_empty().then_some(Parent {
            id: Some(parent),
            r#type: Some(kind),
        });
        Ok(ListParentsResponse {
            parents: Some(parents.into_iter().collect()),
            next_token: None,
        })
    }

    /// `ListChildren`: the units or the accounts directly under a root or a unit.
    ///
    /// # Errors
    /// `ParentNotFoundException`.
    pub async fn list_children(
        &self,
        cx: &Authorized,
        input: ListChildrenRequest,
    ) -> Result<ListChildrenResponse, Error> {
        let page = Page::new(input.max_results, input.next_token.as_deref())?;
        let mut read = self.0.0.store.snapshot().await?;
        let mut conn = read.conn();
        let organization = decided(&mut conn, cx).await?;
        let parent = parent(&mut conn, &organization, &input.parent_id).await?;
        let parent = parent.ok_or_else(messages::no_parent)?;
        let (own, after, rows) = (&organization.id, &page.after, page.rows());
        let ids: Vec<String> = match input.child_type {
            ChildType::Account => {
                let found = member::list(&mut conn, own, Some(&parent.id), after, rows).await?;
                found.into_iter().map(|member| member.account).collect()
            }
            ChildType::OrganizationalUnit => {
                let found = unit::list(&mut conn, own, &parent.id, after, rows).await?;
                found.into_iter().map(|unit| unit.id).collect()
            }
        };
        let (ids, next_token) = page.cut(ids, String::as_str);
        let child = |id| Child {
            id: Some(id),
            r#type: Some(input.child_type),
        };
        Ok(ListChildrenResponse {
            children: Some(ids.into_iter().map(child).collect()),
            next_token,
        })
    }
}
