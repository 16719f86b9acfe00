//! Answers as text: each exchange with its input, its status and headers, and its body laid out in lines.

use std::fmt::Write as _;
use std::net::SocketAddr;

use serde_json::Value;

use crate::tests::world::Reply;

/// Headers that a client looks at.
const HEADERS: [&str; 3] = ["content-type", "x-amzn-errortype", "retry-after"];

/// Members whose values differ in every run.
const RANDOM: [&str; 14] = [
    "CertificateId",
    "Marker",
    "RequestId",
    "SecretAccessKey",
    "SessionToken",
    "SessionTokenSize",
    "SessionTokenUtilization",
    "authorizationToken",
    "downloadUrl",
    "uploadId",
    "nextToken",
    "replicationBackfillId",
    "EncodedMessage",
    "ServicePassword",
];

pub(super) fn exchange(title: &str, input: &Value, reply: &Reply, address: SocketAddr) -> String {
    let mut text = format!("# {title}\n{}\n\n{}", line(input), reply.status);
    for name in HEADERS {
        if !reply.header(name).is_empty() {
            let _ = write!(text, "\n{name}: {}", reply.header(name));
        }
    }
    text.push('\n');
    let port = format!(":{}", address.port());
    let body = reply.text().replace(&port, ":5000");
    match body.starts_with('<') {
        true => xml(&body, &mut text),
        false => json(&body, &mut text),
    }
    text
}

/// The input in one line, long texts cut.
fn line(input: &Value) -> String {
    const CHARS_MAX: usize = 400;
    let text = input.to_string();
    match text.char_indices().nth(CHARS_MAX) {
        None => text,
        Some((at, _)) => format!("{}… ({} characters)", &text[..at], text.chars().count()),
    }
}

fn json(body: &str, text: &mut String) {
    let Ok(mut value) = serde_json::from_str::<Value>(body) else {
        text.push_str(body);
        text.push('\n');
        return;
    };
    hide(&mut value);
    let _ = writeln!(text, "{value:#}");
}

fn hide(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match RANDOM.contains(&name.as_str()) {
                    true => *member = "…".into(),
                    false => hide(member),
                }
            }
        }
        Value::Array(members) => members.iter_mut().for_each(hide),
        _ => {}
    }
}

/// One line for each element that holds text, and for each start and end of the others.
fn xml(body: &str, text: &mut String) {
    let mut depth = 0;
    let mut rest = body;
    while let Some(tag) = rest.strip_prefix('<') {
        let (tag, after) = tag.split_once('>').unwrap_or((tag, ""));
        let (content, next) = after.split_at(after.find('<').unwrap_or(after.len()));
        if tag.starts_with('/') {
            depth -= 1;
        }
        let _ = write!(text, "{:indent$}<{tag}>", "", indent = 2 * depth);
        let name = tag.split(' ').next().unwrap_or(tag);
        let close = format!("</{name}>");
        rest = match next.strip_prefix(close.as_str()) {
            Some(next) => {
                let hidden = RANDOM.contains(&name) && !content.is_empty();
                text.push_str(if hidden { "…" } else { content });
                text.push_str(&close);
                next
            }
            None => {
                text.push_str(content.trim());
                if !tag.starts_with(['/', '?']) && !tag.ends_with('/') {
                    depth += 1;
                }
                next
            }
        };
        text.push('\n');
    }
    text.push_str(rest);
}

/// Replaces unique ids and the ids of access keys by their prefix and a number.
pub(super) fn numbered(text: &str) -> String {
    let is_id_byte = |byte: char| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let mut known: Vec<&str> = Vec::new();
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let word = rest.find(|byte| !is_id_byte(byte)).unwrap_or(rest.len());
        let (id, after) = rest.split_at(word);
        let is_id = (20..=21).contains(&id.len()) && id.starts_with('A') && !id.contains("EXAMPLE");
        if is_id {
            let number = known.iter().position(|other| *other == id);
            let number = number.unwrap_or_else(|| {
                known.push(id);
                known.len() - 1
            });
            let _ = write!(out, "{}#{}", &id[..4], number + 1);
        } else {
            out.push_str(id);
        }
        let other = after.find(is_id_byte).unwrap_or(after.len());
        out.push_str(&after[..other]);
        rest = &after[other..];
    }
    out
}

#[test]
fn ids_are_numbered_and_elements_are_laid_out() {
    let body = "<A><Id>AIDA1234567890ABCDEFG</Id><Id>AIDA1234567890ABCDEFH</Id><B/><C></C><RequestId>x</RequestId></A>";
    let mut text = String::new();
    xml(body, &mut text);
    assert_eq!(
        numbered(&text),
        "<A>\n  <Id>AIDA#1</Id>\n  <Id>AIDA#2</Id>\n  <B/>\n  <C></C>\n  <RequestId>…</RequestId>\n</A>\n"
    );
}
