import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import Table from "@cloudscape-design/components/table";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { tagsOf, type TagPair, type Tagged } from "../../api/iam/holder";
import { performAll } from "../../api/perform";
import { tagChanges } from "../../lib/iam-changes";
import { tagsProblem } from "../../lib/names";
import { strings } from "../../strings";
import { Failure } from "../Failure";
import { useAction } from "../useAction";
import { Dialog } from "../Dialog";
import { TagRows } from "./TagRows";

/** The tags of a user, role or policy. */
export function Tags({ of }: { of: Tagged }) {
  const text = strings.iam.tags;
  const queryKey = ["iam", of.kind, of.name, "tags"];
  const found = useQuery({ queryKey, queryFn: () => tagsOf(of) });
  const [isOpen, setIsOpen] = useState(false);
  if (found.error !== null) return <Failure error={found.error} retry={() => void found.refetch()} />;
  const tags = found.data ?? [];
  return (
    <>
      <Table
        variant="container"
        items={tags}
        trackBy="key"
        loading={found.isPending}
        loadingText={strings.iam.loading}
        empty={<Box textAlign="center">{text.none}</Box>}
        ariaLabels={{ tableLabel: text.title }}
        header={
          <Header
            description={text.description}
            counter={`(${tags.length})`}
            actions={<Button onClick={() => setIsOpen(true)}>{text.edit}</Button>}
          >
            {text.title}
          </Header>
        }
        columnDefinitions={[
          { id: "key", header: text.key, cell: ({ key }) => key, isRowHeader: true },
          { id: "value", header: text.value, cell: ({ value }) => value },
        ]}
      />
      {isOpen ? <Edit of={of} before={tags} queryKey={queryKey} onClose={() => setIsOpen(false)} /> : null}
    </>
  );
}

interface EditProps {
  of: Tagged;
  before: TagPair[];
  queryKey: string[];
  onClose: () => void;
}

function Edit({ of, before, queryKey, onClose }: EditProps) {
  const text = strings.iam.tags;
  const [tags, setTags] = useState(before);
  const [isSent, setIsSent] = useState(false);
  const changes = tagChanges(of, before, tags);
  const save = useAction(() => performAll(changes), { stale: [queryKey], said: () => text.saved, then: onClose });
  const problem = tagsProblem(tags);
  return (
    <Dialog
      title={text.edit}
      submit={strings.iam.save}
      onSubmit={() => {
        setIsSent(true);
        if (problem === undefined) save.run(undefined);
      }}
      onClose={onClose}
      isRunning={save.isRunning}
      error={save.error}
      changes={changes}
      size="large"
    >
      <TagRows tags={tags} onChange={setTags} />
      {isSent && problem !== undefined ? <Box color="text-status-error">{strings.iam.problem(problem)}</Box> : null}
    </Dialog>
  );
}
