"""crane, oras and regctl, each pushing, pulling and deleting as one person, and each refused what that person may not do.
notation (the Notary Project's library) signs and verifies."""

import datetime
import json
import secrets

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from berth import clients, images
from berth.outcome import NO_IDENTITY_POLICY
from berth.policies import allow, policy, pull_only, push_and_pull

REPOSITORIES = ("crane", "oras", "regctl", "notation")


@pytest.fixture(scope="module")
def writer(root):
    for name in REPOSITORIES:
        root.create_repository(name)
    return root.create_user("writer", policy(*push_and_pull(*REPOSITORIES), allow("ecr:BatchDeleteImage", "*")))


@pytest.fixture(scope="module")
def reader(root, writer):
    return root.create_user("reader", policy(*pull_only(*REPOSITORIES)))


def refused(who, outcome, repository):
    outcome.denied(action="ecr:InitiateLayerUpload", resource=who.repository_arn(repository), because=NO_IDENTITY_POLICY)


def archive(directory, name):
    """A docker archive with an image of its own, as `crane push` reads it."""
    layout = images.umoci_layout(directory / name, secrets.token_hex(8))
    return layout.removeprefix("oci:").rpartition(":")[0]


def test_crane(writer, reader, tmp_path):
    layout = archive(tmp_path, "crane")
    writer.crane.login()
    writer.crane("push", layout, writer.image("crane:v1")).ok()
    digest = writer.crane("digest", writer.image("crane:v1")).ok().out.strip()
    assert writer.crane("ls", writer.image("crane")).ok().out.split() == ["v1"]
    writer.crane("tag", writer.image("crane:v1"), "v2").ok()
    writer.crane("copy", writer.image("crane:v1"), writer.image("oras:copied")).ok()

    reader.crane.login()
    reader.crane("pull", "--format", "oci", reader.image("crane:v2"), tmp_path / "back").ok()
    reader.crane("validate", "--remote", reader.image("crane:v1")).ok()
    refused(reader, reader.crane("push", archive(tmp_path, "mine"), reader.image("crane:mine")), "crane")

    # An index that filters everything away is written with `"manifests": null`.
    writer.crane("index", "append", "--manifest", writer.image("crane:v1"), "--tag", writer.image("crane:index")).ok()
    writer.crane("index", "filter", writer.image("crane:index"), "--platform", "plan9/mips",
                 "--tag", writer.image("crane:none")).ok()
    assert json.loads(writer.crane("manifest", writer.image("crane:none")).ok().out)["manifests"] in (None, [])

    writer.crane("delete", f"{writer.image('crane')}@{digest}").failed()  # the index holds it
    writer.crane("delete", writer.image("crane:v2")).ok()


def test_oras(writer, reader, tmp_path):
    (tmp_path / "hello.txt").write_text("hello")
    (tmp_path / "sbom.json").write_text("{}")
    writer.oras.login()
    writer.oras("push", "--plain-http", writer.image("oras:v1"), "hello.txt:text/plain", cwd=tmp_path).ok()
    writer.oras("attach", "--plain-http", "--artifact-type", "application/vnd.example.sbom",
                writer.image("oras:v1"), "sbom.json", cwd=tmp_path).ok()
    reader.oras.login()
    found = reader.oras("discover", "--plain-http", "--format", "json", reader.image("oras:v1")).json
    assert [r["artifactType"] for r in found["referrers"]] == ["application/vnd.example.sbom"]
    reader.oras("pull", "--plain-http", "--output", tmp_path / "back", reader.image("oras:v1")).ok()
    assert (tmp_path / "back/hello.txt").read_text() == "hello"
    (tmp_path / "mine.txt").write_text("mine")
    refused(reader, reader.oras("push", "--plain-http", reader.image("oras:mine"), "mine.txt:text/plain", cwd=tmp_path), "oras")
    writer.oras("manifest", "delete", "--plain-http", "--force", writer.image("oras:v1")).ok()


def test_regctl(writer, reader, tmp_path):
    writer.regctl.login()
    # `image create` writes `"layers": null`.
    writer.regctl("image", "create", writer.image("regctl:empty")).ok()
    layout = archive(tmp_path, "regctl")
    writer.regctl("image", "import", "--name", "latest", writer.image("regctl:v1"), tar(layout, tmp_path)).ok()
    writer.regctl("image", "mod", "--label", "a=b", "--replace", writer.image("regctl:v1")).ok()
    assert set(writer.regctl("tag", "ls", writer.image("regctl")).ok().out.split()) == {"empty", "v1"}

    reader.regctl.login()
    reader.regctl("image", "export", reader.image("regctl:v1"), tmp_path / "back.tar").ok()
    reader.regctl("image", "copy", reader.image("regctl:v1"), reader.image("regctl:mine")).denied(
        action="ecr:PutImage", resource=reader.repository_arn("regctl"), because=NO_IDENTITY_POLICY)
    writer.regctl("tag", "delete", writer.image("regctl:v1")).ok()


def code_signer(directory):
    """A key, and its own certificate to sign code with."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name.from_rfc4514_string("CN=signer,O=Example,ST=WA,C=US")
    now = datetime.datetime.now(datetime.UTC)
    usage = x509.KeyUsage(digital_signature=True, **dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign",
         "encipher_only", "decipher_only"), False))
    made = x509.CertificateBuilder(
        subject_name=name, issuer_name=name, public_key=key.public_key(), serial_number=x509.random_serial_number(),
        not_valid_before=now - datetime.timedelta(hours=1), not_valid_after=now + datetime.timedelta(days=1),
    ).add_extension(usage, critical=True).add_extension(
        x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.CODE_SIGNING]), critical=False).sign(key, hashes.SHA256())
    files = directory / "key.pem", directory / "certificate.pem"
    files[0].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                           serialization.NoEncryption()))
    files[1].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return files


def trusting(directory, certificate):
    """A folder with notation's trust store, in which is that certificate."""
    store = directory / "truststore/x509/ca/trusted"
    store.mkdir(parents=True)
    (store / "signer.pem").write_bytes(certificate.read_bytes())
    return directory


def test_notation(writer, reader, tmp_path):
    image = images.Image()
    writer.raw().push("notation", "v1", image).expect(201)
    reference = f"{writer.image('notation')}@{image.digest}"
    (tmp_path / "other").mkdir()
    key, certificate = code_signer(tmp_path)
    other_key, other = code_signer(tmp_path / "other")
    trust, others_trust = trusting(tmp_path / "trust", certificate), trusting(tmp_path / "others", other)

    def notation(person, *arguments):
        person.crane.login()
        return person.run(clients.tool("notation"), *arguments, env={"DOCKER_CONFIG": str(person.home / "crane")})

    notation(reader, "verify", trust, reference).failed("no signature is associated")
    notation(writer, "sign", key, certificate, reference).ok()
    assert image.digest in notation(reader, "verify", trust, reference).ok().text
    # The signature is a referrer of the image.
    listed = reader.raw()("GET", f"/v2/notation/referrers/{image.digest}").expect(200).json["manifests"]
    assert [one["artifactType"] for one in listed] == ["application/vnd.cncf.notary.signature"]
    # Who trusts another signer, and who may not push.
    notation(reader, "verify", others_trust, reference).failed()
    notation(reader, "sign", other_key, other, reference).denied(
        action="ecr:InitiateLayerUpload", resource=reader.repository_arn("notation"), because=NO_IDENTITY_POLICY)


def tar(layout, directory):
    """The layout as the tar file that `regctl image import` reads."""
    import tarfile
    path = directory / "layout.tar"
    with tarfile.open(path, "w") as file:
        file.add(layout, arcname=".")
    return path
