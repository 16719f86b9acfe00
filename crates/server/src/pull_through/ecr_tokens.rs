//! Passwords of an ECR that another server serves, AWS's or another Berth's: `GetAuthorizationToken` signed with an
//! access key, after `AssumeRole` where the secret names a role (ECR user guide, "Private registry authentication").

use aws_api::{ecr, sts};
use client::{AwsClient, Basic, CallError, Credentials, Http};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::clock::Clock;
use crate::registry_host::{self, RegistryHost};

/// The session's name at the upstream, where its audit log shows who pulls.
const SESSION_NAME: &str = "pull-through-cache";
/// A password is renewed when this share of its time is left.
const LEFT_PERCENT: i64 = 20;
/// Where the secret names no region and the registry's host none either.
const REGION: &str = "us-east-1";

/// A secret's access key.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccessKey {
    access_key_id: String,
    secret_access_key: String,
    /// Of temporary credentials.
    session_token: Option<String>,
    /// The role that is taken with the key.
    role_arn: Option<String>,
    external_id: Option<String>,
    region: Option<String>,
    /// The URL of the APIs, where the registry's host does not say it.
    endpoint: Option<String>,
}

impl Drop for AccessKey {
    fn drop(&mut self) {
        use zeroize::Zeroize as _;
        self.secret_access_key.zeroize();
        self.session_token.zeroize();
    }
}

/// The passwords of one upstream: the one that is held is given until it is nearly over, and is asked for once by all
/// who need one.
pub(super) struct EcrTokens {
    http: Http,
    clock: Clock,
    /// Scheme, host and port of the registry.
    base: String,
    held: Mutex<Option<Held>>,
}

struct Held {
    /// What the password was got with: another key in the secret has another one.
    access_key_id: String,
    role_arn: Option<String>,
    password: String,
    renew_at: Timestamp,
    expires_at: Timestamp,
}

/// Where the APIs are.
#[derive(Debug, PartialEq, Eq)]
struct Endpoints {
    region: String,
    ecr: String,
    sts: String,
}

impl EcrTokens {
    pub(super) fn new(http: Http, clock: Clock, base: &str) -> EcrTokens {
        EcrTokens {
            http,
            clock,
            base: base.to_owned(),
            held: Mutex::new(None),
        }
    }

    /// The password, a new one where `renewed`. The errors say what the upstream's APIs answer.
    pub(super) async fn get(&self, key: &AccessKey, renewed: bool) -> Result<Basic, String> {
        let mut held = self.held.lock().await;
        let now = (self.clock)();
        let is_good = |held: &Held| {
            held.access_key_id == key.access_key_id
                && held.role_arn == key.role_arn
                && now < held.renew_at
        };
        if renewed || !held.as_ref().is_some_and(is_good) {
            *held = Some(self.ask(key, now).await?);
        }
        let held = held.as_ref().ok_or("no password was got")?;
        Ok(Basic {
            credentials: held.password.clone(),
            lasts: held.expires_at.duration_since(now).try_into().ok(),
        })
    }

    async fn ask(&self, key: &AccessKey, now: Timestamp) -> Result<Held, String> {
        let at = endpoints(&self.base, key.region.as_deref(), key.endpoint.as_deref());
        let mut credentials = Credentials::new(
            &key.access_key_id,
            &key.secret_access_key,
            key.session_token.as_deref(),
        );
        if let Some(role_arn) = &key.role_arn {
            credentials = self.assume(&at, &credentials, role_arn, key, now).await?;
        }
        let client = AwsClient {
            http: &self.http,
            endpoint: &at.ecr,
            region: &at.region,
            credentials: &credentials,
        };
        let input = ecr::GetAuthorizationTokenRequest::default();
        let answer = client.call::<ecr::ops::GetAuthorizationToken>(&input, now);
        let answer = answer.await.map_err(|error| told(&error))?;
        let data = answer.authorization_data.into_iter().flatten().next();
        let data = data.ok_or("GetAuthorizationToken gives no token")?;
        let (token, expires_at) = (data.authorization_token, data.expires_at);
        let token = token.ok_or("GetAuthorizationToken gives no token")?;
        let expires_at =
            expires_at.ok_or("GetAuthorizationToken does not say when its token ends")?;
        Ok(Held {
            access_key_id: key.access_key_id.clone(),
            role_arn: key.role_arn.clone(),
            password: token.expose().clone(),
            renew_at: renewal(now, expires_at),
            expires_at,
        })
    }

    async fn assume(
        &self,
        at: &Endpoints,
        credentials: &Credentials,
        role_arn: &str,
        key: &AccessKey,
        now: Timestamp,
    ) -> Result<Credentials, String> {
        let client = AwsClient {
            http: &self.http,
            endpoint: &at.sts,
            region: &at.region,
            credentials,
        };
        let input = sts::AssumeRoleRequest {
            role_arn: role_arn.to_owned(),
            role_session_name: SESSION_NAME.to_owned(),
            external_id: key.external_id.clone(),
            ..sts::AssumeRoleRequest::default()
        };
        let answer = client.call::<sts::ops::AssumeRole>(&input, now);
        let answer = answer.await.map_err(|error| told(&error))?;
        let got = answer
            .credentials
            .ok_or("AssumeRole gives no credentials")?;
        Ok(Credentials::new(
            &got.access_key_id,
            got.secret_access_key.expose(),
            Some(got.session_token.expose()),
        ))
    }
}

/// When a password that ends at `expires_at` is renewed.
fn renewal(now: Timestamp, expires_at: Timestamp) -> Timestamp {
    let seconds = expires_at.duration_since(now).as_secs();
    let left = SignedDuration::from_secs(seconds * LEFT_PERCENT / 100);
    expires_at.saturating_sub(left).unwrap_or(now)
}

/// The service's own words, without what a broken answer might hold.
fn told(error: &CallError) -> String {
    crate::error::chain(error)
}

/// The APIs of the registry at `base`: AWS's by its host's region; another server has all at one URL.
fn endpoints(base: &str, region: Option<&str>, endpoint: Option<&str>) -> Endpoints {
    let host = base.split_once("://").map_or(base, |(_, host)| host);
    let named = match registry_host::parse(host) {
        RegistryHost::Named(named) => Some(named),
        RegistryHost::Other | RegistryHost::Malformed => None,
    };
    let own = named.as_ref().map(|named| named.id.region.to_string());
    let region = region.map_or_else(|| own.unwrap_or_else(|| REGION.to_owned()), str::to_owned);
    if let Some(endpoint) = endpoint {
        let endpoint = endpoint.trim_end_matches('/');
        return Endpoints {
            region,
            ecr: endpoint.to_owned(),
            sts: endpoint.to_owned(),
        };
    }
    let domain = named.as_ref().map_or("", |named| named.domain());
    let (ecr, sts) = match domain {
        "amazonaws.com" | "amazonaws.com.cn" => (
            format!("https://api.ecr.{region}.{domain}"),
            format!("https://sts.{region}.{domain}"),
        ),
        "on.aws" => (
            format!("https://ecr.{region}.api.aws"),
            format!("https://sts.{region}.amazonaws.com"),
        ),
        _ => (base.to_owned(), base.to_owned()),
    };
    Endpoints { region, ecr, sts }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_apis_are_where_the_registry_is() {
        let of = |base, region, endpoint| {
            let found = endpoints(base, region, endpoint);
            (found.region, found.ecr, found.sts)
        };
        let texts = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
        assert_eq!(
            of(
                "https://111122223333.dkr.ecr.eu-west-1.amazonaws.com",
                None,
                None
            ),
            texts(
                "eu-west-1",
                "https://api.ecr.eu-west-1.amazonaws.com",
                "https://sts.eu-west-1.amazonaws.com"
            )
        );
        assert_eq!(
            of(
                "https://111122223333.dkr.ecr.eu-west-1.example.com:8443",
                None,
                None
            ),
            texts(
                "eu-west-1",
                "https://111122223333.dkr.ecr.eu-west-1.example.com:8443",
                "https://111122223333.dkr.ecr.eu-west-1.example.com:8443"
            )
        );
        assert_eq!(
            of("http://127.0.0.1:5000", Some("eu-north-1"), None),
            texts(
                "eu-north-1",
                "http://127.0.0.1:5000",
                "http://127.0.0.1:5000"
            )
        );
        let endpoint = Some("https://vpce.example.com/");
        assert_eq!(
            of("http://127.0.0.1:5000", None, endpoint),
            texts(
                "us-east-1",
                "https://vpce.example.com",
                "https://vpce.example.com"
            )
        );
    }

    #[test]
    fn a_password_is_renewed_before_it_ends() {
        let at = |hours: i64| Timestamp::from_second(hours * 3600).unwrap();
        let renewed = renewal(at(0), at(12));
        assert_eq!(renewed, Timestamp::from_second(34_560).unwrap());
        // One that is over is renewed at once.
        assert!(renewal(at(2), at(1)) <= at(2));
    }
}
