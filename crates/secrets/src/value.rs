//! A secret's value, and how it is sealed.

use aws_api::Secret;
use aws_api::secrets_manager::ErrorCode;
use zeroize::Zeroizing;

use crate::Error;
use crate::seal::Seal;

/// The longest value in bytes (API Reference, `SecretString`, `SecretBinary`).
const VALUE_BYTES_MAX: usize = 65_536;

/// A value: text or bytes.
#[derive(Clone, Debug, PartialEq)]
pub enum PlainValue {
    /// `SecretString`.
    Text(Secret<String>),
    /// `SecretBinary`.
    Bytes(Secret<Vec<u8>>),
}

impl PlainValue {
    /// The value of an input, which has at most one.
    pub(crate) fn of(
        text: Option<Secret<String>>,
        bytes: Option<Secret<Vec<u8>>>,
    ) -> Result<Option<PlainValue>, Error> {
        let value = match (text, bytes) {
            (Some(_), Some(_)) => {
                return Err(Error::refused(
                    ErrorCode::InvalidParameter,
                    "You can't specify both a binary secret value and a string secret value in the same secret.",
                ));
            }
            (Some(text), None) => PlainValue::Text(text),
            (None, Some(bytes)) => PlainValue::Bytes(bytes),
            (None, None) => return Ok(None),
        };
        // The model counts characters.
        match value.bytes().len() > VALUE_BYTES_MAX {
            true => Err(Error::refused(
                ErrorCode::InvalidParameter,
                format!("The secret value must be at most {VALUE_BYTES_MAX} bytes long."),
            )),
            false => Ok(Some(value)),
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            PlainValue::Text(text) => text.expose().as_bytes(),
            PlainValue::Bytes(bytes) => bytes.expose(),
        }
    }

    /// `place` says which version of which secret it is.
    pub(crate) fn seal(&self, seal: &dyn Seal, place: &str) -> Result<Vec<u8>, Error> {
        let mut plain = Zeroizing::new(Vec::with_capacity(place.len() + 2 + self.bytes().len()));
        plain.extend_from_slice(place.as_bytes());
        plain.push(0);
        plain.push(match self {
            PlainValue::Text(_) => b't',
            PlainValue::Bytes(_) => b'b',
        });
        plain.extend_from_slice(self.bytes());
        seal.seal(&plain).map_err(Error::internal)
    }

    pub(crate) async fn open(
        seal: &dyn Seal,
        place: &str,
        sealed: &[u8],
    ) -> Result<PlainValue, Error> {
        let opened = seal.open(sealed).await.map_err(Error::internal)?;
        let rest = opened.strip_prefix(place.as_bytes());
        match rest {
            Some([0, b't', text @ ..]) => {
                let text = String::from_utf8(text.to_vec()).map_err(|_| broken())?;
                Ok(PlainValue::Text(text.into()))
            }
            Some([0, b'b', bytes @ ..]) => Ok(PlainValue::Bytes(Secret::new(bytes.to_vec()))),
            _ => Err(broken()),
        }
    }
}

fn broken() -> Error {
    Error::internal("a secret's value belongs to another secret")
}
