//! Sign-ins to the console through an identity provider, on several nodes.

use aws_types::SystemEntropy;
use identity::{Identity, ProviderAnswer, ProviderKind, Settings, SignInProvider};

use super::*;

fn provider() -> SignInProvider {
    SignInProvider {
        kind: ProviderKind::Oidc,
        display_name: "Company".to_owned(),
        name: "idp.example".to_owned(),
        arn: format!("arn:aws:iam::{ACCOUNT}:oidc-provider/idp.example"),
        key: identity::federation::provider_key("arn"),
    }
}

/// Replay: what one node has used, no other uses.
#[on_every_engine]
async fn a_sign_in_comes_back_once_on_whatever_node(t: TestStore) {
    let mut w = World::new(&t).await;
    w.account(ACCOUNT).await;
    let entropy = std::sync::Arc::new(SystemEntropy);
    let sealer = w.identity.sealer().clone();
    let other = Identity::open(t.store.clone(), sealer, entropy, Settings::default()).unwrap();
    let account = ACCOUNT.parse().unwrap();
    let begin = |w: &World| {
        let next = "/console/".to_owned();
        w.identity
            .begin_provider_sign_in(account, &provider(), next, w.now)
            .unwrap()
    };
    let (begun, cookie) = begin(&w);
    let found = other.pending_sign_in(cookie.expose(), w.now).await.unwrap();
    let found = found.unwrap();
    assert_eq!((&found.id, found.state()), (&begun.id, begun.state()));
    assert!(found.has_nonce(begun.nonce()) && !found.has_state(begun.nonce()));
    assert!(other.use_pending_sign_in(&found, w.now).await.unwrap());
    for node in [&w.identity, &other] {
        assert!(!node.use_pending_sign_in(&found, w.now).await.unwrap());
    }

    // A choice of a role is made once, too.
    let answer = ProviderAnswer {
        kind: ProviderKind::Oidc,
        provider_arn: provider().arn,
        proof: "token".to_owned(),
        roles: vec!["a".to_owned(), "b".to_owned()],
        next: "/console/".to_owned(),
    };
    let choice = w.identity.hold_provider_answer(&found, &answer, w.now);
    let choice = choice.await.unwrap();
    // The cookie of the sign-in is none of the choice.
    assert!(
        other
            .role_choice(cookie.expose(), w.now)
            .await
            .unwrap()
            .is_none()
    );
    let (held, kept) = other
        .role_choice(choice.expose(), w.now)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(kept.proof, "token");
    assert!(other.end_role_choice(&held).await.unwrap());
    assert!(!w.identity.end_role_choice(&held).await.unwrap());
    assert!(
        w.identity
            .role_choice(choice.expose(), w.now)
            .await
            .unwrap()
            .is_none()
    );

    w.pass(600);
    let late = w.identity.pending_sign_in(cookie.expose(), w.now).await;
    assert!(late.unwrap().is_none());
    // What is over is forgotten when the next one comes back.
    let (next, _) = begin(&w);
    assert!(w.identity.use_pending_sign_in(&next, w.now).await.unwrap());
}
