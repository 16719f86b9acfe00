import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import Table from "@cloudscape-design/components/table";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { listExclusions } from "../../api/registry";
import { perform } from "../../api/perform";
import { Dialog } from "../../parts/Dialog";
import { Failure } from "../../parts/Failure";
import { Field } from "../../parts/Field";
import { useConfirm } from "../../parts/iam/Confirm";
import { Pager } from "../../parts/Pager";
import { useAction } from "../../parts/useAction";
import { usePaging } from "../../parts/useUrlState";
import { strings } from "../../strings";
import { EXCLUSIONS } from "./keys";

const text = strings.registrySettings.exclusions;

/** Principals whose pulls leave the last pull time as it is. */
export function Exclusions() {
  const paging = usePaging();
  const query = useQuery({
    queryKey: [...EXCLUSIONS, paging.token],
    queryFn: () => listExclusions(paging.token),
    placeholderData: keepPreviousData,
  });
  const [isOpen, setIsOpen] = useState(false);
  const { ask, dialog } = useConfirm([EXCLUSIONS]);
  const remove = (principalArn: string) =>
    ask({
      title: text.removeTitle,
      text: principalArn,
      changes: [{ service: "ecr", operation: "DeregisterPullTimeUpdateExclusion", input: { principalArn } }],
      said: text.removed,
    });
  if (query.error !== null) return <Failure error={query.error} retry={() => void query.refetch()} />;
  return (
    <>
      <Table
        items={(query.data?.items ?? []).map((arn) => ({ arn }))}
        trackBy="arn"
        loading={query.isPending}
        loadingText={strings.frame.loading}
        wrapLines
        ariaLabels={{ tableLabel: text.caption }}
        header={
          <Header
            variant="h2"
            description={text.hint}
            actions={<Button onClick={() => setIsOpen(true)}>{text.add}</Button>}
          >
            {text.title}
          </Header>
        }
        columnDefinitions={[
          { id: "arn", header: text.principal, isRowHeader: true, cell: ({ arn }) => arn },
          {
            id: "remove",
            header: strings.iam.actions,
            cell: ({ arn }) => (
              <Button variant="inline-link" ariaLabel={text.removeOne(arn)} onClick={() => remove(arn)}>
                {text.remove}
              </Button>
            ),
          },
        ]}
        pagination={<Pager paging={paging} nextToken={query.data?.nextToken} isLoading={query.isPlaceholderData} />}
        empty={text.empty}
      />
      {dialog}
      {isOpen ? <Add onClose={() => setIsOpen(false)} /> : null}
    </>
  );
}

/** ECR API Reference, RegisterPullTimeUpdateExclusion: of a user or a role. */
const PRINCIPAL = /^arn:aws(-[a-z]+)*:iam::[0-9]{12}:(user|role)\/.+$/;

function Add({ onClose }: { onClose: () => void }) {
  const [arn, setArn] = useState("");
  const principalArn = arn.trim();
  const change = { service: "ecr", operation: "RegisterPullTimeUpdateExclusion", input: { principalArn } };
  const isValid = PRINCIPAL.test(principalArn);
  const add = useAction(() => perform(change), { stale: [EXCLUSIONS], said: () => text.added, then: onClose });
  return (
    <Dialog
      title={text.add}
      submit={text.add}
      onSubmit={() => add.run(undefined)}
      onClose={onClose}
      isRunning={add.isRunning}
      isDisabled={!isValid}
      error={add.error}
      changes={[change]}
    >
      <Field
        label={text.arn}
        value={arn}
        onChange={setArn}
        error={principalArn === "" || isValid ? undefined : text.arnProblem}
      />
    </Dialog>
  );
}
