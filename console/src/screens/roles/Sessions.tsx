import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { isGone } from "../../api/iam/gone";
import { inlineDocument, putInline } from "../../api/iam/holder";
import { putInlineChange } from "../../lib/iam-changes";
import { revocationPolicy, revocationTime, REVOCATION_POLICY_NAME } from "../../lib/session-revocation";
import { Failure } from "../../parts/Failure";
import { Field } from "../../parts/Field";
import { Dialog } from "../../parts/Dialog";
import { holderKey } from "../../parts/iam/keys";
import { Time } from "../../parts/Values";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";

/** Revokes the sessions of a role that began before now. */
export function Sessions({ roleName }: { roleName: string }) {
  const text = strings.roles.revoke;
  const holder = { kind: "role", name: roleName } as const;
  const [isOpen, setIsOpen] = useState(false);
  const [typed, setTyped] = useState("");
  // The command shows the time at which the page was opened; the button takes that of its press.
  const [opened] = useState(() => new Date());
  const found = useQuery({
    queryKey: [...holderKey(holder), "revocation"],
    // `null`: the role never had its sessions revoked.
    queryFn: () =>
      inlineDocument(holder, REVOCATION_POLICY_NAME).catch((error: unknown) => {
        if (isGone(error)) return null;
        throw error;
      }),
  });
  const revoke = useAction(() => putInline(holder, REVOCATION_POLICY_NAME, revocationPolicy(new Date())), {
    stale: [holderKey(holder)],
    said: () => text.done,
    then: () => setIsOpen(false),
  });
  const last = found.data == null ? undefined : revocationTime(found.data);
  return (
    <Container
      header={
        <Header description={text.description} actions={<Button onClick={() => setIsOpen(true)}>{text.run}</Button>}>
          {text.title}
        </Header>
      }
    >
      {found.error === null ? null : <Failure error={found.error} retry={() => void found.refetch()} />}
      {last === undefined ? null : (
        <Box>
          {text.last} <Time time={last} />
        </Box>
      )}
      {isOpen ? (
        <Dialog
          title={text.title}
          submit={text.run}
          onSubmit={() => revoke.run(undefined)}
          onClose={() => setIsOpen(false)}
          isRunning={revoke.isRunning}
          isDisabled={typed !== text.word}
          error={revoke.error}
          changes={[putInlineChange(holder, REVOCATION_POLICY_NAME, revocationPolicy(opened))]}
        >
          <Field label={text.confirm} value={typed} onChange={setTyped} placeholder={text.word} />
        </Dialog>
      ) : null}
    </Container>
  );
}
