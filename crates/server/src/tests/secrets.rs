//! Secrets through the API: who reads a value, and where none may appear.

use aws_api::{Service, secrets_manager as sm};
use serde_json::json;

use super::world::{World, refused, statement};

const NAME: &str = "ecr-pullthroughcache/hub";
const VALUE: &str = "hunter2-hunter2";

fn create() -> sm::CreateSecretRequest {
    sm::CreateSecretRequest {
        name: NAME.to_owned(),
        secret_string: Some(VALUE.into()),
        ..Default::default()
    }
}

fn get() -> sm::GetSecretValueRequest {
    sm::GetSecretValueRequest {
        secret_id: NAME.to_owned(),
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn iam_decides_who_reads_a_value() {
    let world = World::new().await;
    let root = &world.root;
    let made = world.aws::<sm::ops::CreateSecret>(root, &create()).await;
    let arn = made.unwrap().arn.unwrap();
    let all = "arn:aws:secretsmanager:us-east-1:123456789012:secret:ecr-pullthroughcache/*";
    let exact =
        "arn:aws:secretsmanager:us-east-1:123456789012:secret:ecr-pullthroughcache/hub-??????";
    let short = "arn:aws:secretsmanager:us-east-1:123456789012:secret:ecr-pullthroughcache/hub";
    let read = ["secretsmanager:GetSecretValue"];
    for (name, policy, may) in [
        ("nobody", String::new(), false),
        (
            "describer",
            statement("Allow", &["secretsmanager:DescribeSecret"], "*"),
            false,
        ),
        ("prefix", statement("Allow", &read, all), true),
        ("exact", statement("Allow", &read, exact), true),
        ("arn", statement("Allow", &read, &arn), true),
        ("short", statement("Allow", &read, short), false),
    ] {
        let person = world.user(root, name, &policy).await;
        let answer = world.aws::<sm::ops::GetSecretValue>(&person, &get()).await;
        match answer {
            Ok(found) => {
                assert!(may, "{name} reads it");
                assert_eq!(found.secret_string.unwrap().expose(), VALUE);
            }
            Err(error) => {
                assert!(!may, "{name}: {error:?}");
                assert!(format!("{error:?}").contains("AccessDenied"), "{error:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn creating_with_tags_is_tagging_and_another_name_is_refused() {
    let world = World::new().await;
    let may = statement("Allow", &["secretsmanager:CreateSecret"], "*");
    let maker = world.user(&world.root, "maker", &may).await;
    let tag = json!([{"Key": "team", "Value": "red"}]);
    let tagged = json!({"Name": NAME, "SecretString": VALUE, "Tags": tag});
    let send = async |input: serde_json::Value| {
        let operation = Service::SecretsManager.operation("CreateSecret").unwrap();
        let sent = super::sample::request(operation, &input);
        let reply = world
            .call_operation(&maker, Service::SecretsManager, &sent)
            .await;
        refused(Service::SecretsManager, &reply)
    };
    let error = send(tagged).await;
    assert_eq!(error.code, "AccessDeniedException");
    assert!(
        error.message.contains("secretsmanager:TagResource"),
        "{error:?}"
    );
    let error = send(json!({"Name": "database", "SecretString": VALUE})).await;
    assert_eq!(error.code, "InvalidRequestException");
    assert!(error.message.contains("ecr-pullthroughcache/"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_audit_event_shows_a_value() {
    let world = World::new().await;
    let root = &world.root.clone();
    world
        .aws::<sm::ops::CreateSecret>(root, &create())
        .await
        .unwrap();
    world
        .aws::<sm::ops::GetSecretValue>(root, &get())
        .await
        .unwrap();
    let put = sm::PutSecretValueRequest {
        secret_id: NAME.to_owned(),
        secret_string: Some(VALUE.into()),
        ..Default::default()
    };
    world
        .aws::<sm::ops::PutSecretValue>(root, &put)
        .await
        .unwrap();
    let events = world.stop().await;
    for name in ["CreateSecret", "GetSecretValue", "PutSecretValue"] {
        let event = events.iter().find(|event| event["eventName"] == name);
        let event = event.unwrap_or_else(|| panic!("no {name}"));
        assert_eq!(event["eventSource"], "secretsmanager.amazonaws.com");
        assert!(event["requestParameters"].is_object(), "{event}");
    }
    let text = serde_json::to_string(&events).unwrap();
    assert!(!text.contains(VALUE), "{text}");
}
