//! Every operation and every route of the registry is guarded: walked, not listed by hand.

use crate::ops;
use aws_api::{Operation, Protocol, Service, authorization};

use super::sample;
use super::world::{World, refused};

fn all() -> impl Iterator<Item = Operation> {
    Service::ALL.iter().flat_map(|service| service.operations())
}

/// A signature that has nothing but its algorithm.
const UNSIGNED: &str = "AWS4-HMAC-SHA256";

/// What AWS lets everybody do (IAM User Guide, "Comparing the AWS STS API operations"). May only shrink.
const UNGUARDED: [&str; 2] = ["sts:GetCallerIdentity", "sts:GetSessionToken"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_nothing_is_refused_everything_by_name() {
    let world = World::new().await;
    let nobody = world.user(&world.root, "nobody", "").await;
    for operation in all() {
        let Some(row) = ops::row(operation) else {
            continue;
        };
        let service = operation.service();
        let sent = sample::least_request(operation);
        let reply = world.call_operation(&nobody, service, &sent).await;
        let name = format!("{}:{}", service.signing_name(), operation.name());
        let rule = row.columns.rule;
        let requirements = (row.requirements)(&sample::api_body(operation)).unwrap();
        let first = rule.checks(&requirements)[0].action.unwrap_or(rule.action);
        if UNGUARDED.contains(&rule.action) {
            assert_eq!(reply.status, 200, "{name}: {}", reply.text());
            continue;
        }
        let error = refused(service, &reply);
        if row.is_proved_by_input() {
            // The signature is not asked, and the input proves nothing.
            assert!((400..500).contains(&error.status), "{name}: {error:?}");
            continue;
        }
        assert!(error.code.starts_with("AccessDenied"), "{name}: {error:?}");
        let words = format!(
            "User: arn:aws:iam::123456789012:user/nobody is not authorized to perform: {} on resource: ",
            first
        );
        assert!(error.message.starts_with(&words), "{name}: {error:?}");
        assert_ne!(reply.header("x-amzn-requestid"), "", "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_built_says_so_and_what_is_unsigned_is_refused() {
    let world = World::new().await;
    let mut unbuilt = 0;
    for operation in all() {
        let service = operation.service();
        let sent = match operation.http() {
            Some(_) => sample::at_its_path(operation),
            None => sample::request(operation, &serde_json::json!({})),
        };
        let mut headers = vec![("content-type", sent.content_type)];
        headers.extend(
            sent.target
                .as_deref()
                .map(|target| ("x-amz-target", target)),
        );
        if service.protocol() == Protocol::RestJson {
            // Without any signature, nothing says which service a path is of.
            let method = sent.method.clone();
            let reply = world
                .send(method, &sent.path, &headers, sent.body.clone())
                .await;
            assert_eq!(reply.status, 404, "{operation:?}");
            headers.push(("authorization", UNSIGNED));
        }
        let method = sent.method.clone();
        let reply = world
            .send(method, &sent.path, &headers, sent.body.clone())
            .await;
        let error = refused(service, &reply);
        // These two bring their proof in the body; they are not built.
        let by_token =
            ["AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"].contains(&operation.name());
        let row = ops::row(operation);
        let by_input = row.is_some_and(ops::Row::is_proved_by_input);
        match (by_input, by_token) {
            (true, _) => assert!((400..500).contains(&error.status), "{error:?}"),
            (false, true) => assert_eq!(error.code, "NotImplemented"),
            (false, false) if service.protocol() == Protocol::RestJson => {
                // In the form of no service in particular.
                assert!(reply.text().contains("IncompleteSignature"), "{error:?}");
            }
            (false, false) => assert!(
                error.code.starts_with("MissingAuthenticationToken"),
                "{error:?}"
            ),
        }
        if ops::row(operation).is_some() {
            continue;
        }
        unbuilt += 1;
        let reply = world.call_operation(&world.root, service, &sent).await;
        let error = refused(service, &reply);
        assert_eq!((error.code.as_str(), error.status), ("NotImplemented", 501));
        assert!(error.message.contains(operation.name()), "{error:?}");
    }
    assert_eq!(unbuilt + ops::table().len(), all().count());
}

/// Actions that AWS's registry asks for and the published reference does not list yet. May only shrink.
const UNPUBLISHED: [&str; 1] = ["ecr:ListImageReferrers"];

/// The tables against AWS's own list of actions, resources and condition keys.
#[test]
fn every_line_agrees_with_the_service_authorization_reference() {
    for (&operation, row) in crate::ops::table() {
        let rule = row.columns.rule;
        let requirements = (row.requirements)(&sample::api_body(operation));
        let requirements = requirements.unwrap_or_else(|error| panic!("{operation:?}: {error:?}"));
        let checks = rule.checks(&requirements);
        for check in &checks {
            let action = check.action.unwrap_or(rule.action);
            assert!(
                UNPUBLISHED.contains(&action) || authorization::action(action).is_some(),
                "{action} is no action of AWS"
            );
        }
        for (key, _) in requirements.keys().iter() {
            let known = checks.iter().any(|check| {
                let action = authorization::action(check.action.unwrap_or(rule.action));
                action.is_some_and(|action| action.is_valid_condition_key(key))
            });
            assert!(known, "{key} is no condition key of {}", rule.action);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_of_the_registry_has_its_action() {
    let world = World::new().await;
    world.repository(&world.root, "app1").await;
    let nobody = world.user(&world.root, "nobody", "").await;
    let login = world.login(&nobody).await;
    for sample in sample::routes() {
        let what = format!("{} {}", sample.method, sample.path);
        let head = sample.method == http::Method::HEAD;
        let reply = world
            .send(sample.method.clone(), &sample.path, &[], "")
            .await;
        assert_eq!(reply.status, 401, "{what}");
        let challenge = format!(
            "Basic realm=\"http://{}/\",service=\"ecr.amazonaws.com\"",
            world.address
        );
        assert_eq!(reply.header("www-authenticate"), challenge, "{what}");
        assert_eq!(
            reply.header("docker-distribution-api-version"),
            "registry/2.0",
            "{what}"
        );

        let headers = [("authorization", login.as_str())];
        let reply = world
            .send(sample.method.clone(), &sample.path, &headers, "")
            .await;
        let Some(action) = sample.action else {
            assert_eq!(reply.status, 200, "{what}");
            continue;
        };
        assert_eq!(reply.status, 403, "{what}: {}", reply.text());
        if head {
            assert_eq!(reply.text(), "", "{what}");
            continue;
        }
        assert_eq!(reply.oci_code(), "DENIED", "{what}");
        let repository = if action == "ecr:DescribeRepositories" {
            "*"
        } else {
            "app1"
        };
        let words = format!(
            "User: arn:aws:iam::123456789012:user/nobody is not authorized to perform: {action} on \
             resource: arn:aws:ecr:us-east-1:123456789012:repository/{repository} because no \
             identity-based policy allows the {action} action"
        );
        assert!(reply.text().contains(&words), "{what}: {}", reply.text());
    }
}
