"""The contract of the APIs, generated from the service models: every operation is called through boto3 with the least
valid input and with input that breaks one constraint of its model at a time.

Whatever an operation does, its answer has AWS's form: a success has the members that the model requires, a refusal has
a code and a message, and nothing is an internal failure. Input that breaks the model is refused as such, before anything
is looked up. An operation that is built later is covered without a change here."""

import copy
import json
import pathlib
import re

import botocore.exceptions
import botocore.session
import pytest

from berth.policies import allow, policy

SERVICES = ("accessanalyzer", "ecr", "iam", "organizations", "sts")
PAGE = pathlib.Path(__file__).parent.parent / "docs/api-coverage.md"

#: The codes of input that breaks its model.
INVALID = {
    "accessanalyzer": {"ValidationException"},
    "ecr": {"InvalidParameterException", "ValidationException"},
    "iam": {"ValidationError"},
    "organizations": {"InvalidInputException"},
    "sts": {"ValidationError"},
}
#: Codes that no model lists (IAM API Reference, "Common Errors", and the same of the other services).
COMMON = {"AccessDenied", "AccessDeniedException", "ValidationError", "ValidationException", "InvalidParameterValue"}
#: Longer texts would need larger requests than the API takes.
LENGTH_MAX = 140_000

TRUST = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": ["sts:AssumeRole", "sts:TagSession"]}]})
POLICY = json.dumps(policy(allow("ecr:GetAuthorizationToken", "*")))

#: What members are called whose texts must name something, or have a form that the model does not tell.
BY_NAME = {
    "UserName": "contract", "GroupName": "contract", "RoleName": "contract", "InstanceProfileName": "contract",
    "PolicyArn": "arn:aws:iam::123456789012:policy/contract", "RoleArn": "arn:aws:iam::123456789012:role/contract",
    "PermissionsBoundary": "arn:aws:iam::123456789012:policy/contract",
    "PolicySourceArn": "arn:aws:iam::123456789012:user/contract", "AssumeRolePolicyDocument": TRUST,
    "PolicyDocument": POLICY, "PolicyInputList": POLICY, "ActionNames": "ecr:PutImage", "VersionId": "v1",
    "repositoryName": "contract", "resourceArn": "arn:aws:ecr:us-east-1:123456789012:repository/contract",
    "registryId": "123456789012", "policyDocument": POLICY, "analyzerName": "contract",
    "analyzerArn": "arn:aws:access-analyzer:us-east-1:123456789012:analyzer/contract",
}
#: Texts, one of which fits each pattern.
TEXTS = [
    "contract", "contract-1", "arn:aws:iam::123456789012:role/contract", "123456789012", "/contract/", "/", "v1", "012345",
    "sha256:" + "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "AKIAIOSFODNN7EXAMPLE",
    "arn:aws:ecr:us-east-1:123456789012:repository/contract", "0f1e2d3c-0000-4000-8000-000000000000",
    "application/vnd.oci.image.index.v1+json", "{}", POLICY, "https://issuer.example", "docker.io", "ROOT",
    "arn:aws:secretsmanager:us-east-1:123456789012:secret:ecr-pullthroughcache/x",
    "arn:aws:signer:us-east-1:123456789012:/signing-profiles/contract", "contract@example.com", "2026-11-26T00:00:00Z",
    "arn:aws:kms:us-east-1:123456789012:key/0f1e2d3c", "Contract/Name", "d-1234567890", "o-1234567890/r-abcd", "RS256",
    "p-12345678", "h-1234567890", "r-abcd", "ou-abcd-12345678", "car-" + "a" * 32, "rt-12345678",
]
TEXTS += [digit * count for count in (16, 24, 32, 40, 64, 1_000) for digit in ("a", "1")]
#: Texts that miss a pattern.
WRONG = ["snow \u2603 man!", "a b", "\u0007\u0007\u0007", "!", "\u2603" * 40, "", "a" * 17, "-"]


def fits(shape, text):
    metadata = shape.metadata
    if not metadata.get("min", 0) <= len(text) <= metadata.get("max", LENGTH_MAX):
        return False
    return not matches(shape.metadata.get("pattern"), text) is False


def matches(pattern, text):
    """Whether the text matches, or None for a pattern that only Java reads."""
    if pattern is None:
        return None
    for java, python in (("\\p{L}", "^\\W\\d_"), ("\\p{Z}", " "), ("\\p{N}", "0-9"), ("\\p{Alnum}", "a-zA-Z0-9")):
        pattern = pattern.replace(java, "a-zA-Z" if java == "\\p{L}" else python)
    pattern = re.sub(r"\\u([0-9A-Fa-f]{4})", lambda found: re.escape(chr(int(found.group(1), 16))), pattern)
    try:
        return re.fullmatch(pattern, text) is not None
    except re.error:
        return None


def text(name, shape):
    if getattr(shape, "enum", None):
        return shape.enum[0]
    for candidate in ([BY_NAME[name]] if name in BY_NAME else []) + TEXTS:
        if fits(shape, candidate):
            return candidate
    raise AssertionError(f"no text fits {shape.name} {shape.metadata}: add one to TEXTS")


def least(name, shape):
    """The least value that the model takes."""
    kind, metadata = shape.type_name, shape.metadata
    if kind == "structure":
        return {member: least(member, shape.members[member]) for member in shape.required_members}
    if kind == "list":
        return [least(name, shape.member) for _ in range(max(1, metadata.get("min", 1)))]
    if kind == "map":
        return {least("key", shape.key): least("value", shape.value)}
    if kind == "string":
        return text(name, shape)
    if kind in ("integer", "long"):
        return max(metadata.get("min", 1), 1)
    return {"boolean": False, "float": 1.5, "double": 1.5, "blob": b"contract", "timestamp": "2026-11-26T00:00:00Z"}[kind]


def some(shape):
    """A structure with one of its members, which the model all leaves out."""
    return {member: least(member, shape.members[member]) for member in list(shape.members)[:1]}


def breaches(name, shape):
    """Values that break one constraint of a shape each, with the constraint."""
    kind, metadata = shape.type_name, shape.metadata
    lowest, highest = metadata.get("min"), metadata.get("max")
    if kind == "string":
        if getattr(shape, "enum", None):
            yield "no such value", "NoSuchValue"
            return
        if lowest:
            yield "too short", "a" * (lowest - 1)
        if highest and highest < LENGTH_MAX:
            yield "too long", "a" * (highest + 1)
        wrong = [one for one in WRONG if (lowest or 0) <= len(one) <= (highest or LENGTH_MAX)]
        wrong = [one for one in wrong if matches(metadata.get("pattern"), one) is False]
        if wrong:
            yield "misses the pattern", wrong[0]
    elif kind in ("integer", "long"):
        if lowest is not None:
            yield "too small", lowest - 1
        if highest is not None and highest < 2**31 - 1:
            yield "too large", highest + 1
    elif kind == "list":
        # An empty list, and a structure without members, cannot be told from none in a form.
        one = least(name, shape.member) or some(shape.member)
        if lowest and lowest > 1:
            yield "too few", [one] * (lowest - 1)
        if highest is not None and highest <= 1_000:
            yield "too many", [one] * (highest + 1)
        for constraint, value in breaches(name, shape.member):
            yield f"a member: {constraint}", [value]
    elif kind == "structure":
        for missing in shape.required_members:
            value = least(name, shape)
            del value[missing]
            if value or not name:
                yield f"without {missing}", value
        for member, value in least(name, shape).items():
            for constraint, wrong in breaches(member, shape.members[member]):
                yield f"{member}: {constraint}", least(name, shape) | {member: wrong}


def invalid_inputs(shape):
    """Inputs that break one constraint each: of the required members, and of each optional one."""
    if shape is None:
        return
    yield from breaches("", shape)
    for member, member_shape in shape.members.items():
        if member not in shape.required_members:
            for constraint, wrong in breaches(member, member_shape):
                yield f"{member}: {constraint}", least("", shape) | {member: wrong}


def built():
    """The operations that the coverage page lists as built, by service."""
    found, service = {}, None
    for line in PAGE.read_text().splitlines():
        if heading := re.match(r"## ([\w ]+)", line):
            service = heading.group(1).lower().replace(" ", "")
        elif row := re.match(r"\| (\w+) \| yes \|", line):
            found.setdefault(service, set()).add(row.group(1))
    return found


MODELS = {name: botocore.session.get_session().get_service_model(name) for name in SERVICES}
BUILT = built()
#: Operations that take things away come last, so that the others find what they name.
OPERATIONS = sorted(
    ((service, name) for service in SERVICES for name in MODELS[service].operation_names),
    key=lambda one: (one[1].startswith(("Delete", "Detach", "Remove", "BatchDelete")), one),
)


@pytest.fixture(scope="module")
def clients(root):
    admin = root.create_user("admin", policy(allow("*", "*")))
    iam = admin.iam
    iam.create_user(UserName="contract")
    iam.create_group(GroupName="contract")
    iam.create_role(RoleName="contract", AssumeRolePolicyDocument=TRUST)
    iam.create_instance_profile(InstanceProfileName="contract")
    iam.create_policy(PolicyName="contract", PolicyDocument=POLICY)
    admin.ecr.create_repository(repositoryName="contract")
    admin.boto("organizations").create_organization()
    return {service: admin.boto(service, parameter_validation=False) for service in SERVICES}


def call(clients, service, operation, arguments):
    """The answer of an operation, or its error."""
    try:
        return getattr(clients[service], botocore.xform_name(operation))(**copy.deepcopy(arguments)), None
    except botocore.exceptions.ClientError as refused:
        return None, refused.response


def lacks(shape, value, path=""):
    """The members that the model requires and an answer does not have."""
    if shape is None or value is None:
        return
    if shape.type_name == "structure":
        for name in shape.required_members:
            if name not in value:
                yield f"{path}.{name}"
        for name, member in shape.members.items():
            if name in value:
                yield from lacks(member, value[name], f"{path}.{name}")
    elif shape.type_name == "list":
        for one in value:
            yield from lacks(shape.member, one, f"{path}[]")


def check_error(service, operation, error, status):
    """An error that every SDK reads."""
    code, said = error["Error"]["Code"], error["Error"].get("Message")
    metadata = error["ResponseMetadata"]
    assert metadata["HTTPStatusCode"] == status if status else 400 <= metadata["HTTPStatusCode"] < 500, (operation, error)
    assert re.fullmatch(r"\w+", code) and metadata["RequestId"], (operation, error)
    # AWS sends ReportNotPresent without words (LocalStack's recordings).
    assert said or code == "ReportNotPresent", (operation, error)
    return code


@pytest.mark.parametrize("service,operation", OPERATIONS)
def test_valid_input(clients, service, operation):
    model = MODELS[service].operation_model(operation)
    arguments = least("", model.input_shape) if model.input_shape else {}
    answer, error = call(clients, service, operation, arguments)
    if operation not in BUILT[service]:
        assert check_error(service, operation, error, 501) == "NotImplemented"
        assert operation in error["Error"]["Message"]
        return
    if error is None:
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
        assert list(lacks(model.output_shape, answer)) == []
        return
    code = check_error(service, operation, error, None)
    known = {shape.metadata.get("error", {}).get("code", shape.name) for shape in model.error_shapes}
    known |= {shape.name for shape in model.error_shapes}
    assert code in known | COMMON, (arguments, error)


@pytest.mark.parametrize("service,operation", [one for one in OPERATIONS if one[1] in BUILT[one[0]]])
def test_input_that_breaks_the_model(clients, service, operation):
    model = MODELS[service].operation_model(operation)
    accepted = []
    for constraint, arguments in invalid_inputs(model.input_shape):
        answer, error = call(clients, service, operation, arguments)
        if error is None or check_error(service, operation, error, None) not in INVALID[service]:
            accepted.append((constraint, error and error["Error"]))
    assert accepted == []


def test_most_operations_succeed_with_the_least_input(clients):
    """So that `test_valid_input` is not a test of refusals alone."""
    reads = [one for one in OPERATIONS if one[1] in BUILT[one[0]] and one[1].startswith(("List", "Get", "Describe"))]
    good = 0
    for service, operation in reads:
        shape = MODELS[service].operation_model(operation).input_shape
        answer, _ = call(clients, service, operation, least("", shape) if shape else {})
        good += answer is not None
    assert good >= len(reads) // 3, f"{good} of {len(reads)}"
