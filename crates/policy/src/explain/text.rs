//! An explanation as text: the decision, what it rests on or what is missing, and every statement that
//! is about the action.

use std::fmt;

use crate::compiled::Grant;
use crate::print::Printable;

use super::{
    ElementTrace, Explanation, Missing, PolicyTrace, RequestTrace, StatementPlace, StatementTrace,
};

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?}: {}", self.effect, Printable(&self.sentence))?;
        write!(f, "{}", self.request)?;
        if let Some(message) = &self.message {
            writeln!(f, "  AWS says   {}", Printable(message))?;
        }
        for note in &self.notes {
            writeln!(f, "  note       {}", Printable(note))?;
        }
        for missing in &self.missing {
            write!(f, "{missing}")?;
        }
        writeln!(f)?;
        for policy in &self.policies {
            self.policy(f, policy)?;
        }
        Ok(())
    }
}

impl Explanation {
    fn is_nearest(&self, place: &StatementPlace) -> bool {
        let mut nearest = self
            .missing
            .iter()
            .filter_map(|missing| missing.nearest.as_ref());
        nearest.any(|nearest| nearest.statement == *place)
    }

    fn policy(&self, f: &mut fmt::Formatter<'_>, policy: &PolicyTrace) -> fmt::Result {
        let name = &policy.policy.name;
        writeln!(f, "{} {}", policy.party.name(), Printable(name))?;
        let (shown, others): (Vec<_>, Vec<_>) = policy
            .statements
            .iter()
            .partition(|statement| statement.is_about_the_action());
        for statement in shown {
            let place = StatementPlace {
                policy: policy.policy.clone(),
                index: statement.index,
                sid: statement.sid.clone(),
            };
            if self.is_nearest(&place) {
                let effect = statement.effect;
                writeln!(
                    f,
                    "  {} {effect:?}: does not apply, see above",
                    place.name()
                )?;
                continue;
            }
            let decided = self.decided_by.as_ref() == Some(&place);
            statement.lines(f, &place, decided)?;
        }
        if !others.is_empty() {
            let names: Vec<String> = others.iter().map(|other| other.name()).collect();
            let what = match names.len() {
                1 => "is about other actions",
                _ => "are about other actions",
            };
            writeln!(f, "  ({} {what})", names.join(", "))?;
        }
        Ok(())
    }
}

impl fmt::Display for RequestTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  principal  {}", Printable(&self.principal))?;
        if let Some(issuer) = &self.issuer {
            let what = match issuer.contains(":role/") {
                true => "a session of",
                false => "federated by",
            };
            write!(f, ", {what} {}", Printable(issuer))?;
        }
        writeln!(f)?;
        writeln!(f, "  action     {}", Printable(&self.action))?;
        write!(f, "  resource   {}", Printable(&self.resource))?;
        match self.cross_account {
            true => writeln!(f, ", of another account: both must allow"),
            false => writeln!(f),
        }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\nsilent: {}", self.party.name())?;
        if let Some((level, count)) = self.level {
            write!(f, ", level {level} of {count}")?;
        }
        writeln!(f)?;
        if let Some(nearest) = &self.nearest {
            let policy = &nearest.statement.policy.name;
            let name = nearest.statement.name();
            writeln!(f, "  nearest is {name} of {}, but", Printable(policy))?;
            for element in &nearest.elements {
                element.lines(f, "    ")?;
            }
        }
        writeln!(f, "  to allow it: {}", Printable(&self.remedy))
    }
}

impl StatementTrace {
    /// Statements about other actions are only listed by name.
    fn is_about_the_action(&self) -> bool {
        let mut elements = self.elements.iter();
        elements.any(|element| element.element.ends_with("Action") && element.matched)
    }

    fn name(&self) -> String {
        name(self.index, self.sid.as_deref())
    }

    fn lines(
        &self,
        f: &mut fmt::Formatter<'_>,
        place: &StatementPlace,
        decided: bool,
    ) -> fmt::Result {
        let what = match (self.applies, decided, self.grant) {
            (false, ..) => "does not apply",
            (true, true, _) => "applies, and decides",
            (true, false, Some(Grant::Account)) => {
                "applies to the account, whose own policies must allow too"
            }
            (true, false, Some(Grant::Issuer)) => "applies, within boundary and session policies",
            (true, false, _) => "applies",
        };
        writeln!(f, "  {} {:?}: {what}", place.name(), self.effect)?;
        self.elements
            .iter()
            .try_for_each(|element| element.lines(f, "    "))
    }
}

impl StatementPlace {
    fn name(&self) -> String {
        name(self.index, self.sid.as_deref())
    }
}

fn name(index: usize, sid: Option<&str>) -> String {
    match sid {
        Some(sid) if !sid.is_empty() => format!("statement {index} `{}`", Printable(sid)),
        _ => format!("statement {index}"),
    }
}

impl ElementTrace {
    fn lines(&self, f: &mut fmt::Formatter<'_>, indent: &str) -> fmt::Result {
        let sign = if self.matched { "yes" } else { "no " };
        write!(f, "{indent}{sign} {}:", Printable(&self.element))?;
        let condition = self.element.starts_with("Condition ");
        // One below the other, so that values that do not match can be compared.
        match &self.wanted[..] {
            many if many.len() > 1 && !self.matched && !condition => {
                for wanted in many {
                    write!(f, "\n{indent}      {}", Printable(wanted))?;
                }
                write!(f, "\n{indent}     ")?;
            }
            wanted => write!(f, " {}", Printable(&wanted.join(", ")))?,
        }
        match &self.saw {
            // The request at the top shows the value.
            Some(_) if self.matched && !condition => {}
            Some(saw) => write!(f, " (saw {})", Printable(&saw.join(", ")))?,
            None => write!(f, " (the request lacks the key)")?,
        }
        writeln!(f)?;
        for note in &self.notes {
            writeln!(f, "{indent}      {}", Printable(note))?;
        }
        Ok(())
    }
}
