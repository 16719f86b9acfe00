//! Requests of the host agent's metadata service, and its other parsers of what strangers write.

use std::sync::OnceLock;

use agent::imds::{Hosts, Instance, Tokens, guard, respond};
use agent::kubelet::ProviderRequest;
use aws_types::SystemEntropy;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use jiff::Timestamp;

/// The user of every request.
const UID: u32 = 1000;
const HOST: &str = "127.0.0.1:1338";

fn tokens() -> &'static Tokens {
    static TOKENS: OnceLock<Tokens> = OnceLock::new();
    TOKENS.get_or_init(|| Tokens::new(&SystemEntropy).expect("the system has randomness"))
}

/// Any bytes as a request in lines (method, path, headers), as the kernel's table of sockets, and as a
/// request of the kubelet.
///
/// Without a token of this run, which no input can hold, nothing is read. The service's own name is the
/// only host that is answered.
pub fn parse(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let peer = ([127, 0, 0, 1], 40_000).into();
    let local = ([127, 0, 0, 1], 1_338).into();
    let _ = agent::peer::find(bytes, peer, local);
    if let Ok(request) = ProviderRequest::parse(&text) {
        assert!(!request.registry().is_empty());
        let _ = (request.region(), request.puller());
    }
    let mut lines = text.split('\n');
    let (method, path) = (
        lines.next().unwrap_or_default(),
        lines.next().unwrap_or_default(),
    );
    let (Ok(method), Ok(uri)) = (method.parse::<Method>(), path.parse::<Uri>()) else {
        return;
    };
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        if let (Ok(name), Ok(value)) = (
            name.trim().parse::<HeaderName>(),
            HeaderValue::from_str(value.trim()),
        ) {
            headers.append(name, value);
        }
    }
    let hosts = Hosts::of(local);
    if guard::check(&hosts, &uri, &headers).is_ok() {
        let host = headers["host"].to_str().expect("a checked host is text");
        assert!(host.eq_ignore_ascii_case(HOST) || host.eq_ignore_ascii_case("localhost:1338"));
        assert!(!headers.contains_key("x-forwarded-for"));
    }
    let instance = Instance {
        host_id: "i-0123456789abcdef0".to_owned(),
        account_id: "123456789012".to_owned(),
        region: "us-east-1".to_owned(),
        host_name: None,
        pending_time: Timestamp::UNIX_EPOCH,
    };
    let now = Timestamp::UNIX_EPOCH;
    match respond(&method, uri.path(), &headers, UID, tokens(), &instance, now) {
        Ok(answer) if answer.status == 200 => {
            assert_eq!((method, uri.path()), (Method::PUT, "/latest/api/token"));
            assert!(tokens().seconds_left(&answer.body, UID, now).is_some());
            assert_eq!(tokens().seconds_left(&answer.body, UID + 1, now), None);
        }
        Ok(answer) => assert!(matches!(answer.status, 400..=405), "{}", answer.status),
        Err(wants) => panic!("{wants:?} without a token"),
    }
}

/// Requests as SDKs send them.
pub fn seeds() -> Vec<Vec<u8>> {
    let seeds = [
        "PUT\n/latest/api/token\nhost: 127.0.0.1:1338\nx-aws-ec2-metadata-token-ttl-seconds: 21600",
        "GET\n/latest/meta-data/iam/security-credentials/\nhost: localhost:1338\nx-aws-ec2-metadata-token: AAAA",
        "GET\n/latest/dynamic/instance-identity/document\nhost: 127.0.0.1:1338\nx-forwarded-for: 10.0.0.1",
        "  sl  local_address rem_address   st\n   1: 0100007F:9C40 0100007F:053A 01 00000000:00000000 00:00000000 00000000  1000        0 222 1 0\n",
        r#"{"apiVersion":"credentialprovider.kubelet.k8s.io/v1","kind":"CredentialProviderRequest","image":"123456789012.dkr.ecr.eu-west-1.berth.example:5000/app:v1","serviceAccountToken":"a.b.c","serviceAccountAnnotations":{"eks.amazonaws.com/role-arn":"arn"}}"#,
    ];
    seeds.map(|seed| seed.as_bytes().to_vec()).into()
}
