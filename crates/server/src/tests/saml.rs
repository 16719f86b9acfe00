//! `AssumeRoleWithSAML` on the wire, against providers that were made through IAM.

#[path = "../../../saml/tests/common/mod.rs"]
pub(super) mod idp;

mod audit_events;
mod providers;

use aws_api::{iam, sts};
use idp::{ENTITY_ID, Facts, Idp, attribute, conditions, confirmation, encode, idp, stranger};
use jiff::{SignedDuration, Timestamp};

use super::world::{ACCOUNT, OTHER, Person, Refused, World, document, refused, statement};

const AWS: &str = "https://signin.aws.amazon.com/saml";

fn provider_arn(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:saml-provider/{name}")
}

fn role_arn(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{name}")
}

fn aws_attribute(name: &str, values: &[&str]) -> String {
    attribute(
        &format!("https://aws.amazon.com/SAML/Attributes/{name}"),
        values,
    )
}

/// What the provider says at the world's time: alice may take the role `name`.
fn facts(world: &World, name: &str, endpoint: &str) -> Facts {
    let now = world.now();
    let at = |seconds| shown(now + SignedDuration::from_secs(seconds));
    let role = format!("{},{}", role_arn(name), provider_arn("idp"));
    Facts {
        issued: at(-30),
        confirmations: confirmation(endpoint, &at(240)),
        conditions: conditions(&at(-30), &at(240), &[endpoint]),
        authn: format!(
            "<saml:AuthnStatement AuthnInstant=\"{}\"></saml:AuthnStatement>",
            at(-30)
        ),
        attributes: aws_attribute("Role", &[&role]) + &aws_attribute("RoleSessionName", &["alice"]),
        ..Facts::default()
    }
}

fn shown(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

async fn create_provider(world: &World, name: &str, of: &Idp) {
    let input = iam::CreateSAMLProviderRequest {
        saml_metadata_document: of.metadata(),
        name: name.to_owned(),
        ..Default::default()
    };
    let made = world
        .aws::<iam::ops::CreateSAMLProvider>(&world.root, &input)
        .await
        .unwrap();
    assert_eq!(made.saml_provider_arn, Some(provider_arn(name)));
}

/// A role that trusts the provider `idp` for these actions, under these conditions.
async fn create_role(world: &World, name: &str, actions: &str, condition: &str) {
    let trust = format!(
        r#"{{"Effect":"Allow","Principal":{{"Federated":"{}"}},"Action":{actions},"Condition":{condition}}}"#,
        provider_arn("idp")
    );
    let input = iam::CreateRoleRequest {
        role_name: name.to_owned(),
        assume_role_policy_document: document(&trust),
        ..Default::default()
    };
    world
        .aws::<iam::ops::CreateRole>(&world.root, &input)
        .await
        .unwrap();
}

fn request(response: &str, name: &str) -> sts::AssumeRoleWithSAMLRequest {
    sts::AssumeRoleWithSAMLRequest {
        role_arn: role_arn(name),
        principal_arn: provider_arn("idp"),
        saml_assertion: encode(response).into(),
        ..Default::default()
    }
}

/// Sends the request as SDKs do: without a signature.
async fn assume(
    world: &World,
    input: &sts::AssumeRoleWithSAMLRequest,
) -> Result<sts::AssumeRoleWithSAMLResponse, Refused> {
    let request = aws_api::encode_request::<sts::ops::AssumeRoleWithSAML>(input);
    let headers = [("content-type", request.content_type)];
    let reply = world
        .send(http::Method::POST, "/", &headers, request.body)
        .await;
    match reply.status {
        200 => {
            let decoded = aws_api::decode_response::<sts::ops::AssumeRoleWithSAML>(&reply.body);
            Ok(decoded.unwrap())
        }
        _ => Err(refused(aws_api::Service::Sts, &reply)),
    }
}

fn person(answer: &sts::AssumeRoleWithSAMLResponse) -> Person {
    let credentials = answer.credentials.clone().unwrap();
    Person {
        id: credentials.access_key_id,
        secret: credentials.secret_access_key.expose().clone(),
        token: Some(credentials.session_token.expose().clone()),
    }
}

const ACTION: &str = r#""sts:AssumeRoleWithSAML""#;

fn aud() -> String {
    format!(r#"{{"StringEquals":{{"SAML:aud":"{AWS}"}}}}"#)
}

#[tokio::test]
async fn a_user_of_a_provider_takes_a_role_and_works_with_it() {
    let world = World::new().await;
    create_provider(&world, "idp", idp()).await;
    create_role(&world, "ci", ACTION, &aud()).await;
    let input = iam::PutRolePolicyRequest {
        role_name: "ci".to_owned(),
        policy_name: "inline".to_owned(),
        policy_document: document(&statement("Allow", &["iam:ListUsers"], "*")),
    };
    world
        .aws::<iam::ops::PutRolePolicy>(&world.root, &input)
        .await
        .unwrap();

    let facts = facts(&world, "ci", AWS);
    for response in [facts.signed_assertion(idp()), facts.signed_response(idp())] {
        let answer = assume(&world, &request(&response, "ci")).await.unwrap();
        let user = answer.assumed_role_user.clone().unwrap();
        assert_eq!(
            user.arn,
            format!("arn:aws:sts::{ACCOUNT}:assumed-role/ci/alice")
        );
        assert_eq!(answer.subject.as_deref(), Some("alice"));
        assert_eq!(answer.subject_type.as_deref(), Some("persistent"));
        assert_eq!(answer.issuer.as_deref(), Some(ENTITY_ID));
        // S4: the response's audience is the recipient.
        assert_eq!(answer.audience.as_deref(), Some(AWS));
        // printf '%s' "https://idp.example/metadata123456789012/idp" | openssl sha1 -binary | base64
        assert_eq!(answer.name_qualifier.as_deref(), Some(NAME_QUALIFIER));
        let session = person(&answer);
        let listed = world
            .aws::<iam::ops::ListUsers>(&session, &Default::default())
            .await;
        assert!(listed.is_ok(), "{listed:?}");
        let refused = world
            .aws::<iam::ops::ListRoles>(&session, &Default::default())
            .await;
        assert_eq!(refused.unwrap_err().code, "AccessDenied");
    }

    // A provider that is removed takes nobody in any more.
    let input = iam::DeleteSAMLProviderRequest {
        saml_provider_arn: provider_arn("idp"),
    };
    world
        .aws::<iam::ops::DeleteSAMLProvider>(&world.root, &input)
        .await
        .unwrap();
    let refused = assume(&world, &request(&facts.signed_assertion(idp()), "ci"))
        .await
        .unwrap_err();
    assert_eq!(refused.code, "InvalidIdentityToken");
    assert_eq!(refused.message, "Specified provider doesn't exist");
}

const NAME_QUALIFIER: &str = "lv1RStt9u/2Zg3N+dKI3bpBMxXE=";

/// S5: AWS's codes, statuses and words; traps 8 and 9 through the server.
#[tokio::test]
async fn s5_refusals_have_the_words_of_aws() {
    let world = World::new().await;
    create_provider(&world, "idp", idp()).await;
    create_role(&world, "ci", ACTION, "{}").await;
    let plain = facts(&world, "ci", AWS);
    let at = |seconds| shown(world.now() + SignedDuration::from_secs(seconds));
    let role = format!("{},{}", role_arn("ci"), provider_arn("idp"));
    let invalid = |message: &'static str| ("InvalidIdentityToken", 400, message);
    let denied = (
        "AccessDenied",
        403,
        "Not authorized to perform sts:AssumeRoleWithSAML",
    );
    for (response, expected) in [
        (
            plain.signed_assertion(stranger()),
            invalid("Response signature invalid"),
        ),
        (
            plain.signed_assertion(idp()).replace("alice<", "admin<"),
            invalid("Response signature invalid"),
        ),
        (
            "<a/>".to_owned(),
            invalid("Your request included an invalid SAML response."),
        ),
        (
            Facts {
                issuer: "https://other.example".to_owned(),
                ..plain.clone()
            }
            .signed_assertion(idp()),
            invalid("Issuer not present in specified provider"),
        ),
        (
            Facts {
                conditions: conditions(&at(-30), &at(240), &["https://other.example"]),
                ..plain.clone()
            }
            .signed_assertion(idp()),
            invalid("Response does not contain the required audience."),
        ),
        (
            Facts {
                confirmations: confirmation("https://other.example/acs", &at(240)),
                ..plain.clone()
            }
            .signed_assertion(idp()),
            invalid("Response does not contain the required recipient."),
        ),
        (
            Facts {
                attributes: aws_attribute("Role", &[&role]),
                ..plain.clone()
            }
            .signed_assertion(idp()),
            invalid("RoleSessionName is required in AuthnResponse"),
        ),
        (
            Facts {
                issued: at(-301),
                ..plain.clone()
            }
            .signed_assertion(idp()),
            (
                "ExpiredTokenException",
                400,
                "Token must be redeemed within 5 minutes of issuance",
            ),
        ),
        (
            Facts {
                name_id: String::new(),
                ..plain.clone()
            }
            .signed_assertion(idp()),
            denied,
        ),
        (
            Facts {
                attributes: aws_attribute("RoleSessionName", &["alice"]),
                ..plain.clone()
            }
            .signed_assertion(idp()),
            denied,
        ),
        (facts(&world, "other", AWS).signed_assertion(idp()), denied),
    ] {
        let refused = assume(&world, &request(&response, "ci")).await.unwrap_err();
        let found = (
            refused.code.as_str(),
            refused.status,
            refused.message.as_str(),
        );
        assert_eq!(found, expected);
    }
    let mut input = request(&plain.signed_assertion(idp()), "ci");
    input.saml_assertion = "%%%%".to_owned().into();
    assert_eq!(
        assume(&world, &input).await.unwrap_err().message,
        "Invalid base64 SAMLResponse"
    );

    // S5: within its five minutes an assertion is taken again, also for another role.
    create_role(&world, "second", ACTION, "{}").await;
    let second = format!("{},{}", role_arn("second"), provider_arn("idp"));
    let both = Facts {
        attributes: aws_attribute("Role", &[&role, &second])
            + &aws_attribute("RoleSessionName", &["alice"]),
        ..plain
    }
    .signed_assertion(idp());
    for name in ["ci", "second", "ci"] {
        assert!(
            assume(&world, &request(&both, name)).await.is_ok(),
            "{name}"
        );
    }
    world.pass(300);
    assert_eq!(
        assume(&world, &request(&both, "ci"))
            .await
            .unwrap_err()
            .code,
        "ExpiredTokenException"
    );
}

/// The one authorization step decides: no role, no trust, a condition that fails, another provider.
#[tokio::test]
async fn the_trust_policy_decides() {
    let world = World::new().await;
    create_provider(&world, "idp", idp()).await;
    create_provider(&world, "second", idp()).await;
    let keys = format!(
        r#"{{"StringEquals":{{"saml:aud":"{AWS}","saml:iss":"{ENTITY_ID}","saml:doc":"{ACCOUNT}/idp",
        "saml:sub":"alice","saml:sub_type":"persistent","saml:namequalifier":"{NAME_QUALIFIER}",
        "sts:RoleSessionName":"alice","saml:edupersonprincipalname":"alice@example.com"}},
        "ForAnyValue:StringEquals":{{"saml:edupersonaffiliation":"staff"}}}}"#
    );
    create_role(&world, "keys", ACTION, &keys).await;
    create_role(
        &world,
        "bob",
        ACTION,
        r#"{"StringEquals":{"saml:sub":"bob"}}"#,
    )
    .await;
    create_role(&world, "oidc", r#""sts:AssumeRoleWithWebIdentity""#, "{}").await;
    world
        .role(
            &world.root,
            "users",
            ACCOUNT,
            &statement("Allow", &["*"], "*"),
        )
        .await;
    let with_attributes = |name: &str| {
        let plain = facts(&world, name, AWS);
        let attributes = plain.attributes.clone()
            + &attribute("urn:oid:1.3.6.1.4.1.5923.1.1.1.1", &["member", "staff"])
            + &attribute("urn:oid:1.3.6.1.4.1.5923.1.1.1.6", &["alice@example.com"]);
        Facts {
            attributes,
            ..plain
        }
        .signed_assertion(idp())
    };
    let answer = assume(&world, &request(&with_attributes("keys"), "keys")).await;
    assert!(answer.is_ok(), "{answer:?}");
    for name in ["bob", "oidc", "users", "absent"] {
        let refused = assume(&world, &request(&with_attributes(name), name))
            .await
            .unwrap_err();
        assert_eq!(refused.code, "AccessDenied", "{name}");
        assert_eq!(
            refused.message, "Not authorized to perform sts:AssumeRoleWithSAML",
            "{name}"
        );
    }
    // The same keys at another provider: its ARN is not the one that is trusted.
    let plain = facts(&world, "keys", AWS);
    let role = format!("{},{}", role_arn("keys"), provider_arn("second"));
    let attributes =
        aws_attribute("Role", &[&role]) + &aws_attribute("RoleSessionName", &["alice"]);
    let response = Facts {
        attributes,
        ..plain
    }
    .signed_assertion(idp());
    let input = sts::AssumeRoleWithSAMLRequest {
        principal_arn: provider_arn("second"),
        ..request(&response, "keys")
    };
    assert_eq!(
        assume(&world, &input).await.unwrap_err().code,
        "AccessDenied"
    );
    // A valid signature does not replace the assertion.
    let input = request("<a/>", "keys");
    let refused = world
        .aws::<sts::ops::AssumeRoleWithSAML>(&world.root, &input)
        .await
        .unwrap_err();
    assert_eq!(refused.code, "InvalidIdentityToken");
}

/// S4: what stays in the session, and nothing else; tags and source identity need their own actions.
#[tokio::test]
async fn s4_the_session_keeps_the_subject_tags_and_source_identity() {
    let world = World::new().await;
    create_provider(&world, "idp", idp()).await;
    let all = r#"["sts:AssumeRoleWithSAML","sts:TagSession","sts:SetSourceIdentity"]"#;
    create_role(
        &world,
        "ci",
        all,
        r#"{"StringEquals":{"aws:RequestTag/team":"red"}}"#,
    )
    .await;
    create_role(&world, "untagged", ACTION, "{}").await;
    let response = |name: &str| {
        let plain = facts(&world, name, AWS);
        let attributes = plain.attributes.clone()
            + &aws_attribute("PrincipalTag:team", &["red"])
            + &aws_attribute("TransitiveTagKeys", &["team"])
            + &aws_attribute("SourceIdentity", &["alice"]);
        Facts {
            attributes,
            ..plain
        }
        .signed_assertion(idp())
    };
    let answer = assume(&world, &request(&response("ci"), "ci"))
        .await
        .unwrap();
    assert_eq!(answer.source_identity.as_deref(), Some("alice"));
    let caller = world.caller(&person(&answer)).await;
    let key = |name: &str| caller.context.get(name).map(|value| format!("{value:?}"));
    for name in [
        "saml:sub",
        "saml:sub_type",
        "saml:namequalifier",
        "aws:PrincipalTag/team",
        "aws:SourceIdentity",
    ] {
        assert!(key(name).is_some(), "{name}");
    }
    for name in [
        "saml:aud",
        "saml:iss",
        "saml:doc",
        "aws:FederatedProvider",
        "aws:RequestTag/team",
    ] {
        assert_eq!(key(name), None, "{name}");
    }
    let info = caller.session_info.as_ref().unwrap();
    assert_eq!(
        info.transitive_tags,
        [("team".to_owned(), "red".to_owned())]
    );
    // Without sts:TagSession the whole call fails.
    let refused = assume(&world, &request(&response("untagged"), "untagged"))
        .await
        .unwrap_err();
    assert_eq!(refused.code, "AccessDenied");
    for (name, value) in [("PrincipalTag:aws:x", "1"), ("TransitiveTagKeys", "absent")] {
        let plain = facts(&world, "ci", AWS);
        let attributes = plain.attributes.clone()
            + &aws_attribute("PrincipalTag:team", &["red"])
            + &aws_attribute(name, &[value]);
        let response = Facts {
            attributes,
            ..plain
        }
        .signed_assertion(idp());
        let refused = assume(&world, &request(&response, "ci")).await.unwrap_err();
        assert_eq!(refused.code, "InvalidIdentityToken", "{name}: {refused:?}");
    }
}

/// S3: `SessionDuration` and the provider's own session only shorten.
#[tokio::test]
async fn s3_sessions_are_as_long_as_the_shortest_says() {
    let world = World::new().await;
    create_provider(&world, "idp", idp()).await;
    create_role(&world, "ci", ACTION, "{}").await;
    let at = |seconds| shown(world.now() + SignedDuration::from_secs(seconds));
    let plain = facts(&world, "ci", AWS);
    let duration = |text| plain.attributes.clone() + &aws_attribute("SessionDuration", &[text]);
    let ends = |seconds| {
        plain.authn.replace(
            "AuthnInstant",
            &format!("SessionNotOnOrAfter=\"{}\" AuthnInstant", at(seconds)),
        )
    };
    let ends = |seconds| {
        // Canonical XML sorts attributes by name.
        let text = ends(seconds);
        let (start, rest) = text.split_once(" SessionNotOnOrAfter").unwrap();
        let (session, authn) = rest.split_once(" AuthnInstant").unwrap();
        let authn = authn.trim_end_matches("></saml:AuthnStatement>");
        format!("{start} AuthnInstant{authn} SessionNotOnOrAfter{session}></saml:AuthnStatement>")
    };
    for (asked, facts, expected) in [
        (None, plain.clone(), 3600),
        (Some(900), plain.clone(), 900),
        (
            None,
            Facts {
                attributes: duration("1800"),
                ..plain.clone()
            },
            1800,
        ),
        (
            Some(1200),
            Facts {
                attributes: duration("1800"),
                ..plain.clone()
            },
            1200,
        ),
        (
            None,
            Facts {
                attributes: duration("43200"),
                ..plain.clone()
            },
            3600,
        ),
        (
            None,
            Facts {
                authn: ends(600),
                ..plain.clone()
            },
            600,
        ),
    ] {
        let input = sts::AssumeRoleWithSAMLRequest {
            duration_seconds: asked,
            ..request(&facts.signed_assertion(idp()), "ci")
        };
        let answer = assume(&world, &input).await.unwrap();
        let lasts = answer.credentials.unwrap().expiration.as_second() - world.now().as_second();
        assert_eq!(lasts, expected, "{asked:?}");
    }
    let input = sts::AssumeRoleWithSAMLRequest {
        duration_seconds: Some(7200),
        ..request(&plain.signed_assertion(idp()), "ci")
    };
    let refused = assume(&world, &input).await.unwrap_err();
    let message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
    assert_eq!(
        (refused.code.as_str(), refused.message.as_str()),
        ("ValidationError", message)
    );
}
