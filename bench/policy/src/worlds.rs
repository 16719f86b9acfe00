//! What is asked, apart from either engine.

pub const USER: &str = "arn:aws:iam::111122223333:user/ana";
pub const ACTION: &str = "ecr:PutImage";
pub const TEAM: &str = "red";
pub const ADDRESS: &str = "10.1.2.3";

/// What a statement looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One action on one repository, by its name: what suits either engine best.
    Literal,
    /// Two actions on the repositories of a prefix, from a network, for a team.
    Conditions,
}

impl Shape {
    pub fn name(self) -> &'static str {
        match self {
            Shape::Literal => "literal",
            Shape::Conditions => "wildcard and conditions",
        }
    }
}

/// Which of the statements allows the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    First,
    Last,
    Never,
}

impl Place {
    pub fn name(self) -> &'static str {
        match self {
            Place::First => "first",
            Place::Last => "last",
            Place::Never => "never",
        }
    }
}

/// So many policies of one statement each, all attached to one user, no two about the same
/// repository.
#[derive(Clone, Copy, Debug)]
pub struct World {
    pub shape: Shape,
    pub statements: usize,
}

impl World {
    /// The repository, or its names' prefix, of a statement.
    pub fn repository(&self, number: usize) -> String {
        format!("arn:aws:ecr:us-east-1:111122223333:repository/app-{number:05}")
    }

    /// The resource of the request.
    pub fn asked(&self, place: Place) -> String {
        let number = match place {
            Place::First => 0,
            Place::Last => self.statements - 1,
            // As like the others as can be.
            Place::Never => self.statements,
        };
        let tail = match self.shape {
            Shape::Literal => "",
            Shape::Conditions => "-web",
        };
        format!("{}{tail}", self.repository(number))
    }
}

/// A pattern that makes a backtracking matcher try everything, and a text of 2,048 bytes.
pub struct Case {
    pub name: &'static str,
    pub pattern: String,
    pub text: String,
    pub matches: bool,
}

const TEXT_BYTES: usize = 2_048;

/// The text is all `a`, and a pattern that asks for a `b` at last finds none.
pub fn adversarial() -> Vec<Case> {
    let prefix = "arn:aws:s3:::bucket/";
    let text = |end: &str| {
        let count = TEXT_BYTES - prefix.len() - end.len();
        format!("{prefix}{}{end}", "a".repeat(count))
    };
    let case = |name, pattern: String, end: &str| Case {
        name,
        matches: !pattern.ends_with("b*"),
        pattern: format!("{prefix}{pattern}"),
        text: text(end),
    };
    let stars = "*a".repeat(1_000);
    let near = "a".repeat(30);
    let letters = "a?".repeat(500);
    let any = "?".repeat(1_000);
    let variables = "*${aws:username}".repeat(300);
    vec![
        case("`*a*a*a…`, found", format!("{stars}*"), ""),
        case("`*a*a*a…*b*`, not found", format!("{stars}*b*"), ""),
        case(
            "`*aaaa…b*`, almost found everywhere",
            format!("*{near}b*"),
            "",
        ),
        case("`*a?*a?…*b*`", format!("{}*b*", "*a?".repeat(600)), ""),
        case("`*a?a?a?…b*`, one long part", format!("*{letters}b*"), ""),
        case(
            "the same, the text beyond ASCII",
            format!("*{letters}b*"),
            "é",
        ),
        case("`*???…b*`, nothing but wildcards", format!("*{any}b*"), ""),
        case("`*${name}*${name}…*b*`", format!("{variables}*b*"), ""),
    ]
}
