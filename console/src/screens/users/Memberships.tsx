import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import Table from "@cloudscape-design/components/table";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { collect, from, markerOf } from "../../api/iam/collect";
import { listGroupsForUser } from "../../api/iam/users";
import { iamChange, performAll } from "../../api/perform";
import { Failure } from "../../parts/Failure";
import { useConfirm } from "../../parts/iam/Confirm";
import { Dialog } from "../../parts/Dialog";
import { holderKey } from "../../parts/iam/keys";
import { LinkTo } from "../../parts/LinkTo";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";
import { GroupPicker } from "./GroupPicker";

async function groupsOf(UserName: string): Promise<string[]> {
  const found = await collect(async (marker) => {
    const answer = await listGroupsForUser({ UserName, ...from(marker) });
    return { items: answer.Groups ?? [], marker: markerOf(answer) };
  });
  return found.items.flatMap((group) => group.GroupName ?? []);
}

/** The groups of a user. */
export function Memberships({ userName }: { userName: string }) {
  const text = strings.users.memberships;
  const [isOpen, setIsOpen] = useState(false);
  const stale = [holderKey({ kind: "user", name: userName }), ["iam", "group"]];
  const queryKey = [...holderKey({ kind: "user", name: userName }), "groups"];
  const found = useQuery({ queryKey, queryFn: () => groupsOf(userName) });
  const { ask, dialog } = useConfirm(stale);
  const leave = (GroupName: string) =>
    ask({
      title: text.leave(GroupName),
      submit: strings.iam.remove,
      changes: [iamChange("RemoveUserFromGroup", { GroupName, UserName: userName })],
      said: text.left(GroupName),
    });
  if (found.error !== null) return <Failure error={found.error} retry={() => void found.refetch()} />;
  const groups = found.data ?? [];
  return (
    <>
      <Table
        variant="container"
        items={groups}
        loading={found.isPending}
        loadingText={strings.iam.loading}
        empty={<Box textAlign="center">{text.none}</Box>}
        ariaLabels={{ tableLabel: text.title }}
        header={
          <Header counter={`(${groups.length})`} actions={<Button onClick={() => setIsOpen(true)}>{text.add}</Button>}>
            {text.title}
          </Header>
        }
        columnDefinitions={[
          {
            id: "group",
            header: text.group,
            isRowHeader: true,
            cell: (name) => <LinkTo to={`/groups/${encodeURIComponent(name)}`}>{name}</LinkTo>,
          },
          {
            id: "remove",
            header: strings.iam.actions,
            cell: (name) => (
              <Button variant="inline-link" ariaLabel={text.leave(name)} onClick={() => leave(name)}>
                {strings.iam.remove}
              </Button>
            ),
          },
        ]}
      />
      {dialog}
      {isOpen ? <Add userName={userName} groups={groups} stale={stale} onClose={() => setIsOpen(false)} /> : null}
    </>
  );
}

interface AddProps {
  userName: string;
  groups: string[];
  stale: string[][];
  onClose: () => void;
}

function Add({ userName, groups, stale, onClose }: AddProps) {
  const text = strings.users.memberships;
  const [chosen, setChosen] = useState<string[]>([]);
  const changes = chosen.map((GroupName) => iamChange("AddUserToGroup", { GroupName, UserName: userName }));
  const add = useAction(() => performAll(changes), { stale, said: () => text.added, then: onClose });
  return (
    <Dialog
      title={text.add}
      submit={text.add}
      onSubmit={() => add.run(undefined)}
      onClose={onClose}
      isRunning={add.isRunning}
      isDisabled={chosen.length === 0}
      error={add.error}
      changes={changes}
    >
      <GroupPicker groups={chosen} onChange={setChosen} without={groups} />
    </Dialog>
  );
}
