"""Unpacks the AWS CLI version 2 from PyPI's `aws-cdk-asset-awscli-v2`, which holds AWS's own build as a Lambda layer.

    python aws_cli_v2.py DESTINATION
"""

import io
import pathlib
import shutil
import sys
import tarfile
import zipfile

import aws_cdk

#: What the stories call, and what every call needs. The models of the other services are most of the CLI's size.
SERVICES = {"accessanalyzer", "ecr", "iam", "organizations", "sts", "signin", "sso", "sso-oidc"}

package, = pathlib.Path(next(iter(aws_cdk.__path__))).glob("asset_awscli_v2/_jsii/*.tgz")
with tarfile.open(package) as archive:
    layer = zipfile.ZipFile(io.BytesIO(archive.extractfile("package/lib/layer.zip").read()))

destination = pathlib.Path(sys.argv[1])
shutil.rmtree(destination, ignore_errors=True)
for entry in layer.infolist():
    parts = pathlib.PurePosixPath(entry.filename).parts
    if "dist" not in parts or entry.is_dir():
        continue
    inner = parts[parts.index("dist") + 1:]
    if inner[:3] == ("awscli", "botocore", "data") and len(inner) > 4 and inner[3] not in SERVICES:
        continue
    if inner[:2] == ("awscli", "examples"):
        continue
    path = destination.joinpath(*inner)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(layer.read(entry))
(destination / "aws").chmod(0o755)
