//! Walk-through B with the AWS SDK for Rust, whatever the default credential chain finds. Prints one JSON
//! object a step; the story in test_sdks.py checks them.

use std::error::Error;

use aws_sdk_ecr::error::ProvideErrorMetadata as _;
use serde_json::{Value, json};

fn step(name: &str, value: &Value) {
    println!("{}", json!({"step": name, "value": value}));
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(repository), Some(forbidden)) = (arguments.next(), arguments.next()) else {
        return Err("usage: walk-through-b REPOSITORY FORBIDDEN".into());
    };
    let http = aws_smithy_http_client::Builder::new().build_http();
    let configuration = aws_config::from_env().http_client(http).load().await;

    let identity = aws_sdk_sts::Client::new(&configuration)
        .get_caller_identity()
        .send()
        .await?;
    step("identity", &json!(identity.arn()));

    let registry = aws_sdk_ecr::Client::new(&configuration);
    let answer = registry.get_authorization_token().send().await?;
    let token = answer.authorization_data().first().ok_or("no token")?;
    step(
        "token",
        &json!({
            "authorizationToken": token.authorization_token(),
            "proxyEndpoint": token.proxy_endpoint(),
        }),
    );

    let mut images = registry
        .list_images()
        .repository_name(&repository)
        .into_paginator()
        .items()
        .send();
    let mut tags = Vec::new();
    while let Some(image) = images.next().await {
        tags.push(image?.image_tag().map(str::to_owned));
    }
    step("tags", &json!(tags));

    let missing = format!("{repository}-missing");
    let error = registry
        .describe_repositories()
        .repository_names(missing)
        .send()
        .await
        .err();
    let missing = error.is_some_and(|error| {
        error
            .into_service_error()
            .is_repository_not_found_exception()
    });
    step("missing", &json!(missing));

    match registry
        .describe_repositories()
        .repository_names(forbidden)
        .send()
        .await
    {
        Ok(_) => return Err("the call was not refused".into()),
        Err(error) => step(
            "denied",
            &json!({"code": error.code(), "message": error.message()}),
        ),
    }
    Ok(())
}
