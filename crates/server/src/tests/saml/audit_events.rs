//! What the audit log says of SAML users.

use super::*;

/// CloudTrail User Guide, "Values for AWS STS APIs with SAML and web identity federation": `identityProvider`
/// is the qualifier of the provider's names, as in `AssumeRoleWithSAML`'s answer.
#[tokio::test]
async fn the_audit_log_names_the_saml_user() {
    let world = World::new().await;
    create_provider(&world, "idp", idp()).await;
    create_role(&world, "ci", ACTION, &aud()).await;
    let response = facts(&world, "ci", AWS).signed_assertion(idp());
    let answer = assume(&world, &request(&response, "ci")).await.unwrap();
    let session = person(&answer);
    let refused = assume(&world, &request(&response, "absent")).await;
    refused.unwrap_err();
    let events = world.stop().await;
    let text = serde_json::to_string(&events).unwrap();
    let secrets = [
        &encode(&response),
        &session.secret,
        session.token.as_ref().unwrap(),
    ];
    for secret in secrets {
        assert!(!text.contains(secret.as_str()));
    }
    let called: Vec<_> = events
        .iter()
        .filter(|event| event["eventName"] == "AssumeRoleWithSAML")
        .collect();
    assert_eq!(called.len(), 2);
    let (qualifier, subject) = (answer.name_qualifier.unwrap(), answer.subject.unwrap());
    assert_eq!(
        called[0]["userIdentity"],
        serde_json::json!({
            "type": "SAMLUser",
            "principalId": format!("{qualifier}:{subject}"),
            "userName": subject,
            "identityProvider": qualifier,
        })
    );
    assert_eq!(
        called[0]["requestParameters"]["principalArn"],
        provider_arn("idp")
    );
    assert_eq!(called[0]["recipientAccountId"], ACCOUNT);
    assert_eq!(called[1]["errorCode"], "AccessDenied");
}
