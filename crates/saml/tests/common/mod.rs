//! An identity provider of tests. It writes its documents in canonical form, so that it signs them
//! without a canonicalization: what the crate computes is compared with what is written here.

#![allow(dead_code, reason = "each test file uses its part")]

use std::sync::OnceLock;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use saml::{Assertion, Metadata, Presented, Provider, Refused};

pub const ENTITY_ID: &str = "https://idp.example/metadata";
pub const SIGN_ON: &str = "https://idp.example/sso/redirect";
pub const ENDPOINT: &str = "https://signin.aws.amazon.com/saml";
pub const NOW: &str = "2026-11-26T12:00:00Z";
pub const ROLE: &str =
    "arn:aws:iam::111122223333:role/ci,arn:aws:iam::111122223333:saml-provider/idp";

/// Keys are made once: each takes a moment.
pub struct Idp {
    key: KeyPair,
    pkcs8: Vec<u8>,
    pub certificate: String,
}

/// The provider that the tests trust.
pub fn idp() -> &'static Idp {
    static IDP: OnceLock<Idp> = OnceLock::new();
    IDP.get_or_init(|| Idp::new(KeySize::Rsa2048))
}

/// One that they do not.
pub fn stranger() -> &'static Idp {
    static IDP: OnceLock<Idp> = OnceLock::new();
    IDP.get_or_init(|| Idp::new(KeySize::Rsa2048))
}

impl Idp {
    pub fn new(size: KeySize) -> Idp {
        let key = KeyPair::generate(size).unwrap();
        let pkcs8 = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&key).unwrap();
        let pkcs8 = pkcs8.as_ref().to_vec();
        let signer = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(
            &pkcs8.as_slice().into(),
            &rcgen::PKCS_RSA_SHA256,
        )
        .unwrap();
        let certificate = rcgen::CertificateParams::new(vec!["idp.example".to_owned()]).unwrap();
        let certificate = certificate.self_signed(&signer).unwrap();
        Idp {
            key,
            certificate: STANDARD.encode(certificate.der()),
            pkcs8,
        }
    }

    /// The private key in PEM.
    pub fn pem(&self) -> String {
        pem("PRIVATE KEY", &self.pkcs8)
    }

    pub fn metadata(&self) -> String {
        metadata(&[("signing", &self.certificate)])
    }

    pub fn parsed(&self) -> Metadata {
        Metadata::parse(&self.metadata()).unwrap()
    }

    pub fn sign(&self, message: &str) -> String {
        let mut signature = vec![0; self.key.public_modulus_len()];
        let random = SystemRandom::new();
        self.key
            .sign(
                &RSA_PKCS1_SHA256,
                &random,
                message.as_bytes(),
                &mut signature,
            )
            .unwrap();
        STANDARD.encode(signature)
    }

    /// An enveloped signature of `element`, which is written in canonical form.
    pub fn signature(&self, element: &str, id: &str) -> String {
        let digest = STANDARD.encode(digest(&SHA256, element.as_bytes()));
        self.signature_of(&signed_info(id, &digest))
    }

    /// A signature with this `SignedInfo`.
    pub fn signature_of(&self, signed_info: &str) -> String {
        let canonical = signed_info.replacen(
            "<ds:SignedInfo>",
            "<ds:SignedInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">",
            1,
        );
        let value = self.sign(&canonical);
        format!(
            "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">{signed_info}\
             <ds:SignatureValue>{value}</ds:SignatureValue></ds:Signature>"
        )
    }

    /// The element with its signature behind its issuer.
    pub fn signed(&self, element: &str, id: &str) -> String {
        let signature = self.signature(element, id);
        element.replacen("</saml:Issuer>", &format!("</saml:Issuer>{signature}"), 1)
    }
}

pub fn signed_info(id: &str, digest: &str) -> String {
    format!(
        "<ds:SignedInfo>\
         <ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:CanonicalizationMethod>\
         <ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"></ds:SignatureMethod>\
         <ds:Reference URI=\"#{id}\"><ds:Transforms>\
         <ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"></ds:Transform>\
         <ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:Transform></ds:Transforms>\
         <ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"></ds:DigestMethod>\
         <ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
    )
}

pub fn pem(label: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let lines: Vec<&str> = body
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

/// Metadata with these uses and certificates.
pub fn metadata(keys: &[(&str, &str)]) -> String {
    let keys: String = keys
        .iter()
        .map(|(purpose, certificate)| {
            let purpose = match *purpose {
                "" => String::new(),
                purpose => format!(" use=\"{purpose}\""),
            };
            format!(
                "<md:KeyDescriptor{purpose}><ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">\
                 <ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data>\
                 </ds:KeyInfo></md:KeyDescriptor>"
            )
        })
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"{ENTITY_ID}\">\
         <md:IDPSSODescriptor protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">{keys}\
         <md:SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" \
         Location=\"https://idp.example/sso\"/>\
         <md:SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" \
         Location=\"{SIGN_ON}\"/></md:IDPSSODescriptor></md:EntityDescriptor>{}",
        " ".repeat(1000)
    )
}

/// What a response says; each field is in canonical form.
#[derive(Clone)]
pub struct Facts {
    pub issuer: String,
    pub issued: String,
    pub name_id: String,
    pub confirmations: String,
    pub conditions: String,
    pub authn: String,
    pub attributes: String,
}

impl Default for Facts {
    fn default() -> Self {
        Facts {
            issuer: ENTITY_ID.to_owned(),
            issued: "2026-11-26T11:59:00Z".to_owned(),
            name_id: "<saml:NameID Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\">alice</saml:NameID>".to_owned(),
            confirmations: confirmation(ENDPOINT, "2026-11-26T12:04:00Z"),
            conditions: conditions("2026-11-26T11:59:00Z", "2026-11-26T12:04:00Z", &[ENDPOINT]),
            authn: "<saml:AuthnStatement AuthnInstant=\"2026-11-26T11:59:00Z\"></saml:AuthnStatement>".to_owned(),
            attributes: attribute("https://aws.amazon.com/SAML/Attributes/Role", &[ROLE])
                + &attribute(
                    "https://aws.amazon.com/SAML/Attributes/RoleSessionName",
                    &["alice@example.com"],
                ),
        }
    }
}

pub fn confirmation(recipient: &str, until: &str) -> String {
    format!(
        "<saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">\
         <saml:SubjectConfirmationData NotOnOrAfter=\"{until}\" Recipient=\"{recipient}\">\
         </saml:SubjectConfirmationData></saml:SubjectConfirmation>"
    )
}

/// The confirmation of an answer to a request.
pub fn confirmation_of(request: &str, recipient: &str, until: &str) -> String {
    let given = format!("Data InResponseTo=\"{request}\" NotOnOrAfter");
    confirmation(recipient, until).replacen("Data NotOnOrAfter", &given, 1)
}

pub fn conditions(from: &str, until: &str, audiences: &[&str]) -> String {
    let audiences: String = audiences
        .iter()
        .map(|audience| format!("<saml:Audience>{audience}</saml:Audience>"))
        .collect();
    format!(
        "<saml:Conditions NotBefore=\"{from}\" NotOnOrAfter=\"{until}\">\
         <saml:AudienceRestriction>{audiences}</saml:AudienceRestriction></saml:Conditions>"
    )
}

pub fn attribute(name: &str, values: &[&str]) -> String {
    let values: String = values
        .iter()
        .map(|value| format!("<saml:AttributeValue>{value}</saml:AttributeValue>"))
        .collect();
    format!("<saml:Attribute Name=\"{name}\">{values}</saml:Attribute>")
}

impl Facts {
    pub fn assertion(&self) -> String {
        format!(
            "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_a1\" \
             IssueInstant=\"{}\" Version=\"2.0\"><saml:Issuer>{}</saml:Issuer>\
             <saml:Subject>{}{}</saml:Subject>{}{}\
             <saml:AttributeStatement>{}</saml:AttributeStatement></saml:Assertion>",
            self.issued,
            self.issuer,
            self.name_id,
            self.confirmations,
            self.conditions,
            self.authn,
            self.attributes
        )
    }

    /// A response whose assertion is signed.
    pub fn signed_assertion(&self, idp: &Idp) -> String {
        response(&idp.signed(&self.assertion(), "_a1"))
    }

    /// A response that is signed as a whole.
    pub fn signed_response(&self, idp: &Idp) -> String {
        idp.signed(&response(&self.assertion()), "_r1")
    }
}

pub fn response(content: &str) -> String {
    format!(
        "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"_r1\" \
         IssueInstant=\"2026-11-26T11:59:00Z\" Version=\"2.0\">\
         <saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">{ENTITY_ID}</saml:Issuer>\
         <samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\">\
         </samlp:StatusCode></samlp:Status>{content}</samlp:Response>"
    )
}

pub fn encode(response: &str) -> String {
    STANDARD.encode(response)
}

/// Opens a response of the trusted provider.
pub fn open(response: &str) -> Result<Assertion, Refused> {
    let metadata = idp().parsed();
    let provider = Provider {
        metadata: &metadata,
        decryption_keys: &[],
        requires_encryption: false,
    };
    saml::open(&encode(response), &provider)
}

/// Opens and checks it at [`NOW`].
pub fn accept(response: &str) -> Result<Assertion, Refused> {
    let assertion = open(response)?;
    check(&assertion, NOW)?;
    Ok(assertion)
}

pub fn check(assertion: &Assertion, now: &str) -> Result<(), Refused> {
    assertion.check(&Presented {
        now: now.parse().unwrap(),
        is_audience: &|audience| audience == ENDPOINT,
        is_recipient: &|recipient| recipient == ENDPOINT,
    })
}
