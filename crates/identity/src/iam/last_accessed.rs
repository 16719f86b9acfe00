//! Last accessed data: which services a policy lets principals call, and when they last did.
//!
//! Berth notes services, not single actions: a job at `ACTION_LEVEL` answers without tracked actions. A
//! report is complete as soon as it is asked for. Sources: UG access_policies_access-advisor; the model.

use std::collections::BTreeMap;

use aws_api::authorization;
use aws_api::iam::{
    AccessAdvisorUsageGranularityType as Granularity, EntityDetails, EntityInfo, ErrorCode,
    ErrorDetails, GenerateOrganizationsAccessReportRequest,
    GenerateOrganizationsAccessReportResponse, GenerateServiceLastAccessedDetailsRequest,
    GenerateServiceLastAccessedDetailsResponse, GetOrganizationsAccessReportRequest,
    GetOrganizationsAccessReportResponse, GetServiceLastAccessedDetailsRequest,
    GetServiceLastAccessedDetailsResponse, GetServiceLastAccessedDetailsWithEntitiesRequest,
    GetServiceLastAccessedDetailsWithEntitiesResponse, JobStatusType, PolicyOwnerEntityType,
    ServiceLastAccessed,
};
use store::Conn;
use store::iam::entity::{Entity, Kind};
use store::iam::service_use::{self, AccessJob, ServiceUse};
use store::iam::{attachment, group};

use super::service_grants::Services;
use super::{commit, time};
use crate::paging::Page;
use crate::policy_cache::{ManagedPolicyRef, Named, entity_by_arn};
use crate::{Authorized, CallerKind, Error, Identity, ids};

/// How far back uses count (the model, "the trailing 400 days").
const TRACKED_MS: i64 = 400 * 24 * 3600 * 1000;
/// How long a report can be read. AWS does not tell.
const JOB_LIFETIME_MS: i64 = 7 * 24 * 3600 * 1000;
/// Reports that an account keeps; the newest stay.
const JOBS_MAX: i64 = 1000;
/// Principals of a group or policy that a report looks at.
const PRINCIPALS_MAX: i64 = 5000;

fn no_job(id: &str) -> Error {
    Error::new(
        ErrorCode::NoSuchEntity,
        format!("The job with id {id} cannot be found."),
    )
}

/// Who asks, for "the same user or role that generated the report" (the model).
fn requester(cx: &Authorized) -> String {
    match &cx.caller.kind {
        CallerKind::RoleSession { .. } => {
            let id = cx.caller.user_id.split(':').next();
            id.unwrap_or_default().to_owned()
        }
        _ => cx.caller.user_id.to_string(),
    }
}

/// What a report is about: the policies, and whose uses count.
struct Subject {
    services: Services,
    principals: Vec<Entity>,
}

impl Identity {
    /// `GenerateServiceLastAccessedDetails`: a report about a user, group, role or policy.
    ///
    /// # Errors
    /// `NoSuchEntity`, `InvalidInput`.
    pub async fn generate_service_last_accessed_details(
        &self,
        cx: &Authorized,
        input: GenerateServiceLastAccessedDetailsRequest,
    ) -> Result<GenerateServiceLastAccessedDetailsResponse, Error> {
        {
            let mut read = self.0.store.snapshot().await?;
            self.subject(&mut read.conn(), cx, &input.arn).await?;
        }
        let action_level = input.granularity == Some(Granularity::ActionLevel);
        let job_id = self.new_job(cx, input.arn, action_level).await?;
        Ok(GenerateServiceLastAccessedDetailsResponse {
            job_id: Some(job_id),
        })
    }

    /// `GetServiceLastAccessedDetails`: each service that the policies allow, in the order of the
    /// namespaces, with its last use.
    ///
    /// # Errors
    /// `NoSuchEntity` for a job of somebody else's, and when its subject is gone; `ValidationError` for a
    /// marker.
    pub async fn get_service_last_accessed_details(
        &self,
        cx: &Authorized,
        input: GetServiceLastAccessedDetailsRequest,
    ) -> Result<GetServiceLastAccessedDetailsResponse, Error> {
        let page = Page::new(input.max_items, input.marker.as_deref())?;
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let job = own_job(&mut conn, cx, &input.job_id).await?;
        let subject = self.subject(&mut conn, cx, &job.subject).await?;
        let mut uses: BTreeMap<String, Vec<(ServiceUse, &Entity)>> = BTreeMap::new();
        let since = cx.now_ms() - TRACKED_MS;
        for principal in &subject.principals {
            for used in service_use::list(&mut conn, principal.id, since).await? {
                let of_service = uses.entry(used.service.clone()).or_default();
                of_service.push((used, principal));
            }
        }
        let cut = page.of(subject.services.prefixes(), |prefix| (*prefix).to_owned());
        let shown = |prefix: &'static str| {
            let used = uses.get(prefix).map_or(&[][..], Vec::as_slice);
            let last = used.iter().max_by_key(|(used, _)| used.at);
            ServiceLastAccessed {
                service_name: service_name(prefix),
                service_namespace: prefix.to_owned(),
                last_authenticated: last.map(|(used, _)| time(used.at)),
                last_authenticated_entity: last.map(|(_, entity)| entity.arn()),
                last_authenticated_region: last.map(|(used, _)| used.region.clone()),
                total_authenticated_entities: i32::try_from(used.len()).ok(),
                tracked_actions_last_accessed: None,
            }
        };
        Ok(GetServiceLastAccessedDetailsResponse {
            job_status: JobStatusType::Completed,
            job_type: Some(match job.action_level {
                true => Granularity::ActionLevel,
                false => Granularity::ServiceLevel,
            }),
            job_creation_date: time(job.created_at),
            job_completion_date: time(job.created_at),
            services_last_accessed: cut.items.into_iter().map(shown).collect(),
            is_truncated: cut.is_truncated,
            marker: cut.marker,
            error: None,
        })
    }

    /// `GetServiceLastAccessedDetailsWithEntities`: who of a group or policy called a service.
    ///
    /// # Errors
    /// As above; `InvalidInput` for a service that the policies do not allow.
    pub async fn get_service_last_accessed_details_with_entities(
        &self,
        cx: &Authorized,
        input: GetServiceLastAccessedDetailsWithEntitiesRequest,
    ) -> Result<GetServiceLastAccessedDetailsWithEntitiesResponse, Error> {
        let page = Page::new(input.max_items, input.marker.as_deref())?;
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let job = own_job(&mut conn, cx, &input.job_id).await?;
        let subject = self.subject(&mut conn, cx, &job.subject).await?;
        let service = input.service_namespace;
        if !subject.services.contains(&service) {
            return Err(Error::new(
                ErrorCode::InvalidInput,
                format!("The report has no service with the namespace {service}."),
            ));
        }
        let cut = page.of(subject.principals, |entity| entity.unique_id.clone());
        let since = cx.now_ms() - TRACKED_MS;
        let mut entity_details_list = Vec::with_capacity(cut.items.len());
        for entity in &cut.items {
            let used = service_use::list(&mut conn, entity.id, since).await?;
            let used = used.into_iter().find(|used| used.service == service);
            entity_details_list.push(EntityDetails {
                entity_info: EntityInfo {
                    arn: entity.arn(),
                    name: entity.name.clone(),
                    r#type: match entity.kind {
                        Kind::Role => PolicyOwnerEntityType::Role,
                        Kind::Group => PolicyOwnerEntityType::Group,
                        _ => PolicyOwnerEntityType::User,
                    },
                    id: entity.unique_id.clone(),
                    path: Some(entity.path.clone()),
                },
                last_authenticated: used.map(|used| time(used.at)),
            });
        }
        Ok(GetServiceLastAccessedDetailsWithEntitiesResponse {
            job_status: JobStatusType::Completed,
            job_creation_date: time(job.created_at),
            job_completion_date: time(job.created_at),
            entity_details_list,
            is_truncated: cut.is_truncated,
            marker: cut.marker,
            error: None,
        })
    }

    /// `GenerateOrganizationsAccessReport`: the job is made; [`Identity::get_organizations_access_report`]
    /// says why it has no report.
    ///
    /// # Errors
    /// The database's.
    pub async fn generate_organizations_access_report(
        &self,
        cx: &Authorized,
        input: GenerateOrganizationsAccessReportRequest,
    ) -> Result<GenerateOrganizationsAccessReportResponse, Error> {
        let subject = match input.organizations_policy_id {
            Some(policy) => format!("{}#{policy}", input.entity_path),
            None => input.entity_path,
        };
        Ok(GenerateOrganizationsAccessReportResponse {
            job_id: Some(self.new_job(cx, subject, false).await?),
        })
    }

    /// `GetOrganizationsAccessReport`. Uses are not gathered over the accounts of an organization: the
    /// job has failed, and says so.
    ///
    /// # Errors
    /// `NoSuchEntity` for a job of somebody else's.
    pub async fn get_organizations_access_report(
        &self,
        cx: &Authorized,
        input: GetOrganizationsAccessReportRequest,
    ) -> Result<GetOrganizationsAccessReportResponse, Error> {
        Page::new(input.max_items, input.marker.as_deref())?;
        let mut read = self.0.store.snapshot().await?;
        let job = own_job(&mut read.conn(), cx, &input.job_id).await?;
        if job.subject.starts_with("arn:") {
            return Err(no_job(&input.job_id));
        }
        Ok(GetOrganizationsAccessReportResponse {
            job_status: JobStatusType::Failed,
            job_creation_date: time(job.created_at),
            job_completion_date: Some(time(job.created_at)),
            is_truncated: Some(false),
            error_details: Some(ErrorDetails {
                message: format!(
                    "No report can be made for {}: this server keeps last accessed data by account.",
                    job.subject
                ),
                code: "ReportNotAvailable".to_owned(),
            }),
            ..Default::default()
        })
    }

    async fn new_job(
        &self,
        cx: &Authorized,
        subject: String,
        action_level: bool,
    ) -> Result<String, Error> {
        let job = AccessJob {
            id: ids::uuid(&*self.0.entropy)?,
            requester: requester(cx),
            subject,
            action_level,
            created_at: cx.now_ms(),
        };
        let oldest = cx.now_ms() - JOB_LIFETIME_MS;
        let mut tx = self.change(cx).await?;
        let account = cx.account.as_str();
        service_use::insert_job(&mut tx.conn(), account, &job, oldest, JOBS_MAX).await?;
        commit(tx).await?;
        Ok(job.id)
    }

    /// The policies and principals of an ARN.
    async fn subject(
        &self,
        conn: &mut Conn<'_>,
        cx: &Authorized,
        arn: &str,
    ) -> Result<Subject, Error> {
        let account = cx.account.as_str();
        let gone = || {
            Error::new(
                ErrorCode::NoSuchEntity,
                format!("ARN {arn} does not exist."),
            )
        };
        if arn.contains(":policy/") {
            let found = self.0.policies.find_in(conn, account, arn).await?;
            let found = found.ok_or_else(gone)?;
            let document = self.managed_document(conn, &found, arn).await?;
            let mut principals = Vec::new();
            for holder in attachment::entities(conn, account, arn, 0, PRINCIPALS_MAX).await? {
                principals.extend(members_of(conn, holder).await?);
            }
            principals.sort_by_key(|entity| entity.id);
            principals.dedup_by_key(|entity| entity.id);
            return Ok(Subject {
                services: Services::of(&[document]),
                principals,
            });
        }
        let found = entity_by_arn(conn, arn).await?;
        let found = found.filter(|found| found.account == account);
        let found =
            found.filter(|found| matches!(found.kind, Kind::User | Kind::Group | Kind::Role));
        let found = found.ok_or_else(gone)?;
        let mut documents: Vec<Named> = Vec::new();
        self.0
            .policies
            .of_entity(conn, &found, &mut documents)
            .await?;
        if found.kind == Kind::User {
            for group in group::of_user(conn, found.id).await? {
                self.0
                    .policies
                    .of_entity(conn, &group, &mut documents)
                    .await?;
            }
        }
        Ok(Subject {
            services: Services::of(&documents),
            principals: members_of(conn, found).await?,
        })
    }

    async fn managed_document(
        &self,
        conn: &mut Conn<'_>,
        found: &ManagedPolicyRef<'_>,
        arn: &str,
    ) -> Result<Named, Error> {
        let arn = match found {
            ManagedPolicyRef::Aws(policy) => policy.arn(),
            ManagedPolicyRef::Customer(_) => arn.to_owned(),
        };
        let kind = policy::DocumentKind::Managed;
        let document = self.0.policies.managed(conn, &arn, kind).await?;
        document.ok_or_else(|| Error::internal("the policy is gone"))
    }
}

/// The caller's job.
async fn own_job(conn: &mut Conn<'_>, cx: &Authorized, id: &str) -> Result<AccessJob, Error> {
    let job = service_use::find_job(conn, cx.account.as_str(), id).await?;
    job.filter(|job| job.requester == requester(cx))
        .ok_or_else(|| no_job(id))
}

/// Whose uses count for an entity: its own, or those of a group's members.
async fn members_of(conn: &mut Conn<'_>, entity: Entity) -> Result<Vec<Entity>, Error> {
    match entity.kind {
        Kind::Group => Ok(group::members(conn, entity.id, "", PRINCIPALS_MAX).await?),
        _ => Ok(vec![entity]),
    }
}

fn service_name(prefix: &str) -> String {
    let service = authorization::service(prefix);
    service.map_or(prefix, |service| service.name()).to_owned()
}
