//! What holds for every request.
#![allow(clippy::unwrap_used)]

mod story;

use proptest::prelude::*;
use story::{NOW, Request};

fn plain_path() -> impl Strategy<Value = String> {
    "(/[A-Za-z0-9%_~!@-]{1,8}){1,5}/?"
}

fn plain_query() -> impl Strategy<Value = String> {
    "([A-Za-z]{1,6}=([A-Za-z0-9_.~-]|%2F|%20|%C3%A9|\\+){0,10}&){0,4}z=[a-z]{1,5}"
}

fn request() -> impl Strategy<Value = Request> {
    let method = prop_oneof![Just("GET"), Just("PUT"), Just("POST"), Just("DELETE")];
    let header = prop::collection::vec(
        any::<u8>().prop_filter("not in a header", |b| *b >= 0x20),
        1..20,
    );
    (method, plain_path(), plain_query(), header, "[0-9a-f]{64}").prop_map(
        |(method, path, query, header, payload)| Request {
            method: method.into(),
            payload_sha256_hex: payload,
            ..Request::get(&path, &query)
                .with("X-Amz-Meta", [b"v".as_slice(), &header, b"v"].concat())
        },
    )
}

/// Puts a letter or digit where something else was. `None` where the change is one of case only: an
/// escape's hex digits and a header's name may have either.
fn changed(text: &[u8], at: prop::sample::Index, to: u8) -> Option<Vec<u8>> {
    let mut new = text.to_vec();
    let at = at.index(new.len());
    new[at] = to;
    (!new.eq_ignore_ascii_case(text)).then_some(new)
}

fn alphanumeric() -> impl Strategy<Value = u8> {
    prop::sample::select(b"ABCXYZabcxyz0123456789".as_slice())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_signed_request_stands(request in request(), token in prop::option::of("[!-~]{1,40}"), age in -900_i64..=900) {
        prop_assert_eq!(request.clone().signed_with(token.as_deref()).shown_at(NOW + age), Ok(()));
        prop_assert_eq!(request.presigned(900).shown_at(NOW + age), Ok(()));
    }

    /// Whatever stands in path and query, both sides read it alike, or neither signs it.
    #[test]
    fn hostile_paths_and_queries_stand(
        path in prop_oneof!["/\\PC{0,30}", "(/|\\.|%2e|%2F|a|%|\\+| |;|é){0,20}"],
        query in prop_oneof!["(a|b|=|&|%20|%C3|\\+| |;|/|é){0,30}", "[ -~&&[^%]]{0,30}"],
    ) {
        let path = path.replace('?', "");
        let request = Request::get(&format!("/{path}"), &query);
        prop_assert_eq!(request.clone().signed().shown(), Ok(()));
        prop_assert_eq!(request.presigned(60).shown(), Ok(()));
    }

    #[test]
    fn a_changed_byte_of_the_target_is_refused(
        request in request(), presign: bool, part in 0..3, at: prop::sample::Index, to in alphanumeric(),
    ) {
        let mut request = if presign { request.presigned(900) } else { request.signed() };
        let text = match part {
            0 => &mut request.method,
            1 => &mut request.path,
            _ => &mut request.query,
        };
        let new = changed(text.as_bytes(), at, to);
        prop_assume!(new.is_some());
        // Only ASCII was put in place of ASCII.
        *text = String::from_utf8(new.unwrap()).unwrap();
        prop_assert!(request.shown().is_err(), "{:?}", request);
    }

    #[test]
    fn a_changed_byte_of_a_signed_header_is_refused(
        request in request(), presign: bool, which: prop::sample::Index, at: prop::sample::Index, to in alphanumeric(),
    ) {
        let mut request = if presign { request.presigned(900) } else { request.signed() };
        let index = which.index(request.headers.len());
        let (name, value) = &mut request.headers[index];
        // The access key's id is not signed: it says whose secret to try.
        let begin = if name == "Authorization" { value.iter().position(|b| *b == b'/').unwrap() } else { 0 };
        let new = changed(&value[begin..], at, to);
        prop_assume!(new.is_some());
        value.truncate(begin);
        value.extend(new.unwrap());
        prop_assert!(request.shown().is_err(), "{:?}", request);
    }

    #[test]
    fn another_body_secret_or_date_is_refused(request in request(), body in "[0-9a-f]{64}", later in 1_i64..900) {
        let signed = request.signed();
        let other = Request { payload_sha256_hex: body.clone(), ..signed.clone() };
        prop_assume!(body != signed.payload_sha256_hex);
        prop_assert!(other.shown().is_err());
        let date = signed.header("x-amz-date");
        let seconds = NOW + later;
        let moved = format!("20150830T{:02}{:02}{:02}Z", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        prop_assert!(signed.replaced("x-amz-date", &date, &moved).shown().is_err());
    }

    #[test]
    fn garbage_never_stands_and_never_panics(
        authorization in prop_oneof![".*", "AWS4-HMAC-SHA256 [ -~]{0,200}"], date in ".{0,30}", query in "(X-Amz-[A-Za-z]*=[ -~]{0,10}&){0,8}",
    ) {
        let request = Request::get("/", &query).with("authorization", &authorization).with("x-amz-date", &date);
        prop_assert!(request.shown().is_err());
    }
}
