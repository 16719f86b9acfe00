//! Whole decisions: against the reference evaluator, and against their own explanation.

use arbitrary::Unstructured;
use policy::scenario::Scenario;
use policy::{Effect, Printable, Reason, StatementEffect};

use crate::reference::{Verdict, World};
use crate::world;

/// A scenario as a text, whatever it holds; or one composed from the bytes of what the
/// reference knows, which must then agree.
pub fn decide(bytes: &[u8]) {
    if bytes.first() == Some(&b'{') {
        if let Ok(text) = std::str::from_utf8(bytes) {
            for scenario in Scenario::many_from_json(text).into_iter().flatten() {
                explained(&scenario);
            }
        }
        return;
    }
    let Ok((composed, _)) = world::scenario(&mut Unstructured::new(bytes)) else {
        return;
    };
    let scenario = Scenario::from_json(&composed.to_string())
        .unwrap_or_else(|error| panic!("{error}: {composed}"));
    explained(&scenario);
    let expected = match (World {
        scenario: &composed,
    })
    .decide()
    {
        Verdict::Allowed => Effect::Allowed,
        Verdict::ExplicitlyDenied => Effect::ExplicitlyDenied,
        Verdict::ImplicitlyDenied => Effect::ImplicitlyDenied,
    };
    let decision = scenario.decide();
    assert_eq!(decision.effect, expected, "{decision:?} of {composed}");
}

/// The explanation walks every statement without the index, so the two must tell the same
/// story: a Deny applies just when the decision is one, and the statement that decided did.
pub fn explained(scenario: &Scenario) {
    let decision = scenario.decide();
    let explanation = scenario.explain();
    assert_eq!(explanation.effect, decision.effect);
    assert_eq!(explanation.reason, decision.reason);
    assert_eq!(scenario.evaluate().decision, decision.effect);
    let text = explanation.to_string();
    assert!(text.contains(&Printable(&explanation.sentence).to_string()));
    let line = |c: char| c.is_control() && c != '\n';
    assert!(!text.contains(line), "{text:?}");
    serde_json::to_string(&explanation).expect("JSON");
    if decision.reason == Reason::NoPermissionNeeded {
        return;
    }

    let denies = explanation.policies.iter().any(|policy| {
        let mut statements = policy.statements.iter();
        statements.any(|s| s.applies && s.effect == StatementEffect::Deny)
    });
    assert_eq!(
        denies,
        decision.effect == Effect::ExplicitlyDenied,
        "{text}"
    );

    match decision.statement {
        Some(decided) => {
            let policy = explanation
                .policies
                .iter()
                .find(|policy| policy.party == decision.reason && policy.policy == *decided.policy);
            let statement = &policy.expect("the policy took part").statements[decided.index];
            assert!(statement.applies, "{text}");
            assert_eq!(statement.sid.as_deref(), decided.sid);
            let deny = statement.effect == StatementEffect::Deny;
            assert_eq!(deny, decision.effect == Effect::ExplicitlyDenied, "{text}");
        }
        None => {
            let free = decision.effect == Effect::Allowed && decision.reason == Reason::RootUser;
            assert!(
                free || decision.effect == Effect::ImplicitlyDenied,
                "{text}"
            );
        }
    }

    // Somebody is silent just where nobody decided, first of all the one who is the reason;
    // and what came nearest did not match.
    if decision.effect == Effect::ImplicitlyDenied && decision.reason != Reason::RootUser {
        let first = explanation.missing.first().expect("somebody is silent");
        assert_eq!(first.party, decision.reason, "{text}");
        assert!(!scenario.denial_message().is_empty());
    } else {
        assert!(explanation.missing.is_empty());
    }
    for missing in &explanation.missing {
        assert!(!missing.remedy.is_empty());
        if let Some(nearest) = &missing.nearest {
            assert!(!nearest.elements.is_empty());
            assert!(nearest.elements.iter().all(|element| !element.matched));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn composed_scenarios_reach_all_three_decisions() {
        let mut seen = [0; 3];
        let mut state = 1_u64;
        for _ in 0..500 {
            let bytes: Vec<u8> = (0..2_048)
                .map(|_| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    (state >> 56) as u8
                })
                .collect();
            let (composed, _) =
                world::scenario(&mut Unstructured::new(&bytes)).expect("enough bytes");
            let scenario = Scenario::from_json(&composed.to_string()).expect("a scenario");
            seen[scenario.decide().effect as usize] += 1;
        }
        assert!(seen.iter().all(|&count| count > 50), "{seen:?}");
    }
}
