"""Walk-through B with boto3, whatever the default credential chain finds. Prints one JSON object a step; `test_sdks.py` checks them."""

import json
import sys

import boto3
import botocore.exceptions


def step(name, value):
    print(json.dumps({"step": name, "value": value}), flush=True)


repository, forbidden = sys.argv[1:]
step("identity", boto3.client("sts").get_caller_identity()["Arn"])

registry = boto3.client("ecr")
token = registry.get_authorization_token()["authorizationData"][0]
step("token", {name: token[name] for name in ("authorizationToken", "proxyEndpoint")})

pages = registry.get_paginator("list_images").paginate(repositoryName=repository)
step("tags", [image["imageTag"] for page in pages for image in page["imageIds"]])

try:
    registry.describe_repositories(repositoryNames=[f"{repository}-missing"])
    step("missing", False)
except registry.exceptions.RepositoryNotFoundException:
    step("missing", True)

try:
    registry.describe_repositories(repositoryNames=[forbidden])
    raise SystemExit("the call was not refused")
except botocore.exceptions.ClientError as error:
    denied = error.response["Error"]
    step("denied", {"code": denied["Code"], "message": denied["Message"]})
