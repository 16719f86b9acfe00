import { useState } from "react";
import { perform } from "../../api/perform";
import { createdAccount } from "../../api/organizations";
import { Field } from "../../parts/Field";
import { Dialog } from "../../parts/Dialog";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";

/** Makes an account of the organization, which appears under the root. */
export function AddAccount({ onClose }: { onClose: () => void }) {
  const text = strings.organization;
  const [name, setName] = useState("");
  const [email, setEmail] = useState("");
  const change = { service: "organizations", operation: "CreateAccount", input: { AccountName: name, Email: email } };
  const add = useAction(async () => createdAccount(await perform(change)), {
    stale: [["organization", "accounts"]],
    said: () => text.accountMade,
    then: onClose,
  });
  return (
    <Dialog
      title={text.addAccount}
      submit={text.addAccount}
      onSubmit={() => add.run(undefined)}
      onClose={onClose}
      isRunning={add.isRunning}
      isDisabled={name.trim() === "" || !/^\S+@\S+$/.test(email)}
      error={add.error}
      changes={[change]}
    >
      <Field label={text.accountName} value={name} onChange={setName} />
      <Field label={text.email} value={email} onChange={setEmail} constraint={text.emailHint} />
    </Dialog>
  );
}
