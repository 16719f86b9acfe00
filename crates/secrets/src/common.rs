//! What operations share: finding a secret, opening a version, and the forms of answers.

use std::collections::BTreeMap;

use authz::Authorized;
use aws_api::secrets_manager::ErrorCode;
use jiff::Timestamp;
use store::Conn;
use store::secrets::{Secret, Version};

use crate::name;
use crate::secrets::{lookup, place};
use crate::value::PlainValue;
use crate::{Error, Secrets, parse_id};

/// The only name of the key that seals secrets here.
const DEFAULT_KEY: &str = "alias/aws/secretsmanager";
pub(crate) const DAY_MS: i64 = 86_400_000;

impl Secrets {
    pub(crate) async fn open(
        &self,
        cx: &Authorized,
        secret: &Secret,
        version: &Version,
    ) -> Result<PlainValue, Error> {
        let place = place(cx.account, &cx.region, &secret.name, &version.version_id);
        PlainValue::open(&*self.seal, &place, &version.sealed).await
    }
}

/// The secret that an id names, also one that is scheduled for deletion.
pub(crate) async fn find(conn: &mut Conn<'_>, cx: &Authorized, id: &str) -> Result<Secret, Error> {
    let named = parse_id(id, cx.account, &cx.region).ok_or_else(Error::not_found)?;
    let found = lookup(conn, cx.account, &cx.region, &named, Some(cx.now_ms())).await?;
    found.ok_or_else(Error::not_found)
}

/// The secret that an id names, unless it is scheduled for deletion.
pub(crate) async fn find_live(
    conn: &mut Conn<'_>,
    cx: &Authorized,
    id: &str,
) -> Result<Secret, Error> {
    let secret = find(conn, cx, id).await?;
    match secret.deleted_at {
        Some(_) => Err(Error::marked_for_deletion()),
        None => Ok(secret),
    }
}

pub(crate) fn check_key(key: Option<&str>) -> Result<(), Error> {
    match key {
        None | Some("" | DEFAULT_KEY) => Ok(()),
        Some(_) => Err(Error::refused(
            ErrorCode::InvalidParameter,
            format!(
                "Secrets are sealed under this server's key ring: leave KmsKeyId out, or name {DEFAULT_KEY}."
            ),
        )),
    }
}

pub(crate) fn arn(cx: &Authorized, secret: &Secret) -> String {
    name::arn(&cx.region, cx.account, &secret.name, Some(&secret.suffix))
}

/// The ARN in the answer to the forced deletion of what is not there.
pub(crate) fn unknown_arn(cx: &Authorized, id: &str) -> String {
    match id.starts_with("arn:") {
        true => id.to_owned(),
        false => name::arn(&cx.region, cx.account, id, None),
    }
}

pub(crate) fn no_value(what: &str) -> Error {
    let message = format!("Secrets Manager can't find the specified secret value for {what}");
    Error::refused(ErrorCode::ResourceNotFound, message)
}

pub(crate) fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

pub(crate) fn time(at: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(at).ok()
}

pub(crate) fn lines(stages: &str) -> Vec<String> {
    stages.lines().map(str::to_owned).collect()
}

pub(crate) fn stages(version: &Version) -> Option<Vec<String>> {
    let stages = lines(&version.stages);
    (!stages.is_empty()).then_some(stages)
}

/// The versions with labels; absent where the secret has none.
pub(crate) fn staged(versions: &[Version]) -> Option<BTreeMap<String, Vec<String>>> {
    let staged: BTreeMap<_, _> = versions
        .iter()
        .filter_map(|version| Some((version.version_id.clone(), stages(version)?)))
        .collect();
    (!staged.is_empty()).then_some(staged)
}
