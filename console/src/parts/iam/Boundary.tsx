import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import type { BoundHolder } from "../../api/iam/holder";
import { perform } from "../../api/perform";
import { boundaryChange } from "../../lib/iam-changes";
import { strings } from "../../strings";
import { LinkTo } from "../LinkTo";
import { useAction } from "../useAction";
import { useConfirm } from "./Confirm";
import { Dialog } from "../Dialog";
import { holderKey } from "./keys";
import { OnePolicy } from "./PolicyPicker";

/** The permissions boundary of a user or role. */
export function Boundary({ holder, arn }: { holder: BoundHolder; arn: string | undefined }) {
  const text = strings.iam.permissions;
  const [isOpen, setIsOpen] = useState(false);
  const [chosen, setChosen] = useState(arn ?? "");
  const stale = [holderKey(holder)];
  const change = boundaryChange(holder, chosen);
  const save = useAction(() => perform(change), {
    stale,
    said: () => text.boundarySaved,
    then: () => setIsOpen(false),
  });
  const { ask, dialog } = useConfirm(stale);
  const remove = () =>
    ask({
      title: text.boundaryRemove,
      changes: [boundaryChange(holder, undefined)],
      said: text.boundaryRemoved,
    });
  return (
    <Container
      header={
        <Header
          description={text.boundaryDescription}
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              {arn === undefined ? null : <Button onClick={remove}>{text.boundaryRemove}</Button>}
              <Button onClick={() => setIsOpen(true)}>{arn === undefined ? text.boundarySet : text.boundaryChange}</Button>
            </SpaceBetween>
          }
        >
          {text.boundary}
        </Header>
      }
    >
      {arn === undefined ? (
        <Box>{text.boundaryNone}</Box>
      ) : (
        <LinkTo to={`/policies/${encodeURIComponent(arn)}`}>{arn}</LinkTo>
      )}
      {dialog}
      {isOpen ? (
        <Dialog
          title={text.boundarySet}
          submit={strings.iam.save}
          onSubmit={() => save.run(undefined)}
          onClose={() => setIsOpen(false)}
          isRunning={save.isRunning}
          isDisabled={chosen === ""}
          error={save.error}
          changes={[change]}
        >
          <OnePolicy label={text.boundary} arn={chosen} onChange={setChosen} />
        </Dialog>
      ) : null}
    </Container>
  );
}
