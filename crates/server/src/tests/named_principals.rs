//! The principals that policies name: trust, repository and registry policies accept the same ones,
//! and pin and show them the same way.

use aws_api::{ecr, iam};

use super::world::{ACCOUNT, OTHER, World, document, statement};

/// The outcome of storing a policy that names one principal: what is shown afterwards.
type Outcome = Result<String, &'static str>;

const REFUSED: Outcome = Err("refused");

struct Policies<'a> {
    world: &'a World,
}

impl Policies<'_> {
    /// Stores a policy of each kind with this `Principal`, and reads them again.
    async fn outcomes(&self, principal: &str) -> [Outcome; 3] {
        [
            self.trust(principal).await,
            self.repository(principal).await,
            self.registry(principal).await,
        ]
    }

    async fn trust(&self, principal: &str) -> Outcome {
        let policy_document = document(&format!(
            r#"{{"Effect":"Allow","Principal":{principal},"Action":"sts:AssumeRole"}}"#
        ));
        let input = iam::UpdateAssumeRolePolicyRequest {
            role_name: "ci".to_owned(),
            policy_document,
        };
        let root = &self.world.root;
        let update = self
            .world
            .aws::<iam::ops::UpdateAssumeRolePolicy>(root, &input);
        if let Err(refused) = update.await {
            assert_eq!(refused.code, "MalformedPolicyDocument", "{principal}");
            return REFUSED;
        }
        let input = iam::GetRoleRequest {
            role_name: "ci".to_owned(),
        };
        let role = self.world.aws::<iam::ops::GetRole>(root, &input).await;
        let shown = role.unwrap().role.assume_role_policy_document.unwrap();
        Ok(principal_of(&aws_types::percent::decode(&shown).unwrap()))
    }

    async fn repository(&self, principal: &str) -> Outcome {
        let policy_text = document(&format!(
            r#"{{"Effect":"Deny","Principal":{principal},"Action":"ecr:BatchGetImage"}}"#
        ));
        let input = ecr::SetRepositoryPolicyRequest {
            repository_name: "app".to_owned(),
            policy_text,
            force: Some(true),
            registry_id: None,
        };
        let root = &self.world.root;
        let set = self
            .world
            .aws::<ecr::ops::SetRepositoryPolicy>(root, &input);
        if let Err(refused) = set.await {
            assert_eq!(refused.code, "InvalidParameterException", "{principal}");
            return REFUSED;
        }
        let input = ecr::GetRepositoryPolicyRequest {
            repository_name: "app".to_owned(),
            registry_id: None,
        };
        let shown = self
            .world
            .aws::<ecr::ops::GetRepositoryPolicy>(root, &input);
        Ok(principal_of(&shown.await.unwrap().policy_text.unwrap()))
    }

    async fn registry(&self, principal: &str) -> Outcome {
        let policy_text = document(&format!(
            r#"{{"Effect":"Deny","Principal":{principal},"Action":"ecr:BatchGetImage","Resource":"*"}}"#
        ));
        let input = ecr::PutRegistryPolicyRequest { policy_text };
        let root = &self.world.root;
        let put = self.world.aws::<ecr::ops::PutRegistryPolicy>(root, &input);
        if let Err(refused) = put.await {
            assert_eq!(refused.code, "InvalidParameterException", "{principal}");
            return REFUSED;
        }
        let input = ecr::GetRegistryPolicyRequest::default();
        let shown = self.world.aws::<ecr::ops::GetRegistryPolicy>(root, &input);
        Ok(principal_of(&shown.await.unwrap().policy_text.unwrap()))
    }
}

/// A user without access keys, who can be deleted.
async fn create_user(world: &World, name: &str) -> iam::User {
    let input = iam::CreateUserRequest {
        user_name: name.to_owned(),
        ..Default::default()
    };
    let created = world.aws::<iam::ops::CreateUser>(&world.root, &input).await;
    created.unwrap().user.unwrap()
}

/// The `Principal` of a policy's only statement.
fn principal_of(policy: &str) -> String {
    let policy: serde_json::Value = serde_json::from_str(policy).unwrap();
    let statement = &policy["Statement"];
    let statement = statement.get(0).unwrap_or(statement);
    statement["Principal"].to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_policy_accepts_the_same_principals() {
    let world = World::new().await;
    world.other_account().await;
    world.user(&world.root, "ana", "").await;
    world.repository(&world.root, "app").await;
    let trusted = format!("arn:aws:iam::{ACCOUNT}:root");
    let pulls = statement("Allow", &["ecr:BatchGetImage"], "*");
    world.role(&world.root, "ci", &trusted, &pulls).await;
    let input = iam::GetUserRequest {
        user_name: Some("ana".to_owned()),
    };
    let ana = world.aws::<iam::ops::GetUser>(&world.root, &input).await;
    let ana_id = ana.unwrap().user.user_id;
    let input = iam::CreateGroupRequest {
        group_name: "devs".to_owned(),
        path: None,
    };
    let group = world
        .aws::<iam::ops::CreateGroup>(&world.root, &input)
        .await;
    let group_id = group.unwrap().group.group_id;

    let unknown = "999988887777";
    let ana_arn = format!("arn:aws:iam::{ACCOUNT}:user/ana");
    let accepted = [
        ACCOUNT.to_owned(),
        format!("arn:aws:iam::{ACCOUNT}:root"),
        OTHER.to_owned(),
        format!("arn:aws:iam::{OTHER}:root"),
        ana_arn.clone(),
        format!("arn:aws:iam::{ACCOUNT}:role/ci"),
        format!("arn:aws:sts::{ACCOUNT}:assumed-role/ci/job1"),
        format!("arn:aws:sts::{ACCOUNT}:federated-user/guest"),
        "*".to_owned(),
    ];
    let refused = [
        unknown.to_owned(),
        format!("arn:aws:iam::{unknown}:root"),
        format!("arn:aws:iam::{ACCOUNT}:user/ghost"),
        format!("arn:aws:iam::{ACCOUNT}:user/Ana"),
        format!("arn:aws:iam::{ACCOUNT}:user/team/ana"),
        format!("arn:aws:iam::{ACCOUNT}:role/ghost"),
        format!("arn:aws:iam::{ACCOUNT}:role/ana"),
        format!("arn:aws:iam::{ACCOUNT}:role/ci*"),
        format!("arn:aws:iam::{ACCOUNT}:group/devs"),
        format!("arn:aws:iam::{unknown}:user/ana"),
        format!("arn:aws:sts::{ACCOUNT}:assumed-role/ghost/x"),
        format!("arn:aws:sts::{ACCOUNT}:assumed-role/ci"),
        format!("arn:aws:sts::{ACCOUNT}:assumed-role/ci/*"),
        format!("arn:aws:sts::{unknown}:assumed-role/ci/x"),
        format!("arn:aws:sts::{unknown}:federated-user/x"),
        format!("arn:aws-cn:iam::{ACCOUNT}:root"),
        format!("arn:aws-cn:iam::{ACCOUNT}:user/ana"),
        "AIDAEXAMPLEEXAMPLE123".to_owned(),
        "AROAEXAMPLEEXAMPLE123".to_owned(),
        group_id,
        "nobody".to_owned(),
        "ec2.amazonaws.com".to_owned(),
        "arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned(),
        String::new(),
    ];
    let policies = Policies { world: &world };
    for name in accepted {
        let principal = format!(r#"{{"AWS":"{name}"}}"#);
        let expected = || Ok(principal.clone());
        let outcomes = policies.outcomes(&principal).await;
        assert_eq!(outcomes, [expected(), expected(), expected()], "{name}");
    }
    // The id of a user that exists is shown as its ARN.
    let shown = || Ok(format!(r#"{{"AWS":"{ana_arn}"}}"#));
    let principal = format!(r#"{{"AWS":"{ana_id}"}}"#);
    let outcomes = policies.outcomes(&principal).await;
    assert_eq!(outcomes, [shown(), shown(), shown()]);
    for name in refused {
        let principal = format!(r#"{{"AWS":"{name}"}}"#);
        let outcomes = policies.outcomes(&principal).await;
        assert_eq!(outcomes, [REFUSED, REFUSED, REFUSED], "{name}");
    }
    for (principal, accepted) in [
        (r#"{"Service":"ec2.amazonaws.com"}"#, true),
        (r#"{"Service":"ec2.amazonaws.COM"}"#, false),
        (r#"{"Service":"EC2.amazonaws.com"}"#, false),
        (r#"{"Service":"ec2"}"#, false),
        (r#"{"Service":""}"#, false),
        (
            r#"{"Federated":"arn:aws:iam::123456789012:saml-provider/corp"}"#,
            true,
        ),
        (
            r#"{"Federated":"arn:aws:iam::123456789012:role/ci"}"#,
            false,
        ),
        (r#"{"Federated":"*"}"#, false),
        (r#"{"CanonicalUser":"79a59d"}"#, false),
        (r#"{"Nobody":"x"}"#, false),
    ] {
        let outcome = || match accepted {
            true => Ok(principal.to_owned()),
            false => REFUSED,
        };
        let outcomes = policies.outcomes(principal).await;
        assert_eq!(outcomes, [outcome(), outcome(), outcome()], "{principal}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_policy_shows_the_id_of_a_deleted_user() {
    let world = World::new().await;
    let ana = create_user(&world, "ana").await;
    world.repository(&world.root, "app").await;
    let trusted = format!("arn:aws:iam::{ACCOUNT}:root");
    let pulls = statement("Allow", &["ecr:BatchGetImage"], "*");
    world.role(&world.root, "ci", &trusted, &pulls).await;
    let policies = Policies { world: &world };
    let principal = format!(r#"{{"AWS":"{}"}}"#, ana.arn);
    assert!(
        policies
            .outcomes(&principal)
            .await
            .iter()
            .all(Result::is_ok)
    );
    // A policy that names a deleted user cannot be stored again: there is no such principal.
    let input = iam::DeleteUserRequest {
        user_name: "ana".to_owned(),
    };
    let deleted = world.aws::<iam::ops::DeleteUser>(&world.root, &input).await;
    deleted.unwrap();
    create_user(&world, "ana").await;
    let stale = format!(r#"{{"AWS":"{}"}}"#, ana.user_id);
    assert_eq!(policies.outcomes(&stale).await, [REFUSED, REFUSED, REFUSED]);
    let get = ecr::GetRepositoryPolicyRequest {
        repository_name: "app".to_owned(),
        registry_id: None,
    };
    let shown = world
        .aws::<ecr::ops::GetRepositoryPolicy>(&world.root, &get)
        .await;
    assert_eq!(principal_of(&shown.unwrap().policy_text.unwrap()), stale);
    let get = ecr::GetRegistryPolicyRequest::default();
    let shown = world
        .aws::<ecr::ops::GetRegistryPolicy>(&world.root, &get)
        .await;
    assert_eq!(principal_of(&shown.unwrap().policy_text.unwrap()), stale);
    let get = iam::GetRoleRequest {
        role_name: "ci".to_owned(),
    };
    let role = world.aws::<iam::ops::GetRole>(&world.root, &get).await;
    let shown = role.unwrap().role.assume_role_policy_document.unwrap();
    assert!(shown.contains(&ana.user_id), "{shown}");
}
