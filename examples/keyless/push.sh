#!/bin/sh
# Pushes the image of the current folder to Berth. The job has put its OpenID Connect token into the file
# AWS_WEB_IDENTITY_TOKEN_FILE; AWS_ROLE_ARN, AWS_ENDPOINT_URL and AWS_DEFAULT_REGION are set.
set -eu
image=$1
registry=${image%%/*}
aws ecr get-login-password | docker login --username AWS --password-stdin "$registry"
docker build --tag "$image" .
docker push "$image"
