"""Writes botocore_vectors.json: requests as the AWS CLI and boto3 sign them.

Run it with a Python that has botocore, from this folder: python botocore_vectors.py
The clock stands still, so that the same botocore writes the same file.
"""

import datetime
import hashlib
import json
from urllib.parse import urlsplit

import botocore
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

NOW = datetime.datetime(2026, 2, 28, 23, 59, 59, tzinfo=datetime.timezone.utc)
auth.get_current_datetime = lambda remove_tzinfo=True: NOW.replace(tzinfo=None) if remove_tzinfo else NOW

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "IQoJb3JpZ2luX2VjE//+Token/with==slashes+and+plus"

CASES = [
    ("ecr json", auth.SigV4Auth, "ecr", None, "POST", "http://127.0.0.1:5000/", b'{"repositoryNames":["app"]}',
     {"Content-Type": "application/x-amz-json-1.1",
      "X-Amz-Target": "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories"}),
    ("iam query", auth.SigV4Auth, "iam", None, "POST", "https://iam.example.com/",
     b"Action=ListUsers&Version=2010-05-08&PathPrefix=%2F",
     {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}),
    ("sts with a token", auth.SigV4Auth, "sts", TOKEN, "POST", "http://[::1]:5000/",
     b"Action=GetCallerIdentity&Version=2011-06-15", {"Content-Type": "application/x-www-form-urlencoded"}),
    ("presigned", auth.SigV4QueryAuth, "sts", None, "GET",
     "https://sts.example.com/?Action=GetCallerIdentity&Version=2011-06-15", b"", {}),
    ("presigned with a token and a signed header", auth.SigV4QueryAuth, "sts", TOKEN, "GET",
     "https://sts.example.com/?Action=GetCallerIdentity&Version=2011-06-15", b"", {"x-k8s-aws-id": "cluster-1"}),
    ("hostile path", auth.SigV4Auth, "service", None, "PUT",
     "http://localhost/a//b/./c/../%2e%2e/%C3%A9 ~'()*!$&;:@=+,/%25/", b"\x00\xff", {"My-Header": "  a   b\tc  "}),
    ("hostile query", auth.SigV4Auth, "service", TOKEN, "GET",
     "http://localhost/?b=2&b=1&a=%2F%20~&empty=&%C3%A9=%E2%82%AC&B=0", b"", {}),
]


def vector(name, signer, service, token, method, url, body, headers):
    parts = urlsplit(url)
    # The HTTP library sends this header; the signer takes it from the URL.
    request = AWSRequest(method=method, url=url, data=body, headers=headers)
    signer(Credentials("AKIDEXAMPLE", SECRET, token), service, "eu-central-1").add_auth(request)
    prepared = request.prepare()
    # As the request stands on the wire, which for a presigned one is the new URL.
    wire = urlsplit(prepared.url)
    sent = {name: value if isinstance(value, str) else value.decode() for name, value in prepared.headers.items()}
    sent.pop("Content-Length", None)
    sent["Host"] = parts.netloc
    return {
        "name": name,
        "service": service,
        "method": method,
        "path": wire.path,
        "query": wire.query,
        "headers": sorted(sent.items()),
        "payload_sha256_hex": hashlib.sha256(body).hexdigest(),
        "session_token": token,
    }


with open("botocore_vectors.json", "w") as file:
    json.dump(
        {
            "botocore": botocore.__version__,
            "secret": SECRET,
            "region": "eu-central-1",
            "now_epoch_seconds": int(NOW.timestamp()),
            "vectors": [vector(*case) for case in CASES],
        },
        file,
        indent=1,
        ensure_ascii=False,
    )
    file.write("\n")
