import { useState } from "react";
import type { PullThroughCacheRule } from "../../api/pull-through";
import { perform } from "../../api/perform";
import { updateRule } from "../../lib/pull-through";
import { Dialog } from "../../parts/Dialog";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";
import { CreateSecret } from "./CreateSecret";
import { CredentialFields } from "./CredentialFields";
import { RULES } from "./queries";

const text = strings.pullThrough;

/** Other credentials for a rule. A secret that is made in between takes the place of this dialog meanwhile. */
export function ChangeCredentials({ rule, onClose }: { rule: PullThroughCacheRule; onClose: () => void }) {
  const { ecrRepositoryPrefix: prefix = "", upstreamRegistryUrl: url = "" } = rule;
  const [form, setForm] = useState({ url, secret: rule.credentialArn ?? "", role: rule.customRoleArn ?? "" });
  const [isSecretOpen, setIsSecretOpen] = useState(false);
  const change = updateRule(prefix, form);
  const save = useAction(() => perform(change), {
    stale: [RULES],
    said: () => text.saved(prefix),
    then: onClose,
  });
  if (isSecretOpen) {
    return (
      <CreateSecret
        name={prefix.replace(/\/$/, "")}
        onCreated={(secret) => setForm((known) => ({ ...known, secret }))}
        onClose={() => setIsSecretOpen(false)}
      />
    );
  }
  return (
    <Dialog
      title={text.change}
      submit={strings.frame.save}
      onSubmit={() => save.run(undefined)}
      onClose={onClose}
      isRunning={save.isRunning}
      isDisabled={(form.secret === "") === (form.role.trim() === "")}
      error={save.error}
      changes={[change]}
    >
      <CredentialFields
        form={form}
        onChange={(part) => setForm((known) => ({ ...known, ...part }))}
        onCreateSecret={() => setIsSecretOpen(true)}
        secretError={undefined}
        roleError={undefined}
      />
    </Dialog>
  );
}
