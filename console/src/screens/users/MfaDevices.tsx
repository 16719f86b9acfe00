import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { listMFADevices } from "../../api/iam/credentials";
import { iamChange } from "../../api/perform";
import { Failure } from "../../parts/Failure";
import { useConfirm } from "../../parts/iam/Confirm";
import { holderKey } from "../../parts/iam/keys";
import { Time } from "../../parts/Values";
import { strings } from "../../strings";
import { AssignMfa } from "./AssignMfa";
import { ResyncMfa } from "./ResyncMfa";

/** The MFA devices of a user. */
export function MfaDevices({ userName }: { userName: string }) {
  const text = strings.users.mfa;
  const [isAdding, setIsAdding] = useState(false);
  const [resynced, setResynced] = useState<string>();
  const queryKey = [...holderKey({ kind: "user", name: userName }), "mfa"];
  const found = useQuery({ queryKey, queryFn: () => listMFADevices({ UserName: userName }) });
  const { ask, dialog } = useConfirm([queryKey]);
  if (found.error !== null) return <Failure error={found.error} retry={() => void found.refetch()} />;
  const devices = found.data?.MFADevices ?? [];
  return (
    <>
      <Table
        variant="container"
        items={devices}
        trackBy={(device) => device.SerialNumber ?? ""}
        loading={found.isPending}
        loadingText={strings.iam.loading}
        empty={<Box textAlign="center">{text.none}</Box>}
        ariaLabels={{ tableLabel: text.title }}
        header={
          <Header
            description={text.description}
            counter={`(${devices.length})`}
            actions={<Button onClick={() => setIsAdding(true)}>{text.add}</Button>}
          >
            {text.title}
          </Header>
        }
        columnDefinitions={[
          { id: "serial", header: text.serial, isRowHeader: true, cell: (device) => device.SerialNumber },
          { id: "enabled", header: text.enabled, cell: (device) => <Time time={device.EnableDate} /> },
          {
            id: "actions",
            header: strings.iam.actions,
            cell: ({ SerialNumber = "" }) => (
              <SpaceBetween direction="horizontal" size="s">
                <Button
                  variant="inline-link"
                  ariaLabel={text.resyncDevice(SerialNumber)}
                  onClick={() => setResynced(SerialNumber)}
                >
                  {text.resync}
                </Button>
                <Button
                  variant="inline-link"
                  ariaLabel={text.removeDevice(SerialNumber)}
                  onClick={() =>
                    ask({
                      title: text.removeDevice(SerialNumber),
                      submit: text.remove,
                      changes: [
                        iamChange("DeactivateMFADevice", { UserName: userName, SerialNumber }),
                        iamChange("DeleteVirtualMFADevice", { SerialNumber }),
                      ],
                      said: text.removed,
                    })
                  }
                >
                  {text.remove}
                </Button>
              </SpaceBetween>
            ),
          },
        ]}
      />
      {dialog}
      {isAdding ? <AssignMfa userName={userName} queryKey={queryKey} onClose={() => setIsAdding(false)} /> : null}
      {resynced === undefined ? null : (
        <ResyncMfa userName={userName} serial={resynced} onClose={() => setResynced(undefined)} />
      )}
    </>
  );
}
