//! The limits of the codecs. The server limits the size of bodies.

/// Members of one list or map, even if its model allows more.
pub(crate) const MEMBERS_MAX: usize = 10_000;

/// Parameters of one Query request. The largest legitimate ones are policy
/// simulations with lists of actions, resources and context entries.
pub(crate) const PARAMETERS_MAX: usize = 10_000;

/// Parts between dots of one Query parameter's name. The deepest of the models
/// (`ContextEntries.member.1.ContextKeyValues.member.1`) has six.
pub(crate) const PARAMETER_PARTS_MAX: usize = 16;

/// Nested elements of an XML answer.
pub(crate) const XML_DEPTH_MAX: usize = 64;

/// Violations that one message lists.
pub(crate) const VIOLATIONS_MAX: usize = 64;

/// Characters of a refused value that a message repeats. AWS repeats the 3,900 of LocalStack's
/// `test_federation_token_policy_too_long`.
pub(crate) const ECHO_CHARS_MAX: usize = 8192;
