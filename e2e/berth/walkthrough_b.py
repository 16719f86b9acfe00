"""Walk-through B as several files tell it: a CI user and its tokens take the role `containerise`."""

from .policies import allow, policy, push_and_pull
from .web_identity import WEB_IDENTITY, provider


def prepare(root, issuer):
    """The CI's user, who may do nothing but take the role `containerise`, which its tokens may take as well."""
    root.create_repository("containerised")
    root.create_repository("payments")
    user = root.create_user("circleci")
    federated = provider(root, issuer, "ci", "sts.amazonaws.com")
    subject = {"StringEquals": {f"{issuer.name('ci')}:sub": "job"}}
    root.create_role("containerise", policy(
        allow("sts:AssumeRole", Principal={"AWS": user.arn}),
        allow(WEB_IDENTITY, Principal={"Federated": federated}, Condition=subject),
    ), policy(
        *push_and_pull("containerised"),
        allow("ecr:DescribeRepositories", root.repository_arn("containerised-missing"))))
    return user
