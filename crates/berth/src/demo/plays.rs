//! The two walk-throughs, step by step.

use aws_api::{Op, ecr, iam, sts};
use client::Credentials;

use super::docker::Docker;
use super::image::Image;
use super::person::{CommandError, Person};
use super::stage::Stage;
use crate::error::{Error, Result};

const NO_IDENTITY_POLICY: &str = "because no identity-based policy allows the";

/// What a play is played with.
pub struct Theatre<'a> {
    pub stage: &'a mut Stage,
    /// The account's root user.
    pub root: Person,
    pub account: String,
    pub region: String,
    /// As image names begin: host and port.
    pub registry: String,
}

/// Walk-through A: a user with a policy on one repository.
pub fn direct(on: &mut Theatre<'_>) -> Result<()> {
    let root = on.root.clone();
    on.stage
        .scene("A. A user who may push to one repository, and nothing else")?;
    on.stage
        .say("The root user makes two repositories, and a policy on one of them.")?;
    on.create_repository(&root, "my-app")?;
    on.create_repository(&root, "payments")?;
    let document = on.push_policy("my-app");
    on.stage.file("push-my-app.json", &document)?;
    let policy = on.stage.works(
        "aws iam create-policy --policy-name push-my-app --policy-document file://push-my-app.json --query Policy.Arn --output text",
        || {
            let input = iam::CreatePolicyRequest {
                policy_name: "push-my-app".into(),
                policy_document: document.clone(),
                ..Default::default()
            };
            let made = root.call::<iam::ops::CreatePolicy>(&input)?;
            present(made.policy.and_then(|policy| policy.arn), "Policy.Arn")
        },
        Clone::clone,
    )?;
    let alice = on.create_user(&root, "alice")?;
    on.stage.works(
        &format!("aws iam attach-user-policy --user-name alice --policy-arn {policy}"),
        || attach(&root, &policy),
        |()| String::new(),
    )?;

    on.stage
        .say("Alice logs in with docker, pushes an image, and pulls it again.")?;
    let docker = on.login(&alice)?;
    let image = Image::build("hello from alice");
    on.push_and_pull(&docker, "my-app", &image)?;

    on.stage
        .say("The other repository is none of hers, and the refusal says why.")?;
    on.push_refused(&docker, "payments", &image, &alice_arn(&on.account))?;

    on.stage.say("The root user takes the policy away. Alice's login is as valid as before; what she may do is not.")?;
    on.stage.works(
        &format!("aws iam detach-user-policy --user-name alice --policy-arn {policy}"),
        || {
            let input = iam::DetachUserPolicyRequest {
                user_name: "alice".into(),
                policy_arn: policy.clone(),
            };
            done::<iam::ops::DetachUserPolicy>(&root, &input)
        },
        |()| String::new(),
    )?;
    let reference = format!("{}/my-app:v1", on.registry);
    let repository = on.repository_arn("my-app");
    on.stage.refused(
        &format!("docker pull {reference}"),
        || docker.pull("my-app", &image, "v1"),
        &[
            "denied: ",
            &alice_arn(&on.account),
            "ecr:BatchGetImage",
            &repository,
            NO_IDENTITY_POLICY,
        ],
    )
}

/// Walk-through B: a CI job that assumes a role.
pub fn ci_with_a_role(on: &mut Theatre<'_>) -> Result<()> {
    let root = on.root.clone();
    on.stage
        .scene("B. A CI job without permissions, and a role that has them")?;
    on.create_repository(&root, "service")?;
    let circleci = on.create_user(&root, "circleci")?;
    let user_arn = format!("arn:aws:iam::{}:user/circleci", on.account);
    let trust = format!(
        r#"{{
  "Version": "2012-10-17",
  "Statement": [
    {{"Effect": "Allow", "Principal": {{"AWS": "{user_arn}"}}, "Action": "sts:AssumeRole"}}
  ]
}}"#
    );
    on.stage.file("trust-circleci.json", &trust)?;
    let role = on.stage.works(
        "aws iam create-role --role-name containerise --assume-role-policy-document file://trust-circleci.json --query Role.Arn --output text",
        || {
            let input = iam::CreateRoleRequest {
                role_name: "containerise".into(),
                assume_role_policy_document: trust.clone(),
                ..Default::default()
            };
            Ok(root.call::<iam::ops::CreateRole>(&input)?.role.arn)
        },
        Clone::clone,
    )?;
    let document = on.push_policy("service");
    on.stage.works(
        "aws iam put-role-policy --role-name containerise --policy-name push-service --policy-document file://push-service.json",
        || {
            let input = iam::PutRolePolicyRequest {
                role_name: "containerise".into(),
                policy_name: "push-service".into(),
                policy_document: document.clone(),
            };
            done::<iam::ops::PutRolePolicy>(&root, &input)
        },
        |()| String::new(),
    )?;

    on.stage.say("The job's own credentials open nothing.")?;
    on.stage.refused(
        "AWS_PROFILE=circleci aws ecr get-login-password",
        || token(&circleci),
        &[
            "AccessDeniedException",
            &user_arn,
            "ecr:GetAuthorizationToken",
            NO_IDENTITY_POLICY,
        ],
    )?;
    on.stage
        .say("So it steps into the role, for fifteen minutes.")?;
    let job = on.assume(&circleci, &role)?;
    let session = format!(
        "arn:aws:sts::{}:assumed-role/containerise/build-42",
        on.account
    );
    on.stage.works(
        "AWS_PROFILE=job aws sts get-caller-identity --query Arn --output text",
        || {
            let me = job.call::<sts::ops::GetCallerIdentity>(&Default::default())?;
            same(me.arn, &session)
        },
        Clone::clone,
    )?;
    let docker = on.login(&job)?;
    let image = Image::build("built by build-42");
    on.push_and_pull(&docker, "service", &image)?;
    on.stage.say("The role is for one repository as well.")?;
    on.push_refused(&docker, "payments", &image, &session)
}

impl Theatre<'_> {
    fn repository_arn(&self, name: &str) -> String {
        format!(
            "arn:aws:ecr:{}:{}:repository/{name}",
            self.region, self.account
        )
    }

    /// The statements that every guide shows: log in, and push to and pull from one repository.
    fn push_policy(&self, repository: &str) -> String {
        format!(
            r#"{{
  "Version": "2012-10-17",
  "Statement": [
    {{"Sid": "LogIn", "Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"}},
    {{"Sid": "PushAndPull", "Effect": "Allow",
     "Action": ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer",
                "ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage"],
     "Resource": "{}"}}
  ]
}}"#,
            self.repository_arn(repository)
        )
    }

    fn create_repository(&mut self, person: &Person, name: &str) -> Result<()> {
        let command = format!(
            "aws ecr create-repository --repository-name {name} --query repository.repositoryUri --output text"
        );
        let expected = format!("{}/{name}", self.registry);
        let uri = || {
            let input = ecr::CreateRepositoryRequest {
                repository_name: name.into(),
                ..Default::default()
            };
            let made = person.call::<ecr::ops::CreateRepository>(&input)?;
            same(
                made.repository
                    .and_then(|repository| repository.repository_uri),
                &expected,
            )
        };
        self.stage.works(&command, uri, Clone::clone).map(drop)
    }

    /// A user with an access key.
    fn create_user(&mut self, root: &Person, name: &'static str) -> Result<Person> {
        let arn = format!("arn:aws:iam::{}:user/{name}", self.account);
        self.stage.works(
            &format!("aws iam create-user --user-name {name} --query User.Arn --output text"),
            || {
                let input = iam::CreateUserRequest {
                    user_name: name.into(),
                    ..Default::default()
                };
                let made = root.call::<iam::ops::CreateUser>(&input)?;
                same(made.user.map(|user| user.arn), &arn)
            },
            Clone::clone,
        )?;
        let key = self.stage.works(
            &format!("aws iam create-access-key --user-name {name} --query AccessKey.[AccessKeyId,SecretAccessKey] --output text"),
            || {
                let input = iam::CreateAccessKeyRequest { user_name: Some(name.into()) };
                Ok(root.call::<iam::ops::CreateAccessKey>(&input)?.access_key)
            },
            |key| format!("{}  (and a secret)", key.access_key_id),
        )?;
        Ok(Person {
            name,
            credentials: Credentials::new(&key.access_key_id, key.secret_access_key.expose(), None),
            ..root.clone()
        })
    }

    fn assume(&mut self, person: &Person, role: &str) -> Result<Person> {
        let credentials = self.stage.works(
            &format!(
                "AWS_PROFILE={} aws sts assume-role --role-arn {role} --role-session-name build-42 --duration-seconds 900 \
                 --query Credentials.[AccessKeyId,Expiration] --output text",
                person.name
            ),
            || {
                let input = sts::AssumeRoleRequest {
                    role_arn: role.into(),
                    role_session_name: "build-42".into(),
                    duration_seconds: Some(900),
                    ..Default::default()
                };
                let assumed = person.call::<sts::ops::AssumeRole>(&input)?;
                present(assumed.credentials, "Credentials")
            },
            |credentials| format!("{}  {}", credentials.access_key_id, credentials.expiration),
        )?;
        Ok(Person {
            name: "job",
            credentials: Credentials::new(
                &credentials.access_key_id,
                credentials.secret_access_key.expose(),
                Some(credentials.session_token.expose()),
            ),
            ..person.clone()
        })
    }

    fn login(&mut self, person: &Person) -> Result<Docker> {
        let command = format!(
            "AWS_PROFILE={} aws ecr get-login-password | docker login --username AWS --password-stdin {}",
            person.name, self.registry
        );
        self.stage.works(
            &command,
            || Docker::login(&person.network, person.address, &token(person)?),
            |_| "Login Succeeded".to_owned(),
        )
    }

    fn push_and_pull(&mut self, docker: &Docker, repository: &str, image: &Image) -> Result<()> {
        let reference = format!("{}/{repository}:v1", self.registry);
        let digest = image.manifest.digest.clone();
        let size = (image.layer.bytes.len() + image.config.bytes.len()) as u64;
        let bar = self.stage.progress(size);
        self.stage.works(
            &format!("docker push {reference}"),
            || {
                let pushed = docker.push(repository, "v1", image, |bytes| bar.inc(bytes));
                bar.finish_and_clear();
                pushed
            },
            |()| format!("v1: digest: {digest} size: {}", image.manifest.bytes.len()),
        )?;
        self.stage.works(
            &format!("docker pull {reference}"),
            || {
                let pulled = docker.pull(repository, image, "v1")?;
                let pushed = [
                    &image.manifest.bytes,
                    &image.config.bytes,
                    &image.layer.bytes,
                ];
                match pulled
                    .iter()
                    .map(|bytes| bytes.as_ref())
                    .eq(pushed.iter().map(|bytes| bytes.as_slice()))
                {
                    true => Ok(()),
                    false => Err(CommandError(
                        "what came back is not what was pushed".to_owned(),
                    )),
                }
            },
            |()| format!("Digest: {digest}\nStatus: the same {size} bytes that were pushed"),
        )
    }

    fn push_refused(
        &mut self,
        docker: &Docker,
        repository: &str,
        image: &Image,
        who: &str,
    ) -> Result<()> {
        let arn = self.repository_arn(repository);
        let because = format!("{NO_IDENTITY_POLICY} ecr:InitiateLayerUpload action");
        let tag = format!("{}/{repository}:v1", self.registry);
        self.stage.refused(
            &format!("docker push {tag}"),
            || docker.push(repository, "v1", image, |_| {}),
            &[
                "denied: ",
                who,
                "is not authorized to perform: ecr:InitiateLayerUpload",
                &arn,
                &because,
            ],
        )
    }
}

fn alice_arn(account: &str) -> String {
    format!("arn:aws:iam::{account}:user/alice")
}

fn attach(root: &Person, policy: &str) -> Result<(), CommandError> {
    let input = iam::AttachUserPolicyRequest {
        user_name: "alice".into(),
        policy_arn: policy.into(),
    };
    done::<iam::ops::AttachUserPolicy>(root, &input)
}

/// An operation whose answer is that there was none to give.
fn done<O: Op>(person: &Person, input: &O::Input) -> Result<(), CommandError> {
    person.call::<O>(input).map(drop)
}

/// The authorization token: what `get-login-password` takes the password from.
fn token(person: &Person) -> Result<String, CommandError> {
    let answer = person.call::<ecr::ops::GetAuthorizationToken>(&Default::default())?;
    let data = answer
        .authorization_data
        .unwrap_or_default()
        .into_iter()
        .next();
    let token = data.and_then(|data| data.authorization_token);
    present(
        token.map(|token| token.expose().clone()),
        "authorizationData[0].authorizationToken",
    )
}

fn present<T>(value: Option<T>, name: &str) -> Result<T, CommandError> {
    value.ok_or_else(|| CommandError(format!("the answer lacks {name}")))
}

fn same(value: Option<impl Into<String>>, expected: &str) -> Result<String, CommandError> {
    match value.map(Into::into) {
        Some(value) if value == expected => Ok(value),
        value => Err(CommandError(format!(
            "the answer is {value:?} and must be {expected}"
        ))),
    }
}

/// The first access key of a credentials file.
pub fn credentials(text: &str) -> Result<Credentials> {
    let value = |name: &str| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix('='));
        line.map(|value| value.trim().to_owned())
            .ok_or_else(|| Error::Failed(format!("the credentials file has no {name}")))
    };
    Ok(Credentials::new(
        &value("aws_access_key_id")?,
        &value("aws_secret_access_key")?,
        None,
    ))
}
