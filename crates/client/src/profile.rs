//! Where calls go and with which credentials: the environment and the files of the AWS CLI.
//!
//! Read as the AWS CLI and SDKs do (AWS SDKs and Tools Reference Guide, "Shared config and credentials
//! files", "Environment variables", "Service-specific endpoints"): the environment wins over the files, and
//! the credentials file wins over the config file.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;

use aws_api::sts::{AssumeRoleRequest, ops::AssumeRole};
use aws_api::{Secret, Service};
use jiff::Timestamp;
use serde_json::Value;

use crate::{AwsClient, CallError, Credentials, Http};

/// Source profiles that one profile may lead to.
const CHAIN_MAX: usize = 8;
/// The longest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Why there are no credentials or no endpoint.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// A file cannot be read.
    #[error("cannot read {0}")]
    File(PathBuf, #[source] std::io::Error),
    /// `AWS_PROFILE` names a profile that no file has.
    #[error("there is no profile `{0}` in the AWS CLI's files")]
    NoProfile(String),
    /// Nothing says which credentials to use.
    #[error(
        "there are no credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    )]
    NoCredentials,
    /// The profile is wrong.
    #[error("the profile `{profile}` {what}")]
    Invalid {
        /// The profile's name.
        profile: String,
        /// What is wrong.
        what: String,
    },
    /// `credential_process` did not give credentials.
    #[error("the credential_process of the profile `{profile}` {what}")]
    Process {
        /// The profile's name.
        profile: String,
        /// What is wrong.
        what: String,
    },
    /// The profile's role cannot be assumed.
    #[error(transparent)]
    Call(#[from] CallError),
}

type Section = BTreeMap<String, String>;

/// The settings of one profile, and of those that it leads to.
#[derive(Clone)]
pub struct Profile {
    name: String,
    environment: BTreeMap<String, String>,
    sections: BTreeMap<String, Section>,
}

/// A profile holds secrets.
impl std::fmt::Debug for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Profile")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Profile {
    /// The profile that `AWS_PROFILE` names, or `default`. `environment` gives the value of a variable.
    ///
    /// # Errors
    /// [`ProfileError::File`], and [`ProfileError::NoProfile`] for a name that no file has.
    pub fn load(environment: impl Fn(&str) -> Option<String>) -> Result<Profile, ProfileError> {
        let kept = ["AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION"];
        let keys = [
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
        ];
        let endpoints = Service::ALL
            .iter()
            .map(|service| endpoint_variable(*service));
        let names = kept
            .into_iter()
            .chain(keys)
            .map(str::to_owned)
            .chain(endpoints);
        let variables = names.filter_map(|name| {
            let value = environment(&name).filter(|value| !value.is_empty())?;
            Some((name, value))
        });
        let named = environment("AWS_PROFILE").or_else(|| environment("AWS_DEFAULT_PROFILE"));
        let named = named.filter(|name| !name.is_empty());
        let home = environment("HOME").map(PathBuf::from);
        let file = |variable: &str, name: &str| {
            let own = environment(variable).filter(|path| !path.is_empty());
            own.map(PathBuf::from)
                .or_else(|| home.as_ref().map(|home| home.join(".aws").join(name)))
        };
        let mut sections = BTreeMap::new();
        if let Some(path) = file("AWS_CONFIG_FILE", "config") {
            for (header, section) in parse(&read(path)?) {
                // `[profile x]`, `[default]`, `[services x]`.
                let name = match header.split_once(char::is_whitespace) {
                    Some(("profile", name)) => name.trim().to_owned(),
                    Some((kind, name)) => format!("{kind} {}", name.trim()),
                    None => header,
                };
                sections.insert(name, section);
            }
        }
        if let Some(path) = file("AWS_SHARED_CREDENTIALS_FILE", "credentials") {
            for (name, section) in parse(&read(path)?) {
                sections
                    .entry(name)
                    .or_insert_with(Section::new)
                    .extend(section);
            }
        }
        let name = named.clone().unwrap_or_else(|| "default".to_owned());
        if named.is_some() && !sections.contains_key(&name) {
            return Err(ProfileError::NoProfile(name));
        }
        Ok(Profile {
            name,
            environment: variables.collect(),
            sections,
        })
    }

    /// The region that calls are signed for: `us-east-1` where nothing names one.
    #[must_use]
    pub fn region(&self) -> &str {
        let variable = |name: &str| self.environment.get(name);
        variable("AWS_REGION")
            .or_else(|| variable("AWS_DEFAULT_REGION"))
            .or_else(|| self.setting(&self.name, "region"))
            .map_or("us-east-1", String::as_str)
    }

    /// The URL that calls of `service` go to, where one is set: `AWS_ENDPOINT_URL_<SERVICE>`,
    /// `AWS_ENDPOINT_URL`, the profile's `services` section, its `endpoint_url`. Without a slash at the end.
    #[must_use]
    pub fn endpoint(&self, service: Service) -> Option<&str> {
        let of_service = || {
            let section = self.setting(&self.name, "services")?;
            let key = format!("{}.endpoint_url", service.signing_name());
            self.setting(&format!("services {section}"), &key)
        };
        let url = self
            .environment
            .get(&endpoint_variable(service))
            .or_else(|| self.environment.get("AWS_ENDPOINT_URL"))
            .or_else(of_service)
            .or_else(|| self.setting(&self.name, "endpoint_url"))?;
        Some(url.trim_end_matches('/'))
    }

    /// The credentials: keys in the environment, those of the profile, what its `credential_process` prints,
    /// or its role's, assumed with those of its `source_profile`.
    ///
    /// # Errors
    /// [`ProfileError`].
    pub async fn credentials(
        &self,
        http: &Http,
        now: Timestamp,
    ) -> Result<Credentials, ProfileError> {
        let variable = |name: &str| self.environment.get(name).map(String::as_str);
        if let (Some(id), Some(secret)) = (
            variable("AWS_ACCESS_KEY_ID"),
            variable("AWS_SECRET_ACCESS_KEY"),
        ) {
            return Ok(Credentials::new(id, secret, variable("AWS_SESSION_TOKEN")));
        }
        // From the profile with keys back to the one that was asked for.
        let mut roles = Vec::new();
        let mut name = self.name.as_str();
        let mut credentials = loop {
            if roles.len() > CHAIN_MAX {
                return Err(self.invalid("leads to too many source profiles"));
            }
            let role = self.setting(name, "role_arn");
            let source = self.setting(name, "source_profile");
            match (role, source) {
                // A profile may name itself as the source: then its own keys are meant.
                (Some(role), Some(source)) if source != name => {
                    roles.push((name, role));
                    name = source;
                }
                (Some(role), Some(_)) => {
                    roles.push((name, role));
                    break self.own(name).await?;
                }
                (Some(_), None) => return Err(self.invalid("has a role_arn and no source_profile")),
                (None, _) => break self.own(name).await?,
            }
        };
        for (profile, role) in roles.into_iter().rev() {
            credentials = self.assume(http, &credentials, profile, role, now).await?;
        }
        Ok(credentials)
    }

    /// The profile's own credentials.
    async fn own(&self, name: &str) -> Result<Credentials, ProfileError> {
        let text = |key: &str| self.setting(name, key).map(String::as_str);
        if let (Some(id), Some(secret)) = (text("aws_access_key_id"), text("aws_secret_access_key"))
        {
            return Ok(Credentials::new(id, secret, text("aws_session_token")));
        }
        match text("credential_process") {
            Some(command) => process(name, command).await,
            None => Err(ProfileError::NoCredentials),
        }
    }

    async fn assume(
        &self,
        http: &Http,
        credentials: &Credentials,
        profile: &str,
        role_arn: &str,
        now: Timestamp,
    ) -> Result<Credentials, ProfileError> {
        let text = |key: &str| self.setting(profile, key).cloned();
        let endpoint = self
            .endpoint(Service::Sts)
            .ok_or_else(|| self.invalid("has no endpoint_url for STS"))?;
        let aws = AwsClient {
            http,
            endpoint,
            region: self.region(),
            credentials,
        };
        let seconds = text("duration_seconds").map(|seconds| seconds.parse());
        let seconds = seconds.transpose();
        let seconds =
            seconds.map_err(|_| self.invalid("has a duration_seconds that is no number"))?;
        let request = AssumeRoleRequest {
            role_arn: role_arn.to_owned(),
            role_session_name: text("role_session_name")
                .unwrap_or_else(|| format!("berth-{}", now.as_second())),
            external_id: text("external_id"),
            duration_seconds: seconds,
            ..AssumeRoleRequest::default()
        };
        let answer = aws.call::<AssumeRole>(&request, now).await?;
        let made = answer
            .credentials
            .ok_or_else(|| self.invalid("got no credentials for its role"))?;
        Ok(Credentials::new(
            &made.access_key_id,
            made.secret_access_key.expose(),
            Some(made.session_token.expose()),
        ))
    }

    fn setting(&self, section: &str, key: &str) -> Option<&String> {
        self.sections.get(section)?.get(key)
    }

    fn invalid(&self, what: &str) -> ProfileError {
        ProfileError::Invalid {
            profile: self.name.clone(),
            what: what.to_owned(),
        }
    }
}

fn endpoint_variable(service: Service) -> String {
    format!(
        "AWS_ENDPOINT_URL_{}",
        // The service's id in capitals: Access Analyzer's is one word.
        service.signing_name().replace('-', "").to_ascii_uppercase()
    )
}

/// Runs a `credential_process` and reads what it prints (AWS SDKs and Tools Reference Guide, "Process
/// credential provider").
async fn process(profile: &str, command: &str) -> Result<Credentials, ProfileError> {
    let failed = |what: String| ProfileError::Process {
        profile: profile.to_owned(),
        what,
    };
    let output = tokio::process::Command::new("/bin/sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .await
        .map_err(|error| failed(format!("does not start: {error}")))?;
    if !output.status.success() {
        return Err(failed(format!("failed: {}", output.status)));
    }
    let printed: Value =
        serde_json::from_slice(&output.stdout).map_err(|_| failed("printed no JSON".to_owned()))?;
    let text = |name: &str| printed.get(name).and_then(Value::as_str);
    match (
        printed["Version"].as_i64(),
        text("AccessKeyId"),
        text("SecretAccessKey"),
    ) {
        (Some(1), Some(id), Some(secret)) => Ok(Credentials::new(id, secret, text("SessionToken"))),
        _ => Err(failed("printed no credentials of version 1".to_owned())),
    }
}

/// A file's text; empty for a file that does not exist.
fn read(path: PathBuf) -> Result<Secret<String>, ProfileError> {
    use std::io::Read as _;
    let text = std::fs::File::open(&path).and_then(|file| {
        let mut text = String::new();
        file.take(FILE_BYTES_MAX).read_to_string(&mut text)?;
        Ok(text)
    });
    match text {
        Ok(text) => Ok(Secret::new(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Ok(Secret::new(String::new()))
        }
        Err(error) => Err(ProfileError::File(path, error)),
    }
}

/// The sections of a file with their settings. A setting whose value is an indented list of settings has
/// them as `name.setting`, as in a `services` section.
fn parse(text: &Secret<String>) -> Vec<(String, Section)> {
    let mut sections: Vec<(String, Section)> = Vec::new();
    let mut outer = None;
    for line in text.expose().lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(header) = trimmed.strip_prefix('[') {
            let header = header.split(']').next().unwrap_or_default();
            sections.push((header.trim().to_owned(), Section::new()));
            outer = None;
            continue;
        }
        let (Some((_, section)), Some((key, value))) =
            (sections.last_mut(), trimmed.split_once('='))
        else {
            continue;
        };
        let (key, value) = (key.trim(), uncommented(value.trim()));
        let is_nested = line.starts_with([' ', '\t']);
        match (&outer, is_nested) {
            (Some(outer), true) => {
                section.insert(format!("{outer}.{key}"), value.to_owned());
            }
            _ => {
                outer = value.is_empty().then(|| key.to_owned());
                section.insert(key.to_owned(), value.to_owned());
            }
        }
    }
    sections
}

/// A value without the comment behind it, which begins after white space.
fn uncommented(value: &str) -> &str {
    let end = [" #", " ;", "\t#", "\t;"]
        .iter()
        .filter_map(|mark| value.find(mark))
        .min();
    value[..end.unwrap_or(value.len())].trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(files: &[(&str, &str)], variables: &[(&str, &str)]) -> Result<Profile, ProfileError> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join(".aws")).unwrap();
        for (name, text) in files {
            std::fs::write(dir.path().join(".aws").join(name), text).unwrap();
        }
        Profile::load(|name| {
            let own = variables.iter().find(|(known, _)| *known == name);
            match (own, name) {
                (Some((_, value)), _) => Some((*value).to_owned()),
                (None, "HOME") => dir.path().to_str().map(str::to_owned),
                _ => None,
            }
        })
    }

    fn credentials(profile: &Profile) -> Result<(String, Option<String>), ProfileError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let http = Http::new(crate::Settings::default()).unwrap();
        let found = runtime.block_on(profile.credentials(&http, Timestamp::UNIX_EPOCH))?;
        Ok((found.access_key_id, found.session_token))
    }

    const CONFIG: &str = "\
[default]
region = eu-west-1   # where we are
endpoint_url = http://127.0.0.1:5000/

[profile ci]
services = local
role_arn = arn:aws:iam::123456789012:role/ci

[profile loop]
role_arn = arn:aws:iam::123456789012:role/a
source_profile = loop2
[profile loop2]
role_arn = arn:aws:iam::123456789012:role/b
source_profile = loop

[profile printed]
credential_process = printf '{\"Version\": 1, \"AccessKeyId\": \"ASIAX\", \"SecretAccessKey\": \"s\", \"SessionToken\": \"t\"}'
[profile broken]
credential_process = echo no

[services local]
ecr =
  endpoint_url = http://127.0.0.1:6000
";
    const KEYS: &str = "[default]\naws_access_key_id=AKIAFILE\naws_secret_access_key=s\n";

    #[test]
    fn the_environment_wins_over_the_files() {
        let files = [("config", CONFIG), ("credentials", KEYS)];
        let profile = load(&files, &[]).unwrap();
        assert_eq!(profile.region(), "eu-west-1");
        assert_eq!(
            profile.endpoint(Service::Iam),
            Some("http://127.0.0.1:5000")
        );
        assert_eq!(
            credentials(&profile).unwrap(),
            ("AKIAFILE".to_owned(), None)
        );

        let variables = [
            ("AWS_REGION", "us-west-2"),
            ("AWS_ENDPOINT_URL", "http://h:1"),
            ("AWS_ENDPOINT_URL_STS", "http://h:2/"),
            ("AWS_ACCESS_KEY_ID", "AKIAENV"),
            ("AWS_SECRET_ACCESS_KEY", "s"),
            ("AWS_SESSION_TOKEN", "t"),
        ];
        let profile = load(&files, &variables).unwrap();
        assert_eq!(profile.region(), "us-west-2");
        assert_eq!(profile.endpoint(Service::Iam), Some("http://h:1"));
        assert_eq!(profile.endpoint(Service::Sts), Some("http://h:2"));
        let found = credentials(&profile).unwrap();
        assert_eq!(found, ("AKIAENV".to_owned(), Some("t".to_owned())));
    }

    #[test]
    fn a_services_section_names_the_endpoint_of_one_service() {
        let profile = load(&[("config", CONFIG)], &[("AWS_PROFILE", "ci")]).unwrap();
        assert_eq!(
            profile.endpoint(Service::Ecr),
            Some("http://127.0.0.1:6000")
        );
        assert_eq!(profile.endpoint(Service::Iam), None);
        assert_eq!(profile.region(), "us-east-1");
    }

    #[test]
    fn a_process_prints_credentials() {
        let profile = load(&[("config", CONFIG)], &[("AWS_PROFILE", "printed")]).unwrap();
        let found = credentials(&profile).unwrap();
        assert_eq!(found, ("ASIAX".to_owned(), Some("t".to_owned())));
    }

    #[test]
    fn says_what_is_wrong_with_a_profile() {
        let failing = |name: &str| {
            let profile = load(&[("config", CONFIG)], &[("AWS_PROFILE", name)]);
            let error = profile.and_then(|profile| credentials(&profile).map(drop));
            error.unwrap_err().to_string()
        };
        assert_eq!(
            failing("none"),
            "there is no profile `none` in the AWS CLI's files"
        );
        assert_eq!(
            failing("ci"),
            "the profile `ci` has a role_arn and no source_profile"
        );
        assert_eq!(
            failing("loop"),
            "the profile `loop` leads to too many source profiles"
        );
        assert!(failing("broken").ends_with("printed no JSON"));
        let empty = load(&[], &[]).unwrap();
        assert!(matches!(
            credentials(&empty),
            Err(ProfileError::NoCredentials)
        ));
    }
}
