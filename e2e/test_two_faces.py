"""One registry with two faces: what is pushed by the ECR API is pulled by docker, and the other way round."""

import io
import json
import secrets
import tarfile
import urllib.request

import pytest

from berth import images
from berth.people import failing

PART_BYTES = 5 << 20  # ECR's smallest part but for the last


@pytest.fixture(scope="module")
def ecr(root):
    root.create_repository("faces")
    root.create_repository("raw")
    return root.ecr


def upload(ecr, repository, content):
    """A layer by InitiateLayerUpload, UploadLayerPart and CompleteLayerUpload, in parts; answers its digest."""
    started = ecr.initiate_layer_upload(repositoryName=repository)
    assert started["partSize"] >= PART_BYTES
    for first in range(0, len(content), PART_BYTES):
        part = content[first:first + PART_BYTES]
        answer = ecr.upload_layer_part(repositoryName=repository, uploadId=started["uploadId"], partFirstByte=first,
                                       partLastByte=first + len(part) - 1, layerPartBlob=part)
        assert answer["lastByteReceived"] == first + len(part) - 1
    answer = ecr.complete_layer_upload(repositoryName=repository, uploadId=started["uploadId"],
                                       layerDigests=[images.digest(content)])
    assert answer["layerDigest"] == images.digest(content)
    return answer["layerDigest"]


def test_an_image_made_by_the_api_alone_runs_on_docker(root, ecr):
    words = secrets.token_hex(8)
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        archive.add(images.BUSYBOX, "bin/busybox")
        entry = tarfile.TarInfo(images.MESSAGE.strip("/"))
        entry.size = len(words)
        archive.addfile(entry, io.BytesIO(words.encode()))
        ballast = tarfile.TarInfo("ballast")  # so that the layer has two parts
        ballast.size = PART_BYTES
        archive.addfile(ballast, io.BytesIO(secrets.token_bytes(PART_BYTES)))
    layer = tar.getvalue()
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Entrypoint": ["/bin/busybox"]},
                         "rootfs": {"type": "layers", "diff_ids": [images.digest(layer)]}}).encode()
    for content in (layer, config):
        upload(ecr, "faces", content)
    manifest = json.dumps({
        "schemaVersion": 2, "mediaType": images.OCI_MANIFEST, "config": images.descriptor(images.OCI_CONFIG, config),
        "layers": [images.descriptor("application/vnd.oci.image.layer.v1.tar", layer)]})
    put = ecr.put_image(repositoryName="faces", imageManifest=manifest, imageTag="by-api")["image"]
    assert put["imageId"] == {"imageDigest": images.digest(manifest.encode()), "imageTag": "by-api"}
    root.docker.login()
    root.docker.pull("faces:by-api").ok()
    assert root.docker.message("faces:by-api") == words


def test_an_image_pushed_by_docker_comes_out_of_the_api_whole(root, ecr):
    root.docker.login()
    root.docker.build("faces:by-docker")
    root.docker.push("faces:by-docker").ok()
    image = ecr.batch_get_image(repositoryName="faces", imageIds=[{"imageTag": "by-docker"}],
                                acceptedMediaTypes=[images.DOCKER_MANIFEST, images.OCI_MANIFEST])["images"][0]
    manifest = json.loads(image["imageManifest"])
    assert images.digest(image["imageManifest"].encode()) == image["imageId"]["imageDigest"]
    digests = [manifest["config"]["digest"], *(layer["digest"] for layer in manifest["layers"])]
    have = ecr.batch_check_layer_availability(repositoryName="faces", layerDigests=digests)["layers"]
    assert [layer["layerAvailability"] for layer in have] == ["AVAILABLE"] * len(digests)
    for digest in digests:
        url = ecr.get_download_url_for_layer(repositoryName="faces", layerDigest=digest)["downloadUrl"]
        with urllib.request.urlopen(url) as answer:  # no credentials but the URL itself
            assert images.digest(answer.read()) == digest
    details = ecr.describe_images(repositoryName="faces", imageIds=[{"imageTag": "by-docker"}])["imageDetails"][0]
    assert details["imageManifestMediaType"] == image["imageManifestMediaType"]
    assert details["imageSizeInBytes"] >= sum(layer["size"] for layer in manifest["layers"])


def test_a_download_url_is_sealed(root, ecr):
    registry = root.raw()
    content = secrets.token_bytes(100)
    registry.put_blob("raw", content).expect(201)
    ecr.put_image(repositoryName="raw", imageManifest=_manifest(registry, content), imageTag="x")
    url = ecr.get_download_url_for_layer(repositoryName="raw", layerDigest=images.digest(content))["downloadUrl"]
    path = url.removeprefix(root.server.url)
    assert registry("GET", path, login=False).expect(200).body == content
    for wrong in (path[:-4], path + "A", path.replace(path[-12], "B" if path[-12] != "B" else "C")):
        registry("GET", wrong, login=False).expect(400, 403, 404)


def _manifest(registry, layer):
    registry.put_blob("raw", b"{}").expect(201)
    return json.dumps({"schemaVersion": 2, "mediaType": images.OCI_MANIFEST,
                       "config": images.descriptor(images.OCI_CONFIG, b"{}"),
                       "layers": [images.descriptor(images.OCI_LAYER, layer)]})


def test_refusals_of_the_layer_operations(ecr):
    failing(ecr.upload_layer_part, "UploadNotFoundException", repositoryName="faces", partFirstByte=0, partLastByte=0,
            uploadId="00000000-0000-4000-8000-000000000000", layerPartBlob=b"x")
    started = ecr.initiate_layer_upload(repositoryName="faces")["uploadId"]
    failing(ecr.upload_layer_part, "InvalidLayerPartException", repositoryName="faces", uploadId=started,
            partFirstByte=5, partLastByte=9, layerPartBlob=b"hello")
    ecr.upload_layer_part(repositoryName="faces", uploadId=started, partFirstByte=0, partLastByte=4, layerPartBlob=b"hello")
    failing(ecr.complete_layer_upload, "InvalidLayerException", repositoryName="faces", uploadId=started,
            layerDigests=[images.digest(b"other")])
    failing(ecr.get_download_url_for_layer, "LayersNotFoundException", repositoryName="faces",
            layerDigest=images.digest(b"never was"))
    failing(ecr.put_image, "LayersNotFoundException", repositoryName="faces", imageTag="holes",
            imageManifest=images.Image().manifest.decode())
    missing = ecr.batch_get_image(repositoryName="faces", imageIds=[{"imageTag": "no-such"}])
    assert missing["images"] == [] and missing["failures"][0]["failureCode"] == "ImageNotFound"
    failing(ecr.describe_images, "ImageNotFoundException", repositoryName="faces", imageIds=[{"imageTag": "no-such"}])


def test_putting_the_same_image_twice(root, ecr):
    image = images.Image()
    root.raw().push("faces", "twice", image).expect(201)
    failing(ecr.put_image, "ImageAlreadyExistsException", repositoryName="faces", imageTag="twice",
            imageManifest=image.manifest.decode())


def test_lists_page_by_page(root, ecr):
    root.create_repository("paged")
    registry = root.raw()
    pushed = [images.Image() for _ in range(5)]
    for n, image in enumerate(pushed):
        registry.push("paged", f"v{n}", image).expect(201)
    for operation, key in (("list_images", "imageIds"), ("describe_images", "imageDetails")):
        pages = list(ecr.get_paginator(operation).paginate(repositoryName="paged", PaginationConfig={"PageSize": 2}))
        assert [len(page[key]) for page in pages] == [2, 2, 1]
        assert {entry["imageDigest"] for page in pages for entry in page[key]} == {image.digest for image in pushed}
    names = [r["repositoryName"] for page in ecr.get_paginator("describe_repositories").paginate(PaginationConfig={"PageSize": 1})
             for r in page["repositories"]]
    assert names == sorted(names) and {"faces", "raw", "paged"} <= set(names)


def test_what_terraform_asks_after_creating_a_repository(ecr):
    made = ecr.create_repository(repositoryName="by/terraform", imageTagMutability="MUTABLE",
                                 imageScanningConfiguration={"scanOnPush": False},
                                 tags=[{"Key": "team", "Value": "blue"}])["repository"]
    found = ecr.describe_repositories(repositoryNames=["by/terraform"])["repositories"]
    assert found == [made]
    assert made["repositoryUri"].endswith("/by/terraform") and made["imageTagMutability"] == "MUTABLE"
    assert ecr.list_tags_for_resource(resourceArn=made["repositoryArn"])["tags"] == [{"Key": "team", "Value": "blue"}]
    ecr.tag_resource(resourceArn=made["repositoryArn"], tags=[{"Key": "team", "Value": "red"}, {"Key": "env", "Value": ""}])
    ecr.untag_resource(resourceArn=made["repositoryArn"], tagKeys=["env"])
    assert ecr.list_tags_for_resource(resourceArn=made["repositoryArn"])["tags"] == [{"Key": "team", "Value": "red"}]
    ecr.put_image_tag_mutability(repositoryName="by/terraform", imageTagMutability="IMMUTABLE")
    assert ecr.describe_repositories(repositoryNames=["by/terraform"])["repositories"][0]["imageTagMutability"] == "IMMUTABLE"


def test_the_repositorys_uri_is_one_that_docker_can_push_to(root):
    made = root.create_repository("by-uri")
    root.docker.login()
    root.docker.build("by-uri:v1")
    assert made["repositoryUri"] == root.image("by-uri")
    root.docker.push("by-uri:v1").ok()


def test_an_image_of_an_index_stays_while_the_index_does(root, ecr):
    root.create_repository("indexed")
    registry = root.raw()
    parts = [images.Image(), images.Image()]
    for n, image in enumerate(parts):
        registry.push("indexed", f"part-{n}", image).expect(201)
    index = json.dumps({"schemaVersion": 2, "mediaType": images.OCI_INDEX,
                        "manifests": [images.descriptor(images.OCI_MANIFEST, image.manifest) for image in parts]}).encode()
    registry.put_manifest("indexed", "all", index, images.OCI_INDEX).expect(201)

    first = {"imageDigest": parts[0].digest}
    answer = ecr.batch_delete_image(repositoryName="indexed", imageIds=[first])
    assert answer["imageIds"] == []
    assert [f["failureCode"] for f in answer["failures"]] == ["ImageReferencedByManifestList"]
    registry.pull("indexed", parts[0])

    ecr.batch_delete_image(repositoryName="indexed", imageIds=[{"imageDigest": images.digest(index)}])
    assert ecr.batch_delete_image(repositoryName="indexed", imageIds=[first])["failures"] == []
    registry("GET", f"/v2/indexed/manifests/{parts[0].digest}", headers={"Accept": "*/*"}).error(404, "MANIFEST_UNKNOWN")
    registry.pull("indexed", parts[1])
