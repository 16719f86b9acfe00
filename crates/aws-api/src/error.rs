//! Errors as both protocols write them.

/// Who is to blame for an error (`<Type>` in XML).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The caller.
    Sender,
    /// The service.
    Receiver,
}

/// An error as it goes out: what a client sees, and nothing else.
#[derive(Clone, Debug, PartialEq)]
pub struct WireError {
    /// AWS's error code (`NoSuchEntity`).
    pub code: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// Who is to blame.
    pub fault: Fault,
    /// The message for people.
    pub message: String,
    /// Further members of the error's shape, JSON only (`lastValidByteReceived`).
    pub members: Vec<(&'static str, serde_json::Value)>,
}

impl WireError {
    /// An error without further members.
    pub fn new(code: &'static str, status: u16, fault: Fault, message: impl Into<String>) -> Self {
        Self {
            code,
            status,
            fault,
            message: message.into(),
            members: Vec::new(),
        }
    }

    /// The same error with one more member.
    #[must_use]
    pub fn member(mut self, name: &'static str, value: impl Into<serde_json::Value>) -> Self {
        self.members.push((name, value.into()));
        self
    }
}
