"""What a command came to: its words and its exit code, with the checks that stories make on them."""

import json
import re
import subprocess

#: Outcomes nobody has looked at yet; a test that forgets one fails at its end (see `conftest.py`).
_unread = []

#: The endings of a refusal (IAM User Guide, "Troubleshoot access denied error messages"). `{action}` is filled in.
NO_IDENTITY_POLICY = "because no identity-based policy allows the {action} action"
NO_RESOURCE_POLICY = "because no resource-based policy allows the {action} action"
NO_TRUST_POLICY = "because no role trust policy allows the {action} action"
NO_SESSION_POLICY = "because no session policy allows the {action} action"
NO_BOUNDARY = "because no permissions boundary allows the {action} action"
DENIED_BY_IDENTITY_POLICY = "with an explicit deny in an identity-based policy"
DENIED_BY_RESOURCE_POLICY = "with an explicit deny in a resource-based policy"


def refusal(user, action, resource, because):
    """The whole sentence of a denial, as AWS words it."""
    return (
        f"User: {user} is not authorized to perform: {action} on resource: {resource} "
        + because.format(action=action)
    )


class Outcome:
    """`.ok()` and `.json` insist on success; `.failed()` and `.denied()` on failure, and on its words."""

    def __init__(self, who, command, code, out, err):
        self.who, self.command, self.code = who, command, code
        self._out, self._err = out, err
        _unread.append(self)

    @classmethod
    def run(cls, who, argv, env, input=None, cwd=None, timeout_s=120):
        """Runs a command with nothing of the caller's environment but what is given."""
        if isinstance(input, str):
            input = input.encode()
        done = subprocess.run(
            [str(a) for a in argv], env=env, cwd=cwd, capture_output=True, timeout=timeout_s,
            **({"input": input} if input is not None else {"stdin": subprocess.DEVNULL}),
        )
        return cls(who, " ".join(map(str, argv)), done.returncode,
                   done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))

    def seen(self):
        """Either way is fine: the caller looks at `code` itself."""
        if self in _unread:
            _unread.remove(self)
        return self

    @property
    def text(self):
        """All it said: standard output, then standard error."""
        return self._out + self._err

    @property
    def out(self):
        return self.ok()._out

    @property
    def json(self):
        return json.loads(self.out)

    def __str__(self):
        return f"{self.who.name}$ {self.command}\nexit code {self.code}\n{self._out}{self._err}"

    def ok(self):
        self.seen()
        assert self.code == 0, f"this should have worked:\n{self}"
        return self

    def failed(self, *words):
        """It failed, and each of `words` stands in what it said (white space counts as one space)."""
        self.seen()
        assert self.code != 0, f"this should have failed:\n{self}"
        said = _flat(self.text)
        for word in words:
            assert _flat(word) in said, f"the failure should say {word!r}:\n{self}"
        return self

    def denied(self, action, resource, because, user=None):
        """IAM refused: the words name user, action, resource and reason, all four exactly."""
        return self.failed(refusal(user or self.who.arn, action, resource, because))


def _flat(text):
    # docker escapes quotes when it reports an error inside an error.
    return re.sub(r"\s+", " ", text.replace('\\"', '"')).strip()


def forget_unread():
    """Hands over the outcomes that no check has looked at, and starts afresh."""
    left, _unread[:] = list(_unread), []
    return left
