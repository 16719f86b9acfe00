//! Every refusal with AWS's text, in AWS's order.
#![allow(clippy::unwrap_used)]

mod story;

use sigv4::SigError;
use story::{NOW, Request};

fn signed() -> Request {
    Request::get("/", "Action=GetCallerIdentity").signed()
}

fn presigned() -> Request {
    Request::get("/", "Action=GetCallerIdentity").presigned(3600)
}

#[test]
fn each_refusal_has_its_text() {
    const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. \
        Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";
    let hashed = "(Hashed with SHA-256 and encoded with Base64) Authorization=";
    let auth = "Authorization";
    let cases: Vec<(&str, Request, String)> = vec![
        ("nothing", Request::get("/", ""), "Request is missing Authentication Token".into()),
        (
            "another scheme",
            Request::get("/", "").with(auth, "Basic QVdTOng="),
            "Request is missing Authentication Token".into(),
        ),
        (
            "nothing but the scheme",
            Request::get("/", "").with(auth, "AWS4-HMAC-SHA256"),
            format!(
                "Authorization header requires 'Credential' parameter. Authorization header requires \
                 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. \
                 Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. \
                 {hashed}YI2YWea8FSxnksZL2ETHbs5elHm9HQufxTLK0W0ffV0="
            ),
        ),
        (
            "no equal-sign",
            Request::get("/", "").with(auth, "AWS4-HMAC-SHA256 Credential"),
            "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and \
             encoded with Base64): 'KfSoC26UaBDGXxo5AUFS45c1cmAbyLKDOxOTKcZYWt4='."
                .into(),
        ),
        (
            "a date that is none",
            signed().replaced("x-amz-date", "T123600Z", ""),
            "Date must be in ISO-8601 'basic format'. Got '20150830'. See \
             http://en.wikipedia.org/wiki/ISO_8601"
                .into(),
        ),
        (
            "another algorithm",
            signed().replaced(auth, "SHA256", "SHA1"),
            "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA1' (only AWS4-HMAC-SHA256 for now).".into(),
        ),
        (
            "a short credential",
            signed().replaced(auth, "/aws4_request", ""),
            "Credential must have exactly 5 slash-delimited elements, e.g. \
             keyid/date/region/service/term, got 'AKIDEXAMPLE/20150830/us-east-1/sts'"
                .into(),
        ),
        (
            "two signatures",
            signed().with(auth, "AWS4-HMAC-SHA256 x"),
            "The request has more than one 'authorization' header.".into(),
        ),
        (
            "two dates",
            signed().with("X-Amz-Date", "20150830T123600Z"),
            "The request has more than one 'x-amz-date' header.".into(),
        ),
        (
            "one in the header and one in the query",
            presigned().with(auth, signed().header(auth)),
            "Only one of the Authorization header and the query string may carry a signature.".into(),
        ),
        (
            "a query with a broken escape",
            presigned().requeried("Action=", "Action=%zz"),
            "Illegal hex characters in escape % pattern".into(),
        ),
        (
            "a query with a cut escape",
            signed().requeried("Identity", "Identity%2"),
            "Incomplete trailing escape % sequence".into(),
        ),
        (
            "a query without a credential and a date",
            presigned().requeried("X-Amz-Credential", "X-Credential").requeried("X-Amz-Date", "X-Date"),
            "AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string parameters must \
             include 'X-Amz-Date'. Re-examine the query-string parameters."
                .into(),
        ),
        (
            "good for more than a week",
            presigned().requeried("Expires=3600", "Expires=604801"),
            "X-Amz-Expires must be a number of seconds from 0 to 604800.".into(),
        ),
        (
            "the host is not signed",
            signed().replaced(auth, "host;", ""),
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.".into(),
        ),
        (
            "a header of AWS's is not signed",
            signed().with("X-Amz-Target", "Svc.Op"),
            "'X-Amz-Target' must be a 'SignedHeader' in the AWS Authorization.".into(),
        ),
        (
            "the same in a presigned request",
            presigned().with("x-amz-security-token", "t"),
            "'x-amz-security-token' must be a 'SignedHeader' in the AWS Authorization.".into(),
        ),
        (
            "everything in the scope",
            signed().replaced(auth, "20150830/us-east-1/sts/aws4_request", "20150829/eu-west-1/iam/aws5"),
            "Credential should be scoped to a valid region, not 'eu-west-1'. Credential should be scoped to \
             correct service: 'sts'. Credential should be scoped with a valid terminator: 'aws4_request', \
             not 'aws5'. Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from \
             HTTP: '20150829' != '20150830', from '20150830T123600Z'."
                .into(),
        ),
        ("a signed header is gone", signed().without("host"), MISMATCH.into()),
        ("a second host", signed().with("host", "evil.example.com"), MISMATCH.into()),
        ("a signature that is none", signed().replaced(auth, "Signature=", "Signature=x"), MISMATCH.into()),
        (
            "the signature of the other form",
            Request { query: presigned().query, ..Request::get("/other", "") },
            MISMATCH.into(),
        ),
    ];
    for (name, request, text) in cases {
        let refused = request.shown().expect_err(name);
        assert_eq!(refused.to_string(), text, "{name}");
    }
}

#[test]
fn a_signature_has_its_time() {
    let quarter = 15 * 60;
    assert_eq!(signed().shown_at(NOW + quarter), Ok(()));
    assert_eq!(signed().shown_at(NOW - quarter), Ok(()));
    assert_eq!(
        signed()
            .shown_at(NOW + quarter + 1)
            .unwrap_err()
            .to_string(),
        "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T125101Z - 15 min.)"
    );
    assert_eq!(
        signed()
            .shown_at(NOW - quarter - 1)
            .unwrap_err()
            .to_string(),
        "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z \
         (20150830T122059Z + 15 min.)"
    );
    assert_eq!(presigned().shown_at(NOW + 3600), Ok(()));
    assert_eq!(presigned().shown_at(NOW - quarter), Ok(()));
    assert_eq!(
        presigned().shown_at(NOW + 3601).unwrap_err().to_string(),
        "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T133601Z - 60 min.)"
    );
    assert!(matches!(
        presigned().shown_at(NOW - quarter - 1),
        Err(SigError::NotYetCurrent { .. })
    ));
    let odd = Request::get("/", "").presigned(90);
    assert!(
        odd.shown_at(NOW + 91)
            .unwrap_err()
            .to_string()
            .ends_with("- 90 sec.)")
    );
}

#[test]
fn the_order_is_awss() {
    // Each of these has the faults of all that follow it.
    let worst = signed()
        .replaced("authorization", "Signature=", "Sig=")
        .replaced("authorization", "host;", "")
        .replaced("authorization", "us-east-1", "mars");
    assert!(matches!(
        worst.shown_at(0),
        Err(SigError::IncompleteSignature(_))
    ));
    let late = worst.replaced("authorization", "Sig=", "Signature=");
    assert!(matches!(
        late.shown_at(NOW + 9999),
        Err(SigError::Expired { .. })
    ));
    assert!(late.shown().unwrap_err().to_string().starts_with("'Host'"));
    let elsewhere = signed().replaced("authorization", "us-east-1", "mars");
    assert!(
        elsewhere
            .shown()
            .unwrap_err()
            .to_string()
            .starts_with("Credential should be")
    );
}

#[test]
fn nothing_secret_is_told() {
    let request = Request::get("/", "").signed_with(Some("the-session-token"));
    let authorization = request.header("authorization");
    let (_, signature) = authorization.rsplit_once('=').unwrap();
    let late = request.shown_at(NOW + 9999).unwrap_err();
    let broken = request
        .clone()
        .replaced("authorization", "Credential=", "Credential")
        .shown()
        .unwrap_err();
    for told in [format!("{late:?} {late}"), format!("{broken:?} {broken}")] {
        assert!(!told.contains(signature), "{told}");
        assert!(!told.contains("the-session-token"), "{told}");
    }
    let headers: Vec<(&str, &[u8])> = request
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_slice()))
        .collect();
    let parts = sigv4::RequestParts {
        method: "GET",
        path: "/",
        query: "",
        headers: &headers,
    };
    let presented = sigv4::parse(&parts).unwrap();
    assert_eq!(presented.session_token(), Some("the-session-token"));
    let told = format!("{presented:?} {:?}", sigv4::SecretKey::new(story::SECRET));
    assert!(
        !told.contains(signature) && !told.contains("the-session-token"),
        "{told}"
    );
    assert!(!told.contains(story::SECRET), "{told}");
}

#[test]
fn everything_is_bounded() {
    let many = (0..300).fold(signed(), |request, n| request.with(&format!("h{n}"), "x"));
    assert!(matches!(
        many.shown(),
        Err(SigError::IncompleteSignature(_))
    ));
    let long = Request {
        query: format!("X-Amz-Signature={}", "x".repeat(70_000)),
        ..Request::get("/", "")
    };
    assert!(matches!(
        long.shown(),
        Err(SigError::IncompleteSignature(_))
    ));
    let names: String = (0..200).map(|n| format!("h{n};")).collect();
    let wide = signed().replaced("authorization", "host;", &format!("host;{names}"));
    assert_eq!(
        wide.shown().unwrap_err().to_string(),
        "Too many headers are signed."
    );
    let huge = signed().replaced("authorization", "host;", &"x".repeat(20_000));
    assert_eq!(
        huge.shown().unwrap_err().to_string(),
        "The Authorization header is too long."
    );
}
