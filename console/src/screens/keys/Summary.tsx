import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import { useState } from "react";
import type { Key } from "../../api/kms";
import { perform } from "../../api/perform";
import { describe, DESCRIPTION_MAX } from "../../lib/keys";
import { Dialog } from "../../parts/Dialog";
import { Field } from "../../parts/Field";
import { useAction } from "../../parts/useAction";
import { Arn, CopiedName, Time } from "../../parts/Values";
import { strings } from "../../strings";
import { KEYS } from "./queries";
import { State } from "./State";

const text = strings.keys;
const time = (seconds: number) => <Time time={new Date(seconds * 1000)} />;

/** What a key is. */
export function Summary({ item, mayChange }: { item: Key; mayChange: boolean }) {
  const [isOpen, setIsOpen] = useState(false);
  const { Description: description = "", DeletionDate: deletion } = item;
  return (
    <Container
      header={
        <Header
          variant="h2"
          actions={mayChange ? <Button onClick={() => setIsOpen(true)}>{text.describe}</Button> : null}
        >
          {text.details}
        </Header>
      }
    >
      <KeyValuePairs
        columns={3}
        items={[
          { label: text.state, value: <State state={item.KeyState} /> },
          { label: text.id, value: <CopiedName name={item.KeyId} label={text.copyId} /> },
          { label: text.arn, value: <Arn arn={item.Arn} /> },
          { label: text.summary, value: description === "" ? strings.frame.none : description },
          { label: text.manager, value: text.managers[item.KeyManager] ?? item.KeyManager },
          { label: text.since, value: time(item.CreationDate) },
          ...(deletion === undefined ? [] : [{ label: text.deletionDate, value: time(deletion) }]),
        ]}
      />
      {isOpen ? <Describe id={item.KeyId} before={description} onClose={() => setIsOpen(false)} /> : null}
    </Container>
  );
}

function Describe({ id, before, onClose }: { id: string; before: string; onClose: () => void }) {
  const [description, setDescription] = useState(before);
  const change = describe(id, description);
  const save = useAction(() => perform(change), { stale: [KEYS], said: () => text.described, then: onClose });
  const isTooLong = description.length > DESCRIPTION_MAX;
  return (
    <Dialog
      title={text.describe}
      submit={strings.frame.save}
      onSubmit={() => save.run(undefined)}
      onClose={onClose}
      isRunning={save.isRunning}
      isDisabled={isTooLong}
      error={save.error}
      changes={[change]}
    >
      <Field
        label={text.summary}
        value={description}
        onChange={setDescription}
        error={isTooLong ? text.summaryError : undefined}
      />
    </Dialog>
  );
}
