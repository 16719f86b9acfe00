import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import Table from "@cloudscape-design/components/table";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { iamChange } from "../../api/perform";
import type { NewCredentials } from "../../lib/credentials-csv";
import { ACCESS_KEYS_PER_USER } from "../../lib/names";
import { Failure } from "../../parts/Failure";
import { useConfirm } from "../../parts/iam/Confirm";
import { holderKey } from "../../parts/iam/keys";
import { Time } from "../../parts/Values";
import { strings } from "../../strings";
import { keysOf } from "./access-keys";
import { CreateKey } from "./CreateKey";
import { DeleteKey } from "./DeleteKey";
import { NewKey } from "./NewKey";

/** The access keys of a user with their last use. */
export function AccessKeys({ userName }: { userName: string }) {
  const text = strings.users.keys;
  const [shown, setShown] = useState<NewCredentials>();
  const [deleted, setDeleted] = useState<string>();
  const stale = [[...holderKey({ kind: "user", name: userName }), "keys"]];
  const found = useQuery({ queryKey: stale[0] ?? [], queryFn: () => keysOf(userName) });
  const [isCreating, setIsCreating] = useState(false);
  const { ask, dialog } = useConfirm(stale);
  if (found.error !== null) return <Failure error={found.error} retry={() => void found.refetch()} />;
  const keys = found.data ?? [];
  const isFull = keys.length >= ACCESS_KEYS_PER_USER;
  return (
    <>
      <Table
        variant="container"
        items={keys}
        trackBy="id"
        loading={found.isPending}
        loadingText={strings.iam.loading}
        empty={<Box textAlign="center">{text.none}</Box>}
        ariaLabels={{ tableLabel: text.title }}
        header={
          <Header
            description={text.description}
            counter={`(${keys.length})`}
            actions={
              <Button
                disabled={isFull}
                disabledReason={isFull ? text.limit : undefined}
                onClick={() => setIsCreating(true)}
              >
                {text.create}
              </Button>
            }
          >
            {text.title}
          </Header>
        }
        columnDefinitions={[
          { id: "id", header: text.id, isRowHeader: true, cell: ({ id }) => id },
          {
            id: "status",
            header: text.status,
            cell: ({ isActive }) => (
              <StatusIndicator type={isActive ? "success" : "stopped"}>
                {isActive ? text.active : text.inactive}
              </StatusIndicator>
            ),
          },
          { id: "created", header: strings.iam.created, cell: ({ created }) => <Time time={created} /> },
          { id: "used", header: text.lastUsed, cell: ({ used, isUseKnown }) => <Time time={used} missing={isUseKnown ? strings.iam.never : strings.iam.notReadable} /> },
          { id: "service", header: text.service, cell: ({ service }) => service ?? strings.iam.none },
          {
            id: "actions",
            header: strings.iam.actions,
            cell: (key) => (
              <SpaceBetween direction="horizontal" size="s">
                <Button
                  variant="inline-link"
                  ariaLabel={key.isActive ? text.deactivateKey(key.id) : text.activateKey(key.id)}
                  onClick={() =>
                    ask({
                      title: key.isActive ? text.deactivateKey(key.id) : text.activateKey(key.id),
                      submit: key.isActive ? text.deactivate : text.activate,
                      changes: [
                        iamChange("UpdateAccessKey", {
                          UserName: userName,
                          AccessKeyId: key.id,
                          Status: key.isActive ? "Inactive" : "Active",
                        }),
                      ],
                      said: text.changed(key.id),
                    })
                  }
                >
                  {key.isActive ? text.deactivate : text.activate}
                </Button>
                <Button variant="inline-link" ariaLabel={text.deleteKey(key.id)} onClick={() => setDeleted(key.id)}>
                  {strings.iam.delete}
                </Button>
              </SpaceBetween>
            ),
          },
        ]}
      />
      {dialog}
      {isCreating ? (
        <CreateKey userName={userName} stale={stale} onMade={setShown} onClose={() => setIsCreating(false)} />
      ) : null}
      {shown === undefined ? null : <NewKey credentials={shown} onClose={() => setShown(undefined)} />}
      {deleted === undefined ? null : (
        <DeleteKey userName={userName} id={deleted} stale={stale} onClose={() => setDeleted(undefined)} />
      )}
    </>
  );
}
