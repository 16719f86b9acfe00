"""Roles that tokens of an OpenID Connect issuer take: the provider, the documented trust policies, calls without a key."""

import boto3
import botocore
from botocore.config import Config

WEB_IDENTITY = "sts:AssumeRoleWithWebIdentity"

#: Audience, and the documented conditions of each issuer's trust policy: those that let the job in.
DOCUMENTED = {
    "github": ("sts.amazonaws.com", lambda name: [
        ("StringEquals", {f"{name}:aud": "sts.amazonaws.com"}),
        ("StringLike", {f"{name}:sub": "repo:octo-org/app:*"})]),
    "gitlab": ("sts.amazonaws.com", lambda name: [
        ("StringEquals", {f"{name}:sub": "project_path:mygroup/app:ref_type:branch:ref:main"})]),
    "circleci": ("8f5a6a9e-organization", lambda name: [
        ("StringLike", {f"{name}:sub": "org/8f5a6a9e-organization/project/p-1/user/*"})]),
    "buildkite": ("sts.amazonaws.com", lambda name: [
        ("StringEquals", {f"{name}:aud": "sts.amazonaws.com"}),
        ("StringLike", {f"{name}:sub": "organization:acme:pipeline:app:ref:refs/heads/main:commit:*:step:build"})]),
    "jenkins": ("sts.amazonaws.com", lambda name: [
        ("StringEquals", {f"{name}:aud": "sts.amazonaws.com", f"{name}:sub": "https://jenkins.example.com/job/app/"})]),
    "kubernetes": ("sts.amazonaws.com", lambda name: [
        ("StringEquals", {f"{name}:aud": "sts.amazonaws.com", f"{name}:sub": "system:serviceaccount:builds:pusher"})]),
}


def provider(root, issuer, name, *client_ids):
    created = root.iam.create_open_id_connect_provider(Url=issuer.url(name), ClientIDList=list(client_ids))
    return created["OpenIDConnectProviderArn"]


def anonymous(server, service="sts"):
    """A client without credentials."""
    return boto3.client(service, endpoint_url=server.url, region_name="us-east-1",
                        config=Config(signature_version=botocore.UNSIGNED, retries={"max_attempts": 1}))
