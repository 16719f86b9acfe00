//! The parameters of the console's routes.

use serde::de::DeserializeOwned;

use super::answers::ConsoleError;
use crate::body::Collected;

/// The parameters of a call. What is wrong with them is not said: they may hold a password.
pub(super) fn parsed<T: DeserializeOwned>(collected: &Collected) -> Result<T, ConsoleError> {
    serde_json::from_slice(&collected.bytes).map_err(|_| {
        ConsoleError::invalid("The request's body is not the JSON object that this route takes.")
    })
}
