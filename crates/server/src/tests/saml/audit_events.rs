//! What the audit log says of SAML users.

use super::*;

/// CloudTrail User Guide, "Values for AWS STS APIs with SAML and web identity federation": `identityProvider`
/// is the qualifier of the provider's names, as in `AssumeRoleWithSAML`'s answer.
#[tokio::test]
async fn the_audit_log_names_the_saml_user() {
    let world = World::new().await;
    create_provider(&world, "idp", idp()).await;
    let all = r#"["sts:AssumeRoleWithSAML","sts:TagSession","sts:SetSourceIdentity"]"#;
    create_role(&world, "ci", all, &aud()).await;
    let plain = facts(&world, "ci", AWS);
    let attributes = plain.attributes.clone()
        + &aws_attribute("PrincipalTag:team", &["red"])
        + &aws_attribute("PrincipalTag:stage", &["build"])
        + &aws_attribute("TransitiveTagKeys", &["team"])
        + &aws_attribute("SourceIdentity", &["alice"]);
    let facts = Facts {
        attributes,
        ..plain
    };
    let response = facts.signed_assertion(idp());
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
    // IAM User Guide, "Logging IAM and AWS STS API calls with AWS CloudTrail", the example with SAML.
    let id = response
        .split("<saml:Assertion ")
        .nth(1)
        .and_then(|rest| rest.split("ID=\"").nth(1))
        .and_then(|rest| rest.split('"').next());
    let shown = |role: &str| {
        serde_json::json!({
            "sAMLAssertionID": id.unwrap(),
            "roleSessionName": "alice",
            "sourceIdentity": "alice",
            "principalTags": {"team": "red", "stage": "build"},
            "transitiveTagKeys": ["team"],
            "roleArn": role_arn(role),
            "principalArn": provider_arn("idp"),
        })
    };
    let without_default = |event: &serde_json::Value| {
        let mut parameters = event["requestParameters"].clone();
        parameters.as_object_mut().unwrap().remove("sAMLAssertion");
        parameters
    };
    assert_eq!(without_default(called[0]), shown("ci"));
    assert_eq!(called[0]["recipientAccountId"], ACCOUNT);
    assert_eq!(called[1]["errorCode"], "AccessDenied");
}
