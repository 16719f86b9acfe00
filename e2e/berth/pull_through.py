"""Rules of the pull through cache, and what a client sees of it."""

import json

#: What a pull needs for what is not cached.
IMPORT = ("ecr:BatchImportUpstreamImage", "ecr:CreateRepository")


def rule(root, prefix, url, secret=None):
    """A rule whose secret is `(user, token)`. By boto3: the AWS CLI, version 1, reads a parameter that begins with `http://` from there."""
    more = {}
    if secret:
        value = json.dumps({"username": secret[0], "accessToken": secret[1]})
        made = root.aws("secretsmanager", "create-secret", "--name", f"ecr-pullthroughcache/{prefix}",
                        "--secret-string", value).json
        more["credentialArn"] = made["ARN"]
    return root.ecr.create_pull_through_cache_rule(ecrRepositoryPrefix=prefix, upstreamRegistryUrl=url, **more)


def is_listed(root, repository, tag):
    """Whether the image is stored: the tag is set once everything is here."""
    tags = root.raw()("GET", f"/v2/{repository}/tags/list")
    return tags.status == 200 and tag in (tags.json["tags"] or [])


def pulled(raw, repository, reference, image):
    """The whole image, by tag and then by digest, as a client pulls it."""
    got = raw("GET", f"/v2/{repository}/manifests/{reference}", headers={"Accept": "*/*"}).expect(200)
    assert got["Docker-Content-Digest"] == image.digest
    raw.pull(repository, image)
