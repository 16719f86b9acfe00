//! `ListTagHistory` and `RestoreTag`: who sees the moves of a tag, and who may take one back.

use aws_api::berth::{
    ListTagHistoryRequest, RestoreTagRequest, RestoreTagResponse, TagEvent, TagMoveMethod, ops,
};
use http::Method;
use serde_json::json;

use super::registry_routes::MANIFEST;
use super::world::{ACCOUNT, Person, Refused, World, statement};

const CONFIG: &str = "application/vnd.oci.image.config.v1+json";

impl World {
    /// Pushes an image of one layer as docker does; answers its digest. `manifest` is merged into its manifest,
    /// and `config` is its configuration.
    pub(super) async fn push_image(
        &self,
        person: &Person,
        repository: &str,
        tag: &str,
        (layer, config, manifest): (&str, serde_json::Value, serde_json::Value),
    ) -> String {
        let login = self.login(person).await;
        let headers = [("authorization", login.as_str())];
        let config = config.to_string();
        let mut descriptors = Vec::new();
        for content in [config.as_str(), layer] {
            let digest = blobs::Digest::sha256_of(content.as_bytes()).to_string();
            let path = format!("/v2/{repository}/blobs/uploads/?digest={digest}");
            let reply = self
                .send(Method::POST, &path, &headers, content.to_owned())
                .await;
            assert_eq!(reply.status, 201, "{}", reply.text());
            descriptors.push(json!({
                "mediaType": CONFIG, "digest": digest, "size": content.len(),
            }));
        }
        let mut body = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": descriptors[0],
            "layers": [descriptors[1]],
        });
        for (name, value) in manifest.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        let headers = [headers[0], ("content-type", MANIFEST)];
        let path = format!("/v2/{repository}/manifests/{tag}");
        let reply = self
            .send(Method::PUT, &path, &headers, body.to_string())
            .await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply.header("docker-content-digest").to_owned()
    }

    /// The same, of nothing but a layer.
    pub(super) async fn push(
        &self,
        person: &Person,
        repository: &str,
        tag: &str,
        layer: &str,
    ) -> String {
        let parts = (layer, json!({}), json!({}));
        self.push_image(person, repository, tag, parts).await
    }

    /// Pulls a manifest, and answers the status.
    pub(super) async fn pull(&self, person: &Person, repository: &str, reference: &str) -> u16 {
        let login = self.login(person).await;
        let headers = [("authorization", login.as_str())];
        let path = format!("/v2/{repository}/manifests/{reference}");
        self.send(Method::GET, &path, &headers, "").await.status
    }
}

async fn history(world: &World, person: &Person) -> Result<Vec<TagEvent>, Refused> {
    let input = ListTagHistoryRequest {
        registry_id: Some(ACCOUNT.to_owned()),
        repository_name: "app".to_owned(),
        ..Default::default()
    };
    let listed = world.aws::<ops::ListTagHistory>(person, &input).await?;
    Ok(listed.events)
}

async fn restore(
    world: &World,
    person: &Person,
    digest: &str,
) -> Result<RestoreTagResponse, Refused> {
    let input = RestoreTagRequest {
        registry_id: Some(ACCOUNT.to_owned()),
        repository_name: "app".to_owned(),
        image_tag: "v1".to_owned(),
        image_digest: digest.to_owned(),
    };
    world.aws::<ops::RestoreTag>(person, &input).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tag_is_restored_by_who_may_push_and_the_move_says_so() {
    let world = World::new().await;
    world.repository(&world.root, "app").await;
    let one = world.push(&world.root, "app", "v1", "one").await;
    let two = world.push(&world.root, "app", "v1", "two").await;
    let app = format!("arn:aws:ecr:us-east-1:{ACCOUNT}:repository/app");
    let allow = |actions: &[&str]| statement("Allow", actions, &app);
    let berth = ["berth:RestoreTag", "berth:ListTagHistory"];
    let reader = world.user(&world.root, "reader", &allow(&berth[1..])).await;
    // Who may not push by PutImage moves no tag by another name.
    let half = world.user(&world.root, "half", &allow(&berth)).await;
    let pusher = allow(&["berth:*", "ecr:PutImage"]);
    let pusher = world.user(&world.root, "pusher", &pusher).await;
    let stranger = world.other_account().await;
    for (person, action) in [
        (&reader, "berth:RestoreTag"),
        (&half, "ecr:PutImage"),
        (&stranger, "berth:RestoreTag"),
    ] {
        let refused = restore(&world, person, &one).await.unwrap_err();
        assert_eq!(refused.code, "AccessDeniedException");
        assert!(refused.message.contains(action), "{}", refused.message);
    }
    let refused = history(&world, &stranger).await.unwrap_err();
    assert_eq!(refused.code, "AccessDeniedException");
    assert_eq!(history(&world, &reader).await.unwrap().len(), 2);

    let restored = restore(&world, &pusher, &one).await.unwrap();
    assert_eq!(
        restored.previous_image_digest.as_deref(),
        Some(two.as_str())
    );
    let newest = history(&world, &reader).await.unwrap().remove(0);
    assert_eq!(newest.method, TagMoveMethod::Restore);
    let arn = format!("arn:aws:iam::{ACCOUNT}:user/pusher");
    assert_eq!(newest.principal_arn.as_deref(), Some(arn.as_str()));
    assert_eq!(newest.image_digest.as_deref(), Some(one.as_str()));

    let never = format!("sha256:{}", "0".repeat(64));
    let refused = restore(&world, &pusher, &never).await.unwrap_err();
    assert_eq!(refused.code, "ImageNotFoundException");
    let request = newest.request_id.unwrap();
    let events = world.stop().await;
    let event = events.iter().find(|event| event["requestID"] == request);
    let event = event.expect("a restored tag is audited");
    assert_eq!(event["eventName"], "RestoreTag");
    assert_eq!(event["responseElements"]["previousImageDigest"], two);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_session_that_moved_a_tag_is_named() {
    let world = World::new().await;
    world.repository(&world.root, "app").await;
    let all = statement("Allow", &["ecr:*"], "*");
    let trusted = format!("arn:aws:iam::{ACCOUNT}:user/ci");
    let assume = statement("Allow", &["sts:AssumeRole"], "*");
    let ci = world.user(&world.root, "ci", &assume).await;
    world
        .role(&world.root, "containerise", &trusted, &all)
        .await;
    let role = format!("arn:aws:iam::{ACCOUNT}:role/containerise");
    let input = aws_api::sts::AssumeRoleRequest {
        role_arn: role.clone(),
        role_session_name: "job-7".to_owned(),
        ..Default::default()
    };
    let session = world.assume(&ci, &input).await.unwrap();
    world.push(&session, "app", "v1", "one").await;
    let event = history(&world, &world.root).await.unwrap().remove(0);
    assert_eq!(event.principal_arn, Some(role));
    assert_eq!(event.session_name.as_deref(), Some("job-7"));
}
