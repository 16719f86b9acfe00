//! Organizational units.

use aws_api::organizations::{
    CreateOrganizationalUnitRequest, CreateOrganizationalUnitResponse,
    DeleteOrganizationalUnitRequest, DescribeOrganizationalUnitRequest,
    DescribeOrganizationalUnitResponse, ListOrganizationalUnitsForParentRequest,
    ListOrganizationalUnitsForParentResponse, OrganizationalUnit, UpdateOrganizationalUnitRequest,
    UpdateOrganizationalUnitResponse,
};
use store::organizations::member;
use store::organizations::organization::Organization;
use store::organizations::unit::{self, Unit};
use store::{Conn, Topic};

use super::lifecycle::forget;
use super::paging::Page;
use super::tree::{self, DEPTH_MAX};
use super::{Organizations, arn, attach_defaults, decided, messages, tags};
use crate::{Authorized, Error};

/// Units in an organization (Organizations User Guide, "Quotas for AWS Organizations").
const UNITS_MAX: i64 = 2_000;

impl Organizations {
    /// `CreateOrganizationalUnit`.
    ///
    /// # Errors
    /// `ParentNotFoundException`, `DuplicateOrganizationalUnitException`; `ConstraintViolationException`
    /// for more than five levels and for too many units.
    pub async fn create_organizational_unit(
        &self,
        cx: &Authorized,
        input: CreateOrganizationalUnitRequest,
    ) -> Result<CreateOrganizationalUnitResponse, Error> {
        let mut tx = self.change().await?;
        let mut conn = tx.conn();
        let organization = decided(&mut conn, cx).await?;
        let parent = tree::parent(&mut conn, &organization, &input.parent_id).await?;
        let parent = parent.ok_or_else(messages::no_parent)?.id;
        // The lineage holds the root, which is no unit.
        let above = tree::lineage(&mut conn, &organization, &parent).await?;
        if above.len() > DEPTH_MAX {
            return Err(messages::constraint(
                "OU_DEPTH_LIMIT_EXCEEDED",
                "You have exceeded the allowed depth for OUs.",
            ));
        }
        if unit::count(&mut conn, &organization.id).await? >= UNITS_MAX {
            return Err(messages::constraint(
                "OU_NUMBER_LIMIT_EXCEEDED",
                "You have exceeded the allowed number of OUs.",
            ));
        }
        if unit::find_named(&mut conn, &parent, &input.name)
            .await?
            .is_some()
        {
            return Err(messages::duplicate_unit());
        }
        let root = organization.root_id.trim_start_matches("r-");
        let created = Unit {
            id: self.fresh_id::<8>(&format!("ou-{root}-"))?,
            organization: organization.id.clone(),
            parent,
            name: input.name,
        };
        unit::insert(&mut conn, &created).await?;
        attach_defaults(&mut conn, &organization.id, &created.id).await?;
        tags::put(&mut conn, &organization.id, &created.id, input.tags).await?;
        let view = view(&mut conn, &organization, &created).await?;
        tx.touch(Topic::Organization(&organization.id));
        tx.commit().await?;
        Ok(CreateOrganizationalUnitResponse {
            organizational_unit: Some(view),
        })
    }

    /// `DescribeOrganizationalUnit`.
    ///
    /// # Errors
    /// `OrganizationalUnitNotFoundException`.
    pub async fn describe_organizational_unit(
        &self,
        cx: &Authorized,
        input: DescribeOrganizationalUnitRequest,
    ) -> Result<DescribeOrganizationalUnitResponse, Error> {
        let mut read = self.0.0.store.snapshot().await?;
        let mut conn = read.conn();
        let organization = decided(&mut conn, cx).await?;
        let found = existing(&mut conn, &organization, &input.organizational_unit_id).await?;
        Ok(DescribeOrganizationalUnitResponse {
            organizational_unit: Some(view(&mut conn, &organization, &found).await?),
        })
    }

    /// `UpdateOrganizationalUnit`: another name.
    ///
    /// # Errors
    /// `OrganizationalUnitNotFoundException`, `DuplicateOrganizationalUnitException`.
    pub async fn update_organizational_unit(
        &self,
        cx: &Authorized,
        input: UpdateOrganizationalUnitRequest,
    ) -> Result<UpdateOrganizationalUnitResponse, Error> {
        let mut tx = self.change().await?;
        let mut conn = tx.conn();
        let organization = decided(&mut conn, cx).await?;
        let mut found = existing(&mut conn, &organization, &input.organizational_unit_id).await?;
        if let Some(name) = input.name {
            let taken = unit::find_named(&mut conn, &found.parent, &name).await?;
            if taken.is_some_and(|taken| taken.id != found.id) {
                return Err(messages::duplicate_unit());
            }
            unit::rename(&mut conn, &found.id, &name).await?;
            found.name = name;
        }
        let view = view(&mut conn, &organization, &found).await?;
        tx.touch(Topic::Organization(&organization.id));
        tx.commit().await?;
        Ok(UpdateOrganizationalUnitResponse {
            organizational_unit: Some(view),
        })
    }

    /// `DeleteOrganizationalUnit`: only an empty one.
    ///
    /// # Errors
    /// `OrganizationalUnitNotFoundException`, `OrganizationalUnitNotEmptyException`.
    pub async fn delete_organizational_unit(
        &self,
        cx: &Authorized,
        input: DeleteOrganizationalUnitRequest,
    ) -> Result<(), Error> {
        let mut tx = self.change().await?;
        let mut conn = tx.conn();
        let organization = decided(&mut conn, cx).await?;
        let found = existing(&mut conn, &organization, &input.organizational_unit_id).await?;
        let own = &organization.id;
        let units = unit::list(&mut conn, own, &found.id, "", 1).await?;
        let accounts = member::list(&mut conn, own, Some(&found.id), "", 1).await?;
        if !units.is_empty() || !accounts.is_empty() {
            return Err(messages::unit_not_empty());
        }
        unit::delete(&mut conn, &found.id).await?;
        forget(&mut conn, own, &found.id).await?;
        tx.touch(Topic::Organization(own));
        Ok(tx.commit().await?)
    }

    /// `ListOrganizationalUnitsForParent`.
    ///
    /// # Errors
    /// `ParentNotFoundException`.
    pub async fn list_organizational_units_for_parent(
        &self,
        cx: &Authorized,
        input: ListOrganizationalUnitsForParentRequest,
    ) -> Result<ListOrganizationalUnitsForParentResponse, Error> {
        let page = Page::new(input.max_results, input.next_token.as_deref())?;
        let mut read = self.0.0.store.snapshot().await?;
        let mut conn = read.conn();
        let organization = decided(&mut conn, cx).await?;
        let parent = tree::parent(&mut conn, &organization, &input.parent_id).await?;
        let parent = parent.ok_or_else(messages::no_parent)?.id;
        let rows = page.rows();
        let found = unit::list(&mut conn, &organization.id, &parent, &page.after, rows).await?;
        let (found, next_token) = page.cut(found, |unit| &unit.id);
        let mut units = Vec::with_capacity(found.len());
        for unit in &found {
            units.push(view(&mut conn, &organization, unit).await?);
        }
        Ok(ListOrganizationalUnitsForParentResponse {
            organizational_units: Some(units),
            next_token,
        })
    }
}

async fn existing(
    conn: &mut Conn<'_>,
    organization: &Organization,
    id: &str,
) -> Result<Unit, Error> {
    let found = unit::find(conn, &organization.id, id).await?;
    found.ok_or_else(messages::no_unit)
}

async fn view(
    conn: &mut Conn<'_>,
    organization: &Organization,
    unit: &Unit,
) -> Result<OrganizationalUnit, Error> {
    Ok(OrganizationalUnit {
        id: Some(unit.id.clone()),
        arn: Some(arn(organization, "ou", &unit.id)),
        name: Some(unit.name.clone()),
        path: Some(tree::path(conn, organization, &unit.id).await?),
    })
}
