//! Organizations through the domain: the tree, accounts, policies, invitations, delegation, and what an
//! organization imposes on its accounts. Rows G1 to G7 and C5.

#![allow(clippy::unwrap_used)]

mod common;

use aws_api::organizations as org;
use aws_api::organizations::ErrorCode as E;
use aws_api::{Secret, iam, sts};
use common::{ACCOUNT, Credentials, OTHER_ACCOUNT, World};
use identity::{Authorized, Error, Organizations};
use store::on_every_engine;

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

on_every_engine! {
    async fn g1_all_features_enable_service_control_policies_at_once(t: TestStore) {
        let s = Story::new(&t).await;
        let o = s.organizations().describe_organization(&s.root, ()).await.unwrap().organization.unwrap();
        assert_eq!(o.feature_set, Some(org::OrganizationFeatureSet::All));
        assert_eq!(o.master_account_id.as_deref(), Some(ACCOUNT));
        let root = s.root_id().await;
        assert_eq!(s.attached(&root, SCP).await, ["p-FullAWSAccess"]);
        assert_eq!(s.attached(ACCOUNT, SCP).await, ["p-FullAWSAccess"]);
        assert!(s.attached(&root, RCP).await.is_empty());
        let again = s.organizations().create_organization(&s.root, Default::default()).await;
        assert!(again.unwrap_err().is(E::AlreadyInOrganization));
        // RCPs by EnablePolicyType, which attaches AWS's own everywhere.
        let unit = s.unit(&root, "dev").await.unwrap();
        let member = s.account("dev").await;
        s.enable(RCP).await.unwrap();
        for target in [&root, &unit, &member, &ACCOUNT.to_owned()] {
            assert_eq!(s.attached(target, RCP).await, ["p-RCPFullAWSAccess"], "{target}");
        }
        assert!(s.enable(RCP).await.unwrap_err().is(E::PolicyTypeAlreadyEnabled));
        let member = s.describe(&member).await.unwrap();
        assert_eq!(member.state, Some(org::AccountState::Active));
        let path = &member.paths.unwrap()[0];
        assert!(path.starts_with(&format!("{}/{root}/", o.id.unwrap())), "{path}");
    }

    async fn g1_consolidated_billing_has_no_policies(t: TestStore) {
        let world = World::new(&t).await;
        let root = world.root().await;
        let s = Story { world, root };
        let input = org::CreateOrganizationRequest {
            feature_set: Some(org::OrganizationFeatureSet::ConsolidatedBilling),
        };
        s.organizations().create_organization(&s.root, input).await.unwrap();
        let refused = s.policy(SCP, "p", DENY_DELETE).await.unwrap_err();
        assert!(refused.is(E::PolicyTypeNotAvailableForOrganization), "{refused:?}");
        assert!(s.enable(SCP).await.unwrap_err().is(E::PolicyTypeNotAvailableForOrganization));
        // Nobody was invited, so the management account enables all features alone.
        let handshake = s.organizations().enable_all_features(&s.root, Default::default()).await.unwrap();
        let handshake_id = handshake.handshake.unwrap().id.unwrap();
        let input = org::AcceptHandshakeRequest { handshake_id };
        s.organizations().accept_handshake(&s.root, input).await.unwrap();
        assert_eq!(s.attached(ACCOUNT, SCP).await, ["p-FullAWSAccess"]);
        s.policy(SCP, "p", DENY_DELETE).await.unwrap();
    }

    async fn g2_sizes_numbers_and_levels_are_bounded(t: TestStore) {
        let s = Story::new(&t).await;
        // All characters count, white space too.
        let pad = |length: usize| format!("{}{}", DENY_DELETE, " ".repeat(length - DENY_DELETE.len()));
        s.policy(SCP, "fits", &pad(10_240)).await.unwrap();
        let long = s.policy(SCP, "long", &pad(10_241)).await.unwrap_err();
        assert!(long.is(E::ConstraintViolation), "{long:?}");
        assert_eq!(long.reason(), Some("POLICY_CONTENT_LIMIT_EXCEEDED"));
        let mut parent = s.root_id().await;
        for level in 1..=5 {
            parent = s.unit(&parent, &format!("level {level}")).await.unwrap();
        }
        let deep = s.unit(&parent, "level 6").await.unwrap_err();
        assert_eq!(deep.reason(), Some("OU_DEPTH_LIMIT_EXCEEDED"));
        // AWS's own counts: nine more, and the eleventh is one too many.
        for number in 1..=10 {
            let policy = s.policy(SCP, &format!("scp {number}"), DENY_DELETE).await.unwrap();
            let attached = s.attach(&policy, &parent).await;
            match number < 10 {
                true => attached.unwrap(),
                false => assert_eq!(
                    attached.unwrap_err().reason(),
                    Some("MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED")
                ),
            }
        }
        s.enable(RCP).await.unwrap();
        for number in 1..=5 {
            let policy = s.policy(RCP, &format!("rcp {number}"), DENY_STRANGERS).await.unwrap();
            assert_eq!(s.attach(&policy, &parent).await.is_ok(), number < 5, "{number}");
        }
    }

    async fn g3_own_policies_follow_their_types_syntax(t: TestStore) {
        let s = Story::new(&t).await;
        let allow_some = DENY_DELETE.replace("Deny", "Allow");
        s.policy(SCP, "allow", &allow_some).await.unwrap();
        for (kind, content) in [
            (SCP, DENY_STRANGERS.to_owned()),
            (SCP, "{}".to_owned()),
            (RCP, DENY_DELETE.to_owned()),
            (RCP, DENY_STRANGERS.replace("Deny", "Allow")),
            (RCP, DENY_STRANGERS.replace("ecr:*", "*")),
            (RCP, DENY_STRANGERS.replace("\"Action\"", "\"NotAction\"")),
            (RCP, DENY_STRANGERS.replace("\"Principal\":\"*\"", "\"Principal\":{\"AWS\":\"111122223333\"}")),
        ] {
            let refused = s.policy(kind, "bad", &content).await.unwrap_err();
            assert!(refused.is(E::MalformedPolicyDocument), "{content}: {refused:?}");
        }
    }

    async fn g6_what_must_stay_cannot_be_detached(t: TestStore) {
        let s = Story::new(&t).await;
        let root = s.root_id().await;
        let last = s.detach("p-FullAWSAccess", &root).await.unwrap_err();
        assert!(last.is(E::ConstraintViolation));
        assert_eq!(last.reason(), Some("MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED"));
        s.enable(RCP).await.unwrap();
        let aws = s.detach("p-RCPFullAWSAccess", &root).await.unwrap_err();
        assert!(aws.is(E::InvalidInput));
        assert_eq!(aws.reason(), Some("NON_DETACHABLE_POLICY"));
        // Disabling a type drops attachments; enabling restores the default only.
        let policy = s.policy(SCP, "p", DENY_DELETE).await.unwrap();
        s.attach(&policy, &root).await.unwrap();
        assert!(s.attach(&policy, &root).await.unwrap_err().is(E::DuplicatePolicyAttachment));
        let used = org::DeletePolicyRequest { policy_id: policy.clone() };
        assert!(s.organizations().delete_policy(&s.root, used).await.unwrap_err().is(E::PolicyInUse));
        s.disable(SCP).await;
        assert!(s.attached(&root, SCP).await.is_empty());
        assert!(s.attach(&policy, &root).await.unwrap_err().is(E::PolicyTypeNotEnabled));
        s.enable(SCP).await.unwrap();
        assert_eq!(s.attached(&root, SCP).await, ["p-FullAWSAccess"]);
    }

    async fn g7_an_account_is_requested_and_found_by_its_request(t: TestStore) {
        let s = Story::new(&t).await;
        let taken = s.request("dev").await.unwrap().create_account_status.unwrap();
        assert_eq!(taken.state, Some(org::CreateAccountState::InProgress));
        assert_eq!(taken.account_id, None);
        let id = taken.id.as_deref().unwrap();
        let waiting = s.status(id).await;
        assert_eq!((waiting.state, waiting.completed_timestamp), (taken.state, None));
        s.finish(id).await;
        let done = s.status(id).await;
        assert_eq!((done.requested_timestamp, done.completed_timestamp), (Some(s.world.now), Some(s.world.now)));
        assert_eq!(done.state, Some(org::CreateAccountState::Succeeded));
        let account = s.describe(done.account_id.as_deref().unwrap()).await.unwrap();
        assert_eq!(account.joined_method, Some(org::AccountJoinedMethod::Created));
        let twice = s.request("Dev").await.unwrap().create_account_status.unwrap();
        s.finish(twice.id.as_deref().unwrap()).await;
        let failed = s.status(twice.id.as_deref().unwrap()).await;
        assert_eq!(failed.failure_reason, Some(org::CreateAccountFailureReason::EmailAlreadyExists));
        let input = org::ListCreateAccountStatusRequest {
            states: Some(vec![org::CreateAccountState::Failed]),
            ..Default::default()
        };
        let listed = s.organizations().list_create_account_status(&s.root, input).await.unwrap();
        assert_eq!(listed.create_account_statuses.unwrap().len(), 1);
    }

    async fn g7_five_accounts_are_made_at_once(t: TestStore) {
        let s = Story::new(&t).await;
        let mut ids = Vec::new();
        for number in 0..5 {
            let taken = s.request(&format!("member{number}")).await.unwrap();
            ids.push(taken.create_account_status.unwrap().id.unwrap());
        }
        let refused = s.request("member5").await.unwrap_err();
        assert!(refused.is(E::TooManyRequests), "{refused}");
        s.finish(&ids[2]).await;
        s.request("member5").await.unwrap();
        let accounts = async || {
            let listed = s.organizations().list_accounts(&s.root, Default::default()).await;
            listed.unwrap().accounts.unwrap().len()
        };
        assert_eq!(accounts().await, 2);
        // A job that runs twice makes one account, and one that nobody asked for none.
        s.finish(&ids[2]).await;
        s.finish("car-none").await;
        assert_eq!(accounts().await, 2);
    }

    async fn g7_a_request_puts_its_job_and_its_end_is_an_audit_event(t: TestStore) {
        let s = Story::new(&t).await;
        let input = org::CreateAccountRequest {
            email: Secret::new("dev@example.com".to_owned()),
            account_name: Secret::new("dev".to_owned()),
            role_name: Some("Entrance".to_owned()),
            tags: Some(vec![org::Tag { key: "team".to_owned(), value: "core".to_owned() }]),
            ..Default::default()
        };
        let tagged = |key: &str| org::CreateAccountRequest {
            tags: Some(vec![org::Tag { key: key.to_owned(), value: String::new() }]),
            ..input.clone()
        };
        let refused = s.organizations().create_account(&s.root, tagged("aws:x")).await.unwrap_err();
        assert_eq!(refused.reason(), Some("INVALID_SYSTEM_TAGS_PARAMETER"));
        let taken = s.organizations().create_account(&s.root, input).await.unwrap();
        let id = taken.create_account_status.unwrap().id.unwrap();
        let mut tx = t.store.write(store::jobs::SCOPE).await.unwrap();
        let now = s.world.now.as_millisecond();
        let job = store::jobs::lease(&mut tx.conn(), identity::CREATE_ACCOUNT_JOB, "node", now, now + 1).await;
        tx.commit().await.unwrap();
        assert_eq!(job.unwrap().unwrap().subject, id);
        s.finish(&id).await;
        let account = s.status(&id).await.account_id.unwrap();
        let mut read = t.store.read().await.unwrap();
        let role = store::iam::entity::find(&mut read.conn(), &account, store::iam::entity::Kind::Role, "Entrance").await;
        assert!(role.unwrap().is_some());
        drop(read);
        let input = org::ListTagsForResourceRequest { resource_id: account.clone(), next_token: None };
        let tags = s.organizations().list_tags_for_resource(&s.root, input).await.unwrap().tags.unwrap();
        assert_eq!((tags[0].key.as_str(), tags[0].value.as_str()), ("team", "core"));
        let mut tx = t.store.write(store::service_events::SCOPE).await.unwrap();
        let events = store::service_events::claim(&mut tx.conn(), 1, 2, 100).await.unwrap();
        let event = events.iter().find(|event| event.name == "CreateAccountResult").unwrap();
        assert_eq!((event.source.as_str(), event.account.as_deref()), ("organizations.amazonaws.com", Some(ACCOUNT)));
        assert!(event.details.contains(&account) && !event.details.contains("dev"), "{}", event.details);
    }

    async fn g7_lists_have_pages_of_twenty(t: TestStore) {
        let s = Story::new(&t).await;
        for number in 0..21 {
            s.account(&format!("member{number}")).await;
        }
        let mut input = org::ListAccountsRequest::default();
        let (mut pages, mut seen) = (Vec::new(), std::collections::BTreeSet::new());
        loop {
            let answer = s.organizations().list_accounts(&s.root, input.clone()).await.unwrap();
            let accounts = answer.accounts.unwrap();
            pages.push(accounts.len());
            seen.extend(accounts.into_iter().map(|account| account.id.unwrap()));
            input.next_token = answer.next_token;
            if input.next_token.is_none() { break; }
        }
        assert_eq!((pages.as_slice(), seen.len()), (&[20, 2][..], 22));
        input.next_token = Some("!".to_owned());
        let refused = s.organizations().list_accounts(&s.root, input).await.unwrap_err();
        assert_eq!(refused.reason(), Some("INVALID_PAGINATION_TOKEN"));
    }

    async fn g7_a_delegated_administrator_is_a_member_of_a_service_with_access(t: TestStore) {
        let s = Story::new(&t).await;
        let member = s.account("security").await;
        let register = async |account: &str| {
            let input = org::RegisterDelegatedAdministratorRequest {
                account_id: account.to_owned(),
                service_principal: "iam.amazonaws.com".to_owned(),
            };
            s.organizations().register_delegated_administrator(&s.root, input).await
        };
        assert_eq!(register(&member).await.unwrap_err().reason(), Some("SERVICE_ACCESS_NOT_ENABLED"));
        let service_principal = "iam.amazonaws.com".to_owned();
        let input = org::EnableAWSServiceAccessRequest { service_principal };
        s.organizations().enable_aws_service_access(&s.root, input).await.unwrap();
        let management = register(ACCOUNT).await.unwrap_err();
        assert_eq!(management.reason(), Some("CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR"));
        register(&member).await.unwrap();
        assert!(register(&member).await.unwrap_err().is(E::AccountAlreadyRegistered));
        let input = org::RemoveAccountFromOrganizationRequest { account_id: member.clone() };
        let kept = s.organizations().remove_account_from_organization(&s.root, input).await.unwrap_err();
        assert_eq!(kept.reason(), Some("CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG"));
        let listed = s.organizations().list_delegated_administrators(&s.root, Default::default()).await;
        assert_eq!(listed.unwrap().delegated_administrators.unwrap()[0].id.as_deref(), Some(&*member));
    }

    async fn accounts_move_and_units_keep_their_rules(t: TestStore) {
        let s = Story::new(&t).await;
        let root = s.root_id().await;
        let dev = s.unit(&root, "dev").await.unwrap();
        assert!(s.unit(&root, "dev").await.unwrap_err().is(E::DuplicateOrganizationalUnit));
        assert!(s.unit("r-none", "x").await.unwrap_err().is(E::ParentNotFound));
        let member = s.account("member").await;
        assert!(s.move_to(&member, &dev, &root).await.unwrap_err().is(E::DuplicateAccount));
        assert!(s.move_to(&member, "ou-none-none1234", &dev).await.unwrap_err().is(E::SourceParentNotFound));
        assert!(s.move_to(&member, &root, "r-none").await.unwrap_err().is(E::DestinationParentNotFound));
        assert!(s.move_to("999999999999", &root, &dev).await.unwrap_err().is(E::AccountNotFound));
        s.move_to(&member, &root, &dev).await.unwrap();
        let input = org::DeleteOrganizationalUnitRequest { organizational_unit_id: dev.clone() };
        let full = s.organizations().delete_organizational_unit(&s.root, input.clone()).await;
        assert!(full.unwrap_err().is(E::OrganizationalUnitNotEmpty));
        s.move_to(&member, &dev, &root).await.unwrap();
        s.organizations().delete_organizational_unit(&s.root, input).await.unwrap();
        let refused = s.organizations().delete_organization(&s.root, ()).await;
        assert!(refused.unwrap_err().is(E::OrganizationNotEmpty));
    }

    async fn the_management_account_enters_a_new_account_by_its_role(t: TestStore) {
        let s = Story::new(&t).await;
        let member = s.account("member").await;
        let open = s.enter(&member).await;
        let session = s.world.call(&open).await.unwrap();
        assert_eq!(session.account.as_str(), member);
        // A closed account lets nobody in, the session that is open neither.
        let input = org::CloseAccountRequest { account_id: member.clone() };
        s.organizations().close_account(&s.root, input.clone()).await.unwrap();
        assert!(s.world.call(&open).await.is_err());
        assert_eq!(s.describe(&member).await.unwrap().state, Some(org::AccountState::Suspended));
        let twice = s.organizations().close_account(&s.root, input).await.unwrap_err();
        assert!(twice.is(E::AccountAlreadyClosed));
        let input = org::CloseAccountRequest { account_id: ACCOUNT.to_owned() };
        let management = s.organizations().close_account(&s.root, input).await.unwrap_err();
        assert_eq!(management.reason(), Some("CANNOT_CLOSE_MANAGEMENT_ACCOUNT"));
    }

    async fn an_invited_account_joins_and_leaves(t: TestStore) {
        let s = Story::new(&t).await;
        let other = s.world.account(OTHER_ACCOUNT).await;
        let other = s.world.call(&other).await.unwrap();
        let invite = async |id: &str, kind| {
            let input = org::InviteAccountToOrganizationRequest {
                target: org::HandshakeParty { id: Secret::new(id.to_owned()), r#type: kind },
                notes: Some(Secret::new("come".to_owned())),
                tags: None,
            };
            s.organizations().invite_account_to_organization(&s.root, input).await
        };
        let account = org::HandshakePartyType::Account;
        let sent = invite(OTHER_ACCOUNT, account).await.unwrap().handshake.unwrap();
        let handshake_id = sent.id.unwrap();
        assert!(invite(OTHER_ACCOUNT, account).await.unwrap_err().is(E::DuplicateHandshake));
        // To an account that is no party it does not exist.
        let third = s.world.account("777788889999").await;
        let third = s.world.call(&third).await.unwrap();
        let input = org::AcceptHandshakeRequest { handshake_id: handshake_id.clone() };
        let foreign = s.organizations().accept_handshake(&third, input.clone()).await.unwrap_err();
        assert!(foreign.is(E::HandshakeNotFound), "{foreign:?}");
        let listed = s.organizations().list_handshakes_for_account(&other, Default::default()).await;
        assert_eq!(listed.unwrap().handshakes.unwrap().len(), 1);
        let joined = s.organizations().accept_handshake(&other, input.clone()).await.unwrap();
        assert_eq!(joined.handshake.unwrap().state, Some(org::HandshakeState::Accepted));
        let twice = s.organizations().accept_handshake(&other, input).await.unwrap_err();
        assert!(twice.is(E::HandshakeAlreadyInState));
        let member = s.describe(OTHER_ACCOUNT).await.unwrap();
        assert_eq!(member.joined_method, Some(org::AccountJoinedMethod::Invited));
        let already = invite(OTHER_ACCOUNT, account).await.unwrap_err();
        assert_eq!(already.reason(), Some("ALREADY_IN_AN_ORGANIZATION"));
        s.organizations().leave_organization(&other, ()).await.unwrap();
        assert!(s.describe(OTHER_ACCOUNT).await.unwrap_err().is(E::AccountNotFound));
        let management = s.organizations().leave_organization(&s.root, ()).await.unwrap_err();
        assert!(management.is(E::MasterCannotLeaveOrganization));
    }

    async fn an_invitation_expires(t: TestStore) {
        let mut s = Story::new(&t).await;
        let other = s.world.account(OTHER_ACCOUNT).await;
        let input = org::InviteAccountToOrganizationRequest {
            target: org::HandshakeParty {
                id: Secret::new(OTHER_ACCOUNT.to_owned()),
                r#type: org::HandshakePartyType::Account,
            },
            notes: None,
            tags: None,
        };
        let sent = s.organizations().invite_account_to_organization(&s.root, input).await.unwrap();
        let handshake_id = sent.handshake.unwrap().id.unwrap();
        s.world.pass(15 * 24 * 3600);
        let other = s.world.call(&other).await.unwrap();
        let input = org::AcceptHandshakeRequest { handshake_id };
        let late = s.organizations().accept_handshake(&other, input).await.unwrap_err();
        assert!(late.is(E::InvalidHandshakeTransition), "{late:?}");
    }

    async fn controls_follow_every_change(t: TestStore) {
        let s = Story::new(&t).await;
        let root = s.root_id().await;
        let member = s.account("member").await;
        let id = member.parse().unwrap();
        let levels = async || {
            let controls = s.world.identity.account_controls(id).await.unwrap().unwrap();
            let names = |set: &policy::PolicySet| set.policies().len();
            (controls.path.to_string(), controls.service_control.iter().map(names).collect::<Vec<_>>())
        };
        let (path, at_root) = levels().await;
        assert!(path.ends_with(&format!("/{root}/")), "{path}");
        assert_eq!(at_root, [1, 1]);
        let policy = s.policy(SCP, "p", DENY_DELETE).await.unwrap();
        s.attach(&policy, &root).await.unwrap();
        assert_eq!(levels().await.1, [2, 1]);
        let unit = s.unit(&root, "dev").await.unwrap();
        s.move_to(&member, &root, &unit).await.unwrap();
        let (path, moved) = levels().await;
        assert!(path.ends_with(&format!("/{root}/{unit}/")), "{path}");
        assert_eq!(moved, [2, 1, 1]);
        s.detach(&policy, &root).await.unwrap();
        assert_eq!(levels().await.1, [1, 1, 1]);
        // Not the management account.
        let controls = s.world.identity.account_controls(ACCOUNT.parse().unwrap()).await.unwrap().unwrap();
        assert!(controls.is_management && controls.service_control.is_empty());
        let input = org::RemoveAccountFromOrganizationRequest { account_id: member };
        s.organizations().remove_account_from_organization(&s.root, input).await.unwrap();
        assert!(s.world.identity.account_controls(id).await.unwrap().is_none());
    }

    async fn c5_root_sessions_do_one_task(t: TestStore) {
        let s = Story::new(&t).await;
        let member = s.account("member").await;
        let ana = s.world.user(&s.root, "ana").await;
        let ana = s.world.call(&ana).await.unwrap();
        let assume = async |cx: &Authorized, task: &str, target: &str| {
            let input = sts::AssumeRootRequest {
                target_principal: target.to_owned(),
                task_policy_arn: sts::PolicyDescriptorType { arn: Some(task.to_owned()) },
                ..Default::default()
            };
            s.world.identity.assume_root(cx, input).await
        };
        let audit = "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials";
        assert!(assume(&ana, audit, &member).await.is_err(), "not enabled");
        let enable = async || {
            let input = iam::EnableOrganizationsRootSessionsRequest::default();
            s.world.identity.enable_organizations_root_sessions(&s.root, input).await
        };
        assert!(enable().await.unwrap_err().is(iam::ErrorCode::ServiceAccessNotEnabled));
        let service_principal = "iam.amazonaws.com".to_owned();
        let input = org::EnableAWSServiceAccessRequest { service_principal };
        s.organizations().enable_aws_service_access(&s.root, input).await.unwrap();
        let enabled = enable().await.unwrap();
        assert_eq!(enabled.enabled_features, Some(vec![iam::FeatureType::RootSessions]));
        // The root user may not, nor may another account, another task or the management account be it.
        assert!(assume(&s.root, audit, &member).await.is_err());
        assert!(assume(&ana, "arn:aws:iam::aws:policy/AdministratorAccess", &member).await.is_err());
        assert!(assume(&ana, audit, ACCOUNT).await.is_err());
        assert!(assume(&ana, audit, OTHER_ACCOUNT).await.is_err());
        let given = assume(&ana, audit, &member).await.unwrap().credentials.unwrap();
        let lasts = given.expiration.duration_since(s.world.now);
        assert_eq!(lasts.as_secs(), 900);
        let session = s.world.call(&credentials(given)).await.unwrap();
        assert_eq!(&*session.caller.arn, format!("arn:aws:iam::{member}:root"));
        assert_eq!(session.caller.context.one("aws:AssumedRoot"), Some("true"));
        assert!(session.caller.session.is_some());
    }

    async fn a_simulation_takes_service_control_policies_into_account(t: TestStore) {
        let s = Story::new(&t).await;
        let root = s.root_id().await;
        let member = s.account("member").await;
        let admin = s.enter(&member).await;
        let simulate = async || {
            let admin = s.world.call(&admin).await.unwrap();
            let input = iam::SimulatePrincipalPolicyRequest {
                policy_source_arn: format!("arn:aws:iam::{member}:role/OrganizationAccountAccessRole"),
                action_names: vec!["ecr:DeleteRepository".to_owned()],
                ..Default::default()
            };
            let answer = s.world.identity.simulate_principal_policy(&admin, input).await.unwrap();
            let result = answer.evaluation_results.unwrap().remove(0);
            let detail = result.organizations_decision_detail.unwrap();
            (result.eval_decision, detail.allowed_by_organizations)
        };
        let allowed = iam::PolicyEvaluationDecisionType::Allowed;
        assert_eq!(simulate().await, (allowed, Some(true)));
        let policy = s.policy(SCP, "p", DENY_DELETE).await.unwrap();
        s.attach(&policy, &root).await.unwrap();
        let denied = iam::PolicyEvaluationDecisionType::ExplicitDeny;
        assert_eq!(simulate().await, (denied, Some(false)));
    }
}
