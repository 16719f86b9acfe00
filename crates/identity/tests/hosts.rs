//! Hosts on several nodes: what one node has accepted, no other accepts again.

#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use aws_api::{berth, iam};
use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use aws_types::{SystemEntropy, host_proof};
use common::*;
use identity::{Identity, Settings};
use store::testing::{TestStore, on_every_engine};

fn sign(key: &EcdsaKeyPair, text: &str) -> aws_api::Blob {
    let signature = key.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
    signature.as_ref().to_vec().into()
}

fn code(error: identity::Error) -> &'static str {
    error.code().as_str()
}

#[on_every_engine]
async fn a_code_and_a_nonce_count_once_on_all_nodes(t: TestStore) {
    let w = World::new(&t).await;
    let root = w.root().await;
    let one = &w.identity;
    let entropy = Arc::new(SystemEntropy);
    let sealer = one.sealer().clone();
    let two = &Identity::open(t.store.clone(), sealer, entropy, Settings::default()).unwrap();

    let role = iam::CreateRoleRequest {
        role_name: "ci".into(),
        assume_role_policy_document: trust("*")
            .replace("AWS", "Service")
            .replace('*', "ec2.amazonaws.com"),
        ..Default::default()
    };
    one.create_role(&root, role).await.unwrap();
    let profile = iam::CreateInstanceProfileRequest {
        instance_profile_name: "ci".into(),
        ..Default::default()
    };
    one.create_instance_profile(&root, profile).await.unwrap();
    let add = iam::AddRoleToInstanceProfileRequest {
        instance_profile_name: "ci".into(),
        role_name: "ci".into(),
    };
    one.add_role_to_instance_profile(&root, add).await.unwrap();
    let invite = berth::CreateHostInvitationRequest {
        instance_profile_name: "ci".into(),
        ..Default::default()
    };
    let invited = one.create_host_invitation(&root, invite).await.unwrap();

    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let spki: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
    let join = berth::JoinHostRequest {
        code: invited.code.clone(),
        public_key: spki.as_ref().to_vec().into(),
        signature: sign(&key, &host_proof::join(invited.code.expose(), None)),
        host_name: None,
    };
    // Both nodes take the proof before either uses the code.
    let (first, second) = (
        one.joining_host(&join, w.now).await.unwrap(),
        two.joining_host(&join, w.now).await.unwrap(),
    );
    let joined = one
        .join_host(&w.call_as(first), join.clone())
        .await
        .unwrap();
    let refused = two.join_host(&w.call_as(second), join).await.unwrap_err();
    assert_eq!(code(refused), "InvalidInvitationException");

    let timestamp = w.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let nonce = "AAAAAAAAAAAAAAAAAAAAAA".to_owned();
    let text = host_proof::credentials(&joined.server_id, &joined.host_id, &timestamp, &nonce);
    let fetch = berth::GetHostCredentialsRequest {
        host_id: joined.host_id.clone(),
        server_id: joined.server_id,
        signature: sign(&key, &text),
        timestamp,
        nonce,
    };
    let (first, second) = (
        one.proven_host(&fetch, w.now).await.unwrap(),
        two.proven_host(&fetch, w.now).await.unwrap(),
    );
    one.get_host_credentials(&w.call_as(first), fetch.clone())
        .await
        .unwrap();
    let refused = two
        .get_host_credentials(&w.call_as(second.clone()), fetch.clone())
        .await
        .unwrap_err();
    assert_eq!(code(refused), "HostAuthenticationException");

    // Revoked on one node, it is refused on the other; only its key learns why.
    let revoke = berth::RevokeHostRequest {
        host_id: joined.host_id,
    };
    one.revoke_host(&root, revoke).await.unwrap();
    let fetch = berth::GetHostCredentialsRequest {
        nonce: "B".repeat(22),
        ..fetch
    };
    let refused = two.proven_host(&fetch, w.now).await.unwrap_err();
    assert_eq!(code(refused), "HostAuthenticationException");
    let text = host_proof::credentials(
        &fetch.server_id,
        &fetch.host_id,
        &fetch.timestamp,
        &fetch.nonce,
    );
    let fetch = berth::GetHostCredentialsRequest {
        signature: sign(&key, &text),
        ..fetch
    };
    let refused = two.proven_host(&fetch, w.now).await.unwrap_err();
    assert_eq!(code(refused), "HostRevokedException");
}
