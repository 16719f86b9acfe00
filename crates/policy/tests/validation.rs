//! Runs every case under `tests/validation`: a document, the kind it is stored as, and
//! the service's answer. The rows are those of `tests/scenarios`.

use std::fs;
use std::path::Path;

use policy::Document;
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case<'a> {
    name: String,
    source: String,
    kind: String,
    /// The document as JSON ...
    #[serde(borrow)]
    document: Option<&'a RawValue>,
    /// ... or as a text, where it is not even that, or its size matters.
    text: Option<String>,
    #[serde(default)]
    valid: bool,
    code: Option<String>,
    message: Option<String>,
    /// Line and column of what is to blame.
    at: Option<(u32, u32)>,
}

#[test]
fn documents_are_validated_as_the_service_does() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/validation");
    let mut failures = Vec::new();
    let mut cases = 0;
    for entry in fs::read_dir(folder).expect("the folder of cases") {
        let path = entry.expect("an entry").path();
        let text = fs::read_to_string(&path).expect("a readable file");
        let read: Vec<Case<'_>> = serde_json::from_str(&text).expect("cases");
        for case in read {
            cases += 1;
            assert!(!case.source.is_empty(), "{} has no source", case.name);
            let raw = case.document.map(RawValue::get);
            let document = raw.or(case.text.as_deref()).expect("a document");
            let got = Document::parse(document, case.kind.parse().expect("a kind"));
            let fits = match &got {
                Ok(_) => case.valid,
                Err(error) => {
                    let at = error.position.map(|at| (at.line, at.column));
                    !case.valid
                        && Some(error.code.as_str()) == case.code.as_deref()
                        && Some(&error.message) == case.message.as_ref()
                        && (case.at.is_none() || case.at == at)
                }
            };
            if !fits {
                let got = got.map(|_| "valid");
                let (code, message) = (case.code, case.message);
                failures.push(format!(
                    "{}\n  wanted {code:?} {message:?}\n  got {got:?}",
                    case.name
                ));
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {cases}:\n{}",
        failures.len(),
        failures.join("\n")
    );
    assert!(cases > 100, "only {cases} cases were found");
}
