//! Validation messages, as a table.

use crate::{DecodeError, ecr, iam, sts};
use crate::{decode_request, encode_request};

fn refused<O: crate::Op>(body: &str) -> (String, String)
where
    O::Input: std::fmt::Debug,
{
    let error: DecodeError = decode_request::<O>(body.as_bytes()).unwrap_err();
    let wire = error.wire();
    assert_eq!(wire.status, 400);
    (wire.code.to_owned(), wire.message)
}

/// Words recorded from AWS: LocalStack's test_iam_{roles,policies,mfa}.snapshot.json of 2026.
#[test]
fn iam_names_the_member_without_its_value() {
    let tag_key = r"[\p{L}\p{Z}\p{N}_.:/=+\-@]+";
    let name = "It must contain only alphanumeric characters and/or the following: +=,.@_-";
    let path = "It must begin and end with / and contain only alphanumeric characters and/or / characters.";
    let long_path = format!("UserName=a&Path=/{}/", "x".repeat(512));
    let table = [
        ("", "1 validation error detected: Value at 'userName' failed to satisfy constraint: Member must not be null".to_owned()),
        ("UserName=a/b", format!("The specified value for userName is invalid. {name}")),
        ("UserName=a&Path=x", format!("The specified value for path is invalid. {path}")),
        (
            &long_path,
            "1 validation error detected: Value at 'path' failed to satisfy constraint: \
             Member must have length less than or equal to 512".to_owned(),
        ),
        // The characters of names come after the model's other limits.
        (
            "UserName=",
            "1 validation error detected: Value at 'userName' failed to satisfy constraint: \
             Member must have length greater than or equal to 1".to_owned(),
        ),
        (
            "UserName=a/b&Tags.member.1.Key=%21&Tags.member.1.Value=v&Tags.member.2.Key=k",
            format!(
                "2 validation errors detected: Value at 'tags.1.member.key' failed to satisfy constraint: \
                 Member must satisfy regular expression pattern: {tag_key}; \
                 Value at 'tags.2.member.value' failed to satisfy constraint: Member must not be null"
            ),
        ),
    ];
    for (body, message) in table {
        let (code, found) = refused::<iam::ops::CreateUser>(body);
        assert_eq!(code, "ValidationError");
        assert_eq!(found, message, "{body}");
    }
    let (_, message) =
        refused::<iam::ops::UpdateAccessKey>("AccessKeyId=AKIAIOSFODNN7EXAMPLE&Status=On");
    assert_eq!(
        message,
        "1 validation error detected: Value at 'status' failed to satisfy constraint: \
         Member must satisfy enum value set"
    );
    let (_, message) =
        refused::<iam::ops::UntagUser>("UserName=a&TagKeys.member.1=ok&TagKeys.member.2=%01");
    assert_eq!(
        message,
        format!(
            "1 validation error detected: Value at 'tagKeys' failed to satisfy constraint: \
             Member must satisfy constraint: [Member must have length less than or equal to 128, \
             Member must have length greater than or equal to 1, Member must satisfy regular expression \
             pattern: {tag_key}, Member must not be null]"
        )
    );
    let (_, message) = refused::<iam::ops::ListUsers>("MaxItems=1001");
    assert_eq!(
        message,
        "1 validation error detected: Value at 'maxItems' failed to satisfy constraint: \
         Member must have value less than or equal to 1000"
    );
    let (_, message) = refused::<iam::ops::GetPolicyVersion>(
        "PolicyArn=arn:aws:iam::111122223333:policy/p&VersionId=1",
    );
    assert_eq!(
        message,
        r"1 validation error detected: Value at 'versionId' failed to satisfy constraint: Member must satisfy regular expression pattern: v[1-9][0-9]*(\.[A-Za-z0-9-]*)?"
    );
}

/// LocalStack's test_update_account_password_policy_validation_errors and
/// test_create_open_id_connect_provider_validation_errors.
#[test]
fn iam_lists_violations_in_the_order_of_a_hash_map() {
    let value = |member: &str, max: i64| {
        format!(
            "Value at '{member}' failed to satisfy constraint: Member must have value less than or equal to {max}"
        )
    };
    let (_, message) = refused::<iam::ops::UpdateAccountPasswordPolicy>(
        "MaxPasswordAge=1096&MinimumPasswordLength=129&PasswordReusePrevention=25",
    );
    let violations = [
        value("minimumPasswordLength", 128),
        value("passwordReusePrevention", 24),
        value("maxPasswordAge", 1095),
    ];
    assert_eq!(
        message,
        format!("3 validation errors detected: {}", violations.join("; "))
    );

    let form = format!(
        "Url={}&ThumbprintList.member.1={}&ClientIDList.member.1={}",
        "b".repeat(256),
        "b".repeat(41),
        "b".repeat(256)
    );
    let (_, message) = refused::<iam::ops::CreateOpenIDConnectProvider>(&form);
    assert_eq!(
        message,
        "3 validation errors detected: Value at 'clientIDList' failed to satisfy constraint: Member must satisfy \
         constraint: [Member must have length less than or equal to 255, Member must have length greater than or \
         equal to 1]; Value at 'thumbprintList' failed to satisfy constraint: Member must satisfy constraint: [Member \
         must have length less than or equal to 40, Member must have length greater than or equal to 40]; Value at \
         'url' failed to satisfy constraint: Member must have length less than or equal to 255"
    );
}

/// LocalStack's test_sts.snapshot.json: STS repeats the value, also a long one.
#[test]
fn sts_repeats_the_value() {
    let long = "x".repeat(3_900);
    let (_, message) = refused::<sts::ops::GetFederationToken>(&format!("Name=ci&Policy={long}"));
    assert_eq!(
        message,
        format!(
            "1 validation error detected: Value '{long}' at 'policy' failed to satisfy constraint: \
             Member must have length less than or equal to 2048"
        )
    );
    let (_, message) = refused::<sts::ops::AssumeRole>(
        "RoleArn=arn:aws:iam::123456789012:role/x&RoleSessionName=Session1:2",
    );
    assert_eq!(
        message,
        "1 validation error detected: Value 'Session1:2' at 'roleSessionName' failed to satisfy constraint: \
         Member must satisfy regular expression pattern: [\\w+=,.@-]*"
    );
    let (_, message) = refused::<sts::ops::AssumeRole>(
        "RoleArn=arn:aws:iam::123456789012:role/x&RoleSessionName=ci&DurationSeconds=899",
    );
    assert_eq!(
        message,
        "1 validation error detected: Value '899' at 'durationSeconds' failed to satisfy constraint: \
         Member must have value greater than or equal to 900"
    );
}

#[test]
fn ecr_has_its_own_words() {
    let (code, message) = refused::<ecr::ops::CreateRepository>(r#"{"repositoryName":"a"}"#);
    assert_eq!(code, "InvalidParameterException");
    assert_eq!(
        message,
        "Invalid parameter at 'repositoryName' failed to satisfy constraint: \
         'must have length greater than or equal to 2'"
    );
    let (_, message) = refused::<ecr::ops::CreateRepository>(r#"{"repositoryName":"Team/App"}"#);
    let pattern = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*";
    assert_eq!(
        message,
        format!(
            "Invalid parameter at 'repositoryName' failed to satisfy constraint: \
             'must satisfy regular expression '{pattern}''"
        )
    );
    let (_, message) =
        refused::<ecr::ops::PutImageTagMutability>(r#"{"imageTagMutability":"MAYBE"}"#);
    assert_eq!(
        message,
        "2 validation errors detected: Invalid parameter at 'repositoryName' failed to satisfy constraint: \
         'must not be null'; Invalid parameter at 'imageTagMutability' failed to satisfy constraint: 'Member must \
         satisfy enum value set: [MUTABLE, IMMUTABLE, IMMUTABLE_WITH_EXCLUSION, MUTABLE_WITH_EXCLUSION]'"
    );
    // An operation whose model has no InvalidParameterException.
    let without = ecr::Operation::ALL
        .iter()
        .filter(|o| !o.errors().contains(&ecr::ErrorCode::InvalidParameter));
    assert!(without.count() < 10);
}

#[test]
fn secrets_stay_out_of_messages_and_debug() {
    let body = format!("UserName=a&Password=hunter2%01{}", "x".repeat(200));
    let (_, message) = refused::<iam::ops::CreateLoginProfile>(&body);
    assert!(
        message.contains("Value at 'password' failed to satisfy constraint"),
        "{message}"
    );
    assert!(!message.contains("hunter2"), "{message}");

    let input = iam::CreateLoginProfileRequest {
        user_name: Some("a".to_owned()),
        password: Some("hunter2".into()),
        ..Default::default()
    };
    assert!(!format!("{input:?}").contains("hunter2"));
    let sent = encode_request::<iam::ops::CreateLoginProfile>(&input);
    assert!(
        String::from_utf8(sent.body)
            .unwrap()
            .ends_with("&Password=hunter2")
    );
    assert_eq!(
        crate::audit_json(&input),
        serde_json::json!({"userName": "a", "password": "HIDDEN_DUE_TO_SECURITY_REASONS"})
    );
    let credentials = sts::Credentials {
        secret_access_key: "hunter2".into(),
        session_token: "hunter3".into(),
        ..Default::default()
    };
    assert!(!format!("{credentials:?}").contains("hunter"));
}

#[test]
fn long_values_and_long_lists_of_violations_are_cut() {
    let (_, message) = refused::<iam::ops::GetUser>(&format!("UserName={}", "%2F".repeat(100_000)));
    assert!(message.len() < 4096, "{}", message.len());
    let tags: String = (1..5000)
        .map(|i| format!("&Tags.member.{i}.Key="))
        .collect();
    let (_, message) = refused::<iam::ops::TagUser>(&format!("UserName=a{tags}"));
    assert!(message.len() < 32_768, "{}", message.len());
}

#[test]
fn lengths_count_characters() {
    // 128 letters of two bytes each.
    let key = "é".repeat(128);
    let body = |key: &str| format!("UserName=a&Tags.member.1.Key={key}&Tags.member.1.Value=");
    assert!(decode_request::<iam::ops::TagUser>(body(&key).as_bytes()).is_ok());
    let (_, message) = refused::<iam::ops::TagUser>(&body(&(key + "é")));
    assert!(message.contains("less than or equal to 128"), "{message}");
}

/// Recorded answers: LocalStack's test_role_attach_policy, test_user_attach_policy,
/// test_role_permissions_boundary_errors and test_sts_invalid_parameters; "Invalid ARN partition" in
/// pulumi/pulumi-aws-apigateway#347, `policy/arn:…` in aws-samples/aws-cdk-examples#335.
#[test]
fn malformed_arns_are_no_missing_entities() {
    let unreadable = (
        "ValidationError",
        "Invalid ARN:  Could not be parsed!".to_owned(),
    );
    let partition = ("ValidationError", "Invalid ARN partition".to_owned());
    let not_valid = |arn: &str| ("InvalidInput", format!("ARN {arn} is not valid."));
    let policies = [
        ("longpolicynamebutnoarn", unreadable.clone()),
        ("arn:aws:iam::111122223333:", unreadable.clone()),
        ("arn:aws:iam:111122223333/p", unreadable.clone()),
        (
            "arn:aws-cn:iam::aws:policy/ReadOnlyAccess",
            partition.clone(),
        ),
        (
            "arn:aws:s3::111122223333:policy/p",
            not_valid("arn:aws:s3::111122223333:policy/p"),
        ),
        (
            "arn:aws:iam:us-east-1:111122223333:policy/p",
            not_valid("arn:aws:iam:us-east-1:111122223333:policy/p"),
        ),
        (
            "arn:aws:iam::111122223333:not_a_policy/invalid",
            not_valid("arn:aws:iam::111122223333:not_a_policy/invalid"),
        ),
        (
            "arn:aws:iam::111122223333:role/policy",
            not_valid("arn:aws:iam::111122223333:role/policy"),
        ),
        (
            "arn:aws:iam::aws:policy/arn:aws:iam::aws:policy/X",
            not_valid("arn:aws:iam::aws:policy/arn:aws:iam::aws:policy/X"),
        ),
        (
            "arn:aws:iam::111122223333:policy/",
            not_valid("arn:aws:iam::111122223333:policy/"),
        ),
    ];
    for (arn, (code, message)) in policies {
        let wanted = (code.to_owned(), message);
        let body = format!("UserName=a&PolicyArn={arn}");
        assert_eq!(
            refused::<iam::ops::AttachUserPolicy>(&body),
            wanted,
            "{arn}"
        );
        let body = format!("PolicyArn={arn}");
        assert_eq!(
            refused::<iam::ops::ListEntitiesForPolicy>(&body),
            wanted,
            "{arn}"
        );
        let body = format!("RoleName=a&AssumeRolePolicyDocument=x&PermissionsBoundary={arn}");
        assert_eq!(refused::<iam::ops::CreateRole>(&body), wanted, "{arn}");
    }
    // Too short for the model: its limit comes first.
    let (_, message) = refused::<iam::ops::AttachUserPolicy>("UserName=a&PolicyArn=nothing");
    assert!(
        message.contains("Member must have length greater than or equal to 20"),
        "{message}"
    );
    for arn in [
        "arn:aws:iam::111122223333:policy/team/p",
        "arn:aws:iam::aws:policy/service-role/P",
    ] {
        assert!(
            decode_request::<iam::ops::GetPolicy>(format!("PolicyArn={arn}").as_bytes()).is_ok()
        );
    }

    let source = "arn:aws:sts::111122223333:assumed-role/ci/job";
    let body = format!("PolicySourceArn={source}&ActionNames.member.1=ecr:PutImage");
    let (code, message) = refused::<iam::ops::SimulatePrincipalPolicy>(&body);
    assert_eq!(code, "InvalidInput");
    assert_eq!(
        message,
        format!("Invalid Entity Arn: {source} does not clearly define entity type and name.")
    );

    for arn in [
        "nothing-valid-in-here",
        "arn::b:::something/test-role",
        "arn:a::::something/test-role",
        "arn:a:::something/test-role",
        "arn:a:a::aaaaaaaaaa:",
    ] {
        let (code, message) =
            refused::<sts::ops::AssumeRole>(&format!("RoleArn={arn}&RoleSessionName=Session1"));
        assert_eq!(
            (code.as_str(), message),
            ("ValidationError", format!("{arn} is invalid"))
        );
    }
    // Well formed: whether there is such a role is nobody's to learn here.
    let body = "RoleArn=arn:a:b:::something/test-role&RoleSessionName=Session1";
    assert!(decode_request::<sts::ops::AssumeRole>(body.as_bytes()).is_ok());
}

/// A new operation with an ARN is checked without a line of its own.
#[test]
fn every_arn_of_every_request_is_checked() {
    use crate::shape::Kind;
    for operation in iam::Operation::ALL {
        let Kind::Structure(members) = operation.input().kind else {
            continue;
        };
        for member in members.iter().filter(|member| member.name.ends_with("Arn")) {
            let checked = member.shape.name == "arnType";
            // The simulator's caller may be of several kinds, which the domain checks; an instance of
            // IAM Identity Center is not a resource of IAM.
            let read_later = ["CallerArn", "IdentityCenterInstanceArn"].contains(&member.name);
            assert!(checked || read_later, "{operation:?} {}", member.name);
        }
    }
}
