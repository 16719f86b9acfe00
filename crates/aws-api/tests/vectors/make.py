"""Writes requests.jsonl and answers.jsonl with the serializers and parsers of botocore.

    python -m venv venv && venv/bin/pip install botocore==$(cat ../../../../xtask/botocore-version.txt)
    venv/bin/python make.py

requests.jsonl: for every operation, parameters with each member set (`input`, as JSON) and the body
that botocore sends for them, of restJson1 also method, path and query (`line`). answers.jsonl: for every operation, a response with each member set
(`output`, as JSON), and a body that botocore decodes to exactly these members.
"""

import base64
import datetime
import json
import os
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape

import botocore.parsers
import botocore.serialize
import botocore.session

# As botocore names them, with the names in signatures where they differ.
SERVICES = {"accessanalyzer": "access-analyzer", "berth": "berth", "ecr": "ecr", "iam": "iam",
            "kms": "kms", "organizations": "organizations", "secretsmanager": "secretsmanager", "sts": "sts"}
# `berth` is a model of this repository, in botocore's layout.
MODELS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../models")
# As in xtask/src/codegen/overrides.rs: where AWS's answers differ from its model.
ENUMS = {"PermissionsBoundaryAttachmentType": ["Policy"], "PolicySourceType": ["Permissions Boundary Policy"]}
TEXT = "a & b<c> \"d\" 'e' é😀+%=/~*"
SECONDS = 1700000000


def sample(shape, above=()):
    """A value of the shape with every member set, as botocore's serializers take it. A list inside itself is empty."""
    kind = shape.type_name
    if kind == "structure":
        return {name: sample(member, above) for name, member in shape.members.items()}
    if kind == "list":
        return [] if shape.name in above else [sample(shape.member, (*above, shape.name))] * 2
    if kind == "map":
        return {sample(shape.key, above): sample(shape.value, above)}
    if kind == "string":
        values = ENUMS.get(shape.name) or getattr(shape, "enum", None)
        return values[-1] if values else TEXT
    return {"blob": b"\x00\xff blob", "boolean": True, "integer": 42, "long": 2**40, "double": 7.5,
            "float": 7.5, "timestamp": datetime.datetime.fromtimestamp(SECONDS, datetime.timezone.utc)}[kind]


def plain(value):
    """The same as JSON: blobs as base64, timestamps as epoch seconds."""
    if isinstance(value, dict):
        return {key: plain(member) for key, member in value.items()}
    if isinstance(value, list):
        return [plain(member) for member in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime.datetime):
        return int(value.timestamp())
    return value


def on_wire(shape, value):
    """The same as the protocols of JSON write it: some timestamps are texts."""
    kind = shape.type_name if shape else None
    if kind == "structure":
        return {name: on_wire(shape.members[name], member) for name, member in value.items()}
    if kind == "list":
        return [on_wire(shape.member, member) for member in value]
    if kind == "map":
        return {key: on_wire(shape.value, member) for key, member in value.items()}
    if kind == "timestamp" and shape.serialization.get("timestampFormat") == "iso8601":
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return plain(value)


def xml(shape, value):
    kind = shape.type_name
    if kind == "structure":
        return "".join(f"<{n}>{xml(m, value[n])}</{n}>" for n, m in shape.members.items() if n in value)
    if kind == "list":
        return "".join(f"<member>{xml(shape.member, member)}</member>" for member in value)
    if kind == "map":
        return "".join(f"<entry><key>{xml(shape.key, k)}</key><value>{xml(shape.value, v)}</value></entry>"
                       for k, v in value.items())
    if kind == "timestamp":
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if kind == "boolean":
        return "true" if value else "false"
    return escape(value, {'"': "&quot;"}) if isinstance(value, str) else escape(str(plain(value)))


def main():
    session = botocore.session.get_session()
    session.get_component("data_loader").search_paths.insert(0, MODELS)
    requests, answers = [], []
    for service, signing_name in SERVICES.items():
        model = session.get_service_model(service)
        protocol = model.metadata["protocol"]
        serializer = botocore.serialize.create_serializer(protocol, include_validation=False)
        parser = botocore.parsers.create_parser(protocol)
        # Of a union one member is set at a time; here every member of every shape is read.
        parser._has_unknown_tagged_union_member = lambda shape, value: False
        for name in model.operation_names:
            operation = model.operation_model(name)
            value = sample(operation.input_shape) if operation.input_shape else {}
            request = serializer.serialize_to_request(value, operation)
            body = request["body"]
            body = urlencode(body) if isinstance(body, dict) else body.decode()
            row = {"service": signing_name, "operation": name, "input": plain(value), "body": body}
            if protocol == "rest-json":
                query = urlencode(request["query_string"], doseq=True, quote_via=quote)
                row["line"] = [request["method"], request["url_path"], query]
            requests.append(row)
        for name in model.operation_names:
            operation = model.operation_model(name)
            shape = operation.output_shape
            value = sample(shape) if shape else {}
            if protocol in ("json", "rest-json"):
                body = json.dumps(on_wire(shape, value), ensure_ascii=False, separators=(",", ":"))
            else:
                result = f"<{name}Result>{xml(shape, value)}</{name}Result>" if shape else ""
                body = (f'<{name}Response xmlns="{model.metadata["xmlNamespace"]}">{result}'
                        f"<ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></{name}Response>\n")
            answer = {"body": body.encode(), "headers": {}, "status_code": 200}
            parsed = parser.parse(answer, shape)
            parsed.pop("ResponseMetadata")
            assert plain(parsed) == plain(value), (name, parsed, value)
            answers.append({"service": signing_name, "operation": name, "output": plain(value), "body": body})
    for name, rows in (("requests", requests), ("answers", answers)):
        with open(f"{name}.jsonl", "w", encoding="utf-8") as out:
            for row in rows:
                out.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
