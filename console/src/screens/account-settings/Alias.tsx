import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useSession } from "../../api/current";
import { listAccountAliases } from "../../api/iam/account";
import { iamChange, perform } from "../../api/perform";
import { aliasProblem } from "../../lib/names";
import { Failure } from "../../parts/Failure";
import { Field } from "../../parts/Field";
import { useConfirm } from "../../parts/iam/Confirm";
import { Dialog } from "../../parts/Dialog";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";

const KEY = ["iam", "account", "alias"];

/** The account's id and its alias. */
export function Alias() {
  const text = strings.accountSettings;
  const { account } = useSession();
  const [isOpen, setIsOpen] = useState(false);
  const found = useQuery({ queryKey: KEY, queryFn: async () => (await listAccountAliases({})).AccountAliases ?? [] });
  const alias = found.data?.[0];
  const { ask, dialog } = useConfirm([KEY]);
  const remove = (AccountAlias: string) =>
    ask({
      title: text.removeAlias,
      changes: [iamChange("DeleteAccountAlias", { AccountAlias })],
      said: text.aliasRemoved,
    });
  return (
    <Container
      header={
        <Header
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              {alias === undefined ? null : <Button onClick={() => remove(alias)}>{text.removeAlias}</Button>}
              <Button onClick={() => setIsOpen(true)}>{text.setAlias}</Button>
            </SpaceBetween>
          }
        >
          {text.account}
        </Header>
      }
    >
      {found.error === null ? null : <Failure error={found.error} retry={() => void found.refetch()} />}
      <KeyValuePairs
        columns={2}
        items={[
          { label: text.id, value: account },
          { label: text.alias, value: alias ?? text.noAlias },
        ]}
      />
      {dialog}
      {isOpen ? <Edit initial={alias ?? ""} onClose={() => setIsOpen(false)} /> : null}
    </Container>
  );
}

function Edit({ initial, onClose }: { initial: string; onClose: () => void }) {
  const text = strings.accountSettings;
  const [alias, setAlias] = useState(initial);
  const problem = aliasProblem(alias);
  const change = iamChange("CreateAccountAlias", { AccountAlias: alias });
  const save = useAction(() => perform(change), {
    stale: [KEY],
    said: () => text.aliasSaved,
    then: onClose,
  });
  return (
    <Dialog
      title={text.setAlias}
      submit={strings.iam.save}
      onSubmit={() => save.run(undefined)}
      onClose={onClose}
      isRunning={save.isRunning}
      isDisabled={problem !== undefined}
      error={save.error}
      changes={[change]}
    >
      <Field label={text.alias} value={alias} onChange={setAlias} constraint={text.aliasHint} problem={problem} />
    </Dialog>
  );
}
