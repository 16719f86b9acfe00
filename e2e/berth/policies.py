"""The policy documents of the walk-throughs, by their meaning."""

from .server import ACCOUNT, REGION

#: What a docker pull asks for.
PULL = ("ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage")
#: What a docker push asks for beyond a pull.
PUSH = ("ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage")
#: What describes a repository and its images.
LOOK = ("ecr:DescribeRepositories", "ecr:ListImages", "ecr:DescribeImages")


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def statement(effect, actions, resource=None, **more):
    made = {"Effect": effect, "Action": [actions] if isinstance(actions, str) else list(actions)}
    if resource is not None:
        made["Resource"] = resource
    return made | more


def allow(actions, resource=None, **more):
    return statement("Allow", actions, resource, **more)


def deny(actions, resource=None, **more):
    return statement("Deny", actions, resource, **more)


def repository_arn(name, account=ACCOUNT, region=REGION):
    return f"arn:aws:ecr:{region}:{account}:repository/{name}"


#: Logging in to the registry: the action knows no narrower resource (Service Authorization Reference, Amazon ECR).
LOGIN = allow("ecr:GetAuthorizationToken", "*", Sid="LogIn")


def push_and_pull(*names, account=ACCOUNT):
    """The three statements that every guide shows: list, log in, manage the contents."""
    arns = [repository_arn(n, account) for n in names]
    return (
        allow(LOOK, arns, Sid="ListImagesInRepository"),
        LOGIN,
        allow(PULL + PUSH, arns, Sid="ManageRepositoryContents"),
    )


def pull_only(*names, account=ACCOUNT):
    arns = [repository_arn(n, account) for n in names]
    return (allow(LOOK, arns, Sid="ListImagesInRepository"), LOGIN, allow(PULL, arns, Sid="PullImages"))


def trust(principal, condition=None, actions="sts:AssumeRole"):
    """A role's trust policy: who may become it. `principal` as in the document: `{"AWS": arn}`, `{"Service": name}`."""
    made = allow(actions, Principal=principal)
    if condition:
        made["Condition"] = condition
    return policy(made)
