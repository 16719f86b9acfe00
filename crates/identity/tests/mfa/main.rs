//! Virtual MFA devices: seeds, codes, and what a code gives.

#![allow(clippy::unwrap_used)]

mod codes;
#[path = "../common/mod.rs"]
mod common;

use authz::{SessionRefused, SessionScope};
use aws_api::{iam, sts};
use aws_lc_rs::hmac;
use common::*;
use store::testing::{TestStore, on_every_engine};

/// An authenticator application.
struct Phone {
    serial: String,
    seed: Vec<u8>,
}

impl Phone {
    fn of(device: &iam::VirtualMFADevice) -> Phone {
        let text = device.base32_string_seed.as_ref().unwrap().expose().clone();
        let digit = |c: u8| match c {
            b'A'..=b'Z' => u64::from(c - b'A'),
            _ => u64::from(c - b'2') + 26,
        };
        let group = |group: &[u8]| {
            let bits = group.iter().fold(0, |bits, c| (bits << 5) | digit(*c));
            bits.to_be_bytes()[3..].to_vec()
        };
        Phone {
            serial: device.serial_number.clone(),
            seed: text.chunks(8).flat_map(group).collect(),
        }
    }

    /// The code that the phone shows at a time (RFC 6238).
    fn code(&self, seconds: i64) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.seed);
        let tag = hmac::sign(&key, &(seconds / 30).to_be_bytes());
        let tag = tag.as_ref();
        let at = usize::from(tag[19] & 15);
        let number = u32::from_be_bytes(tag[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
        format!("{:06}", number % 1_000_000)
    }

    fn enable(&self, w: &World, user: &str, ahead: i64) -> iam::EnableMFADeviceRequest {
        let now = w.now.as_second() + ahead;
        iam::EnableMFADeviceRequest {
            user_name: user.to_owned(),
            serial_number: self.serial.clone(),
            authentication_code1: self.code(now - 30).into(),
            authentication_code2: self.code(now).into(),
        }
    }

    fn resync(&self, w: &World, user: &str, ahead: i64) -> iam::ResyncMFADeviceRequest {
        let enable = self.enable(w, user, ahead);
        iam::ResyncMFADeviceRequest {
            user_name: enable.user_name,
            serial_number: enable.serial_number,
            authentication_code1: enable.authentication_code1,
            authentication_code2: enable.authentication_code2,
        }
    }

    fn session(&self, code: &str) -> sts::GetSessionTokenRequest {
        sts::GetSessionTokenRequest {
            serial_number: Some(self.serial.clone()),
            token_code: Some(code.into()),
            ..Default::default()
        }
    }
}

fn create(name: &str) -> iam::CreateVirtualMFADeviceRequest {
    iam::CreateVirtualMFADeviceRequest {
        virtual_mfa_device_name: name.to_owned(),
        ..Default::default()
    }
}

async fn phone(w: &World, cx: &identity::Authorized, name: &str) -> Phone {
    let made = w.identity.create_virtual_mfa_device(cx, create(name)).await;
    Phone::of(&made.unwrap().virtual_mfa_device)
}

fn deactivate(user: &str, phone: &Phone) -> iam::DeactivateMFADeviceRequest {
    iam::DeactivateMFADeviceRequest {
        user_name: Some(user.to_owned()),
        serial_number: phone.serial.clone(),
    }
}

fn credentials(made: sts::GetSessionTokenResponse) -> Credentials {
    let made = made.credentials.unwrap();
    Credentials {
        id: made.access_key_id,
        secret: made.secret_access_key.expose().clone(),
        token: Some(made.session_token.expose().clone()),
    }
}

const BAD_CODE: &str = "MultiFactorAuthentication failed with invalid MFA one time pass code.";

#[on_every_engine]
async fn f1_a_device_tells_its_seed_once(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    let input = iam::CreateVirtualMFADeviceRequest {
        path: Some("/team/".to_owned()),
        ..create("phone")
    };
    let made = i
        .create_virtual_mfa_device(&root, input.clone())
        .await
        .unwrap()
        .virtual_mfa_device;
    assert_eq!(
        made.serial_number,
        format!("arn:aws:iam::{ACCOUNT}:mfa/team/phone")
    );
    assert_eq!(made.base32_string_seed.unwrap().expose().len(), 64);
    assert!(made.qr_code_png.unwrap().expose().starts_with(b"\x89PNG"));
    let listed = i
        .list_virtual_mfa_devices(&root, iam::ListVirtualMFADevicesRequest::default())
        .await
        .unwrap();
    let [device] = &listed.virtual_mfa_devices[..] else {
        panic!("{listed:?}")
    };
    assert!(
        device.base32_string_seed.is_none()
            && device.qr_code_png.is_none()
            && device.user.is_none()
    );
    let long = iam::CreateVirtualMFADeviceRequest {
        virtual_mfa_device_name: "n".repeat(250),
        ..input.clone()
    };
    assert_eq!(
        said(i.create_virtual_mfa_device(&root, long).await).0,
        "ValidationError"
    );
    for again in [
        input.clone(),
        iam::CreateVirtualMFADeviceRequest {
            virtual_mfa_device_name: "PHONE".to_owned(),
            ..input.clone()
        },
    ] {
        let (code, message) = said(i.create_virtual_mfa_device(&root, again).await);
        assert_eq!(code, "EntityAlreadyExists");
        assert_eq!(
            message,
            "MFADevice entity at the same path and name already exists."
        );
    }
}

/// A name is taken at its path alone (the model, `VirtualMFADeviceName`).
#[on_every_engine]
async fn f1_devices_of_one_name_at_other_paths_are_others(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    let mut serials = Vec::new();
    for path in ["/", "/team/", "/team/night/"] {
        let input = iam::CreateVirtualMFADeviceRequest {
            path: Some(path.to_owned()),
            ..create("phone")
        };
        let made = i.create_virtual_mfa_device(&root, input).await.unwrap();
        serials.push(made.virtual_mfa_device.serial_number);
    }
    let list = || i.list_virtual_mfa_devices(&root, iam::ListVirtualMFADevicesRequest::default());
    assert_eq!(list().await.unwrap().virtual_mfa_devices.len(), 3);
    // Each is found by its own serial number.
    let delete = |serial: &str| iam::DeleteVirtualMFADeviceRequest {
        serial_number: serial.to_owned(),
    };
    i.delete_virtual_mfa_device(&root, delete(&serials[1]))
        .await
        .unwrap();
    let left = list().await.unwrap().virtual_mfa_devices;
    let left: Vec<_> = left.iter().map(|device| &device.serial_number).collect();
    assert_eq!(left, [&serials[0], &serials[2]]);
}

#[on_every_engine]
async fn f1_a_user_has_up_to_eight_devices_and_root_too(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    w.user(&root, "alice").await;
    for user in ["alice", "root"] {
        for at in 0..8 {
            let phone = phone(&w, &root, &format!("{user}{at}")).await;
            i.enable_mfa_device(&root, phone.enable(&w, user, 0))
                .await
                .unwrap();
        }
        let ninth = phone(&w, &root, &format!("{user}9")).await;
        let (code, message) = said(i.enable_mfa_device(&root, ninth.enable(&w, user, 0)).await);
        assert_eq!(
            (code.as_str(), message.as_str()),
            (
                "LimitExceeded",
                "Cannot exceed quota for MFADevicesPerUser: 8"
            )
        );
    }
    let of = |user: Option<&str>| iam::ListMFADevicesRequest {
        user_name: user.map(str::to_owned),
        ..Default::default()
    };
    let alices = i
        .list_mfa_devices(&root, of(Some("alice")))
        .await
        .unwrap()
        .mfa_devices;
    assert_eq!(alices.len(), 8);
    assert!(
        alices
            .iter()
            .all(|device| device.user_name == "alice" && device.enable_date == w.now)
    );
    assert_eq!(
        i.list_mfa_devices(&root, of(None))
            .await
            .unwrap()
            .mfa_devices
            .len(),
        8
    );
    let list = |status| iam::ListVirtualMFADevicesRequest {
        assignment_status: Some(status),
        ..Default::default()
    };
    for (status, count) in [
        (iam::AssignmentStatusType::Assigned, 16),
        (iam::AssignmentStatusType::Unassigned, 2),
        (iam::AssignmentStatusType::Any, 18),
    ] {
        assert_eq!(
            i.list_virtual_mfa_devices(&root, list(status))
                .await
                .unwrap()
                .virtual_mfa_devices
                .len(),
            count
        );
    }
    let assigned = i
        .list_virtual_mfa_devices(&root, list(iam::AssignmentStatusType::Assigned))
        .await
        .unwrap();
    let arns: Vec<_> = assigned
        .virtual_mfa_devices
        .iter()
        .map(|device| device.user.as_ref().unwrap().arn.clone())
        .collect();
    assert_eq!(
        arns.iter()
            .filter(|arn| **arn == format!("arn:aws:iam::{ACCOUNT}:root"))
            .count(),
        8
    );
    let summary = i
        .get_account_summary(&root, ())
        .await
        .unwrap()
        .summary_map
        .unwrap();
    assert_eq!(summary[&iam::SummaryKeyType::MfaDevices], 18);
    assert_eq!(summary[&iam::SummaryKeyType::MfaDevicesInUse], 16);
    assert_eq!(summary[&iam::SummaryKeyType::AccountMfaEnabled], 1);
}

#[on_every_engine]
async fn f1_an_enabled_device_and_its_user_are_not_deleted(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    let user = iam::CreateUserRequest {
        user_name: "alice".to_owned(),
        ..Default::default()
    };
    i.create_user(&root, user).await.unwrap();
    let phone = phone(&w, &root, "phone").await;
    i.enable_mfa_device(&root, phone.enable(&w, "alice", 0))
        .await
        .unwrap();
    let delete = || iam::DeleteVirtualMFADeviceRequest {
        serial_number: phone.serial.clone(),
    };
    let delete_user = || iam::DeleteUserRequest {
        user_name: "alice".to_owned(),
    };
    assert_eq!(
        said(i.delete_virtual_mfa_device(&root, delete()).await).0,
        "DeleteConflict"
    );
    // I8
    let (code, message) = said(i.delete_user(&root, delete_user()).await);
    assert_eq!(
        (code.as_str(), message.as_str()),
        (
            "DeleteConflict",
            "Cannot delete entity, must delete MFA device first."
        )
    );
    let (code, _) = said(
        i.enable_mfa_device(&root, phone.enable(&w, "alice", 60))
            .await,
    );
    assert_eq!(code, "EntityAlreadyExists");
    i.deactivate_mfa_device(&root, deactivate("alice", &phone))
        .await
        .unwrap();
    assert_eq!(
        said(
            i.deactivate_mfa_device(&root, deactivate("alice", &phone))
                .await
        )
        .0,
        "NoSuchEntity"
    );
    i.delete_user(&root, delete_user()).await.unwrap();
    i.delete_virtual_mfa_device(&root, delete()).await.unwrap();
    let (code, message) = said(i.delete_virtual_mfa_device(&root, delete()).await);
    assert_eq!(code, "NoSuchEntity");
    assert_eq!(
        message,
        format!(
            "MFA Device with serial number {} does not exist.",
            phone.serial
        )
    );
}

#[on_every_engine]
async fn f2_enabling_takes_two_consecutive_codes_that_were_never_used(t: TestStore) {
    let mut w = World::new(&t).await;
    let root = w.root().await;
    w.user(&root, "alice").await;
    let phone = phone(&w, &root, "phone").await;
    let i = w.identity.clone();
    let good = phone.enable(&w, "alice", 0);
    let swapped = iam::EnableMFADeviceRequest {
        authentication_code1: good.authentication_code2.clone(),
        authentication_code2: good.authentication_code1.clone(),
        ..good.clone()
    };
    let same = iam::EnableMFADeviceRequest {
        authentication_code2: good.authentication_code1.clone(),
        ..good.clone()
    };
    // Ten minutes either way are allowed, an hour is not.
    for wrong in [
        swapped,
        same,
        phone.enable(&w, "alice", 3600),
        phone.enable(&w, "alice", -3600),
    ] {
        let (code, message) = said(i.enable_mfa_device(&root, wrong).await);
        assert_eq!(
            (code.as_str(), message.as_str()),
            (
                "InvalidAuthenticationCode",
                "Authentication code for device is not valid."
            )
        );
    }
    i.enable_mfa_device(&root, good.clone()).await.unwrap();
    // The same two codes do not enable it again, nor does one of them with the next.
    i.deactivate_mfa_device(&root, deactivate("alice", &phone))
        .await
        .unwrap();
    assert_eq!(
        said(i.enable_mfa_device(&root, good).await).0,
        "InvalidAuthenticationCode"
    );
    assert_eq!(
        said(
            i.enable_mfa_device(&root, phone.enable(&w, "alice", 30))
                .await
        )
        .0,
        "InvalidAuthenticationCode"
    );
    w.pass(120);
    i.enable_mfa_device(&root, phone.enable(&w, "alice", 0))
        .await
        .unwrap();
    // FIDO security keys alone have GetMFADevice.
    let get = iam::GetMFADeviceRequest {
        serial_number: phone.serial.clone(),
        ..Default::default()
    };
    assert_eq!(said(i.get_mfa_device(&root, get).await).0, "NoSuchEntity");
}

#[on_every_engine]
async fn f2_a_clock_that_is_off_is_learned(t: TestStore) {
    let mut w = World::new(&t).await;
    let root = w.root().await;
    let alice = w.user(&root, "alice").await;
    let cx = w.call(&alice).await.unwrap();
    let phone = phone(&w, &cx, "phone").await;
    let i = w.identity.clone();
    // Five minutes ahead when it is enabled, forty when it is synchronized again.
    i.enable_mfa_device(&cx, phone.enable(&w, "alice", 300))
        .await
        .unwrap();
    w.pass(60);
    let cx = w.call(&alice).await.unwrap();
    let now = w.now.as_second();
    assert_eq!(
        said(
            i.get_session_token(&cx, phone.session(&phone.code(now)))
                .await
        )
        .1,
        BAD_CODE
    );
    i.get_session_token(&cx, phone.session(&phone.code(now + 300)))
        .await
        .unwrap();
    w.pass(60);
    let cx = w.call(&alice).await.unwrap();
    let now = w.now.as_second();
    assert_eq!(
        said(
            i.get_session_token(&cx, phone.session(&phone.code(now + 2400)))
                .await
        )
        .1,
        BAD_CODE
    );
    let wrong = iam::ResyncMFADeviceRequest {
        authentication_code1: "000000".into(),
        ..phone.resync(&w, "alice", 2400)
    };
    assert_eq!(
        said(i.resync_mfa_device(&cx, wrong).await).0,
        "InvalidAuthenticationCode"
    );
    i.resync_mfa_device(&cx, phone.resync(&w, "alice", 2400))
        .await
        .unwrap();
    w.pass(60);
    let cx = w.call(&alice).await.unwrap();
    let now = w.now.as_second();
    i.get_session_token(&cx, phone.session(&phone.code(now + 2400)))
        .await
        .unwrap();
}

#[on_every_engine]
async fn tags_of_a_device_are_facts_for_policies(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    let phone = phone(&w, &root, "phone").await;
    let tag = iam::Tag {
        key: "team".to_owned(),
        value: "core".to_owned(),
    };
    let input = iam::TagMFADeviceRequest {
        serial_number: phone.serial.clone(),
        tags: vec![tag.clone()],
    };
    i.tag_mfa_device(&root, input).await.unwrap();
    let facts = i
        .entity_facts(root.account, identity::EntityRef::MfaDevice("phone"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(facts.tags, [("team".to_owned(), "core".to_owned())]);
    let list = || iam::ListMFADeviceTagsRequest {
        serial_number: phone.serial.clone(),
        ..Default::default()
    };
    assert_eq!(
        i.list_mfa_device_tags(&root, list()).await.unwrap().tags,
        [tag]
    );
    let untag = iam::UntagMFADeviceRequest {
        serial_number: phone.serial.clone(),
        tag_keys: vec!["team".to_owned()],
    };
    i.untag_mfa_device(&root, untag).await.unwrap();
    assert_eq!(
        i.list_mfa_device_tags(&root, list()).await.unwrap().tags,
        []
    );
    let missing = iam::ListMFADeviceTagsRequest {
        serial_number: phone.serial.replace("phone", "Phone2"),
        ..Default::default()
    };
    assert_eq!(
        said(i.list_mfa_device_tags(&root, missing).await).0,
        "NoSuchEntity"
    );
}
