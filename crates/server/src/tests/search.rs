//! `SearchImages` finds what the caller may see, and tells of nothing else.

use aws_api::berth::{SearchImagesRequest, SearchMatch, SearchResult, ops};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::json;

use super::world::{ACCOUNT, Person, Refused, World, statement};

async fn search(world: &World, person: &Person, query: &str) -> Result<Vec<SearchResult>, Refused> {
    let mut input = SearchImagesRequest {
        query: Some(query.to_owned()),
        max_results: Some(1),
        ..Default::default()
    };
    let mut all = Vec::new();
    loop {
        let page = world.aws::<ops::SearchImages>(person, &input).await?;
        assert!(page.results.len() <= 1);
        all.extend(page.results);
        input.next_token = page.next_token;
        if input.next_token.is_none() {
            return Ok(all);
        }
    }
}

fn names(results: &[SearchResult]) -> Vec<&str> {
    let mut names: Vec<&str> = results
        .iter()
        .map(|one| one.repository_name.as_str())
        .collect();
    names.dedup();
    names
}

async fn filled() -> World {
    let world = World::new().await;
    let config = json!({"os": "linux", "architecture": "arm64",
                        "config": {"Labels": {"team": "payments"}}});
    for name in ["secret-app", "open-app"] {
        world.repository(&world.root, name).await;
        let annotations = json!({"annotations": {"title": "Checkout"}});
        let parts = (name, config.clone(), annotations);
        world.push_image(&world.root, name, "v1", parts).await;
    }
    world
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_are_limited_to_repositories_that_the_caller_may_read() {
    let world = filled().await;
    let open = format!("arn:aws:ecr:us-east-1:{ACCOUNT}:repository/open-app");
    let may_search = statement("Allow", &["berth:SearchImages"], "*");
    let lists = format!(
        "{may_search},{}",
        statement("Allow", &["ecr:DescribeImages"], &open)
    );
    let reads = ["ecr:DescribeImages", "ecr:BatchGetImage"];
    let reads = format!("{may_search},{}", statement("Allow", &reads, &open));
    let denied = format!(
        "{reads},{}",
        statement("Deny", &["ecr:DescribeImages"], &open)
    );
    let nothing = world.user(&world.root, "nothing", &may_search).await;
    let lister = world.user(&world.root, "lister", &lists).await;
    let reader = world.user(&world.root, "reader", &reads).await;
    let denied = world.user(&world.root, "denied", &denied).await;
    for query in ["app", "v1", "checkout", "payments"] {
        let all = search(&world, &world.root, query).await.unwrap();
        assert_eq!(all.len(), 2, "{query}");
        let read = search(&world, &reader, query).await.unwrap();
        assert_eq!(names(&read), ["open-app"], "{query}");
        for person in [&nothing, &denied] {
            assert_eq!(search(&world, person, query).await.unwrap(), [], "{query}");
        }
    }
    // Who may list the images and not read them learns no annotation by guessing it.
    assert_eq!(search(&world, &lister, "v1").await.unwrap().len(), 1);
    assert_eq!(
        search(&world, &lister, "v1").await.unwrap()[0].platform,
        None
    );
    for query in ["checkout", "payments"] {
        assert_eq!(search(&world, &lister, query).await.unwrap(), []);
    }
    let found = search(&world, &reader, "payments").await.unwrap();
    assert_eq!(found[0].match_type, SearchMatch::Label);
    assert_eq!(found[0].matched_text.as_deref(), Some("team=payments"));
    assert_eq!(found[0].platform.as_deref(), Some("linux/arm64"));
    // Without the action itself nothing is searched, whatever may be read.
    let all = world
        .user(&world.root, "all", &statement("Allow", &["ecr:*"], "*"))
        .await;
    assert_eq!(
        search(&world, &all, "v1").await.unwrap_err().code,
        "AccessDeniedException"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_account_finds_nothing_and_a_token_tells_nothing() {
    let world = filled().await;
    let stranger = world.other_account().await;
    assert_eq!(search(&world, &stranger, "app").await.unwrap(), []);
    let foreign = SearchImagesRequest {
        registry_id: Some(ACCOUNT.to_owned()),
        query: Some("app".to_owned()),
        ..Default::default()
    };
    let refused = world.aws::<ops::SearchImages>(&stranger, &foreign).await;
    assert_eq!(refused.unwrap_err().code, "AccessDeniedException");

    let mut lengths = Vec::new();
    for query in ["app", "v1", "checkout"] {
        let mut input = SearchImagesRequest {
            query: Some(query.to_owned()),
            max_results: Some(1),
            ..Default::default()
        };
        let page = world
            .aws::<ops::SearchImages>(&world.root, &input)
            .await
            .unwrap();
        let token = page.next_token.unwrap();
        // Shorter texts than these are in random bytes now and then.
        let text = token
            .trim_end_matches('=')
            .replace('-', "+")
            .replace('_', "/");
        let bytes = STANDARD_NO_PAD.decode(text).unwrap();
        for name in ["secret-app", "open-app"] {
            let is_in = |text: &[u8]| text.windows(name.len()).any(|part| part == name.as_bytes());
            assert!(!is_in(token.as_bytes()) && !is_in(&bytes));
        }
        lengths.push(token.len());
        // One that was not made here, or was changed.
        let changed = if token.starts_with('A') { "B" } else { "A" };
        for wrong in ["x", &token.replacen(&token[..1], changed, 1)] {
            input.next_token = Some(wrong.to_owned());
            let refused = world.aws::<ops::SearchImages>(&world.root, &input).await;
            assert_eq!(refused.unwrap_err().code, "InvalidParameterException");
        }
    }
    lengths.dedup();
    assert_eq!(
        lengths.len(),
        1,
        "tokens of places with longer and shorter names are as long"
    );
    let empty = SearchImagesRequest::default();
    let refused = world.aws::<ops::SearchImages>(&world.root, &empty).await;
    assert_eq!(refused.unwrap_err().code, "InvalidParameterException");
}
