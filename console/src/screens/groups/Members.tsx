import Button from "@cloudscape-design/components/button";
import { useState } from "react";
import { from, markerOf } from "../../api/iam/collect";
import { getGroup } from "../../api/iam/groups";
import { iamChange, perform } from "../../api/perform";
import { nameProblem } from "../../lib/names";
import { Field } from "../../parts/Field";
import { useConfirm } from "../../parts/iam/Confirm";
import { Dialog } from "../../parts/Dialog";
import { IamTable } from "../../parts/iam/IamTable";
import { holderKey } from "../../parts/iam/keys";
import { LinkTo } from "../../parts/LinkTo";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";

/** The users of a group, page by page. */
export function Members({ groupName }: { groupName: string }) {
  const text = strings.groups.users;
  const [isOpen, setIsOpen] = useState(false);
  const queryKey = [...holderKey({ kind: "group", name: groupName }), "users"];
  const stale = [queryKey, ["iam", "user"]];
  const { ask, dialog } = useConfirm(stale);
  const remove = (UserName: string) =>
    ask({
      title: text.remove(UserName),
      submit: strings.iam.remove,
      changes: [iamChange("RemoveUserFromGroup", { GroupName: groupName, UserName })],
      said: text.removed(UserName),
    });
  return (
    <>
      <IamTable
        queryKey={queryKey}
        what={strings.users.what}
        title={text.title}
        load={async (marker, MaxItems, signal) => {
          const answer = await getGroup({ GroupName: groupName, MaxItems, ...from(marker) }, signal);
          return { items: answer.Users ?? [], marker: markerOf(answer) };
        }}
        nameOf={(user) => user.UserName ?? ""}
        actions={<Button onClick={() => setIsOpen(true)}>{text.add}</Button>}
        columns={[
          {
            id: "user",
            header: text.user,
            isRowHeader: true,
            cell: ({ UserName = "" }) => <LinkTo to={`/users/${encodeURIComponent(UserName)}`}>{UserName}</LinkTo>,
          },
          {
            id: "remove",
            header: strings.iam.actions,
            cell: ({ UserName = "" }) => (
              <Button variant="inline-link" ariaLabel={text.remove(UserName)} onClick={() => remove(UserName)}>
                {strings.iam.remove}
              </Button>
            ),
          },
        ]}
      />
      {dialog}
      {isOpen ? <Add groupName={groupName} stale={stale} onClose={() => setIsOpen(false)} /> : null}
    </>
  );
}

function Add({ groupName, stale, onClose }: { groupName: string; stale: string[][]; onClose: () => void }) {
  const text = strings.groups.users;
  const [name, setName] = useState("");
  const problem = nameProblem("user", name);
  const change = iamChange("AddUserToGroup", { GroupName: groupName, UserName: name });
  const add = useAction(() => perform(change), {
    stale,
    said: () => text.added(name),
    then: onClose,
  });
  return (
    <Dialog
      title={text.add}
      submit={text.add}
      onSubmit={() => add.run(undefined)}
      onClose={onClose}
      isRunning={add.isRunning}
      isDisabled={problem !== undefined}
      error={add.error}
      changes={[change]}
    >
      <Field label={text.name} value={name} onChange={setName} problem={problem} isShown={false} />
    </Dialog>
  );
}
