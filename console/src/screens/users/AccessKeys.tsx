import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import Table from "@cloudscape-design/components/table";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { createAccessKey, updateAccessKey } from "../../api/iam/credentials";
import type { NewCredentials } from "../../lib/credentials-csv";
import { ACCESS_KEYS_PER_USER } from "../../lib/names";
import { Failure } from "../../parts/Failure";
import { holderKey } from "../../parts/iam/keys";
import { Time } from "../../parts/Values";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";
import { keysOf, type AccessKey } from "./access-keys";
import { DeleteKey } from "./DeleteKey";
import { NewKey } from "./NewKey";

/** The access keys of a user with their last use. */
export function AccessKeys({ userName }: { userName: string }) {
  const text = strings.users.keys;
  const [shown, setShown] = useState<NewCredentials>();
  const [deleted, setDeleted] = useState<string>();
  const stale = [[...holderKey({ kind: "user", name: userName }), "keys"]];
  const found = useQuery({ queryKey: stale[0] ?? [], queryFn: () => keysOf(userName) });
  const create = useAction(() => createAccessKey({ UserName: userName }), {
    stale,
    isLoud: true,
    then: ({ AccessKey: key }) =>
      setShown({ userName, accessKeyId: key?.AccessKeyId, secretAccessKey: key?.SecretAccessKey }),
  });
  const change = useAction(
    ({ id, isActive }: AccessKey) =>
      updateAccessKey({ UserName: userName, AccessKeyId: id, Status: isActive ? "Inactive" : "Active" }),
    { stale, said: ({ id }) => text.changed(id), isLoud: true },
  );
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
                loading={create.isRunning}
                disabled={isFull}
                disabledReason={isFull ? text.limit : undefined}
                onClick={() => create.run(undefined)}
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
                  onClick={() => change.run(key)}
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
      {shown === undefined ? null : <NewKey credentials={shown} onClose={() => setShown(undefined)} />}
      {deleted === undefined ? null : (
        <DeleteKey userName={userName} id={deleted} stale={stale} onClose={() => setDeleted(undefined)} />
      )}
    </>
  );
}
