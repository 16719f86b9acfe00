//! Requests made to hurt.

use crate::{CommonError, Form, Protocol, decode_request, decode_response, ecr, iam, sts};

fn json(body: &[u8]) -> Result<ecr::CreateRepositoryRequest, String> {
    decode_request::<ecr::ops::CreateRepository>(body).map_err(|e| {
        let wire = e.wire();
        assert_eq!(wire.status, 400);
        format!("{}: {}", wire.code, wire.message)
    })
}

#[test]
fn rejects_json_of_the_wrong_type() {
    let table: &[(&str, &str)] = &[
        ("[]", "Start of list found where not expected"),
        ("\"x\"", "Expected map or null"),
        ("null", "The request body must be a JSON object."),
        ("7", "Expected map or null"),
        ("{", "The request body is not valid JSON."),
        ("{}x", "The request body is not valid JSON."),
        (
            r#"{"repositoryName":7}"#,
            "NUMBER_VALUE can not be converted to a String",
        ),
        (
            r#"{"repositoryName":1e400}"#,
            "The request body is not valid JSON.",
        ),
        (
            r#"{"repositoryName":true}"#,
            "TRUE_VALUE can not be converted to a String",
        ),
        (
            r#"{"repositoryName":["x"]}"#,
            "Unrecognized collection type class java.util.ArrayList",
        ),
        (
            r#"{"repositoryName":{}}"#,
            "Start of structure or map found where not expected.",
        ),
        (r#"{"tags":"x"}"#, "Expected list or null"),
        (
            r#"{"tags":{}}"#,
            "Start of structure or map found where not expected.",
        ),
        (r#"{"tags":["x"]}"#, "Expected map or null"),
        (r#"{"tags":[[]]}"#, "Start of list found where not expected"),
        (
            r#"{"repositoryName":"\ud800"}"#,
            "The request body is not valid JSON.",
        ),
        (
            r#"{"repositoryName":"\ud800\ud800"}"#,
            "The request body is not valid JSON.",
        ),
        (
            r#"{"repositoryName":NaN}"#,
            "The request body is not valid JSON.",
        ),
        (
            r#"{"imageScanningConfiguration":{"scanOnPush":"true"}}"#,
            "STRING_VALUE can not be converted to a Boolean",
        ),
    ];
    for (body, message) in table {
        let found = json(body.as_bytes()).unwrap_err();
        assert_eq!(
            found,
            format!("SerializationException: {message}"),
            "{body}"
        );
    }
    assert!(json(b"{\"repositoryName\":\"\xff\"}").is_err());
    assert!(json(b"\xef\xbb\xbf{}").is_err());
}

#[test]
fn accepts_equivalent_json() {
    let name = |body: &str| json(body.as_bytes()).map(|input| input.repository_name);
    // Unknown members, of any form, are skipped; null is absent; the last of two counts.
    let deep = "[".repeat(100) + &"]".repeat(100);
    assert_eq!(
        name(&format!(r#"{{"x":{deep},"repositoryName":"app"}}"#)),
        Ok("app".to_owned())
    );
    assert_eq!(
        name(r#"{"repositoryName":"app","tags":null}"#),
        Ok("app".to_owned())
    );
    assert_eq!(
        name(r#"{"repositoryName":"one","repositoryName":"two"}"#),
        Ok("two".to_owned())
    );
    assert_eq!(
        name(r#"{"repositoryN\u0061me":"a\u0070p"}"#),
        Ok("app".to_owned())
    );
    // An empty body is an empty request.
    assert!(
        json(b"")
            .unwrap_err()
            .starts_with("InvalidParameterException")
    );
}

#[test]
fn rejects_json_that_is_too_deep_or_too_long() {
    let deep = "[".repeat(1_000_000);
    assert!(json(format!("{{\"x\":{deep}").as_bytes()).is_err());
    assert!(json(deep.as_bytes()).is_err());
    let many = vec!["{}"; 20_000].join(",");
    let found = json(format!("{{\"tags\":[{many}]}}").as_bytes()).unwrap_err();
    assert_eq!(found, "SerializationException: Too many members in a list");
}

#[test]
fn decodes_numbers_and_times_within_their_range() {
    let items = |text: &str| {
        decode_request::<ecr::ops::ListImages>(
            format!(r#"{{"repositoryName":"app","maxResults":{text}}}"#).as_bytes(),
        )
        .map(|input| input.max_results)
        .map_err(|e| e.wire().code)
    };
    assert_eq!(items("7"), Ok(Some(7)));
    assert_eq!(items("7.0"), Ok(Some(7)));
    for bad in [
        "7.5",
        "1e30",
        "-1e30",
        "99999999999999999999",
        "2147483648",
        "\"7\"",
    ] {
        assert_eq!(items(bad), Err("SerializationException"), "{bad}");
    }
    assert_eq!(items("0"), Err("InvalidParameterException"));

    let expires = |text: &str| {
        let body = format!(r#"{{"authorizationData":[{{"expiresAt":{text}}}]}}"#);
        decode_response::<ecr::ops::GetAuthorizationToken>(body.as_bytes()).map(|out| {
            out.authorization_data.unwrap()[0]
                .expires_at
                .unwrap()
                .as_millisecond()
        })
    };
    assert_eq!(expires("1700000000").ok(), Some(1_700_000_000_000));
    assert_eq!(expires("1700000000.1234").ok(), Some(1_700_000_000_123));
    assert_eq!(expires("1.7E9").ok(), Some(1_700_000_000_000));
    for bad in ["1e308", "-1e308", "1e400", "9223372036854775807", "true"] {
        assert!(expires(bad).is_err(), "{bad}");
    }
}

#[test]
fn decodes_layer_parts() {
    let part = |blob: &str| {
        decode_request::<ecr::ops::UploadLayerPart>(
            format!(
                r#"{{"repositoryName":"app","uploadId":"00000000-0000-4000-8000-000000000000",
                    "partFirstByte":0,"partLastByte":3,"layerPartBlob":{blob}}}"#
            )
            .as_bytes(),
        )
        .map(|input| input.layer_part_blob.to_vec())
        .map_err(|e| e.wire().message)
    };
    assert_eq!(part("\"AAECAw==\""), Ok(vec![0, 1, 2, 3]));
    assert_eq!(part("\"AAEC\\u0041w==\""), Ok(vec![0, 1, 2, 3]));
    assert_eq!(
        part("\"AAECAw=\""),
        Err("Invalid base64 in a Blob".to_owned())
    );
    assert_eq!(part("\"A A=\""), Err("Invalid base64 in a Blob".to_owned()));
    assert_eq!(
        part("7"),
        Err("NUMBER_VALUE can not be converted to a Blob".to_owned())
    );
}

#[test]
fn rejects_malformed_forms() {
    let table: &[&str] = &[
        "UserName=%",
        "UserName=%f",
        "UserName=%zz",
        "UserName=%ff",
        "UserName=a&UserName=b",
        "UserName=a&User%4eame=b",
        "UserName.x=a",
        "UserName=a&UserName.member.1=b",
        "Tags=x",
        "Tags.1.Key=x",
        "Tags.member.x.Key=y",
        "Tags.member.-1.Key=y",
        "Tags.member.99999999999.Key=y",
        "Tags.member.1=x",
        "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q=x",
    ];
    for body in table {
        let error = decode_request::<iam::ops::TagUser>(body.as_bytes())
            .unwrap_err()
            .wire();
        assert_eq!(
            error.code,
            CommonError::Malformed.code(Protocol::Query),
            "{body}"
        );
    }
    let many: String = (0..20_000).map(|i| format!("a{i}=&")).collect();
    assert!(Form::parse(many.as_bytes()).is_err());
    let wrong = decode_request::<sts::ops::GetSessionToken>(b"DurationSeconds=1h").unwrap_err();
    assert_eq!(wrong.wire().code, "MalformedInput");
}

/// Recorded from AWS: radkawar/stackd, `testdata/aws/iam/query_collections.json` and `credential_inputs.json`.
#[test]
fn numbers_and_flags_are_read_as_iam_reads_them() {
    use crate::iam::ops::{GetContextKeysForCustomPolicy, ListPolicies};
    let lists = |numbers: &[&str]| {
        let member = |number: &&str| format!("&PolicyInputList.member.{number}={{}}");
        let body: String = numbers.iter().map(member).collect();
        let decoded = decode_request::<GetContextKeysForCustomPolicy>(body.as_bytes());
        let decoded = decoded.map(|input| input.policy_input_list.len());
        decoded.map_err(|error| (error.wire().code, error.wire().message))
    };
    let malformed = |message: &str| Err(("MalformedInput", message.to_owned()));
    let sparse = |count: u32| {
        malformed(&format!(
            "Excessively sparse input would skip {count} list elements"
        ))
    };
    let ten = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"];
    for (numbers, expected) in [
        (&["1"][..], Ok(1)),
        (&["01"], Ok(1)),
        (&["+1"], malformed("Start of list found where not expected")),
        (
            &["one"],
            malformed("Start of list found where not expected"),
        ),
        (&["0"], malformed("0 is not a valid index")),
        (&["-1"], malformed("Key -1 may not have a leading '-'")),
        (&["12"], sparse(11)),
        (&["33"], sparse(32)),
        (&["1", "12"], sparse(11)),
        (&["1", "22", "43"], sparse(21)),
        (&[&ten[..], &["22"]].concat(), sparse(12)),
    ] {
        assert_eq!(lists(numbers), expected, "{numbers:?}");
    }
    let size = |text: &str| {
        let body = format!("MaxItems={text}");
        decode_request::<ListPolicies>(body.as_bytes()).map(|input| input.max_items)
    };
    for text in ["1", "01", "%2B1"] {
        assert_eq!(size(text), Ok(Some(1)), "{text}");
    }
    for text in ["%201%20", "1.0", "1e0", "2147483648", ""] {
        assert_eq!(size(text).unwrap_err().wire().code, "MalformedInput");
    }
    let flag = |text: &str| {
        let body = format!("OnlyAttached={text}");
        decode_request::<ListPolicies>(body.as_bytes()).map(|input| input.only_attached)
    };
    assert_eq!((flag("1"), flag("true")), (Ok(Some(true)), Ok(Some(true))));
    assert_eq!(
        (flag("0"), flag("false")),
        (Ok(Some(false)), Ok(Some(false)))
    );
    for text in ["True", "FALSE", "true%20", "null", ""] {
        assert_eq!(flag(text).unwrap_err().wire().code, "MalformedInput");
    }
}

#[test]
fn accepts_equivalent_forms() {
    let tags = |body: &str| {
        decode_request::<iam::ops::TagUser>(body.as_bytes()).map(|input| {
            input
                .tags
                .into_iter()
                .map(|tag| tag.key)
                .collect::<Vec<_>>()
        })
    };
    // Numbers order the members, whatever gaps they leave.
    let body = "&UserName=a&&Tags.member.10.Key=z&Tags.member.10.Value=&Tags.member.2.Key=a+b&Tags.member.2.Value=%20&Unknown.x=1";
    assert_eq!(tags(body), Ok(vec!["a b".to_owned(), "z".to_owned()]));
    assert_eq!(tags("UserName=a&Tags="), Ok(vec![]));
    let mut form = Form::parse(b"Action=GetUser").unwrap();
    assert!(form.extend(b"Action=DeleteUser").is_err());
    assert!(!format!("{:?}", Form::parse(b"Password=hunter2").unwrap()).contains("hunter2"));
}

#[test]
fn rejects_malformed_responses() {
    let read = |body: &str| decode_response::<iam::ops::GetUser>(body.as_bytes());
    let deep = "<a>".repeat(100_000);
    for body in [
        "",
        "x",
        "<a>",
        "<a></b>",
        "<GetUserResponse/><x/>",
        "<!DOCTYPE x [<!ENTITY a 'b'>]><x/>",
        "<x>&a;</x>",
        &deep,
    ] {
        assert!(read(body).is_err(), "{}", &body[..body.len().min(40)]);
    }
}
