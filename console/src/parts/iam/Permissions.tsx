import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { attachedPolicies, inlinePolicies, type Holder } from "../../api/iam/holder";
import { performAll } from "../../api/perform";
import { attachChange, deleteInlineChange, detachChange } from "../../lib/iam-changes";
import { strings } from "../../strings";
import { Failure } from "../Failure";
import { LinkTo } from "../LinkTo";
import { useAction } from "../useAction";
import { useConfirm } from "./Confirm";
import { Dialog } from "../Dialog";
import { InlinePolicy } from "./InlinePolicy";
import { holderKey } from "./keys";
import { PolicyPicker } from "./PolicyPicker";

interface Row {
  name: string;
  /** Absent for an inline policy. */
  arn?: string;
}

async function policiesOf(holder: Holder): Promise<Row[]> {
  const [inline, attached] = await Promise.all([inlinePolicies(holder), attachedPolicies(holder)]);
  return [...inline.map((name) => ({ name })), ...attached];
}

/** Inline and attached policies, to see and to change. */
export function Permissions({ holder }: { holder: Holder }) {
  const text = strings.iam.permissions;
  const [dialog, setDialog] = useState<"attach" | "inline">();
  const [edited, setEdited] = useState<string>();
  const found = useQuery({ queryKey: [...holderKey(holder), "policies"], queryFn: () => policiesOf(holder) });
  const removal = useConfirm([holderKey(holder), ["iam", "policy"]]);
  const remove = ({ name, arn }: Row) =>
    removal.ask({
      title: text.remove(name),
      text: arn === undefined ? text.removeInline : text.removeAttached,
      submit: strings.iam.remove,
      changes: [arn === undefined ? deleteInlineChange(holder, name) : detachChange(holder, arn)],
      said: text.removed(name),
    });
  const rows = found.data ?? [];
  const close = () => {
    setDialog(undefined);
    setEdited(undefined);
  };
  if (found.error !== null) return <Failure error={found.error} retry={() => void found.refetch()} />;
  return (
    <>
      <Table
        variant="container"
        items={rows}
        trackBy={({ name, arn }) => arn ?? name}
        loading={found.isPending}
        loadingText={strings.iam.loading}
        empty={<Box textAlign="center">{text.none}</Box>}
        ariaLabels={{ tableLabel: text.title }}
        header={
          <Header
            description={text.description}
            counter={`(${rows.length})`}
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                <Button onClick={() => setDialog("inline")}>{text.createInline}</Button>
                <Button onClick={() => setDialog("attach")}>{text.attach}</Button>
              </SpaceBetween>
            }
          >
            {text.title}
          </Header>
        }
        columnDefinitions={[
          {
            id: "policy",
            header: text.policy,
            isRowHeader: true,
            cell: ({ name, arn }) =>
              arn === undefined ? (
                <Button variant="inline-link" onClick={() => setEdited(name)}>
                  {name}
                </Button>
              ) : (
                <LinkTo to={`/policies/${encodeURIComponent(arn)}`}>{name}</LinkTo>
              ),
          },
          { id: "kind", header: text.kind, cell: ({ arn }) => kindOf(arn) },
          {
            id: "remove",
            header: strings.iam.actions,
            cell: (row) => (
              <Button variant="inline-link" ariaLabel={text.remove(row.name)} onClick={() => remove(row)}>
                {strings.iam.remove}
              </Button>
            ),
          },
        ]}
      />
      {removal.dialog}
      {dialog === "attach" ? <Attach holder={holder} rows={rows} onClose={close} /> : null}
      {dialog === "inline" ? <InlinePolicy holder={holder} onClose={close} /> : null}
      {edited === undefined ? null : <InlinePolicy holder={holder} name={edited} onClose={close} />}
    </>
  );
}

function kindOf(arn: string | undefined): string {
  const text = strings.iam.permissions;
  if (arn === undefined) return text.inline;
  return /^arn:[^:]*:iam::aws:/.test(arn) ? text.awsManaged : text.managed;
}

function Attach({ holder, rows, onClose }: { holder: Holder; rows: Row[]; onClose: () => void }) {
  const text = strings.iam.permissions;
  const [arns, setArns] = useState<string[]>([]);
  const changes = arns.map((arn) => attachChange(holder, arn));
  const action = useAction(() => performAll(changes), {
    stale: [holderKey(holder), ["iam", "policy"]],
    said: () => text.attached,
    then: onClose,
  });
  return (
    <Dialog
      title={text.attachTitle}
      submit={text.attach}
      onSubmit={() => action.run(undefined)}
      onClose={onClose}
      isRunning={action.isRunning}
      isDisabled={arns.length === 0}
      error={action.error}
      changes={changes}
    >
      <PolicyPicker arns={arns} onChange={setArns} without={rows.flatMap(({ arn }) => arn ?? [])} />
    </Dialog>
  );
}
