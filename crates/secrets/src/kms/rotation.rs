//! Rotation: a key gets other material, and what was encrypted before stays readable.

use authz::{Authorized, ServiceName};
use aws_api::kms::{
    DisableKeyRotationRequest, EnableKeyRotationRequest, GetKeyRotationStatusRequest,
    GetKeyRotationStatusResponse,
};
use store::Scope;
use store::kms::Key;

use super::keys::{DAY_MS, KEYS_AT_ONCE, event, not_pending, time};
use super::{ENABLED, Kms, KmsError, arn_of, by_id};

/// Days between rotations where the request names none (KMS API reference, `EnableKeyRotation`).
const PERIOD_DAYS: i32 = 365;

impl Kms {
    /// `EnableKeyRotation`.
    ///
    /// # Errors
    /// `NotFoundException`, `DisabledException`, `KMSInvalidStateException`.
    pub async fn enable_key_rotation(
        &self,
        cx: &Authorized,
        input: EnableKeyRotationRequest,
    ) -> Result<(), KmsError> {
        let days = i64::from(input.rotation_period_in_days.unwrap_or(PERIOD_DAYS));
        let next = cx.now_ms().saturating_add(days * DAY_MS);
        self.change(cx, &input.key_id, |key| {
            enabled(key)?;
            // The time runs on where the period stays.
            if key.rotation_days != Some(days) {
                key.next_rotation_at = Some(next);
            }
            key.rotation_days = Some(days);
            Ok(())
        })
        .await
        .map(drop)
    }

    /// `DisableKeyRotation`.
    ///
    /// # Errors
    /// `NotFoundException`, `DisabledException`, `KMSInvalidStateException`.
    pub async fn disable_key_rotation(
        &self,
        cx: &Authorized,
        input: DisableKeyRotationRequest,
    ) -> Result<(), KmsError> {
        self.change(cx, &input.key_id, |key| {
            enabled(key)?;
            key.rotation_days = None;
            key.next_rotation_at = None;
            Ok(())
        })
        .await
        .map(drop)
    }

    /// `GetKeyRotationStatus`.
    ///
    /// # Errors
    /// `NotFoundException`, `KMSInvalidStateException`.
    pub async fn get_key_rotation_status(
        &self,
        cx: &Authorized,
        input: GetKeyRotationStatusRequest,
    ) -> Result<GetKeyRotationStatusResponse, KmsError> {
        let mut read = self.0.store.read().await?;
        let key = by_id(&mut read.conn(), cx.account, &cx.region, &input.key_id).await?;
        // A key that is pending deletion is not rotated: "the key rotation status is false" (KMS API
        // reference, `GetKeyRotationStatus`).
        let is_pending = not_pending(&key).is_err();
        let days = key.rotation_days.filter(|_| !is_pending);
        let days = days.map(i32::try_from).transpose();
        let days = days.map_err(KmsError::internal)?;
        let next = key.next_rotation_at.filter(|_| days.is_some());
        Ok(GetKeyRotationStatusResponse {
            key_rotation_enabled: Some(days.is_some()),
            key_id: Some(arn_of(&key)),
            rotation_period_in_days: days,
            next_rotation_date: next.map(time).transpose()?,
            on_demand_rotation_start_date: None,
        })
    }

    /// Rotates the keys that are due.
    pub(super) async fn rotate_due(&self, service: ServiceName, now: i64) -> Result<(), KmsError> {
        let due = {
            let mut read = self.0.store.read().await?;
            store::kms::due_for_rotation(&mut read.conn(), now, KEYS_AT_ONCE).await?
        };
        for id in due {
            let Some(account) = self.account_of(&id).await? else {
                continue;
            };
            let mut tx = self.0.store.write(Scope::Account(&account)).await?;
            let found = store::kms::get(&mut tx.conn(), &id).await?;
            let is_due = |key: &Key| {
                key.state == ENABLED && key.next_rotation_at.is_some_and(|at| at <= now)
            };
            let Some(mut key) = found.filter(is_due) else {
                continue;
            };
            let materials = store::kms::materials(&mut tx.conn(), &id).await?;
            let number = materials.first().map_or(0, |newest| newest.number) + 1;
            self.add_material(&mut tx, &key, number, now).await?;
            let days = key.rotation_days.unwrap_or(i64::from(PERIOD_DAYS));
            key.next_rotation_at = Some(now.saturating_add(days * DAY_MS));
            store::kms::update(&mut tx.conn(), &key).await?;
            event(&mut tx, service, "RotateKey", &key, now).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

fn enabled(key: &Key) -> Result<(), KmsError> {
    match key.state == ENABLED {
        true => Ok(()),
        false => Err(KmsError::state(&arn_of(key), &key.state)),
    }
}
