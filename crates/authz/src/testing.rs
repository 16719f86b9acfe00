//! Callers and proofs for tests, without a decision.

use std::convert::Infallible;
use std::sync::Arc;

use policy::{Document, DocumentKind, PolicyRef, PolicySet, Principal};

use crate::proof::Decided;
use crate::{
    AccountControls, Authorized, Caller, CallerKind, Client, Credential, Facts, RequestContext,
    Resource, ResourceSelector, SecondFactor,
};

/// A user with this ARN and this identity-based policy.
///
/// # Panics
/// When the ARN is not a user's, or the policy does not parse.
#[must_use]
pub fn caller(arn: &str, policy: Option<&str>) -> Arc<Caller> {
    let account = arn.split(':').nth(4).expect("an ARN has an account");
    let name = arn.rsplit('/').next().expect("rsplit yields one item");
    let principal = Principal::user(arn, None);
    let documents: Vec<_> = policy
        .map(|text| {
            let document = Document::parse(text, DocumentKind::Managed).expect("a valid policy");
            (PolicyRef::new(DocumentKind::Managed, "test"), document)
        })
        .into_iter()
        .collect();
    let documents = documents
        .iter()
        .map(|(name, document)| (name.clone(), document));
    Arc::new(Caller {
        account: account.parse().expect("an ARN has an account"),
        arn: arn.into(),
        user_id: "AIDAEXAMPLE".into(),
        context: Arc::new(principal.context()),
        principal,
        kind: CallerKind::User {
            name: name.to_owned(),
            path: "/".to_owned(),
        },
        access_key_id: "AKIAEXAMPLE".to_owned(),
        identity: Arc::new(PolicySet::compile(documents)),
        boundary: None,
        session: None,
        scope_downs: Vec::new(),
        session_info: None,
        credential: Credential::new(()),
    })
}

/// A request of the caller, at a fixed time in `us-east-1`.
///
/// # Panics
/// Never: the constants are valid.
#[must_use]
pub fn context(caller: Arc<Caller>) -> RequestContext {
    RequestContext {
        account: caller.account,
        caller,
        region: "us-east-1".parse().expect("a region"),
        now: "2026-01-02T03:04:05.678Z".parse().expect("a time"),
        request_id: "a-request".into(),
        client: Client {
            address: std::net::IpAddr::from([127, 0, 0, 1]),
            secure: false,
            user_agent: "tests".into(),
            referer: None,
        },
    }
}

/// A proof that was never decided, for any resource.
#[must_use]
pub fn authorized(context: RequestContext) -> Authorized {
    let mut resource = Decided::new("*".into(), None);
    resource.any = true;
    Authorized::new(context, "test:Test", resource, (), None)
}

/// A proof for the resource with this unique id alone.
#[must_use]
pub fn authorized_on(context: RequestContext, unique_id: &str) -> Authorized {
    let resource = Decided::new("*".into(), Some(unique_id.into()));
    Authorized::new(context, "test:Test", resource, (), None)
}

/// Facts where no resource exists.
#[derive(Clone, Copy, Debug)]
pub struct Empty;

impl Facts for Empty {
    type Record = ();
    type Error = Infallible;

    async fn resource(
        &self,
        context: &RequestContext,
        selector: &ResourceSelector,
    ) -> Result<Resource<()>, Infallible> {
        let (region, account) = (&context.region, context.account);
        let arn = match selector {
            ResourceSelector::Repository { name, .. } => {
                format!("arn:aws:ecr:{region}:{account}:repository/{name}")
            }
            ResourceSelector::NewEntity { kind, path, name } => {
                let path = path.as_deref().unwrap_or("/");
                format!("arn:aws:iam::{account}:{}{path}{name}", kind.arn_type())
            }
            ResourceSelector::Entity(kind, name) => {
                format!("arn:aws:iam::{account}:{}/{name}", kind.arn_type())
            }
            _ => "*".to_owned(),
        };
        Ok(Resource::plain(arn, Some(account)))
    }

    async fn controls(
        &self,
        _: aws_types::AccountId,
    ) -> Result<Option<Arc<AccountControls>>, Infallible> {
        Ok(None)
    }

    async fn equalize(&self, _: &Resource<()>) -> Result<(), Infallible> {
        Ok(())
    }

    async fn verify(&self, _: &RequestContext, _: &SecondFactor) -> Result<(), Infallible> {
        Ok(())
    }
}
