//! Findings of Access Analyzer.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_about_findings() {
    let mut g = Golden::new(Service::AccessAnalyzer).await;
    let document = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:PassRole","Resource":"*"}}"#;
    let operation = "ValidatePolicy";
    let input = json!({"policyDocument": document, "policyType": "IDENTITY_POLICY"});
    g.call(operation, "a warning", input).await;
    let input = json!({"policyDocument": "{}", "policyType": "POLICY"});
    g.call(operation, "a type that there is not", input).await;
    let input = json!({"policyDocument": "{}", "policyType": "IDENTITY_POLICY", "nextToken": "x"});
    g.call(operation, "a token of another document", input)
        .await;
    g.compare();
}
