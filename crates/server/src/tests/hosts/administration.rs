//! What administrators do with hosts, and what the audit log says of it.

use aws_api::berth;
use http::Method;

use super::super::world::{ACCOUNT, World, statement};
use super::{Machine, TRUST, is, joining};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn to_invite_takes_the_right_to_pass_the_role() {
    let world = World::new().await;
    world.profile(TRUST).await;
    let root = &world.root;
    let hosts = statement("Allow", &["berth:*"], "*");
    let ana = world.user(root, "ana", &hosts).await;
    let role = format!("arn:aws:iam::{ACCOUNT}:role/containerise");
    is(
        world.invite(&ana, None).await,
        "AccessDeniedException",
        &format!("not authorized to perform: iam:PassRole on resource: {role}"),
    );
    let to = |service: &str| {
        format!(
            r#"{{"Effect":"Allow","Action":"iam:PassRole","Resource":"{role}","Condition":{{"StringEquals":{{"iam:PassedToService":"{service}"}}}}}}"#
        )
    };
    world
        .policy(
            root,
            "ana",
            &format!("{hosts},{}", to("ecs-tasks.amazonaws.com")),
        )
        .await;
    is(
        world.invite(&ana, None).await,
        "AccessDeniedException",
        "iam:PassRole",
    );
    world
        .policy(root, "ana", &format!("{hosts},{}", to("ec2.amazonaws.com")))
        .await;
    world.invite(&ana, None).await.unwrap();

    world.remove_role().await;
    is(
        world.invite(root, None).await,
        "InvalidParameterException",
        "has no associated IAM Roles",
    );
    let input = berth::CreateHostInvitationRequest {
        instance_profile_name: "other".into(),
        ..Default::default()
    };
    let answer = world
        .aws::<berth::ops::CreateHostInvitation>(root, &input)
        .await;
    is(answer, "InstanceProfileNotFoundException", "other");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tags_of_an_invitation_are_the_hosts_and_condition_keys() {
    let world = World::new().await;
    world.profile(TRUST).await;
    let root = &world.root;
    let tag = |key: &str, value: &str| berth::Tag {
        key: key.to_owned(),
        value: value.to_owned(),
    };
    let invite = async |tags: Vec<berth::Tag>| {
        let input = berth::CreateHostInvitationRequest {
            instance_profile_name: "containerise".into(),
            tags: Some(tags),
            ..Default::default()
        };
        world
            .aws::<berth::ops::CreateHostInvitation>(root, &input)
            .await
    };
    let code = "InvalidTagParameterException";
    is(invite(vec![tag("aws:x", "1")]).await, code, "reserved");
    is(
        invite(vec![tag("a", "1"), tag("a", "2")]).await,
        code,
        "more than once",
    );
    let invited = invite(vec![tag("team", "core")]).await.unwrap();
    let (_, input) = joining(invited.code.expose(), None);
    let joined = world
        .unsigned::<berth::ops::JoinHost>(&input)
        .await
        .unwrap();
    let untagged = world.machine().await.joined;

    let statement = r#"{"Effect":"Allow","Action":"berth:RevokeHost","Resource":"arn:aws:berth:us-east-1:123456789012:host/*","Condition":{"StringEquals":{"aws:ResourceTag/team":"core"}}}"#;
    let ana = world.user(root, "ana", statement).await;
    let revoke = async |id: &str| {
        let input = berth::RevokeHostRequest {
            host_id: id.to_owned(),
        };
        world.aws::<berth::ops::RevokeHost>(&ana, &input).await
    };
    is(
        revoke(&untagged.host_id).await,
        "AccessDeniedException",
        "berth:RevokeHost",
    );
    is(
        revoke("i-00000000000000000").await,
        "AccessDeniedException",
        "berth:RevokeHost",
    );
    revoke(&joined.host_id).await.unwrap();

    let input = berth::TagResourceRequest {
        resource_arn: untagged.host_arn.clone(),
        tags: vec![tag("Team", "x"), tag("team", "y"), tag("stage", "")],
    };
    world
        .aws::<berth::ops::TagResource>(root, &input)
        .await
        .unwrap();
    let input = berth::UntagResourceRequest {
        resource_arn: untagged.host_arn.clone(),
        tag_keys: vec!["team".into(), "absent".into()],
    };
    world
        .aws::<berth::ops::UntagResource>(root, &input)
        .await
        .unwrap();
    let input = berth::ListTagsForResourceRequest {
        resource_arn: untagged.host_arn.clone(),
    };
    let listed = world
        .aws::<berth::ops::ListTagsForResource>(root, &input)
        .await
        .unwrap();
    assert_eq!(listed.tags, Some(vec![tag("Team", "x"), tag("stage", "")]));
    let input = berth::DescribeHostRequest {
        host_id: untagged.host_id.clone(),
    };
    let described = world
        .aws::<berth::ops::DescribeHost>(root, &input)
        .await
        .unwrap();
    assert_eq!(described.tags, listed.tags);
    let many = (0..51)
        .map(|at| tag(&format!("k{at}"), "v"))
        .collect::<Vec<_>>();
    let input = berth::TagResourceRequest {
        resource_arn: untagged.host_arn,
        tags: many[..49].to_vec(),
    };
    let answer = world.aws::<berth::ops::TagResource>(root, &input).await;
    is(answer, "TooManyTagsException", "50");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_account_and_another_region_see_nothing_of_a_host() {
    let world = World::new().await;
    world.profile(TRUST).await;
    let machine = world.machine().await;
    let stranger = world.other_account().await;
    let listed = world
        .aws::<berth::ops::ListHosts>(&stranger, &Default::default())
        .await
        .unwrap();
    assert_eq!(listed.hosts, []);
    let id = &machine.joined.host_id;
    let input = berth::DescribeHostRequest {
        host_id: id.clone(),
    };
    let answer = world
        .aws::<berth::ops::DescribeHost>(&stranger, &input)
        .await;
    is(answer, "HostNotFoundException", id);
    let input = berth::RevokeHostRequest {
        host_id: id.clone(),
    };
    let answer = world.aws::<berth::ops::RevokeHost>(&stranger, &input).await;
    is(answer, "HostNotFoundException", id);
    let input = berth::ListTagsForResourceRequest {
        resource_arn: machine.joined.host_arn.clone(),
    };
    let answer = world
        .aws::<berth::ops::ListTagsForResource>(&stranger, &input)
        .await;
    is(answer, "HostNotFoundException", id);
    world.fetch(&machine).await.unwrap();

    let request = aws_api::encode_request::<berth::ops::ListHosts>(&Default::default());
    let target = request.target.as_deref();
    let kind = request.content_type;
    let service = aws_api::Service::Berth;
    let headers = world.signed_for(
        "eu-west-1",
        &world.root,
        service,
        target,
        kind,
        &request.body,
    );
    let headers: Vec<_> = headers
        .iter()
        .map(|(k, v)| (k.as_str(), v.as_str()))
        .collect();
    let reply = world.send(Method::POST, "/", &headers, request.body).await;
    assert_eq!(reply.text(), r#"{"hosts":[]}"#);
}

/// Trap: audit under the workload's name. And no event holds a code, a key or a token.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_name_the_host_and_hold_no_secret() {
    let world = World::new().await;
    world.profile(TRUST).await;
    let invited = world.invite(&world.root, None).await.unwrap();
    let code = invited.code.expose().clone();
    let (key, input) = joining(&code, None);
    let joined = world
        .unsigned::<berth::ops::JoinHost>(&input)
        .await
        .unwrap();
    let machine = Machine { key, joined };
    let host = world.fetch(&machine).await.unwrap();
    world.who(&host).await.unwrap();
    let id = machine.joined.host_id.clone();
    let events = world.stop().await;
    let of = |name: &str| {
        let event = events.iter().rfind(|event| event["eventName"] == name);
        event.unwrap_or_else(|| panic!("no event {name}"))
    };
    for name in ["JoinHost", "GetHostCredentials"] {
        let event = of(name);
        assert_eq!(event["userIdentity"]["principalId"], id.as_str(), "{event}");
        assert_eq!(event["userIdentity"]["invokedBy"], "ec2.amazonaws.com");
        assert_eq!(event["eventSource"], "berth");
        assert_eq!(event["recipientAccountId"], ACCOUNT);
        let role = format!("arn:aws:iam::{ACCOUNT}:role/containerise");
        assert_eq!(event["resources"][0]["ARN"], role);
    }
    let session = format!("arn:aws:sts::{ACCOUNT}:assumed-role/containerise/{id}");
    assert_eq!(of("GetCallerIdentity")["userIdentity"]["arn"], session);
    let log = events.iter().map(ToString::to_string).collect::<String>();
    for secret in [code, host.secret, host.token.unwrap()] {
        assert!(!log.contains(&secret));
    }
    assert!(log.contains(&host.id));
}
