"""A small language for stories about Berth, told with the real clients.

    def test_alice_pushes(berth, root):
        root.create_repository("my-app")
        alice = root.create_user("alice", policy(*push_and_pull("my-app")))
        alice.docker.login()
        alice.docker.build("my-app:v1")
        alice.docker.push("my-app:v1").ok()
        alice.docker.push("other:v1").denied(
            action="ecr:InitiateLayerUpload", resource=alice.repository_arn("other"),
            because=NO_IDENTITY_POLICY)

`server` runs the binary, `people` are users, roles and their sessions with the command lines they hold in their hands,
`clients` are those command lines, `engines` the daemons behind them, `images` what is pushed, `policies` the documents,
`web_identity`, `programs` and `walkthrough_b` are what the stories of jobs without a key share, `audit` reads the audit log.
`browser` is the browser that people use the console with, `hands` their mouse or keyboard, `console` the steps that they
take there. `machine` is a host with `berth agent`.
`raw` and `sigv4` speak HTTP without any client, for what a well-behaved client never sends.
"""
