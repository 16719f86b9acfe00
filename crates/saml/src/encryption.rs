//! Encrypted assertions (XML Encryption 1.1): the provider's private keys open them.
//!
//! Nothing is believed for having been encrypted: what comes out is checked like any assertion. RSA
//! PKCS #1 v1.5 key transport is not supported, since its padding errors can be used as an oracle; an
//! error here says nothing about where decryption failed.

use aws_lc_rs::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{self, DecryptingKey, DecryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384, OAEP_SHA512_MGF1SHA512,
    OaepAlgorithm, OaepPrivateDecryptingKey, PrivateDecryptingKey,
};
use base64::Engine as _;
use x509_cert::der::pem;
use zeroize::Zeroizing;

use crate::BASE64;
use crate::names::{ASSERTION, DSIG, XENC, XENC11};
use crate::xml::{Element, XmlError};

/// `AlgorithmIdentifier` of `rsaEncryption` (RFC 8017, appendix C) in DER.
const RSA_ALGORITHM: [u8; 15] = [
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];
/// Bytes of AES's block.
const BLOCK_BYTES: usize = 16;
/// The IV of AES-GCM (XML Encryption 1.1, section 5.2.4).
const GCM_IV_BYTES: usize = 12;

/// A text that is not an unencrypted RSA private key in PEM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Invalid private key.")]
pub struct InvalidPrivateKey;

/// A private key that encrypted assertions are opened with.
#[derive(Debug)]
pub struct DecryptionKey(OaepPrivateDecryptingKey);

impl DecryptionKey {
    /// A key in PEM, PKCS #8 or PKCS #1, without a passphrase.
    ///
    /// # Errors
    /// [`InvalidPrivateKey`]
    pub fn from_pem(text: &str) -> Result<DecryptionKey, InvalidPrivateKey> {
        let (label, der) =
            pem::decode_vec(text.trim().as_bytes()).map_err(|_| InvalidPrivateKey)?;
        let der = Zeroizing::new(der);
        let pkcs8 = match label {
            "PRIVATE KEY" => der,
            "RSA PRIVATE KEY" => pkcs8_of(&der),
            _ => return Err(InvalidPrivateKey),
        };
        let key = PrivateDecryptingKey::from_pkcs8(&pkcs8).map_err(|_| InvalidPrivateKey)?;
        let key = OaepPrivateDecryptingKey::new(key).map_err(|_| InvalidPrivateKey)?;
        Ok(DecryptionKey(key))
    }
}

/// An `RSAPrivateKey` as `PrivateKeyInfo` (RFC 5208, section 5).
fn pkcs8_of(rsa: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut inner = Zeroizing::new(vec![0x02, 0x01, 0x00]);
    inner.extend_from_slice(&RSA_ALGORITHM);
    push_value(&mut inner, 0x04, rsa);
    let mut whole = Zeroizing::new(Vec::new());
    push_value(&mut whole, 0x30, &inner);
    whole
}

/// Tag, length and value in DER.
fn push_value(out: &mut Vec<u8>, tag: u8, value: &[u8]) {
    out.push(tag);
    let length = value.len().to_be_bytes();
    let significant = length.iter().skip_while(|byte| **byte == 0);
    match u8::try_from(value.len()) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let count = significant.clone().count();
            // At most eight, the bytes of a length.
            out.push(0x80 | u8::try_from(count).unwrap_or(8));
            out.extend(significant);
        }
    }
    out.extend_from_slice(value);
}

/// The text of an `EncryptedAssertion`'s assertion. The keys are tried in their order.
pub(crate) fn decrypt(encrypted: &Element, keys: &[DecryptionKey]) -> Result<String, XmlError> {
    let refused = XmlError("the assertion cannot be decrypted");
    if !encrypted.name.is(ASSERTION, "EncryptedAssertion") {
        return Err(refused);
    }
    let data = encrypted.one(XENC, "EncryptedData")?;
    // The encrypted key stands in the data's `KeyInfo` or beside the data.
    let inside = data
        .at_most_one(DSIG, "KeyInfo")?
        .map(|info| info.at_most_one(XENC, "EncryptedKey"))
        .transpose()?
        .flatten();
    let encrypted_key = match inside {
        Some(key) => key,
        None => encrypted.one(XENC, "EncryptedKey")?,
    };
    let transport = KeyTransport::of(encrypted_key.one(XENC, "EncryptionMethod")?)
        .ok_or(XmlError("the key transport algorithm is not supported"))?;
    let method = algorithm(data.one(XENC, "EncryptionMethod")?);
    let content = ContentCipher::from_uri(method)
        .ok_or(XmlError("the block encryption algorithm is not supported"))?;
    let wrapped = cipher_value(encrypted_key)?;
    let bytes = cipher_value(data)?;
    for key in keys {
        let Some(secret) = transport.unwrap(&key.0, &wrapped) else {
            continue;
        };
        if let Some(text) = content.open(&secret, &bytes) {
            return Ok(text);
        }
    }
    Err(refused)
}

fn algorithm(method: &Element) -> &str {
    method.attribute("Algorithm").unwrap_or_default()
}

fn cipher_value(of: &Element) -> Result<Vec<u8>, XmlError> {
    let data = of.one(XENC, "CipherData")?;
    let text = &data.one(XENC, "CipherValue")?.text;
    let text: String = text.split_ascii_whitespace().collect();
    let decoded = BASE64.decode(text);
    decoded.map_err(|_| XmlError("a cipher value is not base64"))
}

/// RSA-OAEP (XML Encryption 1.1, section 5.5.2).
struct KeyTransport {
    algorithm: &'static OaepAlgorithm,
    label: Vec<u8>,
}

impl KeyTransport {
    fn of(method: &Element) -> Option<KeyTransport> {
        let child = |namespace, local| {
            let found = method.all(namespace, local).next();
            found.map(algorithm)
        };
        let digest =
            child(DSIG, "DigestMethod").unwrap_or("http://www.w3.org/2000/09/xmldsig#sha1");
        let mask = match algorithm(method) {
            "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p" => "mgf1sha1",
            "http://www.w3.org/2009/xmlenc11#rsa-oaep" => match child(XENC11, "MGF") {
                Some(uri) => uri.strip_prefix("http://www.w3.org/2009/xmlenc11#")?,
                None => "mgf1sha1",
            },
            _ => return None,
        };
        // One hash for both: others are not in use, and the library has no others.
        let algorithm = match (digest, mask) {
            ("http://www.w3.org/2000/09/xmldsig#sha1", "mgf1sha1") => &OAEP_SHA1_MGF1SHA1,
            ("http://www.w3.org/2001/04/xmlenc#sha256", "mgf1sha256") => &OAEP_SHA256_MGF1SHA256,
            ("http://www.w3.org/2001/04/xmldsig-more#sha384", "mgf1sha384") => {
                &OAEP_SHA384_MGF1SHA384
            }
            ("http://www.w3.org/2001/04/xmlenc#sha512", "mgf1sha512") => &OAEP_SHA512_MGF1SHA512,
            _ => return None,
        };
        let label = match method.all(XENC, "OAEPparams").next() {
            Some(params) => BASE64.decode(params.text.trim()).ok()?,
            None => Vec::new(),
        };
        Some(KeyTransport { algorithm, label })
    }

    fn unwrap(&self, key: &OaepPrivateDecryptingKey, wrapped: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let mut room = Zeroizing::new(vec![0; key.min_output_size()]);
        let label = (!self.label.is_empty()).then_some(self.label.as_slice());
        let secret = key
            .decrypt(self.algorithm, wrapped, &mut room, label)
            .ok()?;
        Some(Zeroizing::new(secret.to_vec()))
    }
}

/// The ciphers of the content.
#[derive(Clone, Copy)]
enum ContentCipher {
    Gcm(&'static aead::Algorithm),
    Cbc(&'static cipher::Algorithm, usize),
}

impl ContentCipher {
    /// XML Encryption 1.1, section 5.2.
    fn from_uri(uri: &str) -> Option<ContentCipher> {
        Some(match uri {
            "http://www.w3.org/2009/xmlenc11#aes128-gcm" => ContentCipher::Gcm(&aead::AES_128_GCM),
            "http://www.w3.org/2009/xmlenc11#aes192-gcm" => ContentCipher::Gcm(&aead::AES_192_GCM),
            "http://www.w3.org/2009/xmlenc11#aes256-gcm" => ContentCipher::Gcm(&aead::AES_256_GCM),
            "http://www.w3.org/2001/04/xmlenc#aes128-cbc" => {
                ContentCipher::Cbc(&cipher::AES_128, 16)
            }
            "http://www.w3.org/2001/04/xmlenc#aes192-cbc" => {
                ContentCipher::Cbc(&cipher::AES_192, 24)
            }
            "http://www.w3.org/2001/04/xmlenc#aes256-cbc" => {
                ContentCipher::Cbc(&cipher::AES_256, 32)
            }
            _ => return None,
        })
    }

    fn open(self, secret: &[u8], bytes: &[u8]) -> Option<String> {
        let plain = match self {
            ContentCipher::Gcm(algorithm) => {
                let (iv, sealed) = bytes.split_first_chunk::<GCM_IV_BYTES>()?;
                let key = LessSafeKey::new(UnboundKey::new(algorithm, secret).ok()?);
                let mut sealed = sealed.to_vec();
                let nonce = Nonce::assume_unique_for_key(*iv);
                let plain = key.open_in_place(nonce, Aad::empty(), &mut sealed).ok()?;
                plain.to_vec()
            }
            ContentCipher::Cbc(algorithm, key_bytes) => {
                let (iv, sealed) = bytes.split_first_chunk::<BLOCK_BYTES>()?;
                if secret.len() != key_bytes || sealed.is_empty() || sealed.len() % BLOCK_BYTES != 0
                {
                    return None;
                }
                let key =
                    DecryptingKey::cbc(UnboundCipherKey::new(algorithm, secret).ok()?).ok()?;
                let mut sealed = sealed.to_vec();
                let context = DecryptionContext::Iv128(FixedLength::from(*iv));
                let plain = key.decrypt(&mut sealed, context).ok()?;
                // Section 5.2.1: the last byte is the count of padding bytes, the others are any.
                let padding = usize::from(*plain.last()?);
                if !(1..=BLOCK_BYTES).contains(&padding) {
                    return None;
                }
                plain.get(..plain.len() - padding)?.to_vec()
            }
        };
        String::from_utf8(plain).ok()
    }
}
