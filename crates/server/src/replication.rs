//! Repeats at other registries of this server what was pushed and deleted, with the decision that the destination may
//! be written to.
//!
//! The source's account does it by its service-linked role `AWSServiceRoleForECRReplication`, whose policy allows
//! what replication needs (ECR user guide, "Amazon ECR service-linked role for replication"). So in the same account
//! nothing more is needed, and another account's registry policy decides whether this account may.

pub(crate) mod healing;
pub(crate) mod peers;
mod stored;

use std::sync::{Arc, LazyLock};

use authz::{
    Caller, CallerKind, Client, Credential, RequestContext, ResourceSelector, Rule, ServiceName,
    SessionScope, require,
};
use aws_api::authorization::AccessLevel;
use aws_types::AccountId;
use jiff::{SignedDuration, Timestamp};
use jobs::{BoxError, Outcome};
use policy::{Document, DocumentKind, PolicyRef, PolicySet, Principal};
use registry::{Error, ReplicationFailure, ReplicationTarget, ReplicationWork, RepositoryFacts};

use crate::app::App;
use crate::authorize;
use crate::error::ApiError;

/// The managed policy of the role.
const POLICY_NAME: &str = "ECRReplicationServiceRolePolicy";
const POLICY: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
    "Action": ["ecr:CreateRepository", "ecr:ReplicateImage"], "Resource": "*"}]}"#;
const ROLE: &str = "AWSServiceRoleForECRReplication";
const SESSION: &str = "ecr-replication";
/// Pages of tasks that are done before other repositories have their turn.
const PAGES_MAX: usize = 20;
/// When a job is tried again that the read-only mode of the server kept from being run.
const WHILE_READ_ONLY: SignedDuration = SignedDuration::from_mins(1);

static POLICIES: LazyLock<Arc<PolicySet>> = LazyLock::new(|| {
    let document = Document::parse(POLICY, DocumentKind::Managed).expect("the policy is valid");
    let name = PolicyRef::new(DocumentKind::Managed, POLICY_NAME);
    Arc::new(PolicySet::compile([(name, &document)]))
});

/// Does what is due from a repository to a destination.
pub(crate) async fn run(
    app: &App,
    service: ServiceName,
    subject: &str,
) -> Result<Outcome, BoxError> {
    let registry = &app.registry;
    for _ in 0..PAGES_MAX {
        let now = app.now();
        let Some(work) = registry.replication_work(service, subject, now).await? else {
            return Ok(Outcome::Done);
        };
        if work.peer.is_some() {
            registry
                .request_replication(service, subject, true, now)
                .await?;
            return Ok(Outcome::Done);
        }
        if work.tasks.is_empty() {
            return Ok(work.next.map_or(Outcome::Done, Outcome::Again));
        }
        if registry.server_mode().await?.enabled {
            return Ok(Outcome::Again(WHILE_READ_ONLY));
        }
        let target = target(app, service, &work).await?;
        for task in &work.tasks {
            let done;
            let failure = match &target {
                Ok((proof, target)) => {
                    done = registry
                        .repeat_change(service, proof, &work, target, task)
                        .await;
                    match &done {
                        Ok(()) => continue,
                        Err(failure) => failure,
                    }
                }
                Err(failure) => failure,
            };
            registry
                .replication_failed(service, &work, task, failure, app.now())
                .await?;
        }
    }
    Ok(Outcome::Again(SignedDuration::ZERO))
}

type Target = (authz::Authorized, Arc<RepositoryFacts>);

/// The repository at the destination, which is created where it is missing, and the proof that images may be
/// replicated to it.
async fn target(
    app: &App,
    service: ServiceName,
    work: &ReplicationWork,
) -> Result<Result<Target, ReplicationFailure>, BoxError> {
    let replicate = decide(app, work, "ecr:ReplicateImage").await?;
    let proof = match replicate {
        Ok(proof) => proof,
        Err(denied) => return Ok(Err(denied)),
    };
    let templated = match app.registry.replication_target(service, work).await? {
        ReplicationTarget::There(found) => return Ok(Ok((proof, found))),
        ReplicationTarget::Missing(templated) => templated,
    };
    let creation = match decide(app, work, "ecr:CreateRepository").await? {
        Ok(proof) => proof,
        Err(denied) => return Ok(Err(denied)),
    };
    let created = app
        .registry
        .create_templated_repository(&creation, *templated)
        .await;
    match created {
        // Or somebody else was first.
        Ok(_) | Err(Error::RepositoryAlreadyExists(_)) => {}
        Err(error) => return Ok(Err(error.into())),
    }
    let (account, region, name) = (&work.account, &work.region, &work.source.name);
    let found = app.registry.repository(account, region, name).await?;
    Ok(Ok((proof, found)))
}

/// Whether the source's account may do this to the destination's repository.
async fn decide(
    app: &App,
    work: &ReplicationWork,
    action: &'static str,
) -> Result<Result<authz::Authorized, ReplicationFailure>, BoxError> {
    let rule = Rule {
        action,
        access: AccessLevel::Write,
        sessions: SessionScope::ANY,
    };
    let requirements = require(ResourceSelector::Repository {
        registry: Some(work.account.to_string()),
        name: work.source.name.to_string(),
    });
    let context = context(work, app.now());
    match authorize::authorize(app, context, &rule, &requirements, ()).await {
        Ok(ok) => Ok(Ok(ok.into_parts().0)),
        Err(ApiError::Denied(denial)) => Ok(Err(ReplicationFailure::Denied(denial.message))),
        Err(error) => Err(format!("the decision on a replication failed: {error:?}").into()),
    }
}

/// The request as if it came from this server: to the destination, by the source's account.
fn context(work: &ReplicationWork, now: Timestamp) -> RequestContext {
    RequestContext {
        account: work.account,
        caller: Arc::new(caller(work.source.account)),
        region: work.region.clone(),
        now,
        request_id: uuid::Uuid::new_v4().to_string().into(),
        client: Client {
            address: std::net::IpAddr::from([127, 0, 0, 1]),
            secure: true,
            user_agent: "replication.ecr.amazonaws.com".into(),
            referer: None,
        },
    }
}

/// The service-linked role of an account.
fn caller(account: AccountId) -> Caller {
    let role_arn = format!(
        "arn:aws:iam::{account}:role/aws-service-role/replication.ecr.amazonaws.com/{ROLE}"
    );
    let arn: Arc<str> = format!("arn:aws:sts::{account}:assumed-role/{ROLE}/{SESSION}").into();
    let principal = Principal::role_session(Arc::clone(&arn), role_arn.as_str(), None);
    Caller {
        account,
        arn,
        user_id: SESSION.into(),
        context: Arc::new(principal.context()),
        principal,
        kind: CallerKind::RoleSession {
            role_arn,
            role_name: ROLE.to_owned(),
            session_name: SESSION.to_owned(),
        },
        access_key_id: String::new(),
        identity: Arc::clone(&POLICIES),
        boundary: None,
        session: None,
        scope_downs: Vec::new(),
        session_info: None,
        credential: Credential::new(()),
    }
}
