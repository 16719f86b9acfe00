import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useParams } from "react-router";
import type { Key } from "../../api/kms";
import { Loading } from "../../app/Loading";
import { cancelDeletion, setEnabled } from "../../lib/keys";
import { Failure } from "../../parts/Failure";
import { useConfirm } from "../../parts/iam/Confirm";
import { Page } from "../../parts/Page";
import { strings } from "../../strings";
import { Aliases } from "./Aliases";
import { KeyPolicy } from "./KeyPolicy";
import { KEYS, keyQuery } from "./queries";
import { Rotation } from "./Rotation";
import { ScheduleDeletion } from "./ScheduleDeletion";
import { Summary } from "./Summary";
import { KeyTags } from "./KeyTags";
import { UsedBy } from "./UsedBy";

const text = strings.keys;

/** One key: what it is, who uses it, and what can be done with it. Each panel is read by itself. */
export default function KeyPage() {
  const { id = "" } = useParams();
  const query = useQuery(keyQuery(id));
  const key = query.data ?? undefined;
  // The server's own key is not to be changed, and one that waits for its deletion only to be kept.
  const mayChange = key?.KeyManager === "CUSTOMER" && key.KeyState !== "PendingDeletion";
  return (
    <Page
      title={text.key(id)}
      crumbs={[{ text: text.title, to: "/keys" }]}
      actions={key?.KeyManager === "CUSTOMER" ? <Actions item={key} /> : null}
    >
      {query.isPending ? <Loading /> : null}
      {query.error === null ? null : <Failure error={query.error} retry={() => void query.refetch()} />}
      {query.data === null ? <Box>{text.missing}</Box> : null}
      {key === undefined ? null : (
        <>
          <Summary item={key} mayChange={mayChange} />
          <UsedBy arn={key.Arn} />
          <Rotation id={id} mayChange={mayChange && key.KeyState === "Enabled"} />
          <Aliases id={id} mayChange={mayChange} />
          <KeyPolicy id={id} arn={key.Arn} mayChange={mayChange} />
          <KeyTags id={id} mayChange={mayChange} />
        </>
      )}
    </Page>
  );
}

/** The changes of the key's state. */
function Actions({ item }: { item: Key }) {
  const { KeyId: id, KeyState: state } = item;
  const { ask, dialog } = useConfirm([KEYS]);
  const [isOpen, setIsOpen] = useState(false);
  return (
    <SpaceBetween size="xs" direction="horizontal">
      {state === "PendingDeletion" ? (
        <Button
          onClick={() =>
            ask({
              title: text.deletion.cancel,
              text: text.deletion.cancelText,
              changes: [cancelDeletion(id)],
              said: text.deletion.cancelled,
            })
          }
        >
          {text.deletion.cancel}
        </Button>
      ) : (
        <SpaceBetween size="xs" direction="horizontal">
          {state === "Enabled" ? (
            <Button
              onClick={() =>
                ask({ title: text.disable, text: text.disableText, changes: [setEnabled(id, false)], said: text.disabled })
              }
            >
              {text.disable}
            </Button>
          ) : (
            <Button onClick={() => ask({ title: text.enable, changes: [setEnabled(id, true)], said: text.enabled })}>
              {text.enable}
            </Button>
          )}
          <Button onClick={() => setIsOpen(true)}>{text.deletion.schedule}</Button>
        </SpaceBetween>
      )}
      {dialog}
      {isOpen ? <ScheduleDeletion item={item} onClose={() => setIsOpen(false)} /> : null}
    </SpaceBetween>
  );
}
