"""A small SAML 2.0 identity provider: metadata, and responses that `signxml` signs."""

import base64
import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml import XMLSigner, methods

ENTITY_ID = "https://idp.example/metadata"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
ATTRIBUTES = "https://aws.amazon.com/SAML/Attributes/"


def shown(time):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


class IdentityProvider:
    def __init__(self, sign_on="https://idp.example/sso/redirect"):
        #: Where browsers are sent to.
        self.sign_on = sign_on
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp.example")])
        now = datetime.datetime.now(datetime.timezone.utc)
        self.certificate = (
            x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(self.key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30)).sign(self.key, hashes.SHA256()))
        self.certificate_pem = self.certificate.public_bytes(serialization.Encoding.PEM).decode()
        self.public_key_pem = self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()

    @property
    def metadata(self):
        der = base64.encodebytes(self.certificate.public_bytes(serialization.Encoding.DER)).decode()
        return f"""<?xml version="1.0" encoding="UTF-8"?>
<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{ENTITY_ID}">
  <IDPSSODescriptor WantAuthnRequestsSigned="false" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <KeyDescriptor use="signing">
      <KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>
{der}      </X509Certificate></X509Data></KeyInfo>
    </KeyDescriptor>
    <NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</NameIDFormat>
    <SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example/sso"/>
    <SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{self.sign_on}"/>
  </IDPSSODescriptor>
</EntityDescriptor>
"""

    def response(self, roles, subject="alice", endpoint="https://signin.aws.amazon.com/saml", attributes=None,
                 signs="assertion", canonicalization=EXCLUSIVE, age=0, request=None):
        """A response for `subject`. `roles` are pairs of ARNs, of a role and of the provider. `request` is the id of the
        request that it answers, where there is one."""
        answers = f' InResponseTo="{request}"' if request else ""
        now = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=age)
        start, end = shown(now), shown(now + datetime.timedelta(minutes=5))
        values = {"Role": [f"{role},{provider}" for role, provider in roles], "RoleSessionName": [f"{subject}@example.com"]}
        values |= attributes or {}
        statements = "".join(
            f'<saml:Attribute Name="{ATTRIBUTES}{name}">'
            + "".join(f"<saml:AttributeValue>{value}</saml:AttributeValue>" for value in of) + "</saml:Attribute>"
            for name, of in values.items())
        place = '<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#" Id="placeholder"/>'
        assertion = f"""<saml:Assertion xmlns:saml="{SAML}" ID="_assertion1" IssueInstant="{start}" Version="2.0">
  <saml:Issuer>{ENTITY_ID}</saml:Issuer>{place if signs == "assertion" else ""}
  <saml:Subject>
    <saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">{subject}</saml:NameID>
    <saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">
      <saml:SubjectConfirmationData NotOnOrAfter="{end}" Recipient="{endpoint}"{answers}/>
    </saml:SubjectConfirmation>
  </saml:Subject>
  <saml:Conditions NotBefore="{start}" NotOnOrAfter="{end}">
    <saml:AudienceRestriction><saml:Audience>{endpoint}</saml:Audience></saml:AudienceRestriction>
  </saml:Conditions>
  <saml:AuthnStatement AuthnInstant="{start}"/>
  <saml:AttributeStatement>{statements}</saml:AttributeStatement>
</saml:Assertion>"""
        if signs == "assertion":
            assertion = self._signed(assertion, "_assertion1", canonicalization)
        response = f"""<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="{SAML}" ID="_response1" IssueInstant="{start}" Version="2.0">
  <saml:Issuer>{ENTITY_ID}</saml:Issuer>{place if signs == "response" else ""}
  <samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>
  {assertion}
</samlp:Response>"""
        if signs == "response":
            response = self._signed(response, "_response1", canonicalization)
        return response

    def _signed(self, text, reference, canonicalization):
        signer = XMLSigner(method=methods.enveloped, signature_algorithm="rsa-sha256", digest_algorithm="sha256",
                           c14n_algorithm=canonicalization)
        signed = signer.sign(etree.fromstring(text), key=self.key, cert=self.certificate_pem, reference_uri=reference)
        return etree.tostring(signed).decode()


def encoded(response):
    return base64.b64encode(response.encode()).decode()
