//! General rules, on generated requests and policies: the compiled decision equals a slow
//! reference, a Deny never allows more, an Allow never allows less, order is nothing, and neither is the
//! letter case of actions and keys.

mod reference;
mod world;

use arbitrary::Unstructured;
use policy::Effect;
use policy::scenario::Scenario;
use proptest::prelude::*;
use proptest::sample::select;
use reference::{Verdict, World};
use serde_json::Value;
use world::Place;

/// Bytes enough for most compositions; what they do not suffice for is composed of zeros.
const BYTES_MAX: usize = 2_048;

/// A scenario, what it is about, and a statement of the effect for each of [`PLACES`].
#[derive(Clone, Debug)]
struct Case {
    scenario: Value,
    with: [Value; 2],
    without: [Value; 2],
}

fn case() -> impl Strategy<Value = Case> {
    prop::collection::vec(any::<u8>(), 256..BYTES_MAX).prop_map(|bytes| {
        let mut bytes = Unstructured::new(&bytes);
        compose(&mut bytes).expect("composing never fails")
    })
}

fn compose(bytes: &mut Unstructured<'_>) -> arbitrary::Result<Case> {
    let (scenario, subject) = world::scenario(bytes)?;
    let named = Place::of_resource_policy(subject);
    let mut statement = |place, effect| world::statement(bytes, subject, place, effect);
    Ok(Case {
        scenario,
        with: [statement(named, "Allow")?, statement(named, "Deny")?],
        without: [
            statement(Place::Identity, "Allow")?,
            statement(Place::Identity, "Deny")?,
        ],
    })
}

impl Case {
    /// The scenario with one more statement at a place; `None`: there is no such policy.
    fn more(&self, place: (&str, bool), effect: usize) -> Option<Value> {
        let statements = if place.1 { &self.with } else { &self.without };
        let mut scenario = self.scenario.clone();
        let list = scenario.pointer_mut(place.0)?.as_array_mut()?;
        list.push(statements[effect].clone());
        Some(scenario)
    }
}

const ALLOW: usize = 0;
const DENY: usize = 1;

fn decide(scenario: &Value) -> Effect {
    let text = scenario.to_string();
    let scenario = Scenario::from_json(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let outcome = scenario.evaluate();
    assert_eq!(
        scenario.decide().effect,
        outcome.decision,
        "decide and explain differ"
    );
    outcome.decision
}

/// Every place of a scenario that holds a list of statements, with whether they name
/// principals.
const PLACES: [(&str, bool); 4] = [
    ("/identityPolicies/0/Statement", false),
    ("/permissionsBoundary/Statement", false),
    ("/sessionPolicies/0/Statement", false),
    ("/resourcePolicy/Statement", true),
];

fn reversed(value: &Value) -> Value {
    match value {
        Value::Array(values) => values.iter().rev().map(reversed).collect(),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| {
                // Values within a request's key keep their order, lists of policies do not.
                let value = if name == "request" {
                    value.clone()
                } else {
                    reversed(value)
                };
                (name.clone(), value)
            });
            Value::Object(fields.collect())
        }
        other => other.clone(),
    }
}

/// docs/semantics.md, rules 22 and 23: actions and the names of condition keys in another letter case.
fn recased(value: &Value) -> Value {
    let upper = |text: &str| text.to_uppercase();
    let text = |value: &Value| Value::from(value.as_str().map(upper));
    let texts = |value: &Value| match value {
        Value::Array(values) => values.iter().map(text).collect(),
        one => text(one),
    };
    let keys = |value: &Value| match value {
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| (upper(name), value.clone()));
            Value::Object(fields.collect())
        }
        other => other.clone(),
    };
    match value {
        Value::Array(values) => values.iter().map(recased).collect(),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| {
                let value = match name.as_str() {
                    "action" | "Action" | "NotAction" => texts(value),
                    "context" => keys(value),
                    "Condition" => match value {
                        Value::Object(operators) => {
                            let operators = operators.iter();
                            let operators =
                                operators.map(|(name, held)| (name.clone(), keys(held)));
                            Value::Object(operators.collect())
                        }
                        other => other.clone(),
                    },
                    _ => recased(value),
                };
                (name.clone(), value)
            });
            Value::Object(fields.collect())
        }
        other => other.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_compiled_decision_equals_the_reference(case in case()) {
        let expected = match (World { scenario: &case.scenario }).decide() {
            Verdict::Allowed => Effect::Allowed,
            Verdict::ExplicitlyDenied => Effect::ExplicitlyDenied,
            Verdict::ImplicitlyDenied => Effect::ImplicitlyDenied,
        };
        prop_assert_eq!(decide(&case.scenario), expected, "{}", case.scenario);
    }

    #[test]
    fn adding_a_deny_never_allows_more(case in case(), place in select(&PLACES[..])) {
        if let Some(more) = case.more(place, DENY) {
            let (before, after) = (decide(&case.scenario), decide(&more));
            prop_assert!(after != Effect::Allowed || before == Effect::Allowed);
        }
    }

    #[test]
    fn adding_an_allow_never_allows_less(case in case(), place in select(&PLACES[..])) {
        if let Some(more) = case.more(place, ALLOW) {
            let (before, after) = (decide(&case.scenario), decide(&more));
            prop_assert!(before != Effect::Allowed || after == Effect::Allowed);
        }
    }

    #[test]
    fn letter_case_of_actions_and_keys_does_not_matter(case in case()) {
        let other = recased(&case.scenario);
        prop_assert_eq!(decide(&case.scenario), decide(&other), "{}", other);
    }

    #[test]
    fn order_does_not_matter(case in case()) {
        prop_assert_eq!(decide(&case.scenario), decide(&reversed(&case.scenario)));
    }
}

#[test]
fn generated_scenarios_reach_all_three_decisions() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut seen = [0; 3];
    for _ in 0..300 {
        let case = case().new_tree(&mut runner).expect("a scenario").current();
        seen[decide(&case.scenario) as usize] += 1;
    }
    assert!(seen.iter().all(|&count| count > 20), "{seen:?}");
}
