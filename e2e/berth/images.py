"""Images, made from nothing but Debian's static busybox: no base image is pulled from anywhere."""

import gzip
import hashlib
import io
import json
import pathlib
import secrets
import shutil
import subprocess
import tarfile

BUSYBOX = "/bin/busybox"
#: Where an image carries the words that prove it is the very image.
MESSAGE = "/message"

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
OCI_EMPTY = "application/vnd.oci.empty.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def context(directory, message):
    """A directory that `docker build` and `buildah build` make an image of."""
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True)
    shutil.copy(BUSYBOX, directory / "busybox")
    (directory / "message").write_text(message + "\n")
    (directory / "Dockerfile").write_text(
        "FROM scratch\n"
        "COPY busybox /bin/busybox\n"
        f"COPY message {MESSAGE}\n"
        'ENTRYPOINT ["/bin/busybox"]\n'
        f'CMD ["cat", "{MESSAGE}"]\n'
    )
    return directory


def umoci_layout(directory, message):
    """An OCI image layout with the image `v1`, made by umoci; answers its name as skopeo writes it."""
    directory = pathlib.Path(directory)
    layout, bundle = directory / "layout", directory / "bundle"
    directory.mkdir()

    def umoci(*arguments):
        subprocess.run(["umoci", *map(str, arguments)], check=True, capture_output=True)

    image = f"{layout}:v1"
    umoci("init", "--layout", layout)
    umoci("new", "--image", image)
    umoci("unpack", "--image", image, bundle)
    (bundle / "rootfs/bin").mkdir(exist_ok=True)
    shutil.copy(BUSYBOX, bundle / "rootfs/bin/busybox")
    (bundle / "rootfs" / MESSAGE.strip("/")).write_text(message + "\n")
    umoci("repack", "--image", image, bundle)
    umoci("config", "--image", image, "--config.entrypoint", BUSYBOX)
    return f"oci:{image}"


def digest(content, algorithm="sha256"):
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


def descriptor(media_type, content, **more):
    return {"mediaType": media_type, "digest": digest(content), "size": len(content)} | more


class Image:
    """An image as bytes, for the tests that push without a client. Each one is new."""

    def __init__(self, layer_bytes=1024, **manifest):
        tar = io.BytesIO()
        with tarfile.open(fileobj=tar, mode="w") as archive:
            entry = tarfile.TarInfo("data")
            entry.size = layer_bytes
            archive.addfile(entry, io.BytesIO(secrets.token_bytes(layer_bytes)))
        self.layer = gzip.compress(tar.getvalue(), compresslevel=1, mtime=0)
        self.config = json.dumps({
            "architecture": "amd64", "os": "linux", "config": {},
            "rootfs": {"type": "layers", "diff_ids": [digest(tar.getvalue())]},
        }).encode()
        self.media_type = OCI_MANIFEST
        self.manifest = json.dumps({
            "schemaVersion": 2, "mediaType": OCI_MANIFEST,
            "config": descriptor(OCI_CONFIG, self.config),
            "layers": [descriptor(OCI_LAYER, self.layer)],
        } | manifest).encode()

    @property
    def digest(self):
        return digest(self.manifest)

    @property
    def blobs(self):
        return (self.config, self.layer)
