//! Help, documents, the policy commands and exit codes, through the built program.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;

use serde_json::{Value, json};
use support::{berth, done, run, run_with};

const ALLOW: &str = r#"{"Version":"2012-10-17","Statement":{"Sid":"Push","Effect":"Allow","Action":"ecr:*","Resource":"*"}}"#;

fn scenario(action: &str, policy: &str) -> String {
    format!(
        r#"{{"request":{{"principal":"arn:aws:iam::111122223333:user/ana","action":"{action}","resource":"arn:aws:ecr:us-east-1:111122223333:repository/app"}},"identityPolicies":[{policy}]}}"#
    )
}

fn expecting(action: &str, expect: &str) -> String {
    let mut value: Value = serde_json::from_str(&scenario(action, ALLOW)).unwrap();
    value["expect"] = json!(expect);
    value["name"] = json!(format!("{action} is {expect}"));
    value.to_string()
}

#[test]
fn the_help_of_every_command() {
    for command in [
        &[][..],
        &["serve"],
        &["demo"],
        &["account"],
        &["account", "create"],
        &["account", "recover"],
        &["backup"],
        &["backup", "verify"],
        &["restore"],
        &["bundle"],
        &["bundle", "export"],
        &["bundle", "import"],
        &["import", "registry"],
        &["policy"],
        &["policy", "validate"],
        &["policy", "evaluate"],
        &["policy", "test"],
        &["policy", "explain"],
        &["completions"],
        &["man"],
    ] {
        let args = [command, &["--help"]].concat();
        let name = ["help", &command.join("-")].join("-");
        insta::assert_snapshot!(name.trim_end_matches('-').to_owned(), run(&args).ok());
    }
}

#[test]
fn no_command_is_wrong_usage_and_shows_the_help() {
    let bare = run(&[]);
    assert_eq!((bare.code, bare.out.as_str()), (Some(2), ""));
    assert!(bare.err.contains("Usage: berth"));
    run(&["sevre"]).failed(2, &["sevre", "serve"]);
    run(&["--log", "=,=", "man"]).failed(2, &["log filter"]);
    assert!(run(&["--version"]).ok().starts_with("berth "));
}

#[test]
fn completions_and_man_pages_know_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(
            run(&["completions", shell]).ok().contains("public-url"),
            "{shell}"
        );
    }
    run(&["completions", "csh"]).failed(2, &["csh"]);
    assert!(run(&["man"]).ok().contains(".TH berth 1"));
    let dir = tempfile::tempdir().unwrap();
    let mut command = berth(&["man", "--dir"]);
    done(command.arg(dir.path())).ok();
    let page = fs::read_to_string(dir.path().join("berth-policy-evaluate.1")).unwrap();
    assert!(page.contains("berth policy evaluate"), "{page}");
    assert!(
        fs::read_to_string(dir.path().join("berth-serve.1"))
            .unwrap()
            .contains("BERTH_DATA_DIR")
    );
}

#[test]
fn validate_reports_each_file_and_the_worst_decides() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let good = path("good.json", ALLOW);
    let bad = path("bad.json", &ALLOW.replace("\"Allow\"", "\n\"Alow\""));
    assert_eq!(
        run(&["policy", "validate", &good]).ok(),
        format!("{good}: valid, 1 statement\n")
    );
    let both = run(&["policy", "validate", &good, &bad]);
    assert_eq!((both.code, both.err.as_str()), (Some(1), ""));
    let refused = both.out.lines().nth(1).unwrap();
    assert!(
        refused.starts_with(&format!("{bad}:2:1: error[MalformedPolicyDocument]: ")),
        "{refused}"
    );

    let both = run(&["policy", "validate", "--output", "json", &good, &bad]);
    let lines: Vec<Value> = both
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        lines[0],
        json!({"file": good, "valid": true, "statements": 1})
    );
    assert_eq!(
        (&lines[1]["valid"], &lines[1]["line"]),
        (&json!(false), &json!(2))
    );

    // The kind decides: a trust policy has no resource.
    assert_eq!(
        run(&["policy", "validate", "--kind", "trust", &good]).code,
        Some(1)
    );
    run_with(&["policy", "validate", "-"], ALLOW).ok();
    // A file that is not there keeps no other from being checked.
    let missing = run(&["policy", "validate", "/nowhere.json", &good, "/no.json"]);
    assert!(missing.out.starts_with(&good), "{}", missing.out);
    missing.failed(1, &["2 files cannot be read", "/nowhere.json", "/no.json"]);
    // What stands in a file moves no cursor and begins no line.
    let hostile = path(
        "hostile.json",
        &ALLOW.replace("ecr:", "s3:\\u001b[1m\\n::error::"),
    );
    let shown = run(&["policy", "validate", &hostile]).out;
    assert!(
        !shown.contains('\u{1b}') && !shown.contains("\n::error"),
        "{shown}"
    );
    run(&["policy", "validate"]).failed(2, &["FILE"]);
    run(&["policy", "validate", "--kind", "poem", &good]).failed(2, &["poem", "trust"]);
}

#[test]
fn validate_finds_what_iam_stores_and_does_not_mean() {
    let policy = r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": ["ecr:GetAuthorizationToken", "ecr:PutImages"],
   "Resource": "arn:aws:ecr:us-east-1:111122223333:repository/app"},
  {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*",
   "Condition": {"StringEquals": {"secretsmanager:ResourceTag/team": "a"}}}]}"#;
    let found = run_with(&["policy", "validate", "-"], policy);
    assert_eq!((found.code, found.err.as_str()), (Some(1), ""));
    insta::assert_snapshot!("findings", found.out);

    let found = run_with(&["policy", "validate", "--output", "json", "-"], policy);
    let lines: Vec<Value> = found
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        lines[2],
        json!({
            "file": "-",
            "level": "error",
            "code": "INVALID_ACTION",
            "message": "there is no action `ecr:PutImages`",
            "help": "did you mean `ecr:PutImage`?",
            "learnMore": "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html#access-analyzer-reference-policy-checks-error-invalid-action",
            "line": 2,
            "column": 63,
            "path": "Statement[0].Action[1]",
        })
    );
    assert_eq!(lines.len(), 3);
    run_with(&["policy", "validate", "--no-lint", "-"], policy).ok();

    // Warnings fail only where that is asked for.
    let everything = ALLOW.replace("ecr:*", "*");
    let found = run_with(&["policy", "validate", "-"], &everything);
    assert!(found.ok().contains("security-warning[FULL_ACCESS]"));
    let strict = run_with(&["policy", "validate", "--strict", "-"], &everything);
    assert_eq!(strict.code, Some(1));

    // What is refused may have more to mend.
    let refused = policy.replace("2012-10-17", "2008-10-17");
    let found = run_with(&["policy", "validate", "-"], &refused);
    assert!(found.out.contains("error[MalformedPolicyDocument]"));
    assert!(found.out.contains("error[INVALID_ACTION]"), "{}", found.out);
}

#[test]
fn evaluate_answers_line_by_line_in_order() {
    let input = format!(
        "{}\n\n{}\n",
        scenario("ecr:PutImage", ALLOW),
        scenario("s3:GetObject", ALLOW)
    );
    let answers = run_with(&["policy", "evaluate"], &input);
    let lines: Vec<Value> = answers
        .ok()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["decision"], "Allowed");
    assert_eq!(
        lines[0]["statements"],
        json!([{"policy": "identityPolicies[0]", "sid": "Push", "index": 0, "effect": "Allow"}])
    );
    assert_eq!(
        (&lines[1]["decision"], &lines[1]["statements"]),
        (&json!("ImplicitlyDenied"), &json!([]))
    );
    // The same as one document, as an array, and out of a file.
    let pretty = format!(
        "[{},\n{}]",
        scenario("ecr:PutImage", ALLOW),
        scenario("s3:GetObject", ALLOW)
    );
    assert_eq!(
        run_with(&["policy", "evaluate", "-"], &pretty).ok(),
        answers.out
    );
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("s.jsonl");
    fs::write(&file, &input).unwrap();
    assert_eq!(
        run(&["policy", "evaluate", file.to_str().unwrap()]).ok(),
        answers.out
    );
}

#[test]
fn a_scenario_that_cannot_be_read_keeps_its_line() {
    let input = format!(
        "{}\nnonsense\n{}\n",
        scenario("ecr:PutImage", ALLOW),
        scenario("ecr:PutImage", "{}")
    );
    let answers = run_with(&["policy", "evaluate"], &input);
    let lines: Vec<Value> = answers
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[1]["error"].is_string());
    assert!(
        lines[2]["error"]
            .as_str()
            .unwrap()
            .contains("identityPolicies[0]")
    );
    assert_eq!(
        (&lines[1]["line"], &lines[1]["column"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(lines[2]["line"], 3);
    answers.failed(1, &["2 scenarios", "line 2, at 2:2: "]);
    run_with(&["policy", "evaluate"], "").failed(1, &["is empty"]);
    run_with(&["policy", "explain"], "[]").failed(1, &["is empty"]);
    run_with(&["policy", "evaluate"], "42 nonsense").failed(
        1,
        &[
            "standard input:1:5: ",
            "neither a JSON document nor JSON Lines",
        ],
    );
    run(&["policy", "evaluate", "/nowhere.json"]).failed(1, &["/nowhere.json"]);
}

#[test]
fn test_runs_what_carries_an_expectation() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().to_str().unwrap();
    fs::create_dir(dir.path().join("deep")).unwrap();
    let good = [
        expecting("ecr:PutImage", "Allowed"),
        scenario("s3:GetObject", ALLOW),
    ]
    .join("\n");
    fs::write(dir.path().join("deep/good.jsonl"), good).unwrap();
    fs::write(dir.path().join("notes.txt"), "no scenario").unwrap();
    let passed = run(&["policy", "test", root]);
    let good = dir.path().join("deep/good.jsonl");
    assert_eq!(
        passed.ok(),
        format!(
            "ok      {}: ecr:PutImage is Allowed\n1 passed, 0 failed, 1 without `expect`\n",
            good.display()
        )
    );

    // Each failure stands at its place: the scenario's, or of what is wrong with it.
    let (other, broken) = (
        expecting("s3:GetObject", "Allowed"),
        expecting("ecr:PutImage", "Allowed").replace("\"Allow\"", "\n\"Alow\""),
    );
    let bad = dir.path().join("bad.json");
    fs::write(&bad, format!("\n[\n{other},\n  {broken}]")).unwrap();
    let failed = run(&["policy", "test", root]);
    assert_eq!(failed.code, Some(1));
    let mut lines = failed.out.lines();
    for begins in [
        format!(
            "FAILED  {}:3:1: s3:GetObject is Allowed: expected Allowed, got ImplicitlyDenied",
            bad.display()
        ),
        format!(
            "FAILED  {}:5:1: item 2: `identityPolicies[0]` is refused",
            bad.display()
        ),
    ] {
        let line = lines.next().unwrap();
        assert!(line.starts_with(&begins), "{line}");
    }
    assert!(
        failed
            .out
            .ends_with("1 passed, 2 failed, 1 without `expect`\n")
    );
    let json = run(&["policy", "test", "--output", "json", root]);
    let answers: Vec<Value> = json
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        (&answers[1]["line"], &answers[1]["column"]),
        (&json!(5), &json!(1))
    );
    assert_eq!(
        answers.last().unwrap(),
        &json!({"passed": 1, "failed": 2, "skipped": 1})
    );
}

#[test]
fn a_document_is_read_as_far_as_it_may_be_long() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("long.json"), "x".repeat(3 << 20)).unwrap();
    fs::write(path("bytes.json"), b"{\"\xc3\xa9\":\n  \"\xff\"}").unwrap();
    let long = run(&["policy", "validate", &path("long.json")]);
    assert!(
        long.out.contains("longer than 1048576 bytes"),
        "{}",
        long.out
    );
    // It has no end.
    let zero = run(&["policy", "validate", "/dev/zero"]);
    assert!(zero.out.contains("MalformedPolicyDocument"), "{}", zero.out);
    let bytes = run(&["policy", "validate", &path("bytes.json")]);
    bytes.failed(1, &["bytes.json:2:4: the text is not UTF-8"]);
}

#[test]
fn a_file_that_cannot_be_read_fails_and_the_others_run() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| fs::write(dir.path().join(name), content).unwrap();
    file("a.json", b"{\"name\": \"\xff\"}");
    file("b.JSON", expecting("ecr:PutImage", "Allowed").as_bytes());
    file("c.json", b"[1,2");
    file("d.json", b"");
    std::os::unix::fs::symlink("/nowhere", dir.path().join("e.json")).unwrap();
    let pipe = std::process::Command::new("mkfifo")
        .arg(dir.path().join("f.json"))
        .status();
    assert!(pipe.unwrap().success());
    file("g.jsonl", expecting("ecr:PutImage", "Allowed").as_bytes());
    let ran = run(&["policy", "test", dir.path().to_str().unwrap()]);
    assert_eq!(ran.code, Some(1));
    let words = [
        "UTF-8",
        "b.JSON",
        "c.json:1:",
        "is empty",
        "No such file",
        "no regular file",
        "g.jsonl",
    ];
    for (line, words) in ran.out.lines().zip(words) {
        let passed = words.ends_with("JSON") || words.ends_with("jsonl");
        assert_eq!(line.starts_with("ok "), passed, "{line}");
        assert!(line.contains(words), "{line}");
    }
    assert!(ran.out.ends_with("2 passed, 5 failed\n"), "{}", ran.out);
}

#[test]
fn a_misspelt_expectation_is_no_silence() {
    let dir = tempfile::tempdir().unwrap();
    let good = expecting("ecr:PutImage", "Allowed");
    for (wrong, words) in [
        ("\"expected\":", "`expect`"),
        ("\"Expect\":", "`expect`"),
        ("\"expect\": null, \"note\":", "a decision, or an object"),
        (
            "\"expect\": {\"decision\": \"Allowed\", \"reasn\": \"x\"}, \"note\":",
            "reasn",
        ),
    ] {
        fs::write(
            dir.path().join("a.json"),
            good.replace("\"expect\":", wrong),
        )
        .unwrap();
        let ran = run(&["policy", "test", dir.path().to_str().unwrap()]);
        assert!(
            ran.out.contains(words) && ran.out.ends_with("0 passed, 1 failed\n"),
            "{}",
            ran.out
        );
    }
}

#[test]
fn a_directory_without_tests_is_a_failure() {
    let dir = tempfile::tempdir().unwrap();
    let nothing = run(&["policy", "test", dir.path().to_str().unwrap()]);
    nothing.failed(1, &["no scenario with an `expect`"]);
    run(&["policy", "test", "/nowhere"]).failed(1, &["/nowhere"]);
}

#[test]
fn explain_shows_the_way_of_a_decision() {
    let told = run_with(&["policy", "explain"], &scenario("s3:GetObject", ALLOW));
    let text = told.ok();
    assert!(text.starts_with("ImplicitlyDenied: "), "{text}");
    assert!(
        text.contains("Push") && text.contains("ecr:*") && text.contains("s3:GetObject"),
        "{text}"
    );
    let json = run_with(
        &["policy", "explain", "--output", "json"],
        &scenario("s3:GetObject", ALLOW),
    );
    let value: Value = serde_json::from_str(json.ok()).unwrap();
    assert_eq!(value["effect"], "ImplicitlyDenied", "{value}");
}
