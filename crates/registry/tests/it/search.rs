//! Search: each condition finds what it must, from its index and page by page.

use aws_api::berth::{SearchImagesRequest, SearchMatch, SearchPair};
use registry::{Place, RepositoryFacts};
use serde_json::{Value, json};
use store::testing::{TestStore, on_every_engine};

use crate::world::*;

/// An image with a configuration and annotations.
async fn image(
    w: &World,
    repo: &RepositoryFacts,
    tag: &str,
    (config, annotations): (Value, Value),
) -> String {
    let mut descriptor = w.layer(repo, &config.to_string()).await;
    descriptor["mediaType"] = OCI_CONFIG.into();
    let layer = w.layer(repo, "layer").await;
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": descriptor,
        "layers": [layer],
        "annotations": annotations,
    });
    w.put(repo, tag, &manifest).await.unwrap().to_string()
}

/// Everything that a search finds, `repository:tag`, step by step.
async fn found(w: &World, change: impl FnOnce(&mut SearchImagesRequest)) -> Vec<String> {
    let results = results(w, change).await;
    let name = |(result, _): &(aws_api::berth::SearchResult, bool)| match &result.image_tag {
        Some(tag) => format!("{}:{tag}", result.repository_name),
        None => result.repository_name.clone(),
    };
    let mut names: Vec<String> = results.iter().map(name).collect();
    // An image has several words that begin alike; the server shows it once.
    names.dedup();
    names
}

async fn results(
    w: &World,
    change: impl FnOnce(&mut SearchImagesRequest),
) -> Vec<(aws_api::berth::SearchResult, bool)> {
    let mut input = SearchImagesRequest::default();
    change(&mut input);
    w.registry.index_pushed(100).await;
    let search = w.registry.search(&w.cx, input).unwrap();
    let (mut place, mut all) = (Some(Place::default()), Vec::new());
    while let Some(at) = place {
        let step = w.registry.search_step(&w.cx, &search, &at).await.unwrap();
        // Going on behind a result gives what the step gives behind it.
        if let Some((_, behind)) = step.candidates.first() {
            let behind = Place::decode(&behind.encode()).unwrap();
            let rest = w
                .registry
                .search_step(&w.cx, &search, &behind)
                .await
                .unwrap();
            let digests = |candidates: &[(registry::Candidate, Place)]| {
                let of = |(one, _): &(registry::Candidate, Place)| one.result.clone();
                candidates.iter().map(of).collect::<Vec<_>>()
            };
            assert_eq!(digests(&rest.candidates), digests(&step.candidates[1..]));
        }
        all.extend(
            step.candidates
                .into_iter()
                .map(|(one, _)| (one.result, one.by_content)),
        );
        place = step.next;
    }
    all
}

fn pair(key: &str, value: Option<&str>) -> Option<Vec<SearchPair>> {
    let value = value.map(str::to_owned);
    Some(vec![SearchPair {
        key: key.to_owned(),
        value,
    }])
}

#[on_every_engine]
async fn each_condition_finds_its_images(store: TestStore) {
    let w = World::new(&store).await;
    let (api, web) = (
        w.repository("team/pay-api").await,
        w.repository("team/web").await,
    );
    let config = |labels: Value| json!({"os": "linux", "architecture": "arm64", "config": {"Labels": labels}});
    let blue = (
        config(json!({"team": "blue"})),
        json!({"org.title": "Checkout service"}),
    );
    let one = image(&w, &api, "v1.0", blue).await;
    let plain = (json!({"os": "linux", "architecture": "amd64"}), json!({}));
    let two = image(&w, &web, "v1.1", plain).await;
    let text = |text: &str| Some(text.to_owned());

    for (query, wanted) in [
        ("pay", &["team/pay-api"][..]),
        ("PAY-API", &["team/pay-api"]),
        ("v1", &["team/pay-api:v1.0", "team/web:v1.1"]),
        ("checkout", &["team/pay-api:v1.0"]),
        ("serv", &["team/pay-api:v1.0"]),
        ("blue", &["team/pay-api:v1.0"]),
        (&one, &["team/pay-api:v1.0"]),
        (&two[7..19], &["team/web:v1.1"]),
        ("nothing", &[]),
        ("%", &[]),
    ] {
        assert_eq!(
            found(&w, |i| i.query = text(query)).await,
            wanted,
            "{query}"
        );
    }
    type Change = fn(&mut SearchImagesRequest);
    let conditions: [(Change, &[&str]); 10] = [
        (|i| i.repository_name = Some("team/w".into()), &["team/web"]),
        (|i| i.image_tag = Some("v1.1".into()), &["team/web:v1.1"]),
        (
            |i| i.annotations = pair("org.title", Some("Checkout service")),
            &["team/pay-api:v1.0"],
        ),
        (|i| i.annotations = pair("org.title", Some("Checkout")), &[]),
        (|i| i.labels = pair("team", None), &["team/pay-api:v1.0"]),
        (
            |i| i.platform = Some("linux/amd64".into()),
            &["team/web:v1.1"],
        ),
        // The newest first.
        (
            |i| i.media_type = Some(OCI_MANIFEST.into()),
            &["team/web:v1.1", "team/pay-api:v1.0"],
        ),
        (
            |i| i.artifact_type = Some(OCI_CONFIG.into()),
            &["team/web:v1.1", "team/pay-api:v1.0"],
        ),
        (
            |i| i.pushed_by = Some(format!("arn:aws:iam::{ACCOUNT}:user/nobody")),
            &[],
        ),
        (
            |i| {
                i.query = Some("v1".into());
                i.labels = pair("team", Some("blue"));
            },
            &["team/pay-api:v1.0"],
        ),
    ];
    for (at, (change, wanted)) in conditions.into_iter().enumerate() {
        assert_eq!(found(&w, change).await, wanted, "condition {at}");
    }
    let by = w.cx.caller.arn.to_string();
    assert_eq!(found(&w, |i| i.pushed_by = Some(by)).await.len(), 2);
    let now = w.cx.now;
    assert_eq!(found(&w, |i| i.pushed_before = Some(now)).await.len(), 0);
    assert_eq!(found(&w, |i| i.pushed_after = Some(now)).await.len(), 2);
    // What only the image's contents tell is marked.
    let by_label = results(&w, |i| i.query = text("blue")).await;
    assert_eq!(
        (by_label[0].0.match_type, by_label[0].1),
        (SearchMatch::Label, true)
    );
    let by_tag = results(&w, |i| i.query = text("v1.0")).await;
    assert_eq!(
        (by_tag[0].0.match_type, by_tag[0].1),
        (SearchMatch::Tag, false)
    );
    assert!(
        w.registry
            .search(&w.cx, SearchImagesRequest::default())
            .is_err()
    );
}

#[on_every_engine]
async fn an_image_that_is_gone_is_not_found_and_a_moved_tag_is(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let one = image(&w, &repo, "stable", (json!({}), json!({"a": "first"}))).await;
    image(&w, &repo, "stable", (json!({}), json!({"a": "second"}))).await;
    let of = |query: &'static str| results(&w, move |i| i.query = Some(query.to_owned()));
    let stable = of("stable").await;
    assert_eq!(stable.len(), 1);
    assert_ne!(stable[0].0.image_digest.as_ref(), Some(&one));
    assert_eq!(of("first").await[0].0.image_tag, None);
    w.registry
        .delete_manifest(&w.cx, &repo, &one)
        .await
        .unwrap();
    assert_eq!(of("first").await.len(), 0);
}

/// Images of another account and another region are in another index.
#[on_every_engine]
async fn a_search_stays_in_its_registry(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    image(&w, &repo, "v1", (json!({}), json!({"a": "word"}))).await;
    w.registry.index_pushed(10).await;
    let mut context = w.cx.context().clone();
    context.region = "eu-west-1".parse().unwrap();
    let elsewhere = authz::testing::authorized(context);
    for query in ["v1", "word", "app"] {
        let input = SearchImagesRequest {
            query: Some(query.to_owned()),
            ..Default::default()
        };
        let search = w.registry.search(&elsewhere, input).unwrap();
        let mut place = Some(Place::default());
        while let Some(at) = place {
            let step = w
                .registry
                .search_step(&elsewhere, &search, &at)
                .await
                .unwrap();
            assert!(step.candidates.is_empty(), "{query}");
            place = step.next;
        }
    }
}

/// After an upgrade nothing is indexed: the job does it step by step, and again after a restart.
#[on_every_engine]
async fn what_was_stored_before_is_indexed_in_steps(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    for n in 0..20 {
        image(
            &w,
            &repo,
            &format!("v{n}"),
            (json!({}), json!({"n": format!("word{n}")})),
        )
        .await;
    }
    assert!(
        w.registry
            .index_images(ServiceName::Maintenance)
            .await
            .unwrap()
    );
    let (beside, ..) = w.another_node(true, w.cx.now).await;
    while beside.index_images(ServiceName::Maintenance).await.unwrap() {}
    assert_eq!(
        found(&w, |i| i.query = Some("word".to_owned())).await.len(),
        20
    );
}
