//! The credential report: a CSV file with a line for the root user and for each user.
//!
//! Sources: UG id_credentials_getting-report (columns and values); Prowler compares truth values with
//! lower case, as they are in AWS's file. Times end with `Z` and active keys come first in LocalStack's
//! `test_credential_report` of 2026.

use std::collections::HashMap;

use aws_api::iam::{
    ErrorCode, GenerateCredentialReportResponse, GetCredentialReportResponse, ReportFormatType,
    ReportStateType,
};
use store::Conn;
use store::iam::access_key::{self, AccessKey};
use store::iam::entity::{self, Kind};
use store::iam::login_profile::LoginProfile;
use store::iam::{
    account, credential_report, login_profile, mfa_device, password_policy, signing_certificate,
};

use super::{commit, time};
use crate::passwords::rules::expires_at;
use crate::{Authorized, Error, Identity};

/// How long a report is fresh (UG, "as often as once every four hours").
const FRESH_MS: i64 = 4 * 3600 * 1000;
/// Users that are read at a time.
const USERS_AT_ONCE: i64 = 500;

const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,\
password_last_changed,password_next_rotation,mfa_active,access_key_1_active,\
access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,\
access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,\
access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,\
cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated,additional_credentials_info\n";

/// What does not apply.
const NONE: &str = "N/A";
/// What was never used, or not in the time that is kept.
const NO_INFORMATION: &str = "no_information";
/// What the report does not tell of a root user.
const NOT_SUPPORTED: &str = "not_supported";

fn date(milliseconds: i64) -> String {
    aws_types::time::iso8601(time(milliseconds))
}

/// Appends a line. Names may hold commas, so fields are quoted where they need it (RFC 4180).
fn line(report: &mut String, fields: &[String]) {
    for (at, field) in fields.iter().enumerate() {
        if at > 0 {
            report.push(',');
        }
        if field.contains([',', '"', '\n', '\r']) {
            report.push('"');
            report.push_str(&field.replace('"', "\"\""));
            report.push('"');
        } else {
            report.push_str(field);
        }
    }
    report.push('\n');
}

/// The fields of up to two keys: active ones first, then the oldest (recorded in LocalStack's
/// `test_credential_report`).
fn key_fields(keys: &[AccessKey]) -> Vec<String> {
    let mut keys: Vec<&AccessKey> = keys.iter().collect();
    keys.sort_by_key(|key| !key.active);
    let mut fields = Vec::with_capacity(10);
    for at in 0..2 {
        let key = keys.get(at);
        let used = key.and_then(|key| key.last_used.as_ref());
        let or_none = |text: Option<String>| text.unwrap_or_else(|| NONE.to_owned());
        fields.push(key.is_some_and(|key| key.active).to_string());
        fields.push(or_none(key.map(|key| date(key.created_at))));
        fields.push(or_none(used.map(|used| date(used.at))));
        fields.push(or_none(used.map(|used| used.region.clone())));
        fields.push(or_none(used.map(|used| used.service.clone())));
    }
    fields
}

/// What the report needs of a whole account, by the users' rows; `None` is the root user.
struct Credentials {
    keys: HashMap<Option<i64>, Vec<AccessKey>>,
    mfa: HashMap<Option<i64>, i64>,
    /// Whether each certificate is active, and when it was uploaded; the oldest first.
    certificates: HashMap<Option<i64>, Vec<(bool, i64)>>,
    passwords: HashMap<i64, LoginProfile>,
}

impl Credentials {
    fn keys(&self, user: Option<i64>) -> &[AccessKey] {
        self.keys.get(&user).map_or(&[], Vec::as_slice)
    }

    /// The fields of keys, certificates and the rest, which are last in a line.
    fn rest(&self, user: Option<i64>) -> Vec<String> {
        let mut fields = vec![self.mfa.contains_key(&user).to_string()];
        fields.extend(key_fields(self.keys(user)));
        let certificates = self.certificates.get(&user).map_or(&[][..], Vec::as_slice);
        for at in 0..2 {
            let certificate = certificates.get(at);
            let uploaded = certificate.map(|(_, uploaded_at)| date(*uploaded_at));
            fields.push(certificate.is_some_and(|(active, _)| *active).to_string());
            fields.push(uploaded.unwrap_or_else(|| NONE.to_owned()));
        }
        // Nobody has more than two keys or certificates.
        fields.push(NONE.to_owned());
        fields
    }
}

impl Identity {
    /// `GenerateCredentialReport`: begins a new report when there is no fresh one. It is complete when
    /// the answer is sent, and the state says what AWS's first answer says.
    ///
    /// # Errors
    /// The database's.
    pub async fn generate_credential_report(
        &self,
        cx: &Authorized,
        _input: (),
    ) -> Result<GenerateCredentialReportResponse, Error> {
        let account = cx.account.as_str();
        {
            let mut read = self.0.store.snapshot().await?;
            let mut conn = read.conn();
            let found = credential_report::find(&mut conn, account).await?;
            if found.is_some_and(|found| cx.now_ms() < found.generated_at + FRESH_MS) {
                return Ok(GenerateCredentialReportResponse {
                    state: Some(ReportStateType::Complete),
                    description: None,
                });
            }
        }
        let content = {
            let mut read = self.0.store.snapshot().await?;
            self.report(&mut read.conn(), cx).await?
        };
        let mut tx = self.change(cx).await?;
        credential_report::put(&mut tx.conn(), account, content.as_bytes(), cx.now_ms()).await?;
        commit(tx).await?;
        Ok(GenerateCredentialReportResponse {
            state: Some(ReportStateType::Started),
            description: Some("No report exists. Starting a new report generation task".to_owned()),
        })
    }

    /// `GetCredentialReport` (LocalStack's test_get_credential_report_before_generated: the error has no
    /// message).
    ///
    /// # Errors
    /// `ReportNotPresent`, `ReportExpired`.
    pub async fn get_credential_report(
        &self,
        cx: &Authorized,
        _input: (),
    ) -> Result<GetCredentialReportResponse, Error> {
        let mut read = self.0.store.snapshot().await?;
        let found = credential_report::find(&mut read.conn(), cx.account.as_str()).await?;
        let found = found
            .ok_or_else(|| Error::new(ErrorCode::CredentialReportNotPresent, String::new()))?;
        if cx.now_ms() >= found.generated_at + FRESH_MS {
            return Err(Error::new(
                ErrorCode::CredentialReportExpired,
                String::new(),
            ));
        }
        Ok(GetCredentialReportResponse {
            content: Some(found.content.into()),
            report_format: Some(ReportFormatType::TextCsv),
            generated_time: Some(time(found.generated_at)),
        })
    }

    async fn credentials_of(
        &self,
        conn: &mut Conn<'_>,
        account: &str,
    ) -> Result<Credentials, Error> {
        let mut keys: HashMap<Option<i64>, Vec<AccessKey>> = HashMap::new();
        for mut key in access_key::list_of_account(conn, account).await? {
            // What is noted is later than what is written.
            key.last_used = self.0.last_used.of_key(&key.id).or(key.last_used);
            keys.entry(key.user_id).or_default().push(key);
        }
        let mfa = mfa_device::count_by_holder(conn, account).await?;
        let passwords = login_profile::list(conn, account).await?;
        let mut certificates: HashMap<Option<i64>, Vec<(bool, i64)>> = HashMap::new();
        for (user, active, at) in signing_certificate::list_of_account(conn, account).await? {
            certificates.entry(user).or_default().push((active, at));
        }
        Ok(Credentials {
            keys,
            certificates,
            mfa: mfa.into_iter().collect(),
            passwords: passwords.into_iter().collect(),
        })
    }

    async fn report(&self, conn: &mut Conn<'_>, cx: &Authorized) -> Result<String, Error> {
        let id = cx.account.as_str();
        let credentials = self.credentials_of(conn, id).await?;
        let policy = password_policy::find(conn, id).await?;
        let created = account::find(conn, id).await?;
        let mut report = HEADER.to_owned();
        let mut fields = vec![
            "<root_account>".to_owned(),
            format!("arn:aws:iam::{id}:root"),
            date(created.map_or(0, |account| account.created_at)),
            NOT_SUPPORTED.to_owned(),
            NO_INFORMATION.to_owned(),
            NOT_SUPPORTED.to_owned(),
            NOT_SUPPORTED.to_owned(),
        ];
        fields.extend(credentials.rest(None));
        line(&mut report, &fields);
        let mut after = String::new();
        loop {
            let users = entity::list(conn, id, Kind::User, "/", &after, USERS_AT_ONCE).await?;
            let Some(last) = users.last() else {
                break;
            };
            after = last.folded_name();
            for user in &users {
                let password = credentials.passwords.get(&user.id);
                let or_none = |text: Option<String>| text.unwrap_or_else(|| NONE.to_owned());
                let used = password.map(|password| match password.last_used_at {
                    Some(at) => date(at),
                    None => NO_INFORMATION.to_owned(),
                });
                let next = password.and_then(|p| expires_at(policy.as_ref(), p.changed_at));
                let mut fields = vec![
                    user.name.clone(),
                    user.arn(),
                    date(user.created_at),
                    password.is_some().to_string(),
                    or_none(used),
                    or_none(password.map(|password| date(password.changed_at))),
                    or_none(next.map(date)),
                ];
                fields.extend(credentials.rest(Some(user.id)));
                line(&mut report, &fields);
            }
        }
        Ok(report)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i5_fields_with_commas_and_quotes_are_quoted() {
        let mut report = String::new();
        let fields = ["a,b", "plain", "say \"x\"", "=1+1"].map(str::to_owned);
        line(&mut report, &fields);
        assert_eq!(report, "\"a,b\",plain,\"say \"\"x\"\"\",=1+1\n");
        assert_eq!(HEADER.trim_end().split(',').count(), 23);
    }
}
