//! Organizations through the domain: the tree, accounts, policies, invitations, delegation, and what an
//! organization imposes on its accounts. Rows G1 to G7 and C5.

#![allow(clippy::unwrap_used)]

mod accounts;
#[path = "../common/mod.rs"]
mod common;
mod policies;

use aws_api::organizations as org;
use aws_api::organizations::ErrorCode as E;
use aws_api::{Secret, iam, sts};
use common::{ACCOUNT, Credentials, OTHER_ACCOUNT, World};
use identity::{Authorized, Error, Organizations};
use store::testing::{TestStore, on_every_engine};

struct Story {
    world: World,
    /// The management account's root user.
    root: Authorized,
}

impl Story {
    /// An organization with all features.
    async fn new(t: &store::testing::TestStore) -> Story {
        let world = World::new(t).await;
        let root = world.root().await;
        let story = Story { world, root };
        story
            .organizations()
            .create_organization(&story.root, Default::default())
            .await
            .unwrap();
        story
    }

    fn organizations(&self) -> Organizations {
        self.world.identity.organizations()
    }

    async fn root_id(&self) -> String {
        let roots = self
            .organizations()
            .list_roots(&self.root, Default::default())
            .await
            .unwrap();
        roots.roots.unwrap()[0].id.clone().unwrap()
    }

    /// A new account of this name.
    async fn account(&self, name: &str) -> String {
        let request = self.request(name).await.unwrap();
        let id = request.create_account_status.unwrap().id.unwrap();
        self.finish(&id).await;
        self.status(&id).await.account_id.unwrap()
    }

    /// Runs the job of a request.
    async fn finish(&self, id: &str) {
        let service = authz::ServiceName::Organizations;
        let done = self
            .organizations()
            .finish_account(service, id, self.world.now)
            .await;
        done.unwrap();
    }

    async fn request(&self, name: &str) -> Result<org::CreateAccountResponse, Error> {
        let input = org::CreateAccountRequest {
            email: Secret::new(format!("{name}@example.com")),
            account_name: Secret::new(name.to_owned()),
            ..Default::default()
        };
        self.organizations().create_account(&self.root, input).await
    }

    async fn status(&self, id: &str) -> org::CreateAccountStatus {
        let input = org::DescribeCreateAccountStatusRequest {
            create_account_request_id: id.to_owned(),
        };
        let answer = self
            .organizations()
            .describe_create_account_status(&self.root, input)
            .await;
        answer.unwrap().create_account_status.unwrap()
    }

    async fn unit(&self, parent: &str, name: &str) -> Result<String, Error> {
        let input = org::CreateOrganizationalUnitRequest {
            parent_id: parent.to_owned(),
            name: name.to_owned(),
            tags: None,
        };
        let answer = self
            .organizations()
            .create_organizational_unit(&self.root, input)
            .await?;
        Ok(answer.organizational_unit.unwrap().id.unwrap())
    }

    async fn policy(
        &self,
        kind: org::PolicyType,
        name: &str,
        content: &str,
    ) -> Result<String, Error> {
        let input = org::CreatePolicyRequest {
            content: content.to_owned(),
            description: String::new(),
            name: name.to_owned(),
            r#type: kind,
            tags: None,
        };
        let answer = self
            .organizations()
            .create_policy(&self.root, input)
            .await?;
        Ok(answer.policy.unwrap().policy_summary.unwrap().id.unwrap())
    }

    async fn attach(&self, policy: &str, target: &str) -> Result<(), Error> {
        let input = org::AttachPolicyRequest {
            policy_id: policy.to_owned(),
            target_id: target.to_owned(),
        };
        self.organizations().attach_policy(&self.root, input).await
    }

    async fn detach(&self, policy: &str, target: &str) -> Result<(), Error> {
        let input = org::DetachPolicyRequest {
            policy_id: policy.to_owned(),
            target_id: target.to_owned(),
        };
        self.organizations().detach_policy(&self.root, input).await
    }

    async fn attached(&self, target: &str, kind: org::PolicyType) -> Vec<String> {
        let input = org::ListPoliciesForTargetRequest {
            target_id: target.to_owned(),
            filter: kind,
            ..Default::default()
        };
        let answer = self
            .organizations()
            .list_policies_for_target(&self.root, input)
            .await;
        answer
            .unwrap()
            .policies
            .unwrap()
            .into_iter()
            .map(|policy| policy.id.unwrap())
            .collect()
    }

    async fn enable(&self, kind: org::PolicyType) -> Result<(), Error> {
        let input = org::EnablePolicyTypeRequest {
            root_id: self.root_id().await,
            policy_type: kind,
        };
        self.organizations()
            .enable_policy_type(&self.root, input)
            .await
            .map(drop)
    }

    async fn disable(&self, kind: org::PolicyType) {
        let input = org::DisablePolicyTypeRequest {
            root_id: self.root_id().await,
            policy_type: kind,
        };
        self.organizations()
            .disable_policy_type(&self.root, input)
            .await
            .unwrap();
    }

    async fn describe(&self, account: &str) -> Result<org::Account, Error> {
        let input = org::DescribeAccountRequest {
            account_id: account.to_owned(),
        };
        let answer = self
            .organizations()
            .describe_account(&self.root, input)
            .await?;
        Ok(answer.account.unwrap())
    }

    async fn move_to(&self, account: &str, from: &str, to: &str) -> Result<(), Error> {
        let input = org::MoveAccountRequest {
            account_id: account.to_owned(),
            source_parent_id: from.to_owned(),
            destination_parent_id: to.to_owned(),
        };
        self.organizations().move_account(&self.root, input).await
    }

    /// A session of the role that lets the management account in, by a user of it.
    async fn enter(&self, account: &str) -> Credentials {
        let ana = self.world.user(&self.root, &format!("ana-{account}")).await;
        let ana = self.world.call(&ana).await.unwrap();
        let input = sts::AssumeRoleRequest {
            role_arn: format!("arn:aws:iam::{account}:role/OrganizationAccountAccessRole"),
            role_session_name: "job".into(),
            ..Default::default()
        };
        let answer = self.world.identity.assume_role(&ana, input).await.unwrap();
        credentials(answer.credentials.unwrap())
    }
}

fn credentials(credentials: sts::Credentials) -> Credentials {
    Credentials {
        id: credentials.access_key_id,
        secret: credentials.secret_access_key.expose().clone(),
        token: Some(credentials.session_token.expose().clone()),
    }
}

const SCP: org::PolicyType = org::PolicyType::ServiceControlPolicy;
const RCP: org::PolicyType = org::PolicyType::ResourceControlPolicy;
const DENY_DELETE: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"ecr:Delete*","Resource":"*"}]}"#;
const DENY_STRANGERS: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"ecr:*","Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-x"}}}]}"#;
