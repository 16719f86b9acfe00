//! Complete responses, byte for byte.

use crate::{
    CommonError, Protocol, ResponseFormat, Service, decode_error, decode_response, ecr,
    encode_error, encode_error_as, encode_request, encode_response, encode_response_as, iam, sts,
};
use jiff::Timestamp;

fn text(body: Vec<u8>) -> String {
    String::from_utf8(body).unwrap()
}

#[test]
fn encodes_a_query_response() {
    let output = iam::CreateUserResponse {
        user: Some(iam::User {
            path: "/".to_owned(),
            user_name: "al<ice>".to_owned(),
            user_id: "AIDACKCEVSQ6C2EXAMPLE".to_owned(),
            arn: "arn:aws:iam::123456789012:user/alice".to_owned(),
            create_date: Timestamp::from_millisecond(1_700_000_000_999).unwrap(),
            tags: Some(vec![]),
            ..Default::default()
        }),
    };
    let answer = encode_response::<iam::ops::CreateUser>(&output, "id-1");
    assert_eq!((answer.status, answer.content_type), (200, "text/xml"));
    assert_eq!(
        text(answer.body.clone()),
        "<CreateUserResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><CreateUserResult><User>\
         <Path>/</Path><UserName>al&lt;ice&gt;</UserName><UserId>AIDACKCEVSQ6C2EXAMPLE</UserId>\
         <Arn>arn:aws:iam::123456789012:user/alice</Arn><CreateDate>2023-11-14T22:13:20Z</CreateDate>\
         <Tags></Tags></User></CreateUserResult><ResponseMetadata><RequestId>id-1</RequestId>\
         </ResponseMetadata></CreateUserResponse>\n"
    );
    let read = decode_response::<iam::ops::CreateUser>(&answer.body).unwrap();
    assert_eq!(read.user.unwrap().user_name, "al<ice>");

    let empty = encode_response::<iam::ops::DeleteUser>(&(), "id-2");
    assert_eq!(
        text(empty.body),
        "<DeleteUserResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\
         <ResponseMetadata><RequestId>id-2</RequestId></ResponseMetadata></DeleteUserResponse>\n"
    );
    // An output without members still has its result element.
    let unit = encode_response::<iam::ops::CreateServiceLinkedRole>(&Default::default(), "id-3");
    assert!(
        text(unit.body).contains("<CreateServiceLinkedRoleResult></CreateServiceLinkedRoleResult>")
    );
}

#[test]
fn encodes_a_json_response() {
    let output = ecr::GetAuthorizationTokenResponse {
        authorization_data: Some(vec![ecr::AuthorizationData {
            authorization_token: Some("QVdTOng=".into()),
            expires_at: Some(Timestamp::from_millisecond(1_700_000_000_250).unwrap()),
            proxy_endpoint: Some("https://123456789012.dkr.ecr.us-east-1.amazonaws.com".to_owned()),
        }]),
    };
    let answer = encode_response::<ecr::ops::GetAuthorizationToken>(&output, "id");
    assert_eq!(answer.content_type, "application/x-amz-json-1.1");
    assert_eq!(
        text(answer.body),
        r#"{"authorizationData":[{"authorizationToken":"QVdTOng=","expiresAt":1700000000.25,"proxyEndpoint":"https://123456789012.dkr.ecr.us-east-1.amazonaws.com"}]}"#
    );
}

// The form that `aws-iam-authenticator` decodes (pkg/token/token.go).
#[test]
fn encodes_a_query_response_as_json() {
    let output = sts::GetCallerIdentityResponse {
        user_id: Some("AIDACKCEVSQ6C2EXAMPLE".to_owned()),
        account: Some("123456789012".to_owned()),
        arn: Some("arn:aws:iam::123456789012:user/alice".to_owned()),
    };
    let json = ResponseFormat::Json;
    let answer = encode_response_as::<sts::ops::GetCallerIdentity>(&output, json, "id-1");
    assert_eq!(
        (answer.status, answer.content_type),
        (200, "application/json")
    );
    assert_eq!(
        text(answer.body),
        r#"{"GetCallerIdentityResponse":{"GetCallerIdentityResult":{"UserId":"AIDACKCEVSQ6C2EXAMPLE","Account":"123456789012","Arn":"arn:aws:iam::123456789012:user/alice"},"ResponseMetadata":{"RequestId":"id-1"}}}"#
    );

    let at = Timestamp::from_second(1_700_000_000).unwrap();
    let output = sts::GetSessionTokenResponse {
        credentials: Some(sts::Credentials {
            expiration: at,
            ..Default::default()
        }),
        ..Default::default()
    };
    let answer = encode_response_as::<sts::ops::GetSessionToken>(&output, json, "id-2");
    assert!(text(answer.body).contains(r#""Expiration":1700000000}"#));

    let answer = encode_response_as::<iam::ops::DeleteUser>(&(), json, "id-3");
    assert_eq!(
        text(answer.body),
        r#"{"DeleteUserResponse":{"ResponseMetadata":{"RequestId":"id-3"}}}"#
    );
}

#[test]
fn encodes_a_query_error_as_json() {
    let error = iam::ErrorCode::NoSuchEntity.with("a \"b\"");
    let answer = encode_error_as(Service::Iam, &error, ResponseFormat::Json, "id");
    assert_eq!(
        (answer.status, answer.content_type),
        (404, "application/json")
    );
    assert_eq!(
        text(answer.body),
        r#"{"Error":{"Code":"NoSuchEntity","Message":"a \"b\"","Type":"Sender"},"RequestId":"id"}"#
    );
}

#[test]
fn json_services_have_one_format() {
    let error = ecr::ErrorCode::Server.with("x");
    let [native, json] = [ResponseFormat::Native, ResponseFormat::Json]
        .map(|format| encode_error_as(Service::Ecr, &error, format, "id"));
    assert_eq!(native, json);
}

#[test]
fn writes_times_with_at_most_three_decimals() {
    for (millis, seconds) in [
        (0, "0"),
        (1, "0.001"),
        (1_700_000_000_120, "1700000000.12"),
        (-1, "-0.001"),
        (-1500, "-1.5"),
        (-2000, "-2"),
    ] {
        let at = Timestamp::from_millisecond(millis).unwrap();
        assert_eq!(crate::json::seconds(at), seconds);
    }
    let early = Timestamp::from_millisecond(-1).unwrap();
    assert_eq!(crate::query::iso8601(early), "1969-12-31T23:59:59Z");
}

#[test]
fn encodes_errors_in_both_protocols() {
    let error = iam::ErrorCode::NoSuchEntity.with("The user with name a&b\u{0} cannot be found.");
    let answer = encode_error(Service::Iam, &error, "id");
    assert_eq!((answer.status, answer.error_type), (404, None));
    assert_eq!(
        text(answer.body.clone()),
        "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error><Type>Sender</Type>\
         <Code>NoSuchEntity</Code><Message>The user with name a&amp;b\u{FFFD} cannot be found.</Message></Error>\
         <RequestId>id</RequestId></ErrorResponse>\n"
    );
    assert_eq!(
        decode_error(Service::Iam, None, &answer.body).code,
        "NoSuchEntity"
    );

    let error = ecr::ErrorCode::InvalidLayerPart
        .with("a \"wrong\" part\u{1}")
        .member("lastValidByteReceived", 41);
    let answer = encode_error(Service::Ecr, &error, "id");
    assert_eq!(answer.status, 400);
    assert_eq!(answer.error_type, Some("InvalidLayerPartException"));
    assert_eq!(
        text(answer.body.clone()),
        r#"{"__type":"InvalidLayerPartException","message":"a \"wrong\" part\u0001","lastValidByteReceived":41}"#
    );
    assert_eq!(
        decode_error(Service::Ecr, None, &answer.body).message,
        "a \"wrong\" part\u{1}"
    );
    assert_eq!(decode_error(Service::Ecr, None, b"<html>").code, "");
    assert_eq!(decode_error(Service::Sts, None, b"<html>").code, "");
    assert_eq!(ecr::ErrorCode::Server.status(), 500);
    assert_eq!(
        sts::ErrorCode::MalformedPolicyDocument.code(),
        "MalformedPolicyDocument"
    );
}

#[test]
fn common_errors_follow_the_protocol() {
    let codes = |error: CommonError| (error.code(Protocol::Json), error.code(Protocol::Query));
    let table = [
        (
            CommonError::AccessDenied,
            ("AccessDeniedException", "AccessDenied"),
        ),
        (
            CommonError::InvalidClientTokenId,
            ("UnrecognizedClientException", "InvalidClientTokenId"),
        ),
        (
            CommonError::SignatureDoesNotMatch,
            ("InvalidSignatureException", "SignatureDoesNotMatch"),
        ),
        (
            CommonError::ExpiredToken,
            ("ExpiredTokenException", "ExpiredToken"),
        ),
        (
            CommonError::InvalidAction,
            ("UnknownOperationException", "InvalidAction"),
        ),
        (
            CommonError::Validation,
            ("ValidationException", "ValidationError"),
        ),
    ];
    for (error, expected) in table {
        assert_eq!(codes(error), expected);
    }
    for error in CommonError::ALL {
        for protocol in [Protocol::Json, Protocol::Query, Protocol::RestJson] {
            let wire = error.with(protocol, "x");
            let receiver = wire.fault == crate::Fault::Receiver;
            assert_eq!(receiver, wire.status.is_server_error(), "{error:?}");
        }
    }
}

#[test]
fn encodes_requests() {
    let sent =
        encode_request::<ecr::ops::DescribeRepositories>(&ecr::DescribeRepositoriesRequest {
            repository_names: Some(vec!["app".to_owned()]),
            ..Default::default()
        });
    assert_eq!(
        sent.target.as_deref(),
        Some("AmazonEC2ContainerRegistry_V20150921.DescribeRepositories")
    );
    assert_eq!(text(sent.body), r#"{"repositoryNames":["app"]}"#);
    let sent = encode_request::<sts::ops::GetCallerIdentity>(&Default::default());
    assert_eq!(
        text(sent.body),
        "Action=GetCallerIdentity&Version=2011-06-15"
    );
    assert_eq!(sent.target, None);
}
