//! Service-specific credentials.
//!
//! The services are CodeCommit and Keyspaces (a user name and a password), and Bedrock and CloudWatch Logs
//! (an API key that can expire). None of them is Berth's: the credentials are made, shown and revoked, and
//! their secrets are told once and kept nowhere.
//!
//! Words are recorded from AWS in LocalStack's `TestIAMServiceSpecificCredentials`; where the model says
//! `NotSupportedService` for an unknown service, AWS answered `NoSuchEntity`.

use aws_api::iam::{
    CreateServiceSpecificCredentialRequest, CreateServiceSpecificCredentialResponse,
    DeleteServiceSpecificCredentialRequest, ErrorCode, ListServiceSpecificCredentialsRequest,
    ListServiceSpecificCredentialsResponse, ResetServiceSpecificCredentialRequest,
    ResetServiceSpecificCredentialResponse, ServiceSpecificCredential,
    ServiceSpecificCredentialMetadata, StatusType, UpdateServiceSpecificCredentialRequest,
};
use aws_api::{CommonError, Secret};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use store::Conn;
use store::iam::entity::{self, Entity, Kind};
use store::iam::service_credential::{self, ServiceCredential as Row};

use super::users::user_or_caller;
use super::{commit, get_existing, is_activation, time};
use crate::ids::{secret_access_key, service_credential_id};
use crate::paging::Page;
use crate::{Authorized, Error, Identity, messages};

/// The services, and whether their credentials are API keys.
const SERVICES: [(&str, bool); 4] = [
    ("bedrock.amazonaws.com", true),
    ("cassandra.amazonaws.com", false),
    ("codecommit.amazonaws.com", false),
    ("logs.amazonaws.com", true),
];
/// Credentials of a user for a service (the model, CreateServiceSpecificCredential).
const PER_SERVICE_MAX: usize = 2;
const DAY_MS: i64 = 24 * 3600 * 1000;

fn not_found(id: &str) -> Error {
    Error::new(
        ErrorCode::NoSuchEntity,
        format!("No such credential {id} exists"),
    )
}

/// Whether the service's credentials are API keys.
fn is_api_key(service: &str) -> Result<bool, Error> {
    let known = SERVICES.iter().find(|(name, _)| *name == service);
    known.map(|(_, api_key)| *api_key).ok_or_else(|| {
        Error::new(
            ErrorCode::NoSuchEntity,
            format!("No such service {service} is supported for Service Specific Credentials"),
        )
    })
}

fn invalid(message: &str) -> Error {
    Error::new(CommonError::Validation, message)
}

fn status(row: &Row, now: i64) -> StatusType {
    match (row.active, row.expires_at) {
        (_, Some(end)) if end <= now => StatusType::Expired,
        (true, _) => StatusType::Active,
        (false, _) => StatusType::Inactive,
    }
}

/// The two names that a credential can have: of a user and password, or of an API key.
fn names(row: &Row) -> (Option<String>, Option<String>) {
    match is_api_key(&row.service) {
        Ok(true) => (None, Some(row.name.clone())),
        _ => (Some(row.name.clone()), None),
    }
}

/// The user's credential of this id.
async fn credential_of(conn: &mut Conn<'_>, user: &Entity, id: &str) -> Result<Row, Error> {
    let held = service_credential::list_of_user(conn, user.id).await?;
    held.into_iter()
        .find(|row| row.id == id)
        .ok_or_else(|| not_found(id))
}

impl Identity {
    /// The credential with a fresh secret, as creation and reset answer it.
    fn with_secret(
        &self,
        user: &Entity,
        row: &Row,
        now: i64,
    ) -> Result<ServiceSpecificCredential, Error> {
        let random = secret_access_key(&*self.0.entropy)?;
        let (service_user_name, alias) = names(row);
        let (password, secret) = match &alias {
            None => (Some(Secret::new(random.to_string())), None),
            // AWS's API keys begin so, and name the alias (Bedrock UG, "API keys").
            Some(alias) => {
                let key = STANDARD.encode(format!("{alias}:{}", *random));
                (None, Some(Secret::new(format!("ABSK{key}"))))
            }
        };
        Ok(ServiceSpecificCredential {
            create_date: time(row.created_at),
            expiration_date: row.expires_at.map(time),
            service_name: row.service.clone(),
            service_user_name,
            service_password: password,
            service_credential_alias: alias,
            service_credential_secret: secret,
            service_specific_credential_id: row.id.clone(),
            user_name: user.name.clone(),
            status: status(row, now),
        })
    }

    /// `CreateServiceSpecificCredential`: the one time that the secret is told.
    ///
    /// # Errors
    /// `NoSuchEntity` for the user or the service, `LimitExceeded`; `ValidationError` for an age of what
    /// does not expire.
    pub async fn create_service_specific_credential(
        &self,
        cx: &Authorized,
        input: CreateServiceSpecificCredentialRequest,
    ) -> Result<CreateServiceSpecificCredentialResponse, Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let user = get_existing(&mut conn, cx, Kind::User, &input.user_name).await?;
        let service = input.service_name;
        let api_key = is_api_key(&service)?;
        if input.credential_age_days.is_some() && !api_key {
            return Err(invalid(
                "CredentialAgeDays is only valid for services that support long-term API keys.",
            ));
        }
        let held = service_credential::list_of_user(&mut conn, user.id).await?;
        let held: Vec<_> = held.iter().filter(|row| row.service == service).collect();
        if held.len() >= PER_SERVICE_MAX {
            let max = i64::try_from(PER_SERVICE_MAX).map_err(Error::internal)?;
            return Err(messages::quota("ServiceSpecificCredentialsPerUser", max));
        }
        // The second of a service is told apart by a number.
        let plain = format!("{}-at-{}", user.name, cx.account);
        let name = match held.iter().any(|row| row.name == plain) {
            false => plain,
            true => format!("{}+1-at-{}", user.name, cx.account),
        };
        let age = input.credential_age_days.map(i64::from);
        let row = Row {
            id: service_credential_id(&*self.0.entropy)?,
            user_id: user.id,
            service,
            name,
            active: true,
            created_at: cx.now_ms(),
            expires_at: age.map(|days| cx.now_ms().saturating_add(days * DAY_MS)),
        };
        service_credential::insert(&mut conn, cx.account.as_str(), &row).await?;
        let made = self.with_secret(&user, &row, cx.now_ms())?;
        commit(tx).await?;
        Ok(CreateServiceSpecificCredentialResponse {
            service_specific_credential: Some(made),
        })
    }

    /// `ListServiceSpecificCredentials`, without secrets. The user is looked up before the service.
    ///
    /// # Errors
    /// `NoSuchEntity` for the user or the service; `ValidationError` for a user beside `AllUsers`.
    pub async fn list_service_specific_credentials(
        &self,
        cx: &Authorized,
        input: ListServiceSpecificCredentialsRequest,
    ) -> Result<ListServiceSpecificCredentialsResponse, Error> {
        let page = Page::new(input.max_items, input.marker.as_deref())?;
        let all = input.all_users.unwrap_or(false);
        if all && input.user_name.is_some() {
            return Err(invalid(
                "AllUsers cannot be specified together with UserName.",
            ));
        }
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let user = match all {
            true => None,
            false if input.user_name.is_none() && cx.caller.kind == crate::CallerKind::Root => None,
            false => {
                let name = user_or_caller(cx, input.user_name)?;
                Some(get_existing(&mut conn, cx, Kind::User, &name).await?)
            }
        };
        let service = input.service_name.unwrap_or_default();
        if !service.is_empty() {
            is_api_key(&service)?;
        }
        let cut = match (&user, all) {
            (Some(user), _) => {
                let mut held = service_credential::list_of_user(&mut conn, user.id).await?;
                held.retain(|row| service.is_empty() || row.service == service);
                page.of(held, |row| row.id.clone())
            }
            (None, true) => {
                let account = cx.account.as_str();
                let (after, rows) = (&page.after, page.rows());
                let rows = service_credential::list(&mut conn, account, &service, after, rows);
                page.cut(rows.await?, |row| row.id.clone())
            }
            // Root has none.
            (None, false) => page.of(Vec::new(), |row: &Row| row.id.clone()),
        };
        let mut shown = Vec::with_capacity(cut.items.len());
        for row in &cut.items {
            let name = match &user {
                Some(user) => user.name.clone(),
                None => {
                    let user = entity::find_by_id(&mut conn, row.user_id).await?;
                    user.map_or_else(String::new, |user| user.name)
                }
            };
            let (service_user_name, service_credential_alias) = names(row);
            shown.push(ServiceSpecificCredentialMetadata {
                user_name: name,
                status: status(row, cx.now_ms()),
                service_user_name,
                service_credential_alias,
                create_date: time(row.created_at),
                expiration_date: row.expires_at.map(time),
                service_specific_credential_id: row.id.clone(),
                service_name: row.service.clone(),
            });
        }
        Ok(ListServiceSpecificCredentialsResponse {
            service_specific_credentials: Some(shown),
            is_truncated: cut.is_truncated,
            marker: cut.marker,
        })
    }

    /// `UpdateServiceSpecificCredential`: switches a credential on or off.
    ///
    /// # Errors
    /// `NoSuchEntity`; `ValidationError` for a status that a request cannot set.
    pub async fn update_service_specific_credential(
        &self,
        cx: &Authorized,
        input: UpdateServiceSpecificCredentialRequest,
    ) -> Result<(), Error> {
        let active = is_activation(input.status)?;
        let id = input.service_specific_credential_id;
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let name = user_or_caller(cx, input.user_name)?;
        let user = get_existing(&mut conn, cx, Kind::User, &name).await?;
        let row = credential_of(&mut conn, &user, &id).await?;
        service_credential::set_active(&mut conn, &row.id, active).await?;
        commit(tx).await
    }

    /// `ResetServiceSpecificCredential`: another secret.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn reset_service_specific_credential(
        &self,
        cx: &Authorized,
        input: ResetServiceSpecificCredentialRequest,
    ) -> Result<ResetServiceSpecificCredentialResponse, Error> {
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let name = user_or_caller(cx, input.user_name)?;
        let user = get_existing(&mut conn, cx, Kind::User, &name).await?;
        let id = input.service_specific_credential_id;
        let row = credential_of(&mut conn, &user, &id).await?;
        let made = self.with_secret(&user, &row, cx.now_ms())?;
        Ok(ResetServiceSpecificCredentialResponse {
            service_specific_credential: Some(made),
        })
    }

    /// `DeleteServiceSpecificCredential`.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn delete_service_specific_credential(
        &self,
        cx: &Authorized,
        input: DeleteServiceSpecificCredentialRequest,
    ) -> Result<(), Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let name = user_or_caller(cx, input.user_name)?;
        let user = get_existing(&mut conn, cx, Kind::User, &name).await?;
        let id = input.service_specific_credential_id;
        let row = credential_of(&mut conn, &user, &id).await?;
        service_credential::delete(&mut conn, &row.id).await?;
        commit(tx).await
    }
}
