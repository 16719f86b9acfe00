//! Reads and deletes where there is nothing.

use aws_api::iam;
use store::testing::{TestStore, on_every_engine};

use super::common::*;
use super::create_user;

#[on_every_engine]
async fn users_have_no_passwords_devices_or_keys_of_other_kinds(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    i.create_user(&root, create_user("ada")).await.unwrap();
    let login = |user: &str| iam::GetLoginProfileRequest {
        user_name: Some(user.to_owned()),
    };
    let message = i
        .get_login_profile(&root, login("ada"))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("Login Profile for User ada cannot be found."),
        "{message}"
    );
    let message = i
        .get_login_profile(&root, login("bob"))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("The user with name bob cannot be found."),
        "{message}"
    );
    let devices = |user: Option<&str>| iam::ListMFADevicesRequest {
        user_name: user.map(str::to_owned),
        ..Default::default()
    };
    assert!(
        i.list_mfa_devices(&root, devices(Some("bob")))
            .await
            .is_err()
    );
    // Root's own.
    for user in [Some("ada"), None] {
        let listed = i.list_mfa_devices(&root, devices(user)).await.unwrap();
        assert_eq!(
            (listed.mfa_devices.len(), listed.is_truncated),
            (0, Some(false))
        );
    }
    let keys = iam::ListSSHPublicKeysRequest {
        user_name: Some("ada".to_owned()),
        ..Default::default()
    };
    assert_eq!(
        i.list_ssh_public_keys(&root, keys)
            .await
            .unwrap()
            .ssh_public_keys,
        Some(Vec::new())
    );
    let credentials = |service: &str| iam::ListServiceSpecificCredentialsRequest {
        user_name: Some("ada".to_owned()),
        service_name: Some(service.to_owned()),
        ..Default::default()
    };
    assert!(
        i.list_service_specific_credentials(&root, credentials("codecommit.amazonaws.com"))
            .await
            .is_ok()
    );
    assert!(
        i.list_service_specific_credentials(&root, credentials("ecr.amazonaws.com"))
            .await
            .is_err()
    );
}

#[on_every_engine]
async fn accounts_have_no_providers_reports_or_password_policy(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    let marker = iam::ListVirtualMFADevicesRequest {
        marker: Some("no marker".to_owned()),
        ..Default::default()
    };
    assert!(i.list_virtual_mfa_devices(&root, marker).await.is_err());
    let message = i
        .get_account_password_policy(&root, ())
        .await
        .unwrap_err()
        .to_string();
    let words = format!("The Password Policy with domain name {ACCOUNT} cannot be found.");
    assert!(message.contains(&words), "{message}");
    let report = i.get_credential_report(&root, ()).await.unwrap_err();
    assert!(report.is(iam::ErrorCode::CredentialReportNotPresent));
    let features = i
        .list_organizations_features(&root, iam::ListOrganizationsFeaturesRequest::default())
        .await;
    assert!(
        features
            .unwrap_err()
            .is(iam::ErrorCode::OrganizationNotFound)
    );
}
