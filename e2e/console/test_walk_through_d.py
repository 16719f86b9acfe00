"""Walk-through D in the console: the policy of three statements, its pull-only variant, several repositories, the wildcard."""

from berth.console import choose_managed, create_policy, create_user, from_template, pushes_and_pulls
from berth.outcome import NO_IDENTITY_POLICY
from berth.policies import policy, pull_only, push_and_pull


def meaning(document):
    """The statements without the order of what they list."""
    every = lambda value: sorted([value] if isinstance(value, str) else value)
    return [(s["Effect"], every(s["Action"]), every(s["Resource"])) for s in document["Statement"]]


def test_push_and_pull_pull_only_and_the_wildcard(hands, root):
    web, pattern, api = hands.named("web"), f"{hands.named('my-app')}-*", f"{hands.named('my-app')}-team/api"
    for name in (web, api, hands.named("other")):
        root.create_repository(name)
    both = f"{web}, {pattern}"
    create_policy(hands, hands.named("builders"), "Push and pull", both)
    builder = create_user(hands, hands.named("builder"), lambda: choose_managed(hands, hands.named("builders")))
    deploy = create_user(hands, hands.named("deploy"), lambda: from_template(hands, "Pull only", both))

    # The very statements of the guides.
    arn = f"arn:aws:iam::{root.account}:policy/{hands.named('builders')}"
    made = root.iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"]
    assert meaning(made) == meaning(policy(*push_and_pull(web, pattern)))
    assert root.iam.get_policy(PolicyArn=arn)["Policy"]["Description"] == "Written in the console"
    [name] = root.iam.list_user_policies(UserName=deploy.name)["PolicyNames"]
    made = root.iam.get_user_policy(UserName=deploy.name, PolicyName=name)["PolicyDocument"]
    assert meaning(made) == meaning(policy(*pull_only(web, pattern)))

    for repository in (web, api):
        pushes_and_pulls(builder, f"{repository}:v1")
    builder.docker.build(f"{hands.named('other')}:v1")
    builder.docker.push(f"{hands.named('other')}:v1").denied(
        action="ecr:InitiateLayerUpload", resource=builder.repository_arn(hands.named("other")), because=NO_IDENTITY_POLICY)
    deploy.docker.login()
    for repository in (web, api):
        deploy.docker.pull(f"{repository}:v1").ok()
        deploy.docker.build(f"{repository}:v2")
        deploy.docker.push(f"{repository}:v2").denied(
            action="ecr:InitiateLayerUpload", resource=deploy.repository_arn(repository), because=NO_IDENTITY_POLICY)
