//! What an organization imposes on the callers and the resources of its accounts, at every request.

mod root_sessions;

use aws_api::organizations as org;
use aws_api::{Secret, ecr, iam, sts};

use super::world::{ACCOUNT, OTHER, Person, Refused, World, document, statement};

/// A world whose account manages an organization.
struct Managed {
    world: World,
    root_id: String,
    organization: String,
}

impl Managed {
    async fn new() -> Managed {
        let world = World::new().await;
        let input = org::CreateOrganizationRequest::default();
        let created = world
            .aws::<org::ops::CreateOrganization>(&world.root, &input)
            .await;
        let organization = created.unwrap().organization.unwrap().id.unwrap();
        let roots = world
            .aws::<org::ops::ListRoots>(&world.root, &Default::default())
            .await;
        let root_id = roots.unwrap().roots.unwrap()[0].id.clone().unwrap();
        Managed {
            world,
            root_id,
            organization,
        }
    }

    /// A new account, and an administrator's session in it.
    async fn member(&self, name: &str) -> (String, Person) {
        let input = org::CreateAccountRequest {
            email: Secret::new(format!("{name}@example.com")),
            account_name: Secret::new(name.to_owned()),
            ..Default::default()
        };
        let root = &self.world.root;
        let taken = self
            .world
            .aws::<org::ops::CreateAccount>(root, &input)
            .await
            .unwrap();
        let request = taken.create_account_status.unwrap().id.unwrap();
        self.world.finish_account(&request).await;
        let input = org::DescribeCreateAccountStatusRequest {
            create_account_request_id: request,
        };
        let status = self
            .world
            .aws::<org::ops::DescribeCreateAccountStatus>(root, &input)
            .await;
        let account = status
            .unwrap()
            .create_account_status
            .unwrap()
            .account_id
            .unwrap();
        let entrance = statement("Allow", &["sts:AssumeRole"], "*");
        let user = self
            .world
            .user(root, &format!("enters-{name}"), &entrance)
            .await;
        let input = sts::AssumeRoleRequest {
            role_arn: format!("arn:aws:iam::{account}:role/OrganizationAccountAccessRole"),
            role_session_name: "admin".into(),
            ..Default::default()
        };
        let session = self.world.assume(&user, &input).await.unwrap();
        (account, session)
    }

    /// A policy that is attached to the root; its id.
    async fn attach(&self, kind: org::PolicyType, name: &str, statements: &str) -> String {
        let input = org::CreatePolicyRequest {
            content: document(statements),
            description: String::new(),
            name: name.to_owned(),
            r#type: kind,
            tags: None,
        };
        let root = &self.world.root;
        let created = self
            .world
            .aws::<org::ops::CreatePolicy>(root, &input)
            .await
            .unwrap();
        let policy_id = created.policy.unwrap().policy_summary.unwrap().id.unwrap();
        let input = org::AttachPolicyRequest {
            policy_id: policy_id.clone(),
            target_id: self.root_id.clone(),
        };
        self.world
            .aws::<org::ops::AttachPolicy>(root, &input)
            .await
            .unwrap();
        policy_id
    }

    async fn detach(&self, policy_id: &str) {
        let input = org::DetachPolicyRequest {
            policy_id: policy_id.to_owned(),
            target_id: self.root_id.clone(),
        };
        let root = &self.world.root;
        self.world
            .aws::<org::ops::DetachPolicy>(root, &input)
            .await
            .unwrap();
    }

    async fn enable(&self, policy_type: org::PolicyType) {
        let input = org::EnablePolicyTypeRequest {
            root_id: self.root_id.clone(),
            policy_type,
        };
        let root = &self.world.root;
        self.world
            .aws::<org::ops::EnablePolicyType>(root, &input)
            .await
            .unwrap();
    }

    fn policy_arn(&self, kind: &str, id: &str) -> String {
        format!(
            "arn:aws:organizations::{ACCOUNT}:policy/{}/{kind}/{id}",
            self.organization
        )
    }
}

const SCP: org::PolicyType = org::PolicyType::ServiceControlPolicy;
const RCP: org::PolicyType = org::PolicyType::ResourceControlPolicy;

async fn describe(world: &World, person: &Person, registry: Option<&str>) -> Result<(), Refused> {
    let input = ecr::DescribeImagesRequest {
        repository_name: "app1".into(),
        registry_id: registry.map(str::to_owned),
        ..Default::default()
    };
    world
        .aws::<ecr::ops::DescribeImages>(person, &input)
        .await
        .map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g5_a_service_control_policy_binds_members_at_the_next_request() {
    let o = Managed::new().await;
    let world = &o.world;
    let (account, admin) = o.member("dev").await;
    world.repository(&admin, "app1").await;
    world.repository(&world.root, "app1").await;
    describe(world, &admin, None).await.unwrap();

    let policy = o
        .attach(
            SCP,
            "no-describe",
            &statement("Deny", &["ecr:DescribeImages", "iam:CreateUser"], "*"),
        )
        .await;
    let denied = describe(world, &admin, None).await.unwrap_err();
    assert_eq!(denied.code, "AccessDeniedException");
    let arn = format!("arn:aws:ecr:us-east-1:{account}:repository/app1");
    let caller = format!("arn:aws:sts::{account}:assumed-role/OrganizationAccountAccessRole/admin");
    assert_eq!(
        denied.message,
        format!(
            "User: {caller} is not authorized to perform: ecr:DescribeImages on resource: {arn} with an explicit \
             deny in a service control policy: {}",
            o.policy_arn("service_control_policy", &policy)
        )
    );
    let input = iam::CreateUserRequest {
        user_name: "bob".into(),
        ..Default::default()
    };
    let denied = world
        .aws::<iam::ops::CreateUser>(&admin, &input)
        .await
        .unwrap_err();
    assert!(
        denied.message.contains("in a service control policy: arn:"),
        "{denied:?}"
    );
    // Not the management account.
    describe(world, &world.root, None).await.unwrap();
    o.detach(&policy).await;
    describe(world, &admin, None).await.unwrap();

    // An Allow at every level: one that names ECR alone leaves IAM out.
    let only = o
        .attach(
            SCP,
            "only-ecr",
            &statement("Allow", &["ecr:*", "organizations:*"], "*"),
        )
        .await;
    o.detach("p-FullAWSAccess").await;
    describe(world, &admin, None).await.unwrap();
    let denied = world
        .aws::<iam::ops::CreateUser>(&admin, &input)
        .await
        .unwrap_err();
    assert!(
        denied
            .message
            .ends_with("because no service control policy allows the iam:CreateUser action"),
        "{denied:?}"
    );
    let _ = only;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_control_policy_binds_the_registry_and_root_users_of_members() {
    let o = Managed::new().await;
    let world = &o.world;
    let other = world.other_account().await;
    let input = org::InviteAccountToOrganizationRequest {
        target: org::HandshakeParty {
            id: Secret::new(OTHER.to_owned()),
            r#type: org::HandshakePartyType::Account,
        },
        notes: None,
        tags: None,
    };
    let sent = world
        .aws::<org::ops::InviteAccountToOrganization>(&world.root, &input)
        .await;
    let handshake_id = sent.unwrap().handshake.unwrap().id.unwrap();
    world.repository(&other, "app1").await;
    o.attach(SCP, "no-ecr", &statement("Deny", &["ecr:*"], "*"))
        .await;
    describe(world, &other, None).await.unwrap();
    let input = org::AcceptHandshakeRequest { handshake_id };
    world
        .aws::<org::ops::AcceptHandshake>(&other, &input)
        .await
        .unwrap();
    let denied = describe(world, &other, None).await.unwrap_err();
    assert!(
        denied
            .message
            .starts_with(&format!("User: arn:aws:iam::{OTHER}:root is not")),
        "{denied:?}"
    );
    let login = world.login(&other).await;
    let headers = [("authorization", login.as_str())];
    let reply = world
        .send(http::Method::GET, "/v2/app1/tags/list", &headers, "")
        .await;
    assert_eq!(reply.status, 403);
    world
        .aws::<org::ops::LeaveOrganization>(&other, &())
        .await
        .unwrap();
    describe(world, &other, None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g4_a_resource_control_policy_binds_ecr_and_sts_and_not_iam() {
    let o = Managed::new().await;
    let world = &o.world;
    let (account, admin) = o.member("dev").await;
    world.repository(&admin, "app1").await;
    o.enable(RCP).await;
    // A stranger whom the repository's policy lets in.
    let other = world.other_account().await;
    let stranger = world
        .user(&other, "stranger", &statement("Allow", &["*"], "*"))
        .await;
    let share = |region: &str| {
        let principal = format!(r#""Principal":{{"AWS":"{OTHER}"}}"#);
        document(&format!(
            r#"{{"Sid":"{region}","Effect":"Allow",{principal},"Action":"ecr:DescribeImages"}}"#
        ))
    };
    let input = ecr::SetRepositoryPolicyRequest {
        repository_name: "app1".into(),
        policy_text: share("a"),
        ..Default::default()
    };
    world
        .aws::<ecr::ops::SetRepositoryPolicy>(&admin, &input)
        .await
        .unwrap();
    describe(world, &stranger, Some(&account)).await.unwrap();

    let deny = |actions: &str, condition: &str| {
        format!(
            r#"{{"Effect":"Deny","Principal":"*","Action":{actions},"Resource":"*"{condition}}}"#
        )
    };
    let only_own = format!(
        r#","Condition":{{"StringNotEqualsIfExists":{{"aws:PrincipalOrgID":"{}"}}}}"#,
        o.organization
    );
    let policy = o
        .attach(RCP, "own-callers", &deny(r#"["ecr:*","iam:*"]"#, &only_own))
        .await;
    let denied = describe(world, &stranger, Some(&account))
        .await
        .unwrap_err();
    // The stranger is not of the organization: which policy denies is not told.
    assert!(
        denied
            .message
            .ends_with("with an explicit deny in a resource control policy"),
        "{denied:?}"
    );
    describe(world, &admin, None).await.unwrap();
    o.detach(&policy).await;

    // Every caller, the account's own too; named to callers of the organization. IAM is out of reach.
    let policy = o
        .attach(
            RCP,
            "nobody",
            &deny(r#"["ecr:*","sts:AssumeRole","iam:*"]"#, ""),
        )
        .await;
    let denied = describe(world, &admin, None).await.unwrap_err();
    let named = format!(
        "with an explicit deny in a resource control policy: {}",
        o.policy_arn("resource_control_policy", &policy)
    );
    assert!(denied.message.ends_with(&named), "{denied:?}");
    let role_arn = format!("arn:aws:iam::{account}:role/OrganizationAccountAccessRole");
    let user = world
        .user(&world.root, "ana", &statement("Allow", &["sts:*"], "*"))
        .await;
    let input = sts::AssumeRoleRequest {
        role_arn,
        role_session_name: "x".into(),
        ..Default::default()
    };
    assert!(world.assume(&user, &input).await.is_err());
    let input = iam::ListUsersRequest::default();
    world
        .aws::<iam::ops::ListUsers>(&admin, &input)
        .await
        .unwrap();
    // Not the management account's resources.
    world.repository(&world.root, "app1").await;
    describe(world, &world.root, None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn organization_keys_are_conditions_of_repository_policies() {
    let o = Managed::new().await;
    let world = &o.world;
    let (_, admin) = o.member("dev").await;
    world.repository(&world.root, "app1").await;
    let share = |key: &str, operator: &str, value: &str| {
        document(&format!(
            r#"{{"Effect":"Allow","Principal":"*","Action":"ecr:DescribeImages","Condition":{{"{operator}":{{"{key}":"{value}"}}}}}}"#
        ))
    };
    let path = format!("{}/{}/*", o.organization, o.root_id);
    for (key, operator, value, is_allowed) in [
        (
            "aws:PrincipalOrgID",
            "StringEquals",
            o.organization.as_str(),
            true,
        ),
        ("aws:PrincipalOrgID", "StringEquals", "o-another123", false),
        (
            "aws:PrincipalOrgPaths",
            "ForAnyValue:StringLike",
            path.as_str(),
            true,
        ),
        (
            "aws:PrincipalOrgPaths",
            "ForAnyValue:StringLike",
            "o-another123/*",
            false,
        ),
        (
            "aws:PrincipalOrgMasterAccount",
            "StringEquals",
            ACCOUNT,
            true,
        ),
        (
            "aws:ResourceOrgID",
            "StringEquals",
            o.organization.as_str(),
            true,
        ),
        (
            "aws:ResourceOrgPaths",
            "ForAnyValue:StringLike",
            path.as_str(),
            true,
        ),
    ] {
        let input = ecr::SetRepositoryPolicyRequest {
            repository_name: "app1".into(),
            policy_text: share(key, operator, value),
            force: Some(true),
            ..Default::default()
        };
        world
            .aws::<ecr::ops::SetRepositoryPolicy>(&world.root, &input)
            .await
            .unwrap();
        let found = describe(world, &admin, Some(ACCOUNT)).await;
        assert_eq!(found.is_ok(), is_allowed, "{key} {value}: {found:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_need_a_delegation_to_read_or_change_the_organization() {
    let o = Managed::new().await;
    let world = &o.world;
    let (account, admin) = o.member("dev").await;
    let list = org::ListAccountsRequest::default();
    let denied = world
        .aws::<org::ops::ListAccounts>(&admin, &list)
        .await
        .unwrap_err();
    assert_eq!(denied.code, "AccessDeniedException");
    assert_eq!(
        denied.message,
        "You don't have permissions to access this resource."
    );
    // Every member may know its organization.
    world
        .aws::<org::ops::DescribeOrganization>(&admin, &())
        .await
        .unwrap();

    // A delegated administrator reads.
    let service_principal = "sso.amazonaws.com".to_owned();
    let input = org::EnableAWSServiceAccessRequest {
        service_principal: service_principal.clone(),
    };
    world
        .aws::<org::ops::EnableAWSServiceAccess>(&world.root, &input)
        .await
        .unwrap();
    let input = org::RegisterDelegatedAdministratorRequest {
        account_id: account.clone(),
        service_principal: service_principal.clone(),
    };
    world
        .aws::<org::ops::RegisterDelegatedAdministrator>(&world.root, &input)
        .await
        .unwrap();
    world
        .aws::<org::ops::ListAccounts>(&admin, &list)
        .await
        .unwrap();
    let create = org::CreateOrganizationalUnitRequest {
        parent_id: o.root_id.clone(),
        name: "ops".into(),
        tags: None,
    };
    let denied = world
        .aws::<org::ops::CreateOrganizationalUnit>(&admin, &create)
        .await;
    assert_eq!(
        denied.unwrap_err().message,
        "You don't have permissions to access this resource."
    );
    let input = org::DeregisterDelegatedAdministratorRequest {
        account_id: account.clone(),
        service_principal,
    };
    world
        .aws::<org::ops::DeregisterDelegatedAdministrator>(&world.root, &input)
        .await
        .unwrap();
    assert!(
        world
            .aws::<org::ops::ListAccounts>(&admin, &list)
            .await
            .is_err()
    );

    // The delegation policy grants what it names.
    let content = document(&format!(
        r#"{{"Sid":"units","Effect":"Allow","Principal":{{"AWS":"{account}"}},"Action":"organizations:CreateOrganizationalUnit","Resource":"*"}}"#
    ));
    let input = org::PutResourcePolicyRequest {
        content: content.clone(),
        tags: None,
    };
    world
        .aws::<org::ops::PutResourcePolicy>(&world.root, &input)
        .await
        .unwrap();
    world
        .aws::<org::ops::CreateOrganizationalUnit>(&admin, &create)
        .await
        .unwrap();
    assert!(
        world
            .aws::<org::ops::ListAccounts>(&admin, &list)
            .await
            .is_err()
    );
    let input = org::PutResourcePolicyRequest {
        content: content.replace("organizations:CreateOrganizationalUnit", "iam:*"),
        tags: None,
    };
    let refused = world
        .aws::<org::ops::PutResourcePolicy>(&world.root, &input)
        .await
        .unwrap_err();
    assert_eq!(refused.code, "InvalidInputException");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_third_party_enters_with_its_external_id() {
    let world = World::new().await;
    let vendor = world.other_account().await;
    let may = statement("Allow", &["sts:AssumeRole"], "*");
    let job = world.user(&vendor, "job", &may).await;
    let trust = document(&format!(
        r#"{{"Effect":"Allow","Principal":{{"AWS":"{OTHER}"}},"Action":"sts:AssumeRole","Condition":{{"StringEquals":{{"sts:ExternalId":"tenant-7"}}}}}}"#
    ));
    let input = iam::CreateRoleRequest {
        role_name: "vendor".into(),
        assume_role_policy_document: trust,
        ..Default::default()
    };
    world
        .aws::<iam::ops::CreateRole>(&world.root, &input)
        .await
        .unwrap();
    let assume = |external_id: Option<&str>| sts::AssumeRoleRequest {
        role_arn: format!("arn:aws:iam::{ACCOUNT}:role/vendor"),
        role_session_name: "scan".into(),
        external_id: external_id.map(str::to_owned),
        ..Default::default()
    };
    world.assume(&job, &assume(Some("tenant-7"))).await.unwrap();
    for wrong in [None, Some("tenant-8")] {
        let denied = world.assume(&job, &assume(wrong)).await.unwrap_err();
        assert_eq!(denied.code, "AccessDenied", "{wrong:?}");
    }
    // The vendor's own account must allow as well.
    let idle = world.user(&vendor, "idle", "").await;
    let denied = world
        .assume(&idle, &assume(Some("tenant-7")))
        .await
        .unwrap_err();
    assert!(
        denied.message.contains("no identity-based policy allows"),
        "{denied:?}"
    );
}
