//! Virtual MFA devices: their life from the seed to the user, and back.
//!
//! Words: `MFA Device with serial number … does not exist.` is recorded from AWS in LocalStack's
//! `test_virtual_mfa_device_errors` and `test_enable_mfa_device_errors`; `MFA VirtualDevice in use. Must
//! deactivate first.` and `MFA Device is already in use.` stand in public error reports of Terraform and
//! the CLI.

use aws_api::CommonError;
use aws_api::iam::{
    AssignmentStatusType, CreateVirtualMFADeviceRequest, CreateVirtualMFADeviceResponse,
    DeactivateMFADeviceRequest, DeleteVirtualMFADeviceRequest, EnableMFADeviceRequest, ErrorCode,
    GetMFADeviceRequest, GetMFADeviceResponse, ListMFADeviceTagsRequest, ListMFADeviceTagsResponse,
    ListMFADevicesRequest, ListMFADevicesResponse, ListVirtualMFADevicesRequest,
    ListVirtualMFADevicesResponse, MFADevice, ResyncMFADeviceRequest, TagMFADeviceRequest,
    UntagMFADeviceRequest, User, VirtualMFADevice,
};
use store::Conn;
use store::iam::entity::{self, Entity, Kind};
use store::iam::mfa_device::{self, Assignment, MfaDevice as Row};
use store::iam::{account, tag};

use super::users::user_or_caller;
use super::{Wanted, commit, get_existing, time, views};
use crate::mfa::{otpauth_url, qr, totp};
use crate::paging::Page;
use crate::policy_cache::entity_by_arn;
use crate::{Authorized, CallerKind, Error, Identity, messages};

/// Devices of a user, or of the root user (UG id_credentials_mfa, "up to eight").
const DEVICES_PER_USER_MAX: usize = 8;

/// Characters of a serial number (the model, `serialNumberType`). The model bounds no device's name.
const SERIAL_CHARS_MAX: usize = 256;

/// `NoSuchEntity` for a serial number.
fn not_found(serial: &str) -> Error {
    Error::new(
        ErrorCode::NoSuchEntity,
        format!("MFA Device with serial number {serial} does not exist."),
    )
}

/// `InvalidAuthenticationCode`.
fn invalid_code() -> Error {
    Error::new(
        ErrorCode::InvalidAuthenticationCode,
        "Authentication code for device is not valid.",
    )
}

/// Whose devices an operation is about.
enum Holder {
    Root,
    User(Entity),
}

impl Holder {
    /// The user who is named, or the caller. The root user names itself `root`, since operations that
    /// require a name have no other for it; a user who is called so comes first.
    async fn of(
        conn: &mut Conn<'_>,
        cx: &Authorized,
        name: Option<String>,
    ) -> Result<Holder, Error> {
        if cx.caller.kind == CallerKind::Root {
            match &name {
                None => return Ok(Holder::Root),
                Some(name) if name == "root" => {
                    let user = entity::find(conn, cx.account.as_str(), Kind::User, name).await?;
                    return Ok(user.map_or(Holder::Root, Holder::User));
                }
                Some(_) => {}
            }
        }
        let name = user_or_caller(cx, name)?;
        let user = get_existing(conn, cx, Kind::User, &name).await?;
        Ok(Holder::User(user))
    }

    fn id(&self) -> Option<i64> {
        match self {
            Holder::Root => None,
            Holder::User(user) => Some(user.id),
        }
    }

    fn name(&self) -> String {
        match self {
            Holder::Root => "root".to_owned(),
            Holder::User(user) => user.name.clone(),
        }
    }
}

/// The account's device of this serial number.
async fn device(conn: &mut Conn<'_>, cx: &Authorized, serial: &str) -> Result<Entity, Error> {
    let found = entity_by_arn(conn, serial).await?;
    found
        .filter(|found| found.kind == Kind::MfaDevice && found.account == cx.account.as_str())
        .ok_or_else(|| not_found(serial))
}

/// The holder's enabled device of this serial number.
async fn device_of(
    conn: &mut Conn<'_>,
    cx: &Authorized,
    holder: &Holder,
    serial: &str,
) -> Result<(Entity, Row), Error> {
    let found = device(conn, cx, serial).await?;
    let row = mfa_device::get(conn, found.id).await?;
    match row.enabled_at.is_some() && row.user_id == holder.id() {
        true => Ok((found, row)),
        false => Err(not_found(serial)),
    }
}

impl Identity {
    /// `CreateVirtualMFADevice`: the one time that the seed is told.
    ///
    /// # Errors
    /// `EntityAlreadyExists`, `LimitExceeded`, `InvalidInput`; `ValidationError` for a name that is too long.
    pub async fn create_virtual_mfa_device(
        &self,
        cx: &Authorized,
        input: CreateVirtualMFADeviceRequest,
    ) -> Result<CreateVirtualMFADeviceResponse, Error> {
        let name = input.virtual_mfa_device_name;
        let path = input.path.as_deref().unwrap_or("/");
        let serial = format!("arn:aws:iam::{}:mfa{path}{name}", cx.account);
        if serial.chars().count() > SERIAL_CHARS_MAX {
            return Err(Error::new(
                CommonError::Validation,
                format!(
                    "The serial number {serial} would have more than {SERIAL_CHARS_MAX} characters."
                ),
            ));
        }
        let (seed, sealed) = self.new_seed()?;
        // "AccountName is the user name if set (otherwise, the account ID otherwise)" (the model).
        let label = match &cx.caller.kind {
            CallerKind::User { name, .. } => name.clone(),
            _ => cx.account.to_string(),
        };
        let (base32, url) = otpauth_url(&name, &label, &seed);
        let png = qr::png(&url)?;
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let wanted = Wanted {
            kind: Kind::MfaDevice,
            name: &name,
            path: input.path.as_deref(),
            boundary_arn: None,
            tags: input.tags.as_deref(),
        };
        let created = self.create_entity(&mut conn, cx, wanted).await?;
        mfa_device::insert(&mut conn, &created, &sealed).await?;
        commit(tx).await?;
        Ok(CreateVirtualMFADeviceResponse {
            virtual_mfa_device: VirtualMFADevice {
                serial_number: created.arn(),
                base32_string_seed: Some(base32.as_bytes().to_vec().into()),
                qr_code_png: Some(png.to_vec().into()),
                tags: input.tags.filter(|tags| !tags.is_empty()),
                ..VirtualMFADevice::default()
            },
        })
    }

    /// `EnableMFADevice`: two consecutive codes prove that the user has the seed.
    ///
    /// # Errors
    /// `NoSuchEntity`, `EntityAlreadyExists` for a device in use, `LimitExceeded`,
    /// `InvalidAuthenticationCode`.
    pub async fn enable_mfa_device(
        &self,
        cx: &Authorized,
        input: EnableMFADeviceRequest,
    ) -> Result<(), Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let holder = Holder::of(&mut conn, cx, Some(input.user_name)).await?;
        let found = device(&mut conn, cx, &input.serial_number).await?;
        let row = mfa_device::get(&mut conn, found.id).await?;
        if row.enabled_at.is_some() {
            return Err(Error::new(
                ErrorCode::EntityAlreadyExists,
                "MFA Device is already in use.",
            ));
        }
        let account = cx.account.as_str();
        let held = mfa_device::list_of(&mut conn, account, holder.id()).await?;
        if held.len() >= DEVICES_PER_USER_MAX {
            let max = i64::try_from(DEVICES_PER_USER_MAX).map_err(Error::internal)?;
            return Err(messages::quota("MFADevicesPerUser", max));
        }
        let codes = (
            input.authentication_code1.expose().as_str(),
            input.authentication_code2.expose().as_str(),
        );
        let step = self.proven_step(&row, codes, false, cx.now).await?;
        let step = step.ok_or_else(invalid_code)?;
        let drift = step - totp::step_of(cx.now);
        let now = cx.now_ms();
        mfa_device::enable(&mut conn, found.id, holder.id(), now, step, drift).await?;
        commit(tx).await
    }

    /// `ResyncMFADevice`: learns anew how far the device's clock is off.
    ///
    /// # Errors
    /// `NoSuchEntity`, `InvalidAuthenticationCode`.
    pub async fn resync_mfa_device(
        &self,
        cx: &Authorized,
        input: ResyncMFADeviceRequest,
    ) -> Result<(), Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let holder = Holder::of(&mut conn, cx, Some(input.user_name)).await?;
        let (found, row) = device_of(&mut conn, cx, &holder, &input.serial_number).await?;
        let codes = (
            input.authentication_code1.expose().as_str(),
            input.authentication_code2.expose().as_str(),
        );
        let step = self.proven_step(&row, codes, true, cx.now).await?;
        let step = step.ok_or_else(invalid_code)?;
        let drift = step - totp::step_of(cx.now);
        if !mfa_device::accept(&mut conn, found.id, step, drift).await? {
            return Err(invalid_code());
        }
        commit(tx).await
    }

    /// `DeactivateMFADevice`. The device stays, and can be enabled again.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn deactivate_mfa_device(
        &self,
        cx: &Authorized,
        input: DeactivateMFADeviceRequest,
    ) -> Result<(), Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let holder = Holder::of(&mut conn, cx, input.user_name).await?;
        let (found, _) = device_of(&mut conn, cx, &holder, &input.serial_number).await?;
        mfa_device::disable(&mut conn, found.id).await?;
        commit(tx).await
    }

    /// `DeleteVirtualMFADevice`.
    ///
    /// # Errors
    /// `NoSuchEntity`; `DeleteConflict` while it is enabled.
    pub async fn delete_virtual_mfa_device(
        &self,
        cx: &Authorized,
        input: DeleteVirtualMFADeviceRequest,
    ) -> Result<(), Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let found = device(&mut conn, cx, &input.serial_number).await?;
        let row = mfa_device::get(&mut conn, found.id).await?;
        if row.enabled_at.is_some() {
            return Err(Error::new(
                ErrorCode::DeleteConflict,
                "MFA VirtualDevice in use. Must deactivate first.",
            ));
        }
        entity::delete(&mut conn, found.id).await?;
        commit(tx).await
    }

    /// `GetMFADevice`. It is about FIDO security keys ("For this API, we only accept FIDO security key
    /// ARNs", the model), of which there are none.
    ///
    /// # Errors
    /// Always `NoSuchEntity`.
    pub async fn get_mfa_device(
        &self,
        cx: &Authorized,
        input: GetMFADeviceRequest,
    ) -> Result<GetMFADeviceResponse, Error> {
        if input.user_name.is_some() {
            let mut read = self.0.store.snapshot().await?;
            Holder::of(&mut read.conn(), cx, input.user_name).await?;
        }
        Err(not_found(&input.serial_number))
    }

    /// `ListMFADevices`: those of a user, or of the caller.
    ///
    /// # Errors
    /// `NoSuchEntity` for the user; `ValidationError` for a marker.
    pub async fn list_mfa_devices(
        &self,
        cx: &Authorized,
        input: ListMFADevicesRequest,
    ) -> Result<ListMFADevicesResponse, Error> {
        let page = Page::new(input.max_items, input.marker.as_deref())?;
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let holder = Holder::of(&mut conn, cx, input.user_name).await?;
        let held = mfa_device::list_of(&mut conn, cx.account.as_str(), holder.id()).await?;
        let cut = page.of(held, |(entity, _)| entity.folded_name());
        let shown = |(entity, row): (Entity, Row)| MFADevice {
            user_name: holder.name(),
            serial_number: entity.arn(),
            enable_date: time(row.enabled_at.unwrap_or(0)),
        };
        Ok(ListMFADevicesResponse {
            mfa_devices: cut.items.into_iter().map(shown).collect(),
            is_truncated: cut.is_truncated,
            marker: cut.marker,
        })
    }

    /// `ListVirtualMFADevices`, without seeds and tags.
    ///
    /// # Errors
    /// `ValidationError` for a marker.
    pub async fn list_virtual_mfa_devices(
        &self,
        cx: &Authorized,
        input: ListVirtualMFADevicesRequest,
    ) -> Result<ListVirtualMFADevicesResponse, Error> {
        let page = Page::new(input.max_items, input.marker.as_deref())?;
        let which = match input.assignment_status {
            Some(AssignmentStatusType::Assigned) => Assignment::Assigned,
            Some(AssignmentStatusType::Unassigned) => Assignment::Unassigned,
            _ => Assignment::Any,
        };
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let account = cx.account.as_str();
        let rows = mfa_device::list(&mut conn, account, which, &page.after, page.rows()).await?;
        let cut = page.cut(rows, |(entity, _)| entity.folded_name());
        let mut virtual_mfa_devices = Vec::with_capacity(cut.items.len());
        for (found, row) in &cut.items {
            virtual_mfa_devices.push(VirtualMFADevice {
                serial_number: found.arn(),
                user: self.holder_of(&mut conn, cx, row).await?,
                enable_date: row.enabled_at.map(time),
                ..VirtualMFADevice::default()
            });
        }
        Ok(ListVirtualMFADevicesResponse {
            virtual_mfa_devices,
            is_truncated: cut.is_truncated,
            marker: cut.marker,
        })
    }

    /// The user of an enabled device, as lists show it.
    async fn holder_of(
        &self,
        conn: &mut Conn<'_>,
        cx: &Authorized,
        row: &Row,
    ) -> Result<Option<User>, Error> {
        if row.enabled_at.is_none() {
            return Ok(None);
        }
        if let Some(user) = row.user_id {
            let user = entity::find_by_id(conn, user).await?;
            return Ok(user.as_ref().map(views::user));
        }
        let account = account::find(conn, cx.account.as_str()).await?;
        Ok(Some(User {
            user_id: cx.account.to_string(),
            arn: format!("arn:aws:iam::{}:root", cx.account),
            create_date: time(account.map_or(0, |account| account.created_at)),
            ..User::default()
        }))
    }

    /// `TagMFADevice`; a tag of the same key is replaced.
    ///
    /// # Errors
    /// `NoSuchEntity`, `InvalidInput`, `LimitExceeded`.
    pub async fn tag_mfa_device(
        &self,
        cx: &Authorized,
        input: TagMFADeviceRequest,
    ) -> Result<(), Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let found = device(&mut conn, cx, &input.serial_number).await?;
        self.put_tags(&mut conn, &found, &input.tags).await?;
        commit(tx).await
    }

    /// `UntagMFADevice`; keys that are not there are left out.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn untag_mfa_device(
        &self,
        cx: &Authorized,
        input: UntagMFADeviceRequest,
    ) -> Result<(), Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let found = device(&mut conn, cx, &input.serial_number).await?;
        for key in &input.tag_keys {
            tag::delete(&mut conn, found.id, found.kind, key).await?;
        }
        commit(tx).await
    }

    /// `ListMFADeviceTags`.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn list_mfa_device_tags(
        &self,
        cx: &Authorized,
        input: ListMFADeviceTagsRequest,
    ) -> Result<ListMFADeviceTagsResponse, Error> {
        let page = Page::new(input.max_items, input.marker.as_deref())?;
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let found = device(&mut conn, cx, &input.serial_number).await?;
        let tags = views::tags(&mut conn, found.id).await?.unwrap_or_default();
        let cut = page.of(tags, |tag| tag.key.clone());
        Ok(ListMFADeviceTagsResponse {
            tags: cut.items,
            is_truncated: cut.is_truncated,
            marker: cut.marker,
        })
    }
}
