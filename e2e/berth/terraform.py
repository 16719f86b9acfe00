"""Terraform with the AWS provider that `cargo xtask test e2e` builds."""

import json
import os


class Terraform:
    """Terraform in a folder, as a person who calls a server."""

    def __init__(self, person, folder):
        command, provider = os.environ.get("BERTH_TERRAFORM"), os.environ.get("BERTH_TERRAFORM_PROVIDER")
        assert command and provider, (
            "BERTH_TERRAFORM and BERTH_TERRAFORM_PROVIDER must name the programs: run `cargo xtask test e2e`")
        self.person, self.command, self.folder = person, command, folder
        settings = folder.with_suffix(".rc")
        settings.write_text('provider_installation {\n  dev_overrides {\n'
                            f'    "hashicorp/aws" = "{os.path.dirname(provider)}"\n  }}\n}}\n')
        self.environment = {"TF_CLI_CONFIG_FILE": str(settings), "TF_IN_AUTOMATION": "1", "TF_INPUT": "0",
                            "CHECKPOINT_DISABLE": "1", "TF_VAR_endpoint": person.server.url}

    def __call__(self, *arguments, **variables):
        given = {f"TF_VAR_{name}": json.dumps(value) if isinstance(value, list) else value
                 for name, value in variables.items()}
        return self.person.run(self.command, *arguments, cwd=self.folder, env=self.environment | given, timeout_s=600)

    def apply(self, **variables):
        """Applies, and then there is nothing left to change."""
        outcome = self("apply", "-auto-approve", "-no-color", **variables).ok()
        self.plan(**variables).ok()
        return outcome

    def plan(self, **variables):
        """Fails where something would be changed."""
        return self("plan", "-detailed-exitcode", "-no-color", **variables)

    def destroy(self, **variables):
        return self("destroy", "-auto-approve", "-no-color", **variables).ok()

    def output(self, name):
        return self("output", "-raw", name).out
