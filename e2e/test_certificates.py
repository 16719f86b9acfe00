"""SSH public keys, signing certificates and server certificates through boto3."""

import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from berth.people import failing
from berth.policies import allow, policy

DAY = datetime.timedelta(days=1)


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def certificate(subject, key, issuer=None, issuer_key=None, authority=False, days=365):
    """A certificate in PEM, self-signed where no issuer is given."""
    now = datetime.datetime.now(datetime.timezone.utc)
    end = now + days * DAY
    made = (x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer or subject))
            .public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(min(now, end - DAY)).not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .sign(issuer_key or key, hashes.SHA256()))
    return made.public_bytes(serialization.Encoding.PEM).decode()


def private(key, form=serialization.PrivateFormat.TraditionalOpenSSL, password=None):
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, encryption).decode()


@pytest.fixture(scope="module")
def keys():
    return [rsa.generate_private_key(public_exponent=65537, key_size=2048), ec.generate_private_key(ec.SECP256R1())]


def test_ssh_keys_are_shown_in_both_encodings(root, keys):
    iam = root.iam
    iam.create_user(UserName="git-user")
    public = keys[0].public_key()
    ssh = public.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    made = iam.upload_ssh_public_key(UserName="git-user", SSHPublicKeyBody=f"{ssh} me@example")["SSHPublicKey"]
    assert made["SSHPublicKeyBody"] == f"{ssh} me@example" and len(made["Fingerprint"]) == 47
    of = {"UserName": "git-user", "SSHPublicKeyId": made["SSHPublicKeyId"]}
    assert iam.get_ssh_public_key(**of, Encoding="PEM")["SSHPublicKey"]["SSHPublicKeyBody"] == pem
    failing(iam.upload_ssh_public_key, "DuplicateSSHPublicKey", UserName="git-user", SSHPublicKeyBody=pem)
    other = keys[1].public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
    failing(iam.upload_ssh_public_key, "UnrecognizedPublicKeyEncoding", UserName="git-user", SSHPublicKeyBody=other)
    failing(iam.upload_ssh_public_key, "InvalidPublicKey", UserName="git-user", SSHPublicKeyBody=ssh[:-8])
    iam.update_ssh_public_key(**of, Status="Inactive")
    assert [key["Status"] for key in iam.list_ssh_public_keys(UserName="git-user")["SSHPublicKeys"]] == ["Inactive"]
    conflict = failing(iam.delete_user, "DeleteConflict", UserName="git-user")
    assert conflict["Message"] == "Cannot delete entity, must remove referenced objects first."
    iam.delete_ssh_public_key(**of)
    failing(iam.delete_ssh_public_key, "NoSuchEntity", **of)
    iam.delete_user(UserName="git-user")


def test_signing_certificates_belong_to_one_user(root, keys):
    iam = root.iam
    for user in ["signer", "other-signer"]:
        iam.create_user(UserName=user)
    bodies = [certificate(f"signer {number}", keys[0]) for number in range(3)]
    made = iam.upload_signing_certificate(UserName="signer", CertificateBody=bodies[0])["Certificate"]
    assert (made["CertificateBody"], made["Status"]) == (bodies[0], "Active")
    failing(iam.upload_signing_certificate, "DuplicateCertificate", UserName="other-signer", CertificateBody=bodies[0])
    malformed = failing(iam.upload_signing_certificate, "MalformedCertificate", UserName="signer", CertificateBody="notacert")
    assert malformed["Message"] == "Certificate notacert is malformed."
    failing(iam.upload_signing_certificate, "MalformedCertificate", UserName="signer",
            CertificateBody=certificate("old", keys[0], days=-1))
    iam.upload_signing_certificate(UserName="signer", CertificateBody=bodies[1])
    limit = failing(iam.upload_signing_certificate, "LimitExceeded", UserName="signer", CertificateBody=bodies[2])
    assert limit["Message"] == "Cannot exceed quota for CertificatesPerUser: 2"
    for held in iam.list_signing_certificates(UserName="signer")["Certificates"]:
        iam.update_signing_certificate(UserName="signer", CertificateId=held["CertificateId"], Status="Inactive")
        iam.delete_signing_certificate(UserName="signer", CertificateId=held["CertificateId"])
    for user in ["signer", "other-signer"]:
        iam.delete_user(UserName=user)


def test_server_certificates_with_chain_tags_and_permissions(root, keys):
    iam = root.iam
    root_key, key = keys
    authority = certificate("Example Root", root_key, authority=True)
    body = certificate("web.example", key, "Example Root", root_key)
    upload = {"CertificateBody": body, "PrivateKey": private(key), "CertificateChain": authority}
    made = iam.upload_server_certificate(ServerCertificateName="web", Path="/tls/", Tags=[{"Key": "team", "Value": "core"}], **upload)
    assert made["ServerCertificateMetadata"]["Arn"] == f"arn:aws:iam::{root.account}:server-certificate/tls/web"
    assert made["Tags"] == [{"Key": "team", "Value": "core"}]
    found = iam.get_server_certificate(ServerCertificateName="WEB")["ServerCertificate"]
    assert (found["CertificateBody"], found["CertificateChain"]) == (body, authority)
    failing(iam.upload_server_certificate, "EntityAlreadyExists", ServerCertificateName="Web", **upload)
    for change, code in [({"PrivateKey": private(root_key)}, "KeyPairMismatch"),
                         ({"PrivateKey": private(key, serialization.PrivateFormat.PKCS8, b"secret")}, "MalformedCertificate"),
                         ({"CertificateChain": body}, "MalformedCertificate"),
                         ({"CertificateBody": "certbody"}, "MalformedCertificate")]:
        failing(iam.upload_server_certificate, code, ServerCertificateName="refused", **{**upload, **change})
    iam.update_server_certificate(ServerCertificateName="web", NewServerCertificateName="web2", NewPath="/new/")
    pages = iam.get_paginator("list_server_certificates").paginate(PathPrefix="/new/", PaginationConfig={"PageSize": 1})
    assert [held["ServerCertificateName"] for page in pages for held in page["ServerCertificateMetadataList"]] == ["web2"]
    iam.tag_server_certificate(ServerCertificateName="web2", Tags=[{"Key": "stage", "Value": "prod"}])
    iam.untag_server_certificate(ServerCertificateName="web2", TagKeys=["team"])
    assert iam.list_server_certificate_tags(ServerCertificateName="web2")["Tags"] == [{"Key": "stage", "Value": "prod"}]
    tls = root.create_user("tls", policy(allow(["iam:UploadServerCertificate", "iam:GetServerCertificate"],
                                               f"arn:aws:iam::{root.account}:server-certificate/tls/*")))
    tls.iam.upload_server_certificate(ServerCertificateName="own", Path="/tls/", **upload)
    failing(tls.iam.upload_server_certificate, "AccessDenied", ServerCertificateName="own2", **upload)
    failing(tls.iam.upload_server_certificate, "AccessDenied", ServerCertificateName="own3", Path="/tls/",
            Tags=[{"Key": "team", "Value": "core"}], **upload)
    failing(tls.iam.get_server_certificate, "AccessDenied", ServerCertificateName="web2")
    assert iam.get_account_summary()["SummaryMap"]["ServerCertificates"] == 2
    for held in ["web2", "own"]:
        iam.delete_server_certificate(ServerCertificateName=held)
    failing(iam.get_server_certificate, "NoSuchEntity", ServerCertificateName="web2")
