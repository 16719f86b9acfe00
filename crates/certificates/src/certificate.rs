//! X.509 certificates (RFC 5280).

use x509_cert::der::{Decode, Reader, SliceReader};
use x509_cert::ext::pkix::BasicConstraints;

use crate::pem;

/// By how much clocks of those that issue certificates may be ahead, in seconds.
const CLOCK_SKEW: i64 = 300;

/// A text that is not one certificate in PEM, or is none that X.509 allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the certificate cannot be read")]
pub struct MalformedCertificate;

/// A certificate that could be read. Whether it holds is for others to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    pub(crate) parsed: x509_cert::Certificate,
    der: Vec<u8>,
}

/// Whether a certificate holds at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// Before `NotBefore`.
    NotYet,
    /// Within.
    Valid,
    /// After `NotAfter`.
    Expired,
}

impl Certificate {
    /// The one certificate of a text in PEM.
    ///
    /// # Errors
    /// [`MalformedCertificate`], also for several.
    pub fn from_pem(text: &str) -> Result<Certificate, MalformedCertificate> {
        let mut certificates = Certificate::list_from_pem(text)?.into_iter();
        match (certificates.next(), certificates.next()) {
            (Some(certificate), None) => Ok(certificate),
            _ => Err(MalformedCertificate),
        }
    }

    /// The certificates of a text in PEM, one after the other: a chain.
    ///
    /// # Errors
    /// [`MalformedCertificate`], also for none.
    pub fn list_from_pem(text: &str) -> Result<Vec<Certificate>, MalformedCertificate> {
        let blocks = pem::blocks(text).ok_or(MalformedCertificate)?;
        if blocks.is_empty() {
            return Err(MalformedCertificate);
        }
        let read = |block: pem::Block<'_>| match block.label {
            "CERTIFICATE" => Certificate::from_der(&block.der),
            _ => Err(MalformedCertificate),
        };
        blocks.into_iter().map(read).collect()
    }

    /// A certificate in DER. An extension that is there twice makes it malformed (RFC 5280, section 4.2).
    fn from_der(der: &[u8]) -> Result<Certificate, MalformedCertificate> {
        let parsed = x509_cert::Certificate::from_der(der).map_err(|_| MalformedCertificate)?;
        let extensions = parsed.tbs_certificate().extensions();
        let mut ids: Vec<_> = extensions
            .into_iter()
            .flatten()
            .map(|extension| extension.extn_id)
            .collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        if ids.len() != count {
            return Err(MalformedCertificate);
        }
        Ok(Certificate {
            parsed,
            der: der.to_vec(),
        })
    }

    /// The certificate in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Whether the certificate holds at `now`, in seconds since the epoch. One that begins within the next
    /// five minutes does: clocks differ.
    #[must_use]
    pub fn validity(&self, now: i64) -> Validity {
        let validity = self.parsed.tbs_certificate().validity();
        if seconds(validity.not_before) > now.saturating_add(CLOCK_SKEW) {
            Validity::NotYet
        } else if seconds(validity.not_after) < now {
            Validity::Expired
        } else {
            Validity::Valid
        }
    }

    /// `NotAfter`, in seconds since the epoch.
    #[must_use]
    pub fn not_after(&self) -> i64 {
        seconds(self.parsed.tbs_certificate().validity().not_after)
    }

    /// What the issuer signed: the bytes as they came, since an encoding of ours could differ.
    pub(crate) fn signed_bytes(&self) -> Option<&[u8]> {
        let mut reader = SliceReader::new(&self.der).ok()?;
        let read = reader.sequence(|reader| -> x509_cert::der::Result<&[u8]> {
            let signed = reader.tlv_bytes()?;
            // The algorithm and the signature.
            reader.tlv_bytes()?;
            reader.tlv_bytes()?;
            Ok(signed)
        });
        read.ok()
    }

    /// Whether it may issue certificates (RFC 5280, section 4.2.1.9).
    pub(crate) fn is_authority(&self) -> bool {
        let found = self.parsed.tbs_certificate();
        matches!(found.get_extension::<BasicConstraints>(), Ok(Some((_, constraints))) if constraints.ca)
    }
}

fn seconds(time: x509_cert::time::Time) -> i64 {
    // The latest year that a certificate can name is 9999.
    i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX)
}
